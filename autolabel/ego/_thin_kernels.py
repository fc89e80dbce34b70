"""Compiled loops over cells of space in a hash table: where each is, and one point in each."""

import numpy as np
from numba import njit

FREE, MIXING = -1, 0x2545F4914F6CDD1D
# As many cells, seen last, lie in the nearest memory; neighbours in space come soon after each other.
RECENT = 1024


@njit(cache=True, nogil=True, error_model="numpy")
def key_of(ix, iy, iz):
    """One number for a cell, none of them negative."""
    return ((ix & 0x1FFFFF) << 42) | ((iy & 0x1FFFFF) << 21) | (iz & 0x1FFFFF)


@njit(cache=True, nogil=True, error_model="numpy")
def slot_of(keys, key):
    """Where a cell is in the table, or the free slot in which it would be."""
    mask = keys.shape[0] - 1
    mixed = key * MIXING
    slot = (mixed ^ (mixed >> 29)) & mask
    while keys[slot] != FREE and keys[slot] != key:
        slot = (slot + 1) & mask
    return slot


@njit(cache=True, nogil=True, error_model="numpy")
def slot_of_cell(keys, ix, iy, iz):
    """The slot of a cell, and its key."""
    key = key_of(ix, iy, iz)
    return slot_of(keys, key), key


@njit(cache=True, nogil=True, error_model="numpy")
def keys_of(points, nearest_m, farthest_m, cell_m, cells):
    """The keys of the cells that points lie in, FREE for those too near or too far; vectorised."""
    flat, per_m = points.reshape(-1), 1 / cell_m
    for i in range(len(cells)):
        x, y, z = np.float64(flat[3 * i]), np.float64(flat[3 * i + 1]), np.float64(flat[3 * i + 2])
        r2 = x * x + y * y
        wanted = (nearest_m * nearest_m < r2) & (r2 < farthest_m * farthest_m) & (abs(z) < farthest_m)
        x, y, z = np.floor(x * per_m), np.floor(y * per_m), np.floor(z * per_m)
        key = key_of(np.int64(x), np.int64(y), np.int64(z))
        cells[i] = key if wanted else FREE


@njit(cache=True, nogil=True, error_model="numpy")
def thin(points, nearest_m, farthest_m, cell_m, keys, out):
    """Indices of the first point in each cell of a cubic grid; returns how many."""
    keys[:] = FREE
    count, fill, at_once = 0, keys.shape[0] * 3 // 4, 512
    cells, recent = np.empty(at_once, dtype=np.int64), np.full(RECENT, FREE)
    for first in range(0, points.shape[0], at_once):
        some = points[first : first + at_once]
        keys_of(some, nearest_m, farthest_m, cell_m, cells[: len(some)])
        for k in range(len(some)):
            key = cells[k]
            place = (key * MIXING >> 50) & (RECENT - 1)
            if recent[place] == key or key == FREE:
                continue
            recent[place] = key
            slot = slot_of(keys, key)
            if keys[slot] == FREE:
                keys[slot] = key
                out[count] = first + k
                count += 1
                if count >= fill:
                    return count
    return count
