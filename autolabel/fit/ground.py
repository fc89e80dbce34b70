"""The ground that one thing stands on, told from the lowest points around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.types import F64

AROUND_M, CELL_M = 3.0, 0.5
LEVEL_M, LEAST_CELLS, LEAST_SHARE = 0.15, 3, 0.06
ABOVE_M, BELOW_M = 0.06, 0.25
NOISE_M, SLOPE = 0.05, 0.02
ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Plane:
    """A nearly level plane: its height at the origin and its slopes along x and y."""

    height_m: float
    slope_x: float
    slope_y: float

    def at(self, places: F64) -> F64:
        """(N,) its heights at (N, 2 or more) places."""
        heights: F64 = self.height_m + places[:, 0] * self.slope_x + places[:, 1] * self.slope_y
        return heights


def ground_below(points: F64, half_lw_m: F64) -> Plane | None:
    """The ground below a thing of half a length and half a width at the origin; None without points.

    The lowest points of small cells lie on it or stand on it. It begins at the lowest level on which enough
    of them agree, below which there are but reflections; cells above it are then left out step by step.
    """
    lows = _lowest(points[(np.abs(points[:, :2]) < half_lw_m + AROUND_M).all(axis=1)])
    if len(lows) < LEAST_CELLS:
        return None
    design = np.column_stack([np.ones(len(lows)), lows[:, :2]])
    level = np.diag([1e-9, (NOISE_M / SLOPE) ** 2, (NOISE_M / SLOPE) ** 2])
    found = np.array([_level(np.sort(lows[:, 2])), 0.0, 0.0])
    for step in range(ROUNDS):
        off = lows[:, 2] - design @ found
        above_m = LEVEL_M if step < 2 else ABOVE_M
        weights = np.where(off > above_m, 1e-4, np.where(off < -BELOW_M, 1e-3, 1.0))
        weighed = design * weights[:, None]
        found = np.linalg.solve(weighed.T @ design + level, weighed.T @ lows[:, 2])
    return Plane(*(float(value) for value in found))


def _lowest(points: F64) -> F64:
    """(C, 3) the lowest point of each cell."""
    cells = np.floor(points[:, :2] / CELL_M).astype(np.int64)
    keys = cells[:, 0] * 100_003 + cells[:, 1]
    order = np.lexsort((points[:, 2], keys))
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = np.diff(keys[order]) != 0
    return np.asarray(points[order[first]])


def _level(heights_m: F64) -> float:
    """The lowest height that enough of (C,) rising heights have about."""
    needed = max(LEAST_CELLS, int(LEAST_SHARE * len(heights_m)))
    agree = np.searchsorted(heights_m, heights_m + LEVEL_M) - np.arange(len(heights_m)) >= needed
    return float(heights_m[np.argmax(agree)] + LEVEL_M / 3)
