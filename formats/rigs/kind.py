"""What a kind of calibration file is, and what all kinds share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from calib.cameras import Fisheye, Pinhole
from calib.errors import CalibrationError
from calib.rig import Rig
from calib.se3 import SE3
from calib.types import F64
from formats.fields import Field

# Where a file does not say where a camera sits: at the origin, level, looking along x of the ego frame.
LOOKING_AHEAD = SE3(np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]), np.zeros(3))
LARGEST_SKEW = 1e-9
HEAD_BYTES = 1 << 16
Model = TypeVar("Model", Pinhole, Fisheye)
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class RigKind:
    """One kind of calibration file or folder.

    Attributes:
        name: short, as an option takes it.
        title: as people call it.
        recognises: whether a path looks like it; cheap, never raises.
        read: the rig in it.
        ego: what the ego frame of that rig is.
    """

    name: str
    title: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path], Rig]
    ego: str


def pinhole_of(field: Field, matrix: F64, size_px: tuple[int, int], distortion: Sequence[float]) -> Pinhole:
    """The pinhole camera of a 3x3 matrix and coefficients in OpenCV's order.

    Raises:
        FormatError: they make none; names the place of `field`.
    """
    return _model(field, Pinhole, matrix, size_px, _filled(distortion, (0, 4, 5, 8, 12, 14)))


def fisheye_of(field: Field, matrix: F64, size_px: tuple[int, int], distortion: Sequence[float]) -> Fisheye:
    """The equidistant fisheye of a 3x3 matrix and k1..k4.

    Raises:
        FormatError: they make none; names the place of `field`.
    """
    return _model(field, Fisheye, matrix, size_px, tuple(distortion))


def checked(field: Field, make: Callable[[], Made]) -> Made:
    """What `make` makes of numbers out of a file.

    Raises:
        FormatError: a model refuses them; names the place of `field`.
    """
    try:
        return make()
    except CalibrationError as error:
        raise field.error(str(error)) from None


def focal_numbers(field: Field, matrix: F64) -> tuple[float, float, float, float]:
    """Returns fx, fy, cx, cy of a 3x3 matrix without skew.

    Raises:
        FormatError: it has skew, or a last row other than 0 0 1.
    """
    skew = abs(matrix[0, 1]) + abs(matrix[1, 0])
    if skew > LARGEST_SKEW * abs(matrix[0, 0]) or not np.allclose(matrix[2], (0, 0, 1), atol=1e-12):
        raise field.error(f"a camera matrix needs no skew and the last row 0 0 1: {matrix.tolist()}")
    return float(matrix[0, 0]), float(matrix[1, 1]), float(matrix[0, 2]), float(matrix[1, 2])


def head_of(path: Path) -> str:
    """The beginning of a file as text, empty where there is none; never raises."""
    try:
        with path.open("rb") as stream:
            return stream.read(HEAD_BYTES).decode("utf-8-sig", errors="replace")
    except OSError:
        return ""


def _model(
    field: Field, family: type[Model], matrix: F64, size_px: tuple[int, int], distortion: tuple[float, ...]
) -> Model:
    fx_px, fy_px, cx_px, cy_px = focal_numbers(field, matrix)
    return checked(field, lambda: family(fx_px, fy_px, cx_px, cy_px, *size_px, distortion))


def _filled(distortion: Sequence[float], lengths: Sequence[int]) -> tuple[float, ...]:
    """Coefficients filled up with zeros to the next length there is; one that is too long stays as it is."""
    wanted = next((length for length in lengths if length >= len(distortion)), len(distortion))
    return (*distortion, *[0.0] * (wanted - len(distortion)))
