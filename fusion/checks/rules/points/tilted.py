"""P7: a box that leans."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found, degrees, frames_said
from fusion.checks.rule import Limits, rule


@rule("P7", "leaning box", Severity.WARNING, chance=0.8, tilt_deg=12.0)
def tilted(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Its upward axis leans more than roads do."""
    tilts_rad = np.arccos(np.clip(facts.boxes.dst_from_box.rotations[:, 2, 2], -1, 1))
    most_rad = np.radians(limits.of_boxes("tilt_deg", facts))
    for rows in facts.episodes(tilts_rad > most_rad):
        worst = float(tilts_rad[rows].max())
        words = f"leans by {degrees(worst)} {frames_said(rows)}"
        yield boxes_found(facts, rows, words, value=np.degrees(worst), limit=limits["tilt_deg"])
