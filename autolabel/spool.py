"""Arrays put away until they are wanted again: in memory while they are few, else in a file."""

from __future__ import annotations

import tempfile
import weakref
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False, slots=True)
class PutAway:
    """Arrays that a spool holds.

    Attributes:
        arrays: themselves; none of them where they lie in the file.
        start: where they lie in the file, one after the other.
        kinds: type and length of each.
    """

    arrays: tuple[Array, ...]
    start: int
    kinds: tuple[tuple[np.dtype[Any], int], ...]


@dataclass(eq=False, slots=True, weakref_slot=True)
class Spool:
    """Flat arrays of things that are alike and whose number is known.

    Attributes:
        count: how many things there will be.
        room_bytes: they stay in memory where all of them fit in there, if the others are as large.
    """

    count: int
    room_bytes: int
    _held_bytes: int = field(init=False, repr=False, default=0)
    _opened: IO[bytes] | None = field(init=False, repr=False, default=None)

    def put(self, *arrays: Array) -> PutAway:
        """Keeps those of one thing, which are not to be changed from then on."""
        size = sum(array.nbytes for array in arrays)
        kinds = tuple((array.dtype, len(array)) for array in arrays)
        if max(size * self.count, self._held_bytes + size) <= self.room_bytes:
            self._held_bytes += size
            for array in arrays:
                array.flags.writeable = False
            return PutAway(arrays, 0, kinds)
        file = self._file()
        start = file.seek(0, 2)
        for array in arrays:
            file.write(array.data)
        return PutAway((), start, kinds)

    def get(self, away: PutAway, count: int | None = None) -> tuple[Array, ...]:
        """The first so many of the arrays of one thing, all unless told, read-only."""
        if away.arrays:
            return away.arrays[:count]
        file = self._file()
        file.seek(away.start)
        return tuple(
            np.frombuffer(file.read(length * dtype.itemsize), dtype) for dtype, length in away.kinds[:count]
        )

    def _file(self) -> IO[bytes]:
        if self._opened is None:
            self._opened = tempfile.TemporaryFile(prefix="crosslabel-")  # noqa: SIM115
            weakref.finalize(self, self._opened.close)
        return self._opened
