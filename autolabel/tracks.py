"""Detections to tracks: linked forward through time, then each refined with its whole life in view."""

from __future__ import annotations

import numpy as np

from autolabel.config import Config
from autolabel.detections import Detections, detections_by_kind
from autolabel.link import link
from autolabel.refine import member_scores, refine
from autolabel.world import LocalWorld
from calib.types import I64
from fusion.categories import Kind
from fusion.edits import Edit, PutTrack
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.log import DriveLog
from fusion.progress import Progress


def track_detections(
    log: DriveLog, detections: LabelSet, config: Config | None = None, progress: Progress | None = None
) -> tuple[Edit, ...]:
    """Edits that put the tracks which the detections of a log add up to into an empty label set.

    Each annotation of `detections` is one detection, whatever track it is in. Tracks are named "1", "2",
    ... in order of appearance. Boxes at frames without a detection are `Source.INTERPOLATED`.
    """
    config = config or Config()
    world = LocalWorld.of(log)
    frames_ns = log.timestamps_ns[world.covers(log.timestamps_ns)]
    by_kind = detections_by_kind(detections, world)
    tracks: list[Track] = []
    for number, (kind, found) in enumerate(by_kind.items()):
        if progress:
            progress("track", number, len(by_kind))
        tracks += tracks_of_kind(found, frames_ns, kind, world, config)
    if progress:
        progress("track", len(by_kind), len(by_kind))
    tracks.sort(key=lambda track: next(iter(track.annotations)))
    return tuple(
        PutTrack(Track(str(number), track.category, track.annotations, attributes=track.attributes))
        for number, track in enumerate(tracks, start=1)
    )


def tracks_of_kind(
    detections: Detections, frames_ns: I64, kind: Kind, world: LocalWorld, config: Config
) -> list[Track]:
    """The tracks of one kind, in order of appearance, without names yet."""
    chains = link(detections, frames_ns, world, config.of(kind), config.tracking)
    kept = [chain for chain in chains if len(chain) >= config.tracking.least_hits]
    return [_track(detections.take(chain), frames_ns, kind, world, config) for chain in kept]


def _track(seen: Detections, frames_ns: I64, kind: Kind, world: LocalWorld, config: Config) -> Track:
    sightings = refine(seen, frames_ns, kind, world, config.of(kind), config.tracking)
    scores = member_scores(seen, sightings.times_ns, world, config.tracking)
    detected = set(seen.times_ns.tolist())
    annotations = [
        Annotation(int(t), box, Source.AUTO if t in detected else Source.INTERPOLATED, float(score))
        for t, box, score in zip(sightings.times_ns, sightings.boxes(world), scores, strict=True)
    ]
    attributes = {"score": float(np.median(seen.scores)), "detections": len(seen)}
    return Track.of("", _category(seen), annotations, attributes)


def _category(seen: Detections) -> str:
    """The class name with the most weight; the first in the alphabet of those that weigh the same."""
    weights: dict[str, float] = {}
    for name, score in zip(seen.categories, seen.scores, strict=True):
        weights[name] = weights.get(name, 0.0) + float(score)
    return min(weights, key=lambda name: (-weights[name], name))
