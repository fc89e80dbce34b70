"""The points of several frames put together, where they are in the world or on the selected object."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from calib.se3 import SE3
from calib.types import F32, U8
from fusion.boxes import Box3D
from fusion.labels import Track
from fusion.log import DriveLog
from fusion.overlap import points_in_box
from viewer.frames.cache import Cloud, FrameCache
from viewer.scene.colours import ColourBy, colours_of, dimmed

REACH = 10
AROUND_M = 0.3


class Merge(StrEnum):
    """Which frames are shown together."""

    NONE = "one frame"
    WORLD = "merged in the world"
    OBJECT = "merged on the object"


def merged(
    log: DriveLog, cache: FrameCache, frame: int, merge: Merge, track: Track | None, by: ColourBy
) -> tuple[F32, U8]:
    """(N, 3) points of the frames around one in its ego frame, and their (N, 4) colours.

    In the world what stands still gets sharp; on the object what moves with the boxes of a track does: a
    check of calibration, poses and boxes at a glance. Frames that are not read yet are begun and left out.
    """
    points, colours = [np.zeros((0, 3), np.float32)], [np.zeros((0, 4), np.uint8)]
    for other in range(max(frame - REACH, 0), min(frame + REACH + 1, len(log))):
        there = cache.get(other)
        if other == frame or there is None or not log.trajectory.covers(int(log.timestamps_ns[other])):
            continue
        kept = _placed(log, there.cloud, frame, other, merge, track)
        if kept is not None:
            placed, rows = kept
            points.append(placed)
            colours.append(dimmed(colours_of(there.cloud, by), there.cloud.on_ground)[rows])
    return np.concatenate(points), np.concatenate(colours)


def _placed(
    log: DriveLog, cloud: Cloud, frame: int, other: int, merge: Merge, track: Track | None
) -> tuple[F32, np.ndarray] | None:
    """The points of another frame where they belong in this one, and which of the cloud they are."""
    now_ns, then_ns = int(log.timestamps_ns[frame]), int(log.timestamps_ns[other])
    if merge is Merge.WORLD:
        ego_from_world = log.trajectory.at(now_ns).inverse()
        world_from_ego_at_then = log.trajectory.at(then_ns)
        ego_from_ego_at_then = ego_from_world @ world_from_ego_at_then
        return _moved(ego_from_ego_at_then, cloud, ~cloud.on_ground)
    if track is None or now_ns not in track.annotations or then_ns not in track.annotations:
        return None
    now, then = track.annotations[now_ns].box, track.annotations[then_ns].box
    box_from_ego_at_then = then.ego_from_box.inverse()
    ego_from_ego_at_then = now.ego_from_box @ box_from_ego_at_then
    around = Box3D(then.ego_from_box, *(float(size) + 2 * AROUND_M for size in then.size_lwh_m))
    return _moved(ego_from_ego_at_then, cloud, points_in_box(cloud.points, around) & ~cloud.on_ground)


def _moved(new_from_old: SE3, cloud: Cloud, rows: np.ndarray) -> tuple[F32, np.ndarray]:
    return new_from_old.cloud(cloud.points[rows]), rows
