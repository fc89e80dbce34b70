"""The surfaces of many objects, each in the frame of its own box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autolabel.points.config import SurfaceConfig
from autolabel.points.index import PointIndex
from calib.types import F64, I32, I64, Bools

PAD_CELLS = 3
MOST_CELLS = 12_000
REACH_CELLS = 3
INSET_M, FACE_SIGMA_M = 0.05, 0.12
UP_SIGMA_M = 0.08
BOX_MARGIN_M = 0.1


@dataclass(eq=False, slots=True)
class Shapes:
    """Grids of normal distributions, one for each of K objects, behind each other in flat arrays.

    Attributes:
        halves: (K, 3) half sizes of the boxes.
        dims: (K, 3) cells along each axis.
        lows: (K, 3) lowest corner of each grid in its box frame.
        cells_m: (K,).
        starts: (K + 1,) first cell of each object.
        floors_m: (K,) how far points lie off the surface at least.
        boxy: (K,) whether the faces of the box are a good guess of the surface.
        sums: (C, 10) weights, sums and sums of products of places.
        means: (C, 3).
        infos: (C, 6) upper triangles of inverse covariances.
        nearest: (C,) the filled cell that speaks for each.
        counts: (K,) points in the box in the frame that was added last, before thinning.
    """

    halves: F64
    dims: I64
    lows: F64
    cells_m: F64
    starts: I64
    floors_m: F64
    boxy: Bools
    sums: F64
    means: F64
    infos: F64
    nearest: I32
    counts: F64

    @classmethod
    def of_boxes(cls, sizes_lwh_m: F64, surfaces: Sequence[SurfaceConfig]) -> Shapes:
        """Nothing seen yet: only the faces of the boxes, where they are a good guess."""
        made = cls.unfinished(sizes_lwh_m, surfaces)
        made.finish(np.arange(len(made)))
        return made

    @classmethod
    def unfinished(cls, sizes_lwh_m: F64, surfaces: Sequence[SurfaceConfig]) -> Shapes:
        """The same before it is taken up: for objects whose points are added at once."""
        from autolabel.points import _shape_kernels

        halves = np.ascontiguousarray(sizes_lwh_m, dtype=np.float64).reshape(-1, 3) / 2
        cells_m = np.array([s.cell_m for s in surfaces])
        full = 8 * np.prod(halves + PAD_CELLS * cells_m[:, None], axis=1)
        cells_m = np.maximum(cells_m, np.cbrt(full / MOST_CELLS))
        dims = np.ceil(2 * halves / cells_m[:, None]).astype(np.int64) + 2 * PAD_CELLS
        lows = -0.5 * dims * cells_m[:, None]
        starts = np.concatenate([[0], np.cumsum(dims.prod(axis=1))]).astype(np.int64)
        count = int(starts[-1])
        made = cls(
            halves,
            dims,
            lows,
            cells_m,
            starts,
            np.array([s.floor_m for s in surfaces]),
            np.array([s.faces > 0 for s in surfaces], dtype=bool),
            np.zeros((count, 10)),
            np.zeros((count, 3)),
            np.zeros((count, 6)),
            np.full(count, -1, dtype=np.int32),
            np.zeros(len(halves)),
        )
        for k, surface in enumerate(surfaces):
            if surface.faces > 0:
                cells = slice(starts[k], starts[k + 1])
                _shape_kernels.add_faces(
                    made.sums[cells],
                    dims[k],
                    lows[k],
                    cells_m[k],
                    halves[k],
                    INSET_M,
                    FACE_SIGMA_M,
                    surface.faces,
                )
        return made

    def __len__(self) -> int:
        return len(self.halves)

    def finish(self, which: I64) -> None:
        """Takes up for some objects what was added to their sums."""
        from autolabel.points import _shape_kernels

        _shape_kernels.finish_all(
            which,
            self.sums,
            self.dims,
            self.lows,
            self.cells_m,
            self.starts,
            self.floors_m,
            UP_SIGMA_M,
            self.halves,
            self.boxy,
            self.means,
            self.infos,
            self.nearest,
            REACH_CELLS,
        )

    def add(
        self,
        index: PointIndex,
        poses: F64,
        velocities: F64,
        which: I64,
        most: I64,
        weight: float = 1.0,
        times_s: F64 | None = None,
    ) -> None:
        """Adds the points in the boxes of some objects, at (K, 4) poses, (K, 2) velocities, (K,) times."""
        from autolabel.points import _kernels

        _kernels.add_all(
            index.points,
            index.fan,
            np.ascontiguousarray(poses),
            index.moves(poses, velocities, self.halves, times_s),
            self.halves,
            which,
            most,
            BOX_MARGIN_M,
            weight,
            self.sums,
            self.counts,
            self.arrays,
        )

    @property
    def arrays(self) -> tuple[Any, ...]:
        """As kernels take them."""
        return self.dims, self.lows, self.cells_m, self.starts, self.means, self.infos, self.nearest
