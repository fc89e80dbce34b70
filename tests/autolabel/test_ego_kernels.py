"""Scan matching and pose graphs against numpy, scipy and exact truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from autolabel.ego import _kernels, _thin_kernels
from autolabel.ego.config import MatchingConfig
from autolabel.ego.graph import fused
from autolabel.ego.leaps import beyond, bridged, leaps
from autolabel.ego.scans import thinned
from autolabel.ego.screws import screw, screw_of, screws, screws_of
from autolabel.ego.surfels import SurfelMap
from calib import SE3, SE3Batch
from fusion import Trajectory

CONFIG = MatchingConfig()
FIRM = 1e-6


def room(rng: np.random.Generator, count: int = 6000) -> np.ndarray:
    """Points on the floor and on four walls of a street 40 m long, with a house across each end."""
    places = rng.uniform((-20, -8, -1.7), (20, 8, 4), (count, 3))
    on = rng.integers(0, 5, count)
    places[on == 0, 2] = -1.7
    places[on == 1, 1], places[on == 2, 1] = 8, -8
    places[on == 3, 0], places[on == 4, 0] = 20, -20
    return (places + rng.normal(0, 0.01, places.shape)).astype(np.float32)


def test_thinning_keeps_the_first_point_of_each_cell() -> None:
    points = np.random.default_rng(1).normal(0, 12, (5000, 3)).astype(np.float32)
    away_m = np.hypot(points[:, 0], points[:, 1])
    near = np.flatnonzero((away_m > CONFIG.nearest_m) & (away_m < CONFIG.farthest_m))
    cells = np.floor(points[near].astype(np.float64) / 0.8).astype(int)
    _, first = np.unique(cells, axis=0, return_index=True)
    assert thinned(points, 0.8, CONFIG).tolist() == sorted(near[first].tolist())


def test_thinning_leaves_out_what_is_no_place() -> None:
    points = np.full((6, 3), 10.0, np.float32)
    points[[0, 1, 2], [0, 1, 2]] = np.nan
    points[3, 2], points[4, 0] = np.inf, -np.inf
    assert thinned(points, 0.8, CONFIG).tolist() == [5]


def test_thinning_stops_before_its_table_is_full() -> None:
    points = np.random.default_rng(2).uniform(-60, 60, (4000, 3)).astype(np.float32)
    chosen = np.empty(len(points), dtype=np.int64)
    few = _thin_kernels.thin(points, 0.0, 200.0, 0.1, np.empty(1024, dtype=np.int64), chosen)
    assert few == 768


@pytest.mark.parametrize("seed", range(5))
def test_a_cell_holds_the_plane_of_its_points(seed: int) -> None:
    rng = np.random.default_rng(seed)
    turn = SE3.from_rotation_vector(rng.normal(size=3))
    flat = rng.uniform(-0.4, 0.4, (40, 3)) * (1, 1, 0.03)
    points = turn @ flat
    centered = points - points[0]
    total = np.zeros(13)
    total[0], total[1:4], total[10:] = len(points), centered.sum(axis=0), points[0]
    second = centered.T @ centered
    total[4:10] = second[np.triu_indices(3)]
    plane = np.zeros(8)
    _kernels._fit_plane(total, 1.0, 6, plane)
    values, vectors = np.linalg.eigh(np.cov(points.T, bias=True))
    assert plane[7] == _kernels.FLAT
    assert abs(plane[:3] @ vectors[:, 0]) == pytest.approx(1, abs=1e-9)
    assert plane[3:6] == pytest.approx(points.mean(axis=0))
    assert plane[6] == pytest.approx(values[0], rel=1e-6, abs=1e-12)


def test_a_line_of_points_is_no_plane() -> None:
    points = np.linspace(-0.5, 0.5, 30)[:, None] * [[1.0, 0.2, 0.0]]
    total = np.zeros(13)
    total[0], total[1:4] = len(points), points.sum(axis=0)
    total[4:10] = (points.T @ points)[np.triu_indices(3)]
    plane = np.zeros(8)
    _kernels._fit_plane(total, 1.0, 6, plane)
    assert plane[7] == _kernels.UNEVEN


@pytest.mark.parametrize("seed", range(4))
def test_a_scan_finds_its_place_on_a_map(seed: int) -> None:
    rng = np.random.default_rng(seed)
    around = SurfelMap(1.0, CONFIG)
    around.insert(room(rng, 20000), SE3.identity())
    map_from_ego = screw(np.concatenate([rng.normal(0, 0.02, 3), rng.normal(0, 0.4, 3)]))
    points = (map_from_ego.inverse() @ room(rng, 3000)).astype(np.float32)
    guess = map_from_ego @ screw(np.concatenate([rng.normal(0, 0.003, 3), rng.normal(0, 0.06, 3)]))
    match = around.align(points, guess, (10.0, 2.0), 10)
    off = screw_of(map_from_ego.inverse() @ match.map_from_ego)
    assert np.abs(off[3:]).max() < 0.004
    assert np.abs(off[:3]).max() < 0.0005
    assert match.share > 0.7
    # The information counts the noise of the scan, not that of the map, which is shared by many points.
    sigmas = np.sqrt(np.diag(np.linalg.inv(match.information)))
    assert (sigmas[3:] > 0.0001).all() and (sigmas[3:] < 0.001).all()


def test_a_map_forgets_what_is_far_and_keeps_what_is_near() -> None:
    rng = np.random.default_rng(3)
    around = SurfelMap(1.0, CONFIG)
    for step in range(40):
        map_from_ego = SE3.from_yaw(0.0, (10.0 * step, 0, 0))
        around.insert(room(rng, 6000), map_from_ego)
    held = np.flatnonzero(around._keys != _kernels.FREE)
    assert len(around._keys) == 1 << 15
    assert len(held) == around._count
    assert around.cost(room(rng, 500), SE3.from_yaw(0.0, (390.0, 0, 0)), 3.0) < 0.35
    assert around.cost(room(rng, 500), SE3.identity(), 3.0) > 0.95


six = st.lists(st.floats(-1.5, 1.5), min_size=6, max_size=6)


@settings(max_examples=50)
@given(six)
def test_screws_are_the_exponential_map(numbers: list[float]) -> None:
    vector = np.array(numbers)
    generator = np.zeros((4, 4))
    x, y, z = vector[:3]
    generator[:3, :3] = [[0, -z, y], [z, 0, -x], [-y, x, 0]]
    generator[:3, 3] = vector[3:]
    assert np.allclose(screw(vector).matrix, expm(generator), atol=1e-9)
    assert np.allclose(screw_of(screw(vector)), vector, atol=1e-9)


@pytest.mark.parametrize("size", [0.0, 1e-12, 1e-7, 0.99e-4, 1.01e-4, 1e-3])
def test_small_screws_lose_nothing(size: float) -> None:
    vector = np.array([[size, -size, size / 2, 1.0, -2.0, 0.5]])
    assert np.allclose(screws_of(screws(vector)), vector, rtol=0, atol=2e-9)


def chain(rng: np.random.Generator, count: int) -> SE3Batch:
    """A car that wanders."""
    steps = screws(np.column_stack([rng.normal(0, 0.02, (count, 3)), rng.normal((1, 0, 0), 0.1, (count, 3))]))
    poses = [SE3.from_yaw(0.3, (500.0, 4000.0, 30.0))]
    for step in steps:
        poses.append(poses[-1] @ step)
    return SE3Batch.stack(poses[:count])


def steps_of(poses: SE3Batch) -> SE3Batch:
    return poses.take(slice(None, -1)).inverse() @ poses.take(slice(1, None))


def test_a_pose_that_is_not_believed_goes_where_its_neighbours_put_it() -> None:
    truth = chain(np.random.default_rng(5), 12)
    wrong = [
        pose @ screw(np.array([0, 0, 0.1, 1.0, -0.5, 0])) if k == 4 else pose for k, pose in enumerate(truth)
    ]
    priors = np.full((12, 6), FIRM)
    priors[4] = np.inf
    found = fused(SE3Batch.stack(wrong), steps_of(truth), np.full((11, 6), 0.01), priors)
    assert np.abs(screws_of(truth.inverse() @ found)).max() < 1e-7


def test_a_drift_goes_where_priors_are_weak() -> None:
    truth = chain(np.random.default_rng(6), 60)
    drift = np.arange(60)[:, None] * np.array([0, 0, 0.0005, 0.01, 0.005, 0])
    found = fused(truth @ screws(drift), steps_of(truth), np.full((59, 6), 0.002), np.full((60, 6), 3.0))
    left = screws_of(steps_of(truth).inverse() @ steps_of(found))
    assert np.abs(left).max() < 0.0002


def test_a_chain_between_two_firm_ends_shares_what_does_not_fit() -> None:
    truth = chain(np.random.default_rng(7), 11)
    too_long = steps_of(truth) @ SE3.from_yaw(0.0, (0.01, 0, 0))
    priors = np.full((11, 6), np.inf)
    priors[[0, -1]] = FIRM
    found = fused(truth, too_long, np.full((10, 6), 0.01), priors)
    assert np.abs(screws_of(truth.inverse() @ found)[[0, -1]]).max() < 1e-6
    assert np.abs(screws_of(truth.inverse() @ found)).max() < 0.02


def test_hard_braking_is_no_leap_and_a_leap_is() -> None:
    times_ns = 100_000_000 * np.arange(40, dtype=np.int64)
    seconds = times_ns / 1e9
    ahead_m = np.where(seconds < 2, 15 * seconds, 15 * seconds - 4 * (seconds - 2) ** 2)
    places = np.column_stack([ahead_m, np.zeros((40, 2))])
    poses = SE3Batch(np.tile(np.eye(3), (40, 1, 1)), places)
    assert not leaps(times_ns, poses)[0].any()
    for frames in ([0], [7], [20, 21], [3, 9], [39]):
        shifted = places.copy()
        shifted[frames, 1] += 0.6
        found, off = leaps(times_ns, SE3Batch(poses.rotations, shifted))
        assert np.flatnonzero(found).tolist() == frames
        assert np.abs(off[frames, 4] - 0.6).max() < 0.31
    mended = bridged(times_ns, SE3Batch(poses.rotations, shifted), np.arange(40) == 39)
    assert mended.translations[39] == pytest.approx(places[39], abs=0.1)


def test_beyond_its_ends_a_car_goes_on_as_it_did() -> None:
    step = screw(np.array([0, 0, 0.05, 1.0, 0, 0]))
    poses = [SE3.identity()]
    for _ in range(5):
        poses.append(poses[-1] @ step)
    times_ns = 100 * np.arange(len(poses), dtype=np.int64)
    drive = Trajectory(times_ns[:-2], SE3Batch.stack(poses[:-2]))
    assert np.abs(screws_of(SE3Batch.stack(poses).inverse() @ beyond(drive, times_ns))).max() < 1e-9
