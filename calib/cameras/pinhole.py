"""The pinhole camera with the distortion that OpenCV knows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from calib.cameras.distortion import Region, region_of, tilt_matrix, undistort
from calib.cameras.model import BROWN, COEFFICIENTS, PLAIN, REGION, TILT, CentredLens
from calib.types import F64, frozen

LENGTHS = (0, 4, 5, 8, 12, 14)


@dataclass(frozen=True)
class Pinhole(CentredLens):
    """Pinhole camera with Brown-Conrady distortion in OpenCV's order.

    `distortion` holds 0, 4 (k1 k2 p1 p2), 5 (+ k3), 8 (+ k4 k5 k6), 12 (+ s1..s4) or 14 (+ tau_x tau_y)
    numbers. What lies behind the camera or past the first fold of the distortion is not visible.

    Raises:
        CalibrationError: a parameter that cannot be.
    """

    distortion: tuple[float, ...] = ()

    def _check(self) -> None:
        super()._check()
        self.require(len(self.distortion) in LENGTHS, f"a pinhole takes {LENGTHS} coefficients")

    @property
    def coefficients(self) -> tuple[float, ...]:
        """The distortion, filled up with zeros to fourteen."""
        return self.distortion + (0.0,) * (LENGTHS[-1] - len(self.distortion))

    @property
    def region(self) -> Region:
        """Where on the plane z = 1 the distortion maps one to one."""
        return region_of(self.coefficients)

    @cached_property
    def limit_rad(self) -> float:
        """Angle from the axis beyond which nothing is visible; at most a right angle."""
        return float(np.arctan(self.region.outer_radius))

    @cached_property
    def row(self) -> F64:
        """The parameters as the kernels read them."""
        row = self._row(BROWN if any(self.distortion) else PLAIN, 0.0)
        row[COEFFICIENTS:TILT] = self.coefficients
        row[TILT:REGION] = tilt_matrix(*self.coefficients[12:]).ravel()
        self.region.write_to(row)
        return frozen(row, np.float64)

    @cached_property
    def plain(self) -> Pinhole:
        """The same without distortion."""
        return Pinhole(self.fx_px, self.fy_px, self.cx_px, self.cy_px, self.width_px, self.height_px)

    def _directions(self, uv_px: F64) -> F64:
        plane = self._plane(uv_px)
        if any(self.distortion):
            plane = undistort(plane, self.coefficients)
        rays = np.column_stack([plane, np.ones(len(plane))])
        return np.asarray(rays / np.linalg.norm(rays, axis=1, keepdims=True), dtype=np.float64)
