"""Several drives through one street: each labelled from what is known of it, what stands still shared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from autolabel.config import Config
from autolabel.images import image_boxes
from autolabel.pipeline import Given, Proposal, label
from autolabel.scans import Scans
from autolabel.traced import Traced, is_given
from autolabel.trips import Alignment, Finding, align, share
from autolabel.trips.share import FROM_TRACK, FROM_TRIP
from autolabel.world import LocalWorld
from fusion.edits import Edit, PutAnnotations, PutTrack, apply_automatic
from fusion.labels import Annotation, LabelSet
from fusion.log import DriveLog
from fusion.progress import Progress


@dataclass(frozen=True, eq=False, slots=True)
class Trip:
    """One of several drives, and what is known of it before.

    Attributes:
        log: of the drive.
        given: key frames, detections, or neither.
        start: the labels that edits are made for: the key frames, and what a person has locked.
    """

    log: DriveLog
    given: Given
    start: LabelSet


@dataclass(frozen=True, eq=False, slots=True)
class Together:
    """Labels of several drives that agree.

    Attributes:
        proposals: one a trip; the edits turn its `start` into its labels.
        alignment: how the trips lie on each other.
        findings: what each says of what stands on the others.
        labels: of each trip, after its edits.
    """

    proposals: tuple[Proposal, ...]
    alignment: Alignment
    findings: tuple[Finding, ...]
    labels: tuple[LabelSet, ...]


def label_together(
    trips: Sequence[Trip], config: Config | None = None, progress: Progress | None = None
) -> Together:
    """Labels each trip from what is known of it, lays them on each other, and shares what stands still.

    A trip that meets no other is labelled as if it were alone. What was given of a trip stays as it is and
    decides what its object looks like on the others.
    """
    config = config or Config()
    alone = config.model_copy(update={"rectangles": False})
    proposals = [label(trip.log, trip.given, alone, _of(trip.log, progress)) for trip in trips]
    labels = [_labels(trip.start, proposal.edits) for trip, proposal in zip(trips, proposals, strict=True)]
    alignment = align([proposal.log for proposal in proposals], config.trips.align)
    firm = [
        (proposal.log, with_given_locked(known, trip.given.keyframes))
        for proposal, known, trip in zip(proposals, labels, trips, strict=True)
    ]
    shared = share(firm, alignment, config.trips.share)
    for k, edits in enumerate(shared.edits):
        proposals[k], labels[k] = _with(proposals[k], labels[k], edits, progress, config)
    return Together(tuple(proposals), alignment, shared.findings, tuple(labels))


def _of(log: DriveLog, progress: Progress | None) -> Progress | None:
    """The same progress with the name of a log before every step."""
    return progress and (lambda task, done, total: progress(f"{log.name}: {task}", done, total))


def _labels(labels: LabelSet, edits: Sequence[Edit]) -> LabelSet:
    for edit in edits:
        labels = apply_automatic(labels, edit)
    return labels


def with_given_locked(labels: LabelSet, given: LabelSet | None) -> LabelSet:
    """The same labels, in which what was given counts as confirmed."""
    for track in given.tracks.values() if given is not None else ():
        firm = [replace(a, locked=True) for a in track.annotations.values() if is_given(a)]
        if firm and track.id in labels.tracks:
            labels = labels.with_track(labels.tracks[track.id].with_annotations(firm))
    return labels


def _with(
    proposal: Proposal, labels: LabelSet, edits: tuple[Edit, ...], progress: Progress | None, config: Config
) -> tuple[Proposal, LabelSet]:
    """A proposal with what other trips told, and with rectangles."""
    log, labels = proposal.log, _labels(labels, edits)
    if config.rectangles and log.images:
        rectangles = image_boxes(log, labels, Scans(LocalWorld.of(log)), _of(log, progress))
        edits, labels = edits + rectangles, _labels(labels, rectangles)
    traced = _retraced(proposal.traced, edits)
    return replace(proposal, edits=proposal.edits + edits, traced=traced), labels


def _retraced(traced: tuple[Traced, ...], edits: tuple[Edit, ...]) -> tuple[Traced, ...]:
    """Traced objects with the boxes that other trips gave them, and those that only others had labelled."""
    agreed = {edit.track_id: edit.annotations for edit in edits if isinstance(edit, PutAnnotations)}
    carried = [edit.track for edit in edits if isinstance(edit, PutTrack)]
    found = [_agreed(one, agreed[one.track.id]) if one.track.id in agreed else one for one in traced]
    for track in carried:
        note = f"carried over from trip {track.attributes[FROM_TRIP]}, track {track.attributes[FROM_TRACK]}"
        bare = replace(track, annotations={}, image_boxes={})
        found.append(Traced(bare, tuple(track.annotations.values()), None, (note,)))
    return tuple(found)


def _agreed(one: Traced, annotations: tuple[Annotation, ...]) -> Traced:
    made = {a.timestamp_ns: a for a in (*one.made, *annotations)}
    notes = (*one.notes, "stands on other trips too: one box made of all of theirs")
    return replace(one, made=tuple(made[t] for t in sorted(made)), notes=notes)
