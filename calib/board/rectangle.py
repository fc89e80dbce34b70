"""A rectangle of known size laid over the points of a plane."""

from __future__ import annotations

import numpy as np

from calib.board.description import Board
from calib.types import F64

ANGLES = 60
SOFT_M = 0.02


def outside(places: F64, width_m: float, height_m: float) -> F64:
    """(N,) distance of (N, 2) places from a centred rectangle's outline, negative inside."""
    beyond = np.abs(places) - np.array([width_m, height_m]) / 2
    return np.asarray(np.linalg.norm(np.maximum(beyond, 0), axis=1) + np.minimum(beyond.max(axis=1), 0))


def outward(places: F64, width_m: float, height_m: float) -> F64:
    """(N, 2) unit normals of the nearest side of a centred rectangle: the gradient of `outside`."""
    beyond: F64 = np.abs(places) - np.array([width_m, height_m]) / 2
    corner = (beyond > 0).all(axis=1, keepdims=True)
    side = np.eye(2)[np.argmax(beyond, axis=1)]
    diagonal = beyond / np.maximum(np.linalg.norm(beyond, axis=1, keepdims=True), 1e-12)
    return np.asarray(np.where(places < 0, -1.0, 1.0) * np.where(corner, diagonal, side))


def laid_over(places: F64, ends: F64, board: Board) -> tuple[F64, float]:
    """The rectangle of the board's size that fits points of a plane best.

    Args:
        places: (N, 2) points on the plane.
        ends: (E, 2) where rings leave the board.
        board: its size.

    Returns:
        (3,) centre and angle of the width's direction, and the median distance of the ends from the outline.
    """
    from scipy.optimize import least_squares

    start = _by_extent(places, board)

    def misfit(values: F64) -> F64:
        return outside(_in_rectangle(ends, values), board.width_m, board.height_m)

    best = least_squares(misfit, start, loss="soft_l1", f_scale=SOFT_M)
    return np.asarray(best.x), float(np.median(np.abs(misfit(best.x))))


def _by_extent(places: F64, board: Board) -> F64:
    """Centre and angle at which the extent of points is most like the board's."""
    angles = np.linspace(0, np.pi, ANGLES, endpoint=False)
    c, s = np.cos(angles), np.sin(angles)
    axes = np.stack([np.column_stack([c, s]), np.column_stack([-s, c])])
    along = places @ axes.transpose(0, 2, 1)  # (2, N, ANGLES)
    low, high = np.percentile(along, 1, axis=1), np.percentile(along, 99, axis=1)
    misfit = np.abs(high - low - np.array([[board.width_m], [board.height_m]])).sum(axis=0)
    best = int(np.argmin(misfit))
    middle = (low + high)[:, best] / 2
    return np.append(middle @ axes[:, best], angles[best])


def _in_rectangle(places: F64, values: F64) -> F64:
    c, s = np.cos(values[2]), np.sin(values[2])
    return np.asarray((places - values[:2]) @ np.array([[c, -s], [s, c]]))
