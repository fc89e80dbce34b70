"""What a timeline says of each track: where it is, who made its boxes, which of them are sure."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from calib.types import I64
from fusion.labels import Annotation, Source, Track
from fusion.log import DriveLog

KEPT = 500

Kind = TypeVar("Kind")
Run = tuple[int, int]


@dataclass(frozen=True, eq=False, slots=True)
class Row:
    """One track over the frames of a log.

    Attributes:
        runs: first and last frame of each stretch of boxes of one source.
        keys: the frames in which a person gave or confirmed a box, with it.
        confirmed: first and last frame of each stretch of confirmed boxes.
    """

    runs: tuple[tuple[Run, Source], ...]
    keys: tuple[tuple[int, Annotation], ...]
    confirmed: tuple[Run, ...]

    @classmethod
    def of(cls, log: DriveLog, track: Track) -> Row:
        """Of a track; what lies between the frames of the log is left out."""
        there = list(track.annotations.values())
        frames = frames_of(log, track)
        known = [(frame, a) for frame, a in zip(frames.tolist(), there, strict=True) if frame >= 0]
        keys = tuple((frame, a) for frame, a in known if a.locked or a.source is Source.HUMAN)
        confirmed = tuple(run for run, locked in _runs([(f, a.locked) for f, a in known]) if locked)
        return cls(tuple(_runs([(f, a.source) for f, a in known])), keys, confirmed)


@dataclass(eq=False)
class Rows:
    """The rows of the tracks of a log; those that were looked at last are kept as long as they hold.

    Attributes:
        log: the log.
    """

    log: DriveLog
    _kept: OrderedDict[str, tuple[Track, Row]] = field(default_factory=OrderedDict, repr=False)

    def of(self, track: Track) -> Row:
        """The row of a track."""
        known = self._kept.get(track.id)
        if known is None or known[0] is not track:
            known = self._kept[track.id] = (track, Row.of(self.log, track))
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(track.id)
        return known[1]


def frames_of(log: DriveLog, track: Track) -> I64:
    """(N,) the frame of each box of a track, -1 where there is none at its instant."""
    return log.frames_at(np.fromiter(track.annotations, dtype=np.int64, count=len(track.annotations)))


def nearest_frame(log: DriveLog, track: Track, frame: int) -> int | None:
    """The frame nearest to one in which a track has a box."""
    frames = frames_of(log, track)
    frames = frames[frames >= 0]
    return int(frames[np.argmin(np.abs(frames - frame))]) if len(frames) else None


def _runs(known: list[tuple[int, Kind]]) -> list[tuple[Run, Kind]]:
    """Stretches of frames that follow each other and are of one kind."""
    found: list[tuple[Run, Kind]] = []
    for frame, kind in known:
        if found and found[-1][0][1] == frame - 1 and found[-1][1] == kind:
            found[-1] = ((found[-1][0][0], frame), kind)
        else:
            found.append(((frame, frame), kind))
    return found
