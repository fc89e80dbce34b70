"""Compiled loops of the ground; surface.py stands in front of them."""

import numpy as np
from numba import njit

from fusion._kernels import angle_of, log2_of


@njit(cache=True, nogil=True, error_model="numpy")
def polar(x, y, rings, sectors, nearest, farthest):
    """Ring and sector of a place, fractional; rings grow by equal ratios."""
    r2 = max(x * x + y * y, nearest * nearest)
    ring = np.log(r2 / (nearest * nearest)) * (rings / (2 * np.log(farthest / nearest)))
    sector = (np.arctan2(y, x) + np.pi) * (sectors / (2 * np.pi))
    return ring, sector


@njit(cache=True, nogil=True, error_model="numpy")
def scales_of(rings, sectors, nearest, farthest):
    """What `quick_polar` has to know of a grid."""
    rings_a_turn = np.float32(rings * np.log(2) / (2 * np.log(farthest / nearest)))
    sectors_a_rad, half = np.float32(sectors / (2 * np.pi)), np.float32(sectors / 2)
    return (
        np.float32(nearest * nearest),
        np.float32(1 / (nearest * nearest)),
        rings_a_turn,
        sectors_a_rad,
        half,
    )


@njit(cache=True, nogil=True, error_model="numpy")
def quick_polar(x, y, scales):
    """The same to 1e-4 of a cell, in float32 and without a branch, so that many are told at once."""
    least, per_least, rings_a_turn, sectors_a_rad, half = scales
    r2 = x * x + y * y
    # Not a number lies in no ring, for its bits are those of a power beyond the largest.
    ring = log2_of((least if r2 < least else r2) * per_least) * rings_a_turn
    return ring, angle_of(y, x) * sectors_a_rad + half


@njit(cache=True, nogil=True, error_model="numpy")
def cells_of(points, rings, sectors, nearest, farthest):
    """Cell of each of (N, 3) float32 points, counted along the rings; -1 in none."""
    # The distance from one x to the next has to be a constant, or the points are told one by one.
    flat, cells = points.reshape(-1), np.empty(points.shape[0], dtype=np.int32)
    scales = scales_of(rings, sectors, nearest, farthest)
    ends, across, last = np.float32(rings), np.float32(sectors), np.float32(sectors - 1)
    none, least, inf = np.float32(-1), np.float32(0), np.float32(np.inf)
    for i in range(points.shape[0]):
        ring, sector = quick_polar(flat[3 * i], flat[3 * i + 1], scales)
        known = (ring > least) & (ring < ends) & (abs(flat[3 * i + 2]) < inf)
        cell = np.floor(ring) * across + min(max(np.floor(sector), least), last)
        cells[i] = np.int32(cell if known else none)
    return cells


@njit(cache=True, nogil=True, error_model="numpy")
def wrapped(sector, sectors):
    """A sector that is at most one turn off."""
    return sector + sectors if sector < 0 else sector - sectors if sector >= sectors else sector


@njit(cache=True, nogil=True, error_model="numpy")
def sort_heights(points, cells, cell_count):
    """The heights of points cell by cell, those of c from `starts[c]` on; and `starts`."""
    starts = np.zeros(cell_count + 1, dtype=np.int64)
    for c in cells:
        if c >= 0:
            starts[c + 1] += 1
    starts = np.cumsum(starts)
    places = starts[:-1].copy()
    heights = np.empty(starts[-1], dtype=np.float32)
    for i in range(points.shape[0]):
        c = cells[i]
        if c >= 0:
            heights[places[c]] = points[i, 2]
            places[c] += 1
    return heights, starts


@njit(cache=True, nogil=True, error_model="numpy")
def kth_smallest(values, count, k):
    """The k-th smallest of the first `count` values, which it moves about (Hoare, 1961)."""
    low, high = 0, count - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            break
    return values[k]


@njit(cache=True, nogil=True, error_model="numpy")
def kth_of_few(values, k, smallest):
    """The same for a small k without a branch; the smallest are kept in order."""
    smallest[: k + 1] = np.inf
    for value in values:
        for j in range(k + 1):
            smallest[j], value = min(smallest[j], value), max(smallest[j], value)
    return smallest[k]


