"""Which boxes of one frame lie in each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from calib.types import F64, I64
from fusion.boxes import Boxes
from fusion.overlap import iou_3d_paired

ROUNDING_M = 1e-6


@dataclass(frozen=True, eq=False, slots=True)
class Shared:
    """Pairs of boxes of one frame that share any volume, frame by frame.

    Attributes:
        rows: (P, 2) the boxes, the one that comes first in its frame first.
        shares: (P,) how much of the smaller of the two lies in the other.
    """

    rows: I64
    shares: F64

    @classmethod
    def of(cls, boxes: Boxes, frames: Iterable[I64]) -> Shared:
        """Of boxes, and the rows of those in each frame; what is too large to have a volume shares none."""
        found = [_of_frame(boxes, rows) for rows in frames]
        return cls(
            np.concatenate([np.empty((0, 2), np.int64), *(rows for rows, _ in found)]),
            np.concatenate([np.empty(0), *(shares for _, shares in found)]),
        )


def _of_frame(boxes: Boxes, rows: I64) -> tuple[I64, F64]:
    pairs = _near(boxes, rows)
    first, second = boxes.take(pairs[:, 0]), boxes.take(pairs[:, 1])
    ious = iou_3d_paired(first, second)
    with np.errstate(over="ignore", invalid="ignore"):
        volumes = first.sizes_lwh_m.prod(axis=1), second.sizes_lwh_m.prod(axis=1)
        shares = ious * (volumes[0] + volumes[1]) / (1 + ious) / np.minimum(*volumes)
        sharing = shares > 0
    return pairs[sharing], shares[sharing]


def _near(boxes: Boxes, rows: I64) -> I64:
    """(P, 2) pairs of some rows whose boxes are no farther apart than they are long."""
    centers = boxes.dst_from_box.translations[rows]
    with np.errstate(over="ignore", invalid="ignore"):
        radii_m = np.sqrt((boxes.sizes_lwh_m[rows] ** 2).sum(axis=1)) / 2 + ROUNDING_M
        apart_m2 = ((centers[:, None] - centers) ** 2).sum(axis=2)
        near = apart_m2 <= (radii_m[:, None] + radii_m) ** 2
    return np.asarray(rows[np.argwhere(np.triu(near, 1))], dtype=np.int64)
