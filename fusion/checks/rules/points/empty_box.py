"""P1: a box in which the LiDAR saw nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found, frames_said, remove
from fusion.checks.rule import Limits, Need, rule


@rule(
    "P1",
    "empty box",
    Severity.MANDATORY,
    chance=0.8,
    needs=[Need.SWEEPS],
    least_beams=8,
    most_hidden=0.5,
    least_points=1,
)
def empty_box(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Beams go through the place of the box and none ends in it.

    nuScenes asks for one LiDAR or radar point in each box. A box that is hidden may be empty and right.
    """
    scanned = facts.scanned
    assert scanned is not None
    beams = scanned.before + scanned.through
    seen = (scanned.through >= limits["least_beams"]) & (scanned.before <= limits["most_hidden"] * beams)
    empty = scanned.there & (scanned.standing < limits["least_points"]) & (scanned.inside <= 2) & seen
    for rows in facts.episodes(empty):
        through = int(np.median(scanned.through[rows]))
        words = f"empty {frames_said(rows)}, though about {through} beams go through it"
        fix = remove(facts, rows, "Remove empty boxes")
        yield boxes_found(facts, rows, words, value=0, limit=limits["least_points"], fix=fix)
