"""Labels as rows of plain values and back, exact to the bit."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from calib.se3 import SE3Batch
from calib.types import F64
from fusion.boxes import Box3D
from fusion.errors import EditError
from fusion.labels import Annotation, Attributes, ImageBox, Json, Review, Source, Track

# Of None, int, float, str and bytes.
Row = tuple[Any, ...]

# A box is a rotation row by row, a centre, and length, width, height: SQLite's own numbers would lose
# the sign of zero, and with it the side of a heading of pi.
BOX = struct.Struct("<15d")
NO_ATTRIBUTES: Attributes = MappingProxyType({})
SOURCES = {source.value: source for source in Source}
ENCODER = json.JSONEncoder(allow_nan=False, ensure_ascii=False)
# What reads back as it was written, without a look.
PLAIN = (str, int, float, bool, type(None))


@dataclass(frozen=True, slots=True)
class Table:
    """A kind of row: the columns that name a thing and those that say what it is."""

    name: str
    keys: tuple[str, ...]
    values: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """All of them, in the order of the rows."""
        return self.keys + self.values


TRACK = Table("track", ("id",), ("category", "attributes"))
ANNOTATION = Table(
    "annotation", ("track_id", "timestamp_ns"), ("box", "source", "score", "locked", "attributes")
)
IMAGE_BOX = Table(
    "image_box",
    ("track_id", "camera", "timestamp_ns"),
    ("left_px", "top_px", "right_px", "bottom_px", "source", "score", "attributes"),
)
REVIEW = Table("review", ("id",), ("text", "author", "state", "track_id", "timestamp_ns"))
ATTRIBUTE = Table("attribute", ("name",), ("value",))
TABLES = {table.name: table for table in (TRACK, ANNOTATION, IMAGE_BOX, REVIEW, ATTRIBUTE)}


def track_values(track: Track) -> Row:
    """What a track says of the object as a whole."""
    return plain_text(track.category), attributes_text(track.attributes)


def annotation_values(annotation: Annotation) -> Row:
    """One annotation; EditError for what cannot be kept."""
    box = annotation.box
    ego_from_box = box.ego_from_box
    size = struct.pack("<3d", box.length_m, box.width_m, box.height_m)
    return (
        _bytes(ego_from_box.rotation) + _bytes(ego_from_box.translation) + size,
        str(annotation.source),
        _score(annotation.score),
        int(annotation.locked),
        attributes_text(annotation.attributes),
    )


def image_box_values(box: ImageBox) -> Row:
    """One rectangle; EditError for what cannot be kept."""
    sides = [float(side) for side in (box.left_px, box.top_px, box.right_px, box.bottom_px)]
    if not all(map(math.isfinite, sides)):
        raise EditError(f"a rectangle has a side that is no number: {sides}")
    return *sides, str(box.source), _score(box.score), attributes_text(box.attributes)


def review_values(review: Review) -> Row:
    """One review; EditError for what cannot be kept."""
    about = None if review.track_id is None else plain_text(review.track_id)
    when_ns = None if review.timestamp_ns is None else instant(review.timestamp_ns)
    return plain_text(review.text), plain_text(review.author), plain_text(review.state), about, when_ns


def plain_text(text: str) -> str:
    """The same text; EditError where it is no Unicode."""
    try:
        text.encode()
    except (UnicodeEncodeError, AttributeError) as error:
        raise EditError(f"not a text that can be kept: {text!r}") from error
    return text


def json_text(value: Json) -> str:
    """A value as JSON that reads back as the same; EditError where there is none."""
    try:
        text = ENCODER.encode(value)
        same = _reads_back(value) or json.loads(text) == value
    except (ValueError, TypeError, RecursionError) as error:
        raise EditError(f"attributes must be JSON: {error}") from error
    if not same:
        raise EditError(f"attributes must be JSON, with text for keys and lists for sequences: {text[:80]}")
    return plain_text(text)


def _reads_back(value: object) -> bool:
    """Whether it is made of nothing but what JSON itself knows."""
    kind = type(value)
    if kind is dict:
        assert isinstance(value, dict)
        return all(type(key) is str and _reads_back(one) for key, one in value.items())
    if kind is list:
        assert isinstance(value, list)
        return all(map(_reads_back, value))
    return kind in PLAIN


def attributes_text(attributes: Attributes) -> str:
    """Attributes as JSON; EditError where they are none."""
    return json_text(dict(attributes)) if attributes else "{}"


def instant(timestamp_ns: int) -> int:
    """The same instant as a plain int; EditError where it does not fit 64 bits."""
    plain = int(timestamp_ns)
    if plain != timestamp_ns or not -(2**63) <= plain < 2**63:
        raise EditError(f"{timestamp_ns} is no instant in whole nanoseconds of 64 bits")
    return plain


def track_of(track_id: str, values: Row) -> Track:
    """A track without anything in it yet."""
    category, attributes = values
    return Track(track_id, category, attributes=read_attributes(attributes))


def annotations_of(rows: Sequence[tuple[int, Row]]) -> list[Annotation]:
    """Annotations of (instant, values), all boxes in one go."""
    boxes = _boxes([values[0] for _, values in rows])
    return [
        Annotation(t, box, SOURCES[source], score, bool(locked), read_attributes(text))
        for box, (t, (_, source, score, locked, text)) in zip(boxes, rows, strict=True)
    ]


def image_box_of(values: Row) -> ImageBox:
    """One rectangle."""
    left_px, top_px, right_px, bottom_px, source, score, text = values
    return ImageBox(left_px, top_px, right_px, bottom_px, SOURCES[source], score, read_attributes(text))


def review_of(review_id: str, values: Row) -> Review:
    """One review."""
    text, author, state, track_id, timestamp_ns = values
    return Review(review_id, text, author, state, track_id, timestamp_ns)


def json_of(text: str) -> Json:
    """A value from its JSON."""
    value: Json = json.loads(text)
    return value


def read_attributes(text: str) -> Attributes:
    """Attributes from their JSON; one object stands for all that say nothing."""
    if text == "{}":
        return NO_ATTRIBUTES
    attributes = json.loads(text)
    if not isinstance(attributes, Mapping):
        raise ValueError(f"attributes that are no JSON object: {text!r}")
    return MappingProxyType(dict(attributes))


def _bytes(numbers: F64) -> bytes:
    return numbers.astype("<f8", copy=False).tobytes()


def _boxes(blobs: Sequence[bytes]) -> list[Box3D]:
    if any(len(blob) != BOX.size for blob in blobs):
        raise ValueError(f"a box that is not of {BOX.size} bytes")
    numbers = np.frombuffer(b"".join(blobs), dtype="<f8").reshape(-1, 15)
    ego_from_boxes = SE3Batch(numbers[:, :9].reshape(-1, 3, 3), numbers[:, 9:12])
    sizes = numbers[:, 12:].tolist()
    return [Box3D(ego_from_box, *size) for ego_from_box, size in zip(ego_from_boxes, sizes, strict=True)]


def _score(score: float | None) -> float | None:
    if score is None:
        return None
    if not math.isfinite(score):
        raise EditError(f"a score must be a number, not {score}")
    return float(score)
