"""T2: a heading that leaps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fusion.categories import Kind
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found, degrees, frames_said
from fusion.checks.rule import Limits, rule

FREE = {"turn_deg": 60.0}


@rule(
    "T2",
    "heading leaps",
    Severity.WARNING,
    chance=0.8,
    by_kind={Kind.PEDESTRIAN: FREE, Kind.ANIMAL: FREE, Kind.CONE: {"turn_deg": 1e9}},
    turn_deg=12.0,
    least_others=2,
)
def yaw_jump(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """The boxes before and after it agree on another heading."""
    turned_rad = np.abs(facts.motion.turned_rad)
    most_rad = np.radians(limits.of_boxes("turn_deg", facts))
    jumps = (turned_rad > most_rad) & (facts.motion.others >= limits["least_others"])
    for rows in facts.episodes(jumps, gap=1):
        worst = rows[np.argmax(turned_rad[rows])]
        words = f"heading leaps by {degrees(turned_rad[worst])} {frames_said(rows)}"
        yield boxes_found(
            facts, rows, words, value=np.degrees(turned_rad[worst]), limit=np.degrees(most_rad[worst])
        )
