"""Camera models: points in a camera frame to pixels and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np

from calib.distortion import (
    fold_back_r2,
    fold_back_theta,
    tilt_matrix,
    undistort_brown,
    undistort_fisheye,
)
from calib.errors import CalibrationError
from calib.types import F64, Bools, Floats, frozen, kernel_view

PLAIN, BROWN, KANNALA_BRANDT = 0, 1, 2


@dataclass(frozen=True, eq=False, slots=True)
class Projection:
    """Where points fall in an image.

    Attributes:
        uv_px: (N, 2) float64; the centre of the first pixel is (0, 0). NaN behind the camera.
        depth_m: (N,) float64, distance along the optical axis.
        visible: (N,) in front of the camera, where the model holds, and on the image.
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
    def matrix(self) -> F64:
        """(3, 3) intrinsic matrix of the undistorted image."""
        ...

    @property
    def row(self) -> F64:
        """The parameters as the kernels read them."""
        ...

    @property
    def sight(self) -> F64:
        """(2, 2) from and to of x / z, then of y / z: bounds on whatever is visible."""
        ...

    def project(self, points_cam: Floats) -> Projection:
        """(N, 3) points in the camera frame (x right, y down, z forward) to pixels."""
        ...

    def ray(self, uv_px: Floats) -> F64:
        """(N, 2) pixels to (N, 3) unit directions in the camera frame; NaN where no ray leads there."""
        ...


@dataclass(frozen=True)
class _Intrinsics(ABC):
    """What every model here has: focal lengths, principal point and image size in pixels."""

    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float
    width_px: int
    height_px: int
    distortion: tuple[float, ...] = ()

    _LENGTHS: ClassVar[tuple[int, ...]] = (0,)

    def __post_init__(self) -> None:
        object.__setattr__(self, "distortion", tuple(float(k) for k in self.distortion))
        if len(self.distortion) not in self._LENGTHS:
            raise CalibrationError(
                f"a {type(self).__name__} takes {self._LENGTHS} coefficients, not {len(self.distortion)}"
            )
        numbers = (self.fx_px, self.fy_px, self.cx_px, self.cy_px, self.width_px, self.height_px)
        if not np.isfinite([*numbers, *self.distortion]).all():
            raise CalibrationError(f"a camera parameter is not a finite number: {self}")
        if not min(self.fx_px, self.fy_px, self.width_px, self.height_px) > 0:
            raise CalibrationError(f"focal lengths and image size must be positive: {self}")

    @property
    def matrix(self) -> F64:
        """(3, 3) intrinsic matrix."""
        return np.array([[self.fx_px, 0, self.cx_px], [0, self.fy_px, self.cy_px], [0, 0, 1.0]])

    @property
    def coefficients(self) -> tuple[float, ...]:
        """The distortion, filled up with zeros."""
        return self.distortion + (0.0,) * (self._LENGTHS[-1] - len(self.distortion))

    @property
    @abstractmethod
    def limit_rad(self) -> float:
        """Angle from the axis up to which the model maps one to one; at most a right angle."""

    @property
    @abstractmethod
    def row(self) -> F64:
        """The parameters as the kernels read them."""

    @cached_property
    def sight(self) -> F64:
        """(2, 2) from and to of x / z, then of y / z: bounds on whatever is visible.

        They come from rays through the border of the image, where these all exist.
        """
        along = np.linspace(-0.5, 0.5, 65)
        square = np.concatenate(
            [np.column_stack([along, np.full(65, side)]) for side in (-0.5, 0.5)]
            + [np.column_stack([np.full(65, side), along]) for side in (-0.5, 0.5)]
        )
        size = (self.width_px, self.height_px)
        rays = self.ray((square + 0.5) * size - 0.5)
        with np.errstate(divide="ignore"):
            plane = rays[:, :2] / rays[:, 2:]
            limit = np.tan(self.limit_rad) if self.limit_rad < np.pi / 2 else np.inf
        # Near the fold the border between two rays may bulge out: the whole disc is the bound there.
        if not (np.linalg.norm(plane, axis=1) < 0.8 * limit).all():
            return frozen([[-limit, limit], [-limit, limit]], np.float64)
        low, high = plane.min(axis=0), plane.max(axis=0)
        bulge = 0.02 * (high - low)
        return frozen(np.column_stack([low - bulge, high + bulge]), np.float64)

    def project(self, points_cam: Floats) -> Projection:
        """(N, 3) points in the camera frame to pixels."""
        from calib import _kernels

        points = kernel_view(points_cam, 3, np.float64)
        uv_px, visible = np.empty((len(points), 2)), np.empty(len(points), dtype=np.bool_)
        _kernels.project_points(points, self.row, uv_px, visible)
        return Projection(uv_px, points[:, 2].copy(), visible)

    @abstractmethod
    def ray(self, uv_px: Floats) -> F64:
        """(N, 2) pixels to (N, 3) unit directions."""

    def _filled_row(self, family: int, limit: float, extra: F64) -> F64:
        head = [self.fx_px, self.fy_px, self.cx_px, self.cy_px, self.width_px, self.height_px, family, limit]
        return frozen(np.concatenate([head, extra]), np.float64)

    def _plane(self, uv_px: Floats) -> F64:
        """Pixels on the distorted plane z = 1."""
        pixels = np.asarray(uv_px, dtype=np.float64).reshape(-1, 2)
        return (pixels - (self.cx_px, self.cy_px)) / (self.fx_px, self.fy_px)


