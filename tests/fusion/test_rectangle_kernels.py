"""The loops of rectangles against plain numpy."""

import numpy as np

from fusion.rectangles import _kernels

WIDTH_PX, HEIGHT_PX = 640, 360


def slow_bounds(uv_px: np.ndarray, seen: np.ndarray) -> np.ndarray:
    reached = seen.copy()
    reached[..., 1:] |= seen[..., :-1]
    reached[..., :-1] |= seen[..., 1:]
    reached &= (np.abs(uv_px) < 4 * max(WIDTH_PX, HEIGHT_PX)).all(axis=-1)
    uv_px = np.clip(uv_px, 0.0, [WIDTH_PX - 1, HEIGHT_PX - 1])
    low = np.where(reached[..., None], uv_px, np.inf).min(axis=(1, 2))
    high = np.where(reached[..., None], uv_px, -np.inf).max(axis=(1, 2))
    ltrb_px = np.hstack([low, high])
    ltrb_px[~np.isfinite(ltrb_px).all(axis=1) | (low >= high).any(axis=1)] = np.nan
    return ltrb_px


def test_bounds_of_edges():
    rng = np.random.default_rng(5)
    uv_px = rng.normal(200, 400, (300, 12, 9, 2))
    uv_px[rng.random(uv_px.shape) < 0.02] = np.nan
    uv_px[:20] *= 30
    seen = (uv_px >= 0).all(axis=-1) & (uv_px < [WIDTH_PX, HEIGHT_PX]).all(axis=-1)
    seen[::7] = False
    told = np.empty((300, 4))
    _kernels.bound_edges(uv_px, seen, WIDTH_PX, HEIGHT_PX, told)
    expected = slow_bounds(uv_px, seen)
    assert 30 < np.isnan(expected[:, 0]).sum() < 200
    np.testing.assert_array_equal(told, expected)
