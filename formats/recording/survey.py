"""What a recording holds, from one pass over it: stamps, frames, and the first message of each topic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from formats.errors import FormatError
from formats.recording import video
from formats.recording.channels import Contents, Topic
from formats.recording.chunks import MOST_BYTES, reading
from formats.recording.decode import HEAD_BYTES, Role, decoded, require_stamp, role_of, stamp_of_head
from formats.recording.places import Place, read_in_order
from formats.recording.transforms import Frames, Gathered

TRIED = 5
STATIC = "static"
Row = tuple[int, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Stamped:
    """A message and when what it shows was measured.

    Attributes:
        stamp_ns: the instant.
        place: where it lies.
        where: the same in words.
        key: whether it needs no message before it, as frames of video do.
    """

    stamp_ns: int
    place: Place
    where: str
    key: bool = True


@dataclass(slots=True)
class Survey:
    """What was found.

    Attributes:
        contents: topics and places of messages.
        stamped: messages of clouds and images by topic, in the order in which they were logged.
        broken: when messages were logged that have no time, and why, by topic.
        frames: what the transforms tell.
        firsts: the first readable message of each topic that is read.
    """

    contents: Contents
    stamped: dict[str, list[Stamped]] = field(default_factory=dict)
    broken: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    frames: Frames = field(default_factory=lambda: Frames(()))
    firsts: dict[str, Any] = field(default_factory=dict)

    def topics(self, role: Role) -> dict[str, Topic]:
        """Topics of a role that hold messages."""
        found = self.contents.topics.items()
        return {name: topic for name, topic in found if topic.messages and role_of(topic.coding) is role}

    def first(self, topic: str, fits: Callable[[Any], bool] = bool) -> Any:
        """The first of the first few messages of a topic that can be read and fits; None without one."""
        if topic not in self.firsts:
            self.firsts[topic] = next(filter(fits, self._readable(self.contents.topics[topic])), None)
        return self.firsts[topic]

    def _readable(self, topic: Topic) -> Iterator[Any]:
        for number, (_, place) in enumerate(topic.messages[:TRIED]):
            try:
                where = _where(topic, number)
                yield decoded(topic.coding, place.read(), place.path, where)
            except FormatError:
                continue

    def rows(self, topic: str, row_of: Callable[[Any], Row]) -> Iterator[Row]:
        """What every readable message of a topic says, in the order of the file."""
        found = self.contents.topics[topic]
        wanted = [(place, MOST_BYTES) for _, place in found.messages]
        for number, content in read_in_order(wanted):
            place, where = wanted[number][0], _where(found, number)
            try:
                if isinstance(content, bytes):
                    with reading(place.path, where):
                        row = row_of(decoded(found.coding, content, place.path, where))
                    yield row
            except FormatError:
                continue


def survey(contents: Contents) -> Survey:
    """Reads the first bytes of every cloud and image and all transforms, and holds none of it.

    Raises:
        FormatError: no file can be read at all.
    """
    found = Survey(contents)
    gathered = Gathered()
    asked: list[tuple[Topic, int]] = []
    wanted: list[tuple[Place, int]] = []
    for topic in contents.topics.values():
        topic.messages.sort(key=lambda message: message[0])
        role = role_of(topic.coding)
        if role in (Role.CLOUD, Role.IMAGE, Role.TRANSFORMS):
            most = MOST_BYTES if role is Role.TRANSFORMS else HEAD_BYTES
            wanted += [(place, most) for _, place in topic.messages]
            asked += [(topic, number) for number in range(len(topic.messages))]
    stamps: dict[str, dict[int, Stamped]] = {}
    for at, content in read_in_order(wanted):
        topic, number = asked[at]
        place, where = wanted[at][0], _where(topic, number)
        try:
            if isinstance(content, FormatError):
                raise content
            if role_of(topic.coding) is Role.TRANSFORMS:
                with reading(place.path, where):
                    message = decoded(topic.coding, content, place.path, where)
                    gathered.add(message, static=topic.name.endswith(STATIC))
            else:
                stamp = _stamp_ns(topic, content, place, where)
                key = topic.coding.type not in video.TYPES or video.begins_anew(content)
                stamps.setdefault(topic.name, {})[number] = Stamped(stamp, place, where, key)
        except FormatError as error:
            found.broken.setdefault(topic.name, []).append((topic.messages[number][0], error.message))
    found.stamped = {name: [some[k] for k in sorted(some)] for name, some in stamps.items()}
    found.frames = Frames(tuple(gathered.edges()))
    return found


def _stamp_ns(topic: Topic, head: bytes, place: Place, where: str) -> int:
    with reading(place.path, where):
        stamp = stamp_of_head(topic.coding, head)
    return require_stamp(topic.coding, place.read(), place.path, where) if stamp is None else stamp


def _where(topic: Topic, number: int) -> str:
    return f"{topic.name} message {number}"
