"""ROS 1 bags (version 2.0) by their index."""

from __future__ import annotations

from pathlib import Path

from formats.errors import FormatError
from formats.recording.channels import MOST_MESSAGES, Coding, Contents, Topic, Wanted
from formats.recording.chunks import Chunk, reading
from formats.recording.places import BagPlace

HINT = "cut short before its index was written; `rosbag reindex` makes it readable"


def contents(path: Path, wanted: Wanted) -> Contents:
    """Topics of a bag, and where messages of the wanted types lie.

    Raises:
        FormatError: it is no bag, damaged, or has no index.
    """
    from rosbags.rosbag1 import Reader

    reader = Reader(path)
    with reading(path):
        try:
            reader.open()
        except Exception as error:
            if "index" in str(error) and ("not indexed" in str(error) or "damaged" in str(error)):
                raise FormatError(path, "", HINT) from None
            raise
        try:
            return _indexed(path, reader, wanted)
        finally:
            reader.close()


def _indexed(path: Path, reader: object, wanted: Wanted) -> Contents:
    from rosbags.rosbag1 import Reader

    assert isinstance(reader, Reader)
    found = Contents(path, "ROS 1 bag", start_ns=0, end_ns=0)
    changed_ns = path.stat().st_mtime_ns
    if sum(map(len, reader.indexes.values())) > MOST_MESSAGES:
        raise FormatError(path, "", f"more than {MOST_MESSAGES} messages")
    chunks = {
        at: Chunk(path, chunk.datapos, chunk.datasize, _packing(chunk.decompressor), 0, changed_ns)
        for at, chunk in reader.chunks.items()
    }
    for connection in reader.connections:
        topic: Topic | None = found.topic(connection.topic, Coding(connection.msgtype, "ros1"))
        if topic is None:
            continue
        entries = reader.indexes[connection.id]
        topic.count += len(entries)
        if wanted(connection.msgtype):
            topic.messages += [(e.time, BagPlace(chunks[e.chunk_pos], e.offset)) for e in entries]
    if reader.message_count:
        found.start_ns, found.end_ns = reader.start_time, reader.end_time
    return found


def _packing(decompressor: object) -> str:
    """Which of its three functions rosbags unpacks a chunk with."""
    from rosbags.rosbag1.reader import decompressors

    name = next((name for name, function in decompressors.items() if function is decompressor), "none")
    return "" if name == "none" else name
