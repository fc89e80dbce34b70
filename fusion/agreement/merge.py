"""Two label sets in one: what either changed is in it, and where both did nothing is lost unsaid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import chain, count
from operator import eq

from fusion.agreement.conflict import Conflict, Place, Prefer, Versions, review_json
from fusion.agreement.difference import Tolerance, What
from fusion.agreement.match import Matching
from fusion.agreement.merge_track import GivenUp, TrackMerger
from fusion.agreement.same import SameTracks, same_tracks
from fusion.agreement.threeway import Chooser, History, merged_attributes, three_way
from fusion.labels import Json, LabelSet, Review, Track

RECORD = "merge"
NO_LABELS = LabelSet()


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of two label sets.

    Attributes:
        labels: of both.
        conflicts: what both say differently, with the values that the labels do not hold.
        counts: how many boxes are the `same` in both, come from `a` or `b` alone, from `both` (the box from
            one, attributes from the other), are gone (`removed by a`, `removed by b`) or in `conflict`.
        joined: tracks of the second set that are one object with a track of the first by overlap, and the
            id that they have now.
        renamed: tracks of the second set whose id the first has for another object, and the id that they
            have now.
        given_up: locked boxes of the ancestor that one side changed or removed while the other left them as
            they were: (track, frame). The change was taken.
    """

    labels: LabelSet
    conflicts: tuple[Conflict, ...]
    counts: Mapping[str, int]
    joined: Mapping[str, str]
    renamed: Mapping[str, str]
    given_up: tuple[GivenUp, ...]


def merge(
    a: LabelSet,
    b: LabelSet,
    base: LabelSet | None = None,
    *,
    prefer: Prefer = Prefer.A,
    by_overlap: bool = True,
    tolerance: Tolerance | None = None,
    matching: Matching | None = None,
    history_a: History | None = None,
    history_b: History | None = None,
) -> Merged:
    """Merges box by box; three-way where the common ancestor is known.

    A change on one side only is taken, equal changes are taken once, different changes of one thing are a
    conflict, in which a locked box wins over one that is not and else `prefer` decides. Without an
    ancestor, what only one side has is taken, and different values are a conflict.

    Args:
        a: the first set; tracks of both keep its ids.
        b: the second.
        base: what both began with.
        prefer: whose value is taken in a conflict.
        by_overlap: whether tracks of different ids that lie over each other become one; with an ancestor
            only those that it does not have.
        tolerance: boxes that differ by less are one place.
        matching: when two boxes may be one object.
        history_a: who made what, as `LabelStore.last_edits` tells.
        history_b: the same of the second set.
    """
    began = base or NO_LABELS
    same = same_tracks(
        a, b, known=began.tracks.keys(), trust_ids=False, by_overlap=by_overlap, matching=matching
    )
    renamed = _free_ids(a, b, began, same)
    ids = {**same.by_overlap, **renamed}
    theirs = _with_ids(b, ids)
    chooser = Chooser(prefer, history_a or {}, history_b or {}, {new: old for old, new in ids.items()})
    merger = TrackMerger(chooser, tolerance or Tolerance())
    tracks = {}
    for id in dict.fromkeys((*a.tracks, *theirs.tracks)):
        track = merger.merged(began.tracks.get(id), a.tracks.get(id), theirs.tracks.get(id))
        if track is not None:
            tracks[id] = track
    conflicts = list(merger.conflicts)
    if by_overlap:
        conflicts += _twice(same, ids, a, theirs, tracks)
    reviews = _reviews(began, a, theirs, chooser, conflicts)
    attributes = _attributes(began, a, b, chooser, conflicts)
    labels = LabelSet(tracks, reviews, attributes)
    given_up = tuple(merger.given_up)
    return Merged(labels, tuple(conflicts), Counter(merger.counts), same.by_overlap, renamed, given_up)


def _free_ids(a: LabelSet, b: LabelSet, base: LabelSet, same: SameTracks) -> dict[str, str]:
    """New ids for tracks of the second set whose id stands for another object."""
    taken = {*a.tracks, *b.tracks, *base.tracks}
    found: dict[str, str] = {}
    for id in (id for id in b.tracks if id in same.apart):
        found[id] = _free_id(f"{id}-b", taken)
        taken.add(found[id])
    return found


