"""What lies under the pointer is found, the nearest first."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.boxes import Box3D, Boxes
from fusion.overlap import points_in_box
from viewer.scene.picking import box_under, crossings, point_under, points_within
from viewer.scene.views import Flat, Orbit, Ray, Side, Size, ray_at, to_pixels

SIZE = Size(640, 480)
NEAR = Box3D.upright((10.0, 0.0, 1.0), (4.0, 2.0, 1.6), 0.4)
FAR = Box3D.upright((25.0, 0.0, 1.0), (4.0, 2.0, 1.6), -1.0)
INNER = Box3D.upright((10.0, 0.0, 1.0), (0.5, 0.5, 0.5), 0.0)
unit = st.floats(-0.49, 0.49)


def straight_at(place, start=(0.0, 0.0, 1.5)) -> Ray:
    way = np.asarray(place) - np.array(start)
    return Ray(np.array(start), way / np.linalg.norm(way))


def test_the_nearest_box_is_taken():
    boxes = Boxes.stack([FAR, NEAR])
    assert box_under(straight_at(NEAR.center), boxes) == 1
    assert box_under(straight_at((25.0, 0.5, 1.0), (25.0, 8.0, 1.0)), boxes) == 0
    assert box_under(straight_at((10.0, 9.0, 1.0)), boxes) is None
    assert box_under(straight_at(NEAR.center), Boxes.stack([])) is None


def test_boxes_behind_the_eye_are_not_taken():
    assert box_under(straight_at((-5.0, 0.0, 1.0)), Boxes.stack([NEAR, FAR])) is None


def test_from_inside_the_smallest_is_taken():
    ray = straight_at((20.0, 0.0, 1.0), tuple(NEAR.center))
    assert box_under(ray, Boxes.stack([NEAR, INNER])) == 1


@given(x=unit, y=unit, z=unit, at=st.integers(0, 2))
@settings(max_examples=60)
def test_a_ray_is_inside_between_where_it_enters_and_where_it_leaves(x, y, z, at):
    box = [NEAR, FAR, INNER][at]
    ray = straight_at(box.ego_from_box @ (np.array([x, y, z]) * box.size_lwh_m))
    (enters_m,), (leaves_m,) = crossings(ray, Boxes.stack([box]))
    assert enters_m < leaves_m
    places = (
        ray.origin
        + np.array([[enters_m - 1e-6], [(enters_m + leaves_m) / 2], [leaves_m + 1e-6]]) * ray.direction
    )
    assert points_in_box(places, box).tolist() == [False, True, False]


def test_a_ray_along_an_axis_of_the_box():
    box = Box3D.upright((10.0, 0.0, 1.0), (4.0, 2.0, 2.0), 0.0)
    straight = Ray(np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0]))
    (enters_m,), (leaves_m,) = crossings(straight, Boxes.stack([box]))
    assert (enters_m, leaves_m) == (8.0, 12.0)
    beside = Ray(np.array([0.0, 1.5, 1.0]), np.array([1.0, 0.0, 0.0]))
    assert box_under(beside, Boxes.stack([box])) is None


def test_the_point_under_the_pointer_is_the_one_in_front():
    view = Orbit((10.0, 0.0, 0.0))
    points = np.array([[10.0, 0, 0], [10.0, 3, 0], [0.0, 0, 0]])
    eye = view.view_from_ego.inverse().translation
    behind = eye + 1.5 * (points[0] - eye)
    (uv_px,), _ = to_pixels(view, SIZE, points[:1])
    assert point_under(view, SIZE, tuple(uv_px), np.vstack([behind, points])) == 1
    assert point_under(view, SIZE, (3.0, 3.0), points) is None


def test_a_rectangle_of_the_screen_holds_what_is_seen_in_it():
    view = Flat.around(Side.TOP, NEAR, SIZE)
    points = NEAR.ego_from_box @ np.array([[0.0, 0, 0], [1.9, 0.9, 0], [0, 1.6, 0]])
    found, _ = to_pixels(view, SIZE, points)
    corner, other = found[:2].min(axis=0) - 1, found[:2].max(axis=0) + 1
    assert points_within(view, SIZE, tuple(other), tuple(corner), points).tolist() == [0, 1]


def test_a_ray_meets_the_ground_where_it_is_seen():
    view = Orbit((10.0, 0.0, 0.0))
    place = ray_at(view, SIZE, (320.0, 240.0)).at_height(0.0)
    np.testing.assert_allclose(place, view.target, atol=1e-6)
    assert ray_at(Orbit(elevation_rad=0.0), SIZE, (320.0, 100.0)).at_height(-1.0) is None
