"""Lens distortion on the plane z = 1: how far a model can be trusted, and its inverse."""

from functools import lru_cache

import numpy as np

from calib.types import F64

AZIMUTHS, ANGLES = 120, 720
WIDEST_RAD = np.radians(89.0)
LEAST_STRETCH = 1e-3
TANGENTIAL = [2, 3, 8, 9, 10, 11, 12, 13]
Polynomial = np.polynomial.Polynomial


def tilt_matrix(tau_x_rad: float, tau_y_rad: float) -> F64:
    """(3, 3) homography of a tilted sensor (Scheimpflug; OpenCV's 14-coefficient model)."""
    cx, sx, cy, sy = np.cos(tau_x_rad), np.sin(tau_x_rad), np.cos(tau_y_rad), np.sin(tau_y_rad)
    about_x = np.array([[1, 0, 0], [0, cx, sx], [0, -sx, cx]])
    about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    turned = about_y @ about_x
    onto_plane = np.array([[turned[2, 2], 0, -turned[0, 2]], [0, turned[2, 2], -turned[1, 2]], [0, 0, 1]])
    return np.asarray(onto_plane @ turned, dtype=np.float64)


def brown_conrady(plane: F64, coefficients: F64) -> tuple[F64, F64]:
    """Distorts (N, 2) points of the plane z = 1; also gives the (N, 2, 2) Jacobians.

    `coefficients` are OpenCV's fourteen: k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4 tau_x tau_y.
    """
    k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4, tau_x, tau_y = coefficients
    x, y = plane[:, 0], plane[:, 1]
    r2 = x * x + y * y
    top, bottom = 1 + r2 * (k1 + r2 * (k2 + r2 * k3)), 1 + r2 * (k4 + r2 * (k5 + r2 * k6))
    radial = top / bottom
    d_top, d_bottom = k1 + r2 * (2 * k2 + r2 * 3 * k3), k4 + r2 * (2 * k5 + r2 * 3 * k6)
    d_radial = (d_top - radial * d_bottom) / bottom  # with respect to r2
    xd = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x) + r2 * (s1 + r2 * s2)
    yd = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y + r2 * (s3 + r2 * s4)
    prism_x, prism_y = s1 + 2 * s2 * r2, s3 + 2 * s4 * r2
    jacobian = np.empty((len(plane), 2, 2))
    jacobian[:, 0, 0] = radial + 2 * x * x * d_radial + 2 * p1 * y + 6 * p2 * x + 2 * x * prism_x
    jacobian[:, 0, 1] = 2 * x * y * d_radial + 2 * p1 * x + 2 * p2 * y + 2 * y * prism_x
    jacobian[:, 1, 0] = 2 * x * y * d_radial + 2 * p1 * x + 2 * p2 * y + 2 * x * prism_y
    jacobian[:, 1, 1] = radial + 2 * y * y * d_radial + 6 * p1 * y + 2 * p2 * x + 2 * y * prism_y
    distorted = np.column_stack([xd, yd])
    if tau_x == 0 and tau_y == 0:
        return distorted, jacobian
    homography = tilt_matrix(tau_x, tau_y)
    lifted = np.column_stack([distorted, np.ones(len(plane))]) @ homography.T
    w = lifted[:, 2:]
    tilted = lifted[:, :2] / w
    d_tilted = (homography[None, :2, :2] - tilted[:, :, None] * homography[None, 2:, :2]) / w[:, :, None]
    return tilted, d_tilted @ jacobian


