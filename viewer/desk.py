"""The desk of an annotator without its window: panes, what they show, and which tool a pointer drives."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace

import numpy as np

from calib.types import F64, Bools
from fusion.boxes import Boxes
from fusion.edits import SetTrack
from viewer.cache import Cloud, Frame, FrameCache
from viewer.display import Display, Ground
from viewer.panes import Panes
from viewer.picking import box_under, point_under
from viewer.pointer import Deed, Pointer
from viewer.proposal import Proposals
from viewer.schema import Schema
from viewer.session import Changed, Session
from viewer.views import Flat, Orbit, Ray, View, ray_at

AHEAD, BEHIND = 3, 1


# A tool takes pointer events and gives back nothing; what it previews and does goes to the session.
Tool = Generator[None, Pointer, None]
Chooser = Callable[["Desk", str, Pointer], Tool | None]


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
        rubber_band: the pane and the two corners of a rectangle that is being drawn.
        panes: from where they look.
        proposals: the selected track as it would be if it were solved again.
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
    rubber_band: tuple[str, tuple[float, float], tuple[float, float]] | None = None
    panes: Panes = field(init=False)
    proposals: Proposals = field(init=False)
    _tool: Tool | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.panes = Panes(self.session)
        self.proposals = Proposals(self.session, lambda: self.changed())
        self.category = self.category or self.schema.categories[0].name
        self.session.subscribe(self._on_session)
        self._fetch()

    @property
    def frame(self) -> Frame | None:
        """What was measured at the frame that is shown; None while it is being read."""
        return self.cache.get(self.session.frame)

    @property
    def cloud(self) -> Cloud:
        """Its points; none while they are being read."""
        return Cloud.empty() if self.frame is None else self.frame.cloud

    def visible_points(self) -> Bools:
        """(N,) which points of the frame are shown."""
        if self.display.ground is Ground.HIDDEN:
            return ~self.cloud.on_ground
        return np.ones(len(self.cloud.points), dtype=np.bool_)

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

    def on_pointer(self, pane: str, event: Pointer) -> None:
        """Something was done with the mouse in a pane."""
        if self.panes.view(pane) is None:
            return
        if self._tool is not None:
            self._drive(self._tool, event)
        elif event.deed is Deed.WHEEL:
            self._zoom(pane, event)
        elif event.deed in (Deed.PRESS, Deed.DOUBLE):
            tool = self.choose(self, pane, event)
            if tool is not None:
                self._tool = tool
                self._drive(tool, None)
        elif event.deed in (Deed.MOVE, Deed.LEAVE):
            self._hover(self.track_under(pane, event) if event.deed is Deed.MOVE else None)

    def close(self) -> None:
        """Stops everything in the background."""
        self.proposals.close()
        self.cache.close()

    @property
    def busy(self) -> bool:
        """Whether something is being dragged."""
        return self._tool is not None

    def cancel(self) -> None:
        """Lets go of whatever is being dragged, as if nothing had been."""
        if self._tool is not None:
            self._tool.close()
            self._tool, self.rubber_band = None, None
        self.session.show(None)
        self.panes.tie()
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
        view, shown = self.panes.view(pane), self.cloud.points[self.visible_points()]
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

    def _drive(self, tool: Tool, event: Pointer | None) -> None:
        try:
            next(tool) if event is None else tool.send(event)
        except StopIteration:
            self._tool = None
            self.panes.tie()
            self.changed()

    def _hover(self, track_id: str | None) -> None:
        if track_id != self.hovered:
            self.hovered = track_id
            self.changed()

    def _fetch(self) -> None:
        at = self.session.frame
        self.cache.prefetch([*range(at, at + AHEAD + 1), *range(at - BEHIND, at)])

    def _on_session(self, changed: Changed) -> None:
        if Changed.FRAME in changed:
            self._fetch()
        if changed & (Changed.SELECTION | Changed.LABELS):
            self.proposals.ghost = None
        if Changed.SELECTION in changed:
            self.panes.tie(afresh=True)
        elif self._tool is None:
            self.panes.tie()
        self.changed()
