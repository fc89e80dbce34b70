"""Compiled loops of targetless refinement: edges of a scan, edges of an image, and how well both agree."""

import math

import numpy as np
from numba import njit

from calib.cameras._kernels import BLOCK, see

# What became of a neighbour along a ring or across rings.
NO_EDGE, JUMP = 0, 1
SMOOTH = 0.15


@njit(cache=True, nogil=True)
def _kind(near, far, behind, beyond, least_jump_m, ratio, bend):
    """Whether the range jumps between neighbours: `behind` lies beside the near one, `beyond` the far one.

    On a plane the inverse range is linear in the step, so a slanted wall or the ground is no jump.
    """
    if far - near < least_jump_m or far < ratio * near:
        return NO_EDGE
    step = 1 / near - 1 / far
    before = abs(1 / behind - 1 / near) if behind > 0 else 0.0
    after = abs(1 / far - 1 / beyond) if beyond > 0 else 0.0
    if behind > far:  # a thin thing: what lies on its other side says nothing about its slope
        before = 0.0
    return JUMP if step > bend * before and step > bend * after else NO_EDGE


@njit(cache=True, nogil=True)
def _continued(range_m, behind_m, shift, behind_shift, least_m):
    """Range at a shift in angle from a point, on the plane through it and the one behind it.

    The near side of an edge is often a roof or a flank that recedes: there the edge lies farther away.
    """
    smooth_m = max(least_m, SMOOTH * range_m)
    if behind_m <= 0 or abs(range_m - behind_m) > smooth_m or behind_shift == 0:
        return range_m
    inverse = 1 / range_m - (1 / behind_m - 1 / range_m) * abs(shift / behind_shift)
    return min(max(1 / inverse if inverse > 0 else math.inf, range_m - smooth_m), range_m + smooth_m)


@njit(cache=True, nogil=True)
def along_rings(first, azimuth, range_m, step_rad, limits, source, shift, jump, place_m):
    """Edges between neighbours of one ring, whose points are sorted by azimuth; returns how many.

    For each: the point on the near side, how far the edge lies from it in azimuth, how far the range jumps
    (-1 where nothing came back), and the range of the edge itself.
    """
    least_jump_m, ratio, bend, longest_gap_rad = limits[0], limits[1], limits[2], limits[3]
    smooth_m, count = 0.6 * least_jump_m, 0
    for r in range(first.shape[0] - 1):
        begin, end = first[r], first[r + 1]
        for i in range(begin, end - 1):
            j = i + 1
            between = azimuth[j] - azimuth[i]
            gap = between > 2.6 * step_rad
            if between > longest_gap_rad:
                continue
            if gap:
                for near, side in ((i, 1), (j, -1)):
                    behind = near - side
                    if not begin <= behind < end:
                        continue
                    back = azimuth[behind] - azimuth[near]
                    if abs(back) < 1.6 * step_rad:
                        source[count], shift[count], jump[count] = near, 0.5 * side * step_rad, -1.0
                        place_m[count] = _continued(
                            range_m[near], range_m[behind], shift[count], back, smooth_m
                        )
                        count += 1
                continue
            near, far, side = (i, j, 1) if range_m[i] < range_m[j] else (j, i, -1)
            behind, beyond = near - side, far + side
            inner = range_m[behind] if begin <= behind < end else 0.0
            outer = range_m[beyond] if begin <= beyond < end else 0.0
            if _kind(range_m[near], range_m[far], inner, outer, least_jump_m, ratio, bend) == JUMP:
                source[count], shift[count] = near, 0.5 * (azimuth[far] - azimuth[near])
                jump[count] = range_m[far] - range_m[near]
                back = azimuth[behind] - azimuth[near] if inner > 0 else 0.0
                place_m[count] = _continued(range_m[near], inner, shift[count], back, smooth_m)
                count += 1
    return count


@njit(cache=True, nogil=True)
def beside(first, azimuth, step_rad, above):
    """For each point the nearest one in azimuth of the next ring, or -1 where that has none near."""
    for r in range(first.shape[0] - 1):
        if r + 2 >= first.shape[0]:
            for i in range(first[r], first[r + 1]):
                above[i] = -1
            continue
        j, end = first[r + 1], first[r + 2]
        for i in range(first[r], first[r + 1]):
            while j + 1 < end and abs(azimuth[j + 1] - azimuth[i]) <= abs(azimuth[j] - azimuth[i]):
                j += 1
            near = j < end and abs(azimuth[j] - azimuth[i]) < 0.75 * step_rad
            above[i] = j if near else -1


