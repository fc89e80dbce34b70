"""Residuals are drawn where they are, in the colours of the legend."""

import numpy as np
import pytest

from fusion.residual_pictures import BAD, GOOD, MIDDLE, misalignment_map, residual_colours, residual_overlay

IMAGE = np.full((720, 1280, 3), 100, np.uint8)


def test_green_yellow_red():
    colours = residual_colours(np.array([0.0, 4.0, 8.0, 100.0, -8.0, np.nan]), 8.0)
    np.testing.assert_array_equal(colours, [GOOD, MIDDLE, BAD, BAD, BAD, BAD])


def test_dots_are_where_they_fall_and_the_worst_on_top():
    uv_px = np.array([[300.0, 200.0], [301.0, 200.0], [600.4, 99.6], [-40.0, 5.0], [np.nan, 3.0]])
    picture = residual_overlay(IMAGE, uv_px, np.array([9.0, 0.0, 0.0, 9.0, 9.0]))
    np.testing.assert_array_equal(picture[200, 300], BAD)
    np.testing.assert_array_equal(picture[200, 301], BAD)
    np.testing.assert_array_equal(picture[100, 600], GOOD)
    assert (picture[:600, 700:] == 55).all()
    assert (IMAGE == 100).all()


def test_the_map_shows_the_median_of_each_cell_with_enough_points():
    cell = np.array([[100.0, 100.0], [110.0, 110.0], [120.0, 120.0], [130.0, 130.0]])
    lonely = np.array([[700.0, 300.0], [701.0, 301.0]])
    residuals = np.array([0.0, 8.0, 8.0, 8.0, 8.0, 8.0])
    picture = misalignment_map(IMAGE, np.concatenate([cell, lonely]), residuals, cell_px=48).astype(int)
    red = np.round(0.4 * 55 + 0.6 * np.array(BAD))
    np.testing.assert_allclose(picture[120, 130], red, atol=1)
    assert (picture[300, 700] == 55).all()
    assert (picture[20, 20] == 55).all()


@pytest.mark.parametrize("draw", [residual_overlay, misalignment_map])
@pytest.mark.parametrize("size", [(720, 1280), (375, 1242), (40, 60), (1, 1)])
def test_any_size_and_no_points_work(draw, size):
    image = np.zeros((*size, 3), np.uint8)
    assert draw(image, np.empty((0, 2)), np.empty(0)).shape == image.shape
    assert draw(image, np.zeros((1, 2)), np.ones(1)).shape == image.shape
