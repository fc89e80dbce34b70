"""Everything one can do by key or menu, in one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from autolabel.fit import Cloud as Pointed
from autolabel.fit import fit_again
from calib.types import F64
from fusion.boxes import Box3D
from fusion.edits import SetTrack
from viewer.colours import ColourBy
from viewer.desk import Desk
from viewer.handles import moved, resized, turned

STEP_M, TURN_RAD, WALK_M = 0.05, np.radians(1.0), 1.0
FAR, JUMP = 10, 5


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do.

    Attributes:
        id: stable name, which settings refer to.
        title: as menus say it.
        menu: which menu it is in.
        keys: in the words of Qt, such as "Ctrl+Z".
        run: does it.
    """

    id: str
    title: str
    menu: str
    keys: tuple[str, ...]
    run: Callable[[Desk], None]


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
            desk.look("main", desk.orbit.walked(*(WALK_M * way)))

    return run


def _fit(keep_size: bool) -> Callable[[Desk], None]:
    def run(desk: Desk) -> None:
        box, cloud = _box_of(desk), desk.cloud
        if box is None:
            return
        fitted = fit_again(box, Pointed(cloud.points, cloud.above_m, cloud.lidar), keep_size)
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


def _sized(axis: int, by_m: float) -> Callable[[Box3D], Box3D]:
    """A box larger or smaller along one axis, about its middle."""
    sides = np.eye(3)[axis]

    def change(box: Box3D) -> Box3D:
        grown = resized(box, sides, sides * by_m / 2)
        return resized(grown, -sides, -sides * by_m / 2)

    return change


def _go(step: int) -> Callable[[Desk], None]:
    return lambda desk: desk.session.go_to(desk.session.frame + step)


def _classify(number: int) -> Callable[[Desk], None]:
    def run(desk: Desk) -> None:
        if number >= len(desk.schema.categories):
            return
        name = desk.schema.categories[number].name
        desk.category = name
        track = desk.session.track
        if track is not None and track.category != name:
            desk.session.apply(SetTrack(track.id, name, track.attributes))
        desk.changed()

    return run


def _colour(step: int) -> Callable[[Desk], None]:
    def run(desk: Desk) -> None:
        listed = list(ColourBy)
        desk.show(colour_by=listed[(listed.index(desk.display.colour_by) + step) % len(listed)])

    return run


