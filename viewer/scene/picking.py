"""What lies under the pointer: boxes that a ray meets, points near a pixel, places on the ground."""

from __future__ import annotations

import numpy as np

from calib.types import F64, I64, Floats
from fusion.boxes import Boxes
from viewer.scene.views import Ray, Size, View, to_pixels

NEAR_PX = 6.0


def box_under(ray: Ray, boxes: Boxes) -> int | None:
    """The box that a ray enters first; of those that the eye is inside of, the smallest."""
    enters_m, leaves_m = crossings(ray, boxes)
    hit = np.flatnonzero(leaves_m > np.maximum(enters_m, 0))
    if len(hit) == 0:
        return None
    volumes = boxes.sizes_lwh_m[hit].prod(axis=1)
    return int(hit[np.lexsort((volumes, np.maximum(enters_m[hit], 0)))[0]])


def crossings(ray: Ray, boxes: Boxes) -> tuple[F64, F64]:
    """(N,) metres along a ray at which it enters and leaves each box; it misses where it leaves first.

    The slab method (Kay and Kajiya, 1986).
    """
    rotations, centers = boxes.dst_from_box.rotations, boxes.dst_from_box.translations
    origins = np.einsum("nji,nj->ni", rotations, ray.origin - centers)
    directions = np.einsum("nji,j->ni", rotations, ray.direction)
    halves = boxes.sizes_lwh_m / 2
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        low, high = (-halves - origins) / directions, (halves - origins) / directions
    # Between two sides that the ray is parallel to it is for ever, or never.
    never = np.where(np.abs(origins) > halves, np.inf, -np.inf)
    parallel = directions == 0
    enters_m = np.where(parallel, never, np.minimum(low, high)).max(axis=1)
    leaves_m = np.where(parallel, -never, np.maximum(low, high)).min(axis=1)
    return np.asarray(enters_m), np.asarray(leaves_m)


def point_under(
    view: View, size: Size, uv_px: tuple[float, float], points: Floats, within_px: float = NEAR_PX
) -> int | None:
    """The point that is seen under a pixel: of those within reach, the nearest to the eye."""
    found_px, depth_m = to_pixels(view, size, points)
    with np.errstate(invalid="ignore"):
        near = np.flatnonzero(np.hypot(*(found_px - np.array(uv_px)).T) <= within_px)
    return int(near[np.argmin(depth_m[near])]) if len(near) else None


def points_within(
    view: View, size: Size, corner_px: tuple[float, float], other_px: tuple[float, float], points: Floats
) -> I64:
    """The points that are seen in a rectangle of the screen."""
    found_px, _ = to_pixels(view, size, points)
    low, high = np.minimum(corner_px, other_px), np.maximum(corner_px, other_px)
    with np.errstate(invalid="ignore"):
        return np.flatnonzero(((found_px >= low) & (found_px <= high)).all(axis=1))
