"""Pixels of an image: what lies under one, and points drawn on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calib.project import VisiblePoints
from calib.types import U8
from viewer.images import Outline


def track_at(outlines: Sequence[Outline], uv_px: tuple[float, float]) -> str | None:
    """The track whose box covers a pixel; of several the nearest to the camera."""
    found = [one for one in outlines if _covers(one, uv_px)]
    return min(found, key=lambda one: one.away_m).track_id if found else None


def dotted(image: U8, seen: VisiblePoints, colours: U8, scale: float) -> U8:
    """A copy of a scaled image with points in it, two pixels wide, near ones over far ones.

    Args:
        image: (H, W, 3).
        seen: the points that it shows, in pixels of the image before it was scaled.
        colours: (N, 4) of all points.
        scale: by which it was scaled.
    """
    made, (height, width) = image.copy(), image.shape[:2]
    far_first = np.argsort(-seen.depth_m)
    at = np.round((seen.uv_px[far_first] + 0.5) * scale - 0.5).astype(np.int64)
    tints = colours[seen.index[far_first], :3]
    for across in (0, 1):
        for down in (0, 1):
            u, v = np.clip(at[:, 0] + across, 0, width - 1), np.clip(at[:, 1] + down, 0, height - 1)
            made[v, u] = tints
    return made


def _covers(one: Outline, uv_px: tuple[float, float]) -> bool:
    """Whether a pixel lies within the convex hull of what is seen of a box."""
    import cv2

    places = np.concatenate(one.lines).astype(np.float32)
    hull = cv2.convexHull(places)
    return bool(cv2.pointPolygonTest(hull, uv_px, False) >= 0)
