"""Objects of which a single box is given: followed by their points through all frames."""

from __future__ import annotations

import numpy as np

from autolabel.points import PointsConfig, Seeds, Ways, trace
from autolabel.reconstruct.headings import poses_from, tilts_of
from autolabel.reconstruct.keyframes import is_given
from autolabel.scans import Scans
from autolabel.world import Sightings
from calib.types import F64, Bools
from fusion.boxes import Boxes
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.overlap import count_points_in_boxes

FOUND, UNSEEN = 0.9, 0.5


def follow_single_boxes(
    keyframes: LabelSet, scans: Scans, config: PointsConfig
) -> dict[str, list[Annotation]]:
    """By track, the boxes at the frames without a given one, of all tracks that have just one given box."""
    single: list[tuple[Track, Annotation]] = []
    frames_ns = scans.frames_ns
    for track in keyframes.tracks.values():
        given = [a for a in track.annotations.values() if is_given(a)]
        if len(given) == 1 and _is_scanned(given[0], scans):
            single.append((track, given[0]))
    if not single:
        return {}
    seeds = Seeds.of(((track.category, annotation) for track, annotation in single), scans.world, frames_ns)
    ways = trace(scans, seeds, config)
    tilts = np.concatenate([_tilt(annotation, scans) for _, annotation in single])
    there = _there(ways, seeds, scans, tilts)
    return {
        track.id: _annotations(ways, seeds, scans, tilts, there, k) for k, (track, _) in enumerate(single)
    }


def _is_scanned(annotation: Annotation, scans: Scans) -> bool:
    """Whether a scan shows the instant of an annotation."""
    known = bool(np.isin(annotation.timestamp_ns, scans.frames_ns))
    return known and scans.world.log.sweep_at(annotation.timestamp_ns) is not None


def _tilt(annotation: Annotation, scans: Scans) -> F64:
    return tilts_of(Sightings.of([annotation], scans.world).local_from_box)


def _boxes(ways: Ways, seeds: Seeds, tilts: F64, frame: int) -> Boxes:
    """The boxes of all objects in a frame."""
    local_from_box = poses_from(ways.poses[:, frame, :3], ways.poses[:, frame, 3], tilts)
    return Boxes(local_from_box, seeds.sizes_lwh_m)


def _there(ways: Ways, seeds: Seeds, scans: Scans, tilts: F64) -> Bools:
    """(K, F) whether an object is held to be there: from the first frame that shows it to the last."""
    count, frames = ways.poses.shape[:2]
    shown = ways.sights.found.copy()
    for scan in scans:
        inside = count_points_in_boxes(scan.points, _boxes(ways, seeds, tilts, scan.frame))
        shown[:, scan.frame] |= ways.parked & (inside > 0)
    shown[np.arange(count), seeds.frames] = True
    numbers = np.arange(frames)
    first = np.argmax(shown, axis=1)
    last = frames - 1 - np.argmax(shown[:, ::-1], axis=1)
    return np.asarray((numbers >= first[:, None]) & (numbers <= last[:, None]))


def _annotations(
    ways: Ways, seeds: Seeds, scans: Scans, tilts: F64, there: Bools, k: int
) -> list[Annotation]:
    frames = np.flatnonzero(there[k])
    frames = frames[frames != seeds.frames[k]]
    poses = ways.poses[k, frames]
    local_from_box = poses_from(poses[:, :3], poses[:, 3], np.tile(tilts[k], (len(frames), 1)))
    sizes = np.tile(seeds.sizes_lwh_m[k], (len(frames), 1))
    boxes = Sightings(scans.frames_ns[frames], local_from_box, sizes).boxes(scans.world)
    found = ways.sights.found[k, frames] | ways.parked[k]
    return [
        Annotation(int(scans.frames_ns[frame]), box, Source.INTERPOLATED, FOUND if seen else UNSEEN)
        for frame, box, seen in zip(frames, boxes, found, strict=True)
    ]
