"""Edits of boxes in a track and of what people say of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fusion.edits.parts import count, put_unless_empty, require_annotations, track_of
from fusion.errors import EditError
from fusion.labels import Annotation, ImageBox, LabelSet, Review


@dataclass(frozen=True, slots=True)
class PutAnnotations:
    """Puts annotations into a track, in place of what stood at their instants."""

    track_id: str
    annotations: tuple[Annotation, ...]

    @property
    def title(self) -> str:
        """As a menu or the history says it."""
        return f"Put {count(self.annotations, 'box', 'boxes')} of track {self.track_id}"

    def apply(self, labels: LabelSet) -> LabelSet:
        """The labels after this edit; EditError without such a track or with two boxes at one instant."""
        track = track_of(labels, self.track_id)
        if len({a.timestamp_ns for a in self.annotations}) < len(self.annotations):
            raise EditError(f"two annotations of track {self.track_id} at one instant")
        return labels.with_track(track.with_annotations(self.annotations))


@dataclass(frozen=True, slots=True)
class RemoveAnnotations:
    """Removes annotations from a track, and the track with them where nothing is left of it."""

    track_id: str
    timestamps_ns: tuple[int, ...]

    @property
    def title(self) -> str:
        """As a menu or the history says it."""
        return f"Remove {count(self.timestamps_ns, 'box', 'boxes')} of track {self.track_id}"

    def apply(self, labels: LabelSet) -> LabelSet:
        """The labels after this edit; EditError where one of them is not there."""
        track = track_of(labels, self.track_id)
        require_annotations(track, self.timestamps_ns)
        return put_unless_empty(labels, track.without(self.timestamps_ns))


@dataclass(frozen=True, slots=True)
class LockAnnotations:
    """Confirms annotations, so that automation leaves them alone, or takes that back."""

    track_id: str
    timestamps_ns: tuple[int, ...]
    locked: bool = True

    @property
    def title(self) -> str:
        """As a menu or the history says it."""
        verb = "Lock" if self.locked else "Unlock"
        return f"{verb} {count(self.timestamps_ns, 'box', 'boxes')} of track {self.track_id}"

    def apply(self, labels: LabelSet) -> LabelSet:
        """The labels after this edit; EditError where one of them is not there."""
        track = track_of(labels, self.track_id)
        require_annotations(track, self.timestamps_ns)
        found = (track.annotations[t] for t in self.timestamps_ns)
        return labels.with_track(track.with_annotations(replace(a, locked=self.locked) for a in found))


@dataclass(frozen=True, slots=True)
class PutImageBoxes:
    """Puts rectangles into images of a track, by (camera, timestamp of the image)."""

    track_id: str
    image_boxes: Mapping[tuple[str, int], ImageBox]

    @property
    def title(self) -> str:
        """As a menu or the history says it."""
        return f"Put {count(self.image_boxes, 'rectangle')} of track {self.track_id}"

    def apply(self, labels: LabelSet) -> LabelSet:
        """The labels after this edit; EditError where there is no such track."""
        track = track_of(labels, self.track_id)
        return labels.with_track(replace(track, image_boxes={**track.image_boxes, **self.image_boxes}))


@dataclass(frozen=True, slots=True)
class RemoveImageBoxes:
    """Removes rectangles from a track, and the track with them where nothing is left of it."""

    track_id: str
    keys: tuple[tuple[str, int], ...]

    @property
    def title(self) -> str:
        """As a menu or the history says it."""
        return f"Remove {count(self.keys, 'rectangle')} of track {self.track_id}"

    def apply(self, labels: LabelSet) -> LabelSet:
        """The labels after this edit; EditError where one of them is not there."""
        track = track_of(labels, self.track_id)
        for camera, timestamp_ns in self.keys:
            if (camera, timestamp_ns) not in track.image_boxes:
                raise EditError(f"track {track.id} has no rectangle in {camera} at {timestamp_ns} ns")
        left = {key: box for key, box in track.image_boxes.items() if key not in self.keys}
        return put_unless_empty(labels, replace(track, image_boxes=left))


@dataclass(frozen=True, slots=True)
class PutReview:
    """Adds a review, or puts it in place of the one of the same id."""

    review: Review

    @property
    def title(self) -> str:
        """As a menu or the history says it."""
        return f"Comment: {self.review.text[:40]}"

    def apply(self, labels: LabelSet) -> LabelSet:
        """The labels after this edit."""
        return replace(labels, reviews={**labels.reviews, self.review.id: self.review})


@dataclass(frozen=True, slots=True)
class RemoveReview:
    """Removes a review."""

    review_id: str

    @property
    def title(self) -> str:
        """As a menu or the history says it."""
        return "Remove a comment"

    def apply(self, labels: LabelSet) -> LabelSet:
        """The labels after this edit; EditError where there is no such review."""
        if self.review_id not in labels.reviews:
            raise EditError(f"there is no review {self.review_id}")
        left = {id: review for id, review in labels.reviews.items() if id != self.review_id}
        return replace(labels, reviews=left)
