"""Which of the true objects a LiDAR meets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from calib.types import F64, I64
from fusion.align import points_in_ego, read_deskewed
from fusion.labels import LabelSet, Track
from fusion.log import DriveLog

MARGIN_M = 0.08  # noise of the ranges


def visible_only(log: DriveLog, labels: LabelSet, min_points: int = 1) -> LabelSet:
    """The labels of what is seen, with `num_points` in the attributes of each annotation.

    A track keeps its annotations from the first to the last frame with at least `min_points` points,
    those between included though hidden; a track never seen so is left out. Points of moving objects
    are taken back along the object's motion to the frame's instant before they are counted.
    """
    counts: dict[str, dict[int, int]] = {id: {} for id in labels.tracks}
    for timestamp_ns in labels.timestamps_ns():
        ref = log.sweep_at(timestamp_ns)
        if ref is None:
            continue
        sweep = read_deskewed(log, ref)
        points = points_in_ego(log, sweep).astype(np.float64)
        offset_s = np.zeros(len(sweep)) if sweep.offset_ns is None else sweep.offset_ns / 1e9
        for track, _ in labels.at(timestamp_ns):
            counts[track.id][timestamp_ns] = _count(log, track, timestamp_ns, points, offset_s)
    kept = (_seen(track, counts[track.id], min_points) for track in labels.tracks.values())
    return replace(labels, tracks={track.id: track for track in kept if track.annotations})


def _seen(track: Track, counts: dict[int, int], min_points: int) -> Track:
    seen = [t for t in track.annotations if counts.get(t, 0) >= min_points]
    span = [t for t in track.annotations if seen and seen[0] <= t <= seen[-1]]
    annotations = {
        t: replace(
            track.annotations[t],
            attributes={**track.annotations[t].attributes, "num_points": counts.get(t, 0)},
        )
        for t in span
    }
    return replace(track, annotations=annotations)


def _count(log: DriveLog, track: Track, timestamp_ns: int, points: F64, offset_s: F64) -> int:
    box = track.annotations[timestamp_ns].box
    reach = float(np.linalg.norm(box.size_lwh_m)) / 2 + 3.0
    near = np.flatnonzero(np.abs(points - box.center).max(axis=1) < reach)
    if len(near) == 0:
        return 0
    moved = points[near] - offset_s[near, None] * _velocity_mps(log, track, timestamp_ns)
    local = box.ego_from_box.inverse() @ moved
    return int((np.abs(local) <= box.size_lwh_m / 2 + MARGIN_M).all(axis=1).sum())


def _velocity_mps(log: DriveLog, track: Track, timestamp_ns: int) -> F64:
    """(3,) velocity over the ground in the ego frame of the instant."""
    times: I64 = np.fromiter(track.annotations, np.int64, len(track.annotations))
    here = int(np.searchsorted(times, timestamp_ns))
    after = min(here + 1, len(times) - 1)
    before = after - 1
    if before < 0:
        return np.zeros(3)
    places = [
        log.trajectory.at(int(times[k])) @ track.annotations[int(times[k])].box.center
        for k in (before, after)
    ]
    speed = (places[1] - places[0]) / ((times[after] - times[before]) / 1e9)
    return log.trajectory.at(timestamp_ns).inverse().rotate(speed)
