"""Boxes between key frames: they follow when a key frame changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from calib.se3 import SE3, SE3Batch
from calib.types import F64
from fusion.boxes import Box3D
from fusion.labels import Annotation, Source, Track
from fusion.log import DriveLog
from fusion.trajectory import Trajectory


def is_keyframe(annotation: Annotation) -> bool:
    """Whether a person or a file stands behind a box, so that nothing may move it by itself."""
    return annotation.locked or annotation.source in (Source.HUMAN, Source.IMPORTED)


def between_keyframes(log: DriveLog, track: Track, time_ns: int) -> list[Annotation]:
    """The interpolated boxes next to a key frame as they should be: on a straight line through the world.

    They reach from the key frame before to the one after. Frames without a box stay without one.
    """
    keys = np.array([t for t, a in track.annotations.items() if is_keyframe(a)], dtype=np.int64)
    at = int(np.searchsorted(keys, time_ns))
    first, last = int(keys[max(at - 1, 0)]), int(keys[min(at + 1, len(keys) - 1)])
    found: list[Annotation] = []
    for t, annotation in track.annotations.items():
        if first < t < last and annotation.source is Source.INTERPOLATED and not annotation.locked:
            after = int(keys[np.searchsorted(keys, t)])
            before = int(keys[np.searchsorted(keys, t) - 1])
            found.append(replace(annotation, box=box_between(log, track, before, after, t)))
    return found


def box_between(log: DriveLog, track: Track, before_ns: int, after_ns: int, time_ns: int) -> Box3D:
    """The box on the straight line between two of a track's, at an instant in between."""
    early, late = track.annotations[before_ns].box, track.annotations[after_ns].box
    ends: list[SE3] = []
    for t, box in ((before_ns, early), (after_ns, late)):
        world_from_ego = log.trajectory.at(t)
        ends.append(world_from_ego @ box.ego_from_box)
    way = Trajectory(np.array([before_ns, after_ns]), SE3Batch.stack(ends))
    ego_from_world, world_from_box = log.trajectory.at(time_ns).inverse(), way.at(time_ns)
    share = (time_ns - before_ns) / (after_ns - before_ns)
    size: F64 = (1 - share) * early.size_lwh_m + share * late.size_lwh_m
    return Box3D(ego_from_world @ world_from_box, *(float(value) for value in size))
