"""Compiled loops of the shutter; motion.py and project.py stand in front of them."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def place_at(points, velocities, times_ns, first_ns, step_ns, rotations, translations, out):
    """Points in the camera's frame, each at its own instant; between two poses their images are mixed.

    Beyond the poses the first and the last step go on. One velocity serves all points, or each has its own.
    """
    last = rotations.shape[0] - 2
    shared = velocities.shape[0] == 1
    for i in range(points.shape[0]):
        share = (times_ns[i] - first_ns) / step_ns
        a = 0 if not share > 0 else min(int(share), last)
        f, m, seconds = share - a, 0 if shared else i, 1e-9 * times_ns[i]
        x = points[i, 0] + seconds * velocities[m, 0]
        y = points[i, 1] + seconds * velocities[m, 1]
        z = points[i, 2] + seconds * velocities[m, 2]
        for k in range(3):
            p, q = rotations[a, k], rotations[a + 1, k]
            here = p[0] * x + p[1] * y + p[2] * z + translations[a, k]
            there = q[0] * x + q[1] * y + q[2] * z + translations[a + 1, k]
            out[i, k] = here + f * (there - here)


@njit(cache=True, nogil=True, error_model="numpy")
def in_cone(points, rotation, translation, back_m, slope, kept):
    """Indices of the points in a cone about the camera's axis, its tip `back_m` behind; returns how many."""
    count = 0
    for i in range(points.shape[0]):
        a, b, c = np.float64(points[i, 0]), np.float64(points[i, 1]), np.float64(points[i, 2])
        x = rotation[0, 0] * a + rotation[0, 1] * b + rotation[0, 2] * c + translation[0]
        y = rotation[1, 0] * a + rotation[1, 1] * b + rotation[1, 2] * c + translation[1]
        z = rotation[2, 0] * a + rotation[2, 1] * b + rotation[2, 2] * c + translation[2] + back_m
        if z > 0 and x * x + y * y <= slope * slope * z * z:
            kept[count] = i
            count += 1
    return count
