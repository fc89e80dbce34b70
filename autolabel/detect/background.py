"""What stands still all the while it is seen, told from what comes and goes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from autolabel.detect.cells import Cells
from autolabel.detect.config import DetectConfig
from autolabel.detect.freespace import count_free, spaced
from autolabel.detect.means import Means
from autolabel.scans import Scan, Scans, Stretch
from calib.types import F32, F64, I64, U8, Bools, kernel_view
from fusion.boxes import Boxes
from fusion.overlap import points_in_boxes

BESIDE, STANDS = 1, 2


@dataclass(frozen=True, eq=False, slots=True)
class Background:
    """The cells in which something stood still, and the points of all sweeps in them.

    Attributes:
        cells: in which anything was seen, and those beside what stood.
        flags: by row of the cells: 2 where something stood, 1 beside such a cell, 0 elsewhere.
        points: (N, 3) float64 in the local world, means of what several sweeps saw of each small place.
        above_m: (N,) their heights above the ground.
    """

    cells: Cells
    flags: U8
    points: F64
    above_m: F64

    @classmethod
    def of(cls, scans: Scans | Stretch, config: DetectConfig) -> Background:
        """Notes in a first pass what stays, and adds it up in a second one."""
        cells = Cells.of(config.voxel_m, 14, seen=(np.int32, 3))
        looked = [int(k) for k in spaced(len(scans), max(len(scans) // config.stride, config.least_frames))]
        for scan in (scan for k in looked if (scan := scans.at(k))):
            _note(cells, scan, config)
        flags = _standing(cells, scans, looked, config)
        fine = Means(config.fine_m)
        for scan in (scan for k in looked if (scan := scans.at(k))):
            fine.add(*_columns(scan), _chosen(scan, cells, flags, STANDS, config))
        return cls(cells, flags, *fine.means())

    def moving(self, scan: Scan, config: DetectConfig) -> I64:
        """Indices of the points of a scan that lie neither on nor right beside what stands still."""
        return _chosen(scan, self.cells, self.flags, 0, config)

    def without(self, boxes: Boxes) -> Background:
        """With nothing that stands in some boxes of the local world."""
        if len(boxes) == 0:
            return self
        flags, used = self.flags.copy(), np.flatnonzero(self.flags)
        for inside in points_in_boxes(self.cells.middles(used), boxes):
            flags[used[inside]] = 0
        stays = np.ones(len(self.points), dtype=np.bool_)
        for inside in points_in_boxes(self.points, boxes):
            stays[inside] = False
        return replace(self, flags=flags, points=self.points[stays], above_m=self.above_m[stays])


def _columns(scan: Scan) -> tuple[F32, F32]:
    return kernel_view(scan.points, 3, np.float32), kernel_view(scan.above_m, 1, np.float32)[:, 0]


def _note(cells: Cells, scan: Scan, config: DetectConfig) -> None:
    from autolabel.detect import _cell_kernels

    near = scan.origin, config.range_m, config.lowest_m, scan.frame, 1 / cells.size_m
    done = 0
    while True:
        seen = cells.columns["seen"]
        done = _cell_kernels.note_occupied(*_columns(scan), done, *near, *cells.table, seen)
        if done == len(scan):
            return
        cells.grow()


def _standing(cells: Cells, scans: Scans | Stretch, looked: list[int], config: DetectConfig) -> U8:
    """By row of the cells, of which there are more then: see `Background.flags`."""
    seen = cells.columns["seen"]
    seconds = scans.world.seconds(scans.frames_ns)
    rows = np.flatnonzero(seen[:, 2] >= 3)
    first, last, times = seen[rows].T
    chances = np.searchsorted(looked, last) - np.searchsorted(looked, first) + 1
    stays = (seconds[last] - seconds[first] >= config.standing_s) & (times >= config.standing_share * chances)
    rows = rows[stays]
    rows = rows[~_seen_through(cells.middles(rows), scans, config)]
    cells.columns = {"flags": np.zeros(len(seen), dtype=np.uint8)}
    cells.columns["flags"][rows] = STANDS
    _mark_beside(cells, cells.cells(rows))
    return cells.columns["flags"]


def _mark_beside(cells: Cells, around: I64) -> None:
    from autolabel.detect import _cell_kernels

    done = 0
    while True:
        done = _cell_kernels.mark_beside(around, done, *cells.table, cells.columns["flags"])
        if done == len(around):
            return
        cells.grow()


def _seen_through(places: F64, scans: Scans | Stretch, config: DetectConfig) -> Bools:
    """(N,) at which places beams pass too often for something to stand there all the while."""
    free, met = np.zeros(len(places), dtype=np.int32), np.zeros(len(places), dtype=np.int32)
    for frame in spaced(len(scans), config.looks):
        scan = scans.at(int(frame))
        if scan is not None:
            count_free(scan, places, config, free, met)
    return np.asarray((free >= 2) & (free > config.free_share * (free + met)))


def _chosen(scan: Scan, cells: Cells, flags: U8, flag: int, config: DetectConfig) -> I64:
    """Indices of the points of a scan in cells that have a flag."""
    from autolabel.detect import _cell_kernels

    chosen = np.empty(len(scan), dtype=np.int64)
    near = scan.origin, config.range_m, config.lowest_m, 1 / cells.size_m
    count = _cell_kernels.select(*_columns(scan), *near, cells.keys, cells.numbers, flags, flag, chosen)
    return chosen[:count]
