"""Where a message lies in a file, and reading it from there.

Nothing is kept open: a place can be read by any thread and sent to another process.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from formats.errors import FormatError
from formats.recording.chunks import MOST_BYTES, Chunk, held_open, reading, unpack

MCAP_MESSAGE, IDS_AND_TIMES = 5, 2 + 4 + 8 + 8


class Place(Protocol):
    """Where a message lies."""

    @property
    def path(self) -> Path:
        """Its file."""
        ...

    @property
    def order(self) -> int:
        """Rises along the file, so that places in this order are read without going back."""
        ...

    def read(self, most: int = MOST_BYTES) -> bytes:
        """The message, or its first bytes where it is longer than `most`.

        Raises:
            FormatError: it is not there, damaged, or absurdly large.
        """
        ...


@dataclass(frozen=True, slots=True)
class _InChunk:
    """An offset in a chunk."""

    chunk: Chunk
    offset: int

    @property
    def path(self) -> Path:
        """Its file."""
        return self.chunk.path

    @property
    def order(self) -> int:
        """Rises along the file."""
        return self.chunk.offset + (0 if self.chunk.compression else self.offset)


@dataclass(frozen=True, slots=True)
class McapPlace(_InChunk):
    """A message record of an MCAP file."""

    def read(self, most: int = MOST_BYTES) -> bytes:
        """The message, or its first bytes."""
        kind, size = struct.unpack("<BQ", self.chunk.cut(self.offset, 9))
        if kind != MCAP_MESSAGE or size < IDS_AND_TIMES:
            raise FormatError(self.path, f"byte {self.order}", "its index points at no message")
        if size - IDS_AND_TIMES > MOST_BYTES:
            raise FormatError(self.path, f"byte {self.order}", f"a message of {size >> 20} MiB is refused")
        return self.chunk.cut(self.offset + 9 + IDS_AND_TIMES, min(size - IDS_AND_TIMES, most))


@dataclass(frozen=True, slots=True)
class BagPlace(_InChunk):
    """A message record of a ROS 1 bag; records of connections may precede it."""

    def read(self, most: int = MOST_BYTES) -> bytes:
        """The message, or its first bytes."""
        at = self.offset
        for _ in range(1 << 16):
            head_size = int.from_bytes(self.chunk.cut(at, 4), "little")
            head = self.chunk.cut(at + 4, min(head_size, 1 << 16))
            size = int.from_bytes(self.chunk.cut(at + 4 + head_size, 4), "little")
            at += 8 + head_size
            if b"op=\x02" in head:
                if size > MOST_BYTES:
                    raise FormatError(self.path, f"byte {self.order}", f"a message of {size >> 20} MiB")
                return self.chunk.cut(at, min(size, most))
            at += size
        raise FormatError(self.path, f"byte {self.order}", "its index points at no message")


@dataclass(frozen=True, slots=True)
class RowPlace:
    """A row of a rosbag2 database."""

    path: Path
    row: int
    compression: str = ""

    @property
    def order(self) -> int:
        """Rises along the file."""
        return self.row

    def read(self, most: int = MOST_BYTES) -> bytes:
        """The message, or its first bytes."""
        with reading(self.path, f"message {self.row}"), closing(opened(self.path)) as database:
            return self.read_from(database, most)

    def read_from(self, database: sqlite3.Connection, most: int = MOST_BYTES) -> bytes:
        """The same from a database that is open."""
        with reading(self.path, f"message {self.row}"):
            with database.blobopen("messages", "data", self.row, readonly=True) as blob:
                if len(blob) > MOST_BYTES:
                    raise FormatError(self.path, f"message {self.row}", f"{len(blob) >> 20} MiB are refused")
                content = blob.read(MOST_BYTES if self.compression else most)
            return unpack(content, self.compression)[:most] if self.compression else content


def opened(path: Path) -> sqlite3.Connection:
    """A database that nothing is written to; what a damaged schema could run is not trusted."""
    name = quote(str(path.resolve()))
    database = sqlite3.connect(f"file:{name}?mode=ro", uri=True)
    try:
        database.execute("PRAGMA trusted_schema=OFF")
        database.execute("PRAGMA schema_version")
    except sqlite3.OperationalError:
        # Beside a journal of a recorder that died, in a folder where nobody may write.
        database.close()
        database = sqlite3.connect(f"file:{name}?immutable=1", uri=True)
    return database


def read_in_order(wanted: list[tuple[Place, int]]) -> Iterator[tuple[int, bytes | FormatError]]:
    """Many messages, or their first bytes, in the order of the files: each chunk is unpacked once.

    What cannot be read comes as the error that tells why.

    Args:
        wanted: places, and the most bytes that are wanted of each.

    Yields:
        Number in `wanted`, and the bytes.
    """
    by_path: dict[Path, list[int]] = {}
    for k in sorted(range(len(wanted)), key=lambda k: wanted[k][0].order):
        by_path.setdefault(wanted[k][0].path, []).append(k)
    for path, numbers in by_path.items():
        with ExitStack() as stack:
            database: sqlite3.Connection | None = None
            if isinstance(wanted[numbers[0]][0], RowPlace):
                with reading(path):
                    database = stack.enter_context(closing(opened(path)))
            else:
                stack.enter_context(held_open(path))
            for k in numbers:
                place, most = wanted[k]
                try:
                    if database is not None and isinstance(place, RowPlace):
                        yield k, place.read_from(database, most)
                    else:
                        yield k, place.read(most)
                except FormatError as error:
                    yield k, error
