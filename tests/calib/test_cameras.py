"""Camera models against OpenCV, against their own inverse, and against a walk along each ray."""

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from calib import CalibrationError, CameraModel, Fisheye, Pinhole
from tests import reference

KITTI = (-0.3728755, 0.2037299, 0.002219027, 0.001383707, -0.07233722)
KINECT = (0.4539, -2.686, 0.000789, -0.0003, 1.5436, 0.3342, -2.5036, 1.4728)
BROWN = {
    "none": (),
    "KITTI grey camera": (-0.3691481, 0.1968681, 0.001353473, 0.0005677587),
    "KITTI colour camera": KITTI,
    "action camera": (-0.55, 0.38, 0.001, -0.0005, -0.15),
    "telephoto": (0.12, -1.9, 0.0004, 0.0002, 9.0),
    "folds early": (-0.6, 0.02, 0.0, 0.0, 0.0),
    "Azure Kinect": KINECT,
    "rational with a pole": (0.1, 0.01, 0.0, 0.0, 0.0, -0.9, 0.05, 0.0),
    "thin prism": (*KINECT, 0.003, -0.001, -0.002, 0.0006),
    "tilted": (*KITTI, 0.01, -0.02, 0.003, 0.003, -0.001, -0.002, 0.0006, 0.05, -0.03),
}
FISHEYE = {
    "none": (),
    "surround view": (0.063, -0.011, 0.0024, -0.00042),
    "folds": (-0.12, -0.03, 0.002, -0.003),
    "wide": (-0.02, 0.01, -0.004, 0.0003),
}
CAMERAS: dict[str, CameraModel] = {
    **{f"pinhole {name}": Pinhole(984.2, 980.8, 690.1, 233.2, 1392, 512, k) for name, k in BROWN.items()},
    **{f"fisheye {name}": Fisheye(330.5, 331.7, 640.3, 480.9, 1280, 960, k) for name, k in FISHEYE.items()},
}
every_camera = pytest.mark.parametrize("model", CAMERAS.values(), ids=CAMERAS.keys())


def distort(model):
    twin = reference.distort_brown if isinstance(model, Pinhole) else reference.distort_fisheye
    return lambda plane: twin(plane, model.distortion)


def by_opencv(model, points):
    k = np.array(model.distortion or (0.0,) * 4)
    if isinstance(model, Pinhole):
        return cv2.projectPoints(points, np.zeros(3), np.zeros(3), model.matrix, k)[0][:, 0]
    return cv2.fisheye.projectPoints(points[:, None], np.zeros(3), np.zeros(3), model.matrix, k)[0][:, 0]


def cone(rng, count, widest_rad, depths=(0.3, 80.0)):
    """Points at most so far from the optical axis."""
    angle, around = rng.uniform(0, widest_rad, count), rng.uniform(-np.pi, np.pi, count)
    rays = np.column_stack([np.tan(angle) * np.cos(around), np.tan(angle) * np.sin(around), np.ones(count)])
    return rays * rng.uniform(*depths, (count, 1))


def everywhere(rng, count):
    return rng.normal(size=(count, 3)) * 10.0 ** rng.uniform(-2, 3, (count, 1))


@every_camera
def test_projects_as_opencv_does(model):
    points = cone(np.random.default_rng(0), 20_000, min(model.limit_rad, np.radians(80)))
    theirs = by_opencv(model, points)
    near = (np.abs(theirs) < 10_000).all(axis=1)  # beyond, 1e-9 px is less than a float64 can tell apart
    assert near.mean() > 0.5
    np.testing.assert_allclose(model.project(points).uv_px[near], theirs[near], rtol=0, atol=1e-9)


@every_camera
def test_depth_is_the_distance_along_the_axis_and_nothing_behind_has_a_pixel(model):
    points = everywhere(np.random.default_rng(1), 20_000)
    seen = model.project(points)
    np.testing.assert_array_equal(seen.depth_m, points[:, 2])
    behind = points[:, 2] <= 0
    assert behind.sum() > 5_000
    assert np.isnan(seen.uv_px[behind]).all()
    assert not seen.visible[behind].any()


def walks_straight(model, points, steps=200):
    """Whether the way from the axis out to each point never meets a fold of the distortion."""
    ends = points[:, :2] / points[:, 2:]
    way = ends[:, None] * np.linspace(0, 1, steps)[None, :, None]
    with np.errstate(all="ignore"):
        images = distort(model)(way)
        stays = (reference.jacobian_sign(distort(model), way) > 0).all(axis=1)
        grows = (np.diff(np.linalg.norm(images - images[:, :1], axis=2), axis=1) > 0).all(axis=1)
    return stays & grows


@every_camera
def test_what_is_visible_lies_before_any_fold_and_on_the_image(model):
    points = cone(np.random.default_rng(2), 2_000, np.radians(89.5))
    seen = model.project(points)
    assert seen.visible.sum() > 100
    assert walks_straight(model, points[seen.visible]).all()
    u, v = seen.uv_px[seen.visible].T
    assert (u >= -0.5).all() and (u < model.width_px - 0.5).all()
    assert (v >= -0.5).all() and (v < model.height_px - 0.5).all()


@every_camera
def test_nothing_before_the_fold_and_on_the_image_is_lost(model):
    points = cone(np.random.default_rng(3), 1_500, np.radians(88))
    seen = model.project(points)
    uv_px = distort(model)(points[:, :2] / points[:, 2:]) * (model.fx_px, model.fy_px) + (
        model.cx_px,
        model.cy_px,
    )
    on_image = ((uv_px > -0.5) & (uv_px < (model.width_px - 0.5, model.height_px - 0.5))).all(axis=1)
    lost = points[on_image & walks_straight(model, points) & ~seen.visible]
    # One limit for all directions: where tangential terms make the fold uneven, it is the nearest fold.
    angles = np.arctan2(np.linalg.norm(lost[:, :2], axis=1), lost[:, 2])
    assert (angles > 0.97 * model.limit_rad).all()


