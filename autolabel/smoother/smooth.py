"""The most likely motion of an object, given all that was seen of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autolabel.smoother.measurements import Measurements
from autolabel.smoother.motion import Motion, bracket
from calib.types import F64, I64

ROUNDS = 12
FIRM_SIGMA_M, FIRM_SIGMA_RAD = 0.01, 0.005


@dataclass(frozen=True, slots=True)
class Habits:
    """How an object of its kind moves.

    Attributes:
        acceleration: white-noise acceleration, m/s^2 in a root second.
        turning: white-noise acceleration of the heading, rad/s^2 in a root second.
        slip_mps: how fast it moves across its own heading over a tenth of a second; None where it moves
            in any direction, as people do.
        pivot_m: how far behind its centre it turns about, as about a car's rear axle.
        fastest_mps: a speed that it hardly exceeds.
        rising: white-noise acceleration upwards, m/s^2 in a root second.
        outlier: deviations beyond which a measurement begins to count for little.
    """

    acceleration: float = 4.0
    turning: float = 0.3
    slip_mps: float | None = 0.3
    pivot_m: float = 0.0
    fastest_mps: float = 30.0
    rising: float = 0.3
    outlier: float = 3.0


def smooth(measurements: Measurements, times_s: F64, habits: Habits) -> Motion:
    """The most likely motion at (K,) rising instants, which may lie anywhere.

    Constant velocity and turn rate disturbed by white noise; what rolls moves along its heading, turning
    about its rear axle (bicycle model without slip). Measurements far off the motion, and jolts that the
    noise does not explain, count less (Student-t and Huber weights). Solved for all instants at once by
    Gauss-Newton on a block-tridiagonal system, which gives what an iterated Kalman filter with a
    Rauch-Tung-Striebel smoother gives. Headings must be free of half-turn flips.

    Raises:
        ValueError: there are no measurements.
    """
    from autolabel.smoother import _kernels

    if len(measurements) == 0:
        raise ValueError("a motion cannot be told from no measurements")
    wanted_s = np.asarray(times_s, dtype=np.float64)
    knots_s, of_measurement, of_wanted = _knots(measurements.times_s, wanted_s)
    seen = np.column_stack([measurements.places[:, :2], _unwrapped(measurements)])
    state = _first_guess(knots_s, measurements.times_s, seen)
    covariances = np.empty((len(knots_s), 6, 6))
    _kernels.smooth_motion(
        knots_s,
        of_measurement,
        seen,
        np.ascontiguousarray(measurements.information, dtype=np.float64),
        np.ascontiguousarray(measurements.firm),
        np.array(
            [
                habits.acceleration,
                habits.turning,
                habits.slip_mps or 0.0,
                habits.pivot_m,
                habits.fastest_mps,
                habits.outlier,
            ]
        ),
        ROUNDS,
        state,
        covariances,
    )
    heights_m, climbs_mps = _heights(knots_s, of_measurement, measurements, habits.rising)
    return Motion(
        wanted_s,
        np.column_stack([state[:, :2], heights_m])[of_wanted],
        state[of_wanted, 2],
        np.column_stack([state[:, 3:5], climbs_mps])[of_wanted],
        state[of_wanted, 5],
        covariances[of_wanted][:, :3, :3],
    )


def smooth_heights(measurements: Measurements, times_s: F64, rising: float) -> F64:
    """(K,) heights of `smooth` alone, at rising instants, for a noise of so much upwards."""
    knots_s, of_measurement, of_wanted = _knots(measurements.times_s, np.asarray(times_s, dtype=np.float64))
    return _heights(knots_s, of_measurement, measurements, rising)[0][of_wanted]


def rest(measurements: Measurements, times_s: F64, drift: float = 0.0, outlier: float = 3.0) -> Motion:
    """The pose of something that stands still, at (K,) rising instants.

    Args:
        measurements: what was seen of it.
        times_s: where it is wanted.
        drift: how far the car's own poses wander, metres (and radians per 10 m) in a root second; with 0
            there is one pose.
        outlier: as in `Habits`.

    Raises:
        ValueError: there are no measurements.
    """
    from autolabel.smoother import _kernels

    if len(measurements) == 0:
        raise ValueError("a place cannot be told from no measurements")
    wanted_s = np.asarray(times_s, dtype=np.float64)
    knots_s, of_measurement, of_wanted = _knots(measurements.times_s, wanted_s)
    if drift == 0:
        knots_s, of_measurement, of_wanted = knots_s[:1], 0 * of_measurement, 0 * of_wanted
    seen = np.column_stack([measurements.places[:, :2], _unwrapped(measurements)])
    state = np.tile(np.median(seen, axis=0), (len(knots_s), 1))
    covariances = np.empty((len(knots_s), 3, 3))
    _kernels.settle(
        knots_s,
        of_measurement,
        seen,
        np.ascontiguousarray(measurements.information, dtype=np.float64),
        np.ascontiguousarray(measurements.firm),
        np.array([drift, drift, drift / 10]),
        outlier,
        ROUNDS,
        state,
        covariances,
    )
    heights_m = _resting_heights(knots_s, of_measurement, measurements, drift)
    places = np.column_stack([state[of_wanted, :2], heights_m[of_wanted]])
    still = np.zeros((len(wanted_s), 3))
    return Motion(wanted_s, places, state[of_wanted, 2], still, still[:, 0], covariances[of_wanted])


def _unwrapped(measurements: Measurements) -> F64:
    """(M,) headings each the short way from the one before; where none was seen, between those that were."""
    told = measurements.information[:, 2, 2] > 0
    if not told.any():
        return np.zeros(len(measurements))
    yaws_rad = np.unwrap(measurements.yaws_rad[told])
    return np.asarray(np.interp(measurements.times_s, measurements.times_s[told], yaws_rad))


def _knots(seen_s: F64, wanted_s: F64) -> tuple[F64, I64, I64]:
    """All instants once, and which of them each measurement and each wanted instant is."""
    knots_s, which = np.unique(np.concatenate([seen_s, wanted_s]), return_inverse=True)
    return knots_s, which[: len(seen_s)].astype(np.int64), which[len(seen_s) :].astype(np.int64)


def _first_guess(knots_s: F64, seen_s: F64, seen: F64) -> F64:
    """(K, 6) poses evenly between measurements, and their slopes."""
    before, after, fraction = bracket(seen_s, knots_s)
    poses = seen[before] + fraction[:, None] * (seen[after] - seen[before])
    span_s = (seen_s[after] - seen_s[before])[:, None]
    rates = np.where(span_s > 1e-3, (seen[after] - seen[before]) / np.maximum(span_s, 1e-3), 0.0)
    return np.ascontiguousarray(np.hstack([poses, rates]))


def _resting_heights(knots_s: F64, of_measurement: I64, measurements: Measurements, drift: float) -> F64:
    """(K,) heights: one, or where the car's own poses wander, as smooth as those."""
    from autolabel.smoother import _kernels

    heights_m, weights = measurements.places[:, 2], 1 / measurements.height_sigmas_m**2
    middle_m = float(np.sum(weights * heights_m) / weights.sum())
    state = np.zeros((len(knots_s), 2))
    if drift > 0:
        _kernels.smooth_heights(knots_s, of_measurement, heights_m - middle_m, weights, drift, state)
    return state[:, 0] + middle_m


def _heights(knots_s: F64, of_measurement: I64, measurements: Measurements, rising: float) -> tuple[F64, F64]:
    from autolabel.smoother import _kernels

    state, height = np.zeros((len(knots_s), 2)), measurements.places[:, 2]
    weights = 1 / measurements.height_sigmas_m**2
    middle_m = float(np.mean(height))
    _kernels.smooth_heights(knots_s, of_measurement, height - middle_m, weights, rising, state)
    return state[:, 0] + middle_m, state[:, 1]
