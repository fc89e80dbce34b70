"""Fields out of the points of a message in one pass; formats/recording/layout.py stands in front of it."""

import numpy as np
from numba import njit

INFINITE, MAGNITUDE = np.uint32(0x7F800000), np.uint32(0x7FFFFFFF)


@njit(cache=True, nogil=True)
def gather(bits, axes, starts, points, first, second, third):
    """Copies x, y, z and three more fields of every point.

    Args:
        bits: (N, B) uint32, the four bytes from each byte of a point on, overlapping and not aligned.
        axes: (3,) where the float32 x, y and z begin.
        starts: (3,) where the other fields do.
        points: (N, 3) uint32, the bits of x, y and z.
        first: (N,) uint32, those of another field. So are
        second: the next one, and
        third: the last.

    Returns:
        How many points are not finite, or at the origin.
    """
    none = 0
    at_x, at_y, at_z = axes[0], axes[1], axes[2]
    at_1, at_2, at_3 = starts[0], starts[1], starts[2]
    for n in range(bits.shape[0]):
        x, y, z = bits[n, at_x], bits[n, at_y], bits[n, at_z]
        points[n, 0] = x
        points[n, 1] = y
        points[n, 2] = z
        first[n] = bits[n, at_1]
        second[n] = bits[n, at_2]
        third[n] = bits[n, at_3]
        largest = max(x & MAGNITUDE, y & MAGNITUDE, z & MAGNITUDE)
        none += (largest >= INFINITE) | (largest == 0)
    return none