small, tiny = st.floats(-0.6, 0.6), st.floats(-0.01, 0.01)


@settings(max_examples=40, deadline=None)
@given(st.tuples(small, small, tiny, tiny, small, small, small, small), st.integers(0, 2**32 - 1))
def test_no_coefficients_let_a_point_fold_back_into_the_image(distortion, seed):
    model = Pinhole(400.0, 410.0, 500.0, 300.0, 1000, 600, distortion)
    points = np.concatenate(
        [
            cone(np.random.default_rng(seed), 400, np.radians(89.9)),
            everywhere(np.random.default_rng(seed), 400),
        ]
    )
    visible = model.project(points).visible
    assert (points[visible, 2] > 0).all()
    assert walks_straight(model, points[visible]).all()


@settings(max_examples=40, deadline=None)
@given(st.tuples(*[st.floats(-0.3, 0.3)] * 4), st.integers(0, 2**32 - 1))
def test_no_coefficients_let_a_fisheye_fold_back(distortion, seed):
    model = Fisheye(400.0, 410.0, 500.0, 300.0, 1000, 600, distortion)
    points = cone(np.random.default_rng(seed), 400, np.radians(89.99))
    visible = model.project(points).visible
    assert walks_straight(model, points[visible]).all()


@every_camera
def test_a_ray_leads_back_to_its_point(model):
    points = cone(np.random.default_rng(4), 20_000, 0.97 * min(model.limit_rad, np.radians(85)))
    rays = model.ray(model.project(points).uv_px)
    expected = points / np.linalg.norm(points, axis=1, keepdims=True)
    np.testing.assert_allclose(rays, expected, rtol=0, atol=1e-9)


@every_camera
def test_every_ray_of_the_image_projects_onto_its_own_pixel(model):
    grid = np.array(
        list(itertools.product(range(0, model.width_px, 13), range(0, model.height_px, 11))), float
    )
    rays = model.ray(grid)
    known = np.isfinite(rays).all(axis=1)
    assert known.mean() > 0.1
    np.testing.assert_allclose(np.linalg.norm(rays[known], axis=1), 1, atol=1e-12)
    landed = model.project(rays[known]).uv_px
    reached = np.isfinite(landed).all(axis=1)  # a fisheye's ray at a right angle has no depth
    np.testing.assert_allclose(landed[reached], grid[known][reached], rtol=0, atol=1e-5)
    assert reached.mean() > 0.99


@settings(max_examples=40, deadline=None)
@given(st.tuples(small, small, tiny, tiny, small, small, small, small), st.integers(0, 2**32 - 1))
def test_rays_invert_whatever_the_coefficients(distortion, seed):
    model = Pinhole(400.0, 410.0, 500.0, 300.0, 1000, 600, distortion)
    assume(model.limit_rad > 0.05)
    points = cone(np.random.default_rng(seed), 200, 0.9 * min(model.limit_rad, np.radians(80)))
    rays = model.ray(model.project(points).uv_px)
    expected = points / np.linalg.norm(points, axis=1, keepdims=True)
    np.testing.assert_allclose(rays, expected, rtol=0, atol=1e-7)


def test_no_ray_where_the_model_does_not_reach():
    model = CAMERAS["pinhole folds early"]
    corner = np.array([[0.0, 0.0], [model.cx_px, model.cy_px]])
    assert np.isnan(model.ray(corner)[0]).all()
    np.testing.assert_allclose(model.ray(corner)[1], (0, 0, 1), atol=1e-15)


@every_camera
def test_points_that_are_no_points_are_not_visible(model):
    bad = np.array(
        [[np.nan, 0, 5], [0, np.nan, 5], [0, 0, np.nan], [np.inf, 0, 5], [0, 0, np.inf], [0, 0, 0]]
    )
    assert not model.project(bad).visible.any()
    assert model.project(np.empty((0, 3))).uv_px.shape == (0, 2)


@every_camera
def test_sight_bounds_whatever_is_visible(model):
    points = cone(np.random.default_rng(5), 100_000, np.radians(89.9))
    plane = (points[:, :2] / points[:, 2:])[model.project(points).visible]
    assert (plane >= model.sight[:, 0]).all() and (plane <= model.sight[:, 1]).all()


@pytest.mark.parametrize(
    "bad",
    [
        {"distortion": (0.1,)},
        {"distortion": (0.1,) * 6},
        {"distortion": (np.nan,) * 4},
        {"fx_px": -1.0},
        {"fy_px": 0.0},
        {"cx_px": np.inf},
        {"width_px": 0},
    ],
)
@pytest.mark.parametrize("family", [Pinhole, Fisheye])
def test_a_camera_that_cannot_be_is_refused(family, bad):
    good = {"fx_px": 500.0, "fy_px": 500.0, "cx_px": 320.0, "cy_px": 240.0, "width_px": 640, "height_px": 480}
    family(**good)
    with pytest.raises(CalibrationError):
        family(**{**good, **bad})


def test_models_serve_as_camera_models_and_compare_by_value():
    assert isinstance(CAMERAS["pinhole none"], CameraModel)
    assert isinstance(CAMERAS["fisheye none"], CameraModel)
    assert Pinhole(1.0, 1.0, 0.0, 0.0, 2, 2, (0, 0, 0, 0)) == Pinhole(1.0, 1.0, 0.0, 0.0, 2, 2, (0.0,) * 4)
