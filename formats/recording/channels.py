"""What is in a recording, whatever kind of file it is: topics, and where their messages lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from formats.recording.places import Place

MOST_MESSAGES = 50_000_000
Wanted = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Coding:
    """How the messages of a topic are written.

    Attributes:
        type: name of the message, such as `sensor_msgs/msg/PointCloud2` or `foxglove.PointCloud`.
        encoding: `ros1`, `cdr`, `protobuf` or another that is not read.
        schema: the descriptors of protobuf.
    """

    type: str
    encoding: str
    schema: bytes = field(default=b"", repr=False)


@dataclass(slots=True)
class Topic:
    """One topic.

    Attributes:
        name: such as `/lidar/points`.
        coding: of its messages.
        count: of messages that the file tells of.
        messages: when each was logged and where it lies, for topics that were asked for.
    """

    name: str
    coding: Coding
    count: int = 0
    messages: list[tuple[int, Place]] = field(default_factory=list)


@dataclass(slots=True)
class Contents:
    """What a file, or the files of one recording, hold.

    Attributes:
        path: of the file or folder.
        kind: such as `ROS 1 bag`.
        topics: by name.
        start_ns: when the first message was logged; 0 in an empty recording.
        end_ns: when the last one was.
        notes: what a reader had to do about damage, in words.
    """

    path: Path
    kind: str
    topics: dict[str, Topic] = field(default_factory=dict)
    start_ns: int = 0
    end_ns: int = 0
    notes: list[str] = field(default_factory=list)

    def topic(self, name: str, coding: Coding) -> Topic | None:
        """The topic of a name, made where it is new; None where it is one of another coding."""
        found = self.topics.setdefault(name, Topic(name, coding))
        if found.coding != coding:
            self.notes.append(f"{name} carries {coding.type} as well as {found.coding.type}, which was read")
            return None
        return found

    def add(self, other: Contents) -> None:
        """Joins what the next file of the same recording holds."""
        empty = not any(topic.count for topic in self.topics.values())
        for topic in other.topics.values():
            own = self.topic(topic.name, topic.coding)
            if own is not None:
                own.count += topic.count
                own.messages += topic.messages
        if other.end_ns:
            self.start_ns = other.start_ns if empty else min(self.start_ns, other.start_ns)
            self.end_ns = max(self.end_ns, other.end_ns)
        self.notes += other.notes