@lru_cache(maxsize=256)
def fold_back_r2(coefficients: tuple[float, ...]) -> float:
    """Squared radius on the plane z = 1 up to which Brown-Conrady, all fourteen numbers, maps one to one.

    Without tangential, prism and tilt terms it is the first positive root of the derivative of the radial
    curve, infinite where there is none; with them, the smallest radius over all directions, at most 89
    degrees from the axis, at which the Jacobian comes near to losing its sign.
    """
    k1, k2, _, _, k3, k4, k5, k6 = coefficients[:8]
    top, bottom = Polynomial([1, k1, k2, k3]), Polynomial([1, k4, k5, k6])
    r2 = Polynomial([0, 1])
    slope = top * bottom + 2 * r2 * (top.deriv() * bottom - top * bottom.deriv())
    limit = min(_first_positive_root(slope), _first_positive_root(bottom))
    if not any(coefficients[k] for k in TANGENTIAL):
        return limit
    widest_rad = min(float(np.arctan(np.sqrt(limit))), float(WIDEST_RAD))
    return float(np.tan(_smallest_fold_rad(np.array(coefficients), widest_rad)) ** 2)


def _smallest_fold_rad(coefficients: F64, widest_rad: float) -> float:
    """Angle from the axis of the first fold: by steps outwards, then by halving between two steps."""
    azimuths = np.linspace(0, 2 * np.pi, AZIMUTHS, endpoint=False)
    steps_rad = np.linspace(0, widest_rad, ANGLES + 1)
    good = _stretches(steps_rad[:, None], azimuths[None], coefficients)
    first_bad = np.where(good.all(axis=0), ANGLES, np.argmin(good, axis=0))
    low, high = steps_rad[np.maximum(first_bad - 1, 0)], steps_rad[first_bad]
    for _ in range(40):
        middle = (low + high) / 2
        good = _stretches(middle, azimuths, coefficients)
        low, high = np.where(good, middle, low), np.where(good, high, middle)
    folds = np.append(low, low[0])
    return max(
        float(low.min() - np.abs(np.diff(folds)).max() / 4), 0.0
    )  # a fold may lie between two azimuths


def _stretches(angles_rad: F64, azimuths_rad: F64, coefficients: F64) -> np.ndarray:
    """Whether the image of a small patch of the sphere of rays has an area, and the right way round."""
    radii, azimuths_rad = np.broadcast_arrays(np.tan(angles_rad), azimuths_rad)
    plane = np.stack([radii * np.cos(azimuths_rad), radii * np.sin(azimuths_rad)], axis=-1).reshape(-1, 2)
    with np.errstate(all="ignore"):
        _, jacobians = brown_conrady(plane, coefficients)
        areas = _determinants(jacobians).reshape(radii.shape) * (1 + radii**2) ** 1.5
        return np.asarray(areas > LEAST_STRETCH)


def fold_back_theta(coefficients: F64) -> float:
    """Angle from the axis up to which the fisheye polynomial rises; at most pi."""
    k1, k2, k3, k4 = coefficients
    slope = Polynomial([1, 3 * k1, 5 * k2, 7 * k3, 9 * k4])  # in theta squared
    return float(min(np.sqrt(_first_positive_root(slope)), np.pi))


def undistort_brown(distorted: F64, coefficients: F64, limit_r2: float) -> F64:
    """Inverse of `brown_conrady` within `limit_r2`; NaN where nothing within it lands on the point.

    The tilt is undone exactly. The radial curve, read backwards, gives a first guess that lies on the right
    side of any fold; Newton steps are halved until the residual falls.
    """
    untilted, flat = _untilted(distorted, coefficients), np.append(coefficients[:12], (0.0, 0.0))
    guess = _radial_guess(untilted, flat, limit_r2)
    with np.errstate(all="ignore"):
        value, jacobian = brown_conrady(guess, flat)
        residual = np.linalg.norm(value - untilted, axis=1)
        todo = np.flatnonzero(residual > 0)
        for _ in range(60):
            if len(todo) == 0:
                break
            step = _solved(jacobian[todo], (value - untilted)[todo])
            moved, better = guess[todo] - step, np.zeros(len(todo), dtype=np.bool_)
            for halving in range(12):
                moved = np.where(better[:, None], moved, guess[todo] - step * 0.5**halving)
                tried = np.linalg.norm(brown_conrady(moved, flat)[0] - untilted[todo], axis=1)
                better = (tried < residual[todo]) & (np.sum(moved**2, axis=1) <= limit_r2)
                if better.all():
                    break
            todo, moved = todo[better], moved[better]
            guess[todo] = moved
            value[todo], jacobian[todo] = brown_conrady(moved, flat)
            residual[todo] = np.linalg.norm(value[todo] - untilted[todo], axis=1)
    found = residual < 1e-9 * np.maximum(1.0, np.linalg.norm(untilted, axis=1))
    return np.where(found[:, None], guess, np.nan)


