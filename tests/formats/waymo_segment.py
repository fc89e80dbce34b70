"""A segment as the schemas of Waymo Open v2 have it: no real one may be passed on, so it is made here.

Names and types of columns are those that the components of `waymo_open_dataset.v2` write.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from calib import SE3

SEGMENT = "10485926982439064520_4980_000_5000_000"
START_US, FRAME_US = 1_543_251_275_838_479, 99_968
FRAMES = 4
BEAMS, COLUMNS = 16, 360
# Camera 1 reads out to the right, camera 4 downwards.
CAMERAS = {1: (0.0, 2), 4: (np.pi / 2, 1)}
LASERS = {1: (0.35, (1.43, 0.0, 2.18)), 2: (-0.1, (4.07, 0.0, 0.69))}
SHUTTER_S, READOUT_S, AFTER_TRIGGER_S = 0.004, 0.045, 0.02
WALL_M = 20.0
CAR, WALKER, DRAWN = "SBYvHrmX8kfxyTZ2ZPZYkw", "walker-1", "0171c02b"
WIDTH_PX, HEIGHT_PX = 192, 128


@dataclass(frozen=True)
class Truth:
    """What the segment shows: a car on a bend within four walls that stand."""

    def world_from_ego(self, seconds: float) -> SE3:
        yaw_rad = 0.4 + 0.3 * seconds
        return SE3.from_yaw(yaw_rad, (-1200 + 9 * seconds, 3400 + 2 * seconds, 30.0))

    def frame_s(self, frame: int) -> float:
        return frame * FRAME_US / 1e6


TRUTH = Truth()


def frame_us(frame: int) -> int:
    return START_US + frame * FRAME_US


def ego_from_lidar(laser: int) -> SE3:
    yaw_rad, place = LASERS[laser]
    return SE3.from_yaw(yaw_rad, place)


def inclinations(laser: int) -> np.ndarray:
    """From the lowest beam up; those of the upper LiDAR are listed, as they are not even."""
    if laser == 1:
        return np.linspace(-0.3, 0.04, BEAMS) ** 1 + 0.002 * np.sin(np.arange(BEAMS))
    return -1.5 + (np.arange(BEAMS) + 0.5) / BEAMS * 1.9


@cache
def range_image(laser: int, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """(H, W, 4) ranges to a wall around the place where the car is at frame 0, and (H, W, 6) poses."""
    elevation = inclinations(laser)[::-1, None]
    yaw_rad = LASERS[laser][0]
    azimuth = np.pi - (np.arange(COLUMNS) + 0.5) * 2 * np.pi / COLUMNS - yaw_rad
    image = np.zeros((BEAMS, COLUMNS, 4), np.float32)
    poses = np.zeros((BEAMS, COLUMNS, 6), np.float32)
    center = TRUTH.world_from_ego(0).translation
    for column in range(COLUMNS):
        seconds = TRUTH.frame_s(frame) + (column / COLUMNS * 0.1 if laser == 1 else 0.0)
        world_from_ego = TRUTH.world_from_ego(seconds)
        x, y, z = world_from_ego.translation
        poses[:, column] = [0, 0, world_from_ego.yaw_rad, x, y, z]
        world_from_lidar = world_from_ego @ ego_from_lidar(laser)
        flat = np.array([np.cos(azimuth[column]), np.sin(azimuth[column]), 0.0])
        ahead, here = world_from_lidar.rotate(flat), world_from_lidar.translation - center
        along = ahead[:2] @ here[:2]
        flat_m = -along + np.sqrt(along**2 - here[:2] @ here[:2] + WALL_M**2)
        image[:, column, 0] = flat_m / np.cos(elevation[:, 0])
    image[:, :, 1] = np.linspace(0, 1.5, COLUMNS)
    image[3, ::7, 0] = -1  # no return
    return image, poses


def make_waymo(folder: Path, row_group_size: int = 3) -> None:
    """Writes a segment into a folder of components."""
    for name, columns in components().items():
        file = folder / name / f"{SEGMENT}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        table = pa.table(
            {**{"key.segment_context_name": [SEGMENT] * len(next(iter(columns.values())))}, **columns}
        )
        parquet.write_table(table, file, row_group_size=row_group_size)


def components() -> dict[str, dict[str, Any]]:
    """The columns of every component."""
    return {
        "vehicle_pose": _vehicle_pose(),
        "lidar_calibration": _lidar_calibration(),
        "lidar": _lidar(),
        "lidar_pose": _lidar_pose(),
        "lidar_box": _lidar_box(),
        "camera_calibration": _camera_calibration(),
        "camera_image": _camera_image(),
        "camera_box": _camera_box(),
        "camera_to_lidar_box_association": _association(),
        "stats": _stats(),
    }


def _matrices(transforms: list[SE3]) -> pa.Array:
    return pa.array([t.matrix.ravel().tolist() for t in transforms], pa.list_(pa.float64(), 16))


def _vehicle_pose() -> dict[str, Any]:
    return {
        "key.frame_timestamp_micros": [frame_us(f) for f in range(FRAMES)],
        "[VehiclePoseComponent].world_from_vehicle.transform": _matrices(
            [TRUTH.world_from_ego(TRUTH.frame_s(f)) for f in range(FRAMES)]
        ),
    }


def _lidar_calibration() -> dict[str, Any]:
    prefix = "[LiDARCalibrationComponent]"
    return {
        "key.laser_name": pa.array([*LASERS], pa.int8()),
        f"{prefix}.extrinsic.transform": _matrices([ego_from_lidar(laser) for laser in LASERS]),
        f"{prefix}.beam_inclination.min": [-0.3, -1.5],
        f"{prefix}.beam_inclination.max": [0.04, 0.4],
        f"{prefix}.beam_inclination.values": pa.array(
            [inclinations(1).tolist(), None], pa.list_(pa.float64())
        ),
    }


def _images(images: list[np.ndarray], prefix: str) -> dict[str, Any]:
    return {
        f"{prefix}.values": pa.array([image.ravel() for image in images], pa.list_(pa.float32())),
        f"{prefix}.shape": pa.array([image.shape for image in images], pa.list_(pa.int32(), 3)),
    }


def _lidar() -> dict[str, Any]:
    keys = [(f, laser) for f in range(FRAMES) for laser in LASERS]
    first = [range_image(laser, f)[0] for f, laser in keys]
    second = [np.where(image > 0, image, 0) * (np.arange(COLUMNS)[:, None] % 50 == 0) for image in first]
    return {
        "key.frame_timestamp_micros": [frame_us(f) for f, _ in keys],
        "key.laser_name": pa.array([laser for _, laser in keys], pa.int8()),
        **_images(first, "[LiDARComponent].range_image_return1"),
        **_images(second, "[LiDARComponent].range_image_return2"),
    }


def _lidar_pose() -> dict[str, Any]:
    return {
        "key.frame_timestamp_micros": [frame_us(f) for f in range(FRAMES)],
        "key.laser_name": pa.array([1] * FRAMES, pa.int8()),
        **_images([range_image(1, f)[1] for f in range(FRAMES)], "[LiDARPoseComponent].range_image_return1"),
    }


def _lidar_box() -> dict[str, Any]:
    prefix, rows = "[LiDARBoxComponent]", [(f, id) for f in range(FRAMES) for id in (CAR, WALKER)]
    walks = [id == WALKER for _, id in rows]
    sizes = [(0.8, 0.7, 1.8) if walker else (4.5, 2.0, 1.6) for walker in walks]
    places = [(5.0, -3.0 + 0.1 * f, 0.9) if id == WALKER else (12.0 - f, 2.0, 0.8) for f, id in rows]
    columns: dict[str, Any] = {
        "key.frame_timestamp_micros": [frame_us(f) for f, _ in rows],
        "key.laser_object_id": [id for _, id in rows],
    }
    for k, axis in enumerate("xyz"):
        columns[f"{prefix}.box.center.{axis}"] = [place[k] for place in places]
        columns[f"{prefix}.box.size.{axis}"] = [size[k] for size in sizes]
        columns[f"{prefix}.speed.{axis}"] = pa.array(
            [None if walker else float(k) for walker in walks], pa.float64()
        )
        columns[f"{prefix}.acceleration.{axis}"] = [0.5 * k for _ in rows]
    columns[f"{prefix}.box.heading"] = [0.3 + 0.05 * f for f, _ in rows]
    columns[f"{prefix}.type"] = pa.array([2 if walker else 1 for walker in walks], pa.int8())
    columns[f"{prefix}.num_lidar_points_in_box"] = [7 + f for f, _ in rows]
    columns[f"{prefix}.num_top_lidar_points_in_box"] = [3 for _ in rows]
    for name in ("detection", "tracking"):
        levels = [2 if walker else None for walker in walks]
        columns[f"{prefix}.difficulty_level.{name}"] = pa.array(levels, pa.int8())
    return columns


def _camera_calibration() -> dict[str, Any]:
    prefix = "[CameraCalibrationComponent]"
    names = ("f_u", "f_v", "c_u", "c_v", "k1", "k2", "p1", "p2", "k3")
    lens = (200.0, 201.0, 96.5, 64.25, 0.03, -0.02, -0.0001, 0.001, 0.0)
    columns: dict[str, Any] = {"key.camera_name": pa.array([*CAMERAS], pa.int8())}
    columns |= {f"{prefix}.intrinsic.{n}": [v] * len(CAMERAS) for n, v in zip(names, lens, strict=True)}
    places = [SE3.from_yaw(yaw_rad, (1.5, 0.1, 2.1)) for yaw_rad, _ in CAMERAS.values()]
    columns[f"{prefix}.extrinsic.transform"] = _matrices(places)
    columns[f"{prefix}.width"] = pa.array([WIDTH_PX] * len(CAMERAS), pa.int32())
    columns[f"{prefix}.height"] = pa.array([HEIGHT_PX] * len(CAMERAS), pa.int32())
    readouts = [readout for _, readout in CAMERAS.values()]
    columns[f"{prefix}.rolling_shutter_direction"] = pa.array(readouts, pa.int8())
    return columns


def trigger_s(frame: int, camera: int) -> float:
    return frame_us(frame) / 1e6 + AFTER_TRIGGER_S * camera


def picture(frame: int, camera: int) -> np.ndarray:
    return np.full((HEIGHT_PX, WIDTH_PX, 3), (10 * camera, 40 * frame, 90), np.uint8)


def _camera_image() -> dict[str, Any]:
    prefix, keys = "[CameraImageComponent]", [(f, camera) for f in range(FRAMES) for camera in CAMERAS]
    done_s = [trigger_s(f, c) + SHUTTER_S + READOUT_S for f, c in keys]
    middles_s = [trigger_s(f, c) + (SHUTTER_S + READOUT_S) / 2 for f, c in keys]
    jpegs = [cv2.imencode(".jpg", picture(f, c)[:, :, ::-1])[1].tobytes() for f, c in keys]
    return {
        "key.frame_timestamp_micros": [frame_us(f) for f, _ in keys],
        "key.camera_name": pa.array([camera for _, camera in keys], pa.int8()),
        f"{prefix}.image": pa.array(jpegs, pa.binary()),
        f"{prefix}.pose.transform": _matrices(
            [TRUTH.world_from_ego(middle_s - START_US / 1e6) for middle_s in middles_s]
        ),
        f"{prefix}.pose_timestamp": middles_s,
        f"{prefix}.rolling_shutter_params.shutter": [SHUTTER_S for _ in keys],
        f"{prefix}.rolling_shutter_params.camera_trigger_time": [trigger_s(f, c) for f, c in keys],
        f"{prefix}.rolling_shutter_params.camera_readout_done_time": done_s,
    }


def _camera_box() -> dict[str, Any]:
    prefix = "[CameraBoxComponent]"
    return {
        "key.frame_timestamp_micros": [frame_us(0), frame_us(1)],
        "key.camera_name": pa.array([1, 4], pa.int8()),
        "key.camera_object_id": [DRAWN, "nobody"],
        f"{prefix}.box.center.x": [30.5, 60.0],
        f"{prefix}.box.center.y": [20.5, 40.0],
        f"{prefix}.box.size.x": [10.0, 4.0],
        f"{prefix}.box.size.y": [20.0, 8.0],
        f"{prefix}.type": pa.array([2, 4], pa.int8()),
        f"{prefix}.difficulty_level.detection": pa.array([None, 2], pa.int8()),
        f"{prefix}.difficulty_level.tracking": pa.array([None, 2], pa.int8()),
    }


def _association() -> dict[str, Any]:
    return {
        "key.frame_timestamp_micros": [frame_us(0)],
        "key.camera_name": pa.array([1], pa.int8()),
        "key.camera_object_id": [DRAWN],
        "key.laser_object_id": [WALKER],
    }


def _stats() -> dict[str, Any]:
    return {
        "key.frame_timestamp_micros": [frame_us(0)],
        "[StatsComponent].time_of_day": ["Day"],
        "[StatsComponent].location": ["location_sf"],
        "[StatsComponent].weather": ["sunny"],
    }
