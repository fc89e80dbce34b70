"""Messages of ROS 1, ROS 2 and Foxglove, decoded; their stamps from their first bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from formats.recording.channels import Coding
from formats.recording.chunks import reading

HEAD_BYTES = 256
NS = 1_000_000_000
LAST_NS = 1 << 62


class Role(StrEnum):
    """What a topic is for."""

    CLOUD = "cloud"
    IMAGE = "image"
    INFO = "camera info"
    TRANSFORMS = "transforms"
    WAY = "way"
    FIX = "fix"
    IMU = "imu"


ROLES = {
    "sensor_msgs/msg/PointCloud2": Role.CLOUD,
    "foxglove.PointCloud": Role.CLOUD,
    "sensor_msgs/msg/Image": Role.IMAGE,
    "sensor_msgs/msg/CompressedImage": Role.IMAGE,
    "foxglove.RawImage": Role.IMAGE,
    "foxglove.CompressedImage": Role.IMAGE,
    "foxglove.CompressedVideo": Role.IMAGE,
    "foxglove_msgs/msg/CompressedVideo": Role.IMAGE,
    "sensor_msgs/msg/CameraInfo": Role.INFO,
    "foxglove.CameraCalibration": Role.INFO,
    "tf2_msgs/msg/TFMessage": Role.TRANSFORMS,
    "tf/msg/tfMessage": Role.TRANSFORMS,
    "foxglove.FrameTransform": Role.TRANSFORMS,
    "foxglove.FrameTransforms": Role.TRANSFORMS,
    "nav_msgs/msg/Odometry": Role.WAY,
    "geometry_msgs/msg/PoseStamped": Role.WAY,
    "geometry_msgs/msg/PoseWithCovarianceStamped": Role.WAY,
    "foxglove.PoseInFrame": Role.WAY,
    "sensor_msgs/msg/NavSatFix": Role.FIX,
    "foxglove.LocationFix": Role.FIX,
    "sensor_msgs/msg/Imu": Role.IMU,
}
ENCODINGS = ("ros1", "cdr", "protobuf")
TF_MESSAGE = "geometry_msgs/TransformStamped[] transforms"
VIDEO_MESSAGE = "builtin_interfaces/Time timestamp\nstring frame_id\nuint8[] data\nstring format"


def role_of(coding: Coding) -> Role | None:
    """What the messages of a coding are for; None for those that are not read."""
    fits = coding.type.startswith("foxglove.") == (coding.encoding == "protobuf")
    return ROLES.get(coding.type) if fits and coding.encoding in ENCODINGS else None


def is_wanted(type_name: str) -> bool:
    """Whether messages of a type are read at all."""
    return type_name in ROLES


def decoded(coding: Coding, content: bytes, path: Path, where: str) -> Any:
    """A message as an object with the fields of its definition.

    Raises:
        FormatError: damaged; names the file and the place.
    """
    with reading(path, where):
        if coding.encoding == "protobuf":
            return _protobuf(coding.type, coding.schema)(content)
        store = _store(coding.encoding)
        if coding.encoding == "ros1":
            return store.deserialize_ros1(memoryview(content), coding.type)
        return store.deserialize_cdr(memoryview(content), coding.type)


@lru_cache(maxsize=2)
def _store(encoding: str) -> Any:
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    if encoding == "cdr":
        store = get_typestore(Stores.ROS2_HUMBLE)
        store.register(get_types_from_msg(VIDEO_MESSAGE, "foxglove_msgs/msg/CompressedVideo"))
        return store
    store = get_typestore(Stores.ROS1_NOETIC)
    for name in ("tf2_msgs/msg/TFMessage", "tf/msg/tfMessage"):
        store.register(get_types_from_msg(TF_MESSAGE, name))
    return store


@lru_cache(maxsize=32)
def _protobuf(name: str, schema: bytes) -> Callable[[bytes], Any]:
    from mcap.records import Schema
    from mcap_protobuf.decoder import DecoderFactory

    decoder = DecoderFactory().decoder_for(
        "protobuf", Schema(id=1, name=name, encoding="protobuf", data=schema)
    )
    if decoder is None:
        raise ValueError(f"no decoder for {name}")
    return decoder


def stamp_ns(message: Any) -> int:
    """When what a message tells of was measured.

    Raises:
        ValueError: a time that cannot be.
    """
    if hasattr(message, "timestamp"):
        at = message.timestamp
        seconds, nanoseconds = (at.seconds, at.nanos) if hasattr(at, "seconds") else (at.sec, at.nanosec)
    else:
        seconds, nanoseconds = message.header.stamp.sec, message.header.stamp.nanosec
    return _instant(seconds, nanoseconds)


def frame_of(message: Any) -> str:
    """The frame that a message is in, without the slash that ROS 1 used to write before it."""
    frame = message.frame_id if hasattr(message, "frame_id") else message.header.frame_id
    return str(frame).lstrip("/")


def stamp_of_head(coding: Coding, head: bytes) -> int | None:
    """The same from the first bytes of a message; None where they do not tell.

    Raises:
        ValueError: a time that cannot be.
    """
    if coding.encoding == "protobuf":
        return _protobuf_stamp(head)
    if coding.encoding == "ros1":
        layout, at = struct.Struct("<II"), 4
    else:
        layout, at = struct.Struct("<iI" if head[1:2] == b"\x01" else ">iI"), 4
    return _instant(*layout.unpack_from(head, at)) if len(head) >= at + 8 else None


def _instant(seconds: int, nanoseconds: int) -> int:
    if not (0 <= seconds < LAST_NS // NS and 0 <= nanoseconds < NS):
        raise ValueError(f"{seconds} s and {nanoseconds} ns are no time")
    return int(seconds) * NS + int(nanoseconds)


def _protobuf_stamp(head: bytes) -> int | None:
    """Field 1 of Foxglove's messages is a google.protobuf.Timestamp: seconds and nanos."""
    for field, value in _wire(head):
        if field == 1 and isinstance(value, bytes):
            parts = {number: part for number, part in _wire(value) if isinstance(part, int)}
            return _instant(parts.get(1, 0), parts.get(2, 0))
    return None


def _wire(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protobuf message as far as it goes: numbers of varints, bytes of the rest."""
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        size = {1: 8, 5: 4}.get(key & 7)
        if key & 7 == 0:
            value, at = _varint(content, at)
            yield key >> 3, value
            continue
        if key & 7 == 2:
            size, at = _varint(content, at)
        if size is None or at + size > len(content):
            return
        yield key >> 3, content[at : at + size]
        at += size


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(content) and shift < 64:
        value |= (content[at] & 0x7F) << shift
        shift += 7
        at += 1
        if content[at - 1] < 0x80:
            return value, at
    return value, len(content)


def require_stamp(coding: Coding, content: bytes, path: Path, where: str) -> int:
    """When a whole message says that it was measured.

    Raises:
        FormatError: it says nothing, or what cannot be.
    """
    with reading(path, where):
        found = stamp_of_head(coding, content)
        if found is None:
            found = stamp_ns(decoded(coding, content, path, where))
        return found
