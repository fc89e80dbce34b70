"""A place from above: how high what stands there is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autolabel.trips.config import SearchConfig
from calib.types import F32, F64, I64, Bools, Floats


@dataclass(frozen=True, eq=False, slots=True)
class Above:
    """Lowest and highest points on a grid seen from above.

    Attributes:
        corner: (2,) lowest x, y.
        cell_m: size of a cell.
        lows_m: (X, Y) lowest height; inf where nothing was seen.
        highs_m: (X, Y) highest; -inf where nothing was seen.
    """

    corner: F64
    cell_m: float
    lows_m: F32
    highs_m: F32

    @classmethod
    def around(cls, corner: F64, far_corner: F64, cell_m: float) -> Above:
        """An empty grid between two corners."""
        shape = tuple((np.ceil((far_corner - corner) / cell_m).astype(int) + 1).tolist())
        return cls(corner, cell_m, np.full(shape, np.inf, np.float32), np.full(shape, -np.inf, np.float32))

    def empty(self) -> Above:
        """Another grid over the same ground, in which nothing was seen yet."""
        return Above(
            self.corner, self.cell_m, np.full_like(self.lows_m, np.inf), np.full_like(self.highs_m, -np.inf)
        )

    def add(self, points: Floats) -> None:
        """Puts (N, 3) points in; those outside are left out."""
        cells, inside = self._cells(points)
        flat, heights = cells[inside] @ np.array([self.lows_m.shape[1], 1]), points[inside, 2]
        np.minimum.at(self.lows_m.reshape(-1), flat, heights.astype(np.float32))
        np.maximum.at(self.highs_m.reshape(-1), flat, heights.astype(np.float32))

    @property
    def seen(self) -> Bools:
        """(X, Y) where there are points."""
        return np.asarray(self.highs_m >= self.lows_m)

    def standing_m(self, config: SearchConfig) -> F32:
        """(X, Y) how tall what stands there is; 0 where nothing does."""
        tall = np.where(self.seen, self.highs_m, 0) - np.where(self.seen, self.lows_m, 0)
        return np.where(tall > config.standing_m, np.minimum(tall, config.tallest_m), 0).astype(np.float32)

    def at(self, values: Bools, points: Floats) -> Bools:
        """(N,) the values of a mask at (N, 3) places; False outside."""
        cells, inside = self._cells(points)
        found = np.zeros(len(points), dtype=bool)
        found[inside] = values[cells[inside, 0], cells[inside, 1]]
        return found

    def _cells(self, points: Floats) -> tuple[I64, Bools]:
        cells = np.floor((points[:, :2] - self.corner) / self.cell_m).astype(np.int64)
        return cells, np.asarray(((cells >= 0) & (cells < self.lows_m.shape)).all(axis=1))
