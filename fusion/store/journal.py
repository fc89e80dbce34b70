"""The append-only table of edits: crash journal, history, audit trail and unit of merge."""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from fusion.errors import StoreError
from fusion.store.changes import Change, from_json, to_json
from fusion.store.rows import Row

Kind = Literal["edit", "undo", "redo"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history.

    Attributes:
        uuid: the same in every copy of the file.
        time_ns: when it was done, since 1970 in UTC.
        author: who did it.
        title: what was done.
        automatic: whether a machine did it.
        kind: an edit, or the undoing or redoing of one.
        undone: whether it is an edit that does not count now.
    """

    uuid: str
    time_ns: int
    author: str
    title: str
    automatic: bool
    kind: Kind
    undone: bool


class Step(NamedTuple):
    """What the journal needs to know of an entry to undo and redo."""

    seq: int
    kind: Kind
    target: int | None


class Journal:
    """What was done to the labels of an open file, and what can be undone and redone of it."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection, self._path = connection, path
        self._last = 0
        self._done: list[int] = []
        self._undone: list[int] = []
        for step in connection.execute("SELECT seq, kind, target FROM journal ORDER BY seq"):
            if not isinstance(step[0], int):
                raise StoreError(f"{path}: its journal is damaged: an entry without a number")
            self.count(Step(*step))

    @property
    def undoable(self) -> int | None:
        """The edit that would be undone next."""
        return self._done[-1] if self._done else None

    @property
    def redoable(self) -> int | None:
        """The edit that would be redone next."""
        return self._undone[-1] if self._undone else None

    def append(self, author: str, title: str, automatic: bool, changes: Iterable[Change]) -> Step:
        """Writes an edit down, inside the transaction that makes it."""
        return self._write(author, "edit", None, automatic, title, to_json(changes))

    def append_step(self, author: str, kind: Literal["undo", "redo"], target: int) -> Step:
        """Writes down that an edit is undone or redone, inside the transaction that does it."""
        return self._write(author, kind, target, False, self.title(target), "[]")

    def count(self, step: Step) -> None:
        """Takes a step into account, once its transaction is on disk."""
        seq, kind, target = step
        self._last = seq
        if kind == "edit":
            self._done.append(seq)
            self._undone.clear()
            return
        there, back = (self._done, self._undone) if kind == "undo" else (self._undone, self._done)
        if not there or there[-1] != target:
            raise ValueError(f"entry {seq} of the journal is out of turn")
        back.append(there.pop())

    def title(self, seq: int) -> str:
        """What an edit is called."""
        (title,) = self._connection.execute("SELECT title FROM journal WHERE seq = ?", (seq,)).fetchone()
        return str(title)

    def changes(self, seq: int) -> list[Change]:
        """What an edit changed."""
        (text,) = self._connection.execute("SELECT changes FROM journal WHERE seq = ?", (seq,)).fetchone()
        return from_json(text)

    def entries(self) -> Iterator[Entry]:
        """Every line up to the last that counts here, oldest first."""
        counts = set(self._done)
        columns = "seq, uuid, time_ns, author, title, automatic, kind"
        query = f"SELECT {columns} FROM journal WHERE seq <= ? ORDER BY seq"
        rows = self._connection.execute(query, (self._last,))
        for seq, id, time_ns, author, title, automatic, kind in rows:
            undone = kind == "edit" and seq not in counts
            yield Entry(id, time_ns, author, title, bool(automatic), kind, undone)

    def last_entries(self) -> dict[tuple[str, Row], Entry]:
        """By table and key of each row that an edit that counts has touched, the last such edit."""
        counts, last = set(self._done), {}
        columns = "seq, uuid, time_ns, author, title, automatic, kind, changes"
        for seq, id, time_ns, author, title, automatic, kind, text in self._connection.execute(
            f"SELECT {columns} FROM journal WHERE kind = 'edit' ORDER BY seq"
        ):
            if seq in counts:
                entry = Entry(id, time_ns, author, title, bool(automatic), kind, undone=False)
                last.update({(table, tuple(key)): entry for table, key, *_ in json.loads(text)})
        return last

    def _write(
        self, author: str, kind: Kind, target: int | None, automatic: bool, title: str, changes: str
    ) -> Step:
        (newest,) = self._connection.execute("SELECT ifnull(max(seq), 0) FROM journal").fetchone()
        if newest != self._last:
            raise StoreError(f"{self._path}: changed by another program since it was opened; open it again")
        seq = self._last + 1
        row = (seq, uuid.uuid4().hex, time.time_ns(), author, kind, target, automatic, title, changes)
        self._connection.execute(f"INSERT INTO journal VALUES ({', '.join('?' * len(row))})", row)
        return Step(seq, kind, target)
