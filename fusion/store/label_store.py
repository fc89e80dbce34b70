"""The one mutable thing: labels that change edit by edit, on disk and in memory alike."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from sqlite3 import Connection
from types import TracebackType
from typing import Literal

from fusion.edits import Edit, apply_automatic
from fusion.errors import EditError, StoreError
from fusion.labels import Json, LabelSet
from fusion.store.changes import Change, apply_changes, batches, changes_between
from fusion.store.database import (
    build,
    connect,
    disconnect,
    plain_errors,
    read_meta,
    require_ours,
    snapshot,
    sound_content,
    transaction,
    write_changes,
)
from fusion.store.journal import Entry, Journal, Step
from fusion.store.lock import WriterLock
from fusion.store.reading import read_labels
from fusion.store.rows import Row, json_text, plain_text, read_attributes

NO_LABELS = LabelSet()
Listener = Callable[[frozenset[str]], None]


class LabelStore:
    """The labels of one log by one annotator, kept on disk edit by edit.

    What is done has been written, with an fsync, before a method comes back. Used from one thread.
    A context manager.

    Attributes:
        path: the file.
        read_only: whether it was opened for reading only.
        log_name: the log that the labels belong to.
        author: whose file it is; who makes the edits that name nobody else.
    """

    def __init__(self, path: Path, read_only: bool) -> None:
        """Use `open` or `create`."""
        self.path, self.read_only = path, read_only
        self._listeners: list[Listener] = []
        require_ours(path)
        with ExitStack() as opening:
            if not read_only:
                opening.callback(WriterLock(path.resolve()).release)
            with plain_errors(path), sound_content(path):
                self._connection = connect(path, read_only)
                opening.callback(disconnect, self._connection)
                with snapshot(self._connection):
                    meta, self._labels = read_meta(self._connection), read_labels(self._connection)
                    self._journal = Journal(self._connection, path)
                self.log_name, self.author = meta["log_name"], meta["author"]
            self._closing = opening.pop_all()

    @classmethod
    def open(cls, path: Path | str, read_only: bool = False) -> LabelStore:
        """Opens a file of labels; any number may read while one writes.

        A reader keeps the labels as they were when it opened.

        Raises:
            StoreError: no such file, not one of ours, damaged, of a newer version, not writable, or open
                for writing elsewhere.
        """
        return cls(Path(path), read_only)

    @classmethod
    def create(
        cls, path: Path | str, log_name: str, labels: LabelSet = NO_LABELS, author: str = ""
    ) -> LabelStore:
        """Makes a file of labels beside and renames it once it is whole, then opens it.

        Raises:
            StoreError: there is such a file already, or it cannot be written.
            EditError: the labels hold what cannot be kept (a number that is none, attributes that are no
                JSON).
        """
        path = Path(path)
        for taken in (path, path.with_name(f"{path.name}-wal")):
            if taken.exists():
                raise StoreError(f"{taken}: there already")
        meta = {
            "log_name": plain_text(log_name),
            "author": plain_text(author),
            "created_ns": str(time.time_ns()),
        }
        changes = changes_between(NO_LABELS, labels)
        with plain_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _beside(path, lambda beside: build(beside, meta, changes))
        return cls(path, read_only=False)

    @property
    def labels(self) -> LabelSet:
        """What is claimed now."""
        return self._labels

    def apply(self, edit: Edit, author: str | None = None, automatic: bool = False) -> LabelSet:
        """Makes an edit, writes it down, tells the listeners, and gives the labels after it.

        An edit that changes nothing leaves no trace. With `automatic` what is locked stays as it is.

        Raises:
            EditError: the edit does not fit, or holds what cannot be kept.
            StoreError: it cannot be written; the labels are as before.
        """
        after = apply_automatic(self._labels, edit) if automatic else edit.apply(self._labels)
        changes = changes_between(self._labels, after)
        first = next(changes, None)
        if first is not None:
            by, title, touched = self._author(author), plain_text(edit.title), set[str]()
            with self._writing() as connection:
                written = _written(connection, chain([first], changes), touched)
                step = self._journal.append(by, title, automatic, written)
            self._done(step, after, touched)
        return self._labels

    def undo(self, author: str | None = None) -> LabelSet:
        """Takes the last edit that counts back; works without limit and after reopening.

        Raises:
            EditError: there is nothing to undo.
        """
        return self._step("undo", self._journal.undoable, author)

    def redo(self, author: str | None = None) -> LabelSet:
        """Makes the last edit that was undone again; an edit in between discards what could be redone.

        Raises:
            EditError: there is nothing to redo.
        """
        return self._step("redo", self._journal.redoable, author)

    @property
    def undo_title(self) -> str | None:
        """What `undo` would take back, if anything."""
        seq = self._journal.undoable
        return None if seq is None else self._journal.title(seq)

    @property
    def redo_title(self) -> str | None:
        """What `redo` would make again, if anything."""
        seq = self._journal.redoable
        return None if seq is None else self._journal.title(seq)

    def history(self) -> list[Entry]:
        """Every edit that was ever made, oldest first, with whether it counts now."""
        return [entry for entry in self.journal() if entry.kind == "edit"]

    def journal(self) -> list[Entry]:
        """Everything that was ever done, undoing and redoing too, oldest first."""
        with plain_errors(self.path):
            return list(self._journal.entries())

    def last_edits(self) -> dict[tuple[str, Row], Entry]:
        """The last edit of each row, by its table (`annotation`, `track`, ...) and key: who made it so.

        What is as it was when the file was made is not among them; what was removed since is.
        """
        with plain_errors(self.path), sound_content(self.path):
            return self._journal.last_entries()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Calls a listener after every change with the ids of the touched tracks; gives its end."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    @property
    def model_run(self) -> Mapping[str, Json] | None:
        """What was recorded last of the automation that worked on these labels."""
        with plain_errors(self.path), sound_content(self.path):
            row = self._connection.execute("SELECT run FROM model_run ORDER BY seq DESC LIMIT 1").fetchone()
            return read_attributes(row[0]) if row else None

    def record_model_run(self, run: Mapping[str, Json]) -> None:
        """Notes versions, weights and configuration of an automation; earlier notes stay in the file."""
        row = (time.time_ns(), json_text(dict(run)))
        with self._writing() as connection:
            connection.execute("INSERT INTO model_run (time_ns, run) VALUES (?, ?)", row)

    def save_copy(self, path: Path | str) -> None:
        """Writes a compact copy with the whole history beside and renames it; this store stays where it is.

        Raises:
            StoreError: there is such a file already, or it cannot be written.
        """
        target = Path(path)
        if target.exists():
            raise StoreError(f"{target}: there already")
        with plain_errors(target):
            _beside(target, lambda beside: self._connection.execute("VACUUM INTO ?", (str(beside),)))

    def close(self) -> None:
        """Leaves one plain file behind; once is enough, twice does no harm."""
        self._closing.close()

    def __enter__(self) -> LabelStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _author(self, name: str | None) -> str:
        return self.author if name is None else plain_text(name)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        if self.read_only:
            raise StoreError(f"{self.path}: open for reading only")
        with plain_errors(self.path), transaction(self._connection):
            yield self._connection

    def _step(self, kind: Literal["undo", "redo"], seq: int | None, author: str | None) -> LabelSet:
        if seq is None:
            raise EditError(f"there is nothing to {kind}")
        by = self._author(author)
        with plain_errors(self.path), sound_content(self.path):
            changes = self._journal.changes(seq)
            if kind == "undo":
                changes = [change.undone() for change in changes]
            after = apply_changes(self._labels, changes)
        with self._writing() as connection:
            write_changes(connection, changes)
            step = self._journal.append_step(by, kind, seq)
        self._done(step, after, _touched(changes))
        return self._labels

    def _done(self, step: Step, after: LabelSet, touched: Iterable[str]) -> None:
        """Takes what is on disk now as the labels, and tells the listeners."""
        self._journal.count(step)
        self._labels, ids = after, frozenset(touched)
        for listener in tuple(self._listeners):
            listener(ids)


def _written(connection: Connection, changes: Iterable[Change], touched: set[str]) -> Iterator[Change]:
    """Writes changes some at a time, so that the rows of a whole drive are never held, and hands each on."""
    for some in batches(changes):
        write_changes(connection, some)
        touched |= _touched(some)
        yield from some


def _touched(changes: Iterable[Change]) -> set[str]:
    ids: set[str] = set()
    for table, key, before, after in changes:
        if table.name == "review":
            ids.update(row[3] for row in (before, after) if row is not None and row[3] is not None)
        elif table.name != "attribute":
            ids.add(key[0])
    return ids


def _beside(path: Path, write: Callable[[Path], object]) -> None:
    """Lets a file be written under another name, makes sure that it is on the disk, and renames it."""
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        write(beside)
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
