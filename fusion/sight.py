"""What the cameras of a log really see of a sweep, each image at its own instant."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from calib.project import VisiblePoints
from calib.se3 import SE3
from calib.sight import BeamSpacing, View, colour_points, measure_spacing, only_visible
from calib.types import I32, U8
from fusion.align import cam_at_shot_from_ego, cloud_in_image, read_deskewed
from fusion.log import DriveLog, ImageRef
from fusion.sweep import Sweep


def cloud_seen_in_image(log: DriveLog, sweep: Sweep, image: ImageRef) -> VisiblePoints:
    """The points of a deskewed sweep that an image shows: within its borders, and hidden by nothing.

    Raises:
        TimeRangeError: an instant is outside of the trajectory.
    """
    ego_from_lidar = log.rig.lidars[sweep.lidar].ego_from_sensor
    cam_from_lidar = cam_at_shot_from_ego(log, image, sweep.timestamp_ns) @ ego_from_lidar
    spacing = _spacing(log, sweep.lidar, image.camera) or _measured(sweep, cam_from_lidar)
    return only_visible(sweep.points, cloud_in_image(log, sweep, image), cam_from_lidar, spacing)


def colour_cloud(log: DriveLog, sweep: Sweep, images: Sequence[ImageRef]) -> tuple[U8, I32]:
    """Colours of the points of a deskewed sweep, each from the image that shows it best.

    Returns:
        (N, 3) uint8 RGB, grey where no image shows the point; and (N,) int32 which of the images, -1: none.

    Raises:
        CalibrationError: an image is of another size than its camera.
        TimeRangeError: an instant is outside of the trajectory.
    """
    models = [log.rig.cameras[image.camera].model for image in images]
    views = [
        View(image.read(), model, cloud_seen_in_image(log, sweep, image))
        for image, model in zip(images, models, strict=True)
    ]
    return colour_points(len(sweep), views)


@lru_cache(maxsize=64)
def _spacing(log: DriveLog, lidar: str, camera: str) -> BeamSpacing | None:
    """The beams of a LiDAR as seen from a camera, measured on the first sweep of the log, if there is one."""
    refs = log.sweeps.get(lidar, ())
    if not refs:
        return None
    cam_from_lidar = log.rig.cameras[camera].ego_from_sensor.inverse() @ log.rig.lidars[lidar].ego_from_sensor
    return _measured(read_deskewed(log, refs[0]), cam_from_lidar)


def _measured(sweep: Sweep, cam_from_lidar: SE3) -> BeamSpacing:
    return measure_spacing(sweep.points, cam_from_lidar.inverse().translation)
