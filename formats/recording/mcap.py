"""MCAP files by their index, or, where that is missing, by a walk over their records (mcap.dev/spec)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from formats.errors import FormatError
from formats.recording.channels import MOST_MESSAGES, Coding, Contents, Topic, Wanted
from formats.recording.chunks import MOST_BYTES, Chunk, bytes_at, reading, unpacked
from formats.recording.places import McapPlace

MAGIC = b"\x89MCAP0\r\n"
FOOTER = struct.Struct("<BQQQI")
SCHEMA, CHANNEL, MESSAGE, CHUNK, MESSAGE_INDEX, CHUNK_INDEX, STATISTICS, DATA_END = 3, 4, 5, 6, 7, 8, 11, 15
ATTACHMENT_INDEX = 10
RECORD = struct.Struct("<BQ")
MESSAGE_HEAD = struct.Struct("<HIQQ")
CHUNK_HEAD = struct.Struct("<QQQI")


def contents(path: Path, wanted: Wanted) -> Contents:
    """Topics of a file, and where messages of the wanted types lie.

    A file without an index, as a recorder leaves behind that died, is walked through once.

    Raises:
        FormatError: it is no MCAP file, or damaged.
    """
    size = path.stat().st_size if path.is_file() else 0
    if bytes_at(path, 0, len(MAGIC)) != MAGIC:
        raise FormatError(path, "", "not an MCAP file")
    reader = _Reader(path, wanted, size, Contents(path, "MCAP file"))
    with reading(path):
        summary = _summary(path, size)
        if summary is None or not reader.indexed(summary):
            reader = _Reader(path, wanted, size, Contents(path, "MCAP file"))
            reader.walk()
        return reader.found


def schema_names(path: Path) -> set[str]:
    """Names of the messages that a file says it holds; nothing of one without a summary.

    Raises:
        FormatError: it cannot be read, or its summary is damaged.
    """
    from mcap.records import Schema

    with reading(path):
        summary = _summary(path, path.stat().st_size) or b""
        return {Schema.read(_stream(content)).name for kind, content in _records(summary) if kind == SCHEMA}


def attachment(path: Path, name: str, most: int = MOST_BYTES) -> bytes | None:
    """What is attached to a file under a name; None where nothing is.

    Raises:
        FormatError: it cannot be read, or is longer than `most` bytes.
    """
    from mcap.records import Attachment, AttachmentIndex

    with reading(path, f"attachment {name}"):
        summary = _summary(path, path.stat().st_size) or b""
        for kind, content in _records(summary):
            index = AttachmentIndex.read(_stream(content)) if kind == ATTACHMENT_INDEX else None
            if index is None or index.name != name:
                continue
            if max(index.length, index.data_size) > most:
                raise FormatError(path, f"attachment {name}", f"more than {most >> 20} MiB are refused")
            record = bytes_at(path, index.offset + RECORD.size, index.length - RECORD.size)
            return bytes(Attachment.read(_stream(record)).data)
    return None


def _summary(path: Path, size: int) -> bytes | None:
    """The part of a file that tells what is where; None where there is none."""
    tail = bytes_at(path, max(size - FOOTER.size - len(MAGIC), 0), FOOTER.size + len(MAGIC))
    if len(tail) < FOOTER.size + len(MAGIC) or not tail.endswith(MAGIC):
        return None
    kind, _, start, _, _ = FOOTER.unpack_from(tail)
    end = size - FOOTER.size - len(MAGIC)
    if kind != 2 or not 0 < start < end or end - start > MOST_BYTES:
        return None
    return bytes_at(path, start, end - start)


def _records(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + RECORD.size <= len(content):
        kind, size = RECORD.unpack_from(content, at)
        at += RECORD.size
        if at + size > len(content):
            return
        yield kind, content[at : at + size]
        at += size


@dataclass(slots=True)
class _Reader:
    path: Path
    wanted: Wanted
    size: int
    found: Contents
    schemas: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    channels: dict[int, Topic | None] = field(default_factory=dict)
    messages: int = 0

    def indexed(self, summary: bytes) -> bool:
        """Whether the summary told everything."""
        chunks: list[Any] = []
        counted: dict[int, int] = {}
        told = 0
        for kind, content in _records(summary):
            if kind == STATISTICS:
                from mcap.records import Statistics

                statistics = Statistics.read(_stream(content))
                counted, told = statistics.channel_message_counts, statistics.message_count
                self.found.start_ns = statistics.message_start_time
                self.found.end_ns = statistics.message_end_time
            elif kind == CHUNK_INDEX:
                from mcap.records import ChunkIndex

                chunks.append(ChunkIndex.read(_stream(content)))
            else:
                self._declared(kind, content)
        if not chunks or not self.channels or (counted and sum(counted.values()) != told):
            return told == 0 and bool(counted or chunks)
        for chunk in chunks:
            self._chunk(chunk)
        for number, count in counted.items():
            topic = self.channels.get(number)
            if topic is not None and not self.wanted(topic.coding.type):
                topic.count += count
        return True

    def _chunk(self, index: Any) -> None:
        head = 9 + CHUNK_HEAD.size + 4 + len(index.compression.encode()) + 8
        chunk = self._window(index.chunk_start_offset + head, index.compressed_size, index)
        if not index.message_index_offsets:
            self._walk_chunk(chunk)
            return
        at = index.chunk_start_offset + index.chunk_length
        if at + index.message_index_length > self.size:
            raise FormatError(self.path, f"byte {at}", "the index of a chunk is cut short")
        for kind, content in _records(bytes_at(self.path, at, index.message_index_length)):
            topic = self.channels.get(int.from_bytes(content[:2], "little"))
            if kind == MESSAGE_INDEX and topic is not None and self.wanted(topic.coding.type):
                for logged_ns, offset in struct.iter_unpack("<QQ", content[6:]):
                    self._message(topic, logged_ns, McapPlace(chunk, offset))

    def walk(self) -> None:
        """Reads the heads of all records; what is cut short at the end is left out."""
        whole = Chunk(self.path, 0, self.size)
        with self.path.open("rb") as stream:
            stream.seek(len(MAGIC))
            while len(head := stream.read(RECORD.size)) == RECORD.size:
                kind, size = RECORD.unpack(head)
                start = stream.tell()
                if start + size > self.size:
                    break
                if kind == DATA_END:
                    return
                if kind == MESSAGE:
                    self._met(whole, start - RECORD.size, stream.read(MESSAGE_HEAD.size))
                elif kind == CHUNK:
                    self._walk_packed(stream, start, size)
                elif kind in (SCHEMA, CHANNEL):
                    if size > MOST_BYTES:
                        break
                    self._declared(kind, stream.read(size))
                stream.seek(start + size)
        self.found.notes.append("the file is cut short: what was whole was read, without an index")

    def _walk_packed(self, stream: IO[bytes], start: int, size: int) -> None:
        from types import SimpleNamespace

        _, _, unpacked_size, _ = CHUNK_HEAD.unpack(stream.read(CHUNK_HEAD.size))
        name_size = int.from_bytes(stream.read(4), "little")
        compression = stream.read(min(name_size, 64)).decode()
        packed_size = int.from_bytes(stream.read(8), "little")
        if packed_size > size:
            raise FormatError(self.path, f"byte {start}", "a chunk larger than its record")
        index = SimpleNamespace(compression=compression, uncompressed_size=unpacked_size)
        try:
            self._walk_chunk(self._window(stream.tell(), packed_size, index))
        except FormatError as error:
            self.found.notes.append(f"{error.where}: {error.message}")

    def _window(self, offset: int, size: int, index: Any) -> Chunk:
        changed_ns = self.path.stat().st_mtime_ns
        return Chunk(self.path, offset, size, index.compression, index.uncompressed_size, changed_ns)

    def _walk_chunk(self, chunk: Chunk) -> None:
        content = unpacked(chunk) if chunk.compression else chunk.cut(0, chunk.size)
        at = 0
        for kind, record in _records(content):
            if kind == MESSAGE:
                self._met(chunk, at, record[: MESSAGE_HEAD.size])
            else:
                self._declared(kind, record)
            at += RECORD.size + len(record)

    def _met(self, chunk: Chunk, offset: int, head: bytes) -> None:
        channel, _, logged_ns, _ = MESSAGE_HEAD.unpack(head)
        topic = self.channels.get(channel)
        self.found.start_ns = min(self.found.start_ns or logged_ns, logged_ns)
        self.found.end_ns = max(self.found.end_ns, logged_ns)
        if topic is None:
            return
        if self.wanted(topic.coding.type):
            self._message(topic, logged_ns, McapPlace(chunk, offset))
        else:
            topic.count += 1

    def _message(self, topic: Topic, logged_ns: int, place: McapPlace) -> None:
        topic.count += 1
        topic.messages.append((logged_ns, place))
        self.messages += 1
        if self.messages > MOST_MESSAGES:
            raise FormatError(self.path, "", f"more than {MOST_MESSAGES} messages")

    def _declared(self, kind: int, content: bytes) -> None:
        if kind == SCHEMA:
            from mcap.records import Schema

            schema = Schema.read(_stream(content))
            self.schemas[schema.id] = schema.name, schema.data if schema.encoding == "protobuf" else b""
        elif kind == CHANNEL:
            from mcap.records import Channel

            channel = Channel.read(_stream(content))
            if channel.id not in self.channels:
                name, schema_data = self.schemas.get(channel.schema_id, ("", b""))
                coding = Coding(_plain_name(name), channel.message_encoding, schema_data)
                self.channels[channel.id] = self.found.topic(channel.topic, coding)


def _plain_name(name: str) -> str:
    """`sensor_msgs/Image` of ROS 1 as ROS 2 says it."""
    parts = name.split("/")
    return f"{parts[0]}/msg/{parts[1]}" if len(parts) == 2 else name


def _stream(content: bytes) -> Any:
    from mcap.data_stream import ReadDataStream

    return ReadDataStream(BytesIO(content))
