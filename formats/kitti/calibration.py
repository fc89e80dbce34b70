"""KITTI's calibration file: `pixel = P2 @ rect0_from_velo @ points_velo`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calib.cameras import Pinhole
from calib.errors import CalibrationError
from calib.rig import Camera
from calib.se3 import SE3
from calib.types import F64
from formats.errors import FormatError
from formats.files import read_text

SPELLINGS = {
    **{f"P{n}": f"P{n}" for n in range(4)},
    **dict.fromkeys(("R0_rect", "R_rect", "R_rect_00"), "rect"),
    **dict.fromkeys(("Tr_velo_to_cam", "Tr_velo_cam"), "velo"),
    **dict.fromkeys(("Tr_imu_to_velo", "Tr_imu_velo"), "imu"),
}
LENGTHS = {**{f"P{n}": (12,) for n in range(4)}, "rect": (9, 12), "velo": (12,), "imu": (12,)}
LARGEST_SKEW = 1e-6


@dataclass(frozen=True, slots=True)
class Calibration:
    """What one file says.

    Attributes:
        projections: (3, 4) matrices of the rectified cameras by the names of their image folders.
        rect0_from_velo: into the frame of the rectified camera 0, in which labels are written.
        velo_from_imu: place of the inertial unit, where it is given.
    """

    projections: Mapping[str, F64]
    rect0_from_velo: SE3
    velo_from_imu: SE3 | None


def read_calibration(path: Path) -> Calibration:
    """One sequence's calibration, in any of the spellings that KITTI's benchmarks use.

    Raises:
        FormatError: missing, malformed, or not of rigid transforms.
    """
    numbers = _read_numbers(path)
    for key in ("P2", "rect", "velo"):
        if key not in numbers:
            wanted = " or ".join(spelling for spelling, meaning in SPELLINGS.items() if meaning == key)
            raise FormatError(path, "", f"without {wanted}")
    rect = np.zeros((3, 4))
    rect[:, :3] = numbers["rect"].reshape(3, -1)[:, :3]
    rect0_from_cam0 = _rigid(path, "R0_rect", rect)
    cam0_from_velo = _rigid(path, "Tr_velo_to_cam", numbers["velo"].reshape(3, 4))
    velo_from_imu = _rigid(path, "Tr_imu_to_velo", numbers["imu"].reshape(3, 4)) if "imu" in numbers else None
    projections = {f"image_0{key[1]}": n.reshape(3, 4) for key, n in numbers.items() if key[0] == "P"}
    return Calibration(projections, rect0_from_cam0 @ cam0_from_velo, velo_from_imu)


def camera_of(path: Path, calibration: Calibration, name: str, size_px: tuple[int, int]) -> Camera:
    """A rectified camera; the ego frame is the Velodyne's.

    `P = K [I | t]`: the camera has the axes of camera 0 and sits `t` away from it.

    Raises:
        FormatError: the file holds no such projection, or it is not that of a rectified camera.
    """
    if name not in calibration.projections:
        raise FormatError(path, "", f"without P{name[-1]}")
    projection = calibration.projections[name]
    matrix = projection[:, :3]
    if abs(matrix[0, 1]) + np.abs(matrix[[1, 2, 2], [0, 0, 1]]).sum() + abs(matrix[2, 2] - 1) > LARGEST_SKEW:
        raise FormatError(path, f"P{name[-1]}", "not the projection of a rectified camera")
    try:
        model = Pinhole(matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2], *size_px)
        offset = np.asarray(np.linalg.solve(matrix, projection[:, 3]), dtype=np.float64)
        cam_from_rect0 = SE3(np.eye(3), offset)
    except (CalibrationError, np.linalg.LinAlgError) as error:
        raise FormatError(path, f"P{name[-1]}", str(error)) from None
    cam_from_velo = cam_from_rect0 @ calibration.rect0_from_velo
    return Camera(name, cam_from_velo.inverse(), model)


def calibration_text(model: Pinhole, cam_from_rect0: SE3, rect0_from_velo: SE3) -> str:
    """A file for one camera, which stands in for all four; the inertial unit is the Velodyne.

    `R0_rect` is the identity, because `Tr_velo_to_cam` leads into the rectified frame at once.
    """
    projection = np.column_stack([model.matrix, model.matrix @ cam_from_rect0.translation])
    rows = {
        "P0": np.column_stack([model.matrix, np.zeros(3)]),
        **dict.fromkeys(("P1", "P2", "P3"), projection),
        "R0_rect": np.eye(3),
        "Tr_velo_to_cam": rect0_from_velo.matrix[:3],
        "Tr_imu_to_velo": np.eye(4)[:3],
    }
    return "".join(f"{key}: {' '.join(f'{v:.12e}' for v in row.ravel())}\n" for key, row in rows.items())


def _read_numbers(path: Path) -> dict[str, F64]:
    numbers: dict[str, F64] = {}
    for line_number, line in enumerate(read_text(path).splitlines(), start=1):
        key, *words = line.replace(":", " ", 1).split() or [""]
        meaning = SPELLINGS.get(key)
        if meaning is None:
            continue
        try:
            row = np.array([float(word) for word in words])
        except ValueError as error:
            raise FormatError(path, f"line {line_number}", str(error)) from None
        if len(row) not in LENGTHS[meaning] or not np.isfinite(row).all():
            wanted = " or ".join(str(length) for length in LENGTHS[meaning])
            raise FormatError(path, f"line {line_number}", f"{key} needs {wanted} finite numbers")
        numbers[meaning] = row
    return numbers


def _rigid(path: Path, key: str, matrix: F64) -> SE3:
    try:
        return SE3.nearest(matrix)
    except CalibrationError as error:
        raise FormatError(path, key, str(error)) from None
