"""What differs between two label sets, row by row: what is written, journalled, undone and merged."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from fusion.errors import EditError
from fusion.labels import Annotation, ImageBox, LabelSet, Track
from fusion.store.rows import (
    ANNOTATION,
    ATTRIBUTE,
    BOX,
    IMAGE_BOX,
    REVIEW,
    TABLES,
    TRACK,
    Row,
    Table,
    annotation_values,
    annotations_of,
    image_box_of,
    image_box_values,
    instant,
    json_of,
    json_text,
    plain_text,
    review_of,
    review_values,
    track_of,
    track_values,
)

K = TypeVar("K")
V = TypeVar("V")
NOTHING = Track("", "")
ROWS_AT_ONCE = 10_000


class Change(NamedTuple):
    """One row before and after; None where it is not there."""

    table: Table
    key: Row
    before: Row | None
    after: Row | None

    def undone(self) -> Change:
        """The change that takes this one back."""
        return Change(self.table, self.key, self.after, self.before)


def changes_between(before: LabelSet, after: LabelSet) -> Iterator[Change]:
    """The rows that differ; what is the same object on both sides is not looked into.

    Raises:
        EditError: the labels hold what cannot be kept: a number that is none, attributes that are no JSON.
    """
    yield from _compared(TRACK, _named, before.tracks, after.tracks, track_values)
    for track_id, old in before.tracks.items():
        new = after.tracks.get(track_id, NOTHING)
        if new is not old:
            yield from _inside(track_id, old, new)
    for track_id, new in after.tracks.items():
        if new.id != track_id:
            raise EditError(f"track {new.id} is filed under {track_id}")
        if track_id not in before.tracks:
            yield from _inside(track_id, NOTHING, new)
    yield from _compared(REVIEW, _named, before.reviews, after.reviews, review_values)
    yield from _compared(
        ATTRIBUTE,
        lambda name: (name,),
        before.attributes,
        after.attributes,
        lambda value: (json_text(value),),
    )


def _inside(track_id: str, before: Track, after: Track) -> Iterator[Change]:
    for timestamp_ns, annotation in after.annotations.items():
        if annotation.timestamp_ns != timestamp_ns:
            raise EditError(f"an annotation of track {track_id} is filed under another instant")

    def at(timestamp_ns: int) -> Row:
        return track_id, instant(timestamp_ns)

    def seen(key: tuple[str, int]) -> Row:
        return track_id, plain_text(key[0]), instant(key[1])

    yield from _compared(ANNOTATION, at, before.annotations, after.annotations, annotation_values)
    yield from _compared(IMAGE_BOX, seen, before.image_boxes, after.image_boxes, image_box_values)


def _named(id: str) -> Row:
    return (plain_text(id),)


def _compared(
    table: Table,
    key_of: Callable[[K], Row],
    before: Mapping[K, V],
    after: Mapping[K, V],
    values: Callable[[V], Row],
) -> Iterator[Change]:
    if before is after:
        return
    for key, old in before.items():
        if key not in after:
            yield Change(table, key_of(key), values(old), None)
    for key, new in after.items():
        if key not in before:
            yield Change(table, key_of(key), None, values(new))
        elif new is not before[key]:
            old_row, new_row = values(before[key]), values(new)
            if old_row != new_row:
                yield Change(table, key_of(key), old_row, new_row)


def apply_changes(labels: LabelSet, changes: Iterable[Change]) -> LabelSet:
    """The labels with the `after` of every change."""
    by_table: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        by_table[change.table.name].append(change)
    tracks = dict(labels.tracks)
    for change in by_table["track"]:
        _put_track(tracks, change.key[0], change.after)
    annotations, boxes = _annotations(by_table["annotation"]), _image_boxes(by_table["image_box"])
    for track_id in annotations.keys() | boxes.keys():
        if track_id in tracks:
            tracks[track_id] = _with(tracks[track_id], annotations[track_id], boxes[track_id])
    reviews, attributes = dict(labels.reviews), dict(labels.attributes)
    for change in by_table["review"]:
        id = change.key[0]
        _put(reviews, id, None if change.after is None else review_of(id, change.after))
    for change in by_table["attribute"]:
        attributes.pop(change.key[0], None)
        if change.after is not None:
            attributes[change.key[0]] = json_of(change.after[0])
    return LabelSet(tracks, reviews, attributes)


def _put_track(tracks: dict[str, Track], id: str, values: Row | None) -> None:
    old = tracks.get(id)
    if values is None:
        tracks.pop(id, None)
    elif old is None:
        tracks[id] = track_of(id, values)
    else:
        new = track_of(id, values)
        tracks[id] = replace(old, category=new.category, attributes=new.attributes)


def _annotations(changes: list[Change]) -> defaultdict[str, dict[int, Annotation | None]]:
    found: defaultdict[str, dict[int, Annotation | None]] = defaultdict(dict)
    rows = [(c.key[1], c.after) for c in changes if c.after is not None]
    put = iter(annotations_of(rows))
    for change in changes:
        value = None if change.after is None else next(put)
        found[change.key[0]][change.key[1]] = value
    return found


def _image_boxes(changes: list[Change]) -> defaultdict[str, dict[tuple[str, int], ImageBox | None]]:
    found: defaultdict[str, dict[tuple[str, int], ImageBox | None]] = defaultdict(dict)
    for change in changes:
        track_id, camera, timestamp_ns = change.key
        value = None if change.after is None else image_box_of(change.after)
        found[track_id][camera, timestamp_ns] = value
    return found


def _with(
    track: Track,
    annotations: Mapping[int, Annotation | None],
    image_boxes: Mapping[tuple[str, int], ImageBox | None],
) -> Track:
    new_annotations = {**track.annotations, **annotations}
    new_boxes = {**track.image_boxes, **image_boxes}
    return replace(
        track,
        annotations={t: a for t, a in new_annotations.items() if a is not None},
        image_boxes={key: box for key, box in new_boxes.items() if box is not None},
    )


def _put(things: dict[K, V], key: K, value: V | None) -> None:
    if value is None:
        things.pop(key, None)
    else:
        things[key] = value


def batches(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Some of them at a time."""
    rest = iter(changes)
    while some := list(islice(rest, ROWS_AT_ONCE)):
        yield some


def to_json(changes: Iterable[Change]) -> str:
    """Changes as the journal keeps them: [table, key, before, after] each, boxes as 15 numbers."""
    parts: list[str] = []
    for some in batches(changes):
        rows = [(c.table.name, c.key, c.before, c.after) for c in some]
        text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"), default=BOX.unpack)
        parts += [",", text[1:-1]]
    return "".join(["[", *parts[1:], "]"])


def from_json(text: str) -> list[Change]:
    """Changes from the journal."""
    return [Change(TABLES[t], tuple(key), _row(b), _row(a)) for t, key, b, a in json.loads(text)]


def _row(values: list[Any] | None) -> Row | None:
    if values is None:
        return None
    return tuple(BOX.pack(*value) if isinstance(value, list) else value for value in values)
