"""How high a thing is, and how high it stands."""

from __future__ import annotations

import numpy as np

from autolabel.fit.usual import Usual
from calib.types import F64

GAP_M, HIGHEST = 0.45, 0.995
SKIN_M, PER_M = 0.02, 0.0015
DOUBT_M, DOUBT_PER_M = 0.04, 0.001
TOO_LOW = 2.0


def top_of(above_m: F64, usual: Usual, away_m: float) -> float:
    """Height above the ground of the top of a thing from those of its points.

    What hangs above it, with nothing in between, is not part of it; between two beams it is a little higher
    than its highest point.
    """
    rising = np.sort(above_m)
    high = rising[1:] > usual.size_lwh_m[2] + usual.spread_m[2]
    gaps = np.flatnonzero((np.diff(rising) > GAP_M) & high)
    if len(gaps):
        rising = rising[: gaps[0] + 1]
    return float(np.quantile(rising, HIGHEST)) + SKIN_M + PER_M * away_m


def stands_between(top_m: float, usual: Usual, away_m: float) -> tuple[float, float]:
    """Heights above the ground that was found, of the bottom and the top of a thing.

    Where that makes it lower than such things are, the ground was not seen, only something upon it.
    """
    height_m, spread_m = float(usual.size_lwh_m[2]), float(usual.spread_m[2])
    doubt_m = DOUBT_M + DOUBT_PER_M * away_m
    ground_doubt_m = np.hypot(doubt_m, max(0.0, height_m - TOO_LOW * spread_m - top_m))
    doubts = np.array([ground_doubt_m, doubt_m, spread_m])
    design = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 1.0]]) / doubts[:, None]
    wanted = np.array([0.0, top_m, height_m]) / doubts
    bottom_m, upper_m = np.linalg.lstsq(design, wanted, rcond=None)[0]
    return float(bottom_m), float(upper_m)
