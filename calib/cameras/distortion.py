"""Brown-Conrady distortion on the plane z = 1: where it maps one to one, and its inverse there.

A map is one to one on a convex region on which the symmetric part of its Jacobian is positive definite. Such
a region around the axis is looked for, so nothing past any fold is inside, whichever the direction. Without
tangential and prism terms it is the disc up to the first turn of the radial curve, exactly. With them it is
the largest convex region inside the first folds whose gauge (one over its radius, by direction) is a short
Fourier series. The tilt of a sensor is a homography and folds nowhere: what it cannot show is left out point
by point.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from calib.cameras.angular import Polynomial, first_positive_root
from calib.cameras.model import REGION
from calib.types import F64, Bools

HARMONICS = 6
AZIMUTHS, ANGLES = 360, 450
WIDEST_RAD = math.radians(89.9)
LEAST_STRETCH = 1e-3
SAFETY = 1e-5  # more than the linear program's tolerance
UNEVEN = [2, 3, 8, 9, 10, 11]


@dataclass(frozen=True, slots=True)
class Region:
    """A region of the plane z = 1 around the axis.

    Attributes:
        inner_radius: whatever is nearer to the axis lies inside.
        outer_radius: whatever is further lies outside.
        harmonics: between the two, a point lies inside if its radius times the gauge is at most 1. The gauge
            is the sum of harmonics[0], of harmonics[n] times the cosine and of harmonics[HARMONICS + n] times
            the sine of n times the azimuth. Empty for a disc.
    """

    inner_radius: float
    outer_radius: float
    harmonics: tuple[float, ...] = ()

    def gauge(self, plane: F64) -> F64:
        """(N,) how far out (N, 2) points lie: 0 on the axis, 1 on the border."""
        radii = np.hypot(*plane.T)
        gauges = radii / self.outer_radius
        if self.harmonics:
            series = _series(np.arctan2(plane[:, 1], plane[:, 0])) @ np.array(self.harmonics)
            gauges = np.where(radii <= self.inner_radius, gauges, np.maximum(gauges, radii * series))
        return np.asarray(gauges, dtype=np.float64)

    def write_to(self, row: F64) -> None:
        """Into the columns of a camera's row."""
        row[REGION : REGION + 2] = self.inner_radius**2, self.outer_radius**2
        row[REGION + 2 : REGION + 2 + len(self.harmonics)] = self.harmonics


def tilt_matrix(tau_x_rad: float, tau_y_rad: float) -> F64:
    """(3, 3) homography of a tilted sensor (Scheimpflug; OpenCV's 14-coefficient model)."""
    cx, sx, cy, sy = np.cos(tau_x_rad), np.sin(tau_x_rad), np.cos(tau_y_rad), np.sin(tau_y_rad)
    about_x = np.array([[1, 0, 0], [0, cx, sx], [0, -sx, cx]])
    about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    turned = about_y @ about_x
    onto_plane = np.array([[turned[2, 2], 0, -turned[0, 2]], [0, turned[2, 2], -turned[1, 2]], [0, 0, 1]])
    return np.asarray(onto_plane @ turned, dtype=np.float64)


def brown_conrady(plane: F64, coefficients: tuple[float, ...]) -> tuple[F64, F64]:
    """Distorts (N, 2) points of the plane z = 1, without tilt; also gives the (N, 2, 2) Jacobians.

    `coefficients` begin with OpenCV's k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4.
    """
    k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4 = coefficients[:12]
    x, y = plane[:, 0], plane[:, 1]
    r2 = x * x + y * y
    top, bottom = 1 + r2 * (k1 + r2 * (k2 + r2 * k3)), 1 + r2 * (k4 + r2 * (k5 + r2 * k6))
    radial = top / bottom
    d_top, d_bottom = k1 + r2 * (2 * k2 + r2 * 3 * k3), k4 + r2 * (2 * k5 + r2 * 3 * k6)
    d_radial = (d_top - radial * d_bottom) / bottom  # with respect to r2
    xd = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x) + r2 * (s1 + r2 * s2)
    yd = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y + r2 * (s3 + r2 * s4)
    prism_x, prism_y = s1 + 2 * s2 * r2, s3 + 2 * s4 * r2
    both = 2 * x * y * d_radial + 2 * p1 * x + 2 * p2 * y
    jacobians = np.empty((len(plane), 2, 2))
    jacobians[:, 0, 0] = radial + 2 * x * x * d_radial + 2 * p1 * y + 6 * p2 * x + 2 * x * prism_x
    jacobians[:, 0, 1] = both + 2 * y * prism_x
    jacobians[:, 1, 0] = both + 2 * x * prism_y
    jacobians[:, 1, 1] = radial + 2 * y * y * d_radial + 6 * p1 * y + 2 * p2 * x + 2 * y * prism_y
    return np.column_stack([xd, yd]), jacobians


