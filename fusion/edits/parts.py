"""What edits look up in the labels they are applied to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from fusion.errors import EditError
from fusion.labels import LabelSet, Review, Track


def track_of(labels: LabelSet, track_id: str) -> Track:
    """The track of an id, or EditError."""
    track = labels.tracks.get(track_id)
    if track is None:
        raise EditError(f"there is no track {track_id}")
    return track


def free_id(labels: LabelSet, track_id: str) -> str:
    """The id itself where no track has it, or EditError."""
    if track_id in labels.tracks:
        raise EditError(f"there is a track {track_id} already")
    return track_id


def require_annotations(track: Track, timestamps_ns: Iterable[int]) -> None:
    """EditError unless the track holds an annotation at each of these instants."""
    for timestamp_ns in timestamps_ns:
        if timestamp_ns not in track.annotations:
            raise EditError(f"track {track.id} has no annotation at {timestamp_ns} ns")


def put_unless_empty(labels: LabelSet, track: Track) -> LabelSet:
    """The labels with this track in place of the one of its id; without either where it holds nothing."""
    if track.annotations or track.image_boxes:
        return labels.with_track(track)
    return labels.without_track(track.id)


def redirected(
    labels: LabelSet, old_id: str, new_id: str, after_ns: int | None = None
) -> Mapping[str, Review]:
    """The reviews, with those about one track (and frames after `after_ns`) pointing to another."""

    def follows(review: Review) -> bool:
        if review.track_id != old_id:
            return False
        return after_ns is None or (review.timestamp_ns is not None and review.timestamp_ns > after_ns)

    return {
        id: replace(review, track_id=new_id) if follows(review) else review
        for id, review in labels.reviews.items()
    }


def count(things: Collection[object], one: str, many: str = "") -> str:
    """How many of what, as people say it."""
    return f"a {one}" if len(things) == 1 else f"{len(things)} {many or one + 's'}"
