"""The motion estimator against a plain least-squares twin, exact truth, and laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from autolabel.smoother import Habits, Measurements, Motion, rest, smooth

CAR = Habits(acceleration=2.0, turning=0.5, slip_mps=0.2, pivot_m=1.4)


def residuals_of(state, knots_s, measurements, habits, slip_rounds=True):
    """All residuals of the estimator's problem, written plainly; nothing robust."""
    rows = state.reshape(-1, 6)
    count, parts = len(knots_s), []
    for k in range(count - 1):
        span_s = knots_s[k + 1] - knots_s[k]
        noise = np.array([[span_s**3 / 3, span_s**2 / 2], [span_s**2 / 2, span_s]])
        white = np.linalg.cholesky(np.linalg.inv(noise)).T
        for place, rate, density in (
            (0, 3, habits.acceleration),
            (1, 4, habits.acceleration),
            (2, 5, habits.turning),
        ):
            off = [
                rows[k + 1, place] - rows[k, place] - span_s * rows[k, rate],
                rows[k + 1, rate] - rows[k, rate],
            ]
            parts.append(white @ off / density)
    spans_s = np.diff(knots_s)
    shares_s = 0.5 * (np.append(spans_s, 0) + np.insert(spans_s, 0, 0))
    for k in range(count):
        parts.append(rows[k, 3:5] / habits.fastest_mps / np.sqrt(count))
        parts.append(rows[k, 5:] / np.sqrt(count))
        if habits.slip_mps is not None:
            c, s = np.cos(rows[k, 2]), np.sin(rows[k, 2])
            slip = -s * rows[k, 3] + c * rows[k, 4] - habits.pivot_m * rows[k, 5]
            parts.append(np.atleast_1d(slip * np.sqrt(shares_s[k] / 0.1) / habits.slip_mps))
    for m in range(len(measurements)):
        k = int(np.flatnonzero(knots_s == measurements.times_s[m])[0])
        off = np.append(measurements.places[m, :2], measurements.yaws_rad[m]) - rows[k, :3]
        values, vectors = np.linalg.eigh(measurements.information[m])
        parts.append(np.sqrt(np.maximum(values, 0)) * (vectors.T @ off))
    return np.concatenate(parts)


def circle(times_s, speed_mps=8.0, turn=0.25, pivot_m=1.4):
    """(K, 3) x y yaw of a car's centre whose rear axle rolls along a circle."""
    yaws = turn * times_s
    x, y = speed_mps / turn * np.sin(yaws), speed_mps / turn * (1 - np.cos(yaws))
    return np.column_stack([x + pivot_m * np.cos(yaws), y + pivot_m * np.sin(yaws), yaws])


def seen(times_s, poses, sigma_m=0.1, sigma_rad=0.05, seed=0, firm=False) -> Measurements:
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=poses.shape) * [sigma_m, sigma_m, sigma_rad]
    places = np.column_stack([poses[:, :2] + noise[:, :2], np.full(len(poses), 0.8)])
    return Measurements.of(times_s, places, poses[:, 2] + noise[:, 2], sigma_m, sigma_rad, firm)


@pytest.mark.parametrize("habits", [CAR, Habits(acceleration=1.5, turning=1.0, slip_mps=None)])
def test_it_is_the_least_squares_solution_and_its_covariance(habits) -> None:
    times_s = np.arange(9) * 0.1
    full = np.linalg.inv([[0.02, 0.01, 0.001], [0.01, 0.03, 0.002], [0.001, 0.002, 0.004]])
    measurements = seen(times_s, circle(times_s), firm=True, sigma_m=0.02, sigma_rad=0.01)
    measurements.information[3] = full
    wanted_s = np.sort(np.append(times_s, [0.13, 0.95]))
    motion = smooth(measurements, wanted_s, habits)
    start = np.column_stack(
        [motion.places[:, :2], motion.yaws_rad, motion.velocities[:, :2], motion.turn_rates]
    )
    twin = least_squares(
        residuals_of,
        start.ravel() + 0.01,
        args=(wanted_s, measurements, habits),
        xtol=1e-14,
        ftol=1e-14,
        gtol=1e-12,
    )
    np.testing.assert_allclose(start, twin.x.reshape(-1, 6), atol=2e-5)
    covariance = np.linalg.inv(twin.jac.T @ twin.jac)
    for k in range(len(wanted_s)):
        block = covariance[6 * k : 6 * k + 3, 6 * k : 6 * k + 3]
        np.testing.assert_allclose(motion.covariances[k], block, rtol=1e-3, atol=1e-8)


def test_a_turning_car_is_followed_better_than_it_is_seen() -> None:
    times_s = np.arange(60) * 0.1
    truth, motion_off, seen_off = circle(times_s), [], []
    for seed in range(5):
        measurements = seen(times_s, truth, seed=seed)
        motion = smooth(measurements, times_s, CAR)
        motion_off.append(np.hypot(*(motion.places[:, :2] - truth[:, :2]).T))
        seen_off.append(np.hypot(*(measurements.places[:, :2] - truth[:, :2]).T))
    assert np.mean(motion_off) < 0.6 * np.mean(seen_off)


