"""Pixels of an image: what lies under one, and points drawn on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calib.project import VisiblePoints
from calib.types import U8
from viewer.images.outlines import Outline


def track_at(outlines: Sequence[Outline], uv_px: tuple[float, float]) -> str | None:
    """The track whose box covers a pixel; of several the nearest to the camera."""
    found = [one for one in outlines if _covers(one, uv_px)]
    return min(found, key=lambda one: one.away_m).track_id if found else None


def dotted(image: U8, seen: VisiblePoints, colours: U8, scale: float, corner: tuple[int, int] = (0, 0)) -> U8:
    """A copy of a scaled part of an image with points in it, two pixels wide, near ones over far ones.

    Args:
        image: (H, W, 3).
        seen: the points that the whole image shows, in its pixels.
        colours: (N, 4) of all points.
        scale: by which the part was scaled.
        corner: left and top of the part.
    """
    made, (height, width) = image.copy(), image.shape[:2]
    far_first = np.argsort(-seen.depth_m)
    at = np.round((seen.uv_px[far_first] - corner + 0.5) * scale - 0.5).astype(np.int64)
    tints = colours[seen.index[far_first], :3]
    for across in (0, 1):
        for down in (0, 1):
            u, v = at[:, 0] + across, at[:, 1] + down
            shown = (u >= 0) & (u < width) & (v >= 0) & (v < height)
            made[v[shown], u[shown]] = tints[shown]
    return made


def _covers(one: Outline, uv_px: tuple[float, float]) -> bool:
    """Whether a pixel lies within the convex hull of what is seen of a box."""
    import cv2

    places = np.concatenate(one.lines).astype(np.float32)
    hull = cv2.convexHull(places)
    return bool(cv2.pointPolygonTest(hull, uv_px, False) >= 0)
