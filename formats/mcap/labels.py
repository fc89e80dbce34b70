"""Scenes of Foxglove to labels, those that others wrote too."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from calib.errors import CrosslabelError
from calib.se3 import SE3
from formats.errors import FormatError
from formats.extras import Extras, read_json_text
from formats.fields import Field
from formats.folder.poses import carried_on
from formats.mcap.beside import read_labels_beside
from formats.mcap.names import ATTACHMENT, EGO
from formats.mcap.read import SCENE
from formats.names import folder_name
from formats.provenance import with_provenance
from formats.recording.channels import Contents, Topic
from formats.recording.chunks import MOST_BYTES, reading
from formats.recording.decode import ROLES, Role, decoded, stamp_ns
from formats.recording.folder import contents_of, log_ids, recording_at
from formats.recording.places import read_in_order
from formats.recording.survey import survey
from formats.recording.transforms import Frames
from fusion.boxes import Box3D
from fusion.labels import Annotation, LabelSet, Source
from fusion.log import DriveLog
from fusion.trajectory import Trajectory

# Boxes of others belong to the frame that is so near.
NEAR_NS = 50_000_000
CATEGORY_KEYS = ("category", "class", "label", "type", "name")
UNKNOWN = "object"
EGO_KEY = "ego frame"


def read_labels(path: Path, log: DriveLog) -> LabelSet:
    """The labels of a log.

    Raises:
        FormatError: there is no such log, it is damaged, or a box cannot be.
    """
    names = log_ids(path)
    alone = names[0] if len(names) == 1 and path.is_file() else folder_name(path, log.name)
    name = log.name if log.name in names else alone
    file, _, source = recording_at(path, name)
    extras = read_labels_beside(file)
    as_told = extras is not None and source == file
    ego = EGO if as_told else log.metadata.get(EGO_KEY, EGO)
    found = _Found(contents_of(file, SCENE.__eq__), log, ego)
    with reading(file):
        for topic in found.contents.topics.values():
            if topic.coding.type == SCENE and topic.coding.encoding == "protobuf":
                found.take(topic)
    return (extras or Extras()).with_annotations(found.annotations(), found.categories)


@dataclass(slots=True)
class _Found:
    """Boxes as they come: by track and instant, each with how far off its frame it was said."""

    contents: Contents
    log: DriveLog
    ego: str
    categories: dict[str, str] = field(default_factory=dict)
    boxes: dict[str, dict[int, tuple[int, Annotation]]] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    ways: dict[str, SE3 | Trajectory] = field(default_factory=dict)
    frames: Frames | None = None

    def annotations(self) -> dict[str, dict[int, Annotation]]:
        """By track and instant."""
        return {id: {t: one for t, (_, one) in some.items()} for id, some in self.boxes.items()}

    def take(self, topic: Topic) -> None:
        """The cubes in all messages of a topic."""
        listed = sorted(topic.messages, key=lambda message: message[0])
        for number, content in read_in_order([(place, MOST_BYTES) for _, place in listed]):
            logged_ns, place = listed[number]
            where = f"{topic.name} message {number}"
            if isinstance(content, FormatError):
                raise content
            with reading(place.path, where):
                message = decoded(topic.coding, content, place.path, where)
                for entity in message.entities:
                    self._entity(topic.name, entity, logged_ns, Field(place.path, where, None))

    def _entity(self, topic: str, entity: Any, logged_ns: int, place: Field) -> None:
        told = {pair.key: pair.value for pair in entity.metadata}
        said_ns = stamp_ns(entity) or logged_ns
        for number, cube in enumerate(entity.cubes):
            id = entity.id if number == 0 else f"{entity.id} {number}"
            if self.owners.setdefault(id, topic) != topic:
                id = f"{topic} {id}"
            if ATTACHMENT in told and number == 0:
                self.categories.setdefault(id, told["category"])
                plain = Annotation(said_ns, self._box(cube, entity.frame_id, said_ns, place))
                self.boxes.setdefault(id, {})[said_ns] = 0, _with_told(plain, told, place)
            else:
                self._of_others(id, said_ns, cube, entity.frame_id, told, place)

    def _of_others(
        self, id: str, said_ns: int, cube: Any, frame: str, told: dict[str, str], place: Field
    ) -> None:
        at_ns = self._frame_near(said_ns)
        off_ns, some = abs(at_ns - said_ns), self.boxes.setdefault(id, {})
        if at_ns in some and some[at_ns][0] < off_ns:
            return
        key = next((key for key in CATEGORY_KEYS if told.get(key)), "")
        self.categories.setdefault(id, told.get(key, UNKNOWN))
        rest = {name: value for name, value in told.items() if name != key}
        box = self._box(cube, frame, at_ns, place)
        some[at_ns] = off_ns, Annotation(at_ns, box, Source.IMPORTED, attributes=rest)

    def _frame_near(self, said_ns: int) -> int:
        frames_ns = self.log.timestamps_ns
        after = int(np.searchsorted(frames_ns, said_ns))
        around = [int(t) for t in frames_ns[max(after - 1, 0) : after + 1]]
        near = min(around, key=lambda t: abs(t - said_ns), default=said_ns)
        return near if abs(near - said_ns) <= NEAR_NS else said_ns

    def _box(self, cube: Any, frame: str, at_ns: int, place: Field) -> Box3D:
        turn, center = cube.pose.orientation, cube.pose.position
        wxyz = (turn.w, turn.x, turn.y, turn.z)
        wxyz = wxyz if any(wxyz) else (1.0, 0.0, 0.0, 0.0)
        try:
            frame_from_box = SE3.from_quaternion_wxyz(wxyz, (center.x, center.y, center.z))
            ego_from_frame = self._ego_from(frame.lstrip("/"), at_ns, place)
            ego_from_box = frame_from_box if ego_from_frame is None else ego_from_frame @ frame_from_box
            return Box3D(ego_from_box, cube.size.x, cube.size.y, cube.size.z)
        except FormatError:
            raise
        except CrosslabelError as error:
            raise place.error(str(error)) from None

    def _ego_from(self, frame: str, at_ns: int, place: Field) -> SE3 | None:
        """Returns ego_from_frame; None where they are one."""
        if frame == self.ego:
            return None
        if frame not in self.ways:
            self.ways[frame] = self._way(frame, place)
        way = self.ways[frame]
        return way if isinstance(way, SE3) else way.at(at_ns).inverse()

    def _way(self, frame: str, place: Field) -> SE3 | Trajectory:
        if self.frames is None:
            self.frames = survey(contents_of(self.contents.path, _tells_frames)).frames
        ego_from_frame = self.frames.fixed(self.ego, frame)
        if ego_from_frame is not None:
            return ego_from_frame
        way = self.frames.moving(frame, self.ego)
        if way is None:
            raise place.error(f"no transform connects the frame {frame[:40]!r} of a box with {self.ego!r}")
        return carried_on(way, way.start_ns, way.end_ns)


def _tells_frames(type_name: str) -> bool:
    return ROLES.get(type_name) is Role.TRANSFORMS


def _with_told(plain: Annotation, told: dict[str, str], place: Field) -> Annotation:
    """With who made it and all else that our files say."""
    said: dict[str, Any] = {"source": told.get("source"), "locked": told.get("locked") == "true"}
    said |= {"score": float(told["score"])} if "score" in told else {}
    attributes = read_json_text(place.path, f"{place.where} {ATTACHMENT}", told[ATTACHMENT])
    kept = replace(plain, attributes={key: part.value for key, part in attributes.items()})
    return with_provenance(kept, Field(place.path, place.where, said))
