"""From a click in an image to a place in 3D."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.errors import CrosslabelError
from calib.project import VisiblePoints
from calib.types import F64
from fusion.log import DriveLog, ImageRef
from viewer.frames.frame import Cloud
from viewer.scene.views import Ray

NEAR_PX, LONG_M, FARTHEST_M = 12.0, 60.0, 150.0


@dataclass(frozen=True, eq=False, slots=True)
class Sightline:
    """What lies under a pixel of an image, in the ego frame of the frame that is shown.

    Attributes:
        frame: its number.
        eye: (3,) where the camera was.
        end: (3,) up to where the line is drawn.
        meets: whether something is seen there.
    """

    frame: int
    eye: F64
    end: F64
    meets: bool


def cast(
    log: DriveLog,
    frame: int,
    image: ImageRef,
    uv_px: tuple[float, float],
    cloud: Cloud,
    seen: VisiblePoints | None,
) -> Sightline | None:
    """The line of sight through a pixel, up to the first point that the image shows near it.

    Where there is none it ends on the ground, and where it does not meet that, somewhere. It starts where
    the camera was as the row of the pixel was exposed.

    Args:
        log: with the camera.
        frame: in whose ego frame the line is wanted.
        image: that was clicked in.
        uv_px: where.
        cloud: the points of the frame.
        seen: which of them the image shows, where anybody can say.
    """
    ray = ray_of(log, int(log.timestamps_ns[frame]), image, uv_px)
    if ray is None:
        return None
    if seen is not None and len(seen.index):
        away_px = np.hypot(*(seen.uv_px - np.array(uv_px)).T)
        near = np.flatnonzero(away_px <= NEAR_PX)
        if len(near):
            first = near[np.argmin(seen.depth_m[near])]
            return Sightline(frame, ray.origin, cloud.points[seen.index[first]].astype(np.float64), True)
    level_m = _ground_m(cloud, ray)
    ground = ray.at_height(level_m)
    if ground is not None and np.linalg.norm(ground - ray.origin) <= FARTHEST_M:
        return Sightline(frame, ray.origin, ground, True)
    return Sightline(frame, ray.origin, ray.origin + LONG_M * ray.direction, False)


def ray_of(log: DriveLog, frame_ns: int, image: ImageRef, uv_px: tuple[float, float]) -> Ray | None:
    """The ray of a pixel in the ego frame of a frame; None where the lens shows nothing there."""
    camera = log.rig.cameras[image.camera]
    (direction_cam,) = camera.model.ray(np.array([uv_px]))
    if not np.isfinite(direction_cam).all():
        return None
    shot_ns = image.timestamp_ns + int(camera.row_offset_ns(np.array([uv_px]))[0])
    shot_ns = int(np.clip(shot_ns, log.trajectory.start_ns, log.trajectory.end_ns))
    try:
        ego_from_world = log.trajectory.at(frame_ns).inverse()
    except CrosslabelError:
        return None
    world_from_ego_at_shot = log.trajectory.at(shot_ns)
    ego_from_ego_at_shot = ego_from_world @ world_from_ego_at_shot
    ego_from_cam_at_shot = ego_from_ego_at_shot @ camera.ego_from_sensor
    return Ray(ego_from_cam_at_shot.translation, ego_from_cam_at_shot.rotate(direction_cam))


def _ground_m(cloud: Cloud, ray: Ray) -> float:
    """How high the ground is about where a ray meets it."""
    level = ray.at_height(0.0)
    if cloud.ground is None or level is None:
        return 0.0
    height_m = float(cloud.ground.height_at(level[None, :2])[0])
    return height_m if np.isfinite(height_m) else 0.0
