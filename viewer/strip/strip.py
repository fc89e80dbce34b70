"""One object over many frames side by side, each in its own axes, edited in place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from fusion.edits import Edit, Group, LockAnnotations, PutAnnotations
from fusion.labels import Annotation, Source, Track
from viewer.background import Background
from viewer.hold import Hold
from viewer.pointer import Button, Deed, Held, Pointer
from viewer.scene.views import Flat, Side, Size
from viewer.session import Session
from viewer.strip.crop_drag import Tile, take_hold
from viewer.strip.crops import Crop, CropWish, Cutter, Look, LookWish
from viewer.strip.tiles import Tiles
from viewer.tracks.keyframes import is_keyframe
from viewer.tracks.rows import frames_of

KEPT, SCROLLED = 240, 4
FEWEST, MOST, USUAL = 10, 60, 20
# Room for the knob and for what stands around the object.
ROOM_ACROSS_M, ROOM_UP_M = 1.6, 3.0


class Show(StrEnum):
    """What the crops show."""

    TOP = "top"
    SIDE = "side"
    REAR = "rear"
    CAMERA = "camera"


@dataclass(eq=False)
class Strip:
    """The selected object over many frames.

    Attributes:
        session: whose selected track it is.
        changed: called when something else is to be drawn.
        show: what the crops show.
        count: how many there are at once.
        place: how large the strip is.
        in_sight: whether a person sees it.
        reveal: brings it into sight.
        crops: the points around the boxes, as far as they are there.
        looks: what cameras show of the object, as far as it is there.
    """

    session: Session
    changed: Callable[[], None]
    show: Show = Show.TOP
    count: int = USUAL
    place: Size = field(default_factory=lambda: Size(1, 1))
    in_sight: bool = False
    reveal: Callable[[], None] = lambda: None
    crops: Background[tuple[str, int], CropWish, Crop] = field(init=False, repr=False)
    looks: Background[tuple[str, int], LookWish, Look] = field(init=False, repr=False)
    _first: int = 0
    _followed: tuple[str, int] | None = None
    _hold: Hold = field(init=False, repr=False)
    _views: dict[int, Flat] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        log = self.session.log
        self._hold = Hold(lambda: self.changed())
        self.crops = Background(Cutter(log).crop, CropWish.serves, KEPT)
        self.looks = Background(Cutter(log).look, LookWish.serves, KEPT)

    def tiles(self) -> list[Tile]:
        """The crops that are shown now; what they lack is on its way."""
        track = self.session.track
        if track is None:
            return []
        listed = self._listed(track)
        self._follow(track.id, [frame for frame, _ in listed])
        shown = listed[self._first : self._first + self.count]
        if not shown:
            return []
        if not self.busy:
            self._views = self._tied(shown)
        self._want(track, listed)
        grid = self._grid(shown)
        return [
            Tile(frame, annotation, grid.corner(number), grid.size, self._views.get(annotation.timestamp_ns))
            for number, (frame, annotation) in enumerate(shown)
        ]

    def on_pointer(self, event: Pointer) -> None:
        """Something was done with the mouse in the strip."""
        if self._hold.take(event):
            return
        if event.deed is Deed.WHEEL:
            self._wheel(event)
        elif event.deed is Deed.PRESS and event.button is Button.LEFT:
            tile = self.tile_at(event.uv_px)
            if tile is not None:
                self._hold.begin(take_hold(self.session, tile, event))

    def tile_at(self, uv_px: tuple[float, float]) -> Tile | None:
        """The crop under a pixel."""
        tiles = self.tiles()
        number = self._grid([(t.frame, t.annotation) for t in tiles]).at(uv_px) if tiles else None
        return tiles[number] if number is not None and number < len(tiles) else None

    def next_show(self) -> None:
        """Shows the object from the next side; brings the strip into sight where it is not."""
        if self.in_sight:
            listed = list(Show)
            self.show = listed[(listed.index(self.show) + 1) % len(listed)]
            self.changed()
        else:
            self.reveal()

    def confirmed(self) -> Edit | None:
        """The edit that confirms all boxes that are shown, as one step."""
        track = self.session.track
        there = [tile.annotation for tile in self.tiles() if not tile.annotation.locked]
        if track is None or not there or self.busy or not self.in_sight:
            return None
        kept = tuple(replace(a, source=Source.HUMAN) for a in there if not is_keyframe(a))
        lock = LockAnnotations(track.id, tuple(a.timestamp_ns for a in there))
        edits = (PutAnnotations(track.id, kept), lock) if kept else (lock,)
        return Group(edits, f"Confirm {len(there)} boxes")

    @property
    def busy(self) -> bool:
        """Whether something is being dragged."""
        return self._hold.busy

    def cancel(self) -> None:
        """Lets go of what is being dragged."""
        self._hold.cancel()

    def unseen(self) -> None:
        """Nobody looks any more; what arrives is told to nobody."""
        self.in_sight, self.reveal = False, lambda: None
        self.crops.arrived = self.looks.arrived = lambda: None

    def close(self) -> None:
        """Stops everything in the background."""
        self.crops.close()
        self.looks.close()

    def _listed(self, track: Track) -> list[tuple[int, Annotation]]:
        """The frames in which a track has a box."""
        frames = frames_of(self.session.log, track).tolist()
        pairs = zip(frames, track.annotations.values(), strict=True)
        return [(frame, annotation) for frame, annotation in pairs if frame >= 0]

    def _follow(self, track_id: str, frames: list[int]) -> None:
        """Brings the frame that is shown into sight, once whenever it changes."""
        now = (track_id, self.session.frame)
        if now != self._followed:
            self._followed = now
            at = int(np.searchsorted(frames, self.session.frame))
            if not self._first <= at < self._first + self.count:
                self._first = at - self.count // 3
        self._first = max(min(self._first, len(frames) - self.count), 0)

    def _wheel(self, event: Pointer) -> None:
        if Held.CTRL in event.held:
            self.count = int(np.clip(self.count - round(5 * event.steps), FEWEST, MOST))
        else:
            self._first = max(self._first - round(SCROLLED * event.steps), 0)
        self.changed()

    def _extent_m(self, shown: list[tuple[int, Annotation]]) -> tuple[float, float]:
        """How wide and high what is shown is, with room around it."""
        length_m, width_m, height_m = np.max([a.box.size_lwh_m for _, a in shown], axis=0).tolist()
        across = {Show.TOP: width_m, Show.REAR: width_m}.get(self.show, length_m)
        up = {Show.TOP: length_m}.get(self.show, height_m)
        if self.show is Show.CAMERA:
            return 1.4, 1.0
        return across + ROOM_ACROSS_M, up + (ROOM_UP_M if self.show is Show.TOP else ROOM_ACROSS_M)

    def _grid(self, shown: list[tuple[int, Annotation]]) -> Tiles:
        return Tiles.filling(self.place, self.count, *self._extent_m(shown))

    def _tied(self, shown: list[tuple[int, Annotation]]) -> dict[int, Flat]:
        """How each crop looks at its box: all of one scale."""
        if self.show is Show.CAMERA:
            return {}
        size, (across_m, up_m) = self._grid(shown).size, self._extent_m(shown)
        m_per_px, side = max(across_m / size.width_px, up_m / size.height_px), Side(self.show.value)
        return {
            annotation.timestamp_ns: Flat(side, annotation.box.ego_from_box, m_per_px)
            for _, annotation in shown
        }

    def _want(self, track: Track, listed: list[tuple[int, Annotation]]) -> None:
        """Begins what is shown, then what will be shown after scrolling a little either way."""
        at, count = self._first, self.count
        near = (range(at, at + count), range(at + count, at + count + SCROLLED), range(at - SCROLLED, at))
        rows = [row for part in near for row in part if 0 <= row < len(listed)]
        if self.show is Show.CAMERA:
            self.looks.want({(track.id, listed[row][0]): _look_wish(track, listed, row) for row in rows})
        else:
            boxes = {listed[row][0]: listed[row][1].box for row in rows}
            self.crops.want({(track.id, frame): CropWish(frame, box) for frame, box in boxes.items()})


def _look_wish(track: Track, listed: list[tuple[int, Annotation]], row: int) -> LookWish:
    around = tuple(annotation for _, annotation in listed[max(row - 1, 0) : row + 2])
    return LookWish(listed[row][1].timestamp_ns, track, around)
