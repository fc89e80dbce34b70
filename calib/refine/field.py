"""Where an image has edges, as a landscape that can be climbed."""

from __future__ import annotations

import numpy as np

from calib.types import F32, U8

OWN, DECAY = 1 / 3, 0.9
CLIP_PERCENT = 97.0
LEAST_CLIP = 32.0  # of Sobel's sum, eight times a step in grey: a dull image speaks softly


def image_edges(image: U8) -> U8:
    """How near an edge is, by direction: the inverse distance of Levinson and Thrun (RSS 2013).

    Args:
        image: (H, W, 3) RGB or (H, W) grey.

    Returns:
        (2, H, W) uint8: edges met when going right, then edges met when going down; 255 on the strongest.
    """
    from calib.refine import _kernels

    grey = _grey(image)
    across, down = np.empty_like(grey), np.empty_like(grey)
    _kernels.gradients(grey, across, down)
    field = np.empty((2, *grey.shape), dtype=np.uint8)
    for channel, gradient in enumerate((across, down.T)):
        limit = max(float(np.percentile(gradient, CLIP_PERCENT)), LEAST_CLIP)
        out = np.empty(gradient.shape, dtype=np.uint8)
        _kernels.nearness(np.ascontiguousarray(gradient), limit, OWN, DECAY, out)
        field[channel] = out if channel == 0 else out.T
    return field


def _grey(image: U8) -> F32:
    if image.ndim == 2:
        return image.astype(np.float32)
    return np.asarray(image @ np.array([0.299, 0.587, 0.114], dtype=np.float32), dtype=np.float32)
