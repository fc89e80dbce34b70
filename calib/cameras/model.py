"""What a camera model is, and what all models here share."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

import numpy as np

from calib.errors import CalibrationError
from calib.types import F64, Bools, Floats, frozen, kernel_view

if TYPE_CHECKING:
    from calib.cameras.pinhole import Pinhole

# The columns of a row of parameters, as calib/cameras/_kernels.py reads them.
ROW, COEFFICIENTS, TILT, REGION, SHAPE = 51, 8, 22, 31, 46
PLAIN, BROWN, ANGULAR, ANGULAR_INVERSE, SPHERES, CYLINDRICAL, EQUIRECTANGULAR = range(7)
STEEPEST_GATE_RAD = 1.4


@dataclass(frozen=True, eq=False, slots=True)
class Projection:
    """Where points fall in an image.

    Attributes:
        uv_px: (N, 2) float64; the centre of the first pixel is (0, 0). It may lie outside of the image; NaN
            where the model sees nothing: behind the camera, beyond its largest angle, past a fold of its
            distortion, and for what is no point.
        depth_m: (N,) float64, z in the camera frame. It is negative for what a model sees more than a right
            angle from its axis.
        visible: (N,) where the model holds, and on the image.
    """

    uv_px: F64
    depth_m: F64
    visible: Bools


@runtime_checkable
class CameraModel(Protocol):
    """How a camera sees: any object with these serves."""

    @property
    def width_px(self) -> int:
        """Image width."""
        ...

    @property
    def height_px(self) -> int:
        """Image height."""
        ...

    @property
    def row(self) -> F64:
        """The parameters as the kernels read them."""
        ...

    @property
    def limit_rad(self) -> float:
        """Angle from the axis beyond which nothing is visible; at most pi."""
        ...

    @property
    def sight(self) -> F64:
        """(2, 2) from and to of x / z, then of y / z: bounds on whatever is visible.

        Infinite where there are none; then `limit_rad` is the only bound, which may lie behind the camera.
        """
        ...

    @property
    def plain(self) -> Pinhole:
        """The pinhole that agrees with the model near its axis: what its images are resampled to."""
        ...

    def project(self, points_cam: Floats) -> Projection:
        """(N, 3) points in the camera frame (x right, y down, z forward) to pixels."""
        ...

    def ray(self, uv_px: Floats) -> F64:
        """(N, 2) pixels to (N, 3) unit directions in the camera frame; NaN where no valid point lands."""
        ...


class Lens(ABC):
    """Base of the models here, which are frozen dataclasses of plain numbers, tuples of them and words."""

    width_px: int
    height_px: int

    def __post_init__(self) -> None:
        for field in fields(cast(Any, self)):
            value = getattr(self, field.name)
            try:
                plain = _plain(value, str(field.type))
            except (TypeError, ValueError, OverflowError):
                raise CalibrationError(f"{type(self).__name__}: {field.name} cannot be {value!r}") from None
            object.__setattr__(self, field.name, plain)
        self.require(min(self.width_px, self.height_px) > 0, "an image has a positive size")
        self._check()

    def require(self, holds: bool, what: str) -> None:
        """Raises CalibrationError with the model's name and numbers where something does not hold."""
        if not holds:
            numbers = ", ".join(f"{f.name}={getattr(self, f.name)}" for f in fields(cast(Any, self)))
            raise CalibrationError(f"{what}: {type(self).__name__}({numbers})")

    @abstractmethod
    def _check(self) -> None:
        """Raises CalibrationError where the parameters cannot be."""

    @property
    @abstractmethod
    def limit_rad(self) -> float:
        """Angle from the axis beyond which nothing is visible; at most pi."""

    @property
    @abstractmethod
    def row(self) -> F64:
        """The parameters as the kernels read them."""

    @property
    @abstractmethod
    def plain(self) -> Pinhole:
        """The pinhole that agrees with the model near its axis: what its images are resampled to."""

    @abstractmethod
    def _directions(self, uv_px: F64) -> F64:
        """Unit directions with some NaN where no valid point lands."""

    def ray(self, uv_px: Floats) -> F64:
        """(N, 2) pixels to (N, 3) unit directions; NaN where no valid point lands."""
        with np.errstate(all="ignore"):
            rays = self._directions(np.asarray(uv_px, dtype=np.float64).reshape(-1, 2))
        known: Bools = np.asarray(np.isfinite(rays).all(axis=1))
        return np.where(known[:, None], rays, np.nan)

    def project(self, points_cam: Floats) -> Projection:
        """(N, 3) points in the camera frame to pixels."""
        from calib.cameras import _kernels

        points = kernel_view(points_cam, 3, np.float64)
        uv_px, visible = np.empty((len(points), 2)), np.empty(len(points), dtype=np.bool_)
        _kernels.project_points(points, self.row, uv_px, visible)
        return Projection(uv_px, points[:, 2].copy(), visible)

    @cached_property
    def sight(self) -> F64:
        """(2, 2) from and to of x / z, then of y / z: bounds on whatever is visible; infinite without any.

        They come from rays through the border of the image, where these all exist and point ahead.
        """
        along = np.linspace(-0.5, 0.5, 65)
        square = np.concatenate(
            [np.column_stack([along, np.full(65, side)]) for side in (-0.5, 0.5)]
            + [np.column_stack([np.full(65, side), along]) for side in (-0.5, 0.5)]
        )
        rays = self.ray((square + 0.5) * (self.width_px, self.height_px) - 0.5)
        angles_rad = np.arctan2(np.linalg.norm(rays[:, :2], axis=1), rays[:, 2])
        limit = np.tan(self.limit_rad) if self.limit_rad < STEEPEST_GATE_RAD else np.inf
        # Near the fold the border between two rays may bulge out: the whole disc is the bound there.
        if not (np.tan(angles_rad) < 0.8 * limit).all() or not (angles_rad < STEEPEST_GATE_RAD).all():
            return frozen([[-limit, limit], [-limit, limit]], np.float64)
        plane = rays[:, :2] / rays[:, 2:]
        low, high = plane.min(axis=0), plane.max(axis=0)
        bulge = 0.02 * (high - low)
        return frozen(np.column_stack([low - bulge, high + bulge]), np.float64)