def _untilted(distorted: F64, coefficients: F64) -> F64:
    if coefficients[12] == 0 and coefficients[13] == 0:
        return distorted
    back = np.linalg.inv(tilt_matrix(coefficients[12], coefficients[13]))
    lifted = np.column_stack([distorted, np.ones(len(distorted))]) @ back.T
    with np.errstate(all="ignore"):
        plane: F64 = lifted[:, :2] / lifted[:, 2:]
    return plane


def _radial_guess(distorted: F64, coefficients: F64, limit_r2: float) -> F64:
    radii = np.tan(np.linspace(0, min(np.arctan(np.sqrt(limit_r2)), np.radians(89.9)), 1000))
    along_x = np.column_stack([radii, np.zeros(len(radii))])
    radial_only = np.where(np.isin(np.arange(14), TANGENTIAL), 0.0, coefficients)
    with np.errstate(all="ignore"):  # the limit may be a pole
        curve = np.maximum.accumulate(np.nan_to_num(brown_conrady(along_x, radial_only)[0][:, 0]))
    length = np.linalg.norm(distorted, axis=1)
    wanted = np.interp(length, curve, radii) * (1 - 1e-9)
    guess: F64 = distorted * (wanted / np.maximum(length, 1e-300))[:, None]
    return guess


def _solved(jacobians: F64, residuals: F64) -> F64:
    """Newton's step; not finite where a Jacobian cannot be inverted."""
    (a, b), (c, d) = jacobians.transpose(1, 2, 0)
    x, y = residuals.T
    determinants = _determinants(jacobians)
    return np.column_stack([(d * x - b * y) / determinants, (a * y - c * x) / determinants])


def _determinants(jacobians: F64) -> F64:
    (a, b), (c, d) = jacobians.transpose(1, 2, 0)
    product: F64 = a * d - b * c
    return product


def undistort_fisheye(theta_d: F64, coefficients: F64, theta_max: float) -> F64:
    """Angles from the axis of distorted ones (Kannala and Brandt, 2006); NaN beyond `theta_max`."""
    k1, k2, k3, k4 = coefficients
    curve = Polynomial([0, 1, 0, k1, 0, k2, 0, k3, 0, k4])
    slope = curve.deriv()
    samples = np.linspace(0, theta_max, 1000)
    theta = np.interp(theta_d, np.maximum.accumulate(curve(samples)), samples)
    with np.errstate(all="ignore"):
        for _ in range(20):
            step = (curve(theta) - theta_d) / slope(theta)
            theta = np.clip(theta - np.nan_to_num(step), 0.0, theta_max)
        return np.asarray(np.where(np.abs(curve(theta) - theta_d) < 1e-9, theta, np.nan), dtype=np.float64)


def _first_positive_root(polynomial: Polynomial) -> float:
    """Of a polynomial that is 1 at zero; infinite if there is none.

    In the inverse of the unknown it begins with that 1, so small coefficients of high powers do no harm.
    """
    inverses = np.roots(polynomial.coef)
    real = inverses.real[(np.abs(inverses.imag) < 1e-7 * np.abs(inverses)) & (inverses.real > 0)]
    largest = float(real.max(initial=0.0))
    return 1 / largest if largest > 1e-300 else np.inf
