"""Points in boxes against nuscenes-devkit's way, rotated IoU against shapely pair by pair."""

import numpy as np
import pytest
import shapely

from calib import SE3Batch
from fusion import Boxes
from fusion.overlap import count_points_in_boxes, iou_3d, iou_bev, points_in_boxes


def upright_boxes(rng, count, reach_m=45.0):
    yaws = rng.uniform(-np.pi, np.pi, count)
    quaternions = np.column_stack([np.cos(yaws / 2), 0 * yaws, 0 * yaws, np.sin(yaws / 2)])
    centers = np.column_stack([rng.uniform(-reach_m, reach_m, (count, 2)), rng.uniform(0.5, 1.2, count)])
    sizes = np.array([4.6, 1.9, 1.7]) * rng.uniform(0.8, 1.3, (count, 3))
    return Boxes(SE3Batch.from_quaternions_wxyz(quaternions, centers), sizes)


@pytest.fixture(scope="module")
def street():
    """120,000 points, most of them near the car, and 50 boxes, as a busy nuScenes frame has them."""
    rng = np.random.default_rng(0)
    radius, azimuth = 45 * rng.random(120_000) ** 1.5, rng.uniform(-np.pi, np.pi, 120_000)
    height = rng.exponential(0.7, 120_000)
    points = np.column_stack([radius * np.cos(azimuth), radius * np.sin(azimuth), height])
    return points.astype(np.float32), upright_boxes(rng, 50)


def devkit_mask(corners, points):
    """`points_in_box` of nuscenes-devkit: corners (3, 8) and points (3, N), one box at a time."""
    corner, x, y, z = corners[:, 0], corners[:, 4], corners[:, 1], corners[:, 3]
    i, j, k = x - corner, y - corner, z - corner
    v = points - corner.reshape((-1, 1))
    iv, jv, kv = np.dot(i, v), np.dot(j, v), np.dot(k, v)
    mask_x = np.logical_and(iv >= 0, iv <= np.dot(i, i))
    mask_y = np.logical_and(jv >= 0, jv <= np.dot(j, j))
    mask_z = np.logical_and(kv >= 0, kv <= np.dot(k, k))
    return np.logical_and(np.logical_and(mask_x, mask_y), mask_z)


def devkit_points(points, boxes):
    across = points.T
    return [np.flatnonzero(devkit_mask(corners.T, across)) for corners in boxes.corners()]


def shapely_pairs(a, b):
    """A polygon a box, made once; then intersection and union of one pair after the other."""
    polygons_a, polygons_b = (
        [shapely.Polygon(c[[0, 1, 5, 4], :2]) for c in boxes.corners()] for boxes in (a, b)
    )
    iou = np.empty((len(a), len(b)))
    for i, one in enumerate(polygons_a):
        for j, other in enumerate(polygons_b):
            shared = one.intersection(other).area
            iou[i, j] = shared / (one.area + other.area - shared)
    return iou


@pytest.fixture(scope="module")
def crowd():
    rng = np.random.default_rng(1)
    return upright_boxes(rng, 100, reach_m=20.0), upright_boxes(rng, 100, reach_m=20.0)


def test_points_in_boxes_ours(benchmark, street):
    found = benchmark.pedantic(points_in_boxes, street, rounds=60, iterations=1, warmup_rounds=3)
    np.testing.assert_array_equal([len(part) for part in found], count_points_in_boxes(*street))


def test_points_in_boxes_devkit_way(benchmark, street):
    theirs = benchmark.pedantic(devkit_points, street, rounds=6, iterations=1, warmup_rounds=1)
    assert sum(map(len, theirs)) > 1_000
    for ours, other in zip(points_in_boxes(*street), theirs, strict=True):
        np.testing.assert_array_equal(ours, other)


def test_iou_ours(benchmark, crowd):
    iou = benchmark.pedantic(iou_bev, crowd, rounds=60, iterations=1, warmup_rounds=3)
    assert (iou > 0).sum() > 100


def test_iou_3d_ours(benchmark, crowd):
    iou = benchmark.pedantic(iou_3d, crowd, rounds=60, iterations=1, warmup_rounds=3)
    assert (iou <= iou_bev(*crowd) + 1e-12).all()


def test_iou_shapely_pair_by_pair(benchmark, crowd):
    theirs = benchmark.pedantic(shapely_pairs, crowd, rounds=4, iterations=1, warmup_rounds=1)
    np.testing.assert_allclose(iou_bev(*crowd), theirs, rtol=0, atol=1e-9)
