"""A scripted annotator: it aims as a hand does, with keys and drags only, and judges the result.

It knows the true box only as a person's eye does: to aim at, with the error of a hand, and to see whether the
box is good. Everything else goes through the desk: pointer events in panes, actions of the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from autolabel.fit import usual_of
from calib.types import F64
from fusion.boxes import Box3D, Boxes
from fusion.overlap import iou_3d_paired
from viewer.actions import by_id
from viewer.desk import Desk
from viewer.panes import MAIN
from viewer.pointer import Button, Deed, Held, Pointer
from viewer.scene.handles import INSIDE, KNOB, Handle, dragged, extent_m, knob_m
from viewer.scene.views import Flat, Orbit, Side, Size, to_pixels

GOOD = 0.7
HAND_PX = 8.0
# At this scale the hand is 0.3 m off; at people and cyclists one looks from half as far.
M_PER_PX = 0.3 / HAND_PX
MAIN_SIZE, SIDE_SIZE = Size(1000, 800), Size(300, 260)
SHORTEST_ARROW_M = 2.5
PATIENCE = 9
DO = by_id()
EDGES = [Handle(right, up) for right in (-1, 0, 1) for up in (-1, 0, 1) if right or up]


@dataclass(eq=False)
class Person:
    """Somebody at a desk.

    Attributes:
        desk: where they sit.
        random: of their hand.
        hand_px: standard deviation of each place that they press or let go at, along each axis.
    """

    desk: Desk
    random: np.random.Generator
    hand_px: float = HAND_PX
    _truth: Box3D | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.desk.panes.resize(MAIN, MAIN_SIZE)
        for side in Side:
            self.desk.panes.resize(side, SIDE_SIZE)

    @property
    def actions(self) -> int:
        """How many there were, as the desk's own meter counts them."""
        return self.desk.effort.actions

    def iou(self, truth: Box3D) -> float:
        """How well the selected box is placed."""
        annotation = self.desk.session.annotation
        return 0.0 if annotation is None else iou(annotation.box, truth)

    def make(self, truth: Box3D, category: str) -> list[float]:
        """Makes a new box of a class and confirms it; gives how good it was after each action."""
        self.desk.category = category
        self.desk.session.select(None)
        self.draw(truth, category)
        seen = [self.iou(truth)]
        return self._finish(truth, seen)

    def repair(self, truth: Box3D) -> list[float]:
        """Repairs the selected box and confirms it; gives how good it was after each action."""
        before = self.iou(truth)
        self.press("box.fit")
        seen = [self.iou(truth)]
        if seen[0] < min(before - 0.02, GOOD):
            self.press("edit.undo")
            seen.append(before)
        return self._finish(truth, seen)

    def draw(self, truth: Box3D, category: str) -> None:
        """One drag through a thing, seen from above."""
        usual = usual_of(category)
        flat = usual is None or usual.flat
        m_per_px = M_PER_PX if flat else M_PER_PX / 2
        distance_m = m_per_px * MAIN_SIZE.height_px / (2 * np.tan(Orbit().opening_rad / 2))
        x, y, z = truth.center
        self.desk.look(MAIN, Orbit((x, y, z), distance_m, 0.0, np.radians(89.9)))
        half_m = truth.length_m / 2 if flat else max(truth.length_m, SHORTEST_ARROW_M) / 2
        ends = truth.ego_from_box @ np.array([[-half_m, 0, 0], [half_m, 0, 0]])
        tail, front = to_pixels(self.desk.panes.orbit, MAIN_SIZE, ends)[0]
        self.drag(MAIN, tail, front, Held.CTRL)

    def press(self, action: str) -> None:
        """A key."""
        DO[action].do(self.desk)

    def drag(self, pane: str, start: F64, end: F64, held: Held = Held.NOTHING, sure: bool = False) -> None:
        """A drag from about one place to about another; what one takes hold of is hit surely."""
        start = start if sure else self._about(start)
        end = self._about(end)
        self.desk.on_pointer(pane, Pointer(Deed.PRESS, _pair(start), Button.LEFT, held))
        for share in (0.5, 1.0):
            at = start + share * (end - start)
            self.desk.on_pointer(pane, Pointer(Deed.MOVE, _pair(at), Button.NONE, held))
        self.desk.on_pointer(pane, Pointer(Deed.RELEASE, _pair(end), Button.LEFT, held))

    def improve(self, truth: Box3D) -> None:
        """The one drag in a flat view after which the box will be best."""
        annotation = self.desk.session.annotation
        assert annotation is not None
        best = max(self._ways(annotation.box, truth), key=lambda way: way[0])
        _, pane, start_m, end_m = best
        view, size = self.desk.panes.view(pane), self.desk.panes.size(pane)
        assert isinstance(view, Flat)
        self.drag(pane, _in_pixels(view, size, start_m), _in_pixels(view, size, end_m), sure=True)

    def _finish(self, truth: Box3D, seen: list[float]) -> list[float]:
        while seen[-1] < GOOD and len(seen) < PATIENCE and self.desk.session.annotation is not None:
            self.improve(truth)
            seen.append(self.iou(truth))
        self.press("object.confirm")
        seen.append(self.iou(truth))
        return seen

    def _ways(self, box: Box3D, truth: Box3D) -> Iterator[tuple[float, str, F64, F64]]:
        """What can be dragged where: how good the box would be, the pane, and from where to where."""
        for side in Side:
            view = self.desk.panes.view(side)
            assert isinstance(view, Flat)
            half, middle = extent_m(view, box), _across(view, truth.center)
            now, wanted = half * np.array([[-1], [1]]), _reach(view, truth)
            starts = [(INSIDE, np.zeros(2), middle)]
            for handle in EDGES:
                picks = [1 + sign for sign in (handle.right, handle.up)]
                taken = [(now[0, k] if p == 0 else now[1, k] if p == 2 else 0.0) for k, p in enumerate(picks)]
                goal = [
                    (wanted[0, k] if p == 0 else wanted[1, k] if p == 2 else 0.0) for k, p in enumerate(picks)
                ]
                starts.append((handle, np.array(taken), np.array(goal)))
            knob = knob_m(view, box)
            if knob is not None:
                turn_rad = truth.yaw_rad - box.yaw_rad
                c, s = np.cos(turn_rad), np.sin(turn_rad)
                starts.append((KNOB, knob, np.array([[c, -s], [s, c]]) @ knob))
            for handle, start_m, end_m in starts:
                yield iou(dragged(view, box, handle, start_m, end_m), truth), side, start_m, end_m

    def _about(self, uv_px: F64) -> F64:
        return np.asarray(uv_px + self.random.normal(0.0, self.hand_px, 2))


def iou(one: Box3D, other: Box3D) -> float:
    """Of their volumes."""
    return float(iou_3d_paired(Boxes.stack([one]), Boxes.stack([other]))[0])


def _across(view: Flat, place: F64) -> F64:
    """(2,) metres right and up of the middle of a flat view."""
    return np.asarray((view.view_from_ego @ place)[:2])


def _reach(view: Flat, box: Box3D) -> F64:
    """(2, 2) the least and the most that a box reaches right and up in a flat view, seen as level with it."""
    middle = _across(view, box.center)
    view_from_box = view.view_from_ego.rotation @ box.ego_from_box.rotation
    along = np.abs(np.round(view_from_box[:2])) @ box.size_lwh_m / 2
    return np.array([middle - along, middle + along])


def _in_pixels(view: Flat, size: Size, place_m: F64) -> F64:
    right, up = (place_m - view.off_m) / view.m_per_px
    return np.array([size.width_px / 2 + right, size.height_px / 2 - up])


def _pair(uv_px: F64) -> tuple[float, float]:
    return float(uv_px[0]), float(uv_px[1])
