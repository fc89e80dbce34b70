"""Which tool begins with a press."""

from __future__ import annotations

from viewer.desk import Desk
from viewer.hold import Drag
from viewer.panes import MAIN
from viewer.pointer import Button, Deed, Held, Pointer
from viewer.scene.handles import handle_at
from viewer.scene.views import Flat
from viewer.tools.create import draw
from viewer.tools.edit import pick, reshape
from viewer.tools.look import shift

REACH_PX = 7.0


def choose(desk: Desk, pane: str, press: Pointer) -> Drag | None:
    """Left picks, turns the view and drags boxes; right and middle move the view; Ctrl draws a new box."""
    if press.deed is not Deed.PRESS:
        return None
    if press.button in (Button.RIGHT, Button.MIDDLE):
        return shift(desk, pane, press)
    if press.button is not Button.LEFT:
        return None
    if Held.CTRL in press.held:
        return draw(desk, pane, press)
    if pane == MAIN:
        return pick(desk, pane, press)
    view, annotation = desk.panes.view(pane), desk.session.annotation
    if isinstance(view, Flat) and annotation is not None:
        size = desk.panes.size(pane)
        reach_m = REACH_PX * view.m_per_px
        handle = handle_at(view, annotation.box, view.metres(size, press.uv_px), reach_m)
        if handle is not None:
            return reshape(desk, pane, press, handle)
    return shift(desk, pane, press)
