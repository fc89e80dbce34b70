"""P6: a box that floats, or sinks into the road."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from calib.se3 import SE3
from fusion.boxes import Box3D
from fusion.categories import Kind
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found, frames_said, put
from fusion.checks.rule import Limits, Need, rule

FEWEST = 20


@rule(
    "P6",
    "floating or sunk",
    Severity.WARNING,
    chance=0.6,
    whole=True,
    needs=[Need.SWEEPS],
    by_kind={Kind.OTHER: {"near_m": 0.6}, Kind.ANIMAL: {"near_m": 0.4}},
    near_m=0.3,
    farther=0.012,
    range_m=40.0,
    least_frames=3,
    least_above=3,
)
def off_the_ground(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """The bottom is further from the ground than the bottoms of this log's other boxes.

    The allowance grows with the distance, for there the ground is told from few points.
    """
    scanned = facts.scanned
    assert scanned is not None
    near = np.isfinite(scanned.ground_m) & (facts.away_m < limits["range_m"])
    if near.sum() == 0:
        return
    usual_m = float(np.median(scanned.ground_m[near])) if near.sum() >= FEWEST else 0.0
    off_m = scanned.ground_m - usual_m
    allowed_m = limits.of_boxes("near_m", facts) + limits["farther"] * facts.away_m
    wrong = near & (np.abs(off_m) > allowed_m)
    # Where a box is sunk, the object sticks out of it; if nothing does, the ground was told wrong.
    wrong &= (off_m > 0) | (scanned.around[:, 4] >= limits["least_above"])
    for rows in facts.episodes(wrong):
        if len(rows) < min(limits["least_frames"], len(facts.by_frame)):
            continue
        middle_m = float(np.median(off_m[rows]))
        verb, where = ("floats", "above") if middle_m > 0 else ("is sunk", "into")
        words = f"{verb} {abs(middle_m):.2f} m {where} the ground {frames_said(rows)}"
        fix = put(
            facts,
            rows,
            [_lifted(facts.annotations[r].box, -off_m[r]) for r in rows],
            "Put boxes on the ground",
        )
        yield boxes_found(facts, rows, words, value=middle_m, limit=float(allowed_m[rows].max()), fix=fix)


def _lifted(box: Box3D, up_m: float) -> Box3D:
    place = box.center + np.array([0.0, 0.0, up_m])
    return Box3D(SE3(box.ego_from_box.rotation, place), box.length_m, box.width_m, box.height_m)
