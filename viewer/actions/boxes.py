"""Moving, sizing and turning the selected box by keys."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autolabel.fit import Usual, fit_again
from calib.types import F64
from fusion.boxes import Box3D
from viewer.actions.action import Action
from viewer.desk import Desk
from viewer.panes import MAIN
from viewer.scene.handles import moved, resized, turned
from viewer.tracks.sizes import usual_of_selected

STEP_M, TURN_RAD, WALK_M = 0.05, np.radians(1.0), 1.0
SURE_M = 1e-4


def _box_of(desk: Desk) -> Box3D | None:
    return None if desk.session.annotation is None else desk.session.annotation.box


def _reshape(title: str, change: Callable[[Box3D], Box3D | None]) -> Callable[[Desk], None]:
    def run(desk: Desk) -> None:
        box = _box_of(desk)
        changed = None if box is None else change(box)
        if changed is not None:
            desk.session.put_box(changed, title)

    return run


def _step(ahead: float, left: float, up: float = 0.0) -> Callable[[Desk], None]:
    """Moves the selected box along its own axes, or the view where nothing is selected."""
    way: F64 = np.array([ahead, left, up])

    def run(desk: Desk) -> None:
        box = _box_of(desk)
        if box is not None:
            desk.session.put_box(moved(box, STEP_M * way))
        elif desk.session.selected is None:
            desk.look(MAIN, desk.panes.orbit.walked(*(WALK_M * way)))

    return run


def _fit(keep_size: bool) -> Callable[[Desk], None]:
    def run(desk: Desk) -> None:
        box = _box_of(desk)
        if box is None:
            return
        usual = usual_of_selected(desk.session, desk.schema)
        if keep_size:
            flat = usual is None or usual.flat
            usual = Usual(box.size_lwh_m, np.full(3, SURE_M), flat)
        fitted = fit_again(box, desk.cloud.pointed(), usual)
        if fitted is not None:
            desk.session.put_box(fitted, "Fit the box")

    return run


def _on_ground(desk: Desk) -> None:
    box, ground = _box_of(desk), desk.cloud.ground
    if box is None or ground is None:
        return
    height_m = float(ground.height_at(box.center[None, :2])[0])
    if np.isfinite(height_m):
        up_m = height_m + box.height_m / 2 - box.center[2]
        desk.session.put_box(moved(box, np.array([0.0, 0.0, up_m])), "Put the box on the ground")


def _turn(times: int) -> Callable[[Desk], None]:
    return _reshape("Turn the box", lambda box: turned(box, times * TURN_RAD))


def _sized(axis: int, by_m: float) -> Callable[[Desk], None]:
    """Makes the box larger or smaller along one axis, about its middle."""
    sides = np.eye(3)[axis]

    def change(box: Box3D) -> Box3D:
        grown = resized(box, sides, sides * by_m / 2)
        return resized(grown, -sides, -sides * by_m / 2)

    return _reshape("Resize the box", change)


ACTIONS = (
    Action("box.fit", "Fit to the points", "Box", ("X",), _fit(False)),
    Action("box.fit_place", "Fit place and heading", "Box", ("Shift+X",), _fit(True)),
    Action("box.ground", "Put on the ground", "Box", ("Z",), _on_ground),
    Action("box.flip", "Front to back", "Box", ("G",), _reshape("Front to back", lambda b: turned(b, np.pi))),
    Action("box.ahead", "Ahead", "Box", ("W",), _step(1, 0)),
    Action("box.behind", "Back", "Box", ("S",), _step(-1, 0)),
    Action("box.left", "Left", "Box", ("A",), _step(0, 1)),
    Action("box.right", "Right", "Box", ("D",), _step(0, -1)),
    Action("box.up", "Up", "Box", ("Shift+W",), _step(0, 0, 1)),
    Action("box.down", "Down", "Box", ("Shift+S",), _step(0, 0, -1)),
    Action("box.turn_left", "Turn left", "Box", ("Q",), _turn(1)),
    Action("box.turn_right", "Turn right", "Box", ("E",), _turn(-1)),
    Action("box.longer", "Longer", "Box", ("O",), _sized(0, STEP_M)),
    Action("box.shorter", "Shorter", "Box", ("I",), _sized(0, -STEP_M)),
    Action("box.wider", "Wider", "Box", ("L",), _sized(1, STEP_M)),
    Action("box.narrower", "Narrower", "Box", ("K",), _sized(1, -STEP_M)),
    Action("box.higher", "Higher", "Box", (".",), _sized(2, STEP_M)),
    Action("box.lower", "Lower", "Box", (",",), _sized(2, -STEP_M)),
)
