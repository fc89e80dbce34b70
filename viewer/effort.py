"""What labelling costs: actions and active seconds, box by box, noted in a file beside the labels.

An action is a drag, a click or a key. Seconds count as long as no pause is longer than a few seconds. Each
line of the file is one action, on disk as soon as it is done; a line that a crash cut off is left out.
"""

from __future__ import annotations

import csv
import io
import json
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, astuple, dataclass, field, fields
from pathlib import Path

from formats.files import write_text
from viewer.session import Session

PAUSE_S = 5.0
MOUSE = "mouse"


@dataclass(frozen=True, slots=True)
class Noted:
    """One action, or time that was spent on a box before an action on another one.

    Attributes:
        at_s: when, in seconds since 1970.
        action: id of the action, or "mouse"; empty where only time was spent.
        track: of which object; empty where none was selected.
        category: its class.
        frame_ns: in which frame.
        seconds: active time since the action before.
    """

    at_s: float
    action: str
    track: str
    category: str
    frame_ns: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Spent:
    """What one box cost, or one object in all its frames.

    Attributes:
        track: id of the object; empty for what was done while none was selected.
        category: its class, as it was last.
        frame_ns: the frame; None for the object in all of them.
        actions: drags, clicks and keys.
        seconds: active time.
    """

    track: str
    category: str
    frame_ns: int | None
    actions: int
    seconds: float


@dataclass(eq=False)
class EffortMeter:
    """Notes what a person does at a desk.

    What is done is done to the object that is selected afterwards, or was before where none is any more. Time
    goes to the object that was selected while it passed.

    Attributes:
        session: which says what is selected.
        path: of the file; nothing is written without one.
        now_s: a clock that never goes back.
        actions: how many there were since the desk was opened.
    """

    session: Session
    path: Path | None = None
    now_s: Callable[[], float] = time.monotonic
    actions: int = 0
    _fresh: bool = field(default=True, repr=False)
    _last_s: float | None = field(default=None, repr=False)
    _seconds: float = field(default=0.0, repr=False)
    _before: tuple[str, str, int] = field(default=("", "", 0), repr=False)

    def noticed(self) -> None:
        """The person did something, however small: to be called before it has any effect."""
        now_s = self.now_s()
        if self._last_s is not None and now_s - self._last_s <= PAUSE_S:
            self._seconds += now_s - self._last_s
        self._last_s, self._before = now_s, self._selected()

    def did(self, action: str) -> None:
        """And it was an action: to be called after it had its effect."""
        self.actions += 1
        seconds, self._seconds = self._seconds, 0.0
        before, after = self._before, self._selected()
        if after[0] and before[0] and after[0] != before[0]:
            self._write("", before, seconds)
            seconds = 0.0
        self._write(action, after if after[0] else before, seconds)

    def _selected(self) -> tuple[str, str, int]:
        track = self.session.track
        return (track.id, track.category, self.session.time_ns) if track else ("", "", self.session.time_ns)

    def _write(self, action: str, what: tuple[str, str, int], seconds: float) -> None:
        if self.path is None:
            return
        one = Noted(round(time.time(), 3), action, *what, round(seconds, 3))
        try:
            with self.path.open("a", encoding="utf-8") as file:
                # After a crash the last line of another day may have no end.
                file.write("\n" * (self._fresh and file.tell() > 0) + json.dumps(asdict(one)) + "\n")
        except OSError:  # labelling goes on, whatever becomes of the meter
            self.path = None
        self._fresh = False


def effort_file(labels: Path) -> Path:
    """Where the effort that went into a file of labels is noted."""
    return labels.with_name(labels.name + ".effort.jsonl")


def read_effort(path: Path) -> list[Noted]:
    """All that was noted; lines that are cut off or mean nothing are left out.

    Raises:
        OSError: there is no such file.
    """
    found: list[Noted] = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
            one = Noted(
                float(row["at_s"]), str(row["action"]), str(row["track"]), str(row["category"]),
                int(row["frame_ns"]), float(row["seconds"]),
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, OverflowError):
            continue
        if math.isfinite(one.at_s) and 0 <= one.seconds < math.inf:
            found.append(one)
    return found


def by_box(noted: Iterable[Noted]) -> list[Spent]:
    """What each box cost, in order of objects and frames."""
    return _summed(noted, lambda one: (one.track, one.frame_ns))


def by_track(noted: Iterable[Noted]) -> list[Spent]:
    """What each object cost."""
    return _summed(noted, lambda one: (one.track, None))


def write_csv(path: Path, spent: Sequence[Spent]) -> None:
    """One line each."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(column.name for column in fields(Spent))
    rows.writerows(astuple(one) for one in spent)
    write_text(path, text.getvalue())


def _summed(noted: Iterable[Noted], key: Callable[[Noted], tuple[str, int | None]]) -> list[Spent]:
    groups: dict[tuple[str, int | None], list[Noted]] = {}
    for one in noted:
        groups.setdefault(key(one), []).append(one)
    found: list[Spent] = []
    for (track, frame_ns), own in sorted(groups.items(), key=lambda group: _order(group[0])):
        actions, seconds = sum(bool(one.action) for one in own), sum(one.seconds for one in own)
        found.append(Spent(track, own[-1].category, frame_ns, actions, round(seconds, 3)))
    return found


def _order(key: tuple[str, int | None]) -> tuple[bool, int, str, int]:
    track, frame_ns = key
    return not track.isdecimal(), int(track) if track.isdecimal() else 0, track, frame_ns or 0
