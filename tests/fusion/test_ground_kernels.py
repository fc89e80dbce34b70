"""The loops of the ground against plain numpy."""

import numpy as np
import pytest

from fusion.ground import _grow_kernels, _kernels, _smooth_kernels
from fusion.ground.surface import FARTHEST_M, NEAREST_M, RINGS, SECTORS, _cell_centers

GRID = RINGS, SECTORS, NEAREST_M, FARTHEST_M


def slow_polar(points: np.ndarray) -> np.ndarray:
    """Ring and sector of each point, fractional."""
    away_m = np.maximum(np.hypot(points[:, 0], points[:, 1]), NEAREST_M)
    rings = RINGS * np.log(away_m / NEAREST_M) / np.log(FARTHEST_M / NEAREST_M)
    return np.column_stack([rings, (np.arctan2(points[:, 1], points[:, 0]) + np.pi) * SECTORS / (2 * np.pi)])


def points_at(polar: np.ndarray, heights_m: np.ndarray) -> np.ndarray:
    """(N, 3) points of which `slow_polar` tells these rings and sectors."""
    away_m = NEAREST_M * (FARTHEST_M / NEAREST_M) ** (polar[:, 0] / RINGS)
    azimuths = polar[:, 1] * (2 * np.pi / SECTORS) - np.pi
    return np.column_stack([away_m * np.cos(azimuths), away_m * np.sin(azimuths), heights_m])


def quick_polar(points: np.ndarray) -> np.ndarray:
    scales = _kernels.scales_of(*GRID)
    return np.array([_kernels.quick_polar(x, y, scales) for x, y in points[:, :2]])


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


@pytest.fixture(scope="module")
def rough() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Heights of cells with steps, pits and holes; which are known; the middles of the cells."""
    rng = np.random.default_rng(6)
    lows = rng.normal(0, 0.2, (24, 36)) + np.where(np.arange(24) > 14, 2.5, 0)[:, None]
    lows += np.repeat(rng.choice([0, 0.6], (6, 36)), 4, axis=0)
    lows[rng.random(lows.shape) < 0.05] -= 3
    away_m, azimuths = 3 * 1.07 ** np.arange(24), np.arange(36) * (2 * np.pi / 36)
    places = away_m[:, None, None] * np.column_stack([np.cos(azimuths), np.sin(azimuths)])
    return lows, rng.random(lows.shape) < 0.6, places


def steep(lows: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(C, C) which cells rise too much over others."""
    rise = lows.ravel() - lows.ravel()[:, None]
    off = places.reshape(-1, 1, 2) - places.reshape(-1, 2)
    return rise > 0.18 + 0.12 * np.hypot(off[..., 0], off[..., 1])


def nearby(shape: tuple[int, int], rings_around: int, sectors_around: int) -> np.ndarray:
    """(C, C) which cells lie so few rings and sectors apart."""
    ring, sector = np.divmod(np.arange(shape[0] * shape[1]), shape[1])
    turn = np.abs(sector[:, None] - sector)
    turn = np.minimum(turn, shape[1] - turn)
    return (np.abs(ring[:, None] - ring) <= rings_around) & (turn <= sectors_around)


def test_rings_and_sectors():
    rng = np.random.default_rng(1)
    points = rng.normal(0, 30, (20_000, 3)).astype(np.float32)
    polar = slow_polar(points.astype(np.float64))
    assert np.abs(quick_polar(points) - polar).max() < 2e-4
    inside = (polar[:, 0] > 0) & (polar[:, 0] < RINGS)
    cells = np.where(inside, polar.astype(np.int64) @ [SECTORS, 1], -1)
    told, on_border = _kernels.cells_of(points, *GRID), (np.abs(polar - np.round(polar)) < 2e-4).any(axis=1)
    assert (told == cells)[~on_border].all()
    assert 0 < (told < 0).sum() < 1_000


def test_points_that_are_none_lie_in_no_ring():
    points = np.array(
        [[np.nan, 1, 0], [1, np.nan, 0], [np.inf, 0, 0], [9, 9, np.nan], [9, 9, np.inf]], np.float32
    )
    assert (quick_polar(points[:3])[:, 0] >= RINGS).all()
    assert (_kernels.cells_of(points, *GRID) == -1).all()


