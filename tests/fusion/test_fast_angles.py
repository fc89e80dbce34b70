"""Angles and logarithms of many points at once, by polynomials in float32."""

import numpy as np
from numba import njit

from fusion._kernels import angle_of, log2_of


@njit
def _angles(ys, xs, out):
    for k in range(len(xs)):
        out[k] = angle_of(ys[k], xs[k])


@njit
def _logarithms(values, out):
    for k in range(len(values)):
        out[k] = log2_of(values[k])


def angles(ys, xs) -> np.ndarray:
    out = np.empty(len(xs), np.float32)
    _angles(np.asarray(ys, np.float32), np.asarray(xs, np.float32), out)
    return out


def logarithms(values) -> np.ndarray:
    out = np.empty(len(values), np.float32)
    _logarithms(np.asarray(values, np.float32), out)
    return out


def test_angles_are_those_of_arctan2():
    turns = np.linspace(-np.pi, np.pi, 100_001)[1:-1]
    for away in (1e-3, 1.0, 73.0, 1e6):
        xs, ys = (away * np.cos(turns)).astype(np.float32), (away * np.sin(turns)).astype(np.float32)
        off = angles(ys, xs) - np.arctan2(ys.astype(np.float64), xs)
        assert np.abs(off).max() < 4e-6


def test_angles_on_the_axes_and_at_the_origin():
    ys, xs = [0, 1, 0, -1, 0, 1], [1, 0, -1, 0, 0, 1]
    expected = [0, np.pi / 2, np.pi, -np.pi / 2, 0, np.pi / 4]
    np.testing.assert_allclose(angles(ys, xs), expected, atol=4e-6)


def test_logarithms_of_one_and_more():
    values = np.concatenate([np.linspace(1, 4, 10_001), np.geomspace(1, 1e30, 10_001)]).astype(np.float32)
    assert np.abs(logarithms(values) - np.log2(values.astype(np.float64))).max() < 1e-5
    assert logarithms([1.0, 2.0, 1024.0]).tolist() == [0.0, 1.0, 10.0]


def test_what_is_no_number_has_a_logarithm_beyond_all_others():
    assert (logarithms([np.nan, np.inf]) >= 128).all()