@lru_cache(maxsize=256)
def region_of(coefficients: tuple[float, ...], widest_radius: float = math.inf) -> Region:
    """Where, up to a radius, Brown-Conrady maps one to one; `coefficients` are OpenCV's fourteen or none.

    Uneven terms (tangential, prism) grow without bound, so with them nothing further than 89.9 degrees from
    the axis is inside.
    """
    if not any(coefficients[:12]):
        return Region(math.inf, math.inf)
    k1, k2, _, _, k3, k4, k5, k6 = coefficients[:8]
    top, bottom = Polynomial([1, k1, k2, k3]), Polynomial([1, k4, k5, k6])
    r2 = Polynomial([0, 1])
    slope = top * bottom + 2 * r2 * (top.deriv() * bottom - top * bottom.deriv())
    turn = math.sqrt(min(first_positive_root(slope), first_positive_root(bottom)))
    if not any(coefficients[k] for k in UNEVEN):
        return Region(turn, turn)
    widest_rad = min(math.atan(min(turn * 1.5, widest_radius)), WIDEST_RAD)
    return _largest_region(_first_folds(coefficients, widest_rad), math.tan(widest_rad))


def _first_folds(coefficients: tuple[float, ...], widest_rad: float) -> F64:
    """(AZIMUTHS,) radius of the first fold in each direction: by steps outwards, then by halving one."""
    azimuths = np.linspace(0, 2 * np.pi, AZIMUTHS, endpoint=False)
    steps_rad = np.linspace(0, widest_rad, ANGLES + 1)
    good = _stretches(steps_rad[:, None], azimuths[None], coefficients)
    first_bad = np.where(good.all(axis=0), ANGLES, np.argmin(good, axis=0))
    low, high = steps_rad[np.maximum(first_bad - 1, 0)], steps_rad[first_bad]
    for _ in range(40):
        middle = (low + high) / 2
        good = _stretches(middle, azimuths, coefficients)
        low, high = np.where(good, middle, low), np.where(good, high, middle)
    return np.asarray(np.tan(low), dtype=np.float64)


def _stretches(angles_rad: F64, azimuths_rad: F64, coefficients: tuple[float, ...]) -> Bools:
    """Whether the symmetric part of the Jacobian stretches every direction, seen from the camera."""
    radii, azimuths_rad = np.broadcast_arrays(np.tan(angles_rad), azimuths_rad)
    plane = np.stack([radii * np.cos(azimuths_rad), radii * np.sin(azimuths_rad)], axis=-1).reshape(-1, 2)
    with np.errstate(all="ignore"):
        (a, b), (c, d) = brown_conrady(plane, coefficients)[1].transpose(1, 2, 0)
        least = (a + d) / 2 - np.hypot((a - d) / 2, (b + c) / 2)
        return np.asarray(least.reshape(radii.shape) * (1 + radii**2) > LEAST_STRETCH)


def _largest_region(folds: F64, widest_radius: float) -> Region:
    """The convex region inside of the folds with the smallest gauge on average.

    A gauge g is that of a convex region where g + g'' >= 0, so it is the solution of a linear program; a disc
    is always one of those that are allowed.
    """
    from scipy.optimize import linprog

    inner = max(float(folds.min()), 1e-6)
    least = inner / np.maximum(folds, inner)
    least = np.maximum(np.maximum(least, np.roll(least, 1)), np.roll(least, -1))
    series = _series(np.linspace(0, 2 * np.pi, AZIMUTHS, endpoint=False))
    order = np.append(0, np.tile(np.arange(1, HARMONICS + 1), 2))
    above_folds, convex, outside_disc = -series, series * (order**2 - 1), series
    bounds = np.concatenate([-least, np.zeros(AZIMUTHS), np.ones(AZIMUTHS)])
    cost = np.append(1.0, np.zeros(2 * HARMONICS))
    found = linprog(cost, np.concatenate([above_folds, convex, outside_disc]), bounds, bounds=(None, None)).x
    if found is None:
        return Region(inner * (1 - SAFETY), inner * (1 - SAFETY))
    harmonics = (found + SAFETY * cost) / inner
    furthest = 1 / max(float((series @ harmonics).min()), 1 / widest_radius)
    return Region(inner * (1 - 3 * SAFETY), furthest, tuple(harmonics.tolist()))