def test_straight_behind_is_a_sector_too():
    points = np.array([[-9, 0, 0], [-9, -0.0, 0], [-9, 1e-9, 0], [-9, -1e-9, 0]], dtype=np.float32)
    assert set(_kernels.cells_of(points, *GRID) % SECTORS) <= {0, SECTORS - 1}
    told = np.empty(4)
    _kernels.heights_above(np.ones((RINGS, SECTORS)), points, NEAREST_M, FARTHEST_M, told)
    np.testing.assert_array_equal(told, -1)


def test_the_low_heights_of_cells():
    rng = np.random.default_rng(7)
    counts = np.concatenate(
        [[0, 1, 2, 11, 12, 24, 71, 72, 73, 1_000, 0, 300, 300], rng.integers(60, 250, 87)]
    )
    cells = np.repeat(np.arange(len(counts)), counts)
    points = rng.normal(0, 3, (len(cells), 3)).astype(np.float32)
    points[cells == 11, 2] = 1.5
    points[cells == 12, 2] = np.round(points[cells == 12, 2])
    order = rng.permutation(len(cells))
    cells[rng.random(len(cells)) < 0.1] = -1
    heights, starts = _kernels.sort_heights(points[order], cells[order].astype(np.int32), len(counts))
    told = np.empty((4, 25))
    _kernels.low_heights(heights, starts, told)
    for c, low in enumerate(told.flat):
        here = np.sort(points[cells == c, 2])
        assert starts[c + 1] - starts[c] == len(here)
        assert np.isnan(low) if len(here) == 0 else low == here[len(here) // 12]


def test_the_plane_that_most_places_lie_on():
    rng = np.random.default_rng(8)
    xs, ys = rng.uniform(-14, 14, (2, 300))
    zs = 0.1 * xs - 0.05 * ys + 2 + rng.normal(0, 0.05, 300) + np.where(rng.random(300) < 0.4, 1.5, 0)
    triples = rng.integers(0, 300, (60, 3))
    best, most = None, -1
    for corners in [None, *triples]:
        plane = np.array([0, 0, np.sort(zs)[150]])
        if corners is not None:
            corner = np.column_stack([xs, ys, zs])[corners]
            if len(set(corners)) < 3:
                continue
            plane = np.linalg.solve(np.column_stack([corner[:, :2], np.ones(3)]), corner[:, 2])
        count = (np.abs(zs - xs * plane[0] - ys * plane[1] - plane[2]) < 0.12).sum()
        if np.hypot(*plane[:2]) < 0.4 and count > most:
            best, most = plane, count
    assert most > 100
    np.testing.assert_allclose(_grow_kernels.best_plane(xs, ys, zs, triples, 0.12, 0.4), best, atol=1e-9)


def test_growing(rough):
    lows, passable, places = rough
    seeds = np.zeros_like(passable)
    seeds[5] = True
    apart = steep(lows, places)
    linked = nearby(lows.shape, 8, 3) & ~apart & ~apart.T
    reached = (seeds & passable).ravel()
    while not np.array_equal(more := reached | (passable.ravel() & linked[reached].any(axis=0)), reached):
        reached = more
    assert seeds.sum() + 100 < reached.sum() < passable.sum() - 50
    told = _grow_kernels.grow_ground(lows, places, seeds, passable)
    np.testing.assert_array_equal(told.ravel(), reached)


def test_pits_and_what_stands(rough):
    lows, reached, places = rough
    there = reached.ravel()[:, None] & reached.ravel() & ~np.eye(lows.size, dtype=bool)
    around = nearby(lows.shape, 2, 3) & there
    higher = (around & steep(lows, places)).sum(axis=1)
    level = reached.ravel() & (higher < np.maximum(0.8 * around.sum(axis=1), 1))
    assert 10 < reached.sum() - level.sum() < 100
    told = _grow_kernels.drop_pits(lows, places, reached)
    np.testing.assert_array_equal(told.ravel(), level)
    lower = (nearby(lows.shape, 6, 8) & there & steep(lows, places).T).sum(axis=1)
    flat = reached.ravel() & (lower < 3)
    assert 50 < flat.sum() < reached.sum() - 50
    told = _grow_kernels.drop_what_stands(lows, places, reached)
    np.testing.assert_array_equal(told.ravel(), flat)


def test_the_lowest_around():
    rng = np.random.default_rng(2)
    lows, reached = rng.normal(0, 1, (3, 20)), rng.random((3, 20)) < 0.3
    told = _grow_kernels.lowest_around(lows, reached, 4)
    for ring in range(3):
        for sector in range(20):
            about = (sector + np.arange(-4, 5)) % 20
            assert told[ring, sector] == np.where(reached, lows, np.inf)[ring, about].min()


def test_anchors_are_the_middles_of_the_lowest_points():
    rng = np.random.default_rng(9)
    points, cells = (
        rng.normal(0, 0.3, (500, 3)).astype(np.float32),
        rng.integers(-1, 12, 500).astype(np.int32),
    )
    lows = np.array([points[cells == c, 2].min() for c in range(12)], dtype=np.float64).reshape(3, 4) + 0.1
    reached, told = rng.random((3, 4)) < 0.7, np.empty((3, 4, 3))
    _smooth_kernels.ground_anchors(points, cells, lows, reached, told)
    for c in np.flatnonzero(reached):
        here = points[(cells == c) & (np.abs(points[:, 2] - lows.flat[c]) <= 0.15)].astype(np.float64)
        np.testing.assert_allclose(told.reshape(-1, 3)[c], here.mean(axis=0), atol=1e-12)


@pytest.mark.parametrize(("ring", "sector", "radius"), [(30, 0, 4.0), (12, 143, 2.0), (45, 70, 9.0)])
def test_the_plane_around_a_cell(hills, ring: int, sector: int, radius: float):
    anchors, reached = hills
    place, listed = _cell_centers()[ring, sector], np.empty((3, 2 * RINGS * SECTORS))
    radii, starts = np.linalg.norm(_cell_centers()[:, 0], axis=1), np.empty(2 * SECTORS, dtype=np.int64)
    first, last, aside = _smooth_kernels.window(ring, radius, radii, SECTORS)
    _smooth_kernels.list_anchors(anchors, reached, first, last, aside, listed, starts)
    window = starts[sector], starts[sector + 2 * aside + 1]
    told = _smooth_kernels.plane_height(listed, *window, place, radius)
    assert told == pytest.approx(slow_height(anchors[reached], place, radius), abs=1e-9)
    everywhere = anchors[reached].T.copy()
    told_of_all = _smooth_kernels.plane_height(everywhere, 0, reached.sum(), place, radius)
    assert told_of_all == pytest.approx(told, abs=1e-9)


def test_anchors_are_listed_by_sector():
    anchors, reached = np.arange(24.0).reshape(2, 4, 3), np.array([[1, 0, 1, 1], [0, 0, 1, 0]], dtype=bool)
    listed, starts = np.empty((3, 20)), np.empty(8, dtype=np.int64)
    _smooth_kernels.list_anchors(anchors, reached, 0, 1, 1, listed, starts)
    assert starts[:7].tolist() == [0, 1, 2, 2, 4, 5, 6]
    rows = [anchors[0, 3], anchors[0, 0], anchors[0, 2], anchors[1, 2], anchors[0, 3], anchors[0, 0]]
    assert listed[:, :6].T.tolist() == [row.tolist() for row in rows]


def test_heights_of_many_points_are_those_of_each():
    rng = np.random.default_rng(4)
    grid = rng.normal(0, 1, (RINGS, SECTORS))
    grid[rng.random(grid.shape) < 0.2] = np.nan
    polar = rng.random((5_000, 2)) * [RINGS * 1.1, SECTORS]
    polar[:4] = [[0, 0.1], [0.2, SECTORS - 1e-3], [RINGS - 0.01, 0.1], [3, SECTORS - 0.01]]
    points, told = points_at(polar, rng.normal(0, 5, 5_000)).astype(np.float32), np.empty(5_000)
    _kernels.heights_above(grid, points, NEAREST_M, FARTHEST_M, told)
    expected = [
        z - _kernels.height_of(grid, ring, sector)
        for z, (ring, sector) in zip(points[:, 2], quick_polar(points), strict=True)
    ]
    assert 1_000 < np.isnan(expected).sum() < 3_000
    np.testing.assert_allclose(told, expected, atol=1e-4)
