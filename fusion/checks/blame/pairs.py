"""Which rectangle of the evidence shows which object."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calib.types import F64, I64, Bools
from fusion.categories import Kind, kind_of

LEAST_IOU = 0.3
LEAST_SCORE = 0.3
# How far away, in sizes, and how alike what does not overlap must be.
REACH, LIKE = 0.8, 0.75
TWO_WHEELS = (Kind.MOTORCYCLE, Kind.BICYCLE)


def paired(
    shown_px: F64,
    shown_categories: Sequence[str],
    seen_px: F64,
    seen_categories: Sequence[str],
    scores: F64,
) -> tuple[I64, I64]:
    """Rows of (N, 4) projected rectangles and of (M, 4) observed ones that belong together.

    The pairs with the largest sum of intersection over union (Hungarian method), within what looks alike:
    people, two-wheelers, other vehicles, and anything else by its kind. What is left over is paired with
    what is left over near by and of the same size: a wrong box need not touch its object.
    """
    shown_looks = np.array([_looks(name) for name in shown_categories])
    seen_looks = np.array([_looks(name) for name in seen_categories])
    fits = (shown_looks[:, None] == seen_looks) & (scores >= LEAST_SCORE)
    overlap = overlaps(shown_px, seen_px)
    rows, columns = _best(np.where(fits & (overlap >= LEAST_IOU), overlap, 0.0))
    fits[rows] = False
    fits[:, columns] = False
    others = _best(np.where(fits & (overlap < LEAST_IOU), _nearness(shown_px, seen_px), 0.0))
    return np.concatenate([rows, others[0]]), np.concatenate([columns, others[1]])


def _best(gains: F64) -> tuple[I64, I64]:
    """The rows and columns whose gains have the largest sum, each once, without those that gain nothing."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(-gains)
    there: Bools = gains[rows, columns] > 0
    return rows[there], columns[there]


def _nearness(shown_px: F64, seen_px: F64) -> F64:
    """(N, M) from 1 for the same place to 0; above 0 only where both are about as wide and as high."""
    centers = [(ltrb[:, :2] + ltrb[:, 2:]) / 2 for ltrb in (shown_px, seen_px)]
    sizes = [ltrb[:, 2:] - ltrb[:, :2] for ltrb in (shown_px, seen_px)]
    away = np.linalg.norm(centers[0][:, None] - centers[1], axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        near = 1 - away / (REACH * sizes[0].max(axis=1, initial=0.0)[:, None])
        ratio = sizes[0][:, None] / sizes[1]
        alike = np.minimum(ratio, 1 / ratio).min(axis=2) > LIKE
    return np.asarray(np.where(alike & np.isfinite(near), np.maximum(near, 0.0), 0.0), dtype=np.float64)


def named(shown_ids: Sequence[str], seen_ids: Sequence[str]) -> tuple[I64, I64]:
    """Rows of the projected and of the observed rectangles that have the same track id."""
    places = {track_id: column for column, track_id in enumerate(seen_ids)}
    both = [(row, places[track_id]) for row, track_id in enumerate(shown_ids) if track_id in places]
    pairs = np.array(both, dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def overlaps(a_px: F64, b_px: F64) -> F64:
    """(A, B) intersection over union of rectangles; zero where one is not finite."""
    low = np.maximum(a_px[:, None, :2], b_px[None, :, :2])
    high = np.minimum(a_px[:, None, 2:], b_px[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0.0), axis=2)
    areas = [np.prod(np.maximum(ltrb[:, 2:] - ltrb[:, :2], 0.0), axis=1) for ltrb in (a_px, b_px)]
    union = areas[0][:, None] + areas[1] - shared
    return np.asarray(np.nan_to_num(shared / np.maximum(union, 1e-9)), dtype=np.float64)


def _looks(category: str) -> str:
    kind = kind_of(category)
    if kind in TWO_WHEELS:
        return "two wheels"
    return "vehicle" if kind.is_vehicle else kind.value
