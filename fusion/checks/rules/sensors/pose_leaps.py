"""K6: everything steps aside at once, so that it is the car that is placed wrong."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fusion.checks.facts import Facts
from fusion.checks.facts.motion import SEAM_ROWS
from fusion.checks.finding import Finding, Severity
from fusion.checks.rule import Limits, Need, rule

REPAIR_S = 20.0
# Smaller than this share of a leap close by, it is what the lines through that one leave behind.
ECHO = 0.6


@rule("K6", "the car's pose leaps", Severity.WARNING, chance=0.8, needs=[Need.POSES], least_m=0.2)
def pose_leaps(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Most objects of a frame step by the same way: a wrong pose, a wrong time of a sweep, a lost frame."""
    sizes_m = {frame: float(np.linalg.norm(leap.step_m)) for frame, leap in facts.leaps.items()}
    places = {frame: place for place, frame in enumerate(facts.by_frame)}
    for frame, leap in facts.leaps.items():
        size_m = sizes_m[frame]
        near = (other for other in sizes_m if abs(places[other] - places[frame]) < SEAM_ROWS)
        echo = any(size_m < ECHO * sizes_m[other] for other in near)
        if size_m > limits["least_m"] and not echo:
            yield Finding(
                rule="",
                severity=Severity.INFO,
                words=(
                    f"{leap.together} of {leap.objects} objects step {size_m:.2f} m together: "
                    "the pose of the car or the time of the sweep is wrong, not the boxes"
                ),
                repair_s=REPAIR_S,
                timestamps_ns=(int(facts.log.timestamps_ns[frame]),),
                value=size_m,
                limit=limits["least_m"],
            )
