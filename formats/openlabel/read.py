"""Labels read from OpenLABEL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from calib.errors import CrosslabelError
from calib.se3 import SE3
from formats.errors import FormatError
from formats.extras import Extras, read_extras
from formats.fields import Field, read_json_fields
from formats.openlabel.clock import instants_ns
from formats.openlabel.systems import FARTHEST_M, Ways, turned
from formats.openlabel.words import EXTRA, INSTANT, LOCKED, SCORE, SOURCE, hear, track_id_of
from formats.openlabel.write import label_file
from formats.rigs.kind import head_of
from formats.turns import matrix_of_turns
from fusion.boxes import Box3D
from fusion.labels import Annotation, ImageBox, Json, LabelSet, Source, Track
from fusion.log import DriveLog

BEGINNING = re.compile(r'\s*\{\s*"openlabel"\s*:')
MOST_LOOKED_AT, MOST_STANDING = 50, 500_000
FRAME = re.compile(r"[0-9]{1,9}", re.ASCII)


def recognises(path: Path) -> bool:
    """Whether it is such a file, or a folder with one; never raises."""
    try:
        return next(_files(path), None) is not None
    except OSError:
        return False


def log_ids(path: Path) -> list[str]:
    """Names of the files without their ending, in order."""
    return sorted(file.stem for file in _files(path))


def _files(path: Path) -> Iterator[Path]:
    listed = islice(path.glob("*.json"), MOST_LOOKED_AT) if path.is_dir() else [path]
    begins = next((True for file in listed if _begins(file)), False)
    if begins:
        yield from (file for file in (path.glob("*.json") if path.is_dir() else [path]) if _begins(file))


def _begins(file: Path) -> bool:
    return file.suffix.lower() == ".json" and BEGINNING.match(head_of(file)) is not None


def read_labels(path: Path, log: DriveLog) -> LabelSet:
    """The labels of a log, from the file itself or from `<log>.json` in a folder.

    What an object says of itself for good are attributes of its track; a cuboid among it stands at every
    frame of the object. What it says beside a cuboid in a frame are attributes of that annotation.

    Raises:
        FormatError: a file that is missing or malformed, a frame that the log has not, or a cuboid in a
            system from which no way leads to the car.
    """
    root = read_json_fields(label_file(path, log.name))["openlabel"]
    frames = _frames(root)
    times_ns = instants_ns(root, frames, log)
    reader = _Reader(root, log)
    for number, frame in frames.items():
        objects = frame.get("objects")
        for uid, entry in objects.items() if objects else ():
            data = entry.get("object_data")
            if data is not None:
                reader.hear(uid, data, frame, times_ns[number])
    reader.stand(frames, times_ns)
    extra = root["metadata"].get(EXTRA)
    return reader.labels(read_extras(extra) if extra else Extras())


def _frames(root: Field) -> dict[int, Field]:
    found: dict[int, Field] = {}
    listed = root.get("frames")
    for key, frame in listed.items() if listed else ():
        if not FRAME.fullmatch(key):
            raise frame.error("the key of a frame is its number")
        if int(key) in found:
            raise frame.error("the number of two frames")
        found[int(key)] = frame
    return dict(sorted(found.items()))


@dataclass(slots=True)
class _Parts:
    """What is known of an object."""

    entry: Field
    id: str
    category: str
    attributes: dict[str, Json]
    annotations: dict[int, Annotation] = field(default_factory=dict)
    image_boxes: dict[tuple[str, int], ImageBox] = field(default_factory=dict)


class _Reader:
    """Gathers what the frames of a file say of its objects."""

    def __init__(self, root: Field, log: DriveLog) -> None:
        self.log, self.ways = log, Ways(root, log)
        self.objects: dict[str, _Parts] = {}
        streams = root.get("streams")
        self.streams = streams.value if streams else {}
        listed = root.get("objects")
        for uid, entry in listed.items() if listed else ():
            name, data = entry.get("name"), entry.get("object_data")
            id = track_id_of(uid, name.text()) if name else uid
            plain, rest = hear(data)
            self.objects[uid] = _Parts(entry, id, entry["type"].text(), plain | rest)
        ids = [parts.id for parts in self.objects.values()]
        if len(set(ids)) < len(ids):
            raise root["objects"].error("two objects have one id")

    def hear(self, uid: str, data: Field, frame: Field, timestamp_ns: int) -> None:
        """Takes what one frame says of one object."""
        parts = self.objects.get(uid)
        if parts is None:
            raise data.error(f"there is no object {uid!r}")
        plain, rest = hear(data)
        cuboids, boxes = data.get("cuboid"), data.get("bbox")
        for entry in cuboids.entries() if cuboids else ():
            if entry["val"].value is None:
                continue
            if timestamp_ns in parts.annotations:
                raise entry.error(f"a second cuboid of the object {uid!r} in this frame")
            ego_from_system = self.ways.ego_from(self._system(entry, parts.entry), frame)
            parts.annotations[timestamp_ns] = _annotation(entry, timestamp_ns, ego_from_system, plain | rest)
        for entry in boxes.entries() if boxes else ():
            key, box = self._image_box(entry, parts.entry, timestamp_ns)
            if key in parts.image_boxes:
                raise entry.error(f"a second bbox of the object {uid!r} in one image")
            parts.image_boxes[key] = box

    def stand(self, frames: dict[int, Field], times_ns: dict[int, int]) -> None:
        """Puts cuboids that objects have for good into all frames of these objects."""
        standing = 0
        for uid, parts in self.objects.items():
            data = parts.entry.get("object_data")
            kept = data.get("cuboid") if data else None
            if data is None or kept is None or not kept.entries():
                continue
            only = Field(data.path, data.where, {"cuboid": kept.value})
            for number in _numbers(parts.entry, frames):
                standing += 1
                if standing > MOST_STANDING:
                    raise data.error(f"cuboids for good would make more than {MOST_STANDING} boxes")
                if times_ns[number] not in parts.annotations:
                    self.hear(uid, only, frames[number], times_ns[number])

    def labels(self, extras: Extras) -> LabelSet:
        tracks = [
            Track(p.id, p.category, p.annotations, p.image_boxes, p.attributes) for p in self.objects.values()
        ]
        return LabelSet({track.id: track for track in tracks}, extras.reviews, extras.attributes)

    def _system(self, entry: Field, owner: Field) -> Field | None:
        """The system of a cuboid or bbox; some name the stream instead, as an attribute."""
        named = entry.get("coordinate_system")
        if named is not None:
            return named
        said = entry.get("attributes")
        texts = said.get("text") if said else None
        for text in texts.entries() if texts else ():
            name = text.get("name")
            if name is not None and name.value == "stream":
                return text["val"]
        return owner.get("coordinate_system")

    def _image_box(self, entry: Field, owner: Field, timestamp_ns: int) -> tuple[tuple[str, int], ImageBox]:
        system = self._system(entry, owner)
        cameras = [*self.log.rig.cameras]
        if system is None and len(cameras) != 1:
            raise entry.error("names no camera, and the log has not just one")
        camera = cameras[0] if system is None else system.text()
        x, y, w, h = entry["val"].numbers(4)
        sides = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        source, score, said = _provenance(entry)
        instant = said.pop(INSTANT, None)
        if type(instant) is not int:
            image = self.log.image_near(camera, timestamp_ns)
            instant = image.timestamp_ns if image else timestamp_ns
        return (camera, instant), ImageBox(*sides, source, score, said)


def _numbers(entry: Field, frames: dict[int, Field]) -> Iterator[int]:
    """Frames of an object: those of its intervals, or all; each once."""
    intervals = entry.get("frame_intervals")
    if intervals is None:
        yield from frames
        return
    ends = [(each["frame_start"].whole(), each["frame_end"].whole()) for each in intervals.entries()]
    ends.sort(reverse=True)
    for number in frames:
        while ends and ends[-1][1] < number:
            ends.pop()
        if ends and ends[-1][0] <= number:
            yield number


def _provenance(entry: Field) -> tuple[Source, float | None, dict[str, Json]]:
    """Source and score, where what stands under these names can be such; and everything else."""
    said, rest = hear(entry.get("attributes"))
    source, score = Source.IMPORTED, None
    if said.get(SOURCE) in [*Source]:
        source = Source(str(said.pop(SOURCE)))
    number = said.get(SCORE)
    if type(number) in (int, float) and isinstance(number, int | float) and 0 <= number <= 1:
        score = number
        del said[SCORE]
    return source, score, said | rest


def _annotation(
    entry: Field, timestamp_ns: int, ego_from_system: SE3 | None, attributes: dict[str, Json]
) -> Annotation:
    source, score, said = _provenance(entry)
    locked = said.get(LOCKED) is True
    if locked:
        del said[LOCKED]
    box = _box(entry["val"], ego_from_system)
    return Annotation(timestamp_ns, box, source, score, locked, attributes | said)


def _box(values: Field, ego_from_system: SE3 | None) -> Box3D:
    numbers = values.numbers(9, 10)
    if max(map(abs, numbers)) > FARTHEST_M:
        raise values.error("further away, or larger, than can be")
    center, size = np.array(numbers[:3]), numbers[-3:]
    if len(numbers) == 10:
        x, y, z, w = numbers[3:7]
        system_from_box = turned(values, (w, x, y, z), center)
    else:
        system_from_box = SE3(matrix_of_turns(numbers[5:2:-1], "ZYX"), center)
    ego_from_box = system_from_box if ego_from_system is None else ego_from_system @ system_from_box
    try:
        return Box3D(ego_from_box, *size)
    except CrosslabelError as error:
        raise FormatError(values.path, values.where, str(error)) from None
