"""What a conversion loses: measured by reading back, never assumed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

import numpy as np

from calib.types import F64
from fusion.boxes import Box3D
from fusion.labels import Annotation, ImageBox, LabelSet, Track

# Centres so near each other, in metres or pixels, may be of one object; so many of a track are asked.
ALIKE, VOTES = 0.05, 20
SIDES, WITHIN_PX = ("left_px", "top_px", "right_px", "bottom_px"), 1e-6

Instant = tuple[str, int]


class Part(StrEnum):
    """A part of a label set that a format may have no place for."""

    BOXES = "boxes"
    PLACES = "places and sizes of boxes"
    IDS = "ids of tracks"
    CATEGORIES = "categories"
    ATTRIBUTES = "attributes"
    SOURCES = "who made a box"
    SCORES = "scores"
    LOCKS = "locks"
    IMAGE_BOXES = "image boxes"
    REVIEWS = "reviews"


@dataclass(frozen=True, slots=True)
class Loss:
    """What of one part did not come back.

    Attributes:
        part: of the label set.
        count: how many did not come back as they were.
        of: how many there were.
        first: one of them, in words.
    """

    part: Part
    count: int
    of: int
    first: str


def losses(before: LabelSet, after: LabelSet, within_m: float = 1e-9) -> list[Loss]:
    """What of one label set another does not say, as when it was written and read back.

    A track whose id is unknown is looked for by its boxes, so a format that numbers tracks anew loses their
    ids and nothing else. What the other says beyond is no loss.

    Args:
        before: what was written.
        after: what came back.
        within_m: how far a corner of a box may come to lie from where it was.
    """
    counts: Counter[Part] = Counter()
    lost: Counter[Part] = Counter()
    first: dict[Part, str] = {}
    for part, kept, words in _compared(before, after, within_m):
        counts[part] += 1
        if not kept:
            lost[part] += 1
            first.setdefault(part, words)
    return [Loss(part, lost[part], counts[part], first[part]) for part in Part if lost[part]]


def _compared(before: LabelSet, after: LabelSet, within_m: float) -> Iterator[tuple[Part, bool, str]]:
    twins = _twins(before, after)
    for track in before.tracks.values():
        yield from _track_compared(track, twins.get(track.id), within_m)
    for key, review in before.reviews.items():
        yield Part.REVIEWS, after.reviews.get(key) == review, f"review {key}"
    for name, value in before.attributes.items():
        yield Part.ATTRIBUTES, after.attributes.get(name) == value, f"{name} of the label set"


def _track_compared(track: Track, twin: Track | None, within_m: float) -> Iterator[tuple[Part, bool, str]]:
    name = f"track {track.id}"
    yield Part.IDS, twin is not None and twin.id == track.id, name
    if twin is None:
        twin = Track(track.id, track.category, attributes=track.attributes)
    yield Part.CATEGORIES, twin.category == track.category, f"{name}: {track.category}"
    yield from _said(track.attributes, twin.attributes, name)
    for key, seen in track.image_boxes.items():
        yield (
            Part.IMAGE_BOXES,
            _same_rectangle(seen, twin.image_boxes.get(key)),
            f"{name} in {key[0]} at {key[1]} ns",
        )
    for time_ns, one in track.annotations.items():
        back = twin.annotations.get(time_ns)
        yield Part.BOXES, back is not None, f"{name} at {time_ns} ns"
        if back is not None:
            yield from _box_compared(one, back, f"{name} at {time_ns} ns", within_m)


def _box_compared(
    one: Annotation, back: Annotation, name: str, within_m: float
) -> Iterator[tuple[Part, bool, str]]:
    apart_m = _apart_m(one.box, back.box)
    yield Part.PLACES, apart_m <= within_m, f"{name}: {apart_m:.3g} m off"
    yield Part.SOURCES, one.source == back.source, f"{name}: {one.source} became {back.source}"
    if one.score is not None:
        yield Part.SCORES, one.score == back.score, f"{name}: {one.score:g}"
    if one.locked:
        yield Part.LOCKS, back.locked, name
    yield from _said(one.attributes, back.attributes, name)


def _said(
    attributes: Mapping[str, object], back: Mapping[str, object], name: str
) -> Iterator[tuple[Part, bool, str]]:
    for key, value in attributes.items():
        yield Part.ATTRIBUTES, key in back and back[key] == value, f"{key} of {name}"


def _apart_m(one: Box3D, other: Box3D) -> float:
    return float(np.abs(one.corners() - other.corners()).max())


def _same_rectangle(one: ImageBox, back: ImageBox | None) -> bool:
    if back is None or (one.source, one.score) != (back.source, back.score):
        return False
    apart_px = [abs(getattr(one, side) - getattr(back, side)) for side in SIDES]
    return max(apart_px) <= WITHIN_PX and all(back.attributes.get(k) == v for k, v in one.attributes.items())


def _twins(before: LabelSet, after: LabelSet) -> dict[str, Track]:
    """The track of `after` that each track of `before` became, by its id or else by its boxes."""
    twins = {id: after.tracks[id] for id in before.tracks if id in after.tracks}
    strangers: dict[Instant, list[tuple[F64, str]]] = {}
    for track in after.tracks.values():
        for instant, center in _marks(track) if track.id not in twins else ():
            strangers.setdefault(instant, []).append((center, track.id))
    for id in sorted(before.tracks.keys() - twins.keys()):
        votes: Counter[str] = Counter()
        for instant, center in islice(_marks(before.tracks[id]), VOTES):
            near = ((float(np.abs(other - center).max()), name) for other, name in strangers.get(instant, ()))
            apart, name = min(near, default=(np.inf, ""))
            votes[name] += apart < ALIKE
        if votes:
            name, count = votes.most_common(1)[0]
            if count:
                twins[id] = after.tracks[name]
    return twins


def _marks(track: Track) -> Iterator[tuple[Instant, F64]]:
    """Where a track is when: centres in metres of its boxes, and in pixels of what images show."""
    for time_ns, one in track.annotations.items():
        yield ("", time_ns), one.box.center
    for key, seen in track.image_boxes.items():
        yield key, np.array([seen.left_px + seen.right_px, seen.top_px + seen.bottom_px]) / 2
