"""T6: a vehicle that drifts sideways."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found, frames_said
from fusion.checks.rule import Limits, Need, rule


@rule(
    "T6",
    "side slip",
    Severity.INFO,
    chance=0.4,
    needs=[Need.POSES],
    slip_mps=0.8,
    share=0.15,
    least_frames=4,
    least_others=4,
    leap_m=0.5,
)
def side_slip(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """What has wheels moves sideways faster than 0.8 m/s and a share of its speed, for several frames."""
    motion, yaws_rad = facts.motion, facts.world.dst_from_box.yaws_rad
    across = -np.sin(yaws_rad) * motion.velocity_mps[:, 0] + np.cos(yaws_rad) * motion.velocity_mps[:, 1]
    along = np.cos(yaws_rad) * motion.velocity_mps[:, 0] + np.sin(yaws_rad) * motion.velocity_mps[:, 1]
    # The axle that does not slip may lie half a length behind the middle.
    swing_mps = np.abs(motion.turn_rps) * facts.boxes.sizes_lwh_m[:, 0] / 2
    allowed = np.maximum(limits["slip_mps"], limits["share"] * motion.speed_mps) + swing_mps
    slips = facts.wheeled & (np.abs(across) > allowed) & (np.abs(along) > np.abs(across))
    slips &= ~facts.beside_steps(limits["leap_m"])
    slips &= motion.others >= limits["least_others"]
    for rows in facts.episodes(slips):
        if len(rows) >= limits["least_frames"]:
            worst = float(np.abs(across[rows]).max())
            words = f"slips sideways at {worst:.1f} m/s {frames_said(rows)}"
            yield boxes_found(facts, rows, words, value=worst, limit=float(allowed[rows].min()))
