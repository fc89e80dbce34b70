"""What is known of the selected box, in words."""

from __future__ import annotations

import numpy as np

from fusion.overlap import points_in_box
from viewer.desk import Desk

NAMES = ("track", "place", "size", "heading", "source", "points", "look")


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
            "points": str(int(points_in_box(desk.cloud.points, box).sum())),
            "look": str(annotation.attributes.get("look", "-")),
        }
    return found
