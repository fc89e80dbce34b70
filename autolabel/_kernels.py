"""What of a scan is kept, and how to pick some of many; scans.py is in front."""

import numpy as np
from numba import njit

from fusion._fan_kernels import begins, direction_of


@njit(cache=True, nogil=True, error_model="numpy")
def keep(points_ego, heights_m, intensity, limits, rotation, translation, origin, starts, columns):
    """Fills columns of what is not ground, sorted by direction from the origin, and where directions begin.

    limits: the lowest height, the highest, the range up to which the ground is trusted, by how much the
        lowest sinks a metre beyond that, the farthest range.
    columns: (5 N,) for so many points; with M kept, M places in the local world, M heights, M intensities.
    """
    lowest_m, highest_m, trusted_m, doubt_per_m, farthest_m = limits
    cells, places = np.empty(len(points_ego), np.int32), np.empty((len(points_ego), 3), np.float32)
    starts[:] = 0
    for i in range(points_ego.shape[0]):
        x, y, z = np.float64(points_ego[i, 0]), np.float64(points_ego[i, 1]), np.float64(points_ego[i, 2])
        range_m, height_m = np.sqrt(x * x + y * y), heights_m[i]
        cells[i] = -1
        if range_m >= farthest_m or height_m > highest_m:
            continue
        if height_m < lowest_m - doubt_per_m * max(range_m - trusted_m, 0.0):
            continue
        for axis in range(3):
            places[i, axis] = (
                rotation[axis, 0] * x + rotation[axis, 1] * y + rotation[axis, 2] * z + translation[axis]
            )
        x, y, z = places[i, 0] - origin[0], places[i, 1] - origin[1], places[i, 2] - origin[2]
        cells[i] = direction_of(x, y, z)
        if cells[i] >= 0:
            starts[cells[i] + 1] += 1
    fill, count = begins(starts), starts[-1]
    for i in range(points_ego.shape[0]):
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
