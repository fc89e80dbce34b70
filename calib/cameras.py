"""Camera models: points in a camera frame to pixels and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from calib.distortion import fold_back_r2, fold_back_theta, newton_undistort, tilt_matrix
from calib.errors import CalibrationError
from calib.types import F64, Bools, Floats, frozen

PLAIN, BROWN, KANNALA_BRANDT = 0, 1, 2
BROWN_LENGTHS = (0, 4, 5, 8, 12, 14)


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

    def project(self, points_cam: Floats) -> Projection:
        """(N, 3) points in the camera frame (x right, y down, z forward) to pixels."""
        ...

    def ray(self, uv_px: Floats) -> F64:
        """(N, 2) pixels to (N, 3) unit directions in the camera frame; NaN where no ray leads there."""
        ...


@dataclass(frozen=True)
class _Intrinsics:
    """What every model here has: focal lengths, principal point and image size in pixels."""

    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float
    width_px: int
    height_px: int
    distortion: tuple[float, ...] = ()
    row: F64 = field(init=False, repr=False, compare=False)

    @property
    def matrix(self) -> F64:
        """(3, 3) intrinsic matrix."""
        return np.array([[self.fx_px, 0, self.cx_px], [0, self.fy_px, self.cy_px], [0, 0, 1.0]])

    def project(self, points_cam: Floats) -> Projection:
        """(N, 3) points in the camera frame to pixels."""
        from calib import _kernels

        points = np.ascontiguousarray(points_cam, dtype=np.float64).reshape(-1, 3)
        uv_px, visible = np.empty((len(points), 2)), np.empty(len(points), dtype=np.bool_)
        _kernels.project_points(points, self.row, uv_px, visible)
        return Projection(uv_px, points[:, 2], visible)

    def _fill_row(self, family: int, limit: float, extra: F64) -> None:
        size = (self.width_px, self.height_px)
        if not (self.fx_px > 0 and self.fy_px > 0 and min(size) > 0):
            raise CalibrationError(f"focal lengths and image size must be positive: {self}")
        head = [self.fx_px, self.fy_px, self.cx_px, self.cy_px, *size, family, limit]
        row = np.concatenate([head, extra])
        if not np.isfinite(np.delete(row, 7)).all():
            raise CalibrationError(f"a camera parameter is not a finite number: {self}")
        object.__setattr__(self, "row", frozen(row, np.float64))

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

    def __post_init__(self) -> None:
        if len(self.distortion) not in BROWN_LENGTHS:
            raise CalibrationError(
                f"Brown-Conrady takes {BROWN_LENGTHS} coefficients, not {len(self.distortion)}"
            )
        object.__setattr__(self, "distortion", tuple(float(k) for k in self.distortion))
        coefficients = np.zeros(14)
        coefficients[: len(self.distortion)] = self.distortion
        tilt = tilt_matrix(coefficients[12], coefficients[13])
        family = BROWN if np.any(coefficients) else PLAIN
        limit_r2 = fold_back_r2(coefficients) if np.isfinite(coefficients).all() else 0.0
        self._fill_row(family, limit_r2, np.concatenate([coefficients, tilt.ravel()]))

    def ray(self, uv_px: Floats) -> F64:
        """(N, 2) pixels to (N, 3) unit directions; NaN where no point within the model's limit lands."""
        plane = self._plane(uv_px)
        if self.distortion:
            plane = newton_undistort(plane, self.row[8:22], self.row[7])
        rays = np.column_stack([plane, np.ones(len(plane))])
        return np.asarray(rays / np.linalg.norm(rays, axis=1, keepdims=True), dtype=np.float64)


@dataclass(frozen=True)
class Fisheye(_Intrinsics):
    """Equidistant fisheye with four coefficients (Kannala and Brandt, 2006; OpenCV's cv2.fisheye).

    Raises:
        CalibrationError: a parameter that cannot be.
    """

    def __post_init__(self) -> None:
        if len(self.distortion) not in (0, 4):
            raise CalibrationError(f"a fisheye takes 4 coefficients, not {len(self.distortion)}")
        object.__setattr__(self, "distortion", tuple(float(k) for k in self.distortion))
        coefficients = np.zeros(14 + 9)
        coefficients[: len(self.distortion)] = self.distortion
        theta_max = fold_back_theta(coefficients[:4]) if np.isfinite(coefficients).all() else 0.0
        limit = np.inf if theta_max >= np.pi / 2 else np.tan(theta_max)
        self._fill_row(KANNALA_BRANDT, float(limit), coefficients)

    def ray(self, uv_px: Floats) -> F64:
        """(N, 2) pixels to (N, 3) unit directions; NaN beyond the model's largest angle."""
        plane = self._plane(uv_px)
        theta_d = np.linalg.norm(plane, axis=1)
        k = np.zeros(4)
        k[: len(self.distortion)] = self.distortion
        theta_max = min(fold_back_theta(k), np.pi / 2)
        theta = np.minimum(theta_d, theta_max)
        for _ in range(50):
            t2 = theta * theta
            value = theta * (1 + t2 * (k[0] + t2 * (k[1] + t2 * (k[2] + t2 * k[3])))) - theta_d
            slope = 1 + t2 * (3 * k[0] + t2 * (5 * k[1] + t2 * (7 * k[2] + t2 * 9 * k[3])))
            step = value / np.where(np.abs(slope) < 1e-12, 1e-12, slope)
            theta = np.clip(theta - step, 0.0, theta_max)
            if np.abs(step).max(initial=0.0) < 1e-15:
                break
        t2 = theta * theta
        residual = theta * (1 + t2 * (k[0] + t2 * (k[1] + t2 * (k[2] + t2 * k[3])))) - theta_d
        theta = np.where(np.abs(residual) < 1e-9, theta, np.nan)
        sines = np.sin(theta) / np.where(theta_d < 1e-12, 1.0, theta_d)
        return np.column_stack([plane * sines[:, None], np.cos(theta)])
