"""The ground under simulated LiDARs on surfaces known exactly, and on a real street."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats.pandaset import PANDASET
from formats.pickles import read_frame
from fusion.ground import Ground


def scan(surface, mount_m=1.9, beams=96, obstacles=(), seed=0, noise_m=0.02):
    """Points of a spinning LiDAR at x = y = 0 over a surface that cylinders (x, y, radius, top) stand on."""
    rng = np.random.default_rng(seed)
    azimuth, elevation = np.meshgrid(
        np.linspace(-np.pi, np.pi, 720, endpoint=False), np.linspace(-0.44, 0.2, beams), indexing="ij"
    )
    ray = np.stack([np.cos(azimuth), np.sin(azimuth), np.tan(elevation)], axis=-1).reshape(-1, 3)
    origin = np.array([0.0, 0.0, float(surface(0.0, 0.0)) + mount_m])
    range_m = np.full(len(ray), np.nan)
    flying = np.arange(len(ray))
    above = np.full(len(ray), mount_m)
    for low_m, high_m in itertools.pairwise(np.geomspace(0.5, 80, 250)):
        after = origin + ray[flying] * high_m
        below = after[:, 2] - surface(after[:, 0], after[:, 1])
        hit = below < 0
        share = above[flying[hit]] / (above[flying[hit]] - below[hit])
        range_m[flying[hit]] = low_m + share * (high_m - low_m)
        above[flying] = below
        for x, y, radius, top in obstacles:
            inside = ~hit & (np.hypot(after[:, 0] - x, after[:, 1] - y) < radius)
            inside &= after[:, 2] < surface(x, y) + top
            range_m[flying[inside]] = high_m
            hit |= inside
        flying = flying[~hit]
    kept = np.isfinite(range_m)
    return origin + ray[kept] * (range_m[kept] + rng.normal(0, noise_m, kept.sum()))[:, None]


def ring(count, nearest_m, farthest_m, seed=1):
    rng = np.random.default_rng(seed)
    radius, azimuth = rng.uniform(nearest_m, farthest_m, count), rng.uniform(-np.pi, np.pi, count)
    return np.column_stack([radius * np.cos(azimuth), radius * np.sin(azimuth)])


CARS = ((8.0, 3.0, 1.5, 1.6), (12.0, -4.0, 1.5, 1.6), (-9.0, 2.0, 1.2, 3.5), (20.0, 0.0, 1.4, 1.6))


@pytest.mark.parametrize("mount_m", [0.4, 1.2, 1.9, 3.4])
@pytest.mark.parametrize("height_m", [-1.9, 0.0, 250.0])
def test_level_ground_is_found_under_any_lidar(mount_m, height_m):
    ground = Ground.fit(scan(lambda x, y: height_m + 0 * x, mount_m, obstacles=CARS))
    places = ring(2_000, 0.0, 10.0 * mount_m)
    error_m = np.abs(ground.height_at(places) - height_m)
    assert error_m.max() < 0.2  # a kerb: the foot of an obstacle may pass for one
    assert np.quantile(error_m, 0.98) < 0.05


@pytest.mark.slow
@settings(max_examples=6)
@given(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2), st.floats(-5, 5))
def test_hills_are_followed(east, north, height_m):
    def hill(x, y):
        return height_m + east * x + north * y

    points = scan(hill, obstacles=CARS)
    on_ground = np.abs(points[:, 2] - hill(*points[:, :2].T)) < 0.1
    heights_m = Ground.fit(points).heights_above(points)[on_ground]
    near = np.hypot(*points[on_ground, :2].T) < 30
    assert np.isfinite(heights_m).all()
    assert np.median(np.abs(heights_m[near])) < 0.03
    assert np.quantile(np.abs(heights_m[near]), 0.95) < 0.12


def test_a_crest_and_a_dip_are_followed():
    def hills(x, y):
        return 0.8 * np.sin(x / 12) + 0.02 * y

    points = scan(hills, beams=128)
    heights_m = Ground.fit(points).heights_above(points)[np.hypot(points[:, 0], points[:, 1]) < 30]
    assert np.median(np.abs(heights_m)) < 0.05
    assert np.quantile(np.abs(heights_m), 0.95) < 0.15


def test_a_kerb_stays_a_step():
    def street(x, y):
        return np.where(np.abs(y) > 5, 0.15, 0.0) + 0 * x

    ground = Ground.fit(scan(street, beams=128))
    places = ring(4_000, 3.0, 15.0)
    height_m, away_m = ground.height_at(places), np.abs(np.abs(places[:, 1]) - 5)
    np.testing.assert_allclose(height_m[away_m > 1.5], street(*places[away_m > 1.5].T), rtol=0, atol=0.08)


def test_what_stands_on_the_ground_stands_above_it():
    points = scan(lambda x, y: 0 * x, obstacles=CARS)
    ground = Ground.fit(points)
    heights_m = ground.heights_above(points)
    standing = points[:, 2] > 0.25
    assert standing.sum() > 2_000
    np.testing.assert_allclose(heights_m[standing], points[standing, 2], rtol=0, atol=0.2)
    assert np.quantile(np.abs(heights_m[~standing & (np.abs(points[:, 2]) < 0.1)]), 0.98) < 0.12


def test_points_that_mirrors_throw_below_the_ground_do_not_pull_it_down():
    points = scan(lambda x, y: 0 * x)
    mirrored = np.column_stack([ring(300, 5, 25), np.random.default_rng(3).uniform(-4, -0.5, 300)])
    ground = Ground.fit(np.concatenate([points, mirrored]))
    error_m = np.abs(ground.height_at(ring(2_000, 0, 25)))
    assert np.quantile(error_m, 0.95) < 0.1


def test_the_ground_is_unknown_where_nothing_was_measured():
    ground = Ground.fit(scan(lambda x, y: 0 * x))
    assert np.isnan(ground.height_at(np.array([[140.0, 0], [1e6, 0], [np.nan, 0], [np.inf, 1]]))).all()
    assert np.isfinite(ground.height_at(np.array([[0.0, 0.0], [1e-9, 0.0]]))).all()
    assert np.isnan(Ground.fit(np.empty((0, 3))).height_at(ring(5, 0, 20))).all()
    assert np.isnan(Ground.fit(np.full((50, 3), np.nan)).height_at(ring(5, 0, 20))).all()
    assert ground.height_at(np.empty((0, 2))).shape == (0,)


def test_it_does_not_depend_on_the_order_or_the_type_of_the_points():
    points = scan(lambda x, y: 0.03 * x, obstacles=CARS)
    shuffled = np.random.default_rng(5).permutation(points)
    places = ring(500, 0, 30)
    expected = Ground.fit(points).height_at(places)
    np.testing.assert_allclose(Ground.fit(shuffled).height_at(places), expected, rtol=0, atol=1e-9)
    rounded = Ground.fit(points.astype(np.float32)).height_at(places)
    assert np.median(np.abs(rounded - expected)) < 1e-3
    assert np.abs(rounded - expected).max() < 0.1  # a point on the border of two cells may change sides


def test_on_a_real_street_the_labelled_ground_is_ground(shared_data):
    """PandaSet names the class of every point: 6 to 12 are ground, road, markings, sidewalk, driveway."""
    path = shared_data / "pandaset" / "002"
    log = PANDASET.open_log(path, "002")
    columns = read_frame(path / "lidar" / "00.pkl.gz")
    points_world = np.column_stack([columns[name] for name in "xyz"])
    points = log.trajectory.at(int(log.timestamps_ns[0])).inverse() @ points_world
    (classes,) = read_frame(path / "annotations" / "semseg" / "00.pkl.gz").values()
    spinning = columns["d"] == 0
    heights_m = Ground.fit(points[spinning]).heights_above(points)
    near = spinning & (np.hypot(points[:, 0], points[:, 1]) < 40)
    on_ground = near & (classes >= 6) & (classes <= 12)
    assert np.isfinite(heights_m[on_ground]).mean() > 0.99
    assert np.nanquantile(np.abs(heights_m[on_ground]), 0.95) < 0.1
    vehicles = near & (classes >= 13) & (classes <= 16)
    assert np.nanmean(heights_m[vehicles] > 0.2) > 0.9
