"""The shape of an object's cloud in numbers that do not grow with its size or its points.

Shape distributions: Osada, Funkhouser, Chazelle and Dobkin, 2002. Linear, planar and scattered
neighbourhoods: Demantke, Mallet, David and Vallet, 2011.
"""

from __future__ import annotations

import numpy as np

from calib.types import F32, F64, I64, Floats

COLUMNS, LAYERS = 10, 8
GRID = (6, 3, 5)
PAIRS, DISTANCES = 4096, 16
NEIGHBOURS, SAMPLES = 12, 400
FEWEST = 3
LOCAL = 7
BRIGHTNESS = 5


def relative(points_box: F32, size_lwh_m: F64) -> F64:
    """(N, 3) places in the box: along and up in 0..1 from back to front and from below, across in 0..1
    from the middle outwards; most things on a street are alike on the left and the right.
    """
    shares = np.clip(points_box.astype(np.float64) / size_lwh_m, -0.5, 0.5)
    return np.column_stack([shares[:, 0] + 0.5, 2 * np.abs(shares[:, 1]), shares[:, 2] + 0.5])


def outline(places: F64) -> F64:
    """(COLUMNS + 3 * LAYERS,) how high each slice along reaches; where each layer ends behind, before, and
    at the sides.
    """
    if len(places) < FEWEST:
        return np.full(COLUMNS + 3 * LAYERS, np.nan)
    column, layer = _bin(places[:, 0], COLUMNS), _bin(places[:, 2], LAYERS)
    tops = _edges(places[:, 2], column, COLUMNS, 0.95)
    ends = [_edges(places[:, axis], layer, LAYERS, q) for axis, q in ((0, 0.05), (0, 0.95), (1, 0.95))]
    return np.concatenate([tops, *ends])


def occupancy(places: F64) -> F64:
    """(prod(GRID),) square roots of the shares of points in the cells of a coarse grid over half the box."""
    if len(places) < FEWEST:
        return np.full(int(np.prod(GRID)), np.nan)
    cells = [_bin(places[:, axis], count) for axis, count in enumerate(GRID)]
    counts = np.bincount(np.ravel_multi_index(cells, GRID), minlength=int(np.prod(GRID)))
    return np.sqrt(counts / len(places))


def distances(points_box: F32, size_lwh_m: F64) -> F64:
    """(DISTANCES,) square roots of a histogram of distances between points, in diagonals of the box (D2)."""
    if len(points_box) < FEWEST:
        return np.full(DISTANCES, np.nan)
    pairs = np.random.default_rng(0).integers(0, len(points_box), (2, PAIRS))
    between = points_box[pairs[0]].astype(np.float64) - points_box[pairs[1]]
    lengths = np.linalg.norm(between, axis=1) / np.linalg.norm(size_lwh_m)
    counts = np.bincount(_bin(lengths, DISTANCES), minlength=DISTANCES)
    return np.sqrt(counts / PAIRS)


def surfaces(points_box: F32) -> F64:
    """(LOCAL,) how linear, planar, scattered neighbourhoods are, where they face, how they vary."""
    from scipy.spatial import cKDTree

    if len(points_box) <= NEIGHBOURS:
        return np.full(LOCAL, np.nan)
    points = points_box.astype(np.float64)
    middles = points[:: max(1, len(points) // SAMPLES)]
    near = points[cKDTree(points).query(middles, NEIGHBOURS)[1]]
    around = near - near.mean(axis=1, keepdims=True)
    values, vectors = np.linalg.eigh(np.einsum("nki,nkj->nij", around, around))
    small, middle, large = np.sqrt(np.maximum(values, 0)).T
    large = np.maximum(large, 1e-9)
    linear, planar, scattered = (large - middle) / large, (middle - small) / large, small / large
    up, ahead = np.abs(vectors[:, 2, 0]), np.abs(vectors[:, 0, 0])
    return np.array(
        [linear.mean(), planar.mean(), scattered.mean(), up.mean(), up.std(), ahead.mean(), ahead.std()]
    )


def brightness(shares: F32) -> F64:
    """(BRIGHTNESS + 2,) histogram, mean, and the share of what shines more than nearly all of its sweep."""
    known = shares[np.isfinite(shares)].astype(np.float64)
    if len(known) < FEWEST:
        return np.full(BRIGHTNESS + 2, np.nan)
    counts = np.bincount(_bin(known, BRIGHTNESS), minlength=BRIGHTNESS)
    return np.concatenate([np.sqrt(counts / len(known)), [known.mean(), np.sqrt((known > 0.97).mean())]])


def _bin(shares: Floats, count: int) -> I64:
    return np.clip((shares * count).astype(np.int64), 0, count - 1)


def _edges(values: F64, bins: I64, count: int, quantile: float) -> F64:
    """(count,) a quantile of the values in each bin; between bins without points it is interpolated."""
    order = np.lexsort((values, bins))
    ordered, starts = values[order], np.searchsorted(bins[order], np.arange(count + 1))
    sizes = np.diff(starts)
    at = np.minimum(starts[:-1] + np.round(quantile * np.maximum(sizes - 1, 0)).astype(int), len(values) - 1)
    filled = np.flatnonzero(sizes)
    return np.asarray(np.interp(np.arange(count), filled, ordered[at[filled]]), dtype=np.float64)
