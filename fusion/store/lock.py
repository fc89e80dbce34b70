"""One writer at a time."""

import sqlite3
from contextlib import suppress
from pathlib import Path

from fusion.errors import StoreError


class WriterLock:
    """Held while a store is open for writing; the system releases it when the process dies.

    It is SQLite's own lock on an empty file beside the labels, which works alike on every system and
    leaves the labels themselves free for readers.

    Raises:
        StoreError: another program holds it, or the folder cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(f"{path.name}-lock")
        try:
            self._connection = sqlite3.connect(self.path, timeout=0, isolation_level=None)
        except sqlite3.Error as error:
            raise StoreError(f"{path}: cannot be opened for writing: {error}") from error
        try:
            self._connection.execute("PRAGMA journal_mode = MEMORY")  # no file of its own
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            self._connection.close()
            busy = "locked" in str(error)
            reason = "it is open for writing elsewhere" if busy else f"cannot be opened for writing: {error}"
            raise StoreError(f"{path}: {reason}") from error

    def release(self) -> None:
        """Lets the next writer in."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
        self._connection.close()
