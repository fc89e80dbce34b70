"""Poses of the inertial unit (OXTS RT3003), one line of thirty numbers a frame.

Mercator projection scaled at the first latitude, as KITTI's raw-data devkit does it; the first pose is
the origin of the world, whose axes point east, north and up.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calib.se3 import SE3, SE3Batch
from calib.types import F64
from formats.errors import FormatError
from formats.files import read_text

EARTH_RADIUS_M = 6378137.0
COLUMNS = 30
LARGEST = 1e6
NOMINAL_LATITUDE_DEG, NOMINAL_LONGITUDE_DEG = 49.0, 8.4


def read_oxts(path: Path) -> SE3Batch:
    """Returns world_from_imu, a pose a line.

    Raises:
        FormatError: no line, or one without six finite numbers at its head.
    """
    rows = read_oxts_rows(path)
    if not rows:
        raise FormatError(path, "", "holds no pose")
    return poses_of(np.array(rows))


def read_oxts_rows(path: Path) -> list[F64]:
    """Latitude, longitude (degrees), altitude (m), roll, pitch and yaw (rad) of each line.

    Raises:
        FormatError: a line without six finite numbers at its head.
    """
    rows = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        try:
            row = np.array([float(word) for word in line.split()[:6]])
        except ValueError as error:
            raise FormatError(path, f"line {number}", str(error)) from None
        if len(row) != 6 or not (np.abs(row) < LARGEST).all() or abs(row[0]) >= 90:
            raise FormatError(path, f"line {number}", "needs latitude, longitude, altitude and three angles")
        rows.append(row)
    return rows


def oxts_text(world_from_ego: SE3Batch) -> str:
    """Lines that read back as these poses, the first place taken as the origin at a nominal spot on earth."""
    scale_m = EARTH_RADIUS_M * np.cos(np.radians(NOMINAL_LATITUDE_DEG))
    places = world_from_ego.translations - world_from_ego.translations[0]
    northing = scale_m * np.log(np.tan(np.pi / 4 + np.radians(NOMINAL_LATITUDE_DEG) / 2)) + places[:, 1]
    latitudes_deg = np.degrees(2 * np.arctan(np.exp(northing / scale_m))) - 90
    longitudes_deg = NOMINAL_LONGITUDE_DEG + np.degrees(places[:, 0] / scale_m)
    r = world_from_ego.rotations
    rolls = np.arctan2(r[:, 2, 1], r[:, 2, 2])
    pitches = np.arctan2(-r[:, 2, 0], np.hypot(r[:, 2, 1], r[:, 2, 2]))
    yaws = np.arctan2(r[:, 1, 0], r[:, 0, 0])
    rest = " ".join(["0"] * (COLUMNS - 6))
    rows = np.column_stack([latitudes_deg, longitudes_deg, places[:, 2], rolls, pitches, yaws])
    return "".join(" ".join(f"{value:.15g}" for value in row) + f" {rest}\n" for row in rows)


def poses_of(rows: F64) -> SE3Batch:
    """Returns world_from_imu for (N, 6) rows; the first is the origin of the world."""
    latitudes, longitudes = np.radians(rows[:, 0]), np.radians(rows[:, 1])
    scale_m = EARTH_RADIUS_M * np.cos(latitudes[0])
    east_m = scale_m * longitudes
    north_m = scale_m * np.log(np.tan(np.pi / 4 + latitudes / 2))
    places = np.column_stack([east_m, north_m, rows[:, 2]])
    return SE3Batch.stack(
        SE3(_rotation(*row[3:6]), place) for row, place in zip(rows, places - places[0], strict=True)
    )


def _rotation(roll_rad: float, pitch_rad: float, yaw_rad: float) -> F64:
    cr, sr, cp, sp = np.cos(roll_rad), np.sin(roll_rad), np.cos(pitch_rad), np.sin(pitch_rad)
    about_x = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    about_y = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    return np.asarray(SE3.from_yaw(yaw_rad).rotation @ about_y @ about_x, dtype=np.float64)
