"""What lies under the pointer in an image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from viewer.images import Outline


def track_at(outlines: Sequence[Outline], uv_px: tuple[float, float]) -> str | None:
    """The track whose box covers a pixel; of several the nearest to the camera."""
    found = [one for one in outlines if _covers(one, uv_px)]
    return min(found, key=lambda one: one.away_m).track_id if found else None


def _covers(one: Outline, uv_px: tuple[float, float]) -> bool:
    """Whether a pixel lies within the convex hull of what is seen of a box."""
    import cv2

    places = np.concatenate(one.lines).astype(np.float32)
    hull = cv2.convexHull(places)
    return bool(cv2.pointPolygonTest(hull, uv_px, False) >= 0)
