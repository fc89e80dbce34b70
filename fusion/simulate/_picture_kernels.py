"""Compiled loops over the pixels of a picture: shadows, edges, and rays beside the pixels' centres."""

import math

from numba import njit

BUNDLE = 64  # pixels that look up together which boxes are near


@njit(cache=True, nogil=True)
def sun_rays(rays, range_m, normals, leaves, sun, sunlit, rows, shadows):
    """Rays to the sun from all places that it may reach, and whose they are; returns how many."""
    count = 0
    for i in range(rays.shape[0]):
        sunlit[i] = 0.0
        if not range_m[i] < math.inf:
            continue
        toward, upward = 0.0, 0.0
        for k in range(3):
            toward += normals[i, k] * rays[i, 3 + k]
            upward += normals[i, k] * sun[k]
        side = -1.0 if toward > 0 else 1.0
        if not leaves[i] and side * upward <= 0:
            continue
        for k in range(3):
            off_m = 0.02 * side * normals[i, k] - 0.01 * rays[i, 3 + k]
            shadows[count, k] = rays[i, k] + range_m[i] * rays[i, 3 + k] + off_m
            shadows[count, 3 + k] = sun[k]
        sunlit[i] = 1.0
        rows[count] = i
        count += 1
    return count


@njit(cache=True, nogil=True)
def openness(rays, range_m, ground, centers, axes, halves, depths, out):
    """Share of the sky that reaches places on the ground beside upright boxes that stand on it."""
    near = [0 for _ in range(centers.shape[0])]
    for first in range(0, rays.shape[0], BUNDLE):
        last = min(first + BUNDLE, rays.shape[0])
        low_x, low_y, high_x, high_y = math.inf, math.inf, -math.inf, -math.inf
        for i in range(first, last):
            out[i] = 1.0
            if ground[i]:
                x, y = rays[i, 0] + range_m[i] * rays[i, 3], rays[i, 1] + range_m[i] * rays[i, 4]
                low_x, low_y, high_x, high_y = min(low_x, x), min(low_y, y), max(high_x, x), max(high_y, y)
        count = 0
        for n in range(centers.shape[0]):
            x, y, reach = centers[n, 0], centers[n, 1], halves[n, 0] + 1.5
            if low_x - reach < x < high_x + reach and low_y - reach < y < high_y + reach:
                near[count] = n
                count += 1
        for i in range(first, last if count else first):
            if ground[i]:
                x, y = rays[i, 0] + range_m[i] * rays[i, 3], rays[i, 1] + range_m[i] * rays[i, 4]
                for k in range(count):
                    n = near[k]
                    out[i] *= _open_beside(
                        x - centers[n, 0], y - centers[n, 1], axes[n], halves[n], depths[n]
                    )


@njit(cache=True, nogil=True)
def _open_beside(dx, dy, axis, half, depth):
    reach = half[0] + 1.5
    if abs(dx) > reach or abs(dy) > reach:
        return 1.0
    along = max(abs(dx * axis[0] + dy * axis[1]) - half[0], 0.0)
    across = max(abs(dy * axis[0] - dx * axis[1]) - half[1], 0.0)
    d2 = along * along + across * across
    return 1 - depth * math.exp(-d2 / 0.16 - 0.5 * math.sqrt(d2)) if d2 < 2.0 else 1.0


@njit(cache=True, nogil=True)
def _differs(rgb, actor, range_m, i, j):
    if actor[i] != actor[j]:
        return True
    grey = rgb[i, 0] + rgb[i, 1] + rgb[i, 2] - rgb[j, 0] - rgb[j, 1] - rgb[j, 2]
    near, far = 1 / max(range_m[i], 0.1), 1 / max(range_m[j], 0.1)  # nothing is infinitely far: 0
    return abs(grey) > 0.33 or abs(near - far) > 0.004 + 0.05 * min(near, far)


@njit(cache=True, nogil=True)
def edges(rgb, actor, range_m, valid, width, marked, out):
    """Pixels beside which the picture changes at once, from row to row; returns how many."""
    for i in range(actor.shape[0]):
        if i % width + 1 < width and _differs(rgb, actor, range_m, i, i + 1):
            marked[i] = marked[i + 1] = True
        if i + width < actor.shape[0] and _differs(rgb, actor, range_m, i, i + width):
            marked[i] = marked[i + width] = True
    count = 0
    for i in range(actor.shape[0]):
        if marked[i] and valid[i]:
            out[count] = i
            count += 1
    return count


@njit(cache=True, nogil=True)
def rays_beside(directions, width, pixels, samples, pixel_rad, out):
    """Unit directions at some offsets (in pixels) from the centres of some pixels, pixel by pixel."""
    last, limit2 = directions.shape[0] - 1, (3 * pixel_rad) ** 2
    right, down = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]
    for n in range(pixels.shape[0]):
        i = pixels[n]
        j, m = min(i + 1, last), min(i + width, last)
        right2, down2 = 0.0, 0.0
        for k in range(3):
            right[k], down[k] = directions[j, k] - directions[i, k], directions[m, k] - directions[i, k]
            right2, down2 = right2 + right[k] ** 2, down2 + down[k] ** 2
        # At the border of the image the neighbour is on another row.
        across, along = 1.0 if right2 <= limit2 else 0.0, 1.0 if down2 <= limit2 else 0.0
        for p in range(samples.shape[0]):
            row, length2 = n * samples.shape[0] + p, 0.0
            for k in range(3):
                step = samples[p, 0] * across * right[k] + samples[p, 1] * along * down[k]
                out[row, k] = directions[i, k] + step
                length2 += out[row, k] ** 2
            for k in range(3):
                out[row, k] /= math.sqrt(length2)
