"""Points by direction: none is lost, and what lies in a box has one of the directions of that box."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calib.se3 import SE3
from fusion import _fan_kernels as kernels
from fusion.boxes import Box3D, Boxes
from fusion.fan import DIRECTIONS, SECTORS, SLOPES, by_direction, owners_of_points
from fusion.overlap import points_in_boxes

ORIGIN = np.array([1.0, -2.0, 1.8])


def cells(points: np.ndarray) -> np.ndarray:
    """The direction of each point, from its definition."""
    x, y, z = (points.astype(np.float64) - ORIGIN).T
    turn = y / (np.abs(x) + np.abs(y))
    bearing = np.where(x < 0, 2 - turn, np.where(y >= 0, turn, 4 + turn))
    slope = np.floor((z / np.hypot(x, y) - kernels.LOWEST) * kernels.PER_SLOPE) + 1
    sector = np.minimum(np.floor(bearing * SECTORS / 4), SECTORS - 1)
    return (sector * SLOPES + np.clip(slope, 0, SLOPES - 1)).astype(int)


def test_points_come_by_direction_and_as_before_within_one() -> None:
    points = np.random.default_rng(0).normal(0, [30, 30, 3], (5000, 3)).astype(np.float32)
    heights_m = np.arange(5000.0)
    places, numbers, starts = by_direction(points, heights_m, ORIGIN)
    expected = cells(points)
    np.testing.assert_array_equal(numbers, np.argsort(expected, kind="stable"))
    np.testing.assert_array_equal(places, points[numbers.astype(int)])
    np.testing.assert_array_equal(np.diff(starts), np.bincount(expected, minlength=DIRECTIONS))


def test_what_is_no_place_is_left_out() -> None:
    points = np.ones((6, 3), np.float32)
    points[1, 2], points[4, 0] = np.nan, -np.inf
    places, numbers, starts = by_direction(points, np.arange(6.0), ORIGIN)
    assert numbers.tolist() == [0, 2, 3, 5] and places.shape == (4, 3)
    assert starts[-1] == 4
    assert by_direction(points[:0], np.zeros(0), ORIGIN)[2].tolist() == [0] * (DIRECTIONS + 1)


def test_straight_above_the_lidar_is_a_direction() -> None:
    points = np.array([[1, -2, 4.8], ORIGIN], np.float32)
    assert sorted(by_direction(points, np.arange(2.0), ORIGIN)[1].tolist()) == [0, 1]


@given(seed=st.integers(0, 2**32 - 1), near=st.booleans())
def test_what_lies_in_a_box_is_found_in_its_directions(seed: int, near: bool) -> None:
    rng = np.random.default_rng(seed)
    center = ORIGIN + rng.normal(0, 3 if near else 25, 3) * [1, 1, 0.1]
    half = rng.uniform([0.2, 0.2, 0.3], [6.0, 2.0, 2.0])
    rotation = SE3.from_rotation_vector(rng.normal(0, [0.1, 0.1, 3.0])).rotation
    spots = rng.uniform(-1, 1, (300, 3)) * half
    spots[:8] = half * [[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
    points = (spots @ rotation.T + center).astype(np.float32)
    first, sectors, low, high = kernels.toward_box(
        center - ORIGIN, np.ascontiguousarray(rotation), half + 1e-4, 0.0
    )
    asked = {(first + k) % SECTORS * SLOPES + b for k in range(sectors) for b in range(low, high + 1)}
    assert set(cells(points).tolist()) <= asked


@pytest.mark.parametrize(("away_m", "most"), [(20.0, 0.01), (60.0, 0.002)])
def test_a_car_is_seen_in_few_directions(away_m: float, most: float) -> None:
    """Of all points of a sweep only those few have to be looked at."""
    half = np.array([2.3, 1.0, 0.8])
    _, sectors, low, high = kernels.toward_box(np.array([away_m, 0.0, -1.0]), np.eye(3), half, 0.0)
    assert sectors * (high - low + 1) <= most * DIRECTIONS


def test_the_last_box_owns_a_point() -> None:
    """Of what lies in two boxes the later one is told; counts are of all."""
    middles = ORIGIN + np.array([[0, 0, 0], [1, 0, 0], [9, 4, -1], [30, 0, 0]])
    boxes = Boxes.stack(Box3D.upright(middle, (2.0, 2.0, 2.0), 0.3) for middle in middles)
    rng = np.random.default_rng(0)
    about = np.concatenate([rng.uniform(-3, 3, (900, 3)) + middle for middle in middles[:3]])
    points, _, starts = by_direction(about.astype(np.float32), np.zeros(2700), ORIGIN)
    owners, counts = owners_of_points(points, starts, ORIGIN, boxes)
    inside = points_in_boxes(points, boxes)
    expected = np.full(len(points), -1)
    for number, mine in enumerate(inside):
        expected[mine] = number
    np.testing.assert_array_equal(owners, expected)
    assert counts.tolist() == [len(mine) for mine in inside]
    assert counts[3] == 0 < min(counts[2], len(np.intersect1d(inside[0], inside[1])))
    none = owners_of_points(points, starts, ORIGIN, Boxes.stack([]))
    assert (none[0] == -1).all() and len(none[1]) == 0
