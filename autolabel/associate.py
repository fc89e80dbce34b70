"""Which box is whose."""

from __future__ import annotations

import numpy as np

from calib.types import F64, I64, Bools
from fusion.boxes import Boxes
from fusion.overlap import iou_bev


def affinity(a: Boxes, b: Boxes, gates_m: F64) -> F64:
    """(A, B) how well boxes fit to each other seen from above, from 0 to 2; -1 beyond the gate.

    Overlap counts where there is some, nearness also where there is none: IoU plus one less the distance
    of the centres as a part of the gate (A,) of the first.
    """
    between = a.dst_from_box.translations[:, None, :2] - b.dst_from_box.translations[None, :, :2]
    nearness = 1.0 - np.linalg.norm(between, axis=2) / gates_m[:, None]
    return np.where(nearness > 0, iou_bev(a, b) + nearness, -1.0)


def best_pairs(affinities: F64, least: float) -> tuple[I64, I64]:
    """Rows and columns of the pairs with the highest sum of affinities, each at least `least`.

    The assignment problem, solved exactly (Kuhn, 1955; Crouse, 2016).
    """
    from scipy.optimize import linear_sum_assignment

    allowed = affinities >= least
    rows, columns = linear_sum_assignment(np.where(allowed, affinities - least, 0.0), maximize=True)
    kept = allowed[rows, columns]
    return rows[kept].astype(np.int64), columns[kept].astype(np.int64)


def without_doubles(boxes: Boxes, most_iou: float) -> Bools:
    """(N,) which boxes of one instant to keep, the surest first: none that overlaps a kept one too much."""
    keep = np.ones(len(boxes), dtype=np.bool_)
    if len(boxes) < 2:
        return keep
    overlaps = iou_bev(boxes, boxes) > most_iou
    for i in range(len(boxes)):
        if keep[i]:
            keep[i + 1 :] &= ~overlaps[i, i + 1 :]
    return keep
