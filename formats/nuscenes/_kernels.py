"""Compiled loops of nuScenes; formats/nuscenes/points.py and visibility.py stand in front of them."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def lay_out(points, intensity, scale, ring, table):
    """Rows of x, y, z, intensity and ring, in one pass.

    Args:
        points: (N, 3) float32.
        intensity: (N,) float32, or none.
        scale: what it is multiplied by, in double precision.
        ring: (N,) int32, or none.
        table: (N, 5) float32 to write to; columns that are not given are zero.
    """
    shines, ringed = intensity.shape[0] > 0, ring.shape[0] > 0
    for n in range(points.shape[0]):
        table[n, 0] = points[n, 0]
        table[n, 1] = points[n, 1]
        table[n, 2] = points[n, 2]
        table[n, 3] = np.float32(np.float64(intensity[n]) * scale) if shines else np.float32(0)
        table[n, 4] = np.float32(ring[n]) if ringed else np.float32(0)


@njit(cache=True, nogil=True)
def nearest(rows, columns, depth_m, nearest_m):
    """The smallest of (N,) depths in each cell of a grid, where it is smaller than what is there."""
    for n in range(depth_m.shape[0]):
        nearest_m[rows[n], columns[n]] = min(nearest_m[rows[n], columns[n]], depth_m[n])
