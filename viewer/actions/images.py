"""2D boxes in the images."""

from __future__ import annotations

from viewer.actions.action import Action
from viewer.desk import Desk
from viewer.images.image_boxes import derived_boxes, following, key_of, made


def _show(desk: Desk) -> None:
    desk.show(rectangles=not desk.display.rectangles)


def _make(desk: Desk) -> None:
    """Stores the 2D boxes of all objects in all images of the frame, and shows them."""
    frame, session = desk.frame, desk.session
    if frame is None:
        return
    outlines, there = desk.image_boxes.outlines, [track for track, _ in session.present()]
    found = {
        key_of(ref): derived_boxes(outlines, ref, there, frame.cloud, session.time_ns)
        for ref, _ in frame.images.values()
    }
    edit = made(session.labels, found)
    if edit is not None:
        session.apply(edit)
    desk.show(rectangles=True)


def _make_all(desk: Desk) -> None:
    desk.box_maker.begin()


def _follow(desk: Desk) -> None:
    """The 2D boxes of the selected object in the images of the frame follow its 3D box again."""
    frame, track = desk.frame, desk.session.track
    if frame is None or track is None:
        return
    images, outlines = [ref for ref, _ in frame.images.values()], desk.image_boxes.outlines
    derived = {key_of(ref): derived_boxes(outlines, ref, [track]).get(track.id) for ref in images}
    known = {key: box for key, box in derived.items() if box is not None}
    edit = following(track, images, known)
    if edit is not None:
        desk.session.apply(edit)


ACTIONS = (
    Action("view.rectangles", "2D boxes in images", "View", ("U",), _show),
    Action("rectangle.make", "Store the 2D boxes of this frame", "Object", ("Ctrl+U",), _make),
    Action("rectangle.make_all", "Store the 2D boxes of all frames", "Object", ("Ctrl+Shift+U",), _make_all),
    Action("rectangle.follow", "2D boxes follow the 3D box again", "Object", ("Shift+U",), _follow),
)
