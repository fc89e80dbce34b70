"""The loops of rectangles against plain numpy."""

import numpy as np
import pytest

from calib import SE3, CameraModel, Fisheye, Pinhole
from calib._kernels import gate_of
from fusion.boxes import EDGES, Box3D, Boxes
from fusion.overlap import points_in_box
from fusion.rectangles import _kernels

WIDTH_PX, HEIGHT_PX, CELL_PX = 640, 360, 20
BENT = Pinhole(500.0, 510.0, 322.0, 177.0, WIDTH_PX, HEIGHT_PX, (-0.1, 0.02, 0.001, -0.001, 0.0))
WIDE = Fisheye(200.0, 200.0, 320.0, 180.0, WIDTH_PX, HEIGHT_PX, (0.01, 0.0, 0.0, 0.0))


def some_boxes(count: int, seed: int) -> Boxes:
    rng = np.random.default_rng(seed)
    turns, places = rng.normal(0, 1, (count, 3)), rng.uniform([-8, -3, 4], [8, 3, 30], (count, 3))
    sizes = rng.uniform(0.5, 4, (count, 3))
    poses = [SE3.from_rotation_vector(turn, place) for turn, place in zip(turns, places, strict=True)]
    return Boxes.stack(Box3D(pose, *size.tolist()) for pose, size in zip(poses, sizes, strict=True))


def placed(unit: np.ndarray, boxes: Boxes) -> np.ndarray:
    samples = np.empty((len(boxes), len(unit), 3))
    poses = boxes.dst_from_box
    _kernels.place(unit, poses.rotations, poses.translations, boxes.sizes_lwh_m, samples)
    return samples


def slow_bounds(uv_px: np.ndarray, seen: np.ndarray) -> np.ndarray:
    reached = seen.copy()
    reached[..., 1:] |= seen[..., :-1]
    reached[..., :-1] |= seen[..., 1:]
    reached &= (np.abs(uv_px) < 4 * max(WIDTH_PX, HEIGHT_PX)).all(axis=-1)
    uv_px = np.clip(uv_px, 0.0, [WIDTH_PX - 1, HEIGHT_PX - 1])
    low = np.where(reached[..., None], uv_px, np.inf).min(axis=(1, 2))
    high = np.where(reached[..., None], uv_px, -np.inf).max(axis=(1, 2))
    ltrb_px = np.hstack([low, high])
    ltrb_px[~np.isfinite(ltrb_px).all(axis=1) | (low >= high).any(axis=1)] = np.nan
    return ltrb_px


def test_bounds_of_edges():
    rng = np.random.default_rng(5)
    uv_px = rng.normal(200, 400, (300, len(EDGES) * 9 + 4, 2))
    uv_px[rng.random(uv_px.shape) < 0.02] = np.nan
    uv_px[:20] *= 30
    seen = (uv_px >= 0).all(axis=-1) & (uv_px < [WIDTH_PX, HEIGHT_PX]).all(axis=-1)
    seen[::7] = False
    told = np.empty((300, 4))
    _kernels.bound_edges(uv_px, seen, 9, WIDTH_PX, HEIGHT_PX, told)
    expected = slow_bounds(uv_px[:, :-4].reshape(300, -1, 9, 2), seen[:, :-4].reshape(300, -1, 9))
    assert 30 < np.isnan(expected[:, 0]).sum() < 200
    np.testing.assert_array_equal(told, expected)


