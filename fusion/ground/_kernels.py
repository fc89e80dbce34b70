"""Compiled loops of the ground; surface.py stands in front of them."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def polar(x, y, rings, sectors, nearest, farthest):
    """Ring and sector of a place, fractional; rings grow by equal ratios."""
    r2 = max(x * x + y * y, nearest * nearest)
    ring = np.log(r2 / (nearest * nearest)) * (rings / (2 * np.log(farthest / nearest)))
    sector = (np.arctan2(y, x) + np.pi) * (sectors / (2 * np.pi))
    return ring, sector


@njit(cache=True, nogil=True)
def all_polar(points, rings, sectors, nearest, farthest):
    """(N, 2) ring and sector of each point."""
    places = np.empty((points.shape[0], 2))
    for i in range(points.shape[0]):
        places[i] = polar(points[i, 0], points[i, 1], rings, sectors, nearest, farthest)
    return places


@njit(cache=True, nogil=True)
def wrapped(sector, sectors):
    """A sector that is at most one turn off."""
    return sector + sectors if sector < 0 else sector - sectors if sector >= sectors else sector


@njit(cache=True, nogil=True)
def sort_into_cells(points, polar_places, rings, sectors):
    """Indices of the points cell by cell, `order[starts[c] : starts[c + 1]]`, c counting along the rings."""
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
    order = np.empty(starts[-1], dtype=np.int32)
    for i in range(points.shape[0]):
        if cell[i] >= 0:
            order[places[cell[i]]] = i
            places[cell[i]] += 1
    return order, starts


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def low_heights(points, order, starts, lows):
    """A low quantile of the heights in each cell: low enough for ground, above what mirrors throw below."""
    heights = np.empty(np.diff(starts).max())
    for c in range(starts.shape[0] - 1):
        count = starts[c + 1] - starts[c]
        for i in range(count):
            heights[i] = points[order[starts[c] + i], 2]
        lows.flat[c] = kth_smallest(heights, count, count // 12) if count > 0 else np.nan


@njit(cache=True, nogil=True)
def count_on_planes(cells, planes, agree, counts):
    """How many cells lie on each plane, to so many metres."""
    for k in range(planes.shape[0]):
        a, b, c = planes[k]
        counts[k] = 0
        for i in range(cells.shape[0]):
            counts[k] += abs(cells[i, 2] - (cells[i, 0] * a + cells[i, 1] * b) - c) < agree


@njit(cache=True, nogil=True)
def allowed_rise(places, ring, sector, to_ring, to_sector):
    """How much higher than one cell of ground another may be: a kerb and a steep road."""
    dx = places[to_ring, to_sector, 0] - places[ring, sector, 0]
    dy = places[to_ring, to_sector, 1] - places[ring, sector, 1]
    return 0.18 + 0.12 * np.sqrt(dx * dx + dy * dy)


@njit(cache=True, nogil=True)
def grow_ground(lows, places, seeds, passable):
    """Passable cells that can be reached from the seeds over steps and slopes that a road can have."""
    rings_ahead, sectors_aside = 8, 3
    rings, sectors = lows.shape
    reached = seeds & passable
    queue = np.empty(rings * sectors, dtype=np.int32)
    head, tail = 0, 0
    for c in range(rings * sectors):
        if reached.flat[c]:
            queue[tail] = c
            tail += 1
    while head < tail:
        ring, sector = queue[head] // sectors, queue[head] % sectors
        head += 1
        for to_ring in range(max(ring - rings_ahead, 0), min(ring + rings_ahead + 1, rings)):
            for turn in range(-sectors_aside, sectors_aside + 1):
                to_sector = wrapped(sector + turn, sectors)
                if reached[to_ring, to_sector] or not passable[to_ring, to_sector]:
                    continue
                rise = abs(lows[to_ring, to_sector] - lows[ring, sector])
                if rise <= allowed_rise(places, ring, sector, to_ring, to_sector):
                    reached[to_ring, to_sector] = True
                    queue[tail] = to_ring * sectors + to_sector
                    tail += 1
    return reached


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def drop_what_stands(lows, places, reached):
    """The cells that do not stand out over others near them (slope filter; Vosselman, 2000).

    A single lower cell proves nothing: mirrors throw points below the ground.
    """
    rings_around, sectors_around, needed = 6, 8, 3
    rings, sectors = lows.shape
    kept = reached.copy()
    for ring in range(rings):
        for sector in range(sectors):
            if not reached[ring, sector]:
                continue
            lower = 0
            for to_ring in range(max(ring - rings_around, 0), min(ring + rings_around + 1, rings)):
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


@njit(cache=True, nogil=True)
def ground_anchors(points, order, starts, lows, reached, anchors):
    """Mean place of the lowest points of each cell that was reached."""
    thickness = 0.15
    for c in range(starts.shape[0] - 1):
        if not reached.flat[c]:
            continue
        ceiling, count = lows.flat[c] + thickness, 0
        x, y, z = 0.0, 0.0, 0.0
        for i in range(starts[c], starts[c + 1]):
            p = order[i]
            if lows.flat[c] - thickness <= points[p, 2] <= ceiling:
                x, y, z, count = x + points[p, 0], y + points[p, 1], z + points[p, 2], count + 1
        ring, sector = c // lows.shape[1], c % lows.shape[1]
        anchors[ring, sector, 0], anchors[ring, sector, 1] = x / count, y / count
        anchors[ring, sector, 2] = z / count


@njit(cache=True, nogil=True)
def plane_height(anchors, reached, ring, sector, place, radius, radii):
    """Height at a place of the plane through the anchors around it; nearer ones count more, NaN if none."""
    rings, sectors = reached.shape
    w = wx = wy = wz = xx = xy = yy = xz = yz = 0.0
    ahead = int(radius / (radii[ring] * (1 - radii[0] / radii[1]))) + 1
    for to_ring in range(max(ring - ahead, 0), min(ring + ahead + 1, rings)):
        aside = min(int(radius / radii[to_ring] * sectors / (2 * np.pi)) + 1, sectors // 2)
        for turn in range(-aside, aside + 1):
            to_sector = wrapped(sector + turn, sectors)
            if not reached[to_ring, to_sector]:
                continue
            dx, dy = anchors[to_ring, to_sector, 0] - place[0], anchors[to_ring, to_sector, 1] - place[1]
            nearness = 1 - (dx * dx + dy * dy) / (radius * radius)
            if nearness > 0:
                z, a = anchors[to_ring, to_sector, 2], nearness * nearness
                w, wx, wy, wz = w + a, wx + a * dx, wy + a * dy, wz + a * z
                xx, xy, yy = xx + a * dx * dx, xy + a * dx * dy, yy + a * dy * dy
                xz, yz = xz + a * dx * z, yz + a * dy * z
    if w < 1e-6:
        return np.nan
    x, y, z = wx / w, wy / w, wz / w
    ridge = 0.01 * radius * radius  # leans towards level where the anchors say little of the slope
    xx, xy, yy = xx / w - x * x + ridge, xy / w - x * y, yy / w - y * y + ridge
    xz, yz = xz / w - x * z, yz / w - y * z
    return z - (x * (yy * xz - xy * yz) + y * (xx * yz - xy * xz)) / (xx * yy - xy * xy)


@njit(cache=True, nogil=True)
def coarsen(anchors, reached, factor):
    """Mean anchors of squares of cells, and which of these have any."""
    rings, sectors = reached.shape[0] // factor, reached.shape[1] // factor
    coarse, counts = np.zeros((rings, sectors, 3)), np.zeros((rings, sectors))
    for ring in range(rings * factor):
        for sector in range(sectors * factor):
            if reached[ring, sector]:
                coarse[ring // factor, sector // factor] += anchors[ring, sector]
                counts[ring // factor, sector // factor] += 1
    for ring in range(rings):
        for sector in range(sectors):
            coarse[ring, sector] /= max(counts[ring, sector], 1.0)
    return coarse, counts > 0


@njit(cache=True, nogil=True)
def smooth_ground(anchors, reached, radii, places, heights):
    """Height in the middle of every cell from the anchors nearby, in a hole from those further away.

    Close to the car, where cells are small and holes wide, squares of cells stand in for cells.
    """
    factor, small, near, far, blind = 4, 12.0, 1.0, 5.0, 8.0
    coarse, coarse_reached = coarsen(anchors, reached, factor)
    coarse_radii = radii[::factor] * np.sqrt(radii[factor - 1] / radii[0])
    for ring in range(reached.shape[0]):
        wide = 1.5 * radii[ring] * (radii[1] / radii[0] - 1)
        for sector in range(reached.shape[1]):
            place = places[ring, sector]
            if reached[ring, sector] or radii[ring] > small:
                radius = max(near if reached[ring, sector] else far, wide)
                height = plane_height(anchors, reached, ring, sector, place, radius, radii)
            else:
                across, along = ring // factor, sector // factor
                height = plane_height(coarse, coarse_reached, across, along, place, blind, coarse_radii)
            heights[ring, sector] = height


@njit(cache=True, nogil=True)
def height_of(grid, ring, sector):
    """Height between the middles of the cells, bilinear in what is known; NaN in an unknown cell."""
    rings, sectors = grid.shape
    if not (ring < rings and sector >= 0) or not abs(grid[int(ring), wrapped(int(sector), sectors)]) < np.inf:
        return np.nan
    ring, sector = min(max(ring - 0.5, 0.0), rings - 1.0), sector - 0.5
    low, left = int(ring), int(np.floor(sector))
    total, weights = 0.0, 0.0
    for corner in range(4):
        up, aside = corner // 2, corner % 2
        weight = (ring - low if up else 1 - ring + low) * (sector - left if aside else 1 - sector + left)
        height = grid[min(low + up, rings - 1), wrapped(left + aside, sectors)]
        if weight > 0 and abs(height) < np.inf:
            total, weights = total + weight * height, weights + weight
    return total / weights


@njit(cache=True, nogil=True)
def ground_heights(grid, places, nearest, farthest, heights):
    """Heights of the ground at (N, 2) places."""
    for i in range(places.shape[0]):
        ring, sector = polar(places[i, 0], places[i, 1], grid.shape[0], grid.shape[1], nearest, farthest)
        heights[i] = height_of(grid, ring, sector)


@njit(cache=True, nogil=True)
def heights_above(grid, points, polar_places, heights):
    """Heights of points above the ground whose ring and sector are known."""
    for i in range(points.shape[0]):
        heights[i] = points[i, 2] - height_of(grid, polar_places[i, 0], polar_places[i, 1])
