"""The SQLite file under a store: its tables, opening it safely, writing rows."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from calib.errors import CrosslabelError
from fusion.errors import StoreError
from fusion.store.changes import Change, batches
from fusion.store.rows import TABLES, Table

APPLICATION_ID = int.from_bytes(b"CrLb", "big")
SCHEMA_VERSION = 1
# From each older version to the next.
MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {}
MAGIC = b"SQLite format 3\x00"

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE track (id TEXT PRIMARY KEY NOT NULL, category TEXT NOT NULL, attributes TEXT NOT NULL);
CREATE TABLE annotation (
    track_id TEXT NOT NULL REFERENCES track(id) DEFERRABLE INITIALLY DEFERRED,
    timestamp_ns INTEGER NOT NULL, box BLOB NOT NULL, source TEXT NOT NULL, score REAL,
    locked INTEGER NOT NULL, attributes TEXT NOT NULL,
    PRIMARY KEY (track_id, timestamp_ns)) WITHOUT ROWID;
CREATE TABLE image_box (
    track_id TEXT NOT NULL REFERENCES track(id) DEFERRABLE INITIALLY DEFERRED,
    camera TEXT NOT NULL, timestamp_ns INTEGER NOT NULL, left_px REAL NOT NULL, top_px REAL NOT NULL,
    right_px REAL NOT NULL, bottom_px REAL NOT NULL, source TEXT NOT NULL, score REAL,
    attributes TEXT NOT NULL, PRIMARY KEY (track_id, camera, timestamp_ns)) WITHOUT ROWID;
CREATE TABLE review (id TEXT PRIMARY KEY NOT NULL, text TEXT NOT NULL, author TEXT NOT NULL,
    state TEXT NOT NULL, track_id TEXT, timestamp_ns INTEGER);
CREATE TABLE attribute (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL);
CREATE TABLE model_run (seq INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, run TEXT NOT NULL);
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, time_ns INTEGER NOT NULL, author TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('edit', 'undo', 'redo')), target INTEGER REFERENCES journal(seq),
    automatic INTEGER NOT NULL, title TEXT NOT NULL, changes TEXT NOT NULL);
CREATE TRIGGER journal_keeps BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER journal_stays BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'append-only'); END;
"""


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Says in one line of StoreError what SQLite or the file system objects to."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{path}: {error}") from error
    except UnicodeDecodeError as error:  # SQLite quotes a damaged schema in its message
        raise StoreError(f"{path}: database disk image is malformed") from error


@contextmanager
def sound_content(path: Path) -> Iterator[None]:
    """Says in one line of StoreError what rows hold that no store has written."""
    try:
        yield
    except StoreError:
        raise
    except (CrosslabelError, ValueError, TypeError, KeyError) as error:
        raise StoreError(f"{path}: holds labels that cannot be: {error}") from error


def is_ours(path: Path) -> bool:
    """Whether a file says of itself that it is one of ours; never raises."""
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except (OSError, ValueError):
        return False
    return head[:16] == MAGIC and int.from_bytes(head[68:72], "big") == APPLICATION_ID


def require_ours(path: Path) -> None:
    """StoreError unless there is such a file and it is one of ours."""
    if not path.is_file():
        raise StoreError(f"{path}: no such file")
    if not is_ours(path):
        raise StoreError(f"{path}: not a file of labels")


def connect(path: Path, read_only: bool) -> sqlite3.Connection:
    """Opens a file of ours in the schema of today.

    For writing it is in WAL mode with an fsync a commit: what is committed outlives the process and
    the power.

    Raises:
        StoreError: it is of a newer version.
    """
    mode = "ro" if read_only else "rw"
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None)
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        _bring_up_to_date(connection, path, read_only)
        if not read_only:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def disconnect(connection: sqlite3.Connection) -> None:
    """Leaves one plain file behind, unless a reader elsewhere keeps it in WAL mode, which is as safe."""
    with suppress(sqlite3.Error, UnicodeDecodeError):
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()


def _bring_up_to_date(connection: sqlite3.Connection, path: Path, read_only: bool) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise StoreError(f"{path}: made by a newer version of Crosslabel (schema {version})")
    if version < SCHEMA_VERSION and read_only:
        raise StoreError(f"{path}: made by an older version of Crosslabel; open it once for writing")
    for old in range(version, SCHEMA_VERSION):
        if old not in MIGRATIONS:
            raise StoreError(f"{path}: of a version that never was (schema {old})")
        with transaction(connection):
            MIGRATIONS[old](connection)
            connection.execute(f"PRAGMA user_version = {old + 1}")


def build(path: Path, meta: dict[str, str], changes: Iterator[Change]) -> None:
    """Makes a new file in one go: fast, and worth nothing until it is whole."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.executescript(SCHEMA)
        with transaction(connection):
            connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
            for some in batches(changes):
                write_changes(connection, some)
    finally:
        connection.close()


def read_log_name(path: Path) -> str:
    """The log that a file of labels belongs to, without reading the labels.

    Raises:
        StoreError: it cannot be read.
    """
    require_ours(path)
    with plain_errors(path), sound_content(path), closing(connect(path, read_only=True)) as connection:
        return read_meta(connection)["log_name"]


def read_meta(connection: sqlite3.Connection) -> dict[str, str]:
    """What a file says of itself."""
    return dict(connection.execute("SELECT key, value FROM meta"))


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Reads inside see one state, whatever is written elsewhere meanwhile."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of what is written inside, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def write_changes(connection: sqlite3.Connection, changes: Iterable[Change]) -> None:
    """Brings the tables to the `after` of every change."""
    put: defaultdict[str, list[tuple[object, ...]]] = defaultdict(list)
    gone: defaultdict[str, list[tuple[object, ...]]] = defaultdict(list)
    for change in changes:
        if change.after is None:
            gone[change.table.name].append(change.key)
        else:
            put[change.table.name].append(change.key + change.after)
    for name, rows in put.items():
        connection.executemany(_upsert(TABLES[name]), rows)
    for name, rows in gone.items():
        where = " AND ".join(f"{key} = ?" for key in TABLES[name].keys)
        connection.executemany(f"DELETE FROM {name} WHERE {where}", rows)


def _upsert(table: Table) -> str:
    marks = ", ".join("?" * len(table.columns))
    sets = ", ".join(f"{column} = excluded.{column}" for column in table.values)
    return (
        f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({marks}) "
        f"ON CONFLICT ({', '.join(table.keys)}) DO UPDATE SET {sets}"
    )
