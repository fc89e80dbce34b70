"""Compiled loops over cells of space; cells.py stands in front of them."""

import numpy as np
from numba import njit

HALF = 1 << 20
SIDE = 4
CELLS = SIDE**3


@njit(cache=True, nogil=True, error_model="numpy")
def slot_of(keys, key):
    """Where in an open-addressing table a key is, or would be put (Knuth, 1973; Fibonacci hashing)."""
    mask = keys.shape[0] - 1
    spread = (np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)
    at = np.int64(spread) & mask
    while keys[at] != -1 and keys[at] != key:
        at = (at + 1) & mask
    return at


@njit(cache=True, nogil=True, error_model="numpy")
def block_of(ix, iy, iz):
    """One number for the block of 4 x 4 x 4 cells that a cell lies in."""
    return (ix >> 2 << 42) | (iy >> 2 << 21) | (iz >> 2)


@njit(cache=True, nogil=True, error_model="numpy")
def inside_of(ix, iy, iz):
    """The number of a cell in its block."""
    return (ix & 3) << 4 | (iy & 3) << 2 | (iz & 3)


@njit(cache=True, nogil=True, error_model="numpy")
def is_wanted(point, above, origin, farthest, lowest):
    """Whether a point lies near enough, seen from above, and at a known height above the ground."""
    dx, dy = point[0] - origin[0], point[1] - origin[1]
    return dx * dx + dy * dy < farthest * farthest and above >= lowest


@njit(cache=True, nogil=True, error_model="numpy")
def number_of(keys, numbers, blocks, count, key):
    """The number of a block, a new one where the table did not know it; -1 where there is no room left."""
    at = slot_of(keys, key)
    if keys[at] == -1:
        if count[0] == blocks.shape[0]:
            return -1
        keys[at], numbers[at], blocks[count[0]] = key, count[0], key
        count[0] += 1
    return numbers[at]


@njit(cache=True, nogil=True, error_model="numpy")
def fill(keys, numbers, blocks):
    """Puts numbered blocks into an empty table."""
    for number in range(blocks.shape[0]):
        at = slot_of(keys, blocks[number])
        keys[at], numbers[at] = blocks[number], number


@njit(cache=True, nogil=True, error_model="numpy")
def cell_of(point, per_m):
    """The three numbers of the cell that a point lies in."""
    ix = np.int64(np.floor(point[0] * per_m)) + HALF
    iy = np.int64(np.floor(point[1] * per_m)) + HALF
    return ix, iy, np.int64(np.floor(point[2] * per_m)) + HALF


@njit(cache=True, nogil=True, error_model="numpy")
def note_occupied(
    points, above, start, origin, farthest, lowest, frame, per_m, keys, numbers, blocks, count, first, last,
    times,
):  # fmt: skip
    """Notes in which frames cells hold points; returns how many points were done before the room ran out."""
    known, number = np.int64(-1), np.int64(-1)
    for i in range(start, points.shape[0]):
        if not is_wanted(points[i], above[i], origin, farthest, lowest):
            continue
        ix, iy, iz = cell_of(points[i], per_m)
        key = block_of(ix, iy, iz)
        if key != known:
            known, number = key, number_of(keys, numbers, blocks, count, key)
            if number < 0:
                return i
        at = number * CELLS + inside_of(ix, iy, iz)
        if times[at] == 0:
            first[at] = last[at] = frame
            times[at] = 1
        elif last[at] != frame:
            last[at] = frame
            times[at] += 1
    return points.shape[0]


@njit(cache=True, nogil=True, error_model="numpy")
def mark_beside(cells, start, keys, numbers, blocks, count, flags):
    """Marks with 1 the cells without a flag around some cells; returns how many were done."""
    for i in range(start, cells.shape[0]):
        for dx in range(-1, 2):
            for dy in range(-1, 2):
                for dz in range(-1, 2):
                    ix, iy, iz = cells[i, 0] + dx, cells[i, 1] + dy, cells[i, 2] + dz
                    number = number_of(keys, numbers, blocks, count, block_of(ix, iy, iz))
                    if number < 0:
                        return i
                    at = number * CELLS + inside_of(ix, iy, iz)
                    if flags[at] == 0:
                        flags[at] = 1
    return cells.shape[0]


@njit(cache=True, nogil=True, error_model="numpy")
def select(points, above, origin, farthest, lowest, per_m, keys, numbers, flags, flag, chosen):
    """Lists the wanted points in cells that have a flag; cells that no table knows have 0."""
    known, number, n = np.int64(-1), np.int64(-1), 0
    for i in range(points.shape[0]):
        if not is_wanted(points[i], above[i], origin, farthest, lowest):
            continue
        ix, iy, iz = cell_of(points[i], per_m)
        key = block_of(ix, iy, iz)
        if key != known:
            at = slot_of(keys, key)
            known, number = key, np.int64(numbers[at]) if keys[at] != -1 else np.int64(-1)
        if (flags[number * CELLS + inside_of(ix, iy, iz)] if number >= 0 else 0) == flag:
            chosen[n] = i
            n += 1
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def add_points(points, above, chosen, start, per_m, keys, numbers, blocks, count, sums):
    """Adds chosen points to the sums of their fine cells; returns how many were done.

    Sums are of distances from the corner of the block, which need few digits.
    """
    known, number = np.int64(-1), np.int64(-1)
    corner = np.zeros(3)
    for k in range(start, chosen.shape[0]):
        i = chosen[k]
        ix, iy, iz = cell_of(points[i], per_m)
        key = block_of(ix, iy, iz)
        if key != known:
            known, number = key, number_of(keys, numbers, blocks, count, key)
            if number < 0:
                return k
            corner[0] = ((ix >> 2 << 2) - HALF) / per_m
            corner[1] = ((iy >> 2 << 2) - HALF) / per_m
            corner[2] = ((iz >> 2 << 2) - HALF) / per_m
        at = number * CELLS + inside_of(ix, iy, iz)
        for axis in range(3):
            sums[at, axis] += points[i, axis] - corner[axis]
        sums[at, 3] += above[i]
        sums[at, 4] += 1
    return chosen.shape[0]


@njit(cache=True, nogil=True, error_model="numpy")
def means(blocks, per_m, sums, places, above):
    """The means of the cells that hold anything; returns how many there are."""
    n = 0
    for b in range(blocks.shape[0]):
        ix, iy, iz = blocks[b] >> 42, blocks[b] >> 21 & 0x1FFFFF, blocks[b] & 0x1FFFFF
        for c in range(CELLS):
            at = b * CELLS + c
            if sums[at, 4] == 0:
                continue
            places[n, 0] = ((ix << 2) - HALF) / per_m + sums[at, 0] / sums[at, 4]
            places[n, 1] = ((iy << 2) - HALF) / per_m + sums[at, 1] / sums[at, 4]
            places[n, 2] = ((iz << 2) - HALF) / per_m + sums[at, 2] / sums[at, 4]
            above[n] = sums[at, 3] / sums[at, 4]
            n += 1
    return n
