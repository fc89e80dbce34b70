"""Edges of scans and images: in the right place, and only where there are any."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib import CalibrationError
from calib.refine import image_edges, rings_of, scan_edges

STEP_RAD = np.radians(0.2)
RINGS_RAD = np.radians(np.linspace(-20, 4, 49))


def scanned(range_of, phase=0.0, fan_deg=60.0):
    """Points and rings of a fan of beams; `range_of` takes azimuths and elevations, inf is no return."""
    fan_rad = np.radians(fan_deg)
    azimuth, ring = np.meshgrid(np.arange(-fan_rad, fan_rad, STEP_RAD) + phase, np.arange(len(RINGS_RAD)))
    azimuth, ring = azimuth.ravel(), ring.ravel()
    elevation = RINGS_RAD[ring]
    rays = np.column_stack(
        [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)]
    )
    range_m = range_of(rays)
    back = np.isfinite(range_m)
    return rays[back] * range_m[back, None], ring[back]


def plate_before_wall(left_m, top_m, ahead_m=10.0, wall_m=30.0):
    """A plate two metres wide, from far below up to a height, and a wall behind it."""

    def range_of(rays):
        on_plate = ahead_m / rays[:, 0]
        y, z = on_plate * rays[:, 1], on_plate * rays[:, 2]
        hit = (np.abs(y - left_m) < 1) & (z < top_m)
        return np.where(hit, on_plate, wall_m / rays[:, 0])

    return range_of


@given(st.floats(-3, 3), st.floats(0, 1))
@settings(max_examples=15)
def test_an_edge_lies_within_half_a_step_of_where_the_plate_ends(left_m, phase):
    points, ring = scanned(plate_before_wall(left_m, 5.0), phase * STEP_RAD)
    edges = scan_edges(points, ring)
    azimuth = np.arctan2(edges.points[:, 1], edges.points[:, 0])
    true = np.arctan2(left_m + np.sign(edges.across[:, 1]), 10.0)
    assert len(edges) == 2 * len(RINGS_RAD)
    assert np.abs(azimuth - true).max() <= STEP_RAD / 2 + 1e-6
    assert np.abs(edges.points[:, 0] - 10.0).max() < 0.02
    sides = np.sign(edges.across[:, 1]) * np.sign(edges.points[:, 1] - left_m)
    assert (sides > 0).all(), "across leads from the plate to the wall"


def test_edges_have_no_bias_outward_or_inward():
    rng, off = np.random.default_rng(3), []
    for _ in range(60):
        left_m = rng.uniform(-3, 3)
        points, ring = scanned(plate_before_wall(left_m, 5.0), rng.uniform(0, STEP_RAD))
        edges = scan_edges(points, ring)
        outward = np.sign(edges.across[:, 1])
        azimuth = np.arctan2(edges.points[:, 1], edges.points[:, 0])
        off.append(np.mean(outward * (azimuth - np.arctan2(left_m + outward, 10.0))))
    assert abs(np.mean(off)) < 0.08 * STEP_RAD


def test_the_top_of_a_plate_is_found_between_two_rings_without_bias():
    rng, spacing, off = np.random.default_rng(4), RINGS_RAD[1] - RINGS_RAD[0], []
    for _ in range(80):
        top_m = rng.uniform(-1, 0.3)
        points, ring = scanned(plate_before_wall(0.0, top_m))
        edges = scan_edges(points, ring)
        tops = edges.points[np.abs(edges.across[:, 2]) > 0.5]
        off.append(np.mean(np.arctan2(tops[:, 2], tops[:, 0]) - np.arctan2(top_m, 10.0)))
        assert abs(off[-1]) <= spacing / 2 + 1e-3
    assert abs(np.mean(off)) < 0.1 * spacing


def test_the_far_end_of_a_roof_seen_from_above_lies_on_the_roof():
    """A level roof 1 m below the LiDAR that ends 12 m ahead, nothing but a wall behind."""

    def range_of(rays):
        with np.errstate(divide="ignore"):
            on_roof = np.where(rays[:, 2] < 0, -1.0 / rays[:, 2], np.inf)
        reaches = (on_roof * rays[:, 0] < 12) & (np.abs(on_roof * rays[:, 1]) < 1)
        return np.where(reaches, on_roof, 40 / rays[:, 0])

    points, ring = scanned(range_of)
    edges = scan_edges(points, ring)
    ends = edges.points[(edges.across[:, 2] > 0.5) & (np.abs(edges.points[:, 1]) < 0.8)]
    assert len(ends) > 20
    assert np.abs(ends[:, 2] + 1.0).max() < 0.03


@pytest.mark.parametrize("slant", [0.0, 0.5, 2.0])
def test_ground_and_slanted_walls_have_no_edges(slant):
    def range_of(rays):
        with np.errstate(divide="ignore"):
            ground = np.where(rays[:, 2] < 0, -1.8 / rays[:, 2], np.inf)
        wall = 25 / (rays[:, 0] + slant * rays[:, 1])
        return np.minimum(ground, np.where(wall > 0, wall, np.inf))

    points, ring = scanned(range_of, fan_deg=20.0)
    assert len(points) > 1000
    assert len(scan_edges(points, ring)) < 0.01 * len(points)


def test_a_stretch_without_returns_has_an_edge_on_both_sides():
    def range_of(rays):
        azimuth = np.arctan2(rays[:, 1], rays[:, 0])
        return np.where(np.abs(azimuth) < np.radians(3), np.inf, 15 / rays[:, 0])

    points, ring = scanned(range_of)
    edges = scan_edges(points, ring)
    azimuth = np.arctan2(edges.points[:, 1], edges.points[:, 0])
    assert np.abs(np.abs(azimuth) - np.radians(3)).max() < STEP_RAD / 2 + 1e-6
    assert (np.bincount(azimuth > 0) == len(RINGS_RAD)).all()


def test_rings_come_from_the_order_or_from_elevations():
    points, ring = scanned(plate_before_wall(0.5, 5.0))
    assert (rings_of(points) == ring).all()
    shuffled = np.random.default_rng(0).permutation(len(points))
    assert (rings_of(points[shuffled]) == ring[shuffled]).all()
    known, told = scan_edges(points, ring), scan_edges(points[shuffled])
    assert len(known) == len(told)


def test_rings_of_real_scans(shared_data):
    road = np.loadtxt(shared_data / "calib_road" / "0.pcd", skiprows=11)[:, :3]
    assert len(np.unique(rings_of(road))) == 64
    velodyne = shared_data / "kitti_camera_lidar" / "training" / "velodyne" / "0052" / "000000.bin"
    rings = rings_of(np.fromfile(velodyne, np.float32).reshape(-1, 4)[:, :3])
    assert len(np.unique(rings)) in (63, 64)


def test_a_cloud_without_rings_is_refused():
    cloud = np.random.default_rng(1).normal(size=(5000, 3)) * 20
    with pytest.raises(CalibrationError, match="give the ring of each point"):
        scan_edges(cloud)
    with pytest.raises(CalibrationError, match="5000 points has 3"):
        scan_edges(cloud, np.zeros(3, np.int32))


def test_empty_and_broken_points_give_no_edges():
    assert len(scan_edges(np.zeros((0, 3)), np.zeros(0, np.int32))) == 0
    points, ring = scanned(plate_before_wall(0.0, 5.0))
    broken = points.copy()
    broken[::7] = np.nan
    edges = scan_edges(broken, ring)
    assert len(edges) > 0
    assert np.isfinite(edges.points).all()


def test_a_step_in_grey_is_met_in_its_own_direction_midway_between_pixels():
    image = np.zeros((40, 60), np.uint8)
    image[:, 30:] = 200
    across, down = image_edges(image)
    assert across[20, 29] == across[20, 30] == 255
    assert across[20, 28] == across[20, 31] < 255
    assert (np.diff(across[20, 31:50].astype(int)) <= 0).all()
    assert down[20].max() == 0
    turned = image_edges(np.ascontiguousarray(image.T))
    assert (turned[1] == across.T).all()


def test_a_dull_image_speaks_softly():
    rng = np.random.default_rng(2)
    dull = (100 + rng.normal(0, 0.4, (80, 120))).astype(np.uint8)
    sharp = rng.integers(0, 255, (80, 120), dtype=np.uint8)
    assert image_edges(dull).mean() < 0.3 * image_edges(sharp).mean()
    assert image_edges(np.full((10, 10, 3), 90, np.uint8)).max() == 0
