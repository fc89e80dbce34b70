"""The car's way: interpolation between poses, and nothing beyond its ends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation, Slerp

from calib import SE3, CalibrationError, SE3Batch
from fusion import TimeRangeError, Trajectory

START_NS = 1_532_402_927_647_951_123
laws = settings(max_examples=40)


def random_drive(seed, count):
    rng = np.random.default_rng(seed)
    timestamps_ns = START_NS + np.cumsum(rng.integers(1, 200_000_000, count))
    world_from_ego = SE3Batch.from_quaternions_wxyz(
        rng.normal(size=(count, 4)), rng.normal(size=(count, 3)) * 100
    )
    return Trajectory(timestamps_ns, world_from_ego)


@laws
@given(st.integers(0, 2**32 - 1), st.integers(1, 20))
def test_at_its_own_instants_it_is_what_was_put_in(seed, count):
    drive = random_drive(seed, count)
    for timestamp_ns, world_from_ego in zip(drive.timestamps_ns, drive.world_from_ego, strict=True):
        assert drive.at(int(timestamp_ns)).is_close(world_from_ego, atol=1e-9)
        assert drive.covers(int(timestamp_ns))


@laws
@given(st.integers(0, 2**32 - 1), st.integers(2, 20))
def test_between_it_moves_evenly_and_turns_as_scipy_does(seed, count):
    drive, rng = random_drive(seed, count), np.random.default_rng(seed + 1)
    wanted = rng.integers(drive.start_ns, drive.end_ns + 1, 30)
    since_ns = (drive.timestamps_ns - drive.start_ns).astype(float)
    turns = Slerp(since_ns, Rotation.from_matrix(drive.world_from_ego.rotations))
    moved = drive.at_many(wanted)
    places = drive.world_from_ego.translations
    for k in range(3):
        expected = np.interp((wanted - drive.start_ns).astype(float), since_ns, places[:, k])
        np.testing.assert_allclose(moved.translations[:, k], expected, rtol=0, atol=1e-8)
    expected = turns((wanted - drive.start_ns).astype(float)).as_matrix()
    np.testing.assert_allclose(moved.rotations, expected, rtol=0, atol=1e-7)


def test_poses_a_nanosecond_apart_in_this_century_are_told_apart():
    places = np.array([[0.0, 0, 0], [1.0, 0, 0], [2.0, 0, 0]])
    drive = Trajectory(START_NS + np.array([0, 1, 3]), SE3Batch(np.tile(np.eye(3), (3, 1, 1)), places))
    found = drive.at_many(START_NS + np.array([3, 2, 1, 0])).translations[:, 0]
    np.testing.assert_array_equal(found, [2.0, 1.5, 1.0, 0.0])


def test_a_turn_goes_the_short_way_round():
    world_from_ego = SE3Batch.stack([SE3.from_yaw(3.0), SE3.from_yaw(-3.0)])
    middle = Trajectory(np.array([0, 100]), world_from_ego).at(50)
    assert abs(middle.yaw_rad) == pytest.approx(np.pi, abs=1e-12)


@pytest.mark.parametrize("late_ns", [-1, 2_000_000_001, -(10**18), 10**18])
def test_outside_of_it_there_is_no_pose(late_ns):
    drive = Trajectory.standing(START_NS + np.array([0, 10**9, 2 * 10**9]))
    assert not drive.covers(START_NS + late_ns)
    with pytest.raises(TimeRangeError, match=f"{late_ns / 1e9:.3f} s .*covers 0 s to 2.000 s"):
        drive.at(START_NS + late_ns)
    with pytest.raises(TimeRangeError):
        drive.at_many(START_NS + np.array([0, late_ns]))


def test_one_pose_covers_one_instant():
    drive = Trajectory.standing([START_NS])
    assert drive.at(START_NS).is_close(SE3.identity())
    assert len(drive.at_many(np.array([], dtype=np.int64))) == 0
    with pytest.raises(TimeRangeError):
        drive.at(START_NS + 1)


@pytest.mark.parametrize("times", [[], [0, 0], [1, 0], [0, 1, 2]])
def test_times_must_rise_and_fit_the_poses(times):
    poses = SE3Batch(np.tile(np.eye(3), (2, 1, 1)), np.zeros((2, 3)))
    with pytest.raises(CalibrationError):
        Trajectory(np.array(times, dtype=np.int64), poses)
