"""Views turn places into pixels and back, and zooming keeps what is under the pointer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.se3 import SE3
from fusion.boxes import Box3D
from viewer.scene.views import Flat, Orbit, Side, Size, ray_at, to_pixels

SIZE = Size(800, 500)
BOX = Box3D.upright((12.0, 3.0, 0.8), (4.5, 1.9, 1.6), 0.7)
FLATS = [Flat.around(side, BOX, SIZE) for side in Side]
orbits = st.builds(
    Orbit,
    target=st.tuples(*[st.floats(-50, 50)] * 3),
    distance_m=st.floats(2, 200),
    azimuth_rad=st.floats(-3, 3),
    elevation_rad=st.floats(-1.5, 1.5),
)
pixels = st.tuples(st.floats(1, 799), st.floats(1, 499))


@given(view=orbits, uv_px=pixels, t=st.floats(0.5, 100))
@settings(max_examples=50)
def test_what_lies_on_the_ray_of_a_pixel_is_seen_there(view, uv_px, t):
    ray = ray_at(view, SIZE, uv_px)
    found, depth_m = to_pixels(view, SIZE, (ray.origin + t * ray.direction)[None])
    np.testing.assert_allclose(found[0], uv_px, atol=1e-6)
    assert depth_m[0] > 0


@pytest.mark.parametrize("view", FLATS, ids=[view.side for view in FLATS])
def test_a_flat_view_shows_metres_as_they_are(view):
    for uv_px in ((400.0, 250.0), (10.0, 480.0)):
        ray = ray_at(view, SIZE, uv_px)
        right, up = view.metres(SIZE, uv_px)
        box_from_ego = BOX.ego_from_box.inverse()
        place = box_from_ego @ ray.origin
        axes = view.view_from_box.rotation
        np.testing.assert_allclose([axes[0] @ place, axes[1] @ place], [right, up], atol=1e-9)
    uv_px, _ = to_pixels(view, SIZE, BOX.corners())
    assert (uv_px > 0).all()
    assert (uv_px < [800, 500]).all()


def test_from_above_the_front_is_up_and_from_behind_left_is_left():
    front, left = BOX.ego_from_box @ np.array([[2.0, 0, 0], [0, 0.9, 0]])
    top, side, rear = (to_pixels(view, SIZE, np.array([front, left, BOX.center]))[0] for view in FLATS)
    assert top[0, 1] < top[2, 1] - 10
    assert top[1, 0] < top[2, 0] - 10
    assert side[0, 0] < side[2, 0] - 10
    assert rear[1, 0] < rear[2, 0] - 10


@given(view=orbits, steps=st.floats(-3, 3), uv_px=pixels)
@settings(max_examples=50)
def test_zooming_to_a_place_keeps_it_under_the_pointer(view, steps, uv_px):
    ray = ray_at(view, SIZE, uv_px)
    forward = -view.view_from_ego.rotation[2]
    t = (view.distance_m - forward @ (ray.origin - view.view_from_ego.inverse().translation)) / (
        forward @ ray.direction
    )
    place = ray.origin + t * ray.direction
    found, _ = to_pixels(view.zoomed(steps, place), SIZE, place[None])
    np.testing.assert_allclose(found[0], uv_px, atol=1e-3)


@pytest.mark.parametrize("view", FLATS, ids=[view.side for view in FLATS])
def test_zooming_a_flat_view_keeps_what_is_under_the_pointer(view):
    uv_px = (123.0, 321.0)
    nearer = view.zoomed(4, SIZE, uv_px)
    assert nearer.m_per_px < view.m_per_px
    np.testing.assert_allclose(nearer.metres(SIZE, uv_px), view.metres(SIZE, uv_px), atol=1e-12)


def test_a_drag_moves_what_lies_at_the_target_with_the_pointer():
    view = Orbit((5.0, 2.0, 0.0), 30.0, 0.3)
    found, _ = to_pixels(view.shifted(40, -25, SIZE), SIZE, np.array([view.target]))
    np.testing.assert_allclose(found[0], [440, 225], atol=1e-6)


def test_walking_goes_where_one_looks():
    view = Orbit(azimuth_rad=np.pi / 2).walked(3.0, 1.0)
    np.testing.assert_allclose(view.target, (-1.0, 3.0, 0.0), atol=1e-12)


def test_what_lies_behind_the_eye_has_no_pixel():
    view = Orbit(distance_m=10.0, elevation_rad=0.0)
    uv_px, depth_m = to_pixels(view, SIZE, np.array([[-30.0, 0, 0], [5.0, 0, 0]]))
    assert np.isnan(uv_px[0]).all()
    assert depth_m[0] < 0 < depth_m[1]


def test_looking_straight_down_is_no_mirror():
    view = Orbit(elevation_rad=np.radians(89.9))
    uv_px, _ = to_pixels(view, SIZE, np.array([[0.0, 0, 0], [5.0, 0, 0], [0, 5.0, 0]]))
    assert uv_px[1, 1] < uv_px[0, 1]
    assert uv_px[2, 0] < uv_px[0, 0]
    assert isinstance(view.view_from_ego, SE3)
