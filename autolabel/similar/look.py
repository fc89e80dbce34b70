"""What an object looks like in an image, in numbers: colours and gradients.

Histograms of oriented gradients: Dalal and Triggs, 2005.
"""

from __future__ import annotations

import numpy as np

from calib.types import F64, U8

HUES, GREYS = 8, 5
CELLS, ANGLES = 4, 9
GRADIENTS = CELLS * CELLS * ANGLES
EVEN = 10.0
# A square crop of this side holds the object from border to border: its middle shows least of the street.
SPREAD = 0.28


def colours(rgb: U8) -> F64:
    """(HUES + GREYS,) square roots of the shares of hues, by saturation, and of the greys of the rest.

    Args:
        rgb: (S, S, 3) uint8, an object from border to border; its middle counts most.
    """
    import cv2

    side = rgb.shape[0]
    hsv = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2HSV).astype(np.float64)
    across = (np.arange(side) - (side - 1) / 2) / side
    bell = np.exp(-0.5 * (across / SPREAD) ** 2)
    weights = (bell[:, None] * bell[None]).ravel()
    hue, saturation, value = hsv.reshape(-1, 3).T
    # A dark pixel has a hue of noise.
    vivid = np.clip((saturation / 255 - 0.15) / 0.3, 0, 1) * np.clip((value / 255 - 0.1) / 0.2, 0, 1)
    at = hue / 180 * HUES
    low, share = np.floor(at).astype(int) % HUES, at - np.floor(at)
    hues = np.bincount(low, weights * vivid * (1 - share), HUES)
    hues += np.bincount((low + 1) % HUES, weights * vivid * share, HUES)
    steps = np.clip((value / 256 * GREYS).astype(int), 0, GREYS - 1)
    greys = np.bincount(steps, weights * (1 - vivid), GREYS)
    return np.asarray(np.sqrt(np.concatenate([hues, greys]) / weights.sum()), dtype=np.float64)


def gradients(rgb: U8) -> F64:
    """(GRADIENTS,) histograms of oriented gradients of a (64, 64, 3) uint8 crop.

    Each of 4 x 4 cells counts unsigned directions by how strong they are; each quarter of four cells has
    length one, so that light and contrast matter little.
    """
    import cv2

    bright = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY).astype(np.float64)
    down, across = np.gradient(np.sqrt(bright))
    strength, direction = np.hypot(across, down), np.arctan2(down, across) % np.pi
    at = direction / np.pi * ANGLES
    low, share = np.floor(at).astype(int) % ANGLES, at - np.floor(at)
    rows, columns = np.indices(bright.shape) * CELLS // bright.shape[0]
    # Cells are numbered quarter by quarter.
    quarter = (rows // 2) * 2 + columns // 2
    cell = (quarter * 4 + (rows % 2) * 2 + columns % 2) * ANGLES
    heaps = np.bincount((cell + low).ravel(), (strength * (1 - share)).ravel(), GRADIENTS)
    heaps += np.bincount((cell + (low + 1) % ANGLES).ravel(), (strength * share).ravel(), GRADIENTS)
    quarters = heaps.reshape(4, -1)
    return np.asarray((quarters / (np.linalg.norm(quarters, axis=1, keepdims=True) + EVEN)).ravel())