@dataclass(frozen=True)
class Pinhole(_Intrinsics):
    """Pinhole camera with Brown-Conrady distortion in OpenCV's order.

    `distortion` holds 0, 4 (k1 k2 p1 p2), 5 (+ k3), 8 (+ k4 k5 k6), 12 (+ s1..s4) or 14 (+ tau_x tau_y)
    numbers. A point further from the axis than the radius where the model folds back is not visible.

    Raises:
        CalibrationError: a parameter that cannot be.
    """

    _LENGTHS: ClassVar[tuple[int, ...]] = (0, 4, 5, 8, 12, 14)

    @cached_property
    def limit_rad(self) -> float:
        """Angle from the axis up to which the model maps one to one; at most a right angle."""
        return float(np.arctan(np.sqrt(fold_back_r2(self.coefficients))))

    @cached_property
    def row(self) -> F64:
        """The parameters as the kernels read them."""
        tilt = tilt_matrix(*self.coefficients[12:])
        family = BROWN if any(self.distortion) else PLAIN
        extra = np.concatenate([self.coefficients, tilt.ravel()])
        return self._filled_row(family, fold_back_r2(self.coefficients), extra)

    def ray(self, uv_px: Floats) -> F64:
        """(N, 2) pixels to (N, 3) unit directions; NaN where no point within the model's limit lands."""
        plane = self._plane(uv_px)
        if any(self.distortion):
            coefficients = np.array(self.coefficients)
            plane = undistort_brown(plane, coefficients, fold_back_r2(self.coefficients))
        rays = np.column_stack([plane, np.ones(len(plane))])
        return np.asarray(rays / np.linalg.norm(rays, axis=1, keepdims=True), dtype=np.float64)


@dataclass(frozen=True)
class Fisheye(_Intrinsics):
    """Equidistant fisheye with four coefficients (Kannala and Brandt, 2006; OpenCV's cv2.fisheye).

    It sees up to a right angle from its axis.

    Raises:
        CalibrationError: a parameter that cannot be.
    """

    _LENGTHS: ClassVar[tuple[int, ...]] = (0, 4)

    @cached_property
    def limit_rad(self) -> float:
        """Angle from the axis up to which the model maps one to one; at most a right angle."""
        return min(fold_back_theta(np.array(self.coefficients)), np.pi / 2)

    @cached_property
    def row(self) -> F64:
        """The parameters as the kernels read them."""
        limit = np.tan(self.limit_rad) if self.limit_rad < np.pi / 2 else np.inf
        extra = np.zeros(14 + 9)
        extra[:4] = self.coefficients
        return self._filled_row(KANNALA_BRANDT, float(limit), extra)

    def ray(self, uv_px: Floats) -> F64:
        """(N, 2) pixels to (N, 3) unit directions; NaN beyond the model's largest angle."""
        plane = self._plane(uv_px)
        theta_d = np.linalg.norm(plane, axis=1)
        theta = undistort_fisheye(theta_d, np.array(self.coefficients), self.limit_rad)
        sines = np.where(theta_d < 1e-12, 1.0, np.sin(theta) / np.maximum(theta_d, 1e-12))
        return np.column_stack([plane * sines[:, None], np.cos(theta)])
