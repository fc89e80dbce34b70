"""Messages written into recordings by other people's writers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mcap.writer import CompressionType, IndexType
from mcap.writer import Writer as McapWriter
from rosbags.rosbag1 import Writer as BagWriter
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as Rosbag2Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

Kind = Literal["bag", "db3", "mcap", "protobuf"]
KINDS: tuple[Kind, ...] = ("bag", "db3", "mcap", "protobuf")
ROS1 = get_typestore(Stores.ROS1_NOETIC)
ROS1.register(get_types_from_msg("geometry_msgs/TransformStamped[] transforms", "tf2_msgs/msg/TFMessage"))
ROS2 = get_typestore(Stores.ROS2_HUMBLE)


@dataclass(frozen=True)
class Note:
    """One message: its topic, when it is logged, its type and its content."""

    topic: str
    logged_ns: int
    type: str
    message: Any


def write_bag(path: Path, notes: list[Note], compression: str = "") -> Path:
    writer = BagWriter(path)
    if compression:
        writer.set_compression(BagWriter.CompressionFormat[compression.upper()])
    with writer:
        links = {
            note.topic: writer.add_connection(note.topic, note.type, typestore=ROS1)
            for note in {n.topic: n for n in notes}.values()
        }
        for note in notes:
            writer.write(links[note.topic], note.logged_ns, ROS1.serialize_ros1(note.message, note.type))
    return path


def write_rosbag2(path: Path, notes: list[Note], plugin: StoragePlugin) -> Path:
    with Rosbag2Writer(path, version=9, storage_plugin=plugin) as writer:
        links = {
            note.topic: writer.add_connection(note.topic, note.type, typestore=ROS2)
            for note in {n.topic: n for n in notes}.values()
        }
        for note in notes:
            writer.write(links[note.topic], note.logged_ns, ROS2.serialize_cdr(note.message, note.type))
    return path


def write_mcap(
    path: Path,
    notes: Iterable[Note],
    kind: Kind,
    compression: str = "zstd",
    chunk_size: int = 1 << 20,
    index: bool = True,
    chunking: bool = True,
) -> Path:
    """An MCAP file of ROS 2 messages or Foxglove's."""
    packing = {"zstd": CompressionType.ZSTD, "lz4": CompressionType.LZ4, "": CompressionType.NONE}
    with path.open("wb") as stream:
        writer = McapWriter(
            stream,
            chunk_size=chunk_size,
            compression=packing[compression],
            index_types=IndexType.ALL if index else IndexType.NONE,
            use_chunking=chunking,
            use_statistics=index,
            use_summary_offsets=index,
        )
        writer.start(profile="" if kind == "protobuf" else "ros2", library="tests")
        channels: dict[str, int] = {}
        for note in notes:
            if note.topic not in channels:
                if kind == "protobuf":
                    schema = type(note.message).get_schema()
                    number = writer.register_schema(schema.name, "protobuf", schema.data)
                else:
                    text, _ = ROS2.generate_msgdef(note.type, ros_version=2)
                    number = writer.register_schema(note.type, "ros2msg", text.encode())
                encoding = "protobuf" if kind == "protobuf" else "cdr"
                channels[note.topic] = writer.register_channel(note.topic, encoding, number)
            if kind == "protobuf":
                content = note.message.encode()
            else:
                content = bytes(ROS2.serialize_cdr(note.message, note.type))
            writer.add_message(channels[note.topic], note.logged_ns, content, note.logged_ns)
        writer.finish()
    return path


def messages_in(file: Path) -> Iterator[tuple[str, Any]]:
    """Topic and message of everything in an MCAP file with Protobuf, by the readers of MCAP's authors."""
    from mcap.reader import make_reader
    from mcap_protobuf.decoder import DecoderFactory

    with file.open("rb") as stream:
        reader = make_reader(stream, validate_crcs=True, decoder_factories=[DecoderFactory()])
        for _, channel, message, decoded in reader.iter_decoded_messages():
            assert message.log_time == message.publish_time
            yield channel.topic, decoded
