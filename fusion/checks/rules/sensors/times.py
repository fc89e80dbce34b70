"""K3: images without times of their own. K4: images far in time from what the LiDAR saw of their view."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fusion.beam import view_offset_ns
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.rule import Limits, Need, rule

REPAIR_S = 60.0
ENOUGH = 10


@rule("K3", "images share the time of the sweep", Severity.INFO, chance=0.7, needs=[Need.POSES], share=0.95)
def shared_times(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Every image has just the time of a frame, which no free-running camera does.

    One ego pose for all sensors costs 10 to 40 px at driving speed.
    """
    log = facts.log
    frames = set(log.timestamps_ns.tolist())
    for camera, images in log.images.items():
        same = sum(image.timestamp_ns in frames for image in images)
        if len(images) >= ENOUGH and same >= limits["share"] * len(images) and len(log) >= ENOUGH:
            words = f"{camera}: {same} of {len(images)} images have just the time of a frame: not their own"
            yield Finding("", Severity.INFO, words, REPAIR_S, camera=camera, value=same / len(images))


@rule("K4", "image and sweep apart", Severity.WARNING, chance=0.6, most_ms=50.0)
def apart(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """The nearest image of a camera was taken long before or after the beam passed its view."""
    log = facts.log
    for camera, images in log.images.items():
        if not images or camera not in log.rig.cameras or len(log) == 0:
            continue
        passed_ns = log.timestamps_ns + view_offset_ns(log, camera)
        taken_ns = np.array([image.timestamp_ns for image in images], dtype=np.int64)
        after = np.clip(np.searchsorted(taken_ns, passed_ns), 1, max(len(taken_ns) - 1, 1))
        near = [taken_ns[np.minimum(after, len(taken_ns) - 1)], taken_ns[after - 1]]
        gap_ms = float(np.median(np.min([np.abs(some - passed_ns) for some in near], axis=0))) / 1e6
        if gap_ms > limits["most_ms"]:
            words = f"{camera}: its images are {gap_ms:.0f} ms away from when the LiDAR passes its view"
            yield Finding(
                "", Severity.INFO, words, REPAIR_S, camera=camera, value=gap_ms, limit=limits["most_ms"]
            )
