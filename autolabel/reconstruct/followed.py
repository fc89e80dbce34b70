"""Objects of which a single box is given: followed by their points through all frames."""

from __future__ import annotations

import numpy as np

from autolabel.points import PointsConfig, Seeds, Ways, trace
from autolabel.reconstruct.headings import poses_from, tilts_of
from autolabel.scans import Scans
from autolabel.traced import Traced, is_given
from autolabel.world import Sightings
from calib.types import F64, I64
from fusion.boxes import Boxes
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.overlap import count_points_in_boxes
from fusion.stages import stage

FOUND, UNSEEN = 0.9, 0.5


def follow_single_boxes(keyframes: LabelSet, scans: Scans, config: PointsConfig) -> dict[str, Traced]:
    """Follows, by track, all objects of which just one box is given."""
    single: list[tuple[Track, Annotation]] = []
    frames_ns = scans.frames_ns
    for track in keyframes.tracks.values():
        given = [a for a in track.annotations.values() if is_given(a)]
        if len(given) == 1 and np.isin(given[0].timestamp_ns, frames_ns):
            single.append((track, given[0]))
    if not single:
        return {}
    seeds = Seeds.of(((track.category, annotation) for track, annotation in single), scans.world, frames_ns)
    with stage("points"):
        ways = trace(scans, seeds, config)
    tilts = np.concatenate([_tilt(annotation, scans) for _, annotation in single])
    support = _support(ways, seeds, scans, tilts)
    return {
        track.id: _traced(track, ways, seeds, scans, tilts, support, k) for k, (track, _) in enumerate(single)
    }


def _tilt(annotation: Annotation, scans: Scans) -> F64:
    return tilts_of(Sightings.of([annotation], scans.world).local_from_box)


def _boxes(ways: Ways, seeds: Seeds, tilts: F64, frame: int) -> Boxes:
    """The boxes of all objects in a frame."""
    local_from_box = poses_from(ways.poses[:, frame, :3], ways.poses[:, frame, 3], tilts)
    return Boxes(local_from_box, seeds.sizes_lwh_m)


def _support(ways: Ways, seeds: Seeds, scans: Scans, tilts: F64) -> I64:
    """(K, F) points in the box of each object in each frame; -1 in frames without a scan."""
    support = np.full(ways.poses.shape[:2], -1, dtype=np.int64)
    for scan in scans:
        boxes = _boxes(ways, seeds, tilts, scan.frame)
        support[:, scan.frame] = count_points_in_boxes(scan.points, boxes)
    return support


def _frames(ways: Ways, seeds: Seeds, support: I64, k: int) -> I64:
    """Frames at which an object is there and not given: from the first to the last that shows it."""
    shown = ways.sights.found[k] | (ways.parked[k] & (support[k] > 0))
    shown[seeds.frames[k]] = True
    rows = np.flatnonzero(shown)
    frames = np.arange(rows[0], rows[-1] + 1)
    return np.asarray(frames[frames != seeds.frames[k]])


def _traced(track: Track, ways: Ways, seeds: Seeds, scans: Scans, tilts: F64, support: I64, k: int) -> Traced:
    frames = _frames(ways, seeds, support, k)
    poses = ways.poses[k, frames]
    local_from_box = poses_from(poses[:, :3], poses[:, 3], np.tile(tilts[k], (len(frames), 1)))
    sizes = np.tile(seeds.sizes_lwh_m[k], (len(frames), 1))
    boxes = Sightings(scans.frames_ns[frames], local_from_box, sizes).boxes(scans.world)
    found = ways.sights.found[k, frames] | ways.parked[k]
    made = tuple(
        Annotation(int(scans.frames_ns[frame]), box, Source.INTERPOLATED, FOUND if seen else UNSEEN)
        for frame, box, seen in zip(frames, boxes, found, strict=True)
    )
    notes = (
        "followed by its points from one given box",
        "stands still" if ways.parked[k] else "moves",
        f"found in {int(found.sum())} of {len(frames)} frames",
    )
    return Traced(track, made, None, notes)
