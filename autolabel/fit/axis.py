"""Which way long things without flat sides lie: along their wheels, whatever who rides them holds out."""

from __future__ import annotations

import numpy as np

from autolabel.fit.guess import Guess
from calib.types import F64

LOW, BESIDE_M = 0.65, 0.2
FEWEST, LONGER = 8, 3.0
DOUBT_RAD = np.radians(5.0)
SLIM = 2.0


def turned_along(guess: Guess, points: F64, above_m: F64) -> tuple[float, float]:
    """By how much a guess should be turned to lie along its points, and the standard deviation of that.

    Points are (N, 3) as seen from the guess. Only the low ones tell, and only those of long things.
    """
    size = guess.usual.size_lwh_m
    near = (np.abs(points[:, :2]) < size[:2] / 2 + BESIDE_M).all(axis=1) & (above_m < LOW * size[2])
    if guess.usual.flat or size[0] < SLIM * size[1] or near.sum() < FEWEST:
        return 0.0, guess.turn_rad
    off = points[near, :2] - points[near, :2].mean(axis=0)
    (xx, xy), (_, yy) = off.T @ off
    axis_rad, spread = 0.5 * np.arctan2(2 * xy, xx - yy), np.hypot(xx - yy, 2 * xy)
    if xx + yy + spread < LONGER**2 * (xx + yy - spread) or abs(axis_rad) > 3 * guess.turn_rad:
        return 0.0, guess.turn_rad
    share = guess.turn_rad**2 / (guess.turn_rad**2 + DOUBT_RAD**2)
    return float(share * axis_rad), float(DOUBT_RAD * np.sqrt(share))
