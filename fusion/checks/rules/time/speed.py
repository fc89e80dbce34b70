"""T5: faster, or harder on the brakes, than such a thing can be."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fusion.categories import Kind
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found, frames_said
from fusion.checks.rule import Limits, Need, rule


@rule(
    "T5",
    "impossible motion",
    Severity.WARNING,
    chance=0.7,
    needs=[Need.POSES],
    by_kind={
        Kind.PEDESTRIAN: {"most_mps": 6.0, "most_mps2": 8.0},
        Kind.BICYCLE: {"most_mps": 16.0},
        Kind.ANIMAL: {"most_mps": 16.0},
        Kind.CONE: {"most_mps": 1.0},
        Kind.BARRIER: {"most_mps": 1.0},
    },
    most_mps=60.0,
    most_mps2=12.0,
    least_others=4,
    leap_m=0.5,
)
def speed(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Speed and acceleration over half a second; where boxes leap, neither is known (T11, T14, T15)."""
    motion = facts.motion
    most_mps, most_mps2 = limits.of_boxes("most_mps", facts), limits.of_boxes("most_mps2", facts)
    known = (motion.others >= limits["least_others"]) & ~facts.beside_steps(limits["leap_m"])
    fast = known & (motion.speed_mps > most_mps)
    for rows in facts.episodes(fast):
        worst = float(motion.speed_mps[rows].max())
        words = f"goes at {worst:.1f} m/s {frames_said(rows)}"
        yield boxes_found(facts, rows, words, value=worst, limit=most_mps[rows[0]])
    hard = known & ~fast & (np.abs(motion.acceleration_mps2) > most_mps2)
    for rows in facts.episodes(hard):
        worst = float(np.abs(motion.acceleration_mps2[rows]).max())
        words = f"speeds up or brakes with {worst:.0f} m/s² {frames_said(rows)}"
        yield boxes_found(facts, rows, words, value=worst, limit=most_mps2[rows[0]])