def test_places_of_a_cube_in_boxes():
    boxes, unit = some_boxes(5, 1), np.random.default_rng(2).uniform(-0.5, 0.5, (7, 3))
    expected = [
        pose @ (unit * size) for pose, size in zip(boxes.dst_from_box, boxes.sizes_lwh_m, strict=True)
    ]
    np.testing.assert_allclose(placed(unit, boxes), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("model", [BENT, WIDE])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_places_behind_the_points_of_others(model: CameraModel, dtype: type) -> None:
    rng = np.random.default_rng(3)
    boxes, behind_m = some_boxes(12, 4), 0.5
    samples = placed(rng.uniform(-0.5, 0.5, (44, 3)), boxes)
    seen = model.project(samples)
    uv_px, depths_m = seen.uv_px.reshape(12, 44, 2), seen.depth_m.reshape(12, 44)
    inside = seen.visible.reshape(12, 44)[:, 4:] & (np.arange(12) != 7)[:, None]
    cam_from_points = SE3.from_rotation_vector([0.3, -2.0, 0.5], [0.2, 1.0, -0.4])
    numbers = rng.permutation(13)[:12].astype(np.int32)
    of, which = rng.integers(0, 12, 600), rng.integers(0, 44, 600)
    near_samples = samples[of, which] * rng.uniform(0.7, 1.1, (600, 1))
    points_cam = np.concatenate([rng.uniform([-20, -6, -20], [20, 6, 25], (900, 3)), near_samples])
    points = (cam_from_points.inverse() @ points_cam).astype(dtype)
    owners = np.concatenate([rng.integers(-1, 13, 900), numbers[of]]).astype(np.int32)
    pose = cam_from_points.rotation, cam_from_points.translation
    hidden = rng.random(inside.shape) < 0.1
    expected = hidden.copy()
    _kernels.hide_behind_points(
        tuple(points.T.copy()),
        owners,
        (gate_of(model.sight, model.limit_rad, *pose), *pose, model.row),
        1 / CELL_PX,
        (HEIGHT_PX // CELL_PX + 2, WIDTH_PX // CELL_PX + 2),
        uv_px,
        depths_m,
        inside,
        behind_m,
        numbers,
        hidden,
    )
    shot = model.project(cam_from_points @ points)
    cells = np.floor((shot.uv_px + 0.5) / CELL_PX)
    for box, s in zip(*np.nonzero(inside), strict=True):
        nearest_m = depths_m[box, 4:][inside[box]].min() - behind_m
        nearer = shot.visible & (owners != numbers[box]) & (shot.depth_m < nearest_m)
        there = (cells == np.floor((uv_px[box, 4 + s] + 0.5) / CELL_PX)).all(axis=1)
        expected[box, s] |= (nearer & there).any()
    assert 0.1 < expected[inside].mean() < 0.9
    np.testing.assert_array_equal(hidden, expected)


def test_places_behind_the_solid_part_of_other_boxes():
    """Against steps along each line of sight: one that lies within another box."""
    rng = np.random.default_rng(6)
    boxes, solid = some_boxes(15, 7), rng.choice([0.6, 1.0], 15)
    samples = placed(rng.uniform(-0.5, 0.5, (44, 3)), boxes)
    pixels = samples[..., :2] / samples[..., 2:]
    ltrb = np.hstack([pixels.min(axis=1), pixels.max(axis=1)])
    ltrb[3] = np.nan
    hidden = np.zeros((15, 40), dtype=np.bool_)
    poses = boxes.dst_from_box
    _kernels.hide_behind_boxes(
        samples, poses.rotations, poses.translations, boxes.sizes_lwh_m, solid, ltrb, hidden
    )
    steps = np.linspace(0, 1, 2001)[1:-1, None, None]
    expected = np.zeros_like(hidden)
    for near in range(15):
        length_m, width_m, height_m = boxes.sizes_lwh_m[near].tolist()
        lowered = SE3(np.eye(3), np.array([0, 0, -height_m / 2 * (1 - solid[near])]))
        part = Box3D(poses[near] @ lowered, length_m, width_m, height_m * solid[near])
        for far in range(15):
            meet = (ltrb[near, :2] < ltrb[far, 2:]).all() and (ltrb[far, :2] < ltrb[near, 2:]).all()
            if near != far and meet and not points_in_box(np.zeros((1, 3)), part)[0]:
                ways = (steps * samples[far, 4:]).reshape(-1, 3)
                expected[far] |= points_in_box(ways, part).reshape(-1, 40).any(axis=0)
    assert 0.05 < expected.mean() < 0.6 and not hidden[3].any()
    assert (hidden != expected).mean() < 0.01
