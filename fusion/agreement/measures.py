"""Agreement beyond chance: Cohen's kappa and Krippendorff's alpha for classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from calib.errors import CrosslabelError
from calib.types import F64

MISSING = -1


def cohen_kappa(a: ArrayLike, b: ArrayLike) -> float:
    """How far two raters agree on the classes of the same units, beyond chance (Cohen, 1960).

    Args:
        a: (N,) classes as whole numbers from 0, by the first rater.
        b: (N,) the same by the second.

    Returns:
        1 where they always agree, 0 where as often as chance would have it; NaN where nothing could
        differ: no units, or a single class.

    Raises:
        CrosslabelError: they rate different numbers of units.
    """
    first, second = np.asarray(a, dtype=np.int64), np.asarray(b, dtype=np.int64)
    if first.shape != second.shape or first.ndim != 1:
        raise CrosslabelError(f"raters of different units: {first.shape} and {second.shape}")
    if len(first) == 0:
        return np.nan
    classes = int(max(first.max(), second.max())) + 1
    shares_a = np.bincount(first, minlength=classes) / len(first)
    shares_b = np.bincount(second, minlength=classes) / len(second)
    by_chance = float(shares_a @ shares_b)
    observed = float(np.mean(first == second))
    return (observed - by_chance) / (1 - by_chance) if by_chance < 1 else np.nan


def krippendorff_alpha(values: ArrayLike) -> float:
    """How far any number of raters agree on classes, beyond chance (Krippendorff, 2011; nominal).

    Args:
        values: (raters, units) classes as whole numbers from 0; -1 where a rater says nothing. Units that
            fewer than two rate say nothing.

    Returns:
        1 where all agree, 0 where as often as chance would have it, below 0 where less often; NaN where
        nothing could differ: no units that two rate, or a single class.

    Raises:
        CrosslabelError: the values are no table.
    """
    table = np.asarray(values, dtype=np.int64)
    if table.ndim != 2:
        raise CrosslabelError(f"ratings must be (raters, units), not {table.shape}")
    together = _coincidences(table)
    totals = together.sum(axis=1)
    whole = totals.sum()
    by_chance = whole * whole - totals @ totals
    if by_chance <= 0:
        return np.nan
    differing = whole - np.trace(together)
    return float(1 - (whole - 1) * differing / by_chance)


def _coincidences(table: np.ndarray) -> F64:
    """(C, C) how often each class meets each other within units, a unit counting as often as it is rated."""
    classes = int(table.max(initial=MISSING)) + 1
    counts = np.stack([(table == value).sum(axis=0) for value in range(classes)]) if classes else table[:0]
    raters = counts.sum(axis=0)
    rated = raters >= 2
    counts, raters = counts[:, rated].astype(np.float64), raters[rated]
    weights = 1 / np.maximum(raters - 1, 1)
    return np.asarray((counts * weights) @ counts.T - np.diag((counts * weights).sum(axis=1)))
