"""Merging one track, box by box."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from operator import eq

import numpy as np

from fusion.agreement.aspects import annotation_aspects
from fusion.agreement.conflict import (
    Conflict,
    Place,
    Side,
    Versions,
    annotation_json,
    image_box_json,
    track_json,
)
from fusion.agreement.difference import Aspect, Tolerance, What
from fusion.agreement.threeway import (
    Chooser,
    equal_annotations,
    equal_boxes,
    firmness,
    merged_annotation,
    merged_attributes,
    three_way,
)
from fusion.labels import Annotation, ImageBox, Json, Track

GivenUp = tuple[str, int]
NOTHING = Track("", "")


@dataclass(slots=True)
class TrackMerger:
    """Merges tracks one after the other and keeps account.

    Attributes:
        chooser: decides conflicts.
        tolerance: boxes that differ by less are one place.
        conflicts: found so far.
        counts: boxes by where they come from.
        given_up: locked boxes that one side changed on purpose.
    """

    chooser: Chooser
    tolerance: Tolerance
    conflicts: list[Conflict] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    given_up: list[GivenUp] = field(default_factory=list)

    def merged(self, base: Track | None, a: Track | None, b: Track | None) -> Track | None:
        """The track of both; None where it is gone."""
        if a is not None and b is not None:
            return self._both(base, a, b)
        one, side = (a, "a") if a is not None else (b, "b")
        if one is None:
            return None
        if base is None:
            self.counts[side] += len(one.annotations)
            return one
        if _equal_tracks(one, base):
            self.counts[f"removed by {'b' if side == 'a' else 'a'}"] += len(one.annotations)
            self.given_up += [(one.id, x.timestamp_ns) for x in one.annotations.values() if x.locked]
            return None
        return self._removed_or_changed(base, a, b, one)

    def _removed_or_changed(self, base: Track, a: Track | None, b: Track | None, one: Track) -> Track | None:
        """One side removed what the other went on with: locked boxes stay in any case."""
        side, why = self.chooser.side("track", (one.id,))
        kept: Track | None = one if (a if side == "a" else b) is one else None
        locked = {t: annotation for t, annotation in one.annotations.items() if annotation.locked}
        if kept is None and locked:
            kept, why = replace(one, annotations=locked, image_boxes={}), "locked"
        self.counts["conflict"] += len(one.annotations)
        words = f"removed by {'A' if a is None else 'B'}, changed by {'B' if a is None else 'A'}"
        versions = Versions(track_json(a), track_json(b), track_json(base))
        taken: Side = "a" if (kept is None) == (a is None) else "b"
        place = Place(one.id, next(iter(one.annotations), None))
        self.conflicts.append(Conflict(What.TRACK, "removed", place, words, versions, taken, why))
        return kept

    def _both(self, base: Track | None, a: Track, b: Track) -> Track | None:
        if a is b:
            self.counts["same"] += len(a.annotations)
            return a
        began = base or NOTHING
        annotations = [
            self._annotation(a.id, began.annotations.get(t), a.annotations.get(t), b.annotations.get(t))
            for t in sorted({*a.annotations, *b.annotations})
        ]
        image_boxes = {
            key: box
            for key in dict.fromkeys((*a.image_boxes, *b.image_boxes))
            if (box := self._image_box(key, began, a, b)) is not None
        }
        track = Track(
            a.id,
            self._category(base, a, b),
            {x.timestamp_ns: x for x in annotations if x is not None},
            image_boxes,
            self._attributes(began, a, b),
        )
        emptied = not track.annotations and not track.image_boxes
        return None if emptied and not _empty(a) and not _empty(b) else track

    def _annotation(
        self, track_id: str, base: Annotation | None, a: Annotation | None, b: Annotation | None
    ) -> Annotation | None:
        one = a or b
        assert one is not None  # the instant is of one of the two
        side, why = self.chooser.side("annotation", (track_id, one.timestamp_ns), a, b)
        value, origin, clashes = merged_annotation(base, a, b, side, self.tolerance)
        self.counts[f"removed by {origin}" if value is None and not clashes else origin] += 1
        if base is not None and base.locked and origin in ("a", "b") and not _kept(base, value):
            self.given_up.append((track_id, one.timestamp_ns))
        if clashes:
            words, amount_m = _words(a, b, clashes)
            versions = Versions(annotation_json(a), annotation_json(b), annotation_json(base))
            place, aspect = Place(track_id, one.timestamp_ns), ", ".join(clashes)
            self.conflicts.append(Conflict(What.BOX, aspect, place, words, versions, side, why, amount_m))
        return value

    def _image_box(self, key: tuple[str, int], base: Track, a: Track, b: Track) -> ImageBox | None:
        boxes = base.image_boxes.get(key), a.image_boxes.get(key), b.image_boxes.get(key)
        settled = three_way(*boxes, eq)
        if settled.origin != "conflict":
            return settled.value
        side, why = self.chooser.side("image_box", (a.id, *key))
        was, one, other = (image_box_json(box) for box in boxes)
        place = Place(a.id, camera=key[0], timestamp_ns=key[1])
        words = "removed by one, changed by the other" if None in boxes[1:] else "another rectangle"
        versions = Versions(one, other, was)
        self.conflicts.append(Conflict(What.RECTANGLE, "rectangle", place, words, versions, side, why))
        return boxes[1] if side == "a" else boxes[2]

    def _category(self, base: Track | None, a: Track, b: Track) -> str:
        was = None if base is None else base.category
        settled = three_way(was, a.category, b.category, eq)
        if settled.value is not None:
            return settled.value
        side, why = self._track_side(a, b)
        place = Place(a.id, next(iter((*a.annotations, *b.annotations)), None))
        words = f"{a.category} in A, {b.category} in B"
        versions = Versions(a.category, b.category, was)
        self.conflicts.append(Conflict(What.TRACK, "category", place, words, versions, side, why))
        return a.category if side == "a" else b.category

    def _attributes(self, base: Track, a: Track, b: Track) -> dict[str, Json]:
        side, why = self._track_side(a, b)
        merged, origins = merged_attributes(base.attributes, a.attributes, b.attributes, side)
        for name in (name for name, origin in origins.items() if origin == "conflict"):
            versions = Versions(*(one.attributes.get(name) for one in (a, b, base)))
            words = f"{versions.a!r} in A, {versions.b!r} in B"
            found = Conflict(What.TRACK, f"attribute {name}", Place(a.id), words, versions, side, why)
            self.conflicts.append(found)
        return merged

    def _track_side(self, a: Track, b: Track) -> tuple[Side, str]:
        """What is said of a whole track goes with its surest box."""
        return self.chooser.side("track", (a.id,), _surest(a), _surest(b))


def _surest(track: Track) -> Annotation | None:
    return max(track.annotations.values(), key=firmness, default=None)


def _empty(track: Track) -> bool:
    return not track.annotations and not track.image_boxes


def _equal_tracks(a: Track, b: Track) -> bool:
    if (a.category, dict(a.attributes), dict(a.image_boxes)) != (
        b.category,
        dict(b.attributes),
        dict(b.image_boxes),
    ):
        return False
    return a.annotations.keys() == b.annotations.keys() and all(
        equal_annotations(annotation, b.annotations[t]) for t, annotation in a.annotations.items()
    )


def _kept(locked: Annotation, now: Annotation | None) -> bool:
    """Whether a locked box is still locked and where it was."""
    return now is not None and now.locked and equal_boxes(now.box, locked.box)


def _words(a: Annotation | None, b: Annotation | None, clashes: Iterable[str]) -> tuple[str, float]:
    """How two boxes differ, in a line, and how far they are apart."""
    if a is None or b is None:
        gone, changed = ("A", "B") if a is None else ("B", "A")
        return f"removed by {gone}, changed by {changed}", np.inf
    one, other = (Track.of("", "", [annotation]) for annotation in (a, b))
    aspects = annotation_aspects(one, other, Tolerance()).get(a.timestamp_ns, ())
    told = [_told(aspect) for aspect in aspects if "box" in clashes or aspect.name in clashes]
    amounts_m = [aspect.amount or 0.0 for aspect in aspects if aspect.name == "centre"]
    return f"B against A: {', '.join(told)}", sum(amounts_m)


def _told(aspect: Aspect) -> str:
    if aspect.name == "centre":
        return f"moved by {aspect.amount:.2f} m"
    if aspect.name == "heading":
        return f"turned by {np.degrees(aspect.amount or 0.0):.1f} degrees"
    if aspect.name == "size":
        return f"size changed by {aspect.amount:.2f} m"
    return f"{aspect.name} {aspect.before!r} -> {aspect.after!r}"
