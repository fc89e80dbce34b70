"""Points in boxes and boxes over boxes, against other people's counts and against shapely."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from calib import SE3, CrosslabelError, SE3Batch
from fusion import Box3D, Boxes
from fusion.overlap import (
    count_points_in_boxes,
    giou_bev,
    iou_3d,
    iou_3d_paired,
    iou_bev,
    points_in_box,
    points_in_boxes,
)
from tests import reference

laws = settings(max_examples=50)


def random_boxes(rng, count, spread_m=10.0, upright=False):
    quaternions = rng.normal(size=(count, 4))
    if upright:
        quaternions[:, 1:3] = 0
    centers = rng.normal(size=(count, 3)) * spread_m
    return Boxes(SE3Batch.from_quaternions_wxyz(quaternions, centers), rng.uniform(0.2, 8, (count, 3)))


def singles(boxes):
    return [Box3D(a, *size) for a, size in zip(boxes.dst_from_box, boxes.sizes_lwh_m.tolist(), strict=True)]


@laws
@given(st.integers(0, 2**32 - 1), st.integers(0, 12), st.integers(0, 500), st.floats(0.1, 100))
def test_points_in_boxes_are_those_of_the_devkits_way(seed, box_count, point_count, spread_m):
    rng = np.random.default_rng(seed)
    boxes, points = random_boxes(rng, box_count, spread_m), rng.normal(size=(point_count, 3)) * spread_m
    indices, counts = points_in_boxes(points, boxes), count_points_in_boxes(points, boxes)
    assert len(indices) == len(counts) == box_count
    for inside, count, corners, box in zip(indices, counts, boxes.corners(), singles(boxes), strict=True):
        expected = reference.points_in_box(points, corners[[5, 6, 7, 4, 1, 2, 3, 0]])
        np.testing.assert_array_equal(inside, np.flatnonzero(expected))
        np.testing.assert_array_equal(points_in_box(points, box), expected)
        assert count == len(inside)


@laws
@given(st.integers(0, 2**32 - 1))
def test_corners_edges_and_faces_belong_to_a_box_however_it_is_turned(seed):
    rng = np.random.default_rng(seed)
    boxes = random_boxes(rng, 3, spread_m=100.0)
    for n, box in enumerate(singles(boxes)):
        signs = rng.choice([-1.0, 0.0, 1.0], size=(50, 3))
        surface = box.ego_from_box @ (signs * box.size_lwh_m / 2)
        just_outside = box.ego_from_box @ (np.sign(signs[signs.any(axis=1)]) * (box.size_lwh_m / 2 + 1e-6))
        assert points_in_box(surface, box).all()
        assert count_points_in_boxes(surface, boxes)[n] == 50
        assert not points_in_box(just_outside, box).any()


def test_points_that_are_no_points_are_in_no_box():
    box = Box3D.upright((0, 0, 0), (4, 2, 2), 0.3)
    points = np.array([[np.nan, 0, 0], [0, np.nan, 0], [0, 0, np.nan], [np.inf, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(points_in_box(points, box), [0, 0, 0, 0, 1])
    np.testing.assert_array_equal(points_in_boxes(points, Boxes.stack([box]))[0], [4])
    assert points_in_boxes(points, Boxes.stack([])) == []
    assert count_points_in_boxes(np.empty((0, 3)), Boxes.stack([box])).tolist() == [0]


def test_counts_are_those_that_argoverse_2_publishes(shared_data):
    from pyarrow import feather

    log = next((shared_data / "argoverse2").glob("*/annotations.feather")).parent
    sweep_path = min((log / "sensors" / "lidar").glob("*.feather"))
    sweep, labels = feather.read_table(sweep_path), feather.read_table(log / "annotations.feather")
    rows = [row for row in labels.to_pylist() if row["timestamp_ns"] == int(sweep_path.stem)]
    points = np.column_stack([sweep[axis].to_numpy() for axis in "xyz"]).astype(np.float64)
    boxes = Boxes(
        SE3Batch.from_quaternions_wxyz(
            [[row[k] for k in ("qw", "qx", "qy", "qz")] for row in rows],
            [[row[k] for k in ("tx_m", "ty_m", "tz_m")] for row in rows],
        ),
        np.array([[row[k] for k in ("length_m", "width_m", "height_m")] for row in rows]),
    )
    assert len(rows) == 81
    expected = [row["num_interior_pts"] for row in rows]
    np.testing.assert_array_equal(count_points_in_boxes(points, boxes), expected)


def test_boxes_of_kitti_hold_the_points_of_their_objects(shared_data):
    """An object whose corners KITTI's annotators drew around its points holds many of them, the air none."""
    training = shared_data / "kitti_tracking" / "training"
    sweeps = sorted((training / "velodyne" / "0000").glob("*.bin"))
    frame = int(sweeps[0].stem)
    lines = (training / "calib" / "0000.txt").read_text().splitlines()
    words = {line.split()[0].rstrip(":"): np.array(line.split()[1:], float) for line in lines if line.strip()}
    rectify = np.eye(4)
    rectify[:3, :3] = words["R0_rect"].reshape(3, 3)
    to_cam = np.vstack([words["Tr_velo_to_cam"].reshape(3, 4), (0, 0, 0, 1)])
    cam_from_velo = SE3.nearest(rectify @ to_cam)
    labels = [line.split() for line in (training / "label_02" / "0000.txt").read_text().splitlines()]
    cars = [words for words in labels if int(words[0]) == frame and words[2] in ("Car", "Van")]
    boxes = Boxes.stack(kitti_box(words, cam_from_velo) for words in cars)
    points = np.fromfile(sweeps[0], np.float32).reshape(-1, 4)[:, :3]
    above = boxes.moved(SE3(np.eye(3), (0, 0, 6.0)))
    assert len(cars) >= 1
    assert count_points_in_boxes(points, boxes).min() > 30
    assert count_points_in_boxes(points, above).sum() < 0.1 * count_points_in_boxes(points, boxes).sum()


