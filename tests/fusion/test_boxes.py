"""Boxes: where their corners are, what cannot be a box, and one against many."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib import SE3, CalibrationError, CrosslabelError
from calib.se3 import SE3Batch
from fusion import Box3D, Boxes
from fusion.boxes import EDGES, UNIT_CORNERS
from tests.fusion.label_strategies import boxes


def test_corners_of_an_upright_box() -> None:
    box = Box3D.upright((10, 20, 1), (4, 2, 1.5), math.pi / 2)  # its front looks along +y
    corners = box.corners()
    assert corners.shape == (8, 3)
    np.testing.assert_allclose(corners.min(axis=0), (9, 18, 0.25), atol=1e-12)
    np.testing.assert_allclose(corners.max(axis=0), (11, 22, 1.75), atol=1e-12)
    np.testing.assert_allclose(corners[:4, 1], 22, atol=1e-12)  # the front face comes first
    np.testing.assert_allclose(corners[0], (9, 22, 1.75), atol=1e-12)  # from its own left, at the top


def test_both_faces_run_counter_clockwise_seen_from_the_front() -> None:
    for face in (UNIT_CORNERS[:4], UNIT_CORNERS[4:]):
        turn = np.cross(face[1] - face[0], face[2] - face[1])
        assert turn[0] > 0  # towards who stands in front, at +x
    np.testing.assert_array_equal(UNIT_CORNERS[:4, 1:], UNIT_CORNERS[4:, 1:])


def test_the_twelve_edges_run_along_the_three_axes() -> None:
    differences = np.abs([UNIT_CORNERS[a] - UNIT_CORNERS[b] for a, b in EDGES])
    assert (differences.sum(axis=1) == 1).all()
    np.testing.assert_array_equal(differences.sum(axis=0), (4, 4, 4))
    assert len({frozenset(edge) for edge in EDGES}) == 12


@settings(max_examples=50)
@given(boxes())
def test_corners_lie_half_the_size_from_the_centre(box: Box3D) -> None:
    box_from_ego = box.ego_from_box.inverse()
    scale = np.abs(box.center).max() + np.abs(box.size_lwh_m).max()
    local = np.abs(box_from_ego @ box.corners())
    np.testing.assert_allclose(local, np.tile(box.size_lwh_m / 2, (8, 1)), atol=1e-12 * scale)


@settings(max_examples=50)
@given(st.floats(-math.pi + 1e-9, math.pi), st.floats(0.1, 20))
def test_upright_says_its_yaw_and_size_again(yaw_rad: float, length_m: float) -> None:
    box = Box3D.upright((1, 2, 3), (length_m, 2, 1), yaw_rad)
    assert box.yaw_rad == pytest.approx(yaw_rad, abs=1e-12)
    np.testing.assert_array_equal(box.size_lwh_m, (length_m, 2, 1))
    np.testing.assert_array_equal(box.center, (1, 2, 3))


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("side", [0, 1, 2])
def test_every_side_must_be_positive_and_finite(bad: float, side: int) -> None:
    size = [1.0, 1.0, 1.0]
    size[side] = bad
    with pytest.raises(CrosslabelError, match="size of a box"):
        Box3D(SE3.identity(), *size)


def test_a_centre_must_be_finite() -> None:
    with pytest.raises(CalibrationError):
        Box3D.upright((math.nan, 0, 0), (1, 1, 1), 0)
    with pytest.raises(CalibrationError):
        Box3D.upright((0, 0), (1, 1, 1), 0)


def test_a_box_cannot_be_changed() -> None:
    box = Box3D.upright((1, 2, 3), (4, 2, 1), 0)
    with pytest.raises(AttributeError):
        box.length_m = 5.0  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        box.center[0] = 5.0
    corners = box.corners()
    corners += 1  # what is computed belongs to the caller
    np.testing.assert_array_equal(box.center, (1, 2, 3))


@settings(max_examples=30)
@given(st.lists(boxes(), max_size=5))
def test_many_agree_with_one_by_one(drawn: list[Box3D]) -> None:
    many = Boxes.stack(drawn)
    assert len(many) == len(drawn)
    assert many.corners().shape == (len(drawn), 8, 3)
    assert many.upright().shape == (len(drawn), 7)
    for i, box in enumerate(drawn):
        scale = np.abs(box.center).max() + np.abs(box.size_lwh_m).max()
        np.testing.assert_allclose(many.corners()[i], box.corners(), atol=1e-12 * scale)
        expected = [*box.center, *box.size_lwh_m, box.yaw_rad]
        np.testing.assert_allclose(many.upright()[i], expected, atol=1e-12)


@settings(max_examples=30)
@given(boxes(), boxes())
def test_moving_a_box_moves_its_corners(box: Box3D, other: Box3D) -> None:
    world_from_ego = other.ego_from_box
    moved = Boxes.stack([box]).moved(world_from_ego).corners()[0]
    scale = 1 + np.abs(moved).max() + np.abs(box.corners()).max()
    np.testing.assert_allclose(moved, world_from_ego @ box.corners(), atol=1e-12 * scale)


def test_many_boxes_need_as_many_sizes_and_cannot_be_changed() -> None:
    sizes = np.ones((2, 3))
    dst_from_box = SE3Batch.stack([SE3.identity()] * 2)
    many = Boxes(dst_from_box, sizes)
    sizes[0] = 7
    np.testing.assert_array_equal(many.sizes_lwh_m, 1)
    with pytest.raises(ValueError, match="read-only"):
        many.sizes_lwh_m[0] = 5.0
    with pytest.raises(CrosslabelError, match="2 poses and 3 sizes"):
        Boxes(dst_from_box, np.ones((3, 3)))


def test_one_of_many_is_as_frozen_as_one_alone() -> None:
    batch = SE3Batch.stack([SE3.identity(), SE3.from_yaw(1.0, (1, 2, 3))])
    for transform in (batch[1], list(batch)[1]):
        assert transform.is_close(SE3.from_yaw(1.0, (1, 2, 3)), atol=0)
        with pytest.raises(ValueError, match="read-only"):
            transform.rotation[0, 0] = 5.0
        with pytest.raises(ValueError, match="read-only"):
            transform.translation[0] = 5.0
    with pytest.raises(IndexError):
        batch[2]


@given(parts=st.lists(st.lists(boxes(), max_size=3), max_size=4))
@settings(max_examples=30)
def test_boxes_put_together_and_taken_apart_are_the_same(parts: list[list[Box3D]]) -> None:
    together = Boxes.concatenate(Boxes.stack(part) for part in parts)
    at_once = Boxes.stack(box for part in parts for box in part)
    np.testing.assert_array_equal(together.corners(), at_once.corners())
    first = len(parts[0]) if parts else 0
    np.testing.assert_array_equal(together.take(slice(first)).corners(), at_once.corners()[:first])
