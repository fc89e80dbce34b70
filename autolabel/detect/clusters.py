"""Points that belong together, seen from above."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.types import F64, I64, Bools, Floats, kernel_view

CELL_M = 0.1
STEP_M = 0.15
HANGING_M, GAP_M = 0.9, 0.75


@dataclass(frozen=True, eq=False, slots=True)
class Groups:
    """Indices of points group by group: `order[starts[g] : starts[g + 1]]`.

    Attributes:
        order: (M,) indices.
        starts: (G + 1,) where each group begins.
    """

    order: I64
    starts: I64

    def __len__(self) -> int:
        return len(self.starts) - 1

    def of(self, group: int) -> I64:
        """The indices of one group."""
        return self.order[self.starts[group] : self.starts[group + 1]]

    def at_least(self, points: int) -> Groups:
        """Only groups of so many points."""
        return self.take(np.diff(self.starts) >= points)

    def take(self, kept: Bools) -> Groups:
        """Some of them."""
        sizes = np.diff(self.starts)
        order = self.order[np.repeat(kept, sizes)]
        return Groups(order, np.concatenate([[0], np.cumsum(sizes[kept])]))

    def cut(self, points: F64, above_m: F64, rectangles: F64) -> Groups:
        """Each group in two, cut across the longer side of its (x, y, yaw, a, b) where it is lowest."""
        from autolabel.detect import _shape_kernels

        part = np.empty(len(self.order), dtype=np.int64)
        cloud, heights_m = kernel_view(points, 3, np.float64), kernel_view(above_m, 1, np.float64)[:, 0]
        boxes = np.ascontiguousarray(rectangles)
        _shape_kernels.cut(cloud, heights_m, self.order, self.starts, boxes, CELL_M, part)
        starts = np.concatenate([[0], np.cumsum(np.bincount(part, minlength=2 * len(self)))])
        return Groups(self.order[np.argsort(part, kind="stable")], starts)

    def outlines(self, points: F64, above_m: F64) -> F64:
        """(G, 2) how far each group reaches along x or y, whichever is more, and how high."""
        from autolabel.detect import _shape_kernels

        out = np.zeros((len(self), 2))
        cloud, heights_m = kernel_view(points, 3, np.float64), kernel_view(above_m, 1, np.float64)[:, 0]
        _shape_kernels.outlines(cloud, heights_m, self.order, self.starts, out)
        return out


@dataclass(frozen=True, eq=False, slots=True)
class Columns:
    """The columns of space, 10 cm wide, that hold points.

    Attributes:
        keys: table of the columns.
        numbers: by slot of the table.
        column: (N,) of each point.
        hangs: (N,) whether a point lies above what stands in its column: a tree above a car.
        cells: (C,) their keys.
        places: (C, 2) x and y of their first points.
        tops_m: (C,) how high what stands on the ground is in each; 0 where something only hangs above it.
    """

    keys: I64
    numbers: I64
    column: I64
    hangs: Bools
    cells: I64
    places: F64
    tops_m: F64

    @classmethod
    def of(cls, points: Floats, above_m: Floats, hanging_m: float = HANGING_M) -> Columns:
        """Of (N, 3) points with their heights above the ground; what begins higher than that hangs."""
        from autolabel.detect import _column_kernels

        size = 1 << max(8, int(np.ceil(np.log2(2 * len(points) + 1))))
        keys, numbers = np.full(size, -1, dtype=np.int64), np.zeros(size, dtype=np.int64)
        column = np.empty(len(points), dtype=np.int64)
        cells, places = np.empty(len(points), dtype=np.int64), np.empty((len(points), 2))
        cloud = kernel_view(points, 3, np.float64)
        count = _column_kernels.cells_of(cloud, 1 / CELL_M, keys, numbers, column, cells, places)
        masks, tops = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
        _column_kernels.columns_of(kernel_view(above_m, 1, np.float64)[:, 0], column, STEP_M, masks)
        _column_kernels.column_tops(masks, round(hanging_m / STEP_M), round(GAP_M / STEP_M), tops)
        tops_m = tops * STEP_M
        return cls(
            keys, numbers, column, np.asarray(above_m > tops_m[column]), cells[:count], places[:count], tops_m
        )

    def groups(self, wanted: Bools, reach_m: F64) -> Groups:
        """Joins wanted columns within the reach (C,) of one of them, and lists their points."""
        from autolabel.detect import _column_kernels

        group = np.empty(len(self.cells), dtype=np.int64)
        chosen = np.flatnonzero(wanted)
        chosen = chosen[np.argsort(self.cells[chosen])]
        count = _column_kernels.join_cells(self.cells, chosen, reach_m / CELL_M, group)
        order, starts = np.empty(len(self.column), dtype=np.int64), np.zeros(count + 1, dtype=np.int64)
        _column_kernels.sort_by_group(group, self.column, self.hangs, order, starts)
        return Groups(order[: starts[-1]], starts)
