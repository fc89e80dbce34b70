"""Colours of points: bilinear to the bit, and from the camera that sees a point best."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib import CalibrationError, Fisheye, Pinhole, VisiblePoints
from calib.sight import View, colour_points, sample_colours
from calib.sight.colour import UNSEEN, pixels_per_rad

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (90, 160, 3), dtype=np.uint8)


def numpy_twin(image, uv_px):
    height, width = image.shape[:2]
    u, v = np.clip(uv_px[:, 0], 0, width - 1), np.clip(uv_px[:, 1], 0, height - 1)
    x, y = u.astype(int), v.astype(int)
    right, down = np.minimum(x + 1, width - 1), np.minimum(y + 1, height - 1)
    a, b = (np.floor((rest * 65536)[:, None]).astype(int) for rest in (u - x, v - y))
    both = np.floor(a * b / 65536 + 0.5).astype(int)
    pixels = image.astype(int)
    above = (65536 - a - b + both) * pixels[y, x] + (a - both) * pixels[y, right]
    below = (b - both) * pixels[down, x] + both * pixels[down, right]
    return ((above + below + 32768) // 65536).astype(np.uint8)


def seen(index, uv_px):
    index, uv_px = np.asarray(index, np.int32), np.asarray(uv_px, np.float64).reshape(-1, 2)
    return VisiblePoints(index, uv_px, np.full(len(index), 10.0))


def test_colours_are_those_of_the_numpy_twin():
    uv_px = RNG.uniform((-0.5, -0.5), (159.5, 89.5), (20_000, 2))
    np.testing.assert_array_equal(sample_colours(IMAGE, uv_px), numpy_twin(IMAGE, uv_px))


def test_colours_are_those_of_opencv():
    """OpenCV counts in 32nds of a pixel: on these both say the same, but for rounding a half."""
    uv_px = RNG.integers(0, (159 * 32, 89 * 32), (20_000, 2)) / 32
    column, row = uv_px.astype(np.float32).T
    theirs = cv2.remap(IMAGE, column[None], row[None], cv2.INTER_LINEAR)[0]
    ours = sample_colours(IMAGE, uv_px)
    assert np.abs(ours.astype(int) - theirs).max() <= 1
    assert (ours == theirs).mean() > 0.97
    floats = cv2.remap(IMAGE.astype(np.float32), column[None], row[None], cv2.INTER_LINEAR)[0]
    assert np.abs(ours - floats).max() <= 0.51


def test_at_whole_pixels_the_colour_is_the_pixel():
    u, v = np.meshgrid(np.arange(160), np.arange(90))
    colours = sample_colours(IMAGE, np.column_stack([u.ravel(), v.ravel()]))
    np.testing.assert_array_equal(colours, IMAGE.reshape(-1, 3))


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 1), (2, 2)])
def test_the_smallest_images_work(shape):
    image = RNG.integers(0, 256, (*shape, 3), dtype=np.uint8)
    uv_px = RNG.uniform(-0.5, np.array(shape[::-1]) - 0.5, (200, 2))
    np.testing.assert_array_equal(sample_colours(image, uv_px), numpy_twin(image, uv_px))


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), max_size=20))
def test_pixels_off_the_image_take_the_border(pixels):
    uv_px = np.array(pixels, np.float64).reshape(-1, 2)
    np.testing.assert_array_equal(sample_colours(IMAGE, uv_px), numpy_twin(IMAGE, uv_px))


def test_a_pixel_that_is_no_number_reads_no_memory_that_is_not_there():
    colours = sample_colours(IMAGE, np.array([[np.nan, np.nan], [np.inf, -np.inf], [3.0, np.nan]]))
    np.testing.assert_array_equal(colours, IMAGE[[0, 0, 0], [0, 159, 3]])


def test_pixels_at_the_very_border_are_read_from_inside():
    """In an image of its own and in one that is cut out of a larger one."""
    corners = np.array([[159.0, 89.0], [159.4, 3.0], [2.0, 89.4], [158.999999, 88.999999], [160.0, 1e9]])
    np.testing.assert_array_equal(sample_colours(IMAGE, corners), numpy_twin(IMAGE, corners))
    cut, upside_down = IMAGE[10:40, 20:51], IMAGE[::-1, ::-1]
    for image in (cut, upside_down):
        uv_px = RNG.uniform(-2, np.array(image.shape[1::-1]) + 2.0, (3_000, 2))
        np.testing.assert_array_equal(sample_colours(image, uv_px), numpy_twin(image, uv_px))


def test_an_image_whose_bytes_cannot_be_counted_is_refused():
    with pytest.raises(CalibrationError, match="too large"):
        sample_colours(np.broadcast_to(np.uint8(7), (30_000, 30_000, 3)), np.zeros((1, 2)))


def flat(colour, model):
    return np.full((model.height_px, model.width_px, 3), colour, np.uint8)


def test_a_point_takes_the_colour_of_the_camera_that_sees_it_best():
    wide = Pinhole(100.0, 100.0, 79.5, 44.5, 160, 90)
    tele = Pinhole(400.0, 400.0, 79.5, 44.5, 160, 90)
    views = [
        View(flat(10, wide), wide, seen([0, 1, 2, 3], [(79, 44), (20, 44), (79, 44), (100, 30)])),
        View(flat(20, tele), tele, seen([2, 3, 4], [(79, 44), (159.4, 44), (3, 3)])),
        View(flat(30, wide), wide, seen([1, 0], [(70, 40), (5, 44)])),
    ]
    colours, camera = colour_points(6, views)
    # In the middle; nearer to the middle; more pixels to the radian; not at the border; the only one; none.
    np.testing.assert_array_equal(camera, [0, 2, 1, 0, 1, -1])
    np.testing.assert_array_equal(colours[:5, 0], [10, 30, 20, 10, 20])
    np.testing.assert_array_equal(colours[5], UNSEEN)


def test_the_order_of_the_views_does_not_matter():
    model = Pinhole(100.0, 100.0, 79.5, 44.5, 160, 90)
    uv_px = RNG.uniform((0, 0), (159, 89), (3, 500, 2))
    index = [RNG.permutation(800)[:500] for _ in range(3)]
    images = [RNG.integers(0, 256, IMAGE.shape, dtype=np.uint8) for _ in range(3)]
    views = [View(image, model, seen(i, uv)) for image, i, uv in zip(images, index, uv_px, strict=True)]
    colours, camera = colour_points(800, views)
    again, from_last = colour_points(800, views[::-1])
    np.testing.assert_array_equal(colours, again)
    np.testing.assert_array_equal(camera[camera >= 0], 2 - from_last[camera >= 0])
    seen_by_one = np.unique(np.concatenate(index))
    np.testing.assert_array_equal(np.flatnonzero(camera >= 0), seen_by_one)


def test_without_views_or_points_there_is_nothing_to_see():
    model = Pinhole(100.0, 100.0, 79.5, 44.5, 160, 90)
    colours, camera = colour_points(3, [])
    assert (colours == UNSEEN).all() and (camera == -1).all()
    colours, camera = colour_points(0, [View(IMAGE, model, seen([], []))])
    assert colours.shape == (0, 3) and camera.shape == (0,)


@pytest.mark.parametrize("image", [IMAGE[:80], IMAGE[..., 0], IMAGE.astype(np.float32)])
def test_an_image_that_is_not_the_cameras_is_refused(image):
    with pytest.raises(CalibrationError, match="90, 160, 3"):
        View(image, Pinhole(100.0, 100.0, 79.5, 44.5, 160, 90), seen([], []))


def test_pixels_to_the_radian():
    assert pixels_per_rad(Pinhole(731.0, 731.0, 80.2, 43.9, 160, 90)) == pytest.approx(731.0, rel=1e-3)
    assert pixels_per_rad(Fisheye(330.0, 330.0, 639.5, 479.5, 1280, 960)) == pytest.approx(330.0, rel=1e-3)
