"""Points in boxes against nuscenes-devkit's way, rotated IoU against shapely pair by pair."""

import numpy as np
import pytest

from fusion.overlap import count_points_in_boxes, iou_3d, iou_bev, points_in_boxes
from tests.benchmarks import scenes
from tests.benchmarks.ways import devkit_points, shapely_pairs


@pytest.fixture(scope="module")
def street():
    return scenes.street()


@pytest.fixture(scope="module")
def crowd():
    return scenes.crowd()


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
