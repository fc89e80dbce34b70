"""The f-theta lens of NVIDIA's data sets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from calib.cameras.angular import Polynomial, first_positive_root, invert, rays_at, rising_until
from calib.cameras.model import ANGULAR, ANGULAR_INVERSE, COEFFICIENTS, ROW, SHAPE, Lens
from calib.cameras.pinhole import Pinhole
from calib.types import F64, frozen

ANGLE_TO_PX, PX_TO_ANGLE = "angle_to_px", "px_to_angle"
MOST_COEFFICIENTS = 10


@dataclass(frozen=True)
class FTheta(Lens):
    """F-theta lens (NVIDIA NCore): the distance from the centre is a polynomial of the angle from the axis.

    A pixel lies at the centre plus [[c, d], [e, 1]] times the distance times the direction of (x, y). Of the
    two polynomials, lowest power first, `reference` names the one that is exact; it is inverted numerically.
    The other is an approximation that files carry along and that is not used. WoodScape's polynomial is the
    same with "angle_to_px" and its aspect ratio as c.

    Attributes:
        cx_px: centre, in our pixels, whose centres are whole numbers (as NVIDIA stores it).
        cy_px: the same downwards.
        width_px: of the image.
        height_px: of the image.
        angle_to_px: pixels by angle in radians; 2 to 10 numbers, the first of them 0.
        px_to_angle: radians by distance in pixels; the same.
        reference: "angle_to_px" or "px_to_angle".
        linear_cde: the linear terms.
        max_angle_rad: beyond, nothing is visible.

    Raises:
        CalibrationError: a parameter that cannot be.
    """

    cx_px: float
    cy_px: float
    width_px: int
    height_px: int
    angle_to_px: tuple[float, ...] = ()
    px_to_angle: tuple[float, ...] = ()
    reference: str = ANGLE_TO_PX
    linear_cde: tuple[float, ...] = (1.0, 0.0, 0.0)
    max_angle_rad: float = math.pi

    def _check(self) -> None:
        self.require(self.reference in (ANGLE_TO_PX, PX_TO_ANGLE), "reference names one of the polynomials")
        exact = self.polynomial
        self.require(2 <= len(exact) <= MOST_COEFFICIENTS, "the reference polynomial has 2 to 10 numbers")
        self.require(exact[0] == 0, "the reference polynomial must begin with 0, for the axis has one pixel")
        self.require(exact[1] > 0, "the reference polynomial must rise")
        self.require(len(self.linear_cde) == 3, "there are three linear terms c, d and e")
        c, d, e = self.linear_cde
        self.require(c > 0 and c - d * e > 0, "the linear terms must not mirror the image")
        self.require(0 < self.max_angle_rad <= math.pi, "the largest angle lies above 0 and up to pi")

    @property
    def polynomial(self) -> tuple[float, ...]:
        """The one that is exact."""
        return self.angle_to_px if self.reference == ANGLE_TO_PX else self.px_to_angle

    @cached_property
    def _reach(self) -> float:
        """Largest argument of the exact polynomial: it rises until there and the angle is allowed."""
        rising = rising_until(self.polynomial)
        if self.reference == ANGLE_TO_PX:
            return min(rising, self.max_angle_rad)
        curve = Polynomial(self.polynomial)
        until = first_positive_root(self.max_angle_rad - curve)
        return min(rising, until)

    @cached_property
    def limit_rad(self) -> float:
        """Angle from the axis beyond which nothing is visible; at most pi."""
        if self.reference == ANGLE_TO_PX:
            return self._reach
        return min(float(Polynomial(self.polynomial)(self._reach)), self.max_angle_rad)

    @cached_property
    def row(self) -> F64:
        """The parameters as the kernels read them."""
        family = ANGULAR if self.reference == ANGLE_TO_PX else ANGULAR_INVERSE
        head = (1.0, 1.0, self.cx_px, self.cy_px, self.width_px, self.height_px, family, self.limit_rad)
        row = np.zeros(ROW)
        row[:COEFFICIENTS] = head
        row[COEFFICIENTS : COEFFICIENTS + len(self.polynomial) - 1] = self.polynomial[1:]
        row[SHAPE : SHAPE + 4] = *self.linear_cde, self._reach
        return frozen(row, np.float64)

    @cached_property
    def plain(self) -> Pinhole:
        """The pinhole that agrees with the model near its axis, but for shear."""
        slope = self.polynomial[1]
        f_px = slope if self.reference == ANGLE_TO_PX else 1 / slope
        fx_px = self.linear_cde[0] * f_px
        return Pinhole(fx_px, f_px, self.cx_px, self.cy_px, self.width_px, self.height_px)

    def _directions(self, uv_px: F64) -> F64:
        c, d, e = self.linear_cde
        pixels = uv_px - (self.cx_px, self.cy_px)
        offsets = np.column_stack([pixels[:, 0] - d * pixels[:, 1], c * pixels[:, 1] - e * pixels[:, 0]])
        offsets /= c - d * e
        distances = np.hypot(*offsets.T)
        if self.reference == ANGLE_TO_PX:
            return rays_at(offsets, invert(self.polynomial, distances, self._reach))
        angles_rad = Polynomial(self.polynomial)(distances)
        return rays_at(offsets, np.where(distances <= self._reach, angles_rad, np.nan))