def _free_id(wanted: str, taken: Collection[str]) -> str:
    numbered = (f"{wanted}{number}" for number in count(2))
    return next(id for id in chain([wanted], numbered) if id not in taken)


def _with_ids(labels: LabelSet, ids: Mapping[str, str]) -> LabelSet:
    """The same labels with other ids of some tracks; reviews follow."""
    if not ids:
        return labels

    def named(track: Track) -> Track:
        return replace(track, id=ids[track.id]) if track.id in ids else track

    tracks = [named(track) for track in labels.tracks.values()]
    reviews = {
        id: replace(review, track_id=ids.get(review.track_id or "", review.track_id))
        for id, review in labels.reviews.items()
    }
    return replace(labels, tracks={track.id: track for track in tracks}, reviews=reviews)


def _twice(
    same: SameTracks, ids: Mapping[str, str], a: LabelSet, b: LabelSet, tracks: Mapping[str, Track]
) -> list[Conflict]:
    """Tracks that lie over each other in the merged labels, though neither set has both in one frame."""
    found = []
    for a_id, b_old in sorted(same.over):
        b_id = ids.get(b_old, b_old)
        shared = _shared_frames(tracks, a_id, b_id)
        if not shared or any(_shared_frames(labels.tracks, a_id, b_id) for labels in (a, b)):
            continue
        words = f"lies over track {b_id}: one object twice?"
        place, versions = Place(a_id, min(shared)), Versions(a_id, b_id)
        found.append(Conflict(What.TRACK, "twice", place, words, versions, "both", "both kept"))
    return found


def _shared_frames(tracks: Mapping[str, Track], one: str, other: str) -> set[int]:
    if one not in tracks or other not in tracks or one == other:
        return set()
    return tracks[one].annotations.keys() & tracks[other].annotations.keys()


def _reviews(
    base: LabelSet, a: LabelSet, b: LabelSet, chooser: Chooser, conflicts: list[Conflict]
) -> dict[str, Review]:
    """Comments of both; where both changed one, both versions stay."""
    found: dict[str, Review] = {}
    for id in dict.fromkeys((*a.reviews, *b.reviews)):
        was, one, other = base.reviews.get(id), a.reviews.get(id), b.reviews.get(id)
        settled = three_way(was, one, other, eq)
        if settled.origin != "conflict":
            found |= {} if settled.value is None else {id: settled.value}
            continue
        side, why = chooser.side("review", (id,))
        first, second = (one, other) if side == "a" else (other, one)
        kept = first or second
        assert kept is not None  # both gone would be no conflict
        found[id] = kept
        if first is not None and second is not None:
            other_id = _free_id(f"{id}-{'b' if side == 'a' else 'a'}", {*a.reviews, *b.reviews})
            found[other_id] = replace(second, id=other_id)
        place = Place(kept.track_id, kept.timestamp_ns, review_id=id)
        versions = Versions(review_json(one), review_json(other), review_json(was))
        words = "changed by one and removed by the other" if None in (one, other) else "says something else"
        conflicts.append(Conflict(What.REVIEW, "review", place, words, versions, "both", why))
    return found


def _attributes(
    base: LabelSet, a: LabelSet, b: LabelSet, chooser: Chooser, conflicts: list[Conflict]
) -> dict[str, Json]:
    """What is said of the set; the record of earlier merges is handed on apart from the rest."""
    side, why = chooser.side("attribute", ("",))
    merged, origins = merged_attributes(base.attributes, a.attributes, b.attributes, side)
    for name in (name for name, origin in origins.items() if origin == "conflict" and name != RECORD):
        versions = Versions(*(one.attributes.get(name) for one in (a, b, base)))
        words = f"{versions.a!r} in A, {versions.b!r} in B"
        conflicts.append(Conflict(What.SET, f"attribute {name}", Place(), words, versions, side, why))
    return merged
