"""Lens distortion on the plane z = 1: how far a model can be trusted, and its inverse."""

import numpy as np

from calib.types import F64

AZIMUTHS = 72
RADII = 400
WIDEST_R2 = np.tan(np.radians(89.0)) ** 2


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


def fold_back_r2(coefficients: F64) -> float:
    """Squared radius on the plane z = 1 up to which Brown-Conrady maps one to one.

    Without tangential and prism terms it is the first positive root of the derivative of the radial
    curve; with them, the smallest radius over all directions at which the Jacobian loses its sign.
    Infinite where the curve never folds.
    """
    k1, k2, _, _, k3, k4, k5, k6 = coefficients[:8]
    top, bottom = np.polynomial.Polynomial([1, k1, k2, k3]), np.polynomial.Polynomial([1, k4, k5, k6])
    r2 = np.polynomial.Polynomial([0, 1])
    slope = top * bottom + 2 * r2 * (top.deriv() * bottom - top * bottom.deriv())
    limit = min(_first_positive_root(slope), _first_positive_root(bottom))
    if not np.any(coefficients[[2, 3, 8, 9, 10, 11, 12, 13]]):
        return limit
    radii = np.sqrt(min(limit, WIDEST_R2)) * (np.arange(1, RADII + 1) / RADII)
    azimuths = np.linspace(0, 2 * np.pi, AZIMUTHS, endpoint=False)
    grid = radii[:, None, None] * np.stack([np.cos(azimuths), np.sin(azimuths)], axis=-1)
    with np.errstate(all="ignore"):
        _, jacobians = brown_conrady(grid.reshape(-1, 2), coefficients)
        holds = np.linalg.det(jacobians).reshape(RADII, AZIMUTHS) > 0
    folded = np.flatnonzero(~holds.all(axis=1))
    if len(folded) == 0:
        return limit
    return float(radii[folded[0] - 1] ** 2) if folded[0] > 0 else 0.0


def fold_back_theta(coefficients: F64) -> float:
    """Angle from the axis up to which the fisheye polynomial rises; at most pi."""
    k1, k2, k3, k4 = coefficients
    slope = np.polynomial.Polynomial([1, 3 * k1, 5 * k2, 7 * k3, 9 * k4])  # in theta squared
    return float(min(np.sqrt(_first_positive_root(slope)), np.pi))


def newton_undistort(distorted: F64, coefficients: F64, limit_r2: float) -> F64:
    """Inverse of `brown_conrady` within `limit_r2`; NaN where nothing within it lands on the point.

    Newton steps are halved until the residual falls, so the iteration stays on the branch it began on.
    """
    guess = distorted.copy()
    longest = np.sqrt(limit_r2)
    radius = np.linalg.norm(guess, axis=1, keepdims=True)
    guess *= np.minimum(1.0, 0.9 * longest / np.maximum(radius, 1e-12))
    with np.errstate(all="ignore"):
        value, jacobian = brown_conrady(guess, coefficients)
        residual = np.linalg.norm(value - distorted, axis=1)
        for _ in range(40):
            todo = residual > 1e-15
            if not todo.any():
                break
            step = np.linalg.solve(jacobian[todo] + 1e-300, (value - distorted)[todo][..., None])[..., 0]
            scale = np.ones(len(step))
            moved = guess[todo] - step
            for _ in range(12):
                new_value, new_jacobian = brown_conrady(moved, coefficients)
                new_residual = np.linalg.norm(new_value - distorted[todo], axis=1)
                bad = ~(new_residual < residual[todo]) | (np.sum(moved**2, axis=1) > limit_r2 * (1 + 1e-9))
                if not bad.any():
                    break
                scale[bad] /= 2
                moved = guess[todo] - scale[:, None] * step
            rows = np.flatnonzero(todo)[~bad]
            if len(rows) == 0:
                break
            guess[rows], value[rows] = moved[~bad], new_value[~bad]
            jacobian[rows], residual[rows] = new_jacobian[~bad], new_residual[~bad]
    return np.where((residual < 1e-9)[:, None], guess, np.nan)


def _first_positive_root(polynomial: np.polynomial.Polynomial) -> float:
    trimmed = polynomial.trim()
    if trimmed.degree() < 1:
        return np.inf
    roots = trimmed.roots()
    real = roots.real[(np.abs(roots.imag) < 1e-9 * np.maximum(1, np.abs(roots))) & (roots.real > 0)]
    return float(real.min(initial=np.inf))
