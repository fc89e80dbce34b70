"""What of a scan is kept, and how to pick some of many; scans.py is in front."""

import numpy as np
from numba import njit

from calib._kernels import moved
from fusion._fan_kernels import count_directions, directions_of


@njit(cache=True, nogil=True, error_model="numpy")
def drop(points_ego, heights_m, limits, cells):
    """Takes the number from what is ground, too high or too far; see `keep` for the limits."""
    lowest_m, highest_m, trusted_m, doubt_per_m, farthest_m = limits
    flat, none = points_ego.reshape(-1), np.int32(-1)
    for i in range(len(cells)):
        x, y, height_m = np.float64(flat[3 * i]), np.float64(flat[3 * i + 1]), heights_m[i]
        range_m = np.sqrt(x * x + y * y)
        low = height_m < lowest_m - doubt_per_m * max(range_m - trusted_m, 0.0)
        dropped = low | (height_m > highest_m) | (range_m >= farthest_m)
        cells[i] = none if dropped else cells[i]


@njit(cache=True, nogil=True, error_model="numpy")
def keep(points_ego, heights_m, intensity, limits, rotation, translation, origin, starts, columns):
    """Fills columns of what is not ground, sorted by direction from the origin, and where directions begin.

    limits: the lowest height, the highest, the range up to which the ground is trusted, by how much the
        lowest sinks a metre beyond that, the farthest range.
    columns: (5 N,) for so many points; with M kept, M places in the local world, M heights, M intensities.
    """
    places, cells = moved(points_ego, rotation, translation), np.empty(len(points_ego), np.int32)
    directions_of(places, origin, cells)
    drop(points_ego, heights_m, limits, cells)
    fill = count_directions(cells, starts)
    count = starts[-1]
    for i in range(len(cells)):
        if cells[i] >= 0:
            at = fill[cells[i]]
            fill[cells[i]] += 1
            for axis in range(3):
                columns[3 * at + axis] = places[i, axis]
            columns[3 * count + at], columns[4 * count + at] = heights_m[i], intensity[i]
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def stride_over(count):
    """A step that visits each of so many once, modulo their number, and ever where it has not been yet.

    So the first few are spread over all, and however these are sorted none of their habits shows (golden
    section; Weyl, 1916).
    """
    step = max(int(0.6180339887 * count), 1)
    while True:
        a, b = count, step
        while b:
            a, b = b, a % b
        if a <= 1 or step >= count:
            return step
        step += 1
