"""The desk of an annotator without its window: panes, what they show, and which tool a pointer drives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from calib.types import F32, F64
from fusion.boxes import Boxes
from fusion.edits import SetTrack
from viewer.display import Display, Ground
from viewer.effort import MOUSE, EffortMeter
from viewer.frames.cache import Cloud, Frame, FrameCache
from viewer.hold import Drag, Hold
from viewer.images.box_maker import BoxMaker
from viewer.images.image_boxes import ImageBoxes
from viewer.images.outlines import Outlines
from viewer.images.sightline import Sightline
from viewer.panes import Panes
from viewer.pointer import Deed, Pointer
from viewer.review.reviewing import Reviewing
from viewer.scene.picking import box_under, point_under
from viewer.scene.views import Flat, Orbit, Ray, View, ray_at
from viewer.schema import Schema
from viewer.session import Changed, Session
from viewer.strip.strip import Strip
from viewer.tracks.proposal import Proposals

AHEAD, BEHIND = 3, 1


class Holder(Protocol):
    """Something beside the panes in which things are dragged."""

    @property
    def busy(self) -> bool:
        """Whether something is being dragged."""

    def cancel(self) -> None:
        """Lets go of it."""


Chooser = Callable[["Desk", str, Pointer], Drag | None]


@dataclass(eq=False)
class Desk:
    """All that a window shows and does, without one.

    Attributes:
        session: the log, the labels and the edits.
        cache: its frames.
        schema: what may be labelled.
        choose: which tool begins with a press in a pane.
        changed: called after every change of what is shown.
        display: what is shown.
        category: of the next new box.
        hovered: the track under the pointer.
        copied_ns: the instant of the box that was copied.
        arrow: the pane and the two ends of an arrow that is being drawn.
        panes: from where they look.
        proposals: the selected track as it would be if it were solved again.
        strip: the selected object over many frames.
        reviewing: findings, comments, and how far everything is.
        effort: what labelling costs.
        image_boxes: the 2D boxes, and how boxes show in images.
        box_maker: makes 2D boxes of the whole log.
        holders: where else things are dragged.
        sightline: what lies under the pixel of an image that was clicked on.
        pointer: the pane over which the mouse is, and where; None elsewhere.
        pointer_moved: called when it is somewhere else.
    """

    session: Session
    cache: FrameCache
    schema: Schema
    choose: Chooser
    changed: Callable[[], None] = lambda: None
    display: Display = field(default_factory=Display)
    category: str = ""
    hovered: str | None = None
    copied_ns: int | None = None
    arrow: tuple[str, tuple[float, float], tuple[float, float]] | None = None
    panes: Panes = field(init=False)
    proposals: Proposals = field(init=False)
    strip: Strip = field(init=False)
    reviewing: Reviewing = field(init=False)
    effort: EffortMeter = field(init=False)
    image_boxes: ImageBoxes = field(init=False)
    box_maker: BoxMaker = field(init=False)
    holders: list[Holder] = field(default_factory=list, repr=False)
    sightline: Sightline | None = None
    pointer: tuple[str, Pointer] | None = None
    pointer_moved: Callable[[], None] = lambda: None
    _hold: Hold = field(init=False, repr=False)
    _held: Frame | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.panes = Panes(self.session)
        self._hold = Hold(self._let_go)
        self.proposals = Proposals(self.session, lambda: self.changed())
        self.effort = EffortMeter(self.session)
        self.strip = Strip(self.session, lambda: self.changed())
        self.holders.append(self.strip)
        self.reviewing = Reviewing(self.session, self.schema, self.look_at)
        self.image_boxes = ImageBoxes(Outlines(self.session.log))
        later = lambda run: self.proposals.later(run)  # noqa: E731
        failed = lambda error: self.proposals.failed(error)  # noqa: E731
        self.box_maker = BoxMaker(self.session, later, failed)
        checking = self.reviewing.checking
        checking.later, checking.failed, checking.arrived = later, failed, lambda: self.changed()
        self.category = self.category or self.schema.categories[0].name
        self.session.subscribe(self._on_session)
        self._fetch()

    @property
    def frame(self) -> Frame | None:
        """What was measured at the frame that is shown; None while it is being read.

        It may arrive at any instant: who asks twice may get None and then a frame.
        """
        number = self.session.frame
        if self._held is None or self._held.number != number:
            self._held = self.cache.get(number)
        return self._held

    @property
    def cloud(self) -> Cloud:
        """Its points; none while they are being read."""
        frame = self.frame
        return Cloud.empty() if frame is None else frame.cloud

    def visible_points(self) -> F32:
        """(N, 3) the points of the frame that are shown."""
        cloud = self.cloud
        return cloud.points[~cloud.on_ground] if self.display.ground is Ground.HIDDEN else cloud.points

    def show(self, **changes: object) -> None:
        """Shows things in another way."""
        self.display = replace(self.display, **changes)  # type: ignore[arg-type]
        self.changed()

    def classify(self, name: str) -> None:
        """The selected object, and the next new one, is of a class."""
        self.category = name
        track = self.session.track
        if track is not None and track.category != name:
            self.session.apply(SetTrack(track.id, name))
        self.changed()

    def look(self, pane: str, view: View) -> None:
        """A pane looks from elsewhere."""
        self.panes.put(pane, view)
        self.changed()

    def look_at_selected(self) -> None:
        """Brings the selected box into the middle of all panes."""
        self.panes.look_at_selected()
        self.changed()

    def look_at(self, place: tuple[float, float, float] | None) -> None:
        """Brings a place of the frame into the middle of the main pane, or else the selected box."""
        if place is None:
            self.look_at_selected()
        else:
            self.panes.look_at(np.array(place))
            self.changed()

    def on_pointer(self, pane: str, event: Pointer) -> None:
        """Something was done with the mouse in a pane."""
        if self.panes.view(pane) is None:
            return
        self.effort.noticed()
        if not self._hold.take(event):
            self._start(pane, event)
        if event.deed is Deed.RELEASE:
            self.effort.did(MOUSE)

    def _start(self, pane: str, event: Pointer) -> None:
        """What an event does while nothing is dragged."""
        if event.deed is Deed.WHEEL:
            self._zoom(pane, event)
        elif event.deed in (Deed.PRESS, Deed.DOUBLE):
            tool = self.choose(self, pane, event)
            if tool is not None:
                self._hold.begin(tool)
        elif event.deed in (Deed.MOVE, Deed.LEAVE):
            there = event.deed is Deed.MOVE
            self.hover(self.track_under(pane, event) if there else None)
            self.pointer = (pane, event) if there else None
            self.pointer_moved()

    def close(self) -> None:
        """Stops everything in the background."""
        self.proposals.close()
        self.strip.close()
        self.box_maker.close()
        self.reviewing.checking.close()
        self.cache.close()

    @property
    def busy(self) -> bool:
        """Whether something is being dragged."""
        return self._hold.busy or any(holder.busy for holder in self.holders)

    def cancel(self) -> None:
        """Lets go of whatever is being dragged, as if nothing had been."""
        self._hold.cancel()
        self.arrow = None
        for holder in self.holders:
            holder.cancel()
        self.session.show(None)
        self.panes.tie()
        self.changed()

    def point_at(self, line: Sightline | None) -> None:
        """Shows what was clicked on in an image, in the middle of the main pane."""
        self.sightline = line
        if line is not None and line.meets:
            self.panes.orbit = self.panes.orbit.onto(line.end)
        self.changed()

    def ray(self, pane: str, event: Pointer) -> Ray:
        """What lies under the pointer."""
        view = self.panes.view(pane)
        assert view is not None
        return ray_at(view, self.panes.size(pane), event.uv_px)

    def track_under(self, pane: str, event: Pointer) -> str | None:
        """The track whose box lies under the pointer."""
        there = self.session.present()
        found = box_under(self.ray(pane, event), Boxes.stack(a.box for _, a in there))
        return None if found is None else there[found][0].id

    def place_under(self, pane: str, event: Pointer) -> F64 | None:
        """(3,) what is seen under the pointer: a point, or the ground."""
        view, shown = self.panes.view(pane), self.visible_points()
        assert view is not None
        found = point_under(view, self.panes.size(pane), event.uv_px, shown)
        if found is not None:
            return np.asarray(shown[found], dtype=np.float64)
        return self.ray(pane, event).at_height(0.0)

    def _zoom(self, pane: str, event: Pointer) -> None:
        view = self.panes.view(pane)
        if isinstance(view, Flat):
            self.look(pane, view.zoomed(event.steps, self.panes.size(pane), event.uv_px))
        elif isinstance(view, Orbit):
            self.look(pane, view.zoomed(event.steps, self.place_under(pane, event)))

    def _let_go(self) -> None:
        self.panes.tie()
        self.changed()

    def hover(self, track_id: str | None) -> None:
        """The pointer is on a track, or on none."""
        if track_id != self.hovered:
            self.hovered = track_id
            self.changed()

    def _fetch(self) -> None:
        at = self.session.frame
        self.cache.prefetch([*range(at, at + AHEAD + 1), *range(at - BEHIND, at)])

    def _on_session(self, changed: Changed) -> None:
        if Changed.FRAME in changed:
            self._fetch()
        self.proposals.notice(changed)
        if changed & (Changed.SELECTION | Changed.FRAME):
            self.sightline = None
        if Changed.SELECTION in changed:
            self.panes.tie(afresh=True)
        elif not self._hold.busy:
            self.panes.tie()
        self.changed()
