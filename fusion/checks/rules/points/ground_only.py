"""P13: a box around nothing but road."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found, frames_said
from fusion.checks.rule import Limits, Need, rule


@rule(
    "P13",
    "only ground in it",
    Severity.WARNING,
    chance=0.6,
    needs=[Need.SWEEPS],
    share=0.9,
    least_points=12,
    range_m=45.0,
    least_height_m=0.5,
)
def ground_only(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Nearly all of its points lie on the ground, though the sensor sees it well."""
    scanned = facts.scanned
    assert scanned is not None
    share = 1 - scanned.standing / np.maximum(scanned.inside, 1)
    wrong = (scanned.inside >= limits["least_points"]) & (share > limits["share"])
    wrong &= (facts.away_m < limits["range_m"]) & (facts.boxes.sizes_lwh_m[:, 2] > limits["least_height_m"])
    for rows in facts.episodes(wrong):
        words = f"{100 * share[rows].max():.0f} % of its points are ground {frames_said(rows)}"
        yield boxes_found(facts, rows, words, value=share[rows].max(), limit=limits["share"])
