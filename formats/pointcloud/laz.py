"""What a LAZ file tells of its packed points, looked at before it is believed.

The unpacker takes memory for as many chunks as a file tells and ends the process where there is none; see
"LASzip: lossless compression of LiDAR data" (Isenburg, 2013) for the layout.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import IO

from formats.errors import FormatError

RECORD = struct.Struct("<H16sHH32s")
PACKING = struct.Struct("<HHBBHIIqqH")
ITEM = struct.Struct("<HHH")
USER, NUMBER = b"laszip encoded", 22204
BY_POINT, CHUNKED, LAYERED = 1, 2, 3
MOST_ITEMS, MOST_IN_CHUNK, ANY_SIZE = 32, 10_000_000, 0xFFFFFFFF

# How many layers each kind of item has; of what a format does not know every byte is one.
LAYERS, OTHER_BYTES = {10: 9, 11: 1, 12: 2, 13: 1}, 14


def refuse_impossible(path: Path, records_at: int, records: int, begin: int, record_bytes: int) -> None:
    """Checks the description of the packing and the table of chunks.

    Args:
        path: of the file.
        records_at: where its records begin.
        records: how many there are.
        begin: where its points begin.
        record_bytes: size of one point, unpacked.

    Raises:
        FormatError: one of them cannot be.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(begin)
        packing = _packing(path, head, records_at, records)
        try:
            compressor, _, _, _, _, _, in_chunk, _, _, count = PACKING.unpack_from(packing)
            items = [ITEM.unpack_from(packing, PACKING.size + k * ITEM.size) for k in range(count)]
        except struct.error:
            raise FormatError(path, "packing", "cut short") from None
        if compressor not in (BY_POINT, CHUNKED, LAYERED) or not 1 <= count <= MOST_ITEMS:
            raise FormatError(path, "packing", f"of kind {compressor} with {count} items cannot be")
        if sum(item[1] for item in items) != record_bytes:
            raise FormatError(path, "packing", f"items that make no point of {record_bytes} bytes")
        if compressor == BY_POINT:
            return
        if not 1 <= in_chunk <= MOST_IN_CHUNK and in_chunk != ANY_SIZE:
            raise FormatError(path, "packing", f"chunks of {in_chunk} points cannot be")
        stream.seek(begin)
        table_at = int.from_bytes(stream.read(8), "little", signed=True)
        if table_at == -1:
            stream.seek(max(size - 8, 0))
            table_at = int.from_bytes(stream.read(8), "little", signed=True)
        if not begin + 8 <= table_at <= size - 8:
            raise FormatError(path, "chunks", f"their table at byte {table_at} of {size}")
        stream.seek(table_at)
        version, chunks = struct.unpack("<II", stream.read(8))
        if version != 0 or chunks > table_at - begin:
            raise FormatError(path, "chunks", f"{chunks} chunks in {table_at - begin} bytes")
        if compressor == LAYERED:
            _refuse_layers(path, stream, begin, table_at, packing, items)


def _refuse_layers(
    path: Path, stream: IO[bytes], begin: int, end: int, packing: bytes, items: list[tuple[int, ...]]
) -> None:
    """Memory is taken for every layer of a chunk as the chunk tells."""
    import lazrs  # type: ignore[import-untyped]

    record_bytes = sum(size for _, size, _ in items)
    layers = sum(size if kind == OTHER_BYTES else LAYERS.get(kind, 0) for kind, size, _ in items)
    stream.seek(begin)
    try:
        chunks = lazrs.read_chunk_table(stream, lazrs.LazVlr(packing))
    except (lazrs.LazrsError, OSError, ValueError, OverflowError) as error:
        raise FormatError(path, "chunks", f"cannot be read: {error}") from None
    at = begin + 8
    for number, (_, chunk_bytes) in enumerate(chunks):
        stream.seek(at + record_bytes + 4)
        told = struct.unpack(f"<{layers}I", stream.read(4 * layers).ljust(4 * layers, b"\0"))
        at += chunk_bytes
        if at > end or sum(told) > chunk_bytes:
            raise FormatError(path, f"chunk {number}", f"{sum(told)} bytes of layers in {chunk_bytes}")


def _packing(path: Path, head: bytes, at: int, records: int) -> bytes:
    for _ in range(records):
        if at + RECORD.size > len(head):
            break
        _, user, number, length, _ = RECORD.unpack_from(head, at)
        at += RECORD.size
        if number == NUMBER and user.rstrip(b"\0") == USER:
            return head[at : at + length]
        at += length
    raise FormatError(path, "records", "packed points, but nothing tells how")
