"""The points of every track in its own box frame, a few frames each, from one pass over the sweeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calib.types import F32, F64, I64
from fusion.align import points_in_ego, read_deskewed
from fusion.boxes import Boxes
from fusion.errors import TimeRangeError
from fusion.labels import Track
from fusion.log import DriveLog
from fusion.overlap import points_in_boxes
from fusion.progress import Progress
from fusion.sweep import Sweep

FRAMES = 8
MARGIN_M = 0.04
# What lies so low is street as often as object.
FOOT_M, FOOT_SHARE = 0.10, 0.08
FINEST_M, CELLS_ALONG = 0.03, 64
MOST_POINTS = 2048
LEVELS = 256


@dataclass(frozen=True, eq=False, slots=True)
class ObjectCloud:
    """What the LiDARs saw of one object.

    Attributes:
        points_box: (N, 3) float32 in the box frame, one a cell, so that a near object is no denser.
        brightness: (N,) float32 share of the points of its sweep that are darker; NaN without intensity.
        counts: measured points by frame, of the frames that were read.
    """

    points_box: F32
    brightness: F32
    counts: dict[int, int]


def frames_of(log: DriveLog, track: Track) -> list[int]:
    """At most `FRAMES` of a track's frames with a sweep: of equal spans of them the nearest to the car."""
    there = [
        t
        for t in track.annotations
        if log.trajectory.covers(t) and any(log.sweep_at(t, name) is not None for name in log.sweeps)
    ]
    spans = np.array_split(np.array(there, dtype=np.int64), min(FRAMES, len(there)) or 1)
    away_m = {t: float(np.hypot(*track.annotations[t].box.center[:2])) for t in there}
    return [min(span.tolist(), key=lambda t: (away_m[t], t)) for span in spans if len(span)]


def gather(log: DriveLog, tracks: Sequence[Track], progress: Progress | None = None) -> list[ObjectCloud]:
    """The clouds of tracks, in their order; every sweep is read once and let go of."""
    wanted: dict[int, list[int]] = {}
    for number, track in enumerate(tracks):
        for timestamp_ns in frames_of(log, track):
            wanted.setdefault(timestamp_ns, []).append(number)
    heaps = [_Heap.of(track) for track in tracks]
    for done, timestamp_ns in enumerate(sorted(wanted), start=1):
        numbers = wanted[timestamp_ns]
        boxes = Boxes.stack(tracks[number].annotations[timestamp_ns].box for number in numbers)
        points_ego, brightness = _scan(log, timestamp_ns)
        grown = Boxes(boxes.dst_from_box, boxes.sizes_lwh_m + 2 * MARGIN_M)
        box_from_ego = boxes.dst_from_box.inverse()
        for place, inside in enumerate(points_in_boxes(points_ego, grown)):
            points_box = box_from_ego[place].cloud(points_ego[inside])
            heaps[numbers[place]].add(timestamp_ns, points_box, brightness[inside])
        if progress is not None:
            progress("points", done, len(wanted))
    return [heap.cloud() for heap in heaps]


def _scan(log: DriveLog, timestamp_ns: int) -> tuple[F32, F32]:
    """The points of all LiDARs in ego at a frame, and how bright each is among those of its own sweep."""
    points: list[F32] = [np.zeros((0, 3), np.float32)]
    ranks: list[F32] = [np.zeros(0, np.float32)]
    for name in log.sweeps:
        ref = log.sweep_at(timestamp_ns, name)
        if ref is None:
            continue
        try:
            sweep = read_deskewed(log, ref)
        except TimeRangeError:
            continue
        finite = np.isfinite(sweep.points).all(axis=1)
        points.append(points_in_ego(log, sweep)[finite])
        ranks.append(_brightness(sweep)[finite])
    return np.concatenate(points), np.concatenate(ranks)


def _brightness(sweep: Sweep) -> F32:
    """(N,) share of a sweep's points that are darker; NaN where the sensor gives no intensity."""
    if sweep.intensity is None or len(sweep) == 0:
        return np.full(len(sweep), np.nan, np.float32)
    values = np.nan_to_num(sweep.intensity)
    levels = np.quantile(values, np.arange(1, LEVELS) / LEVELS)
    ranks = np.searchsorted(levels, values, side="left") + np.searchsorted(levels, values, side="right")
    return np.asarray(ranks / (2 * (LEVELS - 1)), dtype=np.float32)


@dataclass(eq=False, slots=True)
class _Heap:
    """Points of one object, thinned as they come, so that no track grows with the length of its log."""

    half_m: F64
    cell_m: float
    points_box: F32
    brightness: F32
    counts: dict[int, int]

    @classmethod
    def of(cls, track: Track) -> _Heap:
        sizes = [a.box.size_lwh_m for a in track.annotations.values()]
        size_lwh_m = np.median(sizes, axis=0) if sizes else np.ones(3)
        cell_m = max(FINEST_M, float(size_lwh_m.max()) / CELLS_ALONG)
        return cls(size_lwh_m / 2, cell_m, np.zeros((0, 3), np.float32), np.zeros(0, np.float32), {})

    def add(self, timestamp_ns: int, points_box: F32, brightness: F32) -> None:
        foot_m = min(FOOT_M, FOOT_SHARE * 2 * float(self.half_m[2]))
        above = points_box[:, 2] > foot_m - self.half_m[2]
        self.counts[timestamp_ns] = int(above.sum())
        points = np.concatenate([self.points_box, points_box[above]])
        kept = first_in_cells(points, self.cell_m)
        self.points_box = points[kept]
        self.brightness = np.concatenate([self.brightness, brightness[above]])[kept]

    def cloud(self) -> ObjectCloud:
        step = max(1, -(-len(self.points_box) // MOST_POINTS))
        kept = first_in_cells(self.points_box, self.cell_m, in_space=True)[::step]
        return ObjectCloud(self.points_box[kept], self.brightness[kept], self.counts)


def first_in_cells(points: F32, cell_m: float, in_space: bool = False) -> I64:
    """Which points are the first in their cell of a grid: in the order given, or in that of the cells."""
    cells = np.floor(points / np.float32(cell_m)).astype(np.int64)
    keys = ((cells[:, 0] + 4096) << 40) + ((cells[:, 1] + 4096) << 20) + (cells[:, 2] + 4096)
    first = np.unique(keys, return_index=True)[1]
    return np.asarray(first if in_space else np.sort(first), dtype=np.int64)
