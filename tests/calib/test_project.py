"""Whole clouds into whole rigs: the same points and pixels as one camera at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib import SE3, Fisheye, Pinhole, project_cloud
from tests.calib.lenses import WIDE

RNG = np.random.default_rng(0)
OPTICAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
MODELS = (
    Pinhole(1266.4, 1266.4, 816.3, 491.5, 1600, 900),
    Pinhole(809.2, 809.2, 829.2, 481.8, 1600, 900, (-0.37, 0.2, 0.002, 0.0014, -0.07)),
    Pinhole(600.0, 610.0, 640.0, 512.0, 1280, 1024, (0.45, -2.69, 0.0008, -0.0003, 1.54, 0.33, -2.5, 1.47)),
    Pinhole(984.0, 981.0, 690.0, 233.0, 1392, 512, (-0.37, 0.2, 0, 0, -0.07, *[0.0] * 7, 0.05, -0.03)),
    Fisheye(330.5, 331.7, 640.3, 480.9, 1280, 960, (0.063, -0.011, 0.0024, -0.00042)),
    Fisheye(200.0, 200.0, 640.0, 480.0, 1280, 960),
    Pinhole(30_000.0, 30_000.0, -5_000.0, 450.0, 1600, 900),
    *WIDE.values(),
)


def random_turn(rng):
    quaternion = rng.normal(size=4)
    return SE3.from_quaternion_wxyz(quaternion, rng.normal(size=3) * 2)


def one_by_one(points, model, cam_from_points):
    seen = model.project(cam_from_points @ points.astype(np.float64))
    index = np.flatnonzero(seen.visible)
    return index, seen.uv_px[index], seen.depth_m[index]


def assert_same(points, models, cams_from_points):
    for model, cam_from_points, ours in zip(
        models, cams_from_points, project_cloud(points, models, cams_from_points), strict=True
    ):
        index, uv_px, depth_m = one_by_one(points, model, cam_from_points)
        np.testing.assert_array_equal(ours.index, index)
        np.testing.assert_allclose(ours.uv_px, uv_px, rtol=0, atol=1e-7)
        np.testing.assert_allclose(ours.depth_m, depth_m, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("spread_m", [0.1, 5.0, 300.0])
def test_a_rig_sees_what_each_camera_sees(dtype, spread_m):
    points = (RNG.normal(size=(5_000, 3)) * spread_m).astype(dtype)
    assert_same(points, MODELS, [random_turn(RNG) for _ in MODELS])


def test_a_sorted_cloud_skips_blocks_and_loses_nothing():
    azimuth, elevation = np.meshgrid(
        np.linspace(-np.pi, np.pi, 1000), np.linspace(-0.5, 0.2, 32), indexing="ij"
    )
    ray = np.stack(
        [
            np.cos(azimuth) * np.cos(elevation),
            np.sin(azimuth) * np.cos(elevation),
            np.sin(elevation),
        ],
        axis=-1,
    )
    points = (ray.reshape(-1, 3) * RNG.uniform(1, 80, (32_000, 1))).astype(np.float32)
    cams_from_ego = [
        SE3(SE3.from_yaw(yaw).rotation @ OPTICAL, (1.0, 0.2, 0.1)).inverse()
        for yaw in np.linspace(-3, 3, len(MODELS))
    ]
    assert_same(points, MODELS, cams_from_ego)
    assert sum(len(seen.index) for seen in project_cloud(points, MODELS, cams_from_ego)) > 20_000


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from(MODELS), st.floats(-3, 5))
def test_points_at_the_border_of_sight_are_never_lost_to_rounding(seed, model, log_distance):
    rng = np.random.default_rng(seed)
    cam_from_points = random_turn(rng)
    u = rng.choice([-0.5, 0.0, model.width_px / 2, model.width_px - 1, model.width_px - 0.5], 600)
    v = rng.choice([-0.5, 0.0, model.height_px / 2, model.height_px - 1, model.height_px - 0.5], 600)
    rays = model.ray(np.column_stack([u, v]) + rng.normal(size=(600, 2)) * 1e-3)
    # Straight up and down, the longitude in a panorama is no more exact than the transform.
    rays = rays[np.hypot(rays[:, 0], rays[:, 2]) > 1e-3] * 10.0**log_distance
    points = cam_from_points.inverse() @ rays
    assert_same(points.astype(np.float32), [model], [cam_from_points])


def test_float64_keeps_its_digits_far_from_the_origin():
    world_from_cam = SE3(OPTICAL, (4_000_000.0, 500_000.0, 30.0))
    points_cam = np.array([[0.5, -0.2, 10.0], [3.0, 1.0, 25.0]])
    cam_from_world = world_from_cam.inverse()
    seen = project_cloud(world_from_cam @ points_cam, [MODELS[0]], [cam_from_world])[0]
    np.testing.assert_allclose(seen.uv_px, MODELS[0].project(points_cam).uv_px, rtol=0, atol=1e-5)


def test_points_that_are_no_points_hide_nobody_else():
    points = np.tile(np.array([0.0, 0.0, 10.0]), (1_500, 1))
    points[::7] = np.nan
    points[1::7, 0] = np.inf
    points[2::7, 2] = -np.inf
    with np.errstate(invalid="ignore"):
        cloud = points.astype(np.float32)
    seen = project_cloud(cloud, MODELS[:2], [SE3.identity()] * 2)
    for part in seen:
        np.testing.assert_array_equal(part.index % 7 > 2, True)
        assert len(part.index) == sum(i % 7 > 2 for i in range(1_500))


def test_no_points_and_no_cameras():
    assert project_cloud(np.empty((0, 3)), [], []) == []
    assert project_cloud(np.ones((4, 3)), [], []) == []
    (seen,) = project_cloud(np.empty((0, 3), np.float32), MODELS[:1], [SE3.identity()])
    assert seen.index.shape == (0,) and seen.uv_px.shape == (0, 2) and seen.depth_m.shape == (0,)


@pytest.mark.parametrize("count", [1, 511, 512, 513, 1024])
def test_any_number_of_points_goes_in_whole(count):
    points = np.tile(np.array([[0.1, 0.1, 9.0]], np.float32), (count, 1))
    (seen,) = project_cloud(points, MODELS[:1], [SE3.identity()])
    np.testing.assert_array_equal(seen.index, np.arange(count))
    assert seen.index.dtype == np.int32
