"""Pictures show what they should where they should."""

import numpy as np

from calib import SE3, Fisheye, Pinhole
from fusion import Box3D
from fusion.categories import Kind, kind_of
from fusion.pictures import BACKGROUND, COLOURS, Drawn, bird_eye, dots, overlay

CAM_FROM_EGO = SE3(np.array([[0.0, -1, 0], [0, 0, -1], [1, 0, 0]]), np.zeros(3))
MODEL = Pinhole(600, 600, 479.5, 269.5, 960, 540)
LINE_PX = 3.5  # half the width of a line, its soft border, and rounding
BLACK = np.zeros((540, 960, 3), np.uint8)


def drawn_at(picture):
    """Columns and rows of all that is not black."""
    rows, columns = np.nonzero(picture.any(axis=2))
    return columns, rows


def test_a_box_is_drawn_where_its_corners_fall():
    box = Box3D.upright((15, 2, 0), (4, 2, 1.5), 0.4)
    picture = overlay(BLACK, MODEL, CAM_FROM_EGO, [Drawn(box, "car")])
    corners_px = MODEL.project(CAM_FROM_EGO @ box.corners()).uv_px
    columns, rows = drawn_at(picture)
    np.testing.assert_allclose([columns.min(), rows.min()], corners_px.min(axis=0), atol=LINE_PX)
    np.testing.assert_allclose([columns.max(), rows.max()], corners_px.max(axis=0), atol=LINE_PX)
    assert (picture.reshape(-1, 3).max(axis=0) == COLOURS[Kind.CAR]).all()
    assert not BLACK.any()


def test_nothing_behind_the_camera_is_drawn():
    behind = Box3D.upright((-15, 2, 0), (4, 2, 1.5), 0.4)
    assert not overlay(BLACK, MODEL, CAM_FROM_EGO, [Drawn(behind, "car", "car 1")]).any()


def test_a_box_that_reaches_behind_the_camera_is_cut():
    around = Box3D.upright((1.0, 2.0, 0), (6, 2, 1.5), 0.0)
    picture = overlay(BLACK, MODEL, CAM_FROM_EGO, [Drawn(around, "car")])
    columns, _ = drawn_at(picture)
    assert len(columns) > 0
    assert columns.max() < 480  # it stands on the left


def test_edges_bend_with_the_lens():
    fisheye = Fisheye(300, 300, 479.5, 269.5, 960, 540, (0.05, -0.01, 0.0, 0.0))
    box = Box3D.upright((4, 0, -2), (1, 8, 1), 0.0)
    picture = overlay(BLACK, fisheye, CAM_FROM_EGO, [Drawn(box, "truck")])
    line = CAM_FROM_EGO @ np.array([[4.5, y, -1.5] for y in np.linspace(-4, 4, 40)])
    middle_of_line = fisheye.project(line)
    for u, v in np.round(middle_of_line.uv_px[middle_of_line.visible]).astype(int):
        assert picture[v - 2 : v + 3, u - 2 : u + 3].any()


def test_dots_sit_on_their_pixels_and_near_ones_cover_far_ones():
    uv_px, depth_m = np.array([[100.0, 50.0], [100.0, 50.0], [959.0, 539.0]]), np.array([4.0, 70.0, 10.0])
    picture = dots(BLACK, uv_px, depth_m)
    near_alone = dots(BLACK, uv_px[:1], depth_m[:1])
    assert (picture[48:53, 98:103] == near_alone[48:53, 98:103]).all()
    assert picture[539, 959].any()
    assert len(drawn_at(near_alone)[0]) == 5


def test_the_view_from_above_has_driving_direction_up_and_left_left():
    size_px, range_m = 400, 40.0
    ahead_left = Box3D.upright((20, 10, 0), (4, 2, 1.5), 0.0)
    empty = bird_eye(np.zeros((0, 3)), [], range_m, size_px)
    picture = bird_eye(np.zeros((0, 3)), [Drawn(ahead_left, "car")], range_m, size_px)
    rows, columns = np.nonzero((picture != empty).any(axis=2))
    assert abs(rows.mean() - (200 - 20 * 5)) < 6
    assert abs(columns.mean() - (200 - 10 * 5)) < 3
    assert tuple(empty[0, 0]) == BACKGROUND


def test_points_out_of_range_or_nowhere_do_no_harm():
    points = np.array([[1e6, 0, 0], [3.0, 3.0, 0.5]], np.float32)
    picture = bird_eye(points, [], 10.0, 100)
    assert (picture[35, 35] != BACKGROUND).any()


def test_every_kind_has_a_colour_and_names_of_data_sets_have_kinds():
    assert set(COLOURS) == set(Kind)
    named = {
        "Car": Kind.CAR,
        "Van": Kind.CAR,
        "Pickup Truck": Kind.CAR,
        "Semi-truck": Kind.TRUCK,
        "Pedestrian with Object": Kind.PEDESTRIAN,
        "Person_sitting": Kind.PEDESTRIAN,
        "human.pedestrian.construction_worker": Kind.PEDESTRIAN,
        "Cyclist": Kind.BICYCLE,
        "vehicle.bicycle": Kind.BICYCLE,
        "vehicle.bus.rigid": Kind.BUS,
        "Tram": Kind.BUS,
        "Towed Object": Kind.TRAILER,
        "Other Vehicle - Construction Vehicle": Kind.CONSTRUCTION,
        "vehicle.construction": Kind.CONSTRUCTION,
        "CONSTRUCTION_CONE": Kind.CONE,
        "movable_object.trafficcone": Kind.CONE,
        "Temporary Construction Barriers": Kind.BARRIER,
        "static_object.bicycle_rack": Kind.OTHER,
        "Misc": Kind.OTHER,
    }
    assert {name: kind_of(name) for name in named} == named
