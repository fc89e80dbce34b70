"""What a format has no place for, as JSON beside it: everything of labels but their boxes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from formats.errors import FormatError
from formats.fields import Field
from fusion.labels import Annotation, Attributes, ImageBox, Json, LabelSet, Review, Source, Track

MOST_CHARACTERS = 1 << 20


@dataclass(frozen=True, slots=True)
class Extras:
    """What was kept beside the boxes of a label set.

    Attributes:
        tracks: by id, in order, without annotations.
        reviews: by id.
        attributes: of the whole set.
    """

    tracks: dict[str, Track] = field(default_factory=dict)
    reviews: dict[str, Review] = field(default_factory=dict)
    attributes: Attributes = field(default_factory=dict)

    def with_annotations(
        self, annotations: dict[str, dict[int, Annotation]], categories: dict[str, str]
    ) -> LabelSet:
        """The label set of what was kept and of annotations by track and instant."""
        kept = {
            id: Track(
                id,
                categories.get(id, track.category),
                annotations.get(id, {}),
                track.image_boxes,
                track.attributes,
            )
            for id, track in self.tracks.items()
        }
        new = {id: Track(id, categories[id], found) for id, found in annotations.items() if id not in kept}
        return LabelSet(kept | new, self.reviews, self.attributes)


def labels_extra(labels: LabelSet) -> dict[str, Any]:
    """Everything of a label set but its annotations."""
    return {
        "tracks": [track_extra(track) for track in labels.tracks.values()],
        "reviews": [
            {f.name: getattr(review, f.name) for f in fields(Review)} for review in labels.reviews.values()
        ],
        "attributes": dict(labels.attributes),
    }


def track_extra(track: Track) -> dict[str, Any]:
    """Everything of a track but its annotations."""
    boxes = [
        {
            "camera": camera,
            "timestamp_ns": timestamp_ns,
            "ltrb_px": [box.left_px, box.top_px, box.right_px, box.bottom_px],
            "source": str(box.source),
            "score": box.score,
            "attributes": dict(box.attributes),
        }
        for (camera, timestamp_ns), box in track.image_boxes.items()
    ]
    said: dict[str, Any] = {"id": track.id, "category": track.category}
    said |= {"attributes": dict(track.attributes)} if track.attributes else {}
    return said | ({"image_boxes": boxes} if boxes else {})


def read_extras(root: Field) -> Extras:
    """What `labels_extra` gave.

    Raises:
        FormatError: something else.
    """
    tracks = [_track(entry) for entry in _entries(root, "tracks")]
    reviews = [_review(entry) for entry in _entries(root, "reviews")]
    for key, ids in (("tracks", [t.id for t in tracks]), ("reviews", [r.id for r in reviews])):
        if len(set(ids)) < len(ids):
            raise root[key].error("two of them have one id")
    by_id = {track.id: track for track in tracks}
    return Extras(by_id, {review.id: review for review in reviews}, read_attributes(root))


def read_attributes(entry: Field) -> dict[str, Any]:
    """What stands under `attributes`, which may be missing.

    Raises:
        FormatError: no table of keys.
    """
    found = entry.get("attributes")
    return {key: part.value for key, part in found.items()} if found else {}


def read_source(entry: Field) -> Source:
    """What stands under `source`.

    Raises:
        FormatError: it is none.
    """
    try:
        return Source(entry["source"].text())
    except ValueError:
        raise entry["source"].error(f"must be one of {', '.join(Source)}") from None


def read_score(entry: Field) -> float | None:
    """What stands under `score`, which may be missing.

    Raises:
        FormatError: no number.
    """
    found = entry.get("score")
    return found.number() if found else None


def json_text(path: Path, where: str, value: Json | dict[str, Any]) -> str:
    """A value as JSON on one line.

    Raises:
        FormatError: it has none; names the file that was to be written.
    """
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise FormatError(path, where, f"cannot be written as JSON: {error}") from None


def read_json_text(path: Path, where: str, text: str, most: int = MOST_CHARACTERS) -> Field:
    """The root of a JSON text of so many characters at most that stands in a file.

    Raises:
        FormatError: no JSON, too long, or a number in it that is not finite.
    """

    def refuse(name: str) -> float:
        raise ValueError(f"{name} where a finite number is needed")

    if len(text) > most:
        raise FormatError(path, where, "too long for the attributes of one box")
    try:
        return Field(path, where, json.loads(text, parse_constant=refuse))
    except (ValueError, RecursionError) as error:
        raise FormatError(path, where, f"not JSON that can be read: {error}") from None


def _entries(root: Field, key: str) -> Iterable[Field]:
    return root[key].entries() if key in root else []


def _track(entry: Field) -> Track:
    boxes = dict(_image_box(box) for box in _entries(entry, "image_boxes"))
    id, category = entry["id"].text(), entry["category"].text()
    return Track(id, category, image_boxes=boxes, attributes=read_attributes(entry))


def _image_box(entry: Field) -> tuple[tuple[str, int], ImageBox]:
    left, top, right, bottom = entry["ltrb_px"].numbers(4)
    box = ImageBox(left, top, right, bottom, read_source(entry), read_score(entry), read_attributes(entry))
    return (entry["camera"].text(), entry["timestamp_ns"].whole()), box


def _review(entry: Field) -> Review:
    id, text, author, state = (entry[key].text() for key in ("id", "text", "author", "state"))
    track, instant = entry.get("track_id"), entry.get("timestamp_ns")
    about = track.text() if track else None
    return Review(id, text, author, state, about, instant.whole() if instant else None)
