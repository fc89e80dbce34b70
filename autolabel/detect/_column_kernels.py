"""Compiled loops over columns of space seen from above; clusters.py and shapes.py stand in front of them."""

import numpy as np
from numba import njit

HALF = 1 << 20


@njit(cache=True, nogil=True, error_model="numpy")
def key_of(x, y, per_m):
    """One number for the column of a place."""
    return (np.int64(np.floor(x * per_m)) + HALF) << 21 | (np.int64(np.floor(y * per_m)) + HALF)


@njit(cache=True, nogil=True, error_model="numpy")
def slot_of(keys, key):
    """Where in an open-addressing table a key is, or would be put (Knuth, 1973; Fibonacci hashing).

    The columns of a block of 8 x 8 stay together, so that neighbours share lines of the cache.
    """
    mask = keys.shape[0] - 1
    block = key >> 3 & ~(np.int64(7) << 18)
    spread = (np.uint64(block) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)
    at = (np.int64(spread) << 6 | (key >> 21 & 7) << 3 | key & 7) & mask
    while keys[at] != -1 and keys[at] != key:
        at = (at + 67) & mask
    return at


@njit(cache=True, nogil=True, error_model="numpy")
def root_of(parent, i):
    """The cell that stands for the group of a cell (path halving; Tarjan, 1975)."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True, nogil=True, error_model="numpy")
def cells_of(points, per_m, keys, numbers, cell, cells, places):
    """Numbers the cells seen from above in order of their first points; returns how many there are."""
    flat, count = points.reshape(-1), 0
    for i in range(points.shape[0]):
        key = key_of(flat[3 * i], flat[3 * i + 1], per_m)
        at = slot_of(keys, key)
        if keys[at] == -1:
            keys[at], numbers[at], cells[count] = key, count, key
            places[count, 0], places[count, 1] = flat[3 * i], flat[3 * i + 1]
            count += 1
        cell[i] = numbers[at]
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def columns_of(above, cell, step_m, masks):
    """One bit for each step of height at which a column of cells holds points."""
    for i in range(above.shape[0]):
        bit = int(above[i] / step_m)
        if 0 <= bit < 63:
            masks[cell[i]] |= np.int64(1) << bit


@njit(cache=True, nogil=True, error_model="numpy")
def column_tops(masks, lowest, gap, tops):
    """How many steps high what stands on the ground is; 0 where something only hangs above it."""
    for c in range(masks.shape[0]):
        tops[c], empty = 0, 0
        for bit in range(63):
            if masks[c] >> bit & 1:
                tops[c], empty = bit + 1, 0
            else:
                empty += 1
                if empty > (gap if tops[c] > 0 else lowest):
                    break


@njit(cache=True, nogil=True, error_model="numpy")
def join_cells(cells, order, reach, group):
    """Groups cells that lie within the reach, in cells, of the farther-reaching of both; returns how many.

    order: which cells to join, by rising keys. In each line of cells those near one are then a run, which
        only ever begins later for the next one. The others are in group -1.
    """
    parent, most = np.arange(cells.shape[0]), 0
    for a in order:
        most = max(most, int(reach[a]))
    begins = np.zeros(most + 1, dtype=np.int64)
    for i in range(order.shape[0]):
        a = order[i]
        begins[0] = i + 1
        for dx in range(most + 1):
            middle = cells[a] + (np.int64(dx) << 21)
            while begins[dx] < order.shape[0] and cells[order[begins[dx]]] < middle - most:
                begins[dx] += 1
            for k in range(begins[dx], order.shape[0]):
                b = order[k]
                dy = cells[b] - middle
                if dy > most:
                    break
                far = max(reach[a], reach[b])
                if dx * dx + dy * dy <= far * far:
                    ra, rb = root_of(parent, a), root_of(parent, b)
                    parent[max(ra, rb)] = min(ra, rb)
    return number_groups(parent, order, group)


@njit(cache=True, nogil=True, error_model="numpy")
def number_groups(parent, order, group):
    """Numbers groups in order of their first cells; returns how many there are."""
    group[:] = -1
    for a in order:
        group[a] = root_of(parent, a)
    count = 0
    for a in range(group.shape[0]):
        if group[a] == a:
            group[a] = count
            count += 1
        elif group[a] >= 0:
            group[a] = group[group[a]]
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def sort_by_group(group, cell, hangs, order, starts):
    """Indices of the points group by group; without those that hang or lie in cells of no group."""
    for i in range(cell.shape[0]):
        if not hangs[i] and group[cell[i]] >= 0:
            starts[group[cell[i]] + 1] += 1
    for g in range(starts.shape[0] - 1):
        starts[g + 1] += starts[g]
    places = starts[:-1].copy()
    for i in range(cell.shape[0]):
        g = group[cell[i]]
        if not hangs[i] and g >= 0:
            order[places[g]] = i
            places[g] += 1


@njit(cache=True, nogil=True, error_model="numpy")
def own_cells(cell, hangs, order, starts, own, hung):
    """Notes the group of each cell, the last of several, and with 1 that something hangs in it."""
    for g in range(starts.shape[0] - 1):
        for i in order[starts[g] : starts[g + 1]]:
            own[cell[i]] = g
    for i in range(cell.shape[0]):
        if hangs[i]:
            hung[cell[i]] = 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def count_beside(rectangles, margin, per_m, keys, numbers, own, beside):
    """Counts the columns in a margin around each rectangle that are not among its own group's.

    Those beyond the ends of its longer side are counted apart from those along it.
    """
    for g in range(rectangles.shape[0]):
        x, y, yaw, a, b = rectangles[g]
        c, s = np.cos(yaw), np.sin(yaw)
        near_a, near_b = 0.5 * a, 0.5 * b
        a, b = near_a + margin, near_b + margin
        wide, deep = abs(c) * a + abs(s) * b, abs(s) * a + abs(c) * b
        for ix in range(int(np.floor((x - wide) * per_m)), int(np.floor((x + wide) * per_m)) + 1):
            for iy in range(int(np.floor((y - deep) * per_m)), int(np.floor((y + deep) * per_m)) + 1):
                dx, dy = (ix + 0.5) / per_m - x, (iy + 0.5) / per_m - y
                u, v = abs(c * dx + s * dy), abs(c * dy - s * dx)
                if u > a or v > b:
                    continue
                at = slot_of(keys, key_of(dx + x, dy + y, per_m))
                if keys[at] != -1 and own[numbers[at]] != g:
                    beyond = u > near_a if near_a >= near_b else v > near_b
                    beside[g, 0 if beyond else 1] += 1
