"""Compiled loops over clouds: `SE3.cloud`, and the gates of project_cloud, which blocks a camera may see.

The rest of projection is in calib/cameras/_kernels.py. `fastmath` lets sums be regrouped; nowhere may it
assume that there is no NaN.
"""

import math

import numpy as np
from numba import njit

from calib.cameras._kernels import BLOCK, split

# Of a sum of four products of float32 numbers, rounded coefficients included; three times what it can be.
ROUNDING = 1e-6


@njit(cache=True, nogil=True)
def moved(points, rotation, translation):
    """(N, 3) float32 points, turned and shifted in float64."""
    out = np.empty((points.shape[0], 3), dtype=np.float32)
    # Only where the distance from one x to the next is a constant, points are told many at once.
    flat, into = points.reshape(-1), out.reshape(-1)
    a0, a1, a2 = rotation[0, 0], rotation[0, 1], rotation[0, 2]
    b0, b1, b2 = rotation[1, 0], rotation[1, 1], rotation[1, 2]
    c0, c1, c2 = rotation[2, 0], rotation[2, 1], rotation[2, 2]
    d0, d1, d2 = translation[0], translation[1], translation[2]
    for i in range(points.shape[0]):
        x, y, z = np.float64(flat[3 * i]), np.float64(flat[3 * i + 1]), np.float64(flat[3 * i + 2])
        into[3 * i] = a0 * x + a1 * y + a2 * z + d0
        into[3 * i + 1] = b0 * x + b1 * y + b2 * z + d1
        into[3 * i + 2] = c0 * x + c1 * y + c2 * z + d2
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def gate_of(sight, limit_rad, rotation, translation):
    """A (4, 4) gate: for a point in sight, |row 0| and |row 1| of gate @ (x, y, z, 1) are at most row 2.

    The first two rows measure sideways and up in units of the half field of view, the third is the depth,
    with the rounding errors of float32 added; entry (3, 0) is what they grow by with a point's coordinates.
    A camera that sees further than a right angle has a gate of its own: a cone around its axis, as wide as
    z = cos(limit) * |x, y, z|; a sum of coordinates stands in for the length.
    """
    gate = np.zeros((4, 4))
    gate[2, :3], gate[2, 3] = rotation[2], translation[2]
    widest, bounded = 0.0, True
    for axis in range(2):
        half, middle = (sight[axis, 1] - sight[axis, 0]) / 2, 0.0
        if half < math.inf:
            middle = (sight[axis, 0] + sight[axis, 1]) / 2
        else:
            bounded = False
        gate[axis, :3] = (rotation[axis] - middle * rotation[2]) / half
        gate[axis, 3] = (translation[axis] - middle * translation[2]) / half
        widest = max(widest, (1 + abs(middle)) / half)
    slack = ROUNDING * (1 + widest) + (0.0 if bounded else max(-math.cos(limit_rad), 0.0))
    gate[2, 3] += slack * np.abs(translation).sum()
    gate[3, 0] = slack
    return gate.astype(np.float32)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz"})
def count_in_gate(x, y, z, size, gate, count):
    """How many points of a block may be in a camera's sight, rounding errors counted in (see `gate_of`)."""
    a0, b0, c0, d0 = gate[0, 0], gate[0, 1], gate[0, 2], gate[0, 3]
    a1, b1, c1, d1 = gate[1, 0], gate[1, 1], gate[1, 2], gate[1, 3]
    a2, b2, c2, d2, slack = gate[2, 0], gate[2, 1], gate[2, 2], gate[2, 3], gate[3, 0]
    inside = np.float32(0)
    for k in range(count):
        p, q, w = x[k], y[k], z[k]
        reach = a2 * p + b2 * q + c2 * w + d2 + slack * size[k]
        aside, above = abs(a0 * p + b0 * q + c0 * w + d0), abs(a1 * p + b1 * q + c1 * w + d1)
        inside += np.float32(1) if (aside <= reach) & (above <= reach) else np.float32(0)
    return inside


@njit(cache=True, nogil=True, error_model="numpy")
def count_candidates(points, gates, counts):
    """How many points of each block each camera may see, into (blocks, C) counts."""
    x, y, z = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    size = np.empty(BLOCK, np.float32)
    for b in range(counts.shape[0]):
        block = points[b * BLOCK : (b + 1) * BLOCK]
        split(block, x, y, z)
        for k in range(block.shape[0]):
            size[k] = abs(x[k]) + abs(y[k]) + abs(z[k])
        for c in range(gates.shape[0]):
            counts[b, c] = int(count_in_gate(x, y, z, size, gates[c], block.shape[0]))