def undistort(distorted: F64, coefficients: tuple[float, ...], widest_radius: float = math.inf) -> F64:
    """Inverse of distortion and tilt; NaN where nothing within the region lands on the point.

    The tilt is undone exactly. The radial curve, read backwards, gives a first guess that lies on the right
    side of any fold; Newton's steps are halved until the residual falls.
    """
    region = region_of(coefficients, widest_radius)
    wanted = _untilted(distorted, coefficients)
    guess = _radial_guess(wanted, coefficients, region)
    with np.errstate(all="ignore"):
        value, jacobian = brown_conrady(guess, coefficients)
        residual, size = np.hypot(*(value - wanted).T), np.maximum(1.0, np.hypot(*wanted.T))
        todo = np.flatnonzero(residual > 0)
        for _ in range(60):
            if len(todo) == 0:
                break
            step = _solved(jacobian[todo], (value - wanted)[todo])
            moved, better = guess[todo] - step, np.zeros(len(todo), dtype=np.bool_)
            for halving in range(12):
                moved = np.where(better[:, None], moved, guess[todo] - step * 0.5**halving)
                tried = np.hypot(*(brown_conrady(moved, coefficients)[0] - wanted[todo]).T)
                better = (tried < residual[todo]) & (region.gauge(moved) <= 1)
                if better.all():
                    break
            todo, moved = todo[better], moved[better]
            guess[todo] = moved
            value[todo], jacobian[todo] = brown_conrady(moved, coefficients)
            residual[todo] = np.hypot(*(value[todo] - wanted[todo]).T)
            todo = todo[residual[todo] > 2e-16 * size[todo]]
        found = residual < 1e-10 * size
    return np.where((found & (region.gauge(guess) <= 1))[:, None], guess, np.nan)


def _untilted(distorted: F64, coefficients: tuple[float, ...]) -> F64:
    if coefficients[12] == 0 and coefficients[13] == 0:
        return distorted
    back = np.linalg.inv(tilt_matrix(coefficients[12], coefficients[13]))
    lifted = np.column_stack([distorted, np.ones(len(distorted))]) @ back.T
    with np.errstate(all="ignore"):
        return np.where(lifted[:, 2:] > 0, lifted[:, :2] / lifted[:, 2:], np.nan)


def _radial_guess(distorted: F64, coefficients: tuple[float, ...], region: Region) -> F64:
    """Where the radial terms alone would land on the points."""
    radii = np.tan(np.linspace(0, min(np.arctan(region.outer_radius), WIDEST_RAD), 1000))
    along_x = np.column_stack([radii, np.zeros(len(radii))])
    radial_only = tuple(0.0 if k in UNEVEN else value for k, value in enumerate(coefficients))
    with np.errstate(all="ignore"):  # the limit may be a pole
        curve = np.maximum.accumulate(np.nan_to_num(brown_conrady(along_x, radial_only)[0][:, 0]))
    length = np.hypot(*distorted.T)
    wanted = np.interp(length, curve, radii) * (1 - 1e-9)
    guess: F64 = distorted * (wanted / np.maximum(length, 1e-300))[:, None]
    return np.asarray(guess / np.maximum(region.gauge(guess) * 1.001, 1.0)[:, None], dtype=np.float64)


def _solved(jacobians: F64, residuals: F64) -> F64:
    """Newton's step; not finite where a Jacobian cannot be inverted."""
    (a, b), (c, d) = jacobians.transpose(1, 2, 0)
    x, y = residuals.T
    determinants = a * d - b * c
    return np.column_stack([(d * x - b * y) / determinants, (a * y - c * x) / determinants])


def _series(azimuths: F64) -> F64:
    """(N, 1 + 2 HARMONICS): one, cosines and sines of the multiples of an azimuth."""
    multiples = azimuths[:, None] * np.arange(1, HARMONICS + 1)
    return np.column_stack([np.ones(len(azimuths)), np.cos(multiples), np.sin(multiples)])