def kitti_box(words, cam_from_velo):
    height_m, width_m, length_m, x, y, z, turn_rad = map(float, words[10:17])
    upright = SE3.from_yaw(-turn_rad).rotation
    camera_axes = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    cam_from_box = SE3(camera_axes @ upright, (x, y - height_m / 2, z))
    velo_from_box = cam_from_velo.inverse() @ cam_from_box
    return Box3D(velo_from_box, length_m, width_m, height_m)


def polygon(upright):
    x, y, _, length_m, width_m, _, yaw_rad = upright
    across = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]) * (length_m / 2, width_m / 2)
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    return shapely.Polygon(across @ np.array([[c, s], [-s, c]]) + (x, y))


@laws
@given(st.integers(0, 2**32 - 1), st.floats(0, 12), st.floats(0, 1e4))
def test_overlap_of_turned_boxes_is_that_of_shapely(seed, spread_m, offset_m):
    rng = np.random.default_rng(seed)
    moved = SE3(np.eye(3), (offset_m, -offset_m, 0))
    a = random_boxes(rng, 6, spread_m, upright=True)
    b = random_boxes(rng, 5, spread_m, upright=True)
    planes_a, planes_b = a.upright(), b.upright()
    bev, solid, general = np.empty((6, 5)), np.empty((6, 5)), np.empty((6, 5))
    for i, j in np.ndindex(6, 5):
        one, other = polygon(planes_a[i]), polygon(planes_b[j])
        shared, union = one.intersection(other).area, one.union(other).area
        top = min(planes_a[i, 2] + planes_a[i, 5] / 2, planes_b[j, 2] + planes_b[j, 5] / 2)
        bottom = max(planes_a[i, 2] - planes_a[i, 5] / 2, planes_b[j, 2] - planes_b[j, 5] / 2)
        volume = shared * max(0.0, top - bottom)
        whole = one.area * planes_a[i, 5] + other.area * planes_b[j, 5] - volume
        hull = shapely.union(one, other).convex_hull.area
        bev[i, j], solid[i, j], general[i, j] = (
            shared / union,
            volume / whole,
            shared / union - 1 + union / hull,
        )
    np.testing.assert_allclose(iou_bev(a.moved(moved), b.moved(moved)), bev, rtol=0, atol=1e-9)
    np.testing.assert_allclose(iou_3d(a.moved(moved), b.moved(moved)), solid, rtol=0, atol=1e-9)
    np.testing.assert_allclose(giou_bev(a.moved(moved), b.moved(moved)), general, rtol=0, atol=1e-9)


