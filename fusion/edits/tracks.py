"""Edits of whole tracks."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fusion.edits.parts import free_id, redirected, track_of
from fusion.errors import EditError
from fusion.labels import Annotation, Attributes, LabelSet, Track


@dataclass(frozen=True, slots=True)
class PutTrack:
    """Adds a track, or puts it in place of the one of the same id."""

    track: Track

    @property
    def title(self) -> str:
        """As a menu or the history says it."""
        return f"Put {self.track.category} {self.track.id}"

    def apply(self, labels: LabelSet) -> LabelSet:
        """The labels after this edit."""
        return labels.with_track(self.track)


@dataclass(frozen=True, slots=True)
class RemoveTrack:
    """Removes a track with all that belongs to it; reviews about it stay."""

    track_id: str

    @property
    def title(self) -> str:
        """As a menu or the history says it."""
        return f"Remove track {self.track_id}"

    def apply(self, labels: LabelSet) -> LabelSet:
        """The labels after this edit; EditError where there is no such track."""
        return labels.without_track(track_of(labels, self.track_id).id)


@dataclass(frozen=True, slots=True)
class SetTrack:
    """Sets the category or the attributes (all of them) of a track; what is None stays."""

    track_id: str
    category: str | None = None
    attributes: Attributes | None = None

    @property
    def title(self) -> str:
        """As a menu or the history says it."""
        what = "the attributes" if self.category is None else f"the category {self.category}"
        return f"Give track {self.track_id} {what}"

    def apply(self, labels: LabelSet) -> LabelSet:
        """The labels after this edit; EditError where there is no such track."""
        track = track_of(labels, self.track_id)
        category = track.category if self.category is None else self.category
        attributes = track.attributes if self.attributes is None else self.attributes
        return labels.with_track(replace(track, category=category, attributes=attributes))


@dataclass(frozen=True, slots=True)
class RenameTrack:
    """Gives a track another id; reviews about it follow."""

    track_id: str
    new_id: str

    @property
    def title(self) -> str:
        """As a menu or the history says it."""
        return f"Rename track {self.track_id} to {self.new_id}"

    def apply(self, labels: LabelSet) -> LabelSet:
        """The labels after this edit; EditError where the track is not there or the new id is taken."""
        track = replace(track_of(labels, self.track_id), id=free_id(labels, self.new_id))
        tracks = {t.id: t for t in (track if id == self.track_id else t for id, t in labels.tracks.items())}
        return replace(labels, tracks=tracks, reviews=redirected(labels, self.track_id, self.new_id))


@dataclass(frozen=True, slots=True)
class MergeTracks:
    """Makes two tracks of one object one; reviews follow.

    Where both hold something at one instant the kept track's stays, unless only the other's is locked.
    """

    kept_id: str
    gone_id: str

    @property
    def title(self) -> str:
        """As a menu or the history says it."""
        return f"Merge track {self.gone_id} into {self.kept_id}"

    def apply(self, labels: LabelSet) -> LabelSet:
        """The labels after this edit; EditError where a track is not there or both are the same."""
        kept, gone = track_of(labels, self.kept_id), track_of(labels, self.gone_id)
        if kept.id == gone.id:
            raise EditError(f"track {kept.id} cannot be merged with itself")
        merged = replace(
            kept,
            annotations={**gone.annotations, **kept.annotations, **_locked(gone), **_locked(kept)},
            image_boxes={**gone.image_boxes, **kept.image_boxes},
            attributes={**gone.attributes, **kept.attributes},
        )
        one = replace(labels, reviews=redirected(labels, gone.id, kept.id))
        return one.without_track(gone.id).with_track(merged)


@dataclass(frozen=True, slots=True)
class SplitTrack:
    """Makes two objects of one: what lies at `at_ns` and later goes to a new track.

    Image boxes and reviews go with the nearer side: the cut lies halfway between the last annotation that
    stays and the first that goes.
    """

    track_id: str
    at_ns: int
    new_id: str

    @property
    def title(self) -> str:
        """As a menu or the history says it."""
        return f"Split track {self.track_id}"

    def apply(self, labels: LabelSet) -> LabelSet:
        """The labels after this edit; EditError where one side is empty or the new id is taken."""
        track, new_id = track_of(labels, self.track_id), free_id(labels, self.new_id)
        stay = {t: a for t, a in track.annotations.items() if t < self.at_ns}
        go = {t: a for t, a in track.annotations.items() if t >= self.at_ns}
        if not stay or not go:
            raise EditError(f"track {track.id} has no annotations on one side of {self.at_ns} ns")
        cut_ns = (max(stay) + min(go)) // 2
        boxes_stay = {k: box for k, box in track.image_boxes.items() if k[1] <= cut_ns}
        boxes_go = {k: box for k, box in track.image_boxes.items() if k[1] > cut_ns}
        first = replace(track, annotations=stay, image_boxes=boxes_stay)
        second = replace(track, id=new_id, annotations=go, image_boxes=boxes_go)
        reviews = redirected(labels, track.id, new_id, after_ns=cut_ns)
        return replace(labels, reviews=reviews).with_track(first).with_track(second)


def _locked(track: Track) -> dict[int, Annotation]:
    return {t: annotation for t, annotation in track.annotations.items() if annotation.locked}
