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
def all_polar(points, rings, sectors, nearest, farthest):
    """(N, 2) ring and sector of each point, to 1e-4 of a cell: written so that many are told at once."""
    places = np.empty((points.shape[0], 2), dtype=np.float32)
    rings_a_turn = np.float32(rings * np.log(2) / (2 * np.log(farthest / nearest)))
    sectors_a_rad, half = np.float32(sectors / (2 * np.pi)), np.float32(sectors / 2)
    least, per_least = np.float32(nearest * nearest), np.float32(1 / (nearest * nearest))
    for i in range(points.shape[0]):
        x, y = np.float32(points[i, 0]), np.float32(points[i, 1])
        r2 = x * x + y * y
        # Not a number lies in no ring, for its bits are those of a power beyond the largest.
        places[i, 0] = log2_of((least if r2 < least else r2) * per_least) * rings_a_turn
        places[i, 1] = angle_of(y, x) * sectors_a_rad + half
    return places


@njit(cache=True, nogil=True, error_model="numpy")
def wrapped(sector, sectors):
    """A sector that is at most one turn off."""
    return sector + sectors if sector < 0 else sector - sectors if sector >= sectors else sector


@njit(cache=True, nogil=True, error_model="numpy")
def sort_into_cells(points, polar_places, rings, sectors):
    """The points cell by cell, those of c from `starts[c]` on, c counting along the rings; and `starts`."""
    cell = np.empty(points.shape[0], dtype=np.int32)
    starts = np.zeros(rings * sectors + 1, dtype=np.int64)
    for i in range(points.shape[0]):
        ring, sector = polar_places[i]
        cell[i] = -1
        if 0 < ring < rings and abs(points[i, 2]) < np.inf:
            cell[i] = int(ring) * sectors + min(int(sector), sectors - 1)
            starts[cell[i] + 1] += 1
    starts = np.cumsum(starts)
    places = starts[:-1].copy()
    in_cells = np.empty((starts[-1], 3))
    for i in range(points.shape[0]):
        if cell[i] >= 0:
            at = places[cell[i]]
            in_cells[at, 0], in_cells[at, 1], in_cells[at, 2] = points[i, 0], points[i, 1], points[i, 2]
            places[cell[i]] = at + 1
    return in_cells, starts


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
def low_heights(in_cells, starts, lows):
    """A low quantile of the heights in each cell: low enough for ground, above what mirrors throw below."""
    heights = np.empty(np.diff(starts).max())
    for c in range(starts.shape[0] - 1):
        count = starts[c + 1] - starts[c]
        for i in range(count):
            heights[i] = in_cells[starts[c] + i, 2]
        lows.flat[c] = kth_smallest(heights, count, count // 12) if count > 0 else np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def count_on_planes(cells, planes, agree, counts):
    """How many cells lie on each plane, to so many metres."""
    for k in range(planes.shape[0]):
        a, b, c = planes[k]
        counts[k] = 0
        for i in range(cells.shape[0]):
            counts[k] += abs(cells[i, 2] - (cells[i, 0] * a + cells[i, 1] * b) - c) < agree


@njit(cache=True, nogil=True, error_model="numpy")
def allowed_rise(places, ring, sector, to_ring, to_sector):
    """How much higher than one cell of ground another may be: a kerb and a steep road."""
    dx = places[to_ring, to_sector, 0] - places[ring, sector, 0]
    dy = places[to_ring, to_sector, 1] - places[ring, sector, 1]
    return 0.18 + 0.12 * np.sqrt(dx * dx + dy * dy)


@njit(cache=True, nogil=True, error_model="numpy")
def grow_ground(lows, places, seeds, passable):
    """Passable cells that can be reached from the seeds over steps and slopes that a road can have."""
    rings_ahead, sectors_aside = 8, 3
    rings, sectors = lows.shape
    reached = seeds & passable
    queue = np.empty(rings * sectors, dtype=np.int32)
    left = np.zeros(rings, dtype=np.int64)
    head, tail = 0, 0
    for ring in range(rings):
        for sector in range(sectors):
            if reached[ring, sector]:
                queue[tail] = ring * sectors + sector
                tail += 1
            elif passable[ring, sector]:
                left[ring] += 1
    while head < tail:
        ring, sector = queue[head] // sectors, queue[head] % sectors
        head += 1
        for to_ring in range(max(ring - rings_ahead, 0), min(ring + rings_ahead + 1, rings)):
            if left[to_ring] == 0:
                continue
            for turn in range(-sectors_aside, sectors_aside + 1):
                to_sector = wrapped(sector + turn, sectors)
                if reached[to_ring, to_sector] or not passable[to_ring, to_sector]:
                    continue
                rise = abs(lows[to_ring, to_sector] - lows[ring, sector])
                if rise <= allowed_rise(places, ring, sector, to_ring, to_sector):
                    reached[to_ring, to_sector] = True
                    left[to_ring] -= 1
                    queue[tail] = to_ring * sectors + to_sector
                    tail += 1
    return reached


@njit(cache=True, nogil=True, error_model="numpy")
def drop_pits(lows, places, reached):
    """The cells that do not lie far below nearly all of their neighbours: mirrors throw points there."""
    rings_around, sectors_around, share = 2, 3, 0.8
    rings, sectors = lows.shape
    kept = reached.copy()
    for ring in range(rings):
        for sector in range(sectors):
            if not reached[ring, sector]:
                continue
            neighbours, higher = -1, 0
            for to_ring in range(max(ring - rings_around, 0), min(ring + rings_around + 1, rings)):
                for turn in range(-sectors_around, sectors_around + 1):
                    to_sector = wrapped(sector + turn, sectors)
                    if reached[to_ring, to_sector]:
                        neighbours += 1
                        rise = lows[to_ring, to_sector] - lows[ring, sector]
                        if rise > allowed_rise(places, ring, sector, to_ring, to_sector):
                            higher += 1
            kept[ring, sector] = higher < max(share * neighbours, 1)
    return kept


@njit(cache=True, nogil=True, error_model="numpy")
def lowest_around(lows, reached, sectors_around):
    """The lowest of the cells of each ring that were reached so many sectors to either side."""
    rings, sectors = lows.shape
    lowest = np.full((rings, sectors), np.inf)
    for ring in range(rings):
        for sector in range(sectors):
            if reached[ring, sector]:
                for turn in range(-sectors_around, sectors_around + 1):
                    other = wrapped(sector + turn, sectors)
                    lowest[ring, other] = min(lowest[ring, other], lows[ring, sector])
    return lowest


@njit(cache=True, nogil=True, error_model="numpy")
def drop_what_stands(lows, places, reached):
    """The cells that do not stand out over others near them (slope filter; Vosselman, 2000).

    A single lower cell proves nothing: mirrors throw points below the ground.
    """
    rings_around, sectors_around, needed = 6, 8, 3
    rings, sectors = lows.shape
    kept, lowest = reached.copy(), lowest_around(lows, reached, sectors_around)
    for ring in range(rings):
        for sector in range(sectors):
            if not reached[ring, sector]:
                continue
            lower = 0
            for to_ring in range(max(ring - rings_around, 0), min(ring + rings_around + 1, rings)):
                if not lows[ring, sector] - lowest[to_ring, sector] > 0.1:
                    continue
                for turn in range(-sectors_around, sectors_around + 1):
                    to_sector = wrapped(sector + turn, sectors)
                    if not reached[to_ring, to_sector]:
                        continue
                    rise = lows[ring, sector] - lows[to_ring, to_sector]
                    if rise > 0.1 and rise > allowed_rise(places, ring, sector, to_ring, to_sector):
                        lower += 1
                if lower >= needed:
                    break
            kept[ring, sector] = lower < needed
    return kept


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
def padded(grid):
    """The grid with what lies next to its borders: the first and last ring again, sectors a turn on."""
    rings, sectors = grid.shape
    wide = np.empty((rings + 2, sectors + 2))
    wide[1:-1, 1:-1] = grid
    wide[0, 1:-1], wide[-1, 1:-1] = grid[0], grid[-1]
    wide[:, 0], wide[:, -1] = wide[:, -2], wide[:, 1]
    return wide


@njit(cache=True, nogil=True, error_model="numpy")
def heights_above(grid, points, polar_places, heights):
    """Heights of points above the ground whose ring and sector are known; as of `height_of`."""
    rings, sectors = grid.shape
    wide = padded(grid)
    for i in range(points.shape[0]):
        ring, sector = polar_places[i, 0], polar_places[i, 1]
        heights[i] = np.nan
        if not (ring < rings and sector >= 0 and sector <= sectors):
            continue
        if not abs(wide[int(ring) + 1, wrapped(int(sector), sectors) + 1]) < np.inf:
            continue
        up, on = np.float64(ring) + 0.5, np.float64(sector) + 0.5
        low, left = int(up), int(on)
        ahead, aside = up - low, on - left
        a, b, c, d = wide[low, left], wide[low, left + 1], wide[low + 1, left], wide[low + 1, left + 1]
        height = (1 - ahead) * ((1 - aside) * a + aside * b) + ahead * ((1 - aside) * c + aside * d)
        if not abs(height) < np.inf:
            height = height_of_known(a, b, c, d, ahead, aside)
        heights[i] = points[i, 2] - height
