"""One window of `crosslabel view`, and the windows of a queue of logs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fusion.labels import LabelSet
    from fusion.log import DriveLog
    from fusion.store import LabelStore
    from viewer.actions import Action
    from viewer.qt.window import After
    from viewer.queue import Queue


@dataclass(frozen=True, slots=True)
class Wanted:
    """How logs are worked on, whichever they are.

    Attributes:
        actions: what can be done, under its keys.
        out: folder for the work that begins anew.
        schema: classes and attributes.
        author: who works.
        rig: calibration in place of the logs' own.
    """

    actions: tuple[Action, ...]
    out: Path
    schema: Path | None
    author: str
    rig: Path | None = None


def work_through(queue: Queue, wanted: Wanted) -> None:
    """Shows the logs of a queue until there is none left, or that is enough for today."""
    from calib.errors import CrosslabelError
    from scripts.console import note
    from scripts.logs import open_log
    from viewer.qt.window import After

    while (queued := queue.next()) is not None:
        try:
            drive = open_log(queued.path, queued.format, queued.name, wanted.rig)
            after = _show(drive, queued.path, wanted, queued.labels, 0, queue.place(queued))
        except CrosslabelError as error:  # such as a colleague who has it open
            note(f"{queued.name}: left for later: {error}")
            after = After.LATER
        if after is After.NEXT:
            queue.finish(queued, wanted.author)
        elif after is After.LATER:
            queue.leave(queued)
        else:
            break
    left = len(queue.logs) - len(queue.done())
    note(f"{queue.path}: {left} of {len(queue.logs)} logs left" if left > 0 else f"{queue.path}: all done")


def another_wanted(
    drive: DriveLog, path: Path, wanted: Wanted, labels: Path | None = None, frame: int = 0
) -> bool:
    """Shows a log until its window is closed; whether another one is wanted then."""
    from viewer.qt.window import After

    return _show(drive, path, wanted, labels, frame) is After.ANOTHER


def _show(
    drive: DriveLog, path: Path, wanted: Wanted, labels: Path | None, frame: int, queued: str = ""
) -> After:
    """Shows a log until its window is closed; what is wanted then."""
    from scripts.console import note
    from viewer.open import desk_of
    from viewer.opened import SIMULATED, Opened
    from viewer.qt.app import application, open_window
    from viewer.qt.settings import note_opened

    application()
    with _store(drive, path, labels, wanted) as store:
        note(f"{drive.name}: labels in {store.path}")
        desk = desk_of(drive, store, wanted.schema, frame)
        if path != SIMULATED:
            note_opened(Opened(path.resolve(), drive.name))
        return open_window(desk, wanted.actions, queued)


def _store(drive: DriveLog, path: Path, labels: Path | None, wanted: Wanted) -> LabelStore:
    """The file of labels to work on: the given one, the one begun earlier, or a new one."""
    from fusion.store import LabelStore
    from scripts.logs import labels_of
    from viewer.open import own_file

    if labels is not None:
        for made in (labels, labels / drive.name / "labels.db"):
            if made.suffix == ".db" and made.is_file():
                return LabelStore.open(made)
    target = own_file(wanted.out, drive.name, wanted.author)
    if target.exists():
        return LabelStore.open(target)
    begun = _own_labels(drive, path) if labels is None else labels_of(labels, drive)
    return LabelStore.create(target, drive.name, begun, wanted.author)


def _own_labels(drive: DriveLog, path: Path) -> LabelSet:
    """The labels that come with a log; none where its format holds none."""
    from formats.registry import find_format
    from fusion.labels import LabelSet
    from viewer.opened import SIMULATED, simulated_drive

    if path == SIMULATED:
        return simulated_drive()[1]
    source = find_format(path)
    return LabelSet() if source.read_labels is None else source.read_labels(path, drive)
