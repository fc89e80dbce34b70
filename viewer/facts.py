"""What is known of the selected box, in words."""

from __future__ import annotations

import numpy as np

from calib.types import F32
from fusion.boxes import Box3D
from fusion.overlap import points_in_box
from viewer.desk import Desk

NAMES = ("track", "place", "size", "heading", "source", "points", "look")


def _points_in(points: F32, box: Box3D) -> int:
    """How many points lie in a box, told from those that lie near it."""
    reach_m = float(np.linalg.norm(box.size_lwh_m)) / 2
    (x, y, _), (xs, ys) = box.center, points.T[:2]
    near = np.flatnonzero((np.abs(xs - x) <= reach_m) & (np.abs(ys - y) <= reach_m))
    return int(points_in_box(points[near], box).sum())


def facts(desk: Desk) -> dict[str, str]:
    """One line each."""
    track, annotation = desk.session.track, desk.session.annotation
    found = dict.fromkeys(NAMES, "-")
    if track is not None:
        found["track"] = f"{track.id}, {len(track.annotations)} boxes"
    if annotation is not None:
        box = annotation.box
        x, y, z = box.center
        chance = annotation.attributes.get("confidence")
        sure = f", {chance:.0%} sure" if isinstance(chance, float) else ""
        found |= {
            "place": f"{x:.2f}, {y:.2f}, {z:.2f} m",
            "size": f"{box.length_m:.2f} x {box.width_m:.2f} x {box.height_m:.2f} m",
            "heading": f"{np.degrees(box.yaw_rad):.1f} deg",
            "source": f"{annotation.source}{sure}{', confirmed' if annotation.locked else ''}",
            "points": str(_points_in(desk.cloud.points, box)),
            "look": str(annotation.attributes.get("look", "-")),
        }
    return found
