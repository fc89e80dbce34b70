"""P4: a face that stands off the object."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from calib.types import Bools
from fusion.categories import Kind
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found, frames_said
from fusion.checks.rule import Limits, Need, rule

NAMES = ("front", "left side", "top", "back", "right side", "bottom")
LOOSE, LIMBS = {"gap_m": 0.4}, {"gap_m": 0.55}


@rule(
    "P4",
    "loose face",
    Severity.WARNING,
    chance=0.5,
    needs=[Need.SWEEPS],
    by_kind={Kind.PEDESTRIAN: LIMBS, Kind.BICYCLE: LIMBS, Kind.TRUCK: LOOSE, Kind.BUS: LOOSE},
    gap_m=0.3,
    share=0.06,
    least_points=40,
    most_hidden=0.1,
)
def loose_face(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """A face that the LiDAR looks at is further from the nearest point of the object than it should be.

    Guides of labelling services ask for 0.20 m at most.
    """
    scanned = facts.scanned
    assert scanned is not None
    allowed_m = np.maximum(
        limits.of_boxes("gap_m", facts)[:, None], limits["share"] * np.tile(facts.boxes.sizes_lwh_m, 2)
    )
    beyond_m = np.where(towards_sensor(facts), scanned.reach_m - allowed_m, -np.inf)
    beams = scanned.before + scanned.inside + scanned.through
    hidden = scanned.before > limits["most_hidden"] * beams
    beyond_m[(scanned.standing < limits["least_points"]) | hidden] = -np.inf
    for rows in facts.episodes(beyond_m.max(axis=1) > 0):
        row, face = np.unravel_index(int(np.argmax(beyond_m[rows])), (len(rows), 6))
        worst = rows[row]
        gap_m = scanned.reach_m[worst, face]
        words = f"{NAMES[face]} is {gap_m:.2f} m off the points {frames_said(rows)}"
        yield boxes_found(facts, rows, words, value=gap_m, limit=allowed_m[worst, face])


def towards_sensor(facts: Facts) -> Bools:
    """(N, 6) which upright faces look at the main LiDAR: front, left, back and right, as in `NAMES`."""
    lidar = facts.log.rig.main_lidar
    origin = np.zeros(3) if lidar is None else lidar.ego_from_sensor.translation
    boxes = facts.boxes.dst_from_box
    eyes = np.einsum("nji,nj->ni", boxes.rotations, origin - boxes.translations)
    towards = np.hstack([eyes, -eyes]) > np.tile(facts.boxes.sizes_lwh_m / 2, 2)
    towards[:, [2, 5]] = False
    return np.asarray(towards)
