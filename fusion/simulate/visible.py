"""Which of the true objects a LiDAR meets."""

from __future__ import annotations

from dataclasses import replace

from fusion.align import points_in_ego, read_deskewed
from fusion.boxes import Boxes
from fusion.labels import LabelSet, Track
from fusion.log import DriveLog
from fusion.overlap import count_points_in_boxes

MARGIN_M = 0.08


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
        points = points_in_ego(log, read_deskewed(log, ref))
        present = [*labels.at(timestamp_ns)]
        boxes = Boxes.stack(annotation.box for _, annotation in present)
        grown = Boxes(boxes.dst_from_box, boxes.sizes_lwh_m + 2 * MARGIN_M)
        for (track, _), count in zip(present, count_points_in_boxes(points, grown).tolist(), strict=True):
            counts[track.id][timestamp_ns] = count
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
