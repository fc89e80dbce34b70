"""Taking hold of one crop of the strip: a click goes to its frame, a drag reshapes its box where it is."""

from __future__ import annotations

from dataclasses import dataclass

from fusion.labels import Annotation
from viewer.hold import Drag
from viewer.pointer import Deed, Pointer
from viewer.scene.handles import Handle, dragged, handle_at
from viewer.scene.views import Flat, Size
from viewer.session import Session

REACH_PX = 5.0


@dataclass(frozen=True, eq=False, slots=True)
class Tile:
    """One crop.

    Attributes:
        frame: its number.
        annotation: the box, as shown.
        corner_px: of the crop, upper left.
        size: of the crop.
        view: how it looks at the box; None where a camera does.
    """

    frame: int
    annotation: Annotation
    corner_px: tuple[float, float]
    size: Size
    view: Flat | None

    def inside(self, event: Pointer) -> tuple[float, float]:
        """Where in the crop something was done."""
        return event.uv_px[0] - self.corner_px[0], event.uv_px[1] - self.corner_px[1]

    def handle(self, event: Pointer) -> Handle | None:
        """What of the box lies under the pointer."""
        if self.view is None:
            return None
        place_m = self.view.metres(self.size, self.inside(event))
        return handle_at(self.view, self.annotation.box, place_m, REACH_PX * self.view.m_per_px)


def take_hold(session: Session, tile: Tile, press: Pointer) -> Drag:
    """Goes to the frame of a crop, or drags its box, wherever in time one is; one edit at the end."""
    handle, box, time_ns = tile.handle(press), tile.annotation.box, tile.annotation.timestamp_ns
    changed, moved = box, False
    while (event := (yield)).deed is not Deed.RELEASE:
        moved = moved or event.is_off(press)
        if moved and handle is not None and tile.view is not None:
            start_m, now_m = (tile.view.metres(tile.size, tile.inside(one)) for one in (press, event))
            changed = dragged(tile.view, box, handle, start_m, now_m)
            session.show(session.edit_of(changed, handle.title, time_ns))
    if not moved:
        session.go_to(tile.frame)
    elif handle is not None and changed is not box:
        session.put_box(changed, handle.title, time_ns)
