"""The loops of the ground against plain numpy."""

import numpy as np
import pytest

from fusion.ground import _kernels, _smooth_kernels
from fusion.ground.surface import FARTHEST_M, NEAREST_M, RINGS, SECTORS, _cell_centers


def slow_polar(points: np.ndarray) -> np.ndarray:
    """Ring and sector of each point, fractional."""
    away_m = np.maximum(np.hypot(points[:, 0], points[:, 1]), NEAREST_M)
    rings = RINGS * np.log(away_m / NEAREST_M) / np.log(FARTHEST_M / NEAREST_M)
    return np.column_stack([rings, (np.arctan2(points[:, 1], points[:, 0]) + np.pi) * SECTORS / (2 * np.pi)])


def slow_height(anchors: np.ndarray, place: np.ndarray, radius: float) -> float:
    """Height at a place of the plane through anchors, by weighted least squares with a lean towards level."""
    off = anchors[:, :2] - place
    nearness = np.maximum(1 - (off**2).sum(axis=1) / radius**2, 0)
    weights = nearness**2 / (nearness**2).sum()
    middle = weights @ np.column_stack([off, anchors[:, 2]])
    centred = np.column_stack([off, anchors[:, 2]]) - middle
    normal = centred[:, :2].T @ (weights[:, None] * centred[:, :2]) + 0.01 * radius**2 * np.eye(2)
    slope = np.linalg.solve(normal, centred[:, :2].T @ (weights * centred[:, 2]))
    return float(middle[2] - middle[:2] @ slope)


@pytest.fixture(scope="module")
def hills() -> tuple[np.ndarray, np.ndarray]:
    """Anchors of a hilly ground, and which cells have one."""
    rng = np.random.default_rng(3)
    places = _cell_centers()
    anchors = np.concatenate([places, (0.05 * places[..., :1] + np.sin(places[..., 1:] / 9))], axis=2)
    return anchors, rng.random((RINGS, SECTORS)) < 0.4


def test_rings_and_sectors():
    rng = np.random.default_rng(1)
    points = rng.normal(0, 30, (20_000, 3)).astype(np.float32)
    told = _kernels.all_polar(points, RINGS, SECTORS, NEAREST_M, FARTHEST_M)
    assert np.abs(told - slow_polar(points.astype(np.float64))).max() < 2e-4


def test_points_that_are_none_lie_in_no_ring():
    points = np.array([[np.nan, 1, 0], [1, np.nan, 0], [np.inf, 0, 0]], dtype=np.float32)
    assert (_kernels.all_polar(points, RINGS, SECTORS, NEAREST_M, FARTHEST_M)[:, 0] >= RINGS).all()


@pytest.mark.parametrize(("ring", "sector", "radius"), [(30, 0, 4.0), (12, 143, 2.0), (45, 70, 9.0)])
def test_the_plane_around_a_cell(hills, ring: int, sector: int, radius: float):
    anchors, reached = hills
    places, steps = _cell_centers(), _smooth_kernels.steps_to_reached(reached)
    radii, asides = np.linalg.norm(places[:, 0], axis=1), np.zeros(RINGS, dtype=np.int64)
    rings = _smooth_kernels.window(ring, radius, radii, SECTORS, asides)
    place = places[ring, sector]
    told = _smooth_kernels.plane_height(anchors, steps, sector, place, radius, rings, asides)
    assert told == pytest.approx(slow_height(anchors[reached], place, radius), abs=1e-9)
    xs, ys, zs = (np.ascontiguousarray(anchors[reached][:, k]) for k in range(3))
    assert _smooth_kernels.plane_height_of_all(xs, ys, zs, place, radius) == pytest.approx(told, abs=1e-9)


def test_steps_lead_from_cell_to_cell_and_past_rings_without_any():
    reached = np.zeros((2, 6), dtype=bool)
    reached[0, [1, 4]] = True
    steps = _smooth_kernels.steps_to_reached(reached)
    assert steps[0].tolist() == [1, 0, 2, 1, 0, 2]
    assert (steps[1] >= 6).all()


def test_the_lowest_around():
    rng = np.random.default_rng(2)
    lows, reached = rng.normal(0, 1, (3, 20)), rng.random((3, 20)) < 0.3
    told = _kernels.lowest_around(lows, reached, 4)
    for ring in range(3):
        for sector in range(20):
            about = (sector + np.arange(-4, 5)) % 20
            assert told[ring, sector] == np.where(reached, lows, np.inf)[ring, about].min()


def test_heights_of_many_points_are_those_of_each():
    rng = np.random.default_rng(4)
    grid = rng.normal(0, 1, (RINGS, SECTORS))
    grid[rng.random(grid.shape) < 0.2] = np.nan
    polar = (rng.random((5_000, 2)) * [RINGS * 1.1, SECTORS]).astype(np.float32)
    polar[:4] = [[0, 0], [0.2, SECTORS], [RINGS - 0.01, 0.1], [3, SECTORS - 0.01]]
    points, told = rng.normal(0, 5, (5_000, 3)), np.empty(5_000)
    _kernels.heights_above(grid, points, polar, told)
    expected = [
        z - _kernels.height_of(grid, ring, sector)
        for z, (ring, sector) in zip(points[:, 2], polar, strict=True)
    ]
    assert 1_000 < np.isnan(expected).sum() < 3_000
    np.testing.assert_allclose(told, expected, atol=1e-4)
