"""What of a scan is kept, and how to pick some of many; scans.py is in front."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def keep(points_ego, heights_m, intensity, limits, rotation, translation, points, above_m, kept):
    """Fills places in the local world, heights and intensities of what is not ground; how many there are.

    limits: the lowest height, the highest, the range up to which the ground is trusted, by how much the
        lowest sinks a metre beyond that, the farthest range.
    """
    lowest_m, highest_m, trusted_m, doubt_per_m, farthest_m = limits
    count = 0
    for i in range(points_ego.shape[0]):
        x, y, z = np.float64(points_ego[i, 0]), np.float64(points_ego[i, 1]), np.float64(points_ego[i, 2])
        range_m, height_m = np.sqrt(x * x + y * y), heights_m[i]
        if range_m >= farthest_m or height_m > highest_m:
            continue
        if height_m < lowest_m - doubt_per_m * max(range_m - trusted_m, 0.0):
            continue
        for axis in range(3):
            points[count, axis] = (
                rotation[axis, 0] * x + rotation[axis, 1] * y + rotation[axis, 2] * z + translation[axis]
            )
        above_m[count], kept[count] = height_m, intensity[i]
        count += 1
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
