"""The desk of an annotator without its window: panes, what they show, and which tool a pointer drives."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from calib.types import F64, Bools
from fusion.boxes import Boxes
from fusion.edits import SetTrack
from fusion.labels import Track
from viewer.cache import Cloud, Frame, FrameCache
from viewer.colours import ColourBy
from viewer.merge import Merge
from viewer.picking import box_under, point_under
from viewer.pointer import Deed, Pointer
from viewer.refit import Refitter, accepted
from viewer.schema import Schema
from viewer.session import Changed, Session
from viewer.views import Flat, Orbit, Ray, Side, Size, View, ray_at

MAIN = "main"
AHEAD, BEHIND = 3, 1
CLOSE_M = 18.0


class Ground(StrEnum):
    """What becomes of the points on the ground."""

    SHOWN = "shown"
    DIMMED = "dimmed"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Display:
    """What of the data is shown, and how.

    Attributes:
        colour_by: what the colour of a point says.
        point_px: how large points are.
        ground: what becomes of the points on it.
        points_in_images: whether images show the points that their cameras see.
        others: whether boxes are shown that are not selected.
        merge: which other frames are shown with the one.
    """

    colour_by: ColourBy = ColourBy.HEIGHT
    point_px: float = 2.0
    ground: Ground = Ground.DIMMED
    points_in_images: bool = False
    others: bool = True
    merge: Merge = Merge.NONE


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
        orbit: the view of the main pane.
        flats: the views of the other panes, where a box is selected.
        sizes: of the panes.
        hovered: the track under the pointer.
        ghost: the selected track as it would be if it were solved again.
        later: runs something in the thread of the window; called from any thread.
        copied_ns: the instant of the box that was copied.
        rubber_band: the pane and the two corners of a rectangle that is being drawn.
    """

    session: Session
    cache: FrameCache
    schema: Schema
    choose: Chooser
    changed: Callable[[], None] = lambda: None
    display: Display = field(default_factory=Display)
    category: str = ""
    orbit: Orbit = field(default_factory=Orbit)
    flats: dict[Side, Flat] = field(default_factory=dict)
    sizes: dict[str, Size] = field(default_factory=dict)
    hovered: str | None = None
    ghost: Track | None = None
    later: Callable[[Callable[[], None]], None] = lambda run: run()
    copied_ns: int | None = None
    rubber_band: tuple[str, tuple[float, float], tuple[float, float]] | None = None
    _tool: Tool | None = field(default=None, repr=False)
    _refitter: Refitter = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._refitter = Refitter(self.session.log)
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

    def view(self, pane: str) -> View | None:
        """The view of a pane; a flat one has none where no box is selected."""
        return self.orbit if pane == MAIN else self.flats.get(Side(pane))

    def size(self, pane: str) -> Size:
        """Of a pane."""
        return self.sizes.get(pane, Size(800, 600))

    def resize(self, pane: str, size: Size) -> None:
        """A pane has another size."""
        if self.sizes.get(pane) != size:
            self.sizes[pane] = size
            if pane != MAIN and Side(pane) in self.flats:
                self._tie(Side(pane), afresh=True)

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
        if isinstance(view, Orbit):
            self.orbit = view
        elif isinstance(view, Flat):
            self.flats[Side(pane)] = view
        self.changed()

    def look_at_selected(self) -> None:
        """Brings the selected box into the middle of all panes."""
        annotation = self.session.annotation
        if annotation is not None:
            self.orbit = self.orbit.onto(annotation.box.center, min(self.orbit.distance_m, CLOSE_M))
            self._retie(afresh=True)
        self.changed()

    def on_pointer(self, pane: str, event: Pointer) -> None:
        """Something was done with the mouse in a pane."""
        if self.view(pane) is None:
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

    def refit(self) -> None:
        """Begins to solve the selected track again; a second time, takes over what came of it."""
        track = self.session.track
        if track is None:
            return
        if self.ghost is not None and self.ghost.id == track.id:
            ghost, self.ghost = self.ghost, None
            self.session.apply(accepted(track, ghost))
        else:
            self._refitter.begin(track, lambda before, after: self.later(lambda: self._take(before, after)))

    def close(self) -> None:
        """Stops everything in the background."""
        self._refitter.close()
        self.cache.close()

    def _take(self, before: Track, ghost: Track) -> None:
        """Shows what was solved, unless the track has changed meanwhile."""
        if self.session.store.labels.tracks.get(before.id) is before:
            self.ghost = ghost
            self.changed()

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
        self._retie()
        self.changed()

    def ray(self, pane: str, event: Pointer) -> Ray:
        """What lies under the pointer."""
        view = self.view(pane)
        assert view is not None
        return ray_at(view, self.size(pane), event.uv_px)

    def track_under(self, pane: str, event: Pointer) -> str | None:
        """The track whose box lies under the pointer."""
        there = self.session.present()
        found = box_under(self.ray(pane, event), Boxes.stack(a.box for _, a in there))
        return None if found is None else there[found][0].id

    def place_under(self, pane: str, event: Pointer) -> F64 | None:
        """(3,) what is seen under the pointer: a point, or the ground."""
        view, shown = self.view(pane), self.cloud.points[self.visible_points()]
        assert view is not None
        found = point_under(view, self.size(pane), event.uv_px, shown)
        if found is not None:
            return np.asarray(shown[found], dtype=np.float64)
        return self.ray(pane, event).at_height(0.0)

    def _zoom(self, pane: str, event: Pointer) -> None:
        view = self.view(pane)
        if isinstance(view, Flat):
            self.look(pane, view.zoomed(event.steps, self.size(pane), event.uv_px))
        elif isinstance(view, Orbit):
            self.look(pane, view.zoomed(event.steps, self.place_under(pane, event)))

    def _drive(self, tool: Tool, event: Pointer | None) -> None:
        try:
            next(tool) if event is None else tool.send(event)
        except StopIteration:
            self._tool = None
            self._retie()
            self.changed()

    def _hover(self, track_id: str | None) -> None:
        if track_id != self.hovered:
            self.hovered = track_id
            self.changed()

    def _tie(self, side: Side, afresh: bool = False) -> None:
        """Ties a flat view to the selected box where it is now."""
        annotation = self.session.annotation
        if annotation is None:
            self.flats.pop(side, None)
            return
        before = self.flats.get(side)
        around = Flat.around(side, annotation.box, self.size(side))
        self.flats[side] = around if before is None or afresh else replace(around, m_per_px=before.m_per_px)

    def _retie(self, afresh: bool = False) -> None:
        for side in Side:
            self._tie(side, afresh)

    def _fetch(self) -> None:
        at = self.session.frame
        self.cache.prefetch([*range(at, at + AHEAD + 1), *range(at - BEHIND, at)])

    def _on_session(self, changed: Changed) -> None:
        if Changed.FRAME in changed:
            self._fetch()
        if changed & (Changed.SELECTION | Changed.LABELS):
            self.ghost = None
        if Changed.SELECTION in changed:
            self._retie(afresh=True)
        elif self._tool is None:
            self._retie()
        self.changed()