@laws
@given(st.integers(0, 2**32 - 1), st.floats(0, 5))
def test_overlap_is_symmetric_bounded_one_with_itself_and_the_same_in_every_frame(seed, spread_m):
    rng = np.random.default_rng(seed)
    a, b = (random_boxes(rng, 7, spread_m, upright=True) for _ in range(2))
    new_from_dst = SE3.from_yaw(rng.uniform(-4, 4), rng.normal(size=3) * 20)
    for measure in (iou_bev, iou_3d, giou_bev):
        ab = measure(a, b)
        assert ab.min() >= -1 and ab.max() <= 1
        np.testing.assert_allclose(ab, measure(b, a).T, rtol=0, atol=1e-12)
        np.testing.assert_allclose(np.diag(measure(a, a)), 1, rtol=0, atol=1e-12)
        moved = measure(a.moved(new_from_dst), b.moved(new_from_dst))
        np.testing.assert_allclose(moved, ab, rtol=0, atol=1e-10)
    assert (iou_3d(a, b) >= 0).all()
    np.testing.assert_array_equal(iou_3d_paired(a, b), np.diag(iou_3d(a, b)))


@pytest.mark.parametrize(
    ("center", "size", "yaw_rad", "bev", "solid"),
    [
        ((0, 0, 0), (4, 2, 2), np.pi, 1.0, 1.0),
        ((0, 0, 0), (4, 2, 2), np.pi / 2, 4 / 12, 4 / 12),
        ((2, 0, 0), (4, 2, 2), 0.0, 1 / 3, 1 / 3),
        ((4, 0, 0), (4, 2, 2), 0.0, 0.0, 0.0),
        ((0, 0, 1), (4, 2, 2), 0.0, 1.0, 1 / 3),
        ((0, 0, 2), (4, 2, 2), 0.0, 1.0, 0.0),
        ((0, 0, 0), (2, 1, 1), 0.0, 1 / 4, 1 / 8),
        ((0, 0, 0), (1, 1, 2), np.pi / 4, 1 / 8, 1 / 8),
    ],
)
def test_overlaps_that_can_be_worked_out_by_hand(center, size, yaw_rad, bev, solid):
    a = Boxes.stack([Box3D.upright((0, 0, 0), (4, 2, 2), 0.0)])
    b = Boxes.stack([Box3D.upright(center, size, yaw_rad)])
    assert iou_bev(a, b)[0, 0] == pytest.approx(bev, abs=1e-12)
    assert iou_3d(a, b)[0, 0] == pytest.approx(solid, abs=1e-12)


def test_far_apart_boxes_have_a_generalised_iou_near_minus_one():
    a = Boxes.stack([Box3D.upright((0, 0, 0), (4, 2, 2), 0.0)])
    b = Boxes.stack([Box3D.upright((1000, 0, 0), (4, 2, 2), 1.0)])
    assert -1 < giou_bev(a, b)[0, 0] < -0.99


def test_no_boxes_and_boxes_without_partners():
    none, two = Boxes.stack([]), random_boxes(np.random.default_rng(0), 2)
    assert iou_bev(none, two).shape == (0, 2) and iou_3d(two, none).shape == (2, 0)
    assert iou_3d_paired(none, none).shape == (0,)
    with pytest.raises(CrosslabelError, match="0 and 2"):
        iou_3d_paired(none, two)
