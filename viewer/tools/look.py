"""Looking from elsewhere."""

from __future__ import annotations

from viewer.desk import Desk
from viewer.hold import Drag
from viewer.pointer import Deed, Pointer
from viewer.scene.views import Flat, Orbit


def turn(desk: Desk, pane: str, press: Pointer) -> Drag:
    """Turns the view around its target."""
    last = press
    while (event := (yield)).deed is not Deed.RELEASE:
        view = desk.panes.view(pane)
        if isinstance(view, Orbit):
            desk.look(pane, view.turned(event.uv_px[0] - last.uv_px[0], event.uv_px[1] - last.uv_px[1]))
        last = event


def shift(desk: Desk, pane: str, press: Pointer) -> Drag:
    """Moves the view along."""
    last = press
    while (event := (yield)).deed is not Deed.RELEASE:
        dx_px, dy_px = event.uv_px[0] - last.uv_px[0], event.uv_px[1] - last.uv_px[1]
        view = desk.panes.view(pane)
        if isinstance(view, Orbit):
            desk.look(pane, view.shifted(dx_px, dy_px, desk.panes.size(pane)))
        elif isinstance(view, Flat):
            desk.look(pane, view.shifted(dx_px, dy_px))
        last = event
