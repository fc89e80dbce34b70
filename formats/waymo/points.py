"""Range images to points.

Row h of W columns looks along an elevation, column w along the azimuth `pi - (w + 1/2) * 2 pi / W`, less that
of the sensor's own x axis. The car's pose is given for every pixel of the upper LiDAR: its points are taken
to where the car at the instant of the frame would see them. The others are published that way.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from calib.se3 import SE3
from calib.types import F32, F64, I32
from formats.errors import FormatError
from formats.waymo.component import FRAME, LASER, Component
from formats.waymo.folder import component_file
from formats.waymo.rig import LIDARS, inclinations_rad
from fusion.sweep import Sweep

RETURNS = ("range_image_return1", "range_image_return2")
MOST_PIXELS, LEAST_CHANNELS, POSE_CHANNELS = 4_000_000, 3, 6
FARTHEST_M = 1e4
TOP = 1


def read_sweep(
    root: Path, log_id: str, laser: int, row: int, timestamp_ns: int, world_from_ego: SE3, ego_from_lidar: SE3
) -> Sweep:
    """The points of both returns of one LiDAR in one frame, in its own frame.

    Args:
        root: folder of the components.
        log_id: name of the segment.
        laser: number of the LiDAR.
        row: of its range images in the component `lidar`.
        timestamp_ns: of the frame.
        world_from_ego: pose of the car at the frame.
        ego_from_lidar: pose of the LiDAR on the car.

    Raises:
        FormatError: something is missing or malformed.
    """
    table = Component(component_file(root, "lidar", log_id), "LiDARComponent")
    columns = [table.column(f"{name}.{part}") for name in RETURNS for part in ("values", "shape")]
    values = table.row(row, [*columns, LASER, FRAME])
    if (values[LASER].as_py(), values[FRAME].as_py()) != (laser, timestamp_ns // 1000):
        raise FormatError(table.path, f"row {row}", "is of another LiDAR or frame than before")
    images = [_image(table, row, values, name, LEAST_CHANNELS) for name in RETURNS]
    shown = [image for image in images if image is not None]
    poses = _pixel_poses(root, log_id, timestamp_ns, laser)
    parts = [_points(root, log_id, laser, image, poses, world_from_ego, ego_from_lidar) for image in shown]
    none = (np.empty((0, 3)), np.empty(0, dtype=np.float32), np.empty(0, dtype=np.int32))
    points, intensity, ring = zip(none, *parts, strict=True)
    return Sweep(
        LIDARS[laser],
        timestamp_ns,
        np.concatenate(points).astype(np.float32),
        np.concatenate(intensity),
        np.concatenate(ring),
        stamps="start",
        deskewed=True,
    )


def _points(
    root: Path,
    log_id: str,
    laser: int,
    image: F32,
    poses: F32 | None,
    world_from_ego: SE3,
    ego_from_lidar: SE3,
) -> tuple[F64, F32, I32]:
    """Points, intensities and rows of the pixels that hold a range."""
    beams, columns = image.shape[:2]
    elevation_rad = _elevations_rad(root, log_id, laser, beams)
    forward = ego_from_lidar.rotation[:, 0]
    turned_rad = np.arctan2(forward[1], forward[0])
    azimuth_rad = np.pi - (np.arange(columns) + 0.5) * (2 * np.pi / columns) - turned_rad
    with np.errstate(invalid="ignore"):
        ring, column = np.nonzero((image[:, :, 0] > 0) & (image[:, :, 0] < FARTHEST_M))
    range_m = image[ring, column, 0].astype(np.float64)
    flat_m = range_m * np.cos(elevation_rad[ring])
    up_m = range_m * np.sin(elevation_rad[ring])
    azimuth = azimuth_rad[column]
    points = np.column_stack([flat_m * np.cos(azimuth), flat_m * np.sin(azimuth), up_m])
    if poses is not None:
        if poses.shape[:2] != image.shape[:2]:
            raise FormatError(root, log_id, "the poses of pixels are of another size than the range image")
        ego_from_world = world_from_ego.inverse()
        with np.errstate(invalid="ignore"):
            pixel_poses = poses[ring, column].astype(np.float64)
        points_world = _posed(pixel_poses, ego_from_lidar @ points)
        points = ego_from_lidar.inverse() @ (ego_from_world @ points_world)
    known = np.isfinite(points).all(axis=1)
    return points[known], image[ring, column, 1][known], ring[known].astype(np.int32)


def _posed(poses: F64, points: F64) -> F64:
    """Points moved by poses of roll, pitch, yaw (turns about x, then y, then z), x, y, z."""
    (sr, sp, sy), (cr, cp, cy) = np.sin(poses[:, :3].T), np.cos(poses[:, :3].T)
    x, y, z = points.T
    y, z = cr * y - sr * z, sr * y + cr * z
    x, z = cp * x + sp * z, cp * z - sp * x
    x, y = cy * x - sy * y, sy * x + cy * y
    return np.column_stack([x, y, z]) + poses[:, 3:]


def _elevations_rad(root: Path, log_id: str, laser: int, beams: int) -> F64:
    table = Component(component_file(root, "lidar_calibration", log_id), "LiDARCalibrationComponent")
    rows = np.flatnonzero(table.whole(LASER) == laser)
    if len(rows) != 1:
        raise FormatError(table.path, "", f"needs one calibration of LiDAR {laser}, not {len(rows)}")
    return inclinations_rad(table, int(rows[0]), beams)


def _pixel_poses(root: Path, log_id: str, timestamp_ns: int, laser: int) -> F32 | None:
    """(H, W, 6) roll, pitch, yaw, x, y, z of the car at every pixel; None where there are none."""
    file = component_file(root, "lidar_pose", log_id)
    if laser != TOP or not file.is_file():
        return None
    table = Component(file, "LiDARPoseComponent")
    rows = np.flatnonzero((table.frames_ns() == timestamp_ns) & (table.whole(LASER) == laser))
    if not len(rows):
        return None
    row = int(rows[0])
    names = [table.column(f"{RETURNS[0]}.{part}") for part in ("values", "shape")]
    return _image(table, row, table.row(row, names), RETURNS[0], POSE_CHANNELS)


def _image(table: Component, row: int, values: Mapping[str, Any], name: str, channels: int) -> F32 | None:
    """(H, W, C) numbers of a range image; None where it has none."""
    where = f"row {row}, {name}"
    size = values[table.column(f"{name}.shape")].as_py()
    if size is None:
        return None
    whole = isinstance(size, list) and len(size) == 3 and all(type(side) is int for side in size)
    if not whole or min(size) < 1 or size[2] < channels or np.prod(size, dtype=float) > 8 * MOST_PIXELS:
        raise FormatError(table.path, where, f"a range image cannot be of shape {str(size)[:60]}")
    pixels = np.asarray(values[table.column(f"{name}.values")].values)
    if pixels.dtype.kind != "f" or len(pixels) != size[0] * size[1] * size[2]:
        raise FormatError(table.path, where, f"{len(pixels)} numbers for a range image of shape {size}")
    return pixels.astype(np.float32).reshape(size)