@njit(cache=True, nogil=True, error_model="numpy")
def kth_of_many(values, k):
    """The same for a k that is small beside their number: few branches, for most are left out at once."""
    count = values.shape[0]
    while True:
        a, b, c = values[count // 6], values[count // 2], values[count - 1 - count // 6]
        middle, below = max(min(a, b), min(max(a, b), c)), 0
        for i in range(count):
            value = values[i]
            values[i], values[below] = values[below], value
            below += value < middle
        if below <= k:
            return kth_smallest(values, count, k)
        count = below


@njit(cache=True, nogil=True, error_model="numpy")
def low_heights(heights, starts, lows):
    """A low quantile of the heights in each cell: low enough for ground, above what mirrors throw below."""
    few = 6
    smallest = np.empty(few, dtype=np.float32)
    for c in range(starts.shape[0] - 1):
        here, k = heights[starts[c] : starts[c + 1]], (starts[c + 1] - starts[c]) // 12
        low = kth_of_few(here, k, smallest) if k < few else kth_of_many(here, k)
        lows.flat[c] = low if len(here) > 0 else np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def height_of(grid, ring, sector):
    """Height between the middles of the cells, bilinear in what is known; NaN in an unknown cell."""
    rings, sectors = grid.shape
    if not (ring < rings and sector >= 0) or not abs(grid[int(ring), wrapped(int(sector), sectors)]) < np.inf:
        return np.nan
    ring, sector = min(max(ring - 0.5, 0.0), rings - 1.0), sector - 0.5
    low, left = int(ring), int(np.floor(sector))
    up, on = min(low + 1, rings - 1), wrapped(left + 1, sectors)
    left = wrapped(left, sectors)
    a, b = grid[low, left], grid[low, on]
    c, d = grid[up, left], grid[up, on]
    ahead, aside = ring - low, sector - np.floor(sector)
    height = (1 - ahead) * ((1 - aside) * a + aside * b) + ahead * ((1 - aside) * c + aside * d)
    if abs(height) < np.inf:
        return height
    return height_of_known(a, b, c, d, ahead, aside)


@njit(cache=True, nogil=True, error_model="numpy")
def height_of_known(a, b, c, d, ahead, aside):
    """The same from those of four corners that are known."""
    total, weights = 0.0, 0.0
    for height, weight in (
        (a, (1 - ahead) * (1 - aside)),
        (b, (1 - ahead) * aside),
        (c, ahead * (1 - aside)),
        (d, ahead * aside),
    ):
        if weight > 0 and abs(height) < np.inf:
            total, weights = total + weight * height, weights + weight
    return total / weights


@njit(cache=True, nogil=True, error_model="numpy")
def ground_heights(grid, places, nearest, farthest, heights):
    """Heights of the ground at (N, 2) places."""
    for i in range(places.shape[0]):
        ring, sector = polar(places[i, 0], places[i, 1], grid.shape[0], grid.shape[1], nearest, farthest)
        heights[i] = height_of(grid, ring, sector)


@njit(cache=True, nogil=True, error_model="numpy")
def patches_of(grid):
    """Four numbers between the middles of each four cells, from which `heights_above` tells the height.

    The first and last ring are there once more and the sectors go on for a turn.
    """
    rings, sectors = grid.shape
    patches = np.empty((rings + 1, sectors + 1, 4), dtype=np.float32)
    for ring in range(rings + 1):
        low, up = max(ring - 1, 0), min(ring, rings - 1)
        for sector in range(sectors + 1):
            left, on = wrapped(sector - 1, sectors), wrapped(sector, sectors)
            a, b, c, d = grid[low, left], grid[low, on], grid[up, left], grid[up, on]
            here = patches[ring, sector]
            here[0], here[1], here[2], here[3] = a, b - a, c - a, a + d - b - c
    return patches


@njit(cache=True, nogil=True, error_model="numpy")
def patch_places(flat, scales, rings, sectors, patches, aheads, asides):
    """In which patch points lie, -1 beyond the last, and how far ahead and aside in there."""
    half, none = np.float32(0.5), np.float32(-1)
    ends, across = np.float32(rings), np.float32(sectors + 1)
    for i in range(flat.shape[0] // 3):
        ring, sector = quick_polar(flat[3 * i], flat[3 * i + 1], scales)
        up, on = ring + half, sector + half
        low, left = np.floor(up), np.floor(on)
        aheads[i], asides[i] = up - low, on - left
        patches[i] = np.int32(low * across + left if ring < ends else none)


@njit(cache=True, nogil=True, error_model="numpy")
def heights_above(grid, points, nearest, farthest, heights):
    """Heights of float32 points above the ground; as of `height_of`.

    They are told by the thousand, so that what is noted of them never leaves the nearest memory.
    """
    at_once, (rings, sectors) = 1024, grid.shape
    flat, patches = points.reshape(-1), patches_of(grid).ravel()
    scales = scales_of(rings, sectors, nearest, farthest)
    places = np.empty(at_once, dtype=np.int32)
    aheads, asides = np.empty(at_once, dtype=np.float32), np.empty(at_once, dtype=np.float32)
    for first in range(0, points.shape[0], at_once):
        last = min(first + at_once, points.shape[0])
        patch_places(flat[3 * first : 3 * last], scales, rings, sectors, places, aheads, asides)
        for k in range(last - first):
            at, height = 4 * places[k], np.nan
            if at >= 0:
                height = patches[at] + asides[k] * patches[at + 1]
                height += aheads[k] * (patches[at + 2] + asides[k] * patches[at + 3])
                if height != height:
                    ring, sector = quick_polar(points[first + k, 0], points[first + k, 1], scales)
                    height = height_of(grid, ring, max(sector, 0.0))
            heights[first + k] = points[first + k, 2] - height
