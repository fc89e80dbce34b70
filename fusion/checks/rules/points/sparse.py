"""P3: a box with far fewer points than others of its kind at its distance."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found, frames_said
from fusion.checks.rule import Limits, Need, rule

FEWEST = 60


@rule(
    "P3",
    "sparse box",
    Severity.INFO,
    chance=0.3,
    needs=[Need.SWEEPS],
    share=0.1,
    least_expected=40,
    most_hidden=0.1,
    least_frames=3,
)
def sparse(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Nothing stands before it, and it has less than a tenth of the points that its kind has so far away."""
    scanned = facts.scanned
    assert scanned is not None
    beams = scanned.before + scanned.inside + scanned.through
    clear = scanned.there & (scanned.before <= limits["most_hidden"] * beams) & (facts.away_m > 1.0)
    expected = np.zeros(len(facts))
    for kind in sorted(set(facts.kinds)):
        mine = facts.of_kinds(kind)
        told = mine & clear & (scanned.standing > 0)
        if told.sum() < FEWEST:
            continue
        # Points thin out with about the square of the distance; how many there are near by, the log tells.
        near = np.median(np.log(scanned.standing[told]) + 2 * np.log(facts.away_m[told]))
        expected[mine] = np.exp(near - 2 * np.log(np.maximum(facts.away_m[mine], 1.0)))
    wrong = clear & (expected >= limits["least_expected"]) & (scanned.standing < limits["share"] * expected)
    for rows in facts.episodes(wrong):
        if len(rows) >= limits["least_frames"]:
            share = float(np.median(scanned.standing[rows] / expected[rows]))
            words = (
                f"{100 * share:.0f} % of the points that its like have at its distance {frames_said(rows)}"
            )
            yield boxes_found(facts, rows, words, value=share, limit=limits["share"])
