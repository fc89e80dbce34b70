"""Selecting, moving, sizing and turning boxes."""

from __future__ import annotations

from viewer.desk import Desk
from viewer.hold import Drag
from viewer.pointer import Deed, Pointer
from viewer.scene.handles import Handle, dragged
from viewer.scene.views import Flat
from viewer.tools.look import turn


def pick(desk: Desk, pane: str, press: Pointer) -> Drag:
    """Selects what was clicked on; a drag turns the view instead."""
    turning = turn(desk, pane, press)
    next(turning)
    moved = False
    while (event := (yield)).deed is not Deed.RELEASE:
        moved = moved or event.is_off(press)
        if moved:
            turning.send(event)
    if not moved:
        desk.session.select(desk.track_under(pane, press))


def reshape(desk: Desk, pane: str, press: Pointer, handle: Handle) -> Drag:
    """Drags a part of the selected box; the view stays as it was until the drag ends."""
    session, view, annotation = desk.session, desk.panes.view(pane), desk.session.annotation
    assert isinstance(view, Flat)
    assert annotation is not None
    size, box = desk.panes.size(pane), annotation.box
    start_m = view.metres(size, press.uv_px)
    changed = box
    while (event := (yield)).deed is not Deed.RELEASE:
        changed = dragged(view, box, handle, start_m, view.metres(size, event.uv_px))
        session.show(session.edit_of(changed, handle.title))
    if changed is not box:
        session.put_box(changed, handle.title)
