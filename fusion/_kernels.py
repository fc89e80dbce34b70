"""Compiled loops over points and boxes; sweep.py, overlap.py and ground.py stand in front of them."""

from numba import njit


@njit(cache=True, nogil=True)
def deskew(points, times, knot_times, knot_step, rotations, translations, out):
    """Applies to each point the transform interpolated between the two knots around its time."""
    last = knot_times.shape[0] - 1
    for i in range(points.shape[0]):
        a = min(int(times[i] / knot_step), last)
        b = min(a + 1, last)
        span = knot_times[b] - knot_times[a]
        f = (times[i] - knot_times[a]) / span if span > 0 else 0.0
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        for k in range(3):
            here = (
                rotations[a, k, 0] * x + rotations[a, k, 1] * y + rotations[a, k, 2] * z + translations[a, k]
            )
            there = (
                rotations[b, k, 0] * x + rotations[b, k, 1] * y + rotations[b, k, 2] * z + translations[b, k]
            )
            out[i, k] = here + f * (there - here)
