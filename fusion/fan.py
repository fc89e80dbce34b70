"""The points of a sweep by the direction in which the LiDAR saw them."""

from __future__ import annotations

import numpy as np

from calib.types import F32, F64, I32, I64, kernel_view
from fusion.boxes import Boxes
from fusion.overlap import FACE_SLACK_M

SECTORS, SLOPES = 512, 24
DIRECTIONS = SECTORS * SLOPES


def by_direction(points: F32, above_m: F64, origin: F64) -> tuple[F32, F64, I32]:
    """Sorts (N, 3) points and their (N,) heights by their direction from a LiDAR at (3,).

    Returns:
        (M, 3) and (M,) without the points that are not finite; and where among them each of the directions
        begins, a sector after the other from ahead to the left, in each from the lowest slope to the
        highest; the last is M.
    """
    from fusion import _fan_kernels as kernels

    cloud, heights_m = kernel_view(points, 3, np.float32), kernel_view(above_m, 1, np.float64)[:, 0]
    starts = np.empty(DIRECTIONS + 1, dtype=np.int32)
    places, their_heights_m = np.empty((len(cloud), 3), np.float32), np.empty(len(cloud))
    kernels.sort_by_direction(cloud, heights_m, np.array(origin), starts, places, their_heights_m)
    return places[: starts[-1]], their_heights_m[: starts[-1]], starts


def owners_of_points(points: F32, starts: I32, origin: F64, boxes: Boxes) -> tuple[I32, I64]:
    """(M,) the last of the boxes that each of (M, 3) points lies in, -1 for none; (B,) points in each.

    The points are sorted as by `by_direction`, and in the frame of the boxes.
    """
    from fusion import _fan_kernels as kernels

    owners, counts = np.full(len(points), -1, dtype=np.int32), np.zeros(len(boxes), dtype=np.int64)
    kernels.own_in_boxes(
        kernel_view(points, 3, np.float32),
        kernel_view(starts, 1, np.int32)[:, 0],
        np.array(origin),
        np.array(boxes.dst_from_box.rotations),
        np.array(boxes.dst_from_box.translations),
        boxes.sizes_lwh_m / 2 + FACE_SLACK_M,
        owners,
        counts,
    )
    return owners, counts
