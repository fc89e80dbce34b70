"""Where a stretch of one trip lies on another, from above, without a good first guess."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autolabel.trips.above import Above
from autolabel.trips.config import SearchConfig
from calib.se3 import SE3
from calib.types import F32, F64, Bools

AROUND_M = 45.0
APART_M, APART_RAD = 1.5, 0.03
BLUR_CELLS = 0.7
LEAST_SEEN = 0.2


@dataclass(frozen=True, eq=False, slots=True)
class Guess:
    """One place where a stretch may lie.

    Attributes:
        score: how alike both look from above, 0 to 1.
        map_from_given: by what its poses are to be corrected.
    """

    score: float
    map_from_given: SE3


def guesses(ground_plan: Above, points_given: F32, middle: F64, config: SearchConfig) -> list[Guess]:
    """Where (N, 3) points of a stretch look like what another trip saw, the likeliest first.

    The heights of what stands there are correlated at all shifts at once (Fourier), turn by turn.

    Args:
        ground_plan: of the other trip.
        points_given: of the stretch, where its own poses put them.
        middle: (3,) of the stretch's way.
        config: how far to look.
    """
    around = np.full(2, AROUND_M + config.reach_m)
    window = Above.around(middle[:2] - around, middle[:2] + around, config.cell_m)
    theirs, theirs_seen = _window(ground_plan, window, config)
    if theirs_seen.mean() == 0:
        return []
    turns_deg = np.arange(-config.turn_deg, config.turn_deg + config.step_deg / 2, config.step_deg)
    found = []
    for turn_rad in np.radians(turns_deg).tolist():
        map_from_given = _turn_about(middle, turn_rad)
        near = np.hypot(*(points_given[:, :2] - middle[:2]).T) < AROUND_M
        points = map_from_given.cloud(points_given[near])
        for score, shift in _best_shifts(window, theirs, theirs_seen, points, config):
            found.append((score, turn_rad, shift))
    guesses = []
    for score, turn_rad, shift in _apart(sorted(found, key=lambda row: -row[0]), config.peaks):
        flat_from_given = SE3(np.eye(3), np.array([*shift, 0.0])) @ _turn_about(middle, turn_rad)
        up_m = _rise(ground_plan, flat_from_given.cloud(points_given))
        map_from_flat = SE3(np.eye(3), np.array([0.0, 0.0, up_m]))
        guesses.append(Guess(score, map_from_flat @ flat_from_given))
    return guesses


def _turn_about(middle: F64, turn_rad: float) -> SE3:
    turned_from_given = SE3.from_yaw(turn_rad)
    return SE3(turned_from_given.rotation, middle - turned_from_given.rotation @ middle)


def _window(plan: Above, window: Above, config: SearchConfig) -> tuple[F32, Bools]:
    """What stands in a part of a plan, blurred, and where anything was seen."""
    from scipy.ndimage import gaussian_filter

    rows, columns = (
        np.floor((window.corner[k] + (np.arange(n) + 0.5) * window.cell_m - plan.corner[k]) / plan.cell_m)
        for k, n in enumerate(window.lows_m.shape)
    )
    inside_rows = (rows >= 0) & (rows < plan.lows_m.shape[0])
    inside_columns = (columns >= 0) & (columns < plan.lows_m.shape[1])
    tall, seen = np.zeros(window.lows_m.shape, np.float32), np.zeros(window.lows_m.shape, bool)
    cut = np.ix_(inside_rows, inside_columns)
    picked = np.ix_(rows[inside_rows].astype(int), columns[inside_columns].astype(int))
    tall[cut], seen[cut] = plan.standing_m(config)[picked], plan.seen[picked]
    return gaussian_filter(tall, BLUR_CELLS), seen


def _best_shifts(
    window: Above, theirs: F32, theirs_seen: Bools, points: F32, config: SearchConfig
) -> list[tuple[float, F64]]:
    """The shifts by which points look most like a window, with how alike that is."""
    from scipy.fft import irfft2, next_fast_len, rfft2
    from scipy.ndimage import gaussian_filter, maximum_filter

    ours = window.empty()
    ours.add(points)
    tall, seen = gaussian_filter(ours.standing_m(config), BLUR_CELLS), ours.seen
    most = round(config.reach_m / config.cell_m)
    shape = [next_fast_len(n + most, real=True) for n in tall.shape]
    tall_f, seen_f = np.conj(rfft2(tall, shape)), np.conj(rfft2(seen.astype(np.float32), shape))
    squares_f = np.conj(rfft2(tall**2, shape))
    both = irfft2(rfft2(theirs, shape) * tall_f, shape)
    theirs_2 = irfft2(rfft2(theirs**2, shape) * seen_f, shape)
    seen_too = rfft2(theirs_seen.astype(np.float32), shape)
    ours_2 = irfft2(seen_too * squares_f, shape)
    common = irfft2(seen_too * seen_f, shape)
    alike = both / np.sqrt(np.maximum(theirs_2, 1e-3) * np.maximum(ours_2, 1e-3))
    alike[common < LEAST_SEEN * max(seen.sum(), 1)] = 0
    steps = np.arange(-most, most + 1)
    near = alike[np.ix_(steps, steps)]
    near = np.where(np.hypot(*np.meshgrid(steps, steps, indexing="ij")) <= most, near, 0)
    peaks = np.argwhere((near == maximum_filter(near, 5)) & (near > 0))
    best = sorted(peaks.tolist(), key=lambda cell: -near[tuple(cell)])[: config.peaks]
    return [(float(near[i, j]), config.cell_m * steps[[i, j]].astype(float)) for i, j in best]


def _apart(found: list[tuple[float, float, F64]], most: int) -> list[tuple[float, float, F64]]:
    kept: list[tuple[float, float, F64]] = []
    for row in found:
        if len(kept) < most and not any(
            abs(row[1] - other[1]) < APART_RAD and np.hypot(*(row[2] - other[2])) < APART_M for other in kept
        ):
            kept.append(row)
    return kept


def _rise(plan: Above, points: F32) -> float:
    """By how much points are to be lifted onto the lowest heights of a plan."""
    ours = plan.empty()
    ours.add(points)
    both = ours.seen & plan.seen
    return float(np.median(plan.lows_m[both] - ours.lows_m[both])) if both.any() else 0.0
