"""T4: a vehicle that points elsewhere than it drives."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from calib.se3 import SE3
from fusion.boxes import Box3D
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found, degrees, frames_said, put
from fusion.checks.rule import Limits, Need, rule

FLIP_RAD = np.radians(120.0)


@rule(
    "T4",
    "heading against motion",
    Severity.WARNING,
    chance=0.8,
    needs=[Need.POSES],
    speed_mps=2.0,
    off_deg=20.0,
    least_frames=2,
    leap_m=0.5,
)
def heading(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """What has wheels goes along its own length, but for tight turns and slow backing up."""
    motion = facts.motion
    off_rad = np.abs((facts.world.dst_from_box.yaws_rad - motion.course_rad + np.pi) % (2 * np.pi) - np.pi)
    fast = facts.wheeled & (motion.speed_mps > limits["speed_mps"]) & (motion.others >= 2)
    fast &= ~facts.beside_steps(limits["leap_m"])
    bent_rad = np.abs(motion.turn_rps) * 0.5
    for rows in facts.episodes(fast & (off_rad - bent_rad > np.radians(limits["off_deg"]))):
        # One leap is told by T2; a whole track that is turned round, only here.
        middle = float(np.median(off_rad[rows]))
        if len(rows) < limits["least_frames"]:
            continue
        flipped = middle > FLIP_RAD
        words = (
            f"drives backwards {frames_said(rows)}"
            if flipped
            else f"points {degrees(middle)} off its way {frames_said(rows)}"
        )
        boxes = [_turned_round(facts.annotations[row].box) for row in rows]
        fix = put(facts, rows, boxes, "Turn boxes round") if flipped else None
        yield boxes_found(facts, rows, words, value=np.degrees(middle), limit=limits["off_deg"], fix=fix)


def _turned_round(box: Box3D) -> Box3D:
    half_turn = SE3.from_yaw(np.pi, np.zeros(3))
    ego_from_turned = box.ego_from_box @ half_turn
    return Box3D(ego_from_turned, box.length_m, box.width_m, box.height_m)
