"""Comments pinned to boxes, frames and tracks, how far each of them is, and findings that were accepted.

All of them are reviews of the label set, and so durable and undoable like every edit. What a review is shows
in its state: `open` or `resolved` for a comment, `accepted` for a finding, and else how far its place is.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from fusion.checks import Finding
from fusion.edits import Edit, Group, LockAnnotations, PutReview, RemoveReview
from fusion.labels import LabelSet, Review

OPEN, RESOLVED, ACCEPTED = "open", "resolved", "accepted"


class State(StrEnum):
    """How far the work on a track or a frame is."""

    TO_DO = "to do"
    LABELLED = "labelled"
    REVIEWED = "reviewed"
    REJECTED = "rejected"


# What is offered as a reason; any other may be typed.
REASONS = (
    "box does not fit",
    "wrong heading",
    "wrong class",
    "wrong attributes",
    "two objects in one track",
    "one object in two tracks",
    "object is missing",
    "there is no object",
    "sensors do not agree",
)


@dataclass(frozen=True, slots=True)
class Place:
    """What is spoken of: a box, a track as a whole, or a frame.

    Attributes:
        track_id: the track; None for a frame.
        timestamp_ns: the frame; None for a track as a whole.
    """

    track_id: str | None = None
    timestamp_ns: int | None = None

    def holds(self, review: Review) -> bool:
        """Whether a review is about just this."""
        return (review.track_id, review.timestamp_ns) == (self.track_id, self.timestamp_ns)


def comments(labels: LabelSet) -> Iterator[Review]:
    """All comments, as they came."""
    return (review for review in labels.reviews.values() if review.state in (OPEN, RESOLVED))


def commented(labels: LabelSet, timestamp_ns: int) -> set[str]:
    """The tracks with an open comment about them, or about their box in a frame."""
    return {
        review.track_id
        for review in comments(labels)
        if review.state == OPEN and review.track_id and review.timestamp_ns in (None, timestamp_ns)
    }


def comment(place: Place, text: str, author: str) -> Edit:
    """Says something of a place."""
    return PutReview(Review(uuid.uuid4().hex, text, author, OPEN, place.track_id, place.timestamp_ns))


def toggled(review: Review) -> Edit:
    """A comment is resolved, or open again."""
    return PutReview(replace(review, state=OPEN if review.state == RESOLVED else RESOLVED))


def state_review(labels: LabelSet, place: Place) -> Review | None:
    """What says how far a place is; of two, as after joining tracks, the one that asks for more work."""
    order = [State.REJECTED.value, State.LABELLED.value, State.REVIEWED.value]
    found = [review for review in labels.reviews.values() if review.state in order and place.holds(review)]
    return min(found, key=lambda review: order.index(review.state)) if found else None


def state_of(labels: LabelSet, place: Place) -> State:
    """How far a place is."""
    review = state_review(labels, place)
    return State.TO_DO if review is None else State(review.state)


def with_state(labels: LabelSet, place: Place, state: State, reason: str, author: str) -> Edit | None:
    """The edit that says how far a place is, and why; None where that was so."""
    said = [
        review for review in labels.reviews.values() if review.state in list(State) and place.holds(review)
    ]
    gone: list[Edit] = [RemoveReview(review.id) for review in said]
    if state is State.TO_DO:
        return Group(tuple(gone), f"To do: {_named(place)}") if gone else None
    if len(said) == 1 and (said[0].state, said[0].text) == (state, reason):
        return None
    made = Review(uuid.uuid4().hex, reason, author, state.value, place.track_id, place.timestamp_ns)
    return Group((*gone, PutReview(made)), f"{state.capitalize()}: {_named(place)}")


def settled(labels: LabelSet) -> set[str]:
    """The ids of the findings of which a person has said that all is right there."""
    return {review.id for review in labels.reviews.values() if review.state == ACCEPTED}


def accepted(labels: LabelSet, finding: Finding, author: str) -> Edit:
    """The edit that says that all is right there: the boxes it is about are confirmed by that."""
    at_ns = finding.timestamps_ns[0] if finding.timestamps_ns else None
    edits: list[Edit] = [
        PutReview(Review(finding.id, finding.words, author, ACCEPTED, finding.track_id, at_ns))
    ]
    track = labels.tracks.get(finding.track_id or "")
    if track is not None:
        times_ns = tuple(t for t in finding.timestamps_ns if t in track.annotations)
        if times_ns:
            edits.append(LockAnnotations(track.id, times_ns))
    return Group(tuple(edits), f"Right as it is: {finding.words}")


def _named(place: Place) -> str:
    return "the frame" if place.track_id is None else f"track {place.track_id}"
