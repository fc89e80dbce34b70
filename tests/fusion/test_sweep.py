"""Sweeps and their deskewing, against one exact pose a point."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib import SE3, CalibrationError, SE3Batch
from fusion import Sweep, TimeRangeError, Trajectory, deskew
from fusion.sweep import points_seen_at
from tests import reference

START_NS = 1_532_402_927_647_951_000
EGO_FROM_LIDAR = SE3.from_quaternion_wxyz((0.7, 0.02, -0.01, 0.7), (0.9, 0.1, 1.84))


def bend(speed_mps=15.0, turn_radps=0.6, seconds=0.4, step_ns=10_000_000):
    """A car on a circle, pitching a little."""
    timestamps_ns = START_NS + np.arange(-(10**8), int(seconds * 1e9), step_ns)
    t = (timestamps_ns - START_NS) / 1e9
    yaw = turn_radps * t
    radius = speed_mps / turn_radps
    places = np.column_stack([radius * np.sin(yaw), radius * (1 - np.cos(yaw)), 0.02 * np.sin(9 * t)])
    quaternions = np.column_stack([np.cos(yaw / 2), 0 * t, 0.01 * np.sin(7 * t), np.sin(yaw / 2)])
    return Trajectory(timestamps_ns, SE3Batch.from_quaternions_wxyz(quaternions, places))


def random_sweep(seed, count, first_ns, last_ns, stamps="start"):
    rng = np.random.default_rng(seed)
    return Sweep(
        "top",
        START_NS,
        (rng.normal(size=(count, 3)) * 30).astype(np.float32),
        intensity=rng.random(count).astype(np.float32),
        ring=rng.integers(0, 32, count).astype(np.int32),
        offset_ns=rng.integers(first_ns, last_ns + 1, count).astype(np.int32),
        stamps=stamps,
        deskewed=False,
    )


@settings(max_examples=25)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(
        [(0, 100_000_000), (-100_000_000, 0), (-50_000_000, 50_000_000), (7, 7), (0, 500_000), (3, 4)]
    ),
    st.floats(-2, 2).filter(lambda w: abs(w) > 1e-3),
)
def test_every_point_goes_where_its_own_pose_puts_it(seed, span_ns, turn_radps):
    sweep = random_sweep(seed, 150, *span_ns)
    drive = bend(turn_radps=turn_radps)
    ours = deskew(sweep, EGO_FROM_LIDAR, drive)
    exact = reference.deskew(sweep.points, sweep.offset_ns, START_NS, EGO_FROM_LIDAR, drive)
    reach_m = np.linalg.norm(sweep.points, axis=1).max()
    np.testing.assert_allclose(ours.points, exact, rtol=0, atol=2e-6 * reach_m + 1e-4)
    assert ours.deskewed
    for name in ("intensity", "ring", "offset_ns"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(sweep, name))


def test_a_standing_wall_is_flat_again():
    drive = bend(speed_mps=20.0, turn_radps=0.3)
    rng = np.random.default_rng(0)
    wall_world = np.column_stack(
        [np.full(2_000, 25.0), rng.uniform(-10, 10, 2_000), rng.uniform(0, 4, 2_000)]
    )
    offset_ns = np.linspace(0, 100_000_000, 2_000).astype(np.int32)
    world_from_lidar_at_points = drive.at_many(START_NS + offset_ns.astype(np.int64)) @ EGO_FROM_LIDAR
    points = (world_from_lidar_at_points.inverse() @ wall_world).astype(np.float32)
    skewed = Sweep("top", START_NS, points, offset_ns=offset_ns, deskewed=False)
    world_from_lidar = drive.at(START_NS) @ EGO_FROM_LIDAR
    blurred = world_from_lidar @ skewed.points
    sharp = world_from_lidar @ deskew(skewed, EGO_FROM_LIDAR, drive).points
    assert np.abs(blurred[:, 0] - 25).max() > 1.0
    np.testing.assert_allclose(sharp, wall_world, rtol=0, atol=1e-4)


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(-60_000_000, 160_000_000), st.booleans())
def test_points_are_taken_to_any_instant_from_their_own(seed, late_ns, already_deskewed):
    drive, sweep = bend(), random_sweep(seed, 100, 0, 100_000_000)
    exact = reference.deskew(sweep.points, sweep.offset_ns, START_NS, EGO_FROM_LIDAR, drive)
    world_from_lidar = drive.at(START_NS) @ EGO_FROM_LIDAR
    expected = (drive.at(START_NS + late_ns) @ EGO_FROM_LIDAR).inverse() @ (world_from_lidar @ exact)
    given_sweep = deskew(sweep, EGO_FROM_LIDAR, drive) if already_deskewed else sweep
    found = points_seen_at(given_sweep, EGO_FROM_LIDAR, drive, START_NS + late_ns)
    reach_m = np.linalg.norm(sweep.points, axis=1).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6 * reach_m + 1e-4)


def test_what_is_deskewed_or_has_no_times_comes_back_as_it_is():
    points = np.ones((3, 3), np.float32)
    drive = Trajectory.standing([0])  # covers none of these sweeps
    for sweep in (
        Sweep("top", START_NS, points, offset_ns=np.zeros(3, np.int32), deskewed=True),
        Sweep("top", START_NS, points, deskewed=False),
        Sweep("top", START_NS, points[:0], offset_ns=np.zeros(0, np.int32), deskewed=False),
    ):
        assert deskew(sweep, EGO_FROM_LIDAR, drive) is sweep


def test_a_point_outside_of_the_trajectory_is_an_error_not_a_guess():
    sweep = random_sweep(0, 10, 0, 100_000_000)
    short = Trajectory.standing(START_NS + np.array([0, 50_000_000]))
    with pytest.raises(TimeRangeError):
        deskew(sweep, EGO_FROM_LIDAR, short)


@pytest.mark.parametrize("name", ["intensity", "ring", "offset_ns"])
def test_columns_must_be_as_long_as_the_points(name):
    with pytest.raises(CalibrationError, match=f"3 points has 2 values of {name}"):
        Sweep("top", 0, np.zeros((3, 3), np.float32), **{name: np.zeros(2)})


@pytest.mark.parametrize("shape", [(3,), (3, 4), (2, 3, 3)])
def test_points_must_have_three_coordinates(shape):
    with pytest.raises(CalibrationError, match="shape"):
        Sweep("top", 0, np.zeros(shape, np.float32))


def test_keeping_some_points_keeps_their_columns():
    sweep = random_sweep(1, 20, 0, 100)
    kept = sweep.keep(sweep.ring > 10)
    assert 0 < len(kept) < 20
    for name in ("points", "intensity", "ring", "offset_ns"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(sweep, name)[sweep.ring > 10])
    np.testing.assert_array_equal(sweep.keep(np.array([3, 1])).ring, sweep.ring[[3, 1]])
