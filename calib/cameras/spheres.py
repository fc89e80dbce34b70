"""Lenses that look at a sphere: unified, extended unified and double sphere models.

All three are one formula on a point of the unit sphere: with s = z + xi, the image on the plane is
(x, y) / (alpha * sqrt(beta * (x^2 + y^2) + s^2) + (1 - alpha) * s).
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from calib.cameras.distortion import Region, region_of, undistort
from calib.cameras.model import COEFFICIENTS, SHAPE, SPHERES, CentredLens
from calib.cameras.pinhole import Pinhole
from calib.types import F64, frozen

# Where rounding errors of a cosine would decide: 5e-8 rad from the direction that has no image.
STRAIGHT_BEHIND = -1 + 1e-15


class SphereLens(CentredLens):
    """What the three share."""

    @property
    @abstractmethod
    def _shape(self) -> tuple[float, float, float]:
        """Xi, alpha and beta of the common formula."""

    @property
    def _coefficients(self) -> tuple[float, ...]:
        return ()

    @property
    def region(self) -> Region:
        """Where on the plane the distortion maps one to one."""
        return region_of(self._coefficients, self._widest_radius)

    @property
    def _widest_radius(self) -> float:
        """On the plane; the image of the sphere is finite where xi > 1."""
        xi = self._shape[0]
        return 1 / math.sqrt(xi * xi - 1) if xi > 1 else math.inf

    @cached_property
    def _least_cosine(self) -> float:
        """Cosine of the angle from the axis up to which the sphere's image maps one to one."""
        return max(least_cosine(*self._shape), STRAIGHT_BEHIND)

    @cached_property
    def limit_rad(self) -> float:
        """Angle from the axis beyond which nothing is visible; at most pi."""
        widest_rad = math.acos(self._least_cosine)
        if math.isinf(self.region.outer_radius):
            return widest_rad
        ray = lift(np.array([[self.region.outer_radius, 0.0]]), *self._shape)[0]
        return widest_rad if np.isnan(ray[2]) else min(float(np.arctan2(ray[0], ray[2])), widest_rad)

    @cached_property
    def row(self) -> F64:
        """The parameters as the kernels read them."""
        row = self._row(SPHERES, 0.0)
        row[COEFFICIENTS : COEFFICIENTS + len(self._coefficients)] = self._coefficients
        self.region.write_to(row)
        row[SHAPE : SHAPE + 5] = *self._shape, self._least_cosine, any(self._coefficients)
        return frozen(row, np.float64)

    @cached_property
    def plain(self) -> Pinhole:
        """The pinhole that agrees with the model near its axis."""
        nearer = 1 + self._shape[0]
        fx_px, fy_px = self.fx_px / nearer, self.fy_px / nearer
        return Pinhole(fx_px, fy_px, self.cx_px, self.cy_px, self.width_px, self.height_px)

    def _directions(self, uv_px: F64) -> F64:
        plane = self._plane(uv_px)
        if any(self._coefficients):
            plane = undistort(plane, self._coefficients, self._widest_radius)
        rays = lift(plane, *self._shape)
        return np.where(rays[:, 2:] > self._least_cosine, rays, np.nan)


@dataclass(frozen=True)
class Unified(SphereLens):
    """Unified camera model (Geyer and Daniilidis, 2000; Mei and Rives, 2007), xi >= 0.

    `distortion` holds none, four (k1 k2 p1 p2) or five (+ k3) numbers of Brown and Conrady, applied on the
    plane: cv2.omnidir without skew, Kalibr's omni-none and omni-radtan.

    Raises:
        CalibrationError: a parameter that cannot be.
    """

    xi: float
    distortion: tuple[float, ...] = ()

    def _check(self) -> None:
        super()._check()
        self.require(self.xi >= 0, "xi must not be negative")
        self.require(len(self.distortion) in (0, 4, 5), "a unified model takes 0, 4 or 5 coefficients")

    @property
    def _shape(self) -> tuple[float, float, float]:
        return self.xi, 0.0, 1.0

    @property
    def _coefficients(self) -> tuple[float, ...]:
        return self.distortion + (0.0,) * (14 - len(self.distortion))


@dataclass(frozen=True)
class ExtendedUnified(SphereLens):
    """Extended unified camera model (Khomutenko, Garcia and Martinet, 2016): alpha in [0, 1], beta > 0.

    Raises:
        CalibrationError: a parameter that cannot be.
    """

    alpha: float
    beta: float

    def _check(self) -> None:
        super()._check()
        self.require(0 <= self.alpha <= 1, "alpha lies in 0 to 1")
        self.require(self.beta > 0, "beta must be positive")

    @property
    def _shape(self) -> tuple[float, float, float]:
        return 0.0, self.alpha, self.beta


@dataclass(frozen=True)
class DoubleSphere(SphereLens):
    """Double sphere camera model (Usenko, Demmel and Cremers, 2018): xi above -1 to 1, alpha in [0, 1].

    It holds wherever it maps one to one, which is a little wider than the bound that the paper gives.

    Raises:
        CalibrationError: a parameter that cannot be.
    """

    xi: float
    alpha: float

    def _check(self) -> None:
        super()._check()
        self.require(-1 < self.xi <= 1, "xi lies above -1 and up to 1")
        self.require(0 <= self.alpha <= 1, "alpha lies in 0 to 1")

    @property
    def _shape(self) -> tuple[float, float, float]:
        return self.xi, self.alpha, 1.0


def least_cosine(xi: float, alpha: float, beta: float) -> float:
    """Cosine of the angle from the axis at which the common formula has a pole or turns back.

    Seen from the centre of the second sphere, the angle psi with tan(psi) = sqrt(beta) tan(phi) is limited
    by cos(psi) > -min(alpha / (1 - alpha), (1 - alpha) / alpha): the pole and the turn of the unified model.
    """
    if xi > 1:
        return -1 / xi
    cosine = -min(alpha, 1 - alpha) / max(alpha, 1 - alpha)
    phi_rad = math.atan2(math.sqrt(max(1 - cosine**2, 0.0) / beta), cosine)
    distance = xi * math.cos(phi_rad) + math.sqrt(max(1 - (xi * math.sin(phi_rad)) ** 2, 0.0))
    return distance * math.cos(phi_rad) - xi


def lift(plane: F64, xi: float, alpha: float, beta: float) -> F64:
    """(N, 2) points of the plane to (N, 3) unit directions; NaN where none of the sphere lands there."""
    r2 = np.sum(plane**2, axis=1)
    with np.errstate(all="ignore"):
        root = np.sqrt(1 - (2 * alpha - 1) * beta * r2)
        z = (1 - alpha * alpha * beta * r2) / (alpha * root + 1 - alpha)
        reach = (z * xi + np.sqrt(z * z + (1 - xi * xi) * r2)) / (z * z + r2)
        rays = np.column_stack([plane * reach[:, None], reach * z - xi])
        return np.asarray(rays / np.linalg.norm(rays, axis=1, keepdims=True), dtype=np.float64)
