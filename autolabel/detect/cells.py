"""The cells of space that hold points, in blocks: neighbours lie side by side in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.types import F64, I32, I64

BLOCK_CELLS = 64


@dataclass(eq=False, slots=True)
class Cells:
    """Columns of values by cell: blocks of 4 x 4 x 4 cells, found through a hash table.

    Attributes:
        size_m: of a cell.
        columns: values, those of block b in rows 64 b to 64 b + 63.
        keys: (S,) of the blocks, -1 in a free slot; S is a power of two.
        numbers: (S,) of the blocks.
        blocks: (B,) keys by number.
        count: (1,) blocks in use.
    """

    size_m: float
    columns: dict[str, np.ndarray]
    keys: I64
    numbers: I32
    blocks: I64
    count: I64

    @classmethod
    def of(cls, size_m: float, room: int, **columns: tuple[type[np.generic], int]) -> Cells:
        """With room for 2 ** room blocks at first, and columns of a type and a width each, all zero."""
        rows = BLOCK_CELLS << room
        made = {n: np.zeros((rows, w) if w > 1 else rows, t) for n, (t, w) in columns.items()}
        keys, numbers = np.full(4 << room, -1, dtype=np.int64), np.zeros(4 << room, dtype=np.int32)
        return cls(size_m, made, keys, numbers, np.zeros(1 << room, np.int64), np.zeros(1, np.int64))

    @property
    def table(self) -> tuple[I64, I32, I64, I64]:
        """As kernels that add blocks take it."""
        return self.keys, self.numbers, self.blocks, self.count

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another block."""
        return bool(self.count[0] == len(self.blocks))

    def grow(self) -> None:
        """Makes room for twice as many blocks."""
        from autolabel.detect import _cell_kernels

        blocks = np.zeros(2 * len(self.blocks), dtype=np.int64)
        blocks[: len(self.blocks)] = self.blocks
        self.keys = np.full(2 * len(self.keys), -1, dtype=np.int64)
        self.numbers = np.zeros(len(self.keys), dtype=np.int32)
        count = int(self.count[0])
        _cell_kernels.fill(self.keys, self.numbers, blocks[:count])
        self.blocks = blocks
        for name, old in self.columns.items():
            self.columns[name] = np.zeros((2 * len(old), *old.shape[1:]), dtype=old.dtype)
            self.columns[name][: len(old)] = old

    def cells(self, rows: I64) -> I64:
        """(N, 3) numbers of the cells of some rows along x, y and z, none of them negative."""
        block, inside = self.blocks[rows // BLOCK_CELLS], rows % BLOCK_CELLS
        corner = np.column_stack([block >> 42, block >> 21, block]) & ((1 << 21) - 1)
        return np.asarray(4 * corner + np.column_stack([inside >> 4, inside >> 2, inside]) % 4)

    def middles(self, rows: I64) -> F64:
        """(N, 3) places in the middle of the cells of some rows."""
        return np.asarray((self.cells(rows) - (1 << 20) + 0.5) * self.size_m)
