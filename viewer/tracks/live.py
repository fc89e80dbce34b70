"""Solving the selected track again by itself, once its key frames have changed and nothing more happens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from fusion.boxes import Box3D
from fusion.labels import Annotation, Source, Track
from viewer.tracks.keyframes import is_keyframe

QUIET_S = 0.6
NOTICED_M, NOTICED_SIZE_M, NOTICED_RAD = 0.15, 0.15, np.radians(3.0)


@dataclass(eq=False)
class Live:
    """Says when a track is to be solved again.

    Attributes:
        due: called with the track once it is; in the thread of the window.
        later: runs something in that thread; called from any thread.
        on: whether anything is solved by itself.
        quiet_s: for how long nothing has to happen before.
    """

    due: Callable[[Track], None]
    later: Callable[[Callable[[], None]], None]
    on: bool = True
    quiet_s: float = QUIET_S
    _known: tuple[str, tuple[Annotation, ...]] | None = field(default=None, repr=False)
    _timer: threading.Timer | None = field(default=None, repr=False)

    def noticed(self, track: Track | None) -> None:
        """The selected track is, or was edited to be, this one."""
        before, now = self._known, None if track is None else (track.id, _keys(track))
        self._known = now
        if now is None or before is None or before[0] != now[0]:
            self.stop()
        elif track is not None and _differ(before[1], now[1]):
            self.stop()
            if self.on and has_automatic(track):
                self._timer = threading.Timer(self.quiet_s, lambda: self.later(lambda: self._ring(track)))
                self._timer.daemon = True
                self._timer.start()

    def stop(self) -> None:
        """What was to be solved is not."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self, track: Track) -> None:
        if self._timer is not None:
            self._timer = None
            self.due(track)


def has_automatic(track: Track) -> bool:
    """Whether automation made boxes of a track that nobody has confirmed."""
    return any(a.source is Source.AUTO and not a.locked for a in track.annotations.values())


def differs(track: Track, ghost: Track, time_ns: int) -> bool:
    """Whether one sees that a track would be another at an instant."""
    now, then = track.annotations.get(time_ns), ghost.annotations.get(time_ns)
    if now is None or then is None:
        return now is not then
    return not is_keyframe(now) and _far(now.box, then.box)


def differs_anywhere(track: Track, ghost: Track) -> bool:
    """Whether one sees anywhere that a track would be another."""
    return any(differs(track, ghost, t) for t in {*track.annotations, *ghost.annotations})


def _far(one: Box3D, other: Box3D) -> bool:
    turn_rad = abs((one.yaw_rad - other.yaw_rad + np.pi) % (2 * np.pi) - np.pi)
    moved_m = float(np.linalg.norm(one.center - other.center))
    grown_m = float(np.abs(one.size_lwh_m - other.size_lwh_m).max())
    return moved_m > NOTICED_M or grown_m > NOTICED_SIZE_M or bool(turn_rad > NOTICED_RAD)


def _keys(track: Track) -> tuple[Annotation, ...]:
    return tuple(a for a in track.annotations.values() if is_keyframe(a))


def _differ(one: tuple[Annotation, ...], other: tuple[Annotation, ...]) -> bool:
    """Whether key frames came, went, or were moved; what is said of them does not matter."""
    if len(one) != len(other):
        return True
    return any(
        a.timestamp_ns != b.timestamp_ns or a.box is not b.box for a, b in zip(one, other, strict=True)
    )
