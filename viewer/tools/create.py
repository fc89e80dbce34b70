"""New boxes: one drag around a thing makes a fitted one."""

from __future__ import annotations

import numpy as np

from autolabel.fit import fit_new, usual_size
from calib.types import F64
from fusion.boxes import Box3D
from viewer.desk import Desk, Tool
from viewer.picking import points_within
from viewer.pointer import Deed, Held, Pointer

LEAST_M = 0.2


def draw(desk: Desk, pane: str, press: Pointer) -> Tool:
    """Draws a new box: what stands in the rectangle gets a fitted one whose front is where the drag went.

    With Shift held, or where nothing stands, the box is the rectangle on the ground itself.
    """
    last = press
    while (event := (yield)).deed is not Deed.RELEASE:
        last = event
        desk.rubber_band = (pane, press.uv_px, event.uv_px)
        desk.changed()
    desk.rubber_band = None
    box = drawn_box(desk, pane, press, last)
    if box is not None:
        desk.session.add_track(desk.category, box)


def drawn_box(desk: Desk, pane: str, press: Pointer, last: Pointer) -> Box3D | None:
    """The box that a drag from one place to another means."""
    start, end = (desk.ray(pane, event).at_height(0.0) for event in (press, last))
    facing_rad = None
    if start is not None and end is not None and np.linalg.norm(end - start) > LEAST_M:
        facing_rad = float(np.arctan2(end[1] - start[1], end[0] - start[0]))
    if Held.SHIFT not in press.held:
        fitted = _fitted(desk, pane, press, last, facing_rad)
        if fitted is not None:
            return fitted
    return None if start is None or end is None else _plain(start, end, desk.category)


def _fitted(desk: Desk, pane: str, press: Pointer, last: Pointer, facing_rad: float | None) -> Box3D | None:
    view, cloud = desk.panes.view(pane), desk.cloud
    assert view is not None
    mine = points_within(view, desk.panes.size(pane), press.uv_px, last.uv_px, cloud.points)
    return fit_new(cloud.pointed(mine), desk.category, facing_rad)


def _plain(start: F64, end: F64, category: str) -> Box3D | None:
    """A box on the ground from one corner to the other."""
    low, high = np.minimum(start, end), np.maximum(start, end)
    length_m, width_m = high[:2] - low[:2]
    if min(length_m, width_m) < LEAST_M:
        return None
    height_m = float(usual_size(category)[2]) or 1.0
    center = np.array([*(low[:2] + high[:2]) / 2, start[2] + height_m / 2])
    return Box3D.upright(center, (length_m, width_m, height_m), 0.0)
