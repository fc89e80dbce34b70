"""Labels and clouds at a camera's own instant.

The car moves between the instant of a sweep and the exposure of an image, so what stands still in the
world moves in the ego frame: every function here goes through the trajectory.
"""

from __future__ import annotations

import numpy as np

from calib.project import VisiblePoints, project_cloud
from calib.se3 import SE3
from calib.types import F32
from fusion.boxes import Box3D
from fusion.labels import Track
from fusion.log import DriveLog, ImageRef, SweepRef
from fusion.sweep import Sweep, deskew


def read_deskewed(log: DriveLog, ref: SweepRef) -> Sweep:
    """Reads a sweep and moves its points to the sweep's own instant where that is still to be done."""
    ego_from_lidar = log.rig.lidars[ref.lidar].ego_from_sensor
    return deskew(ref.read(), ego_from_lidar, log.trajectory)


def points_in_ego(log: DriveLog, sweep: Sweep) -> F32:
    """(N, 3) float32 points of a sweep in the ego frame of the sweep's instant."""
    ego_from_lidar = log.rig.lidars[sweep.lidar].ego_from_sensor
    return (ego_from_lidar @ sweep.points).astype(np.float32)


def ego_at_shot_from_ego_at_frame(log: DriveLog, shot_ns: int, frame_ns: int) -> SE3:
    """Takes what stands still from the car's frame at one instant to its frame at another.

    Raises:
        TimeRangeError: an instant is outside of the trajectory.
    """
    if shot_ns == frame_ns:
        return SE3.identity()
    world_from_ego_at_shot, world_from_ego_at_frame = log.trajectory.at(shot_ns), log.trajectory.at(frame_ns)
    return world_from_ego_at_shot.inverse() @ world_from_ego_at_frame


def cam_at_shot_from_ego(log: DriveLog, image: ImageRef, frame_ns: int) -> SE3:
    """From the ego frame of a log's frame to the camera at the instant it took the image."""
    ego_from_cam = log.rig.cameras[image.camera].ego_from_sensor
    return ego_from_cam.inverse() @ ego_at_shot_from_ego_at_frame(log, image.timestamp_ns, frame_ns)


LONGEST_GAP_NS = 600_000_000
LONGEST_OVERHANG_NS = 150_000_000


def box_at(log: DriveLog, track: Track, timestamp_ns: int) -> Box3D | None:
    """The box of a track at any instant, in the ego frame of that instant.

    Between two annotations at most 0.6 s apart the box moves evenly in the world; up to 0.15 s before the
    first and after the last it goes on as it did. None elsewhere.
    """
    times = np.fromiter(track.annotations, dtype=np.int64, count=len(track.annotations))
    if len(times) == 0:
        return None
    after = int(np.searchsorted(times, timestamp_ns))
    if after < len(times) and times[after] == timestamp_ns:
        return track.annotations[timestamp_ns].box
    late = min(max(after, 1), len(times) - 1)
    first_ns, second_ns = int(times[max(late - 1, 0)]), int(times[late])
    overhang_ns = max(int(times[0]) - timestamp_ns, timestamp_ns - int(times[-1]), 0)
    if overhang_ns > LONGEST_OVERHANG_NS or (overhang_ns == 0 and second_ns - first_ns > LONGEST_GAP_NS):
        return None
    return _moved_evenly(log, track, first_ns, second_ns, timestamp_ns)


def _moved_evenly(log: DriveLog, track: Track, first_ns: int, second_ns: int, timestamp_ns: int) -> Box3D:
    first, second = track.annotations[first_ns].box, track.annotations[second_ns].box
    world_from_box_at_first = log.trajectory.at(first_ns) @ first.ego_from_box
    world_from_box_at_second = log.trajectory.at(second_ns) @ second.ego_from_box
    fraction = 0.0 if second_ns == first_ns else (timestamp_ns - first_ns) / (second_ns - first_ns)
    place = world_from_box_at_first.translation + fraction * (
        world_from_box_at_second.translation - world_from_box_at_first.translation
    )
    turn_rad = world_from_box_at_second.yaw_rad - world_from_box_at_first.yaw_rad
    turn_rad = (turn_rad + np.pi) % (2 * np.pi) - np.pi
    nearer = first if fraction < 0.5 else second
    world_from_box_at_nearer = world_from_box_at_first if fraction < 0.5 else world_from_box_at_second
    turned_by_rad = turn_rad * (fraction if fraction < 0.5 else fraction - 1)
    rotation = SE3.from_yaw(turned_by_rad).rotation @ world_from_box_at_nearer.rotation
    world_from_box = SE3(rotation, place)
    ego_from_world = log.trajectory.at(timestamp_ns).inverse()
    return Box3D(ego_from_world @ world_from_box, *(float(v) for v in nearer.size_lwh_m))


def cloud_in_image(log: DriveLog, sweep: Sweep, image: ImageRef) -> VisiblePoints:
    """The points of a deskewed sweep in an image, taken to the image's own instant."""
    cam_from_ego = cam_at_shot_from_ego(log, image, sweep.timestamp_ns)
    ego_from_lidar = log.rig.lidars[sweep.lidar].ego_from_sensor
    cam_from_lidar = cam_from_ego @ ego_from_lidar
    return project_cloud(sweep.points, [log.rig.cameras[image.camera].model], [cam_from_lidar])[0]
