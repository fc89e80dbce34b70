"""One log being labelled: which frame is shown, what is selected, and every edit on its way to the store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Flag, auto

import numpy as np

from fusion.boxes import Box3D
from fusion.edits import (
    Edit,
    Group,
    LockAnnotations,
    PutAnnotations,
    PutTrack,
    RemoveAnnotations,
    RemoveTrack,
)
from fusion.errors import EditError
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.log import DriveLog
from fusion.store import LabelStore
from viewer.tracks.keyframes import between_keyframes, is_keyframe


class Changed(Flag):
    """What is no longer as it was."""

    FRAME = auto()
    SELECTION = auto()
    LABELS = auto()
    PREVIEW = auto()


Listener = Callable[[Changed], None]


@dataclass(eq=False)
class Session:
    """What the person at the desk sees and does; one thread.

    Attributes:
        log: what was measured.
        store: what is claimed; every edit is on disk before it is shown.
        frame: number of the frame that is shown.
        selected: the id of the selected track.
        preview: an edit that is being made; it is shown, and written only once it is done.
    """

    log: DriveLog
    store: LabelStore
    frame: int = 0
    selected: str | None = None
    preview: Edit | None = None
    _listeners: list[Listener] = field(default_factory=list, repr=False)
    _shown: tuple[LabelSet, Edit | None, LabelSet] | None = field(default=None, repr=False)
    _present: tuple[LabelSet, int, list[tuple[Track, Annotation]]] | None = field(default=None, repr=False)

    @property
    def time_ns(self) -> int:
        """The instant of the frame that is shown."""
        return int(self.log.timestamps_ns[self.frame])

    @property
    def labels(self) -> LabelSet:
        """What is shown: what is claimed, with the edit that is being made."""
        stored = self.store.labels
        if self.preview is None:
            return stored
        if self._shown is None or self._shown[0] is not stored or self._shown[1] is not self.preview:
            self._shown = (stored, self.preview, self.preview.apply(stored))
        return self._shown[2]

    @property
    def track(self) -> Track | None:
        """The selected track, as shown."""
        return None if self.selected is None else self.labels.tracks.get(self.selected)

    @property
    def annotation(self) -> Annotation | None:
        """The box of the selected track in the frame that is shown."""
        return None if self.track is None else self.track.annotations.get(self.time_ns)

    def present(self) -> list[tuple[Track, Annotation]]:
        """The boxes of the frame that is shown; the same list as long as nothing changes."""
        labels, time_ns = self.labels, self.time_ns
        if self._present is None or self._present[0] is not labels or self._present[1] != time_ns:
            there = [(t, a) for t in labels.tracks.values() if (a := t.annotations.get(time_ns)) is not None]
            self._present = (labels, time_ns, there)
        return self._present[2]

    def frame_at(self, time_ns: int) -> int | None:
        """The number of the frame at an instant, if there is one."""
        number = int(self.log.frames_at([time_ns])[0])
        return number if number >= 0 else None

    def subscribe(self, listener: Listener) -> None:
        """Calls a listener after every change."""
        self._listeners.append(listener)

    def go_to(self, frame: int) -> None:
        """Shows another frame, the nearest there is."""
        frame = int(np.clip(frame, 0, len(self.log) - 1))
        if frame != self.frame:
            self.frame, self.preview = frame, None
            self._tell(Changed.FRAME | Changed.PREVIEW)

    def select(self, track_id: str | None) -> None:
        """Selects a track, or nothing."""
        if track_id is not None and track_id not in self.store.labels.tracks:
            track_id = None
        if track_id != self.selected:
            self.selected, self.preview = track_id, None
            self._tell(Changed.SELECTION | Changed.PREVIEW)

    def show(self, edit: Edit | None) -> None:
        """Shows an edit that is being made, or stops showing it."""
        if edit is not self.preview:
            self.preview = edit
            self._tell(Changed.PREVIEW)

    def apply(self, edit: Edit) -> None:
        """Makes an edit: it is written, then shown.

        Raises:
            EditError: it does not fit.
            StoreError: it cannot be written; the labels are as before.
        """
        self.preview = None
        self.store.apply(edit)
        self._after_edit()

    def undo(self) -> None:
        """Takes the last edit back, if there is one."""
        self._step(self.store.undo)

    def redo(self) -> None:
        """Makes the last edit that was undone again, if there is one."""
        self._step(self.store.redo)

    def put_box(self, box: Box3D, title: str = "Move the box", time_ns: int | None = None) -> None:
        """Gives the selected track a box in the frame that is shown, or another one: a key frame."""
        if (edit := self.edit_of(box, title, time_ns)) is not None:
            self.apply(edit)

    def edit_of(self, box: Box3D, title: str, time_ns: int | None = None) -> Edit | None:
        """The edit that `put_box` makes: boxes that lie between key frames follow."""
        track = self.store.labels.tracks.get(self.selected or "")
        if track is None:
            return None
        time_ns = self.time_ns if time_ns is None else time_ns
        before = track.annotations.get(time_ns)
        attributes = {} if before is None else before.attributes
        locked = before is not None and before.locked
        mine = Annotation(time_ns, box, Source.HUMAN, None, locked, attributes)
        with_mine = track.with_annotations([mine])
        follow = between_keyframes(self.log, with_mine, time_ns)
        return _titled(title, PutAnnotations(track.id, (mine, *follow)))

    def add_track(self, category: str, box: Box3D) -> str:
        """A new object with a box in the frame that is shown; gives its id and selects it."""
        track_id = self.free_id()
        made = Annotation(self.time_ns, box, Source.HUMAN)
        self.apply(_titled(f"New {category}", PutTrack(Track.of(track_id, category, [made]))))
        self.select(track_id)
        return track_id

    def free_id(self) -> str:
        """The smallest number that no track has for its id, above all numbers that one has."""
        numbers = [int(id) for id in self.store.labels.tracks if id.isdecimal()]
        return str(max(numbers, default=0) + 1)

    def remove_box(self) -> None:
        """Removes the box of the selected track in the frame that is shown."""
        track = self.store.labels.tracks.get(self.selected or "")
        if track is not None and self.time_ns in track.annotations:
            self.apply(RemoveAnnotations(track.id, (self.time_ns,)))

    def remove_track(self) -> None:
        """Removes the selected track altogether."""
        if self.selected is not None and self.selected in self.store.labels.tracks:
            self.apply(RemoveTrack(self.selected))

    def confirm(self) -> None:
        """Locks the box of the selected track in the frame that is shown, so that automation leaves it."""
        track = self.store.labels.tracks.get(self.selected or "")
        annotation = None if track is None else track.annotations.get(self.time_ns)
        if track is None or annotation is None:
            return
        edits: list[Edit] = []
        if not is_keyframe(annotation):
            kept = replace(annotation, source=Source.HUMAN)
            edits.append(PutAnnotations(track.id, (kept,)))
        edits.append(LockAnnotations(track.id, (self.time_ns,), not annotation.locked))
        self.apply(Group(tuple(edits), "Confirm the box" if not annotation.locked else "Open the box again"))

    def next_track(self, step: int = 1) -> None:
        """Selects the next object of the frame, from near to far."""
        there = sorted(self.present(), key=lambda pair: float(np.linalg.norm(pair[1].box.center)))
        ids = [track.id for track, _ in there]
        if ids:
            at = ids.index(self.selected) + step if self.selected in ids else 0 if step > 0 else -1
            self.select(ids[at % len(ids)])

    def _step(self, step: Callable[[], LabelSet]) -> None:
        self.preview = None
        with suppress(EditError):
            step()
        self._after_edit()

    def _after_edit(self) -> None:
        changed = Changed.LABELS | Changed.PREVIEW
        if self.selected is not None and self.selected not in self.store.labels.tracks:
            self.selected, changed = None, changed | Changed.SELECTION
        self._tell(changed)

    def _tell(self, changed: Changed) -> None:
        for listener in tuple(self._listeners):
            listener(changed)


def _titled(title: str, *edits: Edit) -> Edit:
    return Group(tuple(edits), title)
