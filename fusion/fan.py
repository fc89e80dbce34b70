"""The points of a sweep by the direction in which the LiDAR saw them."""

from __future__ import annotations

import numpy as np

from calib.types import F32, F64, I32, kernel_view

SECTORS, SLOPES = 512, 24
DIRECTIONS = SECTORS * SLOPES


def by_direction(points: F32, origin: F64) -> tuple[I32, I32]:
    """Sorts (N, 3) points by their direction from a LiDAR at (3,), both in one frame.

    Returns:
        (M,) which point comes when, without those that are not finite; and where in this order each of the
        directions begins, a sector after the other from ahead to the left, in each from the lowest
        slope to the highest; the last is M.
    """
    from fusion import _fan_kernels as kernels

    order = np.empty(len(points), dtype=np.int32)
    starts = np.empty(DIRECTIONS + 1, dtype=np.int32)
    kernels.sort_by_direction(kernel_view(points, 3, np.float32), np.array(origin), order, starts)
    return order[: starts[-1]], starts
