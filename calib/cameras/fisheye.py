"""The fisheye that OpenCV, ROS ("equidistant") and Kalibr ("equi") know."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from calib.cameras.angular import invert, rays_at, rising_until
from calib.cameras.model import ANGULAR, COEFFICIENTS, SHAPE, CentredLens
from calib.cameras.pinhole import Pinhole
from calib.types import F64, frozen


@dataclass(frozen=True)
class Fisheye(CentredLens):
    """Equidistant fisheye with none or four coefficients (Kannala and Brandt, 2006; OpenCV's cv2.fisheye).

    The angle from the axis is that of atan2, so it holds beyond a right angle, where OpenCV's is wrong.
    It sees as far as its polynomial rises, and no further than `max_angle_rad`.

    Raises:
        CalibrationError: a parameter that cannot be.
    """

    distortion: tuple[float, ...] = ()
    max_angle_rad: float = math.pi

    def _check(self) -> None:
        super()._check()
        self.require(len(self.distortion) in (0, 4), "a fisheye takes no or four coefficients")
        self.require(0 < self.max_angle_rad <= math.pi, "the largest angle lies above 0 and up to pi")

    @property
    def polynomial(self) -> tuple[float, ...]:
        """Distance from the centre by angle, lowest power first."""
        k1, k2, k3, k4 = self.distortion or (0.0,) * 4
        return 0.0, 1.0, 0.0, k1, 0.0, k2, 0.0, k3, 0.0, k4

    @cached_property
    def limit_rad(self) -> float:
        """Angle from the axis beyond which nothing is visible; at most pi."""
        return min(rising_until(self.polynomial), self.max_angle_rad)

    @cached_property
    def row(self) -> F64:
        """The parameters as the kernels read them."""
        row = self._row(ANGULAR, self.limit_rad)
        row[COEFFICIENTS : COEFFICIENTS + 9] = self.polynomial[1:]
        row[SHAPE : SHAPE + 3] = 1.0, 0.0, 0.0
        return frozen(row, np.float64)

    @cached_property
    def plain(self) -> Pinhole:
        """The pinhole of the same matrix."""
        return Pinhole(self.fx_px, self.fy_px, self.cx_px, self.cy_px, self.width_px, self.height_px)

    def _directions(self, uv_px: F64) -> F64:
        plane = self._plane(uv_px)
        return rays_at(plane, invert(self.polynomial, np.hypot(*plane.T), self.limit_rad))
