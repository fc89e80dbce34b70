"""One size for an object."""

from __future__ import annotations

import numpy as np

from autolabel.reconstruct.evidence import Evidence
from calib.types import F64


def size_of(evidence: Evidence) -> F64:
    """(3,) the median of what a person gave; without it, of what was detected, the surest views above all."""
    if len(evidence.keys):
        return np.asarray(np.median(evidence.keys.sizes_lwh_m, axis=0))
    doubt = np.clip(1 - evidence.detections.scores, 1e-4, 1.0)
    return weighted_median(evidence.detections.boxes.sizes_lwh_m, 1 / doubt)


def weighted_median(values: F64, weights: F64) -> F64:
    """(A,) the value of each column of (N, A) below which half of the weight (N,) lies."""
    order = np.argsort(values, axis=0, kind="stable")
    heaped = np.cumsum(weights[order], axis=0)
    middle = np.argmax(heaped >= heaped[-1] / 2, axis=0)
    columns = np.arange(values.shape[1])
    return np.asarray(values[order[middle, columns], columns])
