"""Taking hold of a box in a flat view: its inside moves it, edges and corners size it, the knob turns it.

Places are metres right and up of the middle of the box as the view was when the drag began.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.se3 import SE3
from calib.types import F64
from fusion.boxes import Box3D
from viewer.scene.views import Flat, Side

LEAST_M = 0.05
KNOB_M = 0.8


@dataclass(frozen=True, slots=True)
class Handle:
    """A part of a box in a flat view.

    Attributes:
        right: -1 the left edge, 1 the right one, 0 neither.
        up: -1 the lower edge, 1 the upper one, 0 neither.
        turns: whether it is the knob ahead of the box.
    """

    right: int = 0
    up: int = 0
    turns: bool = False

    @property
    def moves(self) -> bool:
        """Whether it is the inside."""
        return not (self.right or self.up or self.turns)

    @property
    def title(self) -> str:
        """What a drag of it does."""
        return "Turn the box" if self.turns else "Move the box" if self.moves else "Resize the box"


INSIDE, KNOB = Handle(), Handle(turns=True)


def knob_m(view: Flat, box: Box3D) -> F64 | None:
    """(2,) where the knob is in the view; only the view from above has one."""
    if view.side is not Side.TOP:
        return None
    return np.array([0.0, box.length_m / 2 + KNOB_M])


def extent_m(view: Flat, box: Box3D) -> F64:
    """(2,) half the width and the height of a box in a view that is tied to it."""
    axes = view.view_from_box.rotation[:2]
    return np.asarray(np.abs(axes) @ box.size_lwh_m / 2)


def handle_at(view: Flat, box: Box3D, place_m: F64, reach_m: float) -> Handle | None:
    """What a pointer takes hold of; None away from the box."""
    half, knob = extent_m(view, box), knob_m(view, box)
    outside = bool((np.abs(place_m) > half).any())
    if outside and knob is not None and np.linalg.norm(place_m - knob) <= 2 * reach_m:
        return KNOB
    if (np.abs(place_m) > half + reach_m).any():
        return None
    # In a box that is small on the screen the inside must stay within reach.
    at_edge = np.abs(place_m) >= half - np.minimum(reach_m, half / 2)
    right, up = np.where(at_edge, np.sign(place_m), 0)
    return Handle(int(right), int(up))


def dragged(view: Flat, box: Box3D, handle: Handle, start_m: F64, now_m: F64) -> Box3D:
    """The box after a drag; sides that are not taken hold of stay where they are."""
    if handle.turns:
        return turned(box, float(np.arctan2(start_m[0], start_m[1]) - np.arctan2(now_m[0], now_m[1])))
    box_from_view = view.view_from_box.rotation.T
    way = box_from_view[:, :2] @ (now_m - start_m)
    if handle.moves:
        return moved(box, way)
    sides = box_from_view[:, :2] @ np.array([handle.right, handle.up], dtype=np.float64)
    return resized(box, np.round(sides), way)


def moved(box: Box3D, way_box: F64) -> Box3D:
    """A box moved along its own axes."""
    ego_from_new = SE3(box.ego_from_box.rotation, box.ego_from_box @ way_box)
    return Box3D(ego_from_new, box.length_m, box.width_m, box.height_m)


def turned(box: Box3D, yaw_rad: float) -> Box3D:
    """A box turned about its own upright axis."""
    box_from_new = SE3.from_yaw(yaw_rad)
    ego_from_new = box.ego_from_box @ box_from_new
    return Box3D(ego_from_new, box.length_m, box.width_m, box.height_m)


def resized(box: Box3D, sides: F64, way_box: F64) -> Box3D:
    """A box some of whose faces have moved.

    `sides` (3,) says for each axis which face moves: 1 the one ahead, -1 the one behind, 0 none.
    """
    sizes = np.maximum(box.size_lwh_m + sides * way_box, np.minimum(LEAST_M, box.size_lwh_m))
    grown = moved(box, sides * (sizes - box.size_lwh_m) / 2)
    return Box3D(grown.ego_from_box, *(float(size) for size in sizes))