def test_the_heading_of_a_moving_car_follows_from_its_path() -> None:
    times_s = np.arange(40) * 0.1
    truth = circle(times_s)
    measurements = seen(times_s, truth, sigma_rad=0.5)
    motion = smooth(measurements, times_s, CAR)
    assert np.degrees(np.abs(motion.yaws_rad - truth[:, 2])).mean() < 3


def test_outliers_hardly_count_but_a_person_does() -> None:
    times_s = np.arange(30) * 0.1
    poses = np.column_stack([5 * times_s, 0 * times_s, 0 * times_s])
    measurements = seen(times_s, poses, sigma_m=0.05)
    measurements.places[10, 1] += 4.0
    motion = smooth(measurements, times_s, CAR)
    assert abs(motion.places[10, 1]) < 0.05
    measurements.firm[10] = True
    measurements.information[10] = np.diag([1e4, 1e4, 1e4])
    assert abs(smooth(measurements, times_s, CAR).places[10, 1] - 4.0) < 0.05


def test_covariances_cover_what_they_say() -> None:
    """Straight motion without process surprises: the deviation of the place, in sigmas, is about one."""
    times_s, off = np.arange(40) * 0.1, []
    poses = np.column_stack([6 * times_s, 0 * times_s, 0 * times_s])
    habits = Habits(acceleration=0.5, turning=0.2, slip_mps=None)
    for seed in range(40):
        motion = smooth(seen(times_s, poses, seed=seed), times_s, habits)
        off.append((motion.places[20, 1] - poses[20, 1]) / np.sqrt(motion.covariances[20, 1, 1]))
    assert 0.5 < np.std(off) < 1.2


def test_one_sighting_is_a_motion_too() -> None:
    one = Measurements.of(np.array([1.0]), np.array([[3.0, 4.0, 1.0]]), np.array([0.3]), 0.1, 0.1)
    motion = smooth(one, np.array([0.5, 1.0, 2.0]), CAR)
    np.testing.assert_allclose(motion.places, np.tile([3.0, 4.0, 1.0], (3, 1)), atol=1e-3)
    assert motion.sigmas_m[2] > motion.sigmas_m[1]


def test_what_stands_has_one_pose() -> None:
    times_s = np.arange(50) * 0.1
    poses = np.tile([7.0, -2.0, 0.4], (50, 1))
    measurements = seen(times_s, poses)
    measurements.places[:10, 0] += 3.0
    motion = rest(measurements, times_s[::5])
    assert (motion.places == motion.places[0]).all()
    np.testing.assert_allclose([*motion.places[0, :2], motion.yaws_rad[0]], poses[0], atol=0.08)
    wandering = rest(measurements, times_s, drift=0.05)
    assert 0 < np.ptp(wandering.places[:, 1]) < 0.3


def test_between_knots_it_is_smooth() -> None:
    times_s = np.arange(20) * 0.1
    motion = smooth(seen(times_s, circle(times_s), sigma_m=0.01), times_s, CAR)
    between_s = times_s[:-1] + 0.05
    np.testing.assert_allclose(motion.at(between_s).places[:, :2], circle(between_s)[:, :2], atol=0.03)
    np.testing.assert_allclose(motion.at(times_s).places, motion.places)


@settings(max_examples=25, deadline=None)
@given(st.floats(-3, 3), st.floats(-50, 50), st.floats(-50, 50), st.integers(0, 1000))
def test_turning_the_world_turns_the_motion(angle, x, y, seed) -> None:
    times_s = np.arange(12) * 0.1
    measurements = seen(times_s, circle(times_s), seed=seed)
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    turned = Measurements(
        times_s,
        measurements.places @ turn.T + [x, y, 0],
        measurements.yaws_rad + angle,
        turn @ measurements.information @ turn.T,
        measurements.height_sigmas_m,
        measurements.firm,
    )
    here, there = smooth(measurements, times_s, CAR), smooth(turned, times_s, CAR)
    np.testing.assert_allclose(here.places @ turn.T + [x, y, 0], there.places, atol=1e-4)


def test_no_measurements_are_an_error() -> None:
    nothing = seen(np.empty(0), np.empty((0, 3)))
    for ask in (lambda: smooth(nothing, np.zeros(1), CAR), lambda: rest(nothing, np.zeros(1))):
        with pytest.raises(ValueError, match="no measurements"):
            ask()


def test_merging_keeps_the_order_of_time() -> None:
    a = seen(np.array([0.0, 0.2]), np.zeros((2, 3)))
    b = seen(np.array([0.1, 0.2]), np.ones((2, 3)))
    merged = Measurements.merged([a, b])
    assert merged.times_s.tolist() == [0.0, 0.1, 0.2, 0.2]
    assert isinstance(smooth(merged, np.array([0.1]), CAR), Motion)
