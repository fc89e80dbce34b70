"""Argoverse 2 (Wilson et al., 2021): calibration/*.feather of a sensor log.

`egovehicle_SE3_sensor` is the pose of a sensor in the ego frame, which is ours: x forward, y left, z up, at
the rear axle. The images were undistorted before they were published, and their makers' own projection
leaves k1 k2 k3 aside, so these are read and dropped. Pixel centres are whole numbers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from calib.cameras import Pinhole
from calib.errors import CalibrationError
from calib.rig import Camera, Lidar, Rig
from calib.se3 import SE3
from formats.errors import FormatError
from formats.fields import Field
from formats.rigs.kind import RigKind, checked

PLACES, INTRINSICS = "egovehicle_SE3_sensor.feather", "intrinsics.feather"
QUATERNION, PLACE = ("qw", "qx", "qy", "qz"), ("tx_m", "ty_m", "tz_m")
MOST_ROWS = 1000


def read_argoverse2(path: Path) -> Rig:
    """The sensors in a log's folder or in its `calibration` folder.

    A LiDAR's sweeps are published in the ego frame already; its place here is where it sits.

    Raises:
        FormatError: a table is missing or malformed, or a camera has no place.
    """
    folder = path if (path / PLACES).is_file() else path / "calibration"
    places = {row["sensor_name"].text(): row for row in _rows(folder / PLACES)}
    models = {row["sensor_name"].text(): row for row in _rows(folder / INTRINSICS)}
    for name, row in models.items():
        if name not in places:
            raise row.error(f"the camera {name!r} has no place in {PLACES}")
    lidars = [Lidar(name, _place(row)) for name, row in places.items() if "lidar" in name]
    cameras = [Camera(name, _place(places[name]), _model(row)) for name, row in models.items()]
    return Rig.of(tuple(lidars), tuple(cameras))


def _place(row: Field) -> SE3:
    quaternion = [row[key].number() for key in QUATERNION]
    if not 0.99 < np.linalg.norm(quaternion) < 1.01:
        raise row.error(f"a quaternion of length {np.linalg.norm(quaternion):.4g}, not 1")
    try:
        return SE3.from_quaternion_wxyz(quaternion, [row[key].number() for key in PLACE])
    except CalibrationError as error:
        raise row.error(str(error)) from None


def _model(row: Field) -> Pinhole:
    size_px = row.size_px(row["width_px"], row["height_px"])
    fx_px, fy_px, cx_px, cy_px = (row[key].number() for key in ("fx_px", "fy_px", "cx_px", "cy_px"))
    return checked(row, lambda: Pinhole(fx_px, fy_px, cx_px, cy_px, *size_px))


def _rows(path: Path) -> list[Field]:
    import pyarrow  # type: ignore[import-untyped]
    from pyarrow import feather

    if not path.is_file():
        raise FormatError(path, "", "no such file")
    try:
        table: Any = feather.read_table(path, memory_map=False)
        if table.num_rows > MOST_ROWS:
            raise FormatError(path, "", f"more than {MOST_ROWS} sensors")
        rows = table.to_pylist()
    except (pyarrow.ArrowException, OSError, ValueError, MemoryError) as error:
        raise FormatError(path, "", f"not a Feather table: {' '.join(str(error).split())[:200]}") from None
    return [Field(path, f"row {number}", row) for number, row in enumerate(rows)]


def recognises(path: Path) -> bool:
    """Whether it is such a folder; never raises."""
    return any((path / below / PLACES).is_file() for below in ("", "calibration"))


ARGOVERSE2 = RigKind(
    "argoverse2", "Argoverse 2 calibration", recognises, read_argoverse2, "Argoverse's egovehicle: rear axle"
)
