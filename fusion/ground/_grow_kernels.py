"""Compiled loops that tell which cells are ground; surface.py stands in front of them."""

import numpy as np
from numba import njit

from fusion.ground._kernels import kth_smallest, wrapped


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc"})
def count_on_plane(xs, ys, zs, plane, agree):
    """How many places lie on a plane, to so many metres."""
    a, b, c = plane
    count = 0.0
    for i in range(xs.shape[0]):
        count += 1.0 if abs(zs[i] - (xs[i] * a + ys[i] * b) - c) < agree else 0.0
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def best_plane(xs, ys, zs, triples, agree, steepest):
    """Slopes along x and y and height at the origin of the plane that most places lie on.

    Those through three places are tried that are not too steep, and the level one.
    """
    best = 0.0, 0.0, kth_smallest(zs.copy(), len(zs), len(zs) // 2)
    most = count_on_plane(xs, ys, zs, best, agree)
    for i, j, k in triples:
        ax, ay, az = xs[j] - xs[i], ys[j] - ys[i], zs[j] - zs[i]
        bx, by, bz = xs[k] - xs[i], ys[k] - ys[i], zs[k] - zs[i]
        nx, ny, nz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        if nx * nx + ny * ny < steepest * steepest * nz * nz:
            plane = -nx / nz, -ny / nz, zs[i] + (nx * xs[i] + ny * ys[i]) / nz
            count = count_on_plane(xs, ys, zs, plane, agree)
            if count > most:
                best, most = plane, count
    return best


@njit(cache=True, nogil=True, error_model="numpy")
def allowed_rise(away):
    """How much higher than a cell of ground another may be so far away: a kerb and a steep road."""
    return 0.18 + 0.12 * away


@njit(cache=True, nogil=True, error_model="numpy")
def too_steep(rise, places, ring, sector, to_ring, to_sector):
    """Whether one cell is so much higher than another that not both are ground."""
    if rise <= allowed_rise(0.0):
        return False
    dx = places[to_ring, to_sector, 0] - places[ring, sector, 0]
    dy = places[to_ring, to_sector, 1] - places[ring, sector, 1]
    return rise > allowed_rise(np.sqrt(dx * dx + dy * dy))


@njit(cache=True, nogil=True, error_model="numpy")
def next_open(following, sector, ring):
    """The next ring from this one on where a sector is open; `following` leads there ever faster."""
    while following[sector, ring] != ring:
        following[sector, ring] = following[sector, following[sector, ring]]
        ring = following[sector, ring]
    return ring


@njit(cache=True, nogil=True, error_model="numpy")
def grow_ground(lows, places, seeds, passable):
    """Passable cells that can be reached from the seeds over steps and slopes that a road can have."""
    rings_ahead, sectors_aside = 8, 3
    rings, sectors = lows.shape
    reached = seeds & passable
    queue = np.empty(rings * sectors, dtype=np.int32)
    following = np.full((sectors, rings + 1), rings, dtype=np.int32)
    head, tail = 0, 0
    for ring in range(rings - 1, -1, -1):
        for sector in range(sectors):
            is_open = passable[ring, sector] and not reached[ring, sector]
            following[sector, ring] = ring if is_open else following[sector, ring + 1]
            if reached[ring, sector]:
                queue[tail] = ring * sectors + sector
                tail += 1
    while head < tail:
        ring, sector = queue[head] // sectors, queue[head] % sectors
        head += 1
        for turn in range(-sectors_aside, sectors_aside + 1):
            to_sector = wrapped(sector + turn, sectors)
            to_ring = next_open(following, to_sector, max(ring - rings_ahead, 0))
            while to_ring <= min(ring + rings_ahead, rings - 1):
                rise = abs(lows[to_ring, to_sector] - lows[ring, sector])
                if not too_steep(rise, places, ring, sector, to_ring, to_sector):
                    reached[to_ring, to_sector] = True
                    following[to_sector, to_ring] = to_ring + 1
                    queue[tail] = to_ring * sectors + to_sector
                    tail += 1
                to_ring = next_open(following, to_sector, to_ring + 1)
    return reached


@njit(cache=True, nogil=True, error_model="numpy")
def drop_pits(lows, places, reached):
    """The cells that do not lie far below nearly all of their neighbours: mirrors throw points there."""
    rings_around, sectors_around, share = 2, 3, 0.8
    neighbours = (2 * rings_around + 1) * (2 * sectors_around + 1) - 1
    rings, sectors = lows.shape
    kept = reached.copy()
    for ring in range(rings):
        for sector in range(sectors):
            if not reached[ring, sector]:
                continue
            level, higher = -1, 0
            for to_ring in range(max(ring - rings_around, 0), min(ring + rings_around + 1, rings)):
                for turn in range(-sectors_around, sectors_around + 1):
                    to_sector = wrapped(sector + turn, sectors)
                    if not reached[to_ring, to_sector]:
                        continue
                    rise = lows[to_ring, to_sector] - lows[ring, sector]
                    if too_steep(rise, places, ring, sector, to_ring, to_sector):
                        higher += 1
                    else:
                        level += 1
                # So many can no longer be made up for, whatever the others are.
                if level > (1 - share) * neighbours:
                    break
            kept[ring, sector] = higher < max(share * (higher + level), 1)
    return kept


@njit(cache=True, nogil=True, error_model="numpy")
def lowest_around(lows, reached, sectors_around):
    """The lowest of the cells of each ring that were reached so many sectors to either side."""
    rings, sectors = lows.shape
    lowest, row = np.full((rings, sectors), np.inf), np.empty(sectors + 2 * sectors_around)
    for ring in range(rings):
        for k in range(len(row)):
            sector = wrapped(k - sectors_around, sectors)
            row[k] = lows[ring, sector] if reached[ring, sector] else np.inf
        here = lowest[ring]
        for turn in range(2 * sectors_around + 1):
            for sector in range(sectors):
                here[sector] = min(here[sector], row[sector + turn])
    return lowest


@njit(cache=True, nogil=True, error_model="numpy")
def drop_what_stands(lows, places, reached):
    """The cells that do not stand out over others near them (slope filter; Vosselman, 2000).

    A single lower cell proves nothing: mirrors throw points below the ground.
    """
    rings_around, sectors_around, needed = 6, 8, 3
    rings, sectors = lows.shape
    kept, lowest = reached.copy(), lowest_around(lows, reached, sectors_around)
    radii = np.sqrt(places[:, 0, 0] ** 2 + places[:, 0, 1] ** 2)
    for ring in range(rings):
        for sector in range(sectors):
            if not reached[ring, sector]:
                continue
            lower = 0
            for to_ring in range(max(ring - rings_around, 0), min(ring + rings_around + 1, rings)):
                rise = lows[ring, sector] - lowest[to_ring, sector]
                # No cell of that ring lies nearer than the ring itself.
                if not rise > allowed_rise(abs(radii[to_ring] - radii[ring])):
                    continue
                for turn in range(-sectors_around, sectors_around + 1):
                    to_sector = wrapped(sector + turn, sectors)
                    if not reached[to_ring, to_sector]:
                        continue
                    rise = lows[ring, sector] - lows[to_ring, to_sector]
                    lower += too_steep(rise, places, ring, sector, to_ring, to_sector)
                if lower >= needed:
                    break
            kept[ring, sector] = lower < needed
    return kept
