"""Many points made few: the means of those that share a small cell."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from autolabel.detect.cells import Cells
from calib.types import F32, F64, I32, I64

WAITING = 1 << 17


@dataclass(eq=False, slots=True)
class Means:
    """Sums of points by cell. Points of several scans wait until they are added in the order of their cells:
    those of one scan lie all over the memory.

    Attributes:
        size_m: of a cell.
        room: for 2 ** room blocks of cells at first.
        waiting: so many points wait at most.
    """

    size_m: float
    room: int = 16
    waiting: int = WAITING
    _cells: Cells = field(init=False, repr=False)
    _rows: I32 = field(init=False, repr=False)
    _places: F32 = field(init=False, repr=False)
    _placed: I64 = field(init=False, repr=False)
    _sums: F32 = field(init=False, repr=False)
    _used: int = field(init=False, repr=False, default=0)

    def __post_init__(self) -> None:
        self._cells = Cells.of(self.size_m, self.room, numbers=(np.int32, 1))
        self._rows, self._places = np.empty(self.waiting, np.int32), np.empty((self.waiting, 4), np.float32)
        self._placed, self._sums = np.zeros(1, dtype=np.int64), np.empty((0, 5), dtype=np.float32)

    def add(self, points: F32, above_m: F32, chosen: I64) -> None:
        """Adds chosen ones of (N, 3) points with (N,) heights above the ground."""
        from autolabel.detect import _cell_kernels

        done, placed = 0, (self._rows, self._placed, self._places)
        while True:
            table = self._cells.table
            done = _cell_kernels.place_points(points, above_m, chosen, done, 1 / self.size_m, *table, *placed)
            if done == len(chosen):
                return
            self._add_waiting()
            if self._cells.is_full:
                self._cells.grow()

    def means(self) -> tuple[F64, F64]:
        """(M, 3) mean places, one for each cell that holds anything, and (M,) mean heights."""
        from autolabel.detect import _cell_kernels

        self._add_waiting()
        places, above_m = np.empty((self._used, 3)), np.empty(self._used)
        _cell_kernels.means(*self._numbered, self._sums, places, above_m)
        return places, above_m

    def _add_waiting(self) -> None:
        from autolabel.detect import _cell_kernels

        count, (blocks, per_m, numbers) = int(self._placed[0]), self._numbered
        rows, order = self._rows[:count], np.empty(count, dtype=np.int32)
        self._used = _cell_kernels.number_placed(rows, blocks, numbers, self._used, order)
        if self._used > len(self._sums):
            more = np.zeros((2 * self._used, 5), dtype=np.float32)
            more[: len(self._sums)] = self._sums
            self._sums = more
        _cell_kernels.add_placed(rows, self._places[:count], order, per_m, blocks, numbers, self._sums)
        self._placed[0] = 0

    @property
    def _numbered(self) -> tuple[I64, float, I32]:
        """The blocks in use, cells a metre, and the numbers of the cells, from one on."""
        cells = self._cells
        return cells.blocks[: cells.count[0]], 1 / self.size_m, cells.columns["numbers"]
