"""Boxes follow the pointer that holds them, and nothing else of them moves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.boxes import Box3D, Boxes
from fusion.overlap import iou_3d
from viewer.scene.handles import INSIDE, KNOB, Handle, dragged, extent_m, handle_at, knob_m
from viewer.scene.views import Flat, Side, Size, to_pixels

SIZE = Size(400, 400)
BOX = Box3D.upright((12.0, 3.0, 0.8), (4.5, 1.9, 1.6), 2.2)
VIEWS = {side: Flat.around(side, BOX, SIZE) for side in Side}
EDGES = [Handle(r, u) for r in (-1, 0, 1) for u in (-1, 0, 1) if r or u]
metres = st.floats(-0.7, 3.0)


def px(view: Flat, place_m) -> np.ndarray:
    x_m, y_m = np.asarray(place_m) - np.array(view.off_m)
    return np.array([SIZE.width_px / 2 + x_m / view.m_per_px, SIZE.height_px / 2 - y_m / view.m_per_px])


def corner_box(view: Flat, box: Box3D) -> np.ndarray:
    """Left, lower, right, upper edge of a box on the screen."""
    found, _ = to_pixels(view, SIZE, box.corners())
    return np.array([found[:, 0].min(), found[:, 1].max(), found[:, 0].max(), found[:, 1].min()])


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("handle", EDGES)
def test_every_edge_and_corner_can_be_taken_and_follows_the_pointer(side, handle):
    view = VIEWS[side]
    place = extent_m(view, BOX) * [handle.right, handle.up]
    assert handle_at(view, BOX, place, 0.1) == handle
    way = np.array([0.31, -0.17])
    after = corner_box(view, dragged(view, BOX, handle, place, place + way))
    expected = corner_box(view, BOX)
    step = px(view, way) - px(view, (0, 0))
    moving = [handle.right < 0, handle.up < 0, handle.right > 0, handle.up > 0]
    expected = expected + np.array([step[0], step[1], step[0], step[1]]) * moving
    np.testing.assert_allclose(after, expected, atol=1e-6)


@pytest.mark.parametrize("side", Side)
def test_the_inside_moves_the_box_as_it_is(side):
    view = VIEWS[side]
    assert handle_at(view, BOX, np.zeros(2), 0.1) == INSIDE
    after = dragged(view, BOX, INSIDE, np.zeros(2), np.array([0.4, 0.3]))
    np.testing.assert_allclose(after.size_lwh_m, BOX.size_lwh_m)
    assert after.yaw_rad == pytest.approx(BOX.yaw_rad)
    found, _ = to_pixels(view, SIZE, after.center[None])
    np.testing.assert_allclose(found[0], px(view, (0.4, 0.3)), atol=1e-6)


def test_the_knob_points_where_the_pointer_is():
    view = VIEWS[Side.TOP]
    knob = knob_m(view, BOX)
    assert handle_at(view, BOX, knob, 0.1) == KNOB
    for angle_rad in (0.3, -1.2, 2.5):
        now = 5 * np.array([-np.sin(angle_rad), np.cos(angle_rad)])
        after = dragged(view, BOX, KNOB, knob, now)
        turn = (after.yaw_rad - BOX.yaw_rad + np.pi) % (2 * np.pi) - np.pi
        assert turn == pytest.approx(angle_rad)
        np.testing.assert_allclose(after.center, BOX.center)
    assert knob_m(VIEWS[Side.REAR], BOX) is None


def test_away_from_the_box_there_is_nothing_to_hold():
    for view in VIEWS.values():
        assert handle_at(view, BOX, extent_m(view, BOX) + 0.2, 0.1) is None


@given(right=metres, up=metres, handle=st.sampled_from(EDGES), side=st.sampled_from(list(Side)))
@settings(max_examples=60)
def test_a_box_never_turns_inside_out_and_a_drag_back_undoes_it(right, up, handle, side):
    view, way = VIEWS[side], np.array([right, up])
    after = dragged(view, BOX, handle, np.zeros(2), way)
    assert (after.size_lwh_m >= 0.05 - 1e-12).all()
    if (after.size_lwh_m > 0.06).all():
        back = dragged(view, after, handle, np.zeros(2), -way)
        assert iou_3d(Boxes.stack([back]), Boxes.stack([BOX]))[0, 0] == pytest.approx(1.0)


def test_a_box_that_is_tiny_on_the_screen_can_still_be_moved():
    view = VIEWS[Side.TOP]
    assert handle_at(view, BOX, np.zeros(2), 5.0) == INSIDE
