"""What is claimed about a log: tracks of annotations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from fusion.boxes import Box3D

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Attributes = Mapping[str, Json]

# In which automation says why somebody should look at a box, and how sure it is of it.
LOOK, CONFIDENCE = "look", "confidence"


class Source(StrEnum):
    """Where an annotation comes from."""

    HUMAN = "human"
    AUTO = "auto"
    INTERPOLATED = "interpolated"
    IMPORTED = "imported"


def _read_only(owner: object, *names: str) -> None:
    for name in names:
        value = getattr(owner, name)
        if not isinstance(value, MappingProxyType):
            object.__setattr__(owner, name, MappingProxyType(dict(value)))


@dataclass(frozen=True, slots=True)
class Annotation:
    """One object at one instant.

    Attributes:
        timestamp_ns: a frame of the log.
        box: in the ego frame at that instant.
        source: who made it.
        score: confidence in 0..1 where there is one.
        locked: confirmed by a person; automation leaves it alone.
        attributes: what a format or a person says beside the box.
    """

    timestamp_ns: int
    box: Box3D
    source: Source = Source.HUMAN
    score: float | None = None
    locked: bool = False
    attributes: Attributes = field(default_factory=dict)

    def __post_init__(self) -> None:
        _read_only(self, "attributes")


@dataclass(frozen=True, slots=True)
class ImageBox:
    """A rectangle around an object in one image; pixel centres are whole numbers.

    Attributes:
        left_px: smallest u.
        top_px: smallest v.
        right_px: largest u.
        bottom_px: largest v.
        source: who made it.
        score: confidence where there is one.
        attributes: anything else.
    """

    left_px: float
    top_px: float
    right_px: float
    bottom_px: float
    source: Source = Source.HUMAN
    score: float | None = None
    attributes: Attributes = field(default_factory=dict)

    def __post_init__(self) -> None:
        _read_only(self, "attributes")


@dataclass(frozen=True, slots=True)
class Track:
    """One object over time.

    Attributes:
        id: unique within its label set.
        category: class name as the project or the data set calls it.
        annotations: by timestamp, in order of time.
        image_boxes: by (camera, timestamp of the image).
        attributes: of the object as a whole.
    """

    id: str
    category: str
    annotations: Mapping[int, Annotation] = field(default_factory=dict)
    image_boxes: Mapping[tuple[str, int], ImageBox] = field(default_factory=dict)
    attributes: Attributes = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.annotations, MappingProxyType):
            ordered = {t: self.annotations[t] for t in sorted(self.annotations)}
            object.__setattr__(self, "annotations", MappingProxyType(ordered))
        _read_only(self, "image_boxes", "attributes")

    @classmethod
    def of(
        cls, id: str, category: str, annotations: Iterable[Annotation], attributes: Attributes | None = None
    ) -> Track:
        """From annotations in any order; of two at one instant the later counts."""
        return cls(id, category, {a.timestamp_ns: a for a in annotations}, attributes=attributes or {})

    def with_annotations(self, annotations: Iterable[Annotation]) -> Track:
        """The track with these put in, in place of what stood at their instants."""
        return replace(self, annotations={**self.annotations, **{a.timestamp_ns: a for a in annotations}})

    def without(self, timestamps_ns: Iterable[int]) -> Track:
        """The track with nothing at these instants."""
        gone = set(timestamps_ns)
        return replace(self, annotations={t: a for t, a in self.annotations.items() if t not in gone})


@dataclass(frozen=True, slots=True)
class Review:
    """What a person says of a box, a frame or a track.

    Attributes:
        id: unique within its label set.
        text: the comment.
        author: who said it.
        state: open, resolved, accepted or rejected.
        track_id: the track it is about, if it is about one.
        timestamp_ns: the frame it is about, if it is about one.
    """

    id: str
    text: str
    author: str
    state: str = "open"
    track_id: str | None = None
    timestamp_ns: int | None = None


@dataclass(frozen=True, slots=True)
class LabelSet:
    """All tracks of one log.

    Attributes:
        tracks: by id.
        reviews: comments by id.
        attributes: what a format says of the whole set.
    """

    tracks: Mapping[str, Track] = field(default_factory=dict)
    reviews: Mapping[str, Review] = field(default_factory=dict)
    attributes: Attributes = field(default_factory=dict)

    def __post_init__(self) -> None:
        _read_only(self, "tracks", "reviews", "attributes")

    @classmethod
    def of(cls, tracks: Iterable[Track]) -> LabelSet:
        """From tracks that know their ids."""
        return cls({track.id: track for track in tracks})

    @property
    def annotation_count(self) -> int:
        """Number of annotations of all tracks."""
        return sum(len(track.annotations) for track in self.tracks.values())

    def at(self, timestamp_ns: int) -> Iterator[tuple[Track, Annotation]]:
        """Every object of one frame."""
        for track in self.tracks.values():
            annotation = track.annotations.get(timestamp_ns)
            if annotation is not None:
                yield track, annotation

    def timestamps_ns(self) -> list[int]:
        """Every instant at which something is labelled, in order."""
        return sorted({t for track in self.tracks.values() for t in track.annotations})

    def with_track(self, track: Track) -> LabelSet:
        """The set with this track put in, in place of one of the same id."""
        return replace(self, tracks={**self.tracks, track.id: track})

    def without_track(self, track_id: str) -> LabelSet:
        """The set without a track."""
        return replace(self, tracks={id: track for id, track in self.tracks.items() if id != track_id})
