"""Compiled loops of the doctor."""

import math

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def shifted(u, v, weights, field, neutral, shifts_u, shifts_v, out):
    """Mean of a (2, H, W) field under points, moved by each of (S,) shifts in pixels; into `out` (S,).

    `weights` (N, 2) are for the two channels; a point that leaves the image counts `neutral` (2,).
    """
    height, width = field.shape[1], field.shape[2]
    for s in range(shifts_u.shape[0]):
        total = 0.0
        for k in range(u.shape[0]):
            column, row = int(u[k] + shifts_u[s] + 0.5), int(v[k] + shifts_v[s] + 0.5)
            across, down = weights[k, 0], weights[k, 1]
            if u[k] + shifts_u[s] < -0.5 or v[k] + shifts_v[s] < -0.5 or column >= width or row >= height:
                total += across * neutral[0] + down * neutral[1]
            else:
                total += across * field[0, row, column] + down * field[1, row, column]
        out[s] = total


@njit(cache=True, nogil=True, error_model="numpy")
def coarse(
    points, upright, camera, field, neutral, rotations, translations, shifts_u, shifts_v, inner, out, seen
):
    """How sharply (3, N) points meet a field under each of K transforms into an ideal camera.

    `camera` is fx, fy, cx, cy of the field. An edge that is `upright` counts in channel 0, else in 1. Of the
    shifts the first `inner` are the search, the rest what is beside it; `out` is the best of the former less
    the mean and the spread of the latter, `seen` the number of points in the image.
    """
    height, width = field.shape[1], field.shape[2]
    count, shifts = points.shape[1], shifts_u.shape[0]
    sums = np.empty(shifts)
    for c in range(rotations.shape[0]):
        r, t = rotations[c], translations[c]
        sums[:] = 0.0
        inside = 0
        for k in range(count):
            x, y, z = points[0, k], points[1, k], points[2, k]
            depth = r[2, 0] * x + r[2, 1] * y + r[2, 2] * z + t[2]
            if depth < 0.5:
                continue
            u = camera[0] * (r[0, 0] * x + r[0, 1] * y + r[0, 2] * z + t[0]) / depth + camera[2]
            v = camera[1] * (r[1, 0] * x + r[1, 1] * y + r[1, 2] * z + t[1]) / depth + camera[3]
            if u < 0 or v < 0 or u > width - 1 or v > height - 1:
                continue
            inside += 1
            channel = 0 if upright[k] else 1
            for s in range(shifts):
                column, row = int(u + shifts_u[s] + 0.5), int(v + shifts_v[s] + 0.5)
                if column < 0 or row < 0 or column >= width or row >= height:
                    sums[s] += neutral[channel]
                else:
                    sums[s] += field[channel, row, column]
        seen[c] = inside
        best, mean, square = 0.0, 0.0, 0.0
        for s in range(shifts):
            if s < inner:
                best = max(best, sums[s])
            else:
                mean += sums[s]
                square += sums[s] * sums[s]
        beside = shifts - inner
        mean /= beside
        spread = math.sqrt(max(square / beside - mean * mean, 0.0))
        out[c] = (best - mean - spread) / max(inside, 1) / 255