def _plain(value: Any, kind: str) -> int | float | str | tuple[float, ...]:
    """A finite number, a tuple of them or a word, as the annotation of a field says.

    Raises:
        TypeError: something else.
        ValueError: not finite, or not whole where it must be.
    """
    if kind == "str":
        if not isinstance(value, str):
            raise TypeError(kind)
        return value
    if kind.startswith("tuple"):
        return tuple(cast(float, _plain(number, "float")) for number in value)
    if isinstance(value, str) or not math.isfinite(value) or (kind == "int" and int(value) != value):
        raise ValueError(kind)
    return int(value) if kind == "int" else float(value)


@dataclass(frozen=True)
class CentredLens(Lens):
    """A lens with focal lengths and a principal point in pixels; what a model adds comes behind these."""

    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float
    width_px: int
    height_px: int

    @property
    def matrix(self) -> F64:
        """(3, 3) intrinsic matrix, from the distorted plane to pixels."""
        return np.array([[self.fx_px, 0, self.cx_px], [0, self.fy_px, self.cy_px], [0, 0, 1.0]])

    def _check(self) -> None:
        self.require(min(self.fx_px, self.fy_px) > 0, "focal lengths must be positive")

    def _plane(self, uv_px: F64) -> F64:
        """Pixels on the distorted plane z = 1."""
        return np.asarray((uv_px - (self.cx_px, self.cy_px)) / (self.fx_px, self.fy_px), dtype=np.float64)

    def _row(self, family: int, limit: float) -> F64:
        """A row with its head filled, the rest zero."""
        row = np.zeros(ROW)
        row[:COEFFICIENTS] = (
            self.fx_px,
            self.fy_px,
            self.cx_px,
            self.cy_px,
            self.width_px,
            self.height_px,
            family,
            limit,
        )
        return row
