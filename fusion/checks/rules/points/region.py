"""P12: a box outside of the region that a project labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found, frames_said, remove
from fusion.checks.rule import Limits, rule


@rule(
    "P12",
    "outside of the region",
    Severity.WARNING,
    chance=0.95,
    farthest_m=1e6,
    ahead_m=1e6,
    behind_m=1e6,
    beside_m=1e6,
    highest_m=1e6,
    lowest_m=-1e6,
)
def outside(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """The project labels only so far around the car, and in such heights; everywhere unless it says so."""
    x, y, z = facts.boxes.dst_from_box.translations.T
    wrong = (facts.away_m > limits["farthest_m"]) | (x > limits["ahead_m"]) | (-x > limits["behind_m"])
    wrong |= (np.abs(y) > limits["beside_m"]) | (z > limits["highest_m"]) | (z < limits["lowest_m"])
    for rows in facts.episodes(wrong):
        worst = rows[np.argmax(facts.away_m[rows])]
        words = f"({x[worst]:.0f}, {y[worst]:.0f}) m from the car, {z[worst]:.1f} m up {frames_said(rows)}"
        yield boxes_found(facts, rows, words, fix=remove(facts, rows, "Remove boxes outside of the region"))
