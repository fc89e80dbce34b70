"""Parts of a file, packed or not, read by any thread; nothing stays open but for a pass of many readings."""

from __future__ import annotations

import bz2
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO

from formats.errors import FormatError

MOST_BYTES = 1 << 28
KEPT_CHUNKS = 3


@contextmanager
def reading(path: Path, where: str = "") -> Iterator[None]:
    """Whatever the libraries beneath raise at damaged bytes becomes one line.

    Raises:
        FormatError: names the file and the place.
    """
    try:
        yield
    except FormatError:
        raise
    except FileNotFoundError:
        raise FormatError(path, "", "no such file") from None
    except Exception as error:
        said = " ".join(str(error).split())[:150]
        raise FormatError(path, where, f"damaged or cut short ({type(error).__name__}: {said})") from None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a file that is packed as one; without compression, a window onto the file.

    Attributes:
        path: of the file.
        offset: of the first packed byte.
        size: bytes that it takes in the file.
        compression: "", "lz4", "zstd" or "bz2".
        unpacked_size: bytes that it is to have; 0 where the file does not say.
        changed_ns: when the file was last changed.
    """

    path: Path
    offset: int
    size: int
    compression: str = ""
    unpacked_size: int = 0
    changed_ns: int = 0

    def cut(self, offset: int, size: int) -> bytes:
        """Bytes out of what is unpacked; the file alone is read where nothing is packed.

        Raises:
            FormatError: it does not reach that far, or cannot be unpacked.
        """
        if size > MOST_BYTES:
            raise FormatError(self.path, f"byte {self.offset}", f"a message of {size >> 20} MiB is refused")
        if self.compression:
            found = unpacked(self)[offset : offset + size]
        else:
            found = b"" if offset + size > self.size else bytes_at(self.path, self.offset + offset, size)
        if len(found) != size:
            raise FormatError(self.path, f"byte {self.offset}", "a message is cut short")
        return found


def bytes_at(path: Path, offset: int, size: int) -> bytes:
    """Bytes of a file, fewer at its end.

    Raises:
        FormatError: it cannot be read.
    """
    with reading(path):
        if (stream := _held.streams.get(path)) is not None:
            stream.seek(offset)
            return stream.read(size)
        with path.open("rb", buffering=0) as raw:
            raw.seek(offset)
            return raw.read(size)


class _Held(threading.local):
    """Files that a pass over many messages keeps open, by thread."""

    def __init__(self) -> None:
        self.streams: dict[Path, IO[bytes]] = {}


_held = _Held()


@contextmanager
def held_open(path: Path) -> Iterator[None]:
    """Keeps a file open for the many small readings of one thread.

    Raises:
        FormatError: it cannot be read.
    """
    if path in _held.streams:
        yield
        return
    with ExitStack() as stack:
        with reading(path):
            stream = stack.enter_context(path.open("rb"))
        _held.streams[path] = stream
        stack.callback(_held.streams.pop, path, None)
        yield


@lru_cache(maxsize=KEPT_CHUNKS)
def unpacked(chunk: Chunk) -> bytes:
    """The bytes of a packed chunk; the last few are remembered.

    Raises:
        FormatError: it cannot be unpacked, or is absurdly large.
    """
    where = f"chunk at byte {chunk.offset}"
    if max(chunk.size, chunk.unpacked_size) > MOST_BYTES:
        raise FormatError(chunk.path, where, f"a chunk of more than {MOST_BYTES >> 20} MiB is refused")
    with reading(chunk.path, where):
        content = unpack(
            bytes_at(chunk.path, chunk.offset, chunk.size), chunk.compression, chunk.unpacked_size
        )
        if chunk.unpacked_size not in (0, len(content)):
            raise ValueError(f"unpacks to {len(content)} bytes, not {chunk.unpacked_size}")
        return content


def unpack(packed: bytes, compression: str, expected: int = 0) -> bytes:
    """Unpacked bytes, never more than `MOST_BYTES`, whatever the packed ones promise.

    Args:
        packed: all of them.
        compression: "lz4", "zstd" or "bz2".
        expected: how many bytes they are to give; 0 where that is not known.

    Raises:
        ValueError: there is no such compression, it unpacks to too much, or ends too early.
    """
    most = min(expected or MOST_BYTES, MOST_BYTES)
    if compression == "zstd":
        import zstandard

        with zstandard.ZstdDecompressor().stream_reader(packed) as stream:
            content = stream.read(most + 1)
    elif compression in ("lz4", "bz2"):
        import lz4.frame  # type: ignore[import-untyped]

        decoder = lz4.frame.LZ4FrameDecompressor() if compression == "lz4" else bz2.BZ2Decompressor()
        content = decoder.decompress(packed, max_length=most + 1)
        if not decoder.eof and len(content) <= most:
            raise ValueError("packed bytes end too early")
    else:
        raise ValueError(f"there is no compression {compression[:40]!r}")
    if len(content) > most:
        raise ValueError(f"unpacks to more than {most} bytes")
    return content
