"""T13: an object that is there for a moment only."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import track_found
from fusion.checks.rule import Limits, rule


@rule("T13", "very short track", Severity.INFO, chance=0.3, whole=True, least_frames=3, range_m=50.0)
def short_track(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Near the car, in the middle of the log, things do not come and go within two frames."""
    labelled = np.unique(facts.frames[facts.frames >= 0])
    if len(labelled) <= 2 * limits["least_frames"]:
        return
    for track in range(len(facts.tracks)):
        rows = facts.rows(track)
        count, frames = rows.stop - rows.start, facts.frames[rows]
        inside = count > 0 and frames[0] > labelled[0] and frames[-1] < labelled[-1]
        if inside and count < limits["least_frames"] and facts.away_m[rows].min() < limits["range_m"]:
            many = "1 frame" if count == 1 else f"{count} frames"
            yield track_found(
                facts, track, f"is there in {many} only", value=count, limit=limits["least_frames"]
            )
