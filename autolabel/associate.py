"""Which of some goes with which of others."""

from __future__ import annotations

import numpy as np

from calib.types import F64, I64


def best_pairs(affinities: F64, least: float) -> tuple[I64, I64]:
    """Rows and columns of the pairs with the highest sum of affinities, each at least `least`.

    The assignment problem, solved exactly (Kuhn, 1955; Crouse, 2016).
    """
    from scipy.optimize import linear_sum_assignment

    allowed = affinities >= least
    rows, columns = linear_sum_assignment(np.where(allowed, affinities - least, 0.0), maximize=True)
    kept = allowed[rows, columns]
    return rows[kept].astype(np.int64), columns[kept].astype(np.int64)
