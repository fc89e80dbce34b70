"""The rest of a track solved again after an edit, in the background."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from autolabel.config import Config
from autolabel.reconstruct.complete import complete
from autolabel.scans import Scans
from autolabel.world import LocalWorld
from fusion.edits import Edit, Group, PutAnnotations, RemoveAnnotations
from fusion.labels import CONFIDENCE, LOOK, Annotation, Attributes, LabelSet, Source, Track
from fusion.log import DriveLog
from viewer.tracks.keyframes import is_keyframe

# Whoever draws one box in a long log wants it followed for a while, not for minutes of work.
LONG, STEP, ROOM_NS = 300, 50, 10_000_000_000


@dataclass(eq=False)
class Refitter:
    """Solves tracks of a log, one at a time; of those that wait, only the last is wanted.

    Attributes:
        log: where the objects were seen.
        config: how they are solved.
        failed: called in the background with what went wrong.
    """

    log: DriveLog
    config: Config = field(default_factory=Config)
    failed: Callable[[BaseException], None] = lambda error: None
    _scans: tuple[range, Scans] | None = field(default=None, repr=False)
    _waiting: Future[None] | None = field(default=None, repr=False)
    _pool: ThreadPoolExecutor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="crosslabel-refit")

    def begin(self, track: Track, done: Callable[[Track, Track], None]) -> None:
        """Solves a track; `done` gets it as it was and as it should be, in a thread of the background."""
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = self._pool.submit(lambda: done(track, self.solved(track)))
        self._waiting.add_done_callback(self._look_after)

    @property
    def busy(self) -> bool:
        """Whether a track is being solved."""
        return self._waiting is not None and not self._waiting.done()

    def solved(self, track: Track) -> Track:
        """The track with all boxes but its key frames made anew.

        Key frames are what a person or a file gave; boxes that automation made count as detections.
        """
        keys = replace(track, annotations={t: a for t, a in track.annotations.items() if is_keyframe(a)})
        if not keys.annotations:
            return track
        found = _detections(track)
        (traced,) = complete(self._scans_around(track), LabelSet.of([keys]), found, self.config)
        labels = LabelSet.of([keys])
        for edit in traced.edits():
            labels = edit.apply(labels)
        return labels.tracks[track.id]

    def _scans_around(self, track: Track) -> Scans:
        """The scans of the log; of a long one those of some time before and after the boxes of a track."""
        frames_ns = self.log.timestamps_ns
        wanted = range(len(frames_ns))
        if len(frames_ns) > LONG:
            times_ns = [min(track.annotations) - ROOM_NS, max(track.annotations) + ROOM_NS]
            first, last = np.searchsorted(frames_ns, times_ns).tolist()
            wanted = range(first // STEP * STEP, min(-(-last // STEP) * STEP, len(frames_ns)))
        if self._scans is None or self._scans[0] != wanted:
            part = replace(self.log, timestamps_ns=frames_ns[wanted.start : wanted.stop])
            self._scans = (wanted, Scans(LocalWorld.of(part)))
        return self._scans[1]

    def _look_after(self, ended: Future[None]) -> None:
        error = None if ended.cancelled() else ended.exception()
        if error is not None:
            self.failed(error)

    def close(self) -> None:
        """Solves no more."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def accepted(track: Track, ghost: Track) -> Edit:
    """The edit that makes a track what was solved; what was confirmed meanwhile stays."""
    put = tuple(
        replace(a, attributes={**_said(track.annotations.get(t)), **a.attributes})
        for t, a in ghost.annotations.items()
        if not is_keyframe(a) and not (t in track.annotations and is_keyframe(track.annotations[t]))
    )
    gone = tuple(t for t, a in track.annotations.items() if t not in ghost.annotations and not is_keyframe(a))
    edits: list[Edit] = []
    if gone:
        edits.append(RemoveAnnotations(track.id, gone))
    if put:
        edits.append(PutAnnotations(track.id, put))
    return Group(tuple(edits), "Solve the track again")


def _said(annotation: Annotation | None) -> Attributes:
    """What people said of a box; what automation said of it goes with the box."""
    attributes = {} if annotation is None else annotation.attributes
    return {name: value for name, value in attributes.items() if name not in (CONFIDENCE, LOOK)}


def _detections(track: Track) -> LabelSet | None:
    """What automation saw of a track, each box on its own, as a detector gives them."""
    seen = [a for a in track.annotations.values() if a.source is Source.AUTO and not a.locked]
    if not seen:
        return None
    return LabelSet.of(Track.of(str(number), track.category, [a]) for number, a in enumerate(seen))