ACTIONS: tuple[Action, ...] = (
    Action("frame.next", "Next frame", "Frame", ("4", "PgDown"), _go(1)),
    Action("frame.previous", "Previous frame", "Frame", ("3", "PgUp"), _go(-1)),
    Action("frame.ahead", f"{JUMP} frames on", "Frame", ("Shift+4",), _go(JUMP)),
    Action("frame.back", f"{JUMP} frames back", "Frame", ("Shift+3",), _go(-JUMP)),
    Action("frame.first", "First frame", "Frame", ("Home",), lambda desk: desk.session.go_to(0)),
    Action("frame.last", "Last frame", "Frame", ("End",), lambda d: d.session.go_to(len(d.session.log))),
    Action("object.next", "Next object", "Object", ("2", "Tab"), lambda d: d.session.next_track(1)),
    Action(
        "object.previous", "Previous object", "Object", ("1", "Shift+Tab"), lambda d: d.session.next_track(-1)
    ),
    Action("object.none", "Let go", "Object", ("Esc",), lambda desk: _let_go(desk)),
    Action("object.look", "Look at it", "Object", ("C",), lambda desk: desk.look_at_selected()),
    Action(
        "object.remove_box",
        "Remove the box",
        "Object",
        ("Delete", "Backspace"),
        lambda d: d.session.remove_box(),
    ),
    Action(
        "object.remove", "Remove the object", "Object", ("Ctrl+Delete",), lambda d: d.session.remove_track()
    ),
    Action("object.confirm", "Confirm the box", "Object", ("Return",), lambda d: d.session.confirm()),
    Action("box.fit", "Fit to the points", "Box", ("X",), _fit(False)),
    Action("box.fit_place", "Fit place and heading", "Box", ("Shift+X",), _fit(True)),
    Action("box.ground", "Put on the ground", "Box", ("Z",), _on_ground),
    Action(
        "box.flip",
        "Turn front to back",
        "Box",
        ("G",),
        _reshape("Turn the box around", lambda b: turned(b, np.pi)),
    ),
    Action("box.ahead", "Ahead", "Box", ("W",), _step(1, 0)),
    Action("box.behind", "Back", "Box", ("S",), _step(-1, 0)),
    Action("box.left", "Left", "Box", ("A",), _step(0, 1)),
    Action("box.right", "Right", "Box", ("D",), _step(0, -1)),
    Action("box.up", "Up", "Box", ("Shift+W",), _step(0, 0, 1)),
    Action("box.down", "Down", "Box", ("Shift+S",), _step(0, 0, -1)),
    Action(
        "box.turn_left", "Turn left", "Box", ("Q",), _reshape("Turn the box", lambda b: turned(b, TURN_RAD))
    ),
    Action(
        "box.turn_right",
        "Turn right",
        "Box",
        ("E",),
        _reshape("Turn the box", lambda b: turned(b, -TURN_RAD)),
    ),
    Action("box.longer", "Longer", "Box", ("O",), _reshape("Resize the box", _sized(0, STEP_M))),
    Action("box.shorter", "Shorter", "Box", ("I",), _reshape("Resize the box", _sized(0, -STEP_M))),
    Action("box.wider", "Wider", "Box", ("L",), _reshape("Resize the box", _sized(1, STEP_M))),
    Action("box.narrower", "Narrower", "Box", ("K",), _reshape("Resize the box", _sized(1, -STEP_M))),
    Action("box.higher", "Higher", "Box", (".",), _reshape("Resize the box", _sized(2, STEP_M))),
    Action("box.lower", "Lower", "Box", (",",), _reshape("Resize the box", _sized(2, -STEP_M))),
    Action("edit.undo", "Undo", "Edit", ("Ctrl+Z",), lambda desk: desk.session.undo()),
    Action("edit.redo", "Redo", "Edit", ("Ctrl+Shift+Z", "Ctrl+Y"), lambda desk: desk.session.redo()),
    Action("view.colour", "Next colours", "View", ("J",), _colour(1)),
    Action("view.ground", "Ground points", "View", ("B",), lambda d: d.show(ground=d.display.ground.next)),
    Action(
        "view.larger",
        "Larger points",
        "View",
        ("+", "="),
        lambda d: d.show(point_px=min(d.display.point_px + 0.5, 10)),
    ),
    Action(
        "view.smaller",
        "Smaller points",
        "View",
        ("-",),
        lambda d: d.show(point_px=max(d.display.point_px - 0.5, 1)),
    ),
    Action("view.others", "Other boxes", "View", ("H",), lambda d: d.show(others=not d.display.others)),
    Action(
        "view.points_in_images",
        "Points in images",
        "View",
        ("P",),
        lambda d: d.show(points_in_images=not d.display.points_in_images),
    ),
    *(
        Action(
            f"class.{number + 1}", f"Class {number + 1}", "Class", (f"Ctrl+{number + 1}",), _classify(number)
        )
        for number in range(9)
    ),
)


def _let_go(desk: Desk) -> None:
    """Ends a drag, or else the selection."""
    if desk.busy:
        desk.cancel()
    else:
        desk.session.select(None)


def by_id(actions: tuple[Action, ...] = ACTIONS) -> dict[str, Action]:
    """The table by name."""
    return {action.id: action for action in actions}


def with_keys(actions: tuple[Action, ...], keys: dict[str, tuple[str, ...]]) -> tuple[Action, ...]:
    """The same actions under other keys."""
    return tuple(replace(action, keys=keys.get(action.id, action.keys)) for action in actions)


def conflicts(actions: tuple[Action, ...]) -> dict[str, list[str]]:
    """Keys that more than one action has, with their ids."""
    users: dict[str, list[str]] = {}
    for action in actions:
        for key in action.keys:
            users.setdefault(key.casefold(), []).append(action.id)
    return {key: ids for key, ids in users.items() if len(ids) > 1}
