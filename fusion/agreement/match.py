"""Which box of one label set is which of another: what two sets say of each object in each frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from calib.errors import CrosslabelError
from calib.types import F64, I64, Bools
from fusion.agreement.columns import Columns
from fusion.boxes import Boxes
from fusion.categories import Kind, kind_of
from fusion.overlap import iou_3d, iou_bev

LARGE = frozenset({Kind.CAR, Kind.TRUCK, Kind.BUS, Kind.TRAILER, Kind.CONSTRUCTION})
# Between partners that overlap alike the one of the same class is taken; it never outweighs an overlap.
SAME_CLASS_GAIN = 1e-6


@dataclass(frozen=True, slots=True)
class Matching:
    """When two boxes may be one object.

    Attributes:
        overlap: IoU seen from above, or of volumes.
        large: least IoU of cars and what is larger.
        small: least IoU of people, things on two wheels, cones and the like.
        by_kind: least IoU of single kinds, in place of those.

    Raises:
        CrosslabelError: a limit is not above 0 and at most 1.
    """

    overlap: Literal["bev", "3d"] = "bev"
    large: float = 0.5
    small: float = 0.3
    by_kind: Mapping[Kind, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for limit in (self.large, self.small, *self.by_kind.values()):
            if not 0 < limit <= 1:
                raise CrosslabelError(f"a least IoU must be above 0 and at most 1, not {limit}")

    def least_iou(self, category: str) -> float:
        """The limit for a class, whatever data set names it."""
        kind = kind_of(category)
        return self.by_kind.get(kind, self.large if kind in LARGE else self.small)

    def iou(self, a: Boxes, b: Boxes) -> F64:
        """(A, B) overlaps of boxes in one frame."""
        return iou_bev(a, b) if self.overlap == "bev" else iou_3d(a, b)

    def fits(self, ious: F64, categories_a: tuple[str, ...], categories_b: tuple[str, ...]) -> Bools:
        """(A, B) which of them overlap enough.

        Of two limits the lower counts where the classes are alike. Boxes of unlike classes must lie over
        each other as well as cars do: a rider is not the bicycle under it.
        """
        limits_a = np.array([self.least_iou(name) for name in categories_a])[:, None]
        limits_b = np.array([self.least_iou(name) for name in categories_b])[None, :]
        alike = np.equal.outer(_families(categories_a), _families(categories_b))
        strict = np.maximum(np.maximum(limits_a, limits_b), self.large)
        return np.asarray(ious >= np.where(alike, np.minimum(limits_a, limits_b), strict))


def alike(category_a: str, category_b: str) -> bool:
    """Whether two classes are easily taken for each other: of one kind, or both large."""
    first, second = _families((category_a,)), _families((category_b,))
    return bool(first[0] == second[0])


def _families(categories: tuple[str, ...]) -> I64:
    """A number for each kind of thing, one for all that are large."""
    numbers = {kind: 0 if kind in LARGE else place for place, kind in enumerate(Kind, start=1)}
    return np.array([numbers[kind_of(name)] for name in categories], dtype=np.int64)


@dataclass(frozen=True, eq=False, slots=True)
class Units:
    """One row for each object in each frame: a pair of boxes, or a box that only one of two sets has.

    Attributes:
        a: (U,) rows of the first set's columns, -1 where it has no box.
        b: (U,) rows of the second's.
        iou: (U,) overlap of pairs; 0 for a box alone.
    """

    a: I64
    b: I64
    iou: F64

    def __len__(self) -> int:
        return len(self.a)

    @property
    def paired(self) -> Bools:
        """(U,) which are pairs."""
        return (self.a >= 0) & (self.b >= 0)

    def take(self, which: Bools) -> Units:
        """Those under a mask."""
        return Units(self.a[which], self.b[which], self.iou[which])


def match(a: Columns, b: Columns, matching: Matching | None = None) -> Units:
    """Pairs the boxes of two sets frame by frame, whatever their classes say.

    The pairs of a frame are those with the highest sum of IoU among boxes that overlap enough
    (Hungarian method: Kuhn, 1955).
    """
    matching = matching or Matching()
    parts = []
    for frame_ns in np.union1d(a.frames_ns, b.frames_ns).tolist():
        rows_a, rows_b = a.rows_at(frame_ns), b.rows_at(frame_ns)
        names_a, names_b = a.categories[rows_a], b.categories[rows_b]
        ious = matching.iou(a.boxes.take(rows_a), b.boxes.take(rows_b))
        fits = matching.fits(ious, names_a, names_b)
        same_class = np.array(names_a, dtype=object)[:, None] == np.array(names_b, dtype=object)[None, :]
        gains = np.where(fits, ious + SAME_CLASS_GAIN * same_class, 0.0)
        parts.append(_units(gains, ious, rows_a.start, rows_b.start))
    if not parts:
        return Units(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    return Units(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def best_pairs(gains: F64) -> tuple[I64, I64]:
    """Rows and columns of the assignment with the highest sum of gains, those above 0."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(gains, maximize=True)
    kept = gains[rows, columns] > 0
    return rows[kept].astype(np.int64), columns[kept].astype(np.int64)


def _units(gains: F64, ious: F64, first_a: int, first_b: int) -> tuple[I64, I64, F64]:
    rows, columns = best_pairs(gains)
    alone_a = np.setdiff1d(np.arange(gains.shape[0]), rows)
    alone_b = np.setdiff1d(np.arange(gains.shape[1]), columns)
    absent_a, absent_b = np.full(len(alone_a), -1), np.full(len(alone_b), -1)
    return (
        np.concatenate([rows + first_a, alone_a + first_a, absent_b]).astype(np.int64),
        np.concatenate([columns + first_b, absent_a, alone_b + first_b]).astype(np.int64),
        np.concatenate([ious[rows, columns], np.zeros(len(alone_a) + len(alone_b))]),
    )