@njit(cache=True, nogil=True)
def across_rings(above, below, elevation, range_m, limits, widest_rad, source, shift, jump, place_m):
    """Edges between neighbours of two rings; like `along_rings`, but shifted in elevation."""
    least_jump_m, ratio, bend = limits[0], limits[1], limits[2]
    smooth_m, count = 0.6 * least_jump_m, 0
    for i in range(above.shape[0]):
        j = above[i]
        if j < 0 or abs(elevation[j] - elevation[i]) > widest_rad:
            continue
        if range_m[i] < range_m[j]:
            near, far, behind, beyond = i, j, below[i], above[j]
        else:
            near, far, behind, beyond = j, i, above[j], below[i]
        inner = range_m[behind] if behind >= 0 else 0.0
        outer = range_m[beyond] if beyond >= 0 else 0.0
        if _kind(range_m[near], range_m[far], inner, outer, least_jump_m, ratio, bend) == JUMP:
            source[count], shift[count] = near, 0.5 * (elevation[far] - elevation[near])
            jump[count] = range_m[far] - range_m[near]
            back = elevation[behind] - elevation[near] if inner > 0 else 0.0
            place_m[count] = _continued(range_m[near], inner, shift[count], back, smooth_m)
            count += 1
    return count


@njit(cache=True, nogil=True)
def crowding(source, shift, azimuth, reach_rad, crowd):
    """How many edges of the same ring lie within reach of each, itself included: leaves have many.

    `source` is sorted.
    """
    for n in range(source.shape[0]):
        place, count = azimuth[source[n]] + shift[n], 1
        for direction in (-1, 1):
            m = n + direction
            while 0 <= m < source.shape[0] and abs(azimuth[source[m]] + shift[m] - place) < reach_rad:
                count += 1
                m += direction
        crowd[n] = count


@njit(cache=True, nogil=True)
def gradients(grey, across, down):
    """Absolute central differences of (H, W) greys, smoothed across as Sobel does; zero on the border."""
    across[:], down[:] = 0.0, 0.0
    for v in range(1, grey.shape[0] - 1):
        for u in range(1, grey.shape[1] - 1):
            a, b, c = grey[v - 1, u - 1], grey[v - 1, u], grey[v - 1, u + 1]
            d, f = grey[v, u - 1], grey[v, u + 1]
            g, h, i = grey[v + 1, u - 1], grey[v + 1, u], grey[v + 1, u + 1]
            across[v, u] = abs(c + 2 * f + i - a - 2 * d - g)
            down[v, u] = abs(g + 2 * h + i - a - 2 * b - c)


@njit(cache=True, nogil=True)
def nearness(gradient, limit, own, decay, out):
    """Levinson and Thrun's inverse distance along the rows of gradients clipped at a limit, as bytes."""
    width = gradient.shape[1]
    reach = np.empty(width)
    for v in range(gradient.shape[0]):
        best = 0.0
        for u in range(width):
            best = max(decay * best, min(gradient[v, u] / limit, 1.0))
            reach[u] = best
        best = 0.0
        for k in range(width):
            u = width - 1 - k
            edge = min(gradient[v, u] / limit, 1.0)
            best = max(decay * best, edge)
            out[v, u] = round(255 * (own * edge + (1 - own) * max(best, reach[u])))


@njit(cache=True, nogil=True, error_model="numpy")
def _looked_up(field, u, v):
    """Bilinear, in a channel of bytes."""
    height, width = field.shape
    left, top = min(max(math.floor(u), 0), width - 2), min(max(math.floor(v), 0), height - 2)
    a, b = min(max(u - left, 0.0), 1.0), min(max(v - top, 0.0), 1.0)
    upper = field[top, left] + a * (np.float64(field[top, left + 1]) - field[top, left])
    lower = field[top + 1, left] + a * (np.float64(field[top + 1, left + 1]) - field[top + 1, left])
    return upper + b * (lower - upper)


@njit(cache=True, nogil=True, error_model="numpy")
def alignments(points, weights, neutral, field, row, rotations, translations, out):
    """Mean of a field, 0 to 1, under (3, N) points for each of C transforms cam_from_ego.

    `weights` (2, N) are for the two channels; a point that leaves the image counts `neutral` (2,).
    """
    u, v, depth, seen = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    size = points.shape[1]
    for c in range(rotations.shape[0]):
        total = 0.0
        for start in range(0, size, BLOCK):
            end = min(start + BLOCK, size)
            x, y, z = points[0, start:end], points[1, start:end], points[2, start:end]
            see(x, y, z, end - start, rotations[c], translations[c], row, u, v, depth, seen)
            for k in range(end - start):
                across, down = weights[0, start + k], weights[1, start + k]
                if seen[k] == 0:
                    total += across * neutral[0] + down * neutral[1]
                    continue
                if across > 0:
                    total += across * _looked_up(field[0], u[k], v[k])
                if down > 0:
                    total += down * _looked_up(field[1], u[k], v[k])
        out[c] = total / 255
