"""Going through the frames, and what is shown of them."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from viewer.actions.action import Action
from viewer.desk import Desk

JUMP = 5
LEAST_PX, MOST_PX = 1.0, 10.0


def _go(step: int) -> Callable[[Desk], None]:
    return lambda desk: desk.session.go_to(desk.session.frame + step)


def _next(name: str) -> Callable[[Desk], None]:
    """Shows the next of all that something of the display may be, in turn."""

    def run(desk: Desk) -> None:
        now = getattr(desk.display, name)
        kind: type[StrEnum] = type(now)
        listed = list(kind)
        desk.show(**{name: listed[(listed.index(now) + 1) % len(listed)]})

    return run


def _points(by_px: float) -> Callable[[Desk], None]:
    return lambda desk: desk.show(point_px=min(max(desk.display.point_px + by_px, LEAST_PX), MOST_PX))


def _images(desk: Desk) -> None:
    desk.show(points_in_images=not desk.display.points_in_images)


ACTIONS = (
    Action("frame.next", "Next frame", "Frame", ("4", "PgDown"), _go(1)),
    Action("frame.previous", "Previous frame", "Frame", ("3", "PgUp"), _go(-1)),
    Action("frame.ahead", f"{JUMP} frames on", "Frame", ("Shift+PgDown",), _go(JUMP)),
    Action("frame.back", f"{JUMP} frames back", "Frame", ("Shift+PgUp",), _go(-JUMP)),
    Action("frame.first", "First frame", "Frame", ("Home",), lambda desk: desk.session.go_to(0)),
    Action(
        "frame.last", "Last frame", "Frame", ("End",), lambda desk: desk.session.go_to(len(desk.session.log))
    ),
    Action("edit.undo", "Undo", "Edit", ("Ctrl+Z",), lambda desk: desk.session.undo()),
    Action("edit.redo", "Redo", "Edit", ("Ctrl+Shift+Z", "Ctrl+Y"), lambda desk: desk.session.redo()),
    Action("view.colour", "Next colours", "View", ("J",), _next("colour_by")),
    Action("view.ground", "Ground points", "View", ("B",), _next("ground")),
    Action("view.merge", "Several frames together", "View", ("M",), _next("merge")),
    Action("view.larger", "Larger points", "View", ("+", "="), _points(0.5)),
    Action("view.smaller", "Smaller points", "View", ("-",), _points(-0.5)),
    Action("view.others", "Other boxes", "View", ("H",), lambda d: d.show(others=not d.display.others)),
    Action("view.points_in_images", "Points in images", "View", ("P",), _images),
)
