"""New boxes: one drag through a thing, from behind to its front, makes a fitted one."""

from __future__ import annotations

import numpy as np

from autolabel.fit import Guess, Usual, fit_new
from calib.types import F64
from fusion.boxes import Box3D
from fusion.edits import PutTrack
from fusion.labels import Annotation, Source, Track
from viewer.desk import Desk
from viewer.hold import Drag
from viewer.pointer import Deed, Held, Pointer
from viewer.scene.picking import point_under
from viewer.tracks.sizes import usual_in

LEAST_M, MOST_M = 0.2, 60.0
SURE_M = 1e-3


def draw(desk: Desk, pane: str, press: Pointer) -> Drag:
    """Draws a new box, shown while the drag goes on: it begins behind the thing and ends at its front.

    The box is fitted to what stands there; with Shift held, or where nothing does, it is as it was drawn.
    """
    usual = usual_in(desk.session, desk.schema, desk.category)
    tail, box = pointed_at(desk, pane, press), None
    while (event := (yield)).deed is not Deed.RELEASE:
        front = pointed_at(desk, pane, event)
        if tail is None or front is None:
            continue
        box = drawn_box(desk, tail, front, usual, fitted=Held.SHIFT not in press.held | event.held)
        desk.arrow = (pane, press.uv_px, event.uv_px)
        desk.session.show(None if box is None else _new(desk, box))
        desk.changed()
    desk.arrow = None
    desk.session.show(None)
    if box is not None:
        desk.session.add_track(desk.category, box)


def drawn_box(desk: Desk, tail: F64, front: F64, usual: Usual | None, fitted: bool = True) -> Box3D | None:
    """The box that an arrow (3,) to (3,) means; nothing where it is too short, or leads to the horizon."""
    long_m = float(np.linalg.norm((front - tail)[:2]))
    if not LEAST_M <= long_m <= MOST_M:
        return None
    found = fit_new(desk.cloud.pointed(), tail, front, usual) if fitted else None
    if found is not None:
        return found
    drawn = Guess.drawn(tail, front, usual)
    if not fitted:
        size = np.array([long_m, *drawn.usual.size_lwh_m[1:]])
        drawn = Guess(drawn.center, drawn.yaw_rad, drawn.usual.of_size(size, SURE_M), SURE_M, SURE_M)
    return drawn.box(_ground_m(desk, drawn.center, float(min(tail[2], front[2]))))


def pointed_at(desk: Desk, pane: str, event: Pointer) -> F64 | None:
    """(3,) the place under the pointer: as high as the point that is seen there, or on the ground."""
    view, shown = desk.panes.view(pane), desk.visible_points()
    assert view is not None
    ray, found = desk.ray(pane, event), point_under(view, desk.panes.size(pane), event.uv_px, shown)
    if found is not None:
        place = ray.at_height(float(shown[found, 2]))
        return np.asarray(shown[found], dtype=np.float64) if place is None else place
    place = ray.at_height(0.0)
    for _ in range(3 if place is not None else 0):
        assert place is not None
        lower = ray.at_height(_ground_m(desk, place[:2], 0.0))
        place = place if lower is None else lower
    return place


def _ground_m(desk: Desk, place: F64, otherwise_m: float) -> float:
    """Height of the ground at (2,) a place; another one where it is unknown."""
    ground = desk.cloud.ground
    height_m = np.nan if ground is None else float(ground.height_at(place[None])[0])
    return height_m if np.isfinite(height_m) else otherwise_m


def _new(desk: Desk, box: Box3D) -> PutTrack:
    """What the new box would look like."""
    session = desk.session
    made = Annotation(session.time_ns, box, Source.HUMAN)
    return PutTrack(Track.of(session.free_id(), desk.category, [made]))
