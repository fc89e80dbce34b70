"""Images that wrap around the camera."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from calib.cameras.model import COEFFICIENTS, CYLINDRICAL, EQUIRECTANGULAR, ROW, SHAPE, CentredLens, Lens
from calib.cameras.pinhole import Pinhole
from calib.types import F64, Bools, frozen

ROUNDING = 1e-12


@dataclass(frozen=True)
class Cylindrical(CentredLens):
    """A cylinder around the camera's y axis: u = cx + fx atan2(x, z), v = cy + fy y / hypot(x, z).

    Each direction has one pixel: of those that are a turn apart, the one nearest to the middle of the image.

    Raises:
        CalibrationError: a parameter that cannot be.
    """

    @property
    def _middle_rad(self) -> float:
        """Longitude of the middle of the image."""
        return ((self.width_px - 1) / 2 - self.cx_px) / self.fx_px

    @property
    def limit_rad(self) -> float:
        """Angle from the axis beyond which nothing is visible: pi, for a panorama has no axis."""
        return math.pi

    @cached_property
    def row(self) -> F64:
        """The parameters as the kernels read them."""
        row = self._row(CYLINDRICAL, math.pi)
        row[SHAPE] = self._middle_rad
        return frozen(row, np.float64)

    @cached_property
    def plain(self) -> Pinhole:
        """The pinhole that agrees with the model near its axis."""
        return Pinhole(self.fx_px, self.fy_px, self.cx_px, self.cy_px, self.width_px, self.height_px)

    def _directions(self, uv_px: F64) -> F64:
        longitudes, heights = self._plane(uv_px).T
        once: Bools = np.asarray(np.abs(longitudes - self._middle_rad) <= math.pi * (1 + ROUNDING))
        rays = np.column_stack([np.sin(longitudes), heights, np.cos(longitudes)])
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        return np.where(once[:, None], rays, np.nan)


@dataclass(frozen=True)
class Equirectangular(Lens):
    """The whole sphere: longitude atan2(x, z) over the width, latitude from up to down over the height.

    The axis is in the middle, the seam behind the camera. Every direction is visible.

    Raises:
        CalibrationError: a parameter that cannot be.
    """

    width_px: int
    height_px: int

    def _check(self) -> None:
        pass

    @property
    def limit_rad(self) -> float:
        """Angle from the axis beyond which nothing is visible: pi."""
        return math.pi

    @cached_property
    def row(self) -> F64:
        """The parameters as the kernels read them."""
        scales_px = self.width_px / (2 * math.pi), self.height_px / math.pi
        middle_px = (self.width_px - 1) / 2, (self.height_px - 1) / 2
        row = np.zeros(ROW)
        row[:COEFFICIENTS] = (
            *scales_px,
            *middle_px,
            self.width_px,
            self.height_px,
            EQUIRECTANGULAR,
            math.pi,
        )
        return frozen(row, np.float64)

    @cached_property
    def plain(self) -> Pinhole:
        """The pinhole that agrees with the model near its axis."""
        fx_px, fy_px, cx_px, cy_px = self.row[:4].tolist()
        return Pinhole(fx_px, fy_px, cx_px, cy_px, self.width_px, self.height_px)

    def _directions(self, uv_px: F64) -> F64:
        angles_rad = (uv_px - self.row[2:4]) / self.row[:2]
        most_rad = np.array([math.pi, math.pi / 2]) * (1 + ROUNDING)
        once: Bools = np.asarray((np.abs(angles_rad) <= most_rad).all(axis=1))
        (longitudes, latitudes), level = angles_rad.T, np.cos(angles_rad[:, 1])
        rays = np.column_stack([np.sin(longitudes) * level, np.sin(latitudes), np.cos(longitudes) * level])
        return np.where(once[:, None], rays, np.nan)
