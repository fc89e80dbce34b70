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
def is_wanted(dx, dy, above, farthest, lowest):
    """Whether a point lies near enough, seen from above, and at a known height above the ground."""
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
def cell_of(x, y, z, per_m):
    """The three numbers of the cell that a place lies in."""
    ix, iy = np.int64(np.floor(x * per_m)) + HALF, np.int64(np.floor(y * per_m)) + HALF
    return ix, iy, np.int64(np.floor(z * per_m)) + HALF


@njit(cache=True, nogil=True, error_model="numpy")
def corner_of(block, per_m):
    """The place of the lowest corner of a block."""
    x, y = ((block >> 42) * SIDE - HALF) / per_m, ((block >> 21 & 0x1FFFFF) * SIDE - HALF) / per_m
    return x, y, ((block & 0x1FFFFF) * SIDE - HALF) / per_m


@njit(cache=True, nogil=True, error_model="numpy")
def note_occupied(
    points, above, start, origin, farthest, lowest, frame, per_m, keys, numbers, blocks, count, seen
):
    """Notes the first and the last frame in which cells hold points, and in how many they do.

    Returns how many points were done before the room ran out.
    """
    flat, known, number = points.reshape(-1), np.int64(-1), np.int64(-1)
    origin_x, origin_y = origin[0], origin[1]
    for i in range(start, points.shape[0]):
        x, y, z = flat[3 * i], flat[3 * i + 1], flat[3 * i + 2]
        if not is_wanted(x - origin_x, y - origin_y, above[i], farthest, lowest):
            continue
        ix, iy, iz = cell_of(x, y, z, per_m)
        key = block_of(ix, iy, iz)
        if key != known:
            known, number = key, number_of(keys, numbers, blocks, count, key)
            if number < 0:
                return i
        at = number * CELLS + inside_of(ix, iy, iz)
        if seen[at, 2] == 0:
            seen[at, 0] = seen[at, 1] = frame
            seen[at, 2] = 1
        elif seen[at, 1] != frame:
            seen[at, 1] = frame
            seen[at, 2] += 1
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
    flat, known, number, is_known, n = points.reshape(-1), np.int64(-1), np.int64(0), False, 0
    origin_x, origin_y = origin[0], origin[1]
    for i in range(points.shape[0]):
        x, y, z = flat[3 * i], flat[3 * i + 1], flat[3 * i + 2]
        if not is_wanted(x - origin_x, y - origin_y, above[i], farthest, lowest):
            continue
        ix, iy, iz = cell_of(x, y, z, per_m)
        key = block_of(ix, iy, iz)
        if key != known:
            at = slot_of(keys, key)
            known, number, is_known = key, np.int64(numbers[at]), keys[at] != -1
        own = flags[number * CELLS + inside_of(ix, iy, iz)]
        chosen[n] = i  # and again, unless it is one of them: no guess whether it is
        n += own == flag if is_known else flag == 0
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def place_points(points, above, chosen, start, per_m, keys, numbers, blocks, count, rows, placed, places):
    """Appends chosen points with their heights and the rows of their cells to those that are placed.

    Returns how many were done before the room for blocks or for points ran out.
    """
    flat, known, number = points.reshape(-1), np.int64(-1), np.int64(-1)
    for k in range(start, chosen.shape[0]):
        i, n = chosen[k], placed[0]
        x, y, z = flat[3 * i], flat[3 * i + 1], flat[3 * i + 2]
        ix, iy, iz = cell_of(x, y, z, per_m)
        key = block_of(ix, iy, iz)
        if key != known:
            known, number = key, np.int64(number_of(keys, numbers, blocks, count, key))
        if number < 0 or n == rows.shape[0]:
            return k
        rows[n] = number * CELLS + inside_of(ix, iy, iz)
        places[n, 0], places[n, 1], places[n, 2], places[n, 3] = x, y, z, above[i]
        placed[0] += 1
    return chosen.shape[0]


@njit(cache=True, nogil=True, error_model="numpy")
def number_placed(rows, blocks, numbers, used, order):
    """Sorts points that are placed by the blocks they lie in, and numbers their cells, from one on.

    Returns how many cells have a number then; `used` had one before.
    """
    starts = np.zeros(blocks.shape[0] + 1, dtype=np.int32)
    for row in rows:
        starts[row // CELLS + 1] += 1
    for b in range(blocks.shape[0]):
        starts[b + 1] += starts[b]
    for i in range(rows.shape[0]):
        b = rows[i] // CELLS
        order[starts[b]] = i
        starts[b] += 1
    for i in order:
        if numbers[rows[i]] == 0:
            used += 1
            numbers[rows[i]] = used
    return used


@njit(cache=True, nogil=True, error_model="numpy")
def add_placed(rows, places, order, per_m, blocks, numbers, sums):
    """Adds points that are placed to the sums of their cells, block by block.

    Sums are of distances from the corner of the block, which need few digits.
    """
    known, x, y, z = -1, 0.0, 0.0, 0.0
    for i in order:
        if rows[i] // CELLS != known:
            known = rows[i] // CELLS
            x, y, z = corner_of(blocks[known], per_m)
        at = numbers[rows[i]] - 1
        sums[at, 0] += places[i, 0] - x
        sums[at, 1] += places[i, 1] - y
        sums[at, 2] += places[i, 2] - z
        sums[at, 3] += places[i, 3]
        sums[at, 4] += 1


@njit(cache=True, nogil=True, error_model="numpy")
def means(blocks, per_m, numbers, sums, places, above):
    """The means of the cells that hold anything, block by block."""
    n = 0
    for b in range(blocks.shape[0]):
        x, y, z = corner_of(blocks[b], per_m)
        for at in numbers[b * CELLS : (b + 1) * CELLS]:
            if at > 0:
                count = sums[at - 1, 4]
                places[n, 0] = x + sums[at - 1, 0] / count
                places[n, 1] = y + sums[at - 1, 1] / count
                places[n, 2] = z + sums[at - 1, 2] / count
                above[n] = sums[at - 1, 3] / count
                n += 1
