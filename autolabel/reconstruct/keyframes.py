"""Key frames to all frames: boxes that a person gave now and then, and detections between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from autolabel.detections import Detections, detections_by_kind
from autolabel.reconstruct.belonging import Known, claimed
from autolabel.reconstruct.config import ReconstructConfig
from autolabel.reconstruct.estimate import Reconstruction, reconstruct
from autolabel.reconstruct.evidence import Evidence
from autolabel.reconstruct.scope import Scope
from autolabel.traced import Traced, is_given
from autolabel.world import LocalWorld, Sightings
from calib.types import F64, I64
from fusion.categories import kind_of
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.progress import Progress

Chains = Callable[[Detections], Sequence[I64]]


def fill(
    keyframes: LabelSet,
    detections: LabelSet,
    world: LocalWorld,
    settings: ReconstructConfig,
    chains_of: Chains,
    followed: Mapping[str, Traced] | None = None,
    progress: Progress | None = None,
) -> list[Traced]:
    """Completes the tracks of which some boxes are given.

    Given is what a person, a file or a detector made, and whatever is locked; it stays as it is. What an
    earlier run interpolated is replaced. A frame holds an object only where the labelled instant before it or
    the one after it does: key frames are taken to be complete.
    """
    given = {id: _given(track) for id, track in keyframes.tracks.items()}
    labelled_ns = np.unique(np.array([a.timestamp_ns for some in given.values() for a in some], np.int64))
    found = all_detections(detections, world)
    tracks = [t for t in keyframes.tracks.values() if _covered(given[t.id], world)]
    if not tracks:
        return []
    objects = [_known(track, given[track.id], labelled_ns, found, world) for track in tracks]
    keys = Sightings.concatenate(known.evidence.keys for known in objects)
    scope = Scope.of(keys, distances_m(found, world), world)
    followed = followed or {}
    others = [known for track, known in zip(tracks, objects, strict=True) if track.id not in followed]
    claims = iter(claimed(others, found, chains_of(found), labelled_ns, world, settings) if others else ())
    traced: list[Traced] = []
    for number, (track, known) in enumerate(zip(tracks, objects, strict=True)):
        if progress:
            progress("reconstruct", number, len(tracks))
        if track.id in followed:
            traced.append(followed[track.id])
            continue
        evidence = Evidence(known.evidence.keys, found.take(next(claims)), labelled_ns=labelled_ns)
        whole = reconstruct(evidence, known.frames_ns, known.kind, world, settings, scope)
        traced.append(_traced(track, whole, world, given[track.id], evidence.detections))
    if progress:
        progress("reconstruct", len(tracks), len(tracks))
    return traced


def _traced(
    track: Track, whole: Reconstruction, world: LocalWorld, given: list[Annotation], detections: Detections
) -> Traced:
    """An object with the boxes at the frames at which none is given."""
    new = ~np.isin(whole.sightings.times_ns, [a.timestamp_ns for a in given])
    made = annotations_of(whole, world)
    notes = (
        f"given in {len(given)} frames, detected in {len(detections)}",
        "stands still" if whole.parked else "moves",
    )
    return Traced(track, tuple(a for a, is_new in zip(made, new, strict=True) if is_new), detections, notes)


def annotations_of(whole: Reconstruction, world: LocalWorld) -> list[Annotation]:
    """The boxes of an object at all frames."""
    boxes = whole.sightings.boxes(world)
    return [
        Annotation(int(t), box, Source.AUTO if seen else Source.INTERPOLATED, float(score))
        for t, box, seen, score in zip(
            whole.sightings.times_ns, boxes, whole.detected, whole.scores, strict=True
        )
    ]


def all_detections(labels: LabelSet, world: LocalWorld) -> Detections:
    """The detections of all kinds in order of time, the surest of an instant first."""
    return Detections.joined(list(detections_by_kind(labels, world).values()))


def distances_m(detections: Detections, world: LocalWorld) -> F64:
    """(N,) from the car."""
    cars = world.local_from_ego(detections.times_ns).translations
    return np.asarray(np.linalg.norm((detections.boxes.dst_from_box.translations - cars)[:, :2], axis=1))


def may_be(keys_ns: I64, labelled_ns: I64, frames_ns: I64) -> I64:
    """The frames whose labelled instant before or after them, whichever there is, holds the object."""
    before = np.searchsorted(labelled_ns, frames_ns, side="right") - 1
    after = np.searchsorted(labelled_ns, frames_ns, side="left")
    last = len(labelled_ns) - 1
    held = np.isin(labelled_ns, keys_ns)
    earlier, later = (
        held[np.maximum(before, 0)] & (before >= 0),
        held[np.minimum(after, last)] & (after <= last),
    )
    return np.asarray(frames_ns[earlier | later])


def _given(track: Track) -> list[Annotation]:
    return [a for a in track.annotations.values() if is_given(a)]


def _covered(given: list[Annotation], world: LocalWorld) -> bool:
    return any(world.covers(np.array([a.timestamp_ns]))[0] for a in given)


def _known(
    track: Track,
    given: list[Annotation],
    labelled_ns: I64,
    found: Detections,
    world: LocalWorld,
) -> Known:
    keys = Sightings.of((a for a in given if world.covers(np.array([a.timestamp_ns]))[0]), world)
    nothing = found.take(np.zeros(0, dtype=np.int64))
    return Known(
        kind_of(track.category), Evidence(keys, nothing), may_be(keys.times_ns, labelled_ns, world.frames_ns)
    )
