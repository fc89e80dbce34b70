"""What changed from one label set to another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from fusion.agreement.aspects import (
    annotation_aspects,
    attribute_aspects,
    changed,
    rectangle_aspects,
)
from fusion.agreement.difference import Aspect, Deed, Difference, Made, Tolerance, What
from fusion.agreement.same import SameTracks, same_tracks
from fusion.labels import Annotation, ImageBox, Json, LabelSet, Review, Track
from fusion.store import Entry
from fusion.store.rows import Row

History = Mapping[tuple[str, Row], Entry]
EXACT = Tolerance()
NO_REVIEW = Review("", "", "")
_Sourced = Annotation | ImageBox
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Diff:
    """All that differs between two label sets.

    Attributes:
        differences: tracks with what they hold, then reviews, then what is said of the set.
        same: which track is which.
    """

    differences: tuple[Difference, ...]
    same: SameTracks

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def counts(self) -> dict[str, int]:
        """How many things of each kind were added, removed and changed, such as `box changed`."""
        found = Counter(f"{one.what.value} {one.deed.value}" for one in self.differences)
        order = [f"{what.value} {deed.value}" for what in What for deed in Deed]
        return {name: found[name] for name in order if found[name]}

    def aspect_counts(self, what: What) -> dict[str, int]:
        """In how many changed things of a kind each aspect differs."""
        changes = (one for one in self.differences if one.what is what and one.deed is Deed.CHANGED)
        return dict(Counter(aspect.name for one in changes for aspect in one.aspects).most_common())

    def amounts(self, name: str) -> list[float]:
        """How much an aspect of boxes differs, wherever it does."""
        found = (one.amount(name) for one in self.differences if one.what is What.BOX)
        return [amount for amount in found if amount is not None]


@dataclass(frozen=True, slots=True)
class _Histories:
    """Who made what in both sets."""

    a: History
    b: History

    def a_and_b(
        self, table: str, key_a: Row, key_b: Row, *things: _Sourced | None
    ) -> tuple[Made | None, ...]:
        """Who made the first set's thing and the second's, where that is known."""
        was, says = things or (None, None)
        return _made(self.a.get((table, key_a)), was), _made(self.b.get((table, key_b)), says)


def _made(entry: Entry | None, thing: _Sourced | None) -> Made | None:
    source = None if thing is None else thing.source
    if entry is None:
        return None if source is None else Made(source)
    return Made(source, entry.author, entry.time_ns)


def diff(
    a: LabelSet,
    b: LabelSet,
    *,
    tolerance: Tolerance = EXACT,
    same: SameTracks | None = None,
    history_a: History | None = None,
    history_b: History | None = None,
) -> Diff:
    """Every track, box, rectangle, review and attribute that one set lacks or says differently.

    Args:
        a: the first set: what was.
        b: the second: what is.
        tolerance: what is so small that it is no difference.
        same: which track is which; by ids, then by overlap, unless given.
        history_a: who made what, as `LabelStore.last_edits` tells.
        history_b: the same of the second.
    """
    same = same_tracks(a, b) if same is None else same
    told = _Histories(history_a or {}, history_b or {})
    partners = {a_id: b_id for b_id in b.tracks if (a_id := same.partner(b_id)) is not None}
    found: list[Difference] = []
    for a_id, track in a.tracks.items():
        if a_id in partners:
            found += _track_differences(track, b.tracks[partners[a_id]], tolerance, told)
            continue
        made_a, made_b = told.a_and_b("track", (a_id,), (a_id,))
        if a_id in b.tracks:  # another object, whose maker did not remove this one
            made_b = None
        gone = Difference(What.TRACK, Deed.REMOVED, a_id, aspects=_held(track), made_a=made_a, made_b=made_b)
        found.append(gone)
    for b_id, track in b.tracks.items():
        if same.partner(b_id) is None:
            made_b = told.a_and_b("track", (b_id,), (b_id,))[1]
            found.append(Difference(What.TRACK, Deed.ADDED, b_id=b_id, aspects=_held(track), made_b=made_b))
    found += _review_differences(a, b, partners, told)
    said = attribute_aspects(a.attributes, b.attributes)
    return Diff((*found, *([Difference(What.SET, Deed.CHANGED, aspects=said)] if said else [])), same)


def _held(track: Track) -> tuple[Aspect, ...]:
    """What a track holds that one set lacks."""
    sources = Counter(annotation.source.value for annotation in track.annotations.values())
    held: dict[str, Json] = {
        "category": track.category,
        "boxes": len(track.annotations),
        "rectangles": len(track.image_boxes),
        "locked": sum(annotation.locked for annotation in track.annotations.values()),
        "sources": ", ".join(f"{count} {name}" for name, count in sources.most_common()),
    }
    return tuple(Aspect(name, None, value) for name, value in held.items() if value)


def _track_differences(a: Track, b: Track, tolerance: Tolerance, told: _Histories) -> Iterator[Difference]:
    if a is b:
        return
    aspects = (
        *changed("id", a.id, b.id),
        *changed("category", a.category, b.category),
        *attribute_aspects(a.attributes, b.attributes),
    )
    if aspects:
        by = told.a_and_b("track", (a.id,), (b.id,))
        yield Difference(What.TRACK, Deed.CHANGED, a.id, b.id, aspects=aspects, made_a=by[0], made_b=by[1])
    yield from _box_differences(a, b, tolerance, told)
    yield from _rectangle_differences(a, b, tolerance, told)


def _box_differences(a: Track, b: Track, tolerance: Tolerance, told: _Histories) -> Iterator[Difference]:
    aspects = annotation_aspects(a, b, tolerance)
    for instant, deed in _deeds(a.annotations, b.annotations, aspects):
        boxes = a.annotations.get(instant), b.annotations.get(instant)
        by = told.a_and_b("annotation", (a.id, instant), (b.id, instant), *boxes)
        yield Difference(
            What.BOX,
            deed,
            a.id,
            b.id,
            timestamp_ns=instant,
            aspects=aspects.get(instant, ()),
            made_a=by[0],
            made_b=by[1],
        )


def _rectangle_differences(
    a: Track, b: Track, tolerance: Tolerance, told: _Histories
) -> Iterator[Difference]:
    aspects = rectangle_aspects(a, b, tolerance)
    for key, deed in _deeds(a.image_boxes, b.image_boxes, aspects):
        boxes = a.image_boxes.get(key), b.image_boxes.get(key)
        by = told.a_and_b("image_box", (a.id, *key), (b.id, *key), *boxes)
        yield Difference(
            What.RECTANGLE,
            deed,
            a.id,
            b.id,
            timestamp_ns=key[1],
            camera=key[0],
            aspects=aspects.get(key, ()),
            made_a=by[0],
            made_b=by[1],
        )


def _deeds(a: Mapping[K, object], b: Mapping[K, object], differing: Iterable[K]) -> Iterator[tuple[K, Deed]]:
    yield from ((key, Deed.REMOVED) for key in a if key not in b)
    yield from ((key, Deed.ADDED) for key in b if key not in a)
    yield from ((key, Deed.CHANGED) for key in differing)


def _review_differences(
    a: LabelSet, b: LabelSet, partners: Mapping[str, str], told: _Histories
) -> Iterator[Difference]:
    for id in dict.fromkeys((*a.reviews, *b.reviews)):
        deed, aspects = _review_change(a.reviews.get(id), b.reviews.get(id), partners)
        if not aspects:
            continue
        was, says = a.reviews.get(id, NO_REVIEW), b.reviews.get(id, NO_REVIEW)
        by = told.a_and_b("review", (id,), (id,))
        yield Difference(
            What.REVIEW,
            deed,
            was.track_id,
            says.track_id,
            timestamp_ns=was.timestamp_ns if deed is Deed.REMOVED else says.timestamp_ns,
            review_id=id,
            aspects=aspects,
            made_a=by[0],
            made_b=by[1],
        )


def _review_change(
    a: Review | None, b: Review | None, partners: Mapping[str, str]
) -> tuple[Deed, tuple[Aspect, ...]]:
    if a is None:
        return Deed.ADDED, () if b is None else changed("text", None, b.text)
    if b is None:
        return Deed.REMOVED, changed("text", a.text, None)
    return Deed.CHANGED, _review_aspects(a, b, partners)


def _review_aspects(a: Review, b: Review, partners: Mapping[str, str]) -> tuple[Aspect, ...]:
    moved_along = a.track_id is not None and partners.get(a.track_id) == b.track_id
    return (
        *changed("text", a.text, b.text),
        *changed("author", a.author, b.author),
        *changed("state", a.state, b.state),
        *(() if moved_along else changed("track", a.track_id, b.track_id)),
        *changed("frame", a.timestamp_ns, b.timestamp_ns),
    )


def largest(amounts: list[float]) -> tuple[float, float, float]:
    """Median, 95th percentile and maximum; NaN of nothing."""
    if not amounts:
        return np.nan, np.nan, np.nan
    median, p95, most = np.percentile(amounts, (50, 95, 100))
    return float(median), float(p95), float(most)
