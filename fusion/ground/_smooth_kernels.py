"""Compiled loops that turn cells of ground into a surface; surface.py stands in front of them."""

import numpy as np
from numba import njit

from fusion.ground._kernels import wrapped


@njit(cache=True, nogil=True, error_model="numpy")
def ground_anchors(points, cells, lows, reached, anchors):
    """Mean place of the lowest points of each cell that was reached."""
    thickness = 0.15
    sums, floor = np.zeros((lows.size, 4)), np.where(reached, lows, np.nan).ravel()
    for i in range(points.shape[0]):
        c = cells[i]
        if c >= 0 and abs(points[i, 2] - floor[c]) <= thickness:
            here = sums[c]
            here[0], here[1] = here[0] + points[i, 0], here[1] + points[i, 1]
            here[2], here[3] = here[2] + points[i, 2], here[3] + 1
    for c in range(lows.size):
        for k in range(3):
            anchors.flat[3 * c + k] = sums[c, k] / sums[c, 3]


@njit(cache=True, nogil=True, error_model="numpy")
def window(ring, radius, radii, sectors):
    """First and last ring that may hold anchors so near to a cell, and how many sectors aside."""
    ahead = int(radius / (radii[ring] * (1 - radii[0] / radii[1]))) + 1
    first, last = max(ring - ahead, 0), min(ring + ahead, len(radii) - 1)
    return first, last, min(int(radius / radii[first] * sectors / (2 * np.pi)) + 1, (sectors - 1) // 2)


@njit(cache=True, nogil=True, error_model="numpy")
def list_anchors(anchors, reached, first, last, aside, listed, starts):
    """Lists the anchors from the first ring to the last by sector: those in a window stand in one row.

    The list begins so many sectors before the first and ends as many after the last; (3, N) places of the
    k-th sector in it are from `starts[k]` on.
    """
    sectors, count = reached.shape[1], 0
    for k in range(sectors + 2 * aside):
        sector = wrapped(k - aside, sectors)
        starts[k] = count
        for ring in range(first, last + 1):
            if reached[ring, sector]:
                for axis in range(3):
                    listed[axis, count] = anchors[ring, sector, axis]
                count += 1
    starts[sectors + 2 * aside] = count


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def plane_height(listed, first, last, place, radius):
    """Height at a place of the plane through listed anchors; nearer ones count more, NaN if none is near."""
    # Slices: an index that may count from the end costs as much as the rest of the loop.
    xs, ys, zs = listed[0, first:last], listed[1, first:last], listed[2, first:last]
    w = wx = wy = wz = xx = xy = yy = xz = yz = 0.0
    per_radius = 1 / (radius * radius)
    for i in range(len(xs)):
        dx, dy, z = xs[i] - place[0], ys[i] - place[1], zs[i]
        nearness = 1 - (dx * dx + dy * dy) * per_radius
        a = nearness * nearness if nearness > 0 else 0.0
        w, wx, wy, wz = w + a, wx + a * dx, wy + a * dy, wz + a * z
        xx, xy, yy = xx + a * dx * dx, xy + a * dx * dy, yy + a * dy * dy
        xz, yz = xz + a * dx * z, yz + a * dy * z
    return height_of_plane((w, wx, wy, wz, xx, xy, yy, xz, yz), radius)


@njit(cache=True, nogil=True, error_model="numpy")
def height_of_plane(sums, radius):
    """Height in the middle of a plane through places, from weighted sums of these and of their products."""
    w, wx, wy, wz, xx, xy, yy, xz, yz = sums
    if w < 1e-6:
        return np.nan
    per_w = 1 / w
    x, y, z = wx * per_w, wy * per_w, wz * per_w
    ridge = 0.01 * radius * radius  # leans towards level where the anchors say little of the slope
    xx, xy, yy = xx * per_w - x * x + ridge, xy * per_w - x * y, yy * per_w - y * y + ridge
    xz, yz = xz * per_w - x * z, yz * per_w - y * z
    return z - (x * (yy * xz - xy * yz) + y * (xx * yz - xy * xz)) / (xx * yy - xy * xy)


@njit(cache=True, nogil=True, error_model="numpy")
def coarsen(anchors, reached, factor):
    """Mean anchors of squares of cells, and which of these have any."""
    rings, sectors = reached.shape[0] // factor, reached.shape[1] // factor
    coarse, counts = np.zeros((rings, sectors, 3)), np.zeros((rings, sectors))
    for ring in range(rings * factor):
        for sector in range(sectors * factor):
            if reached[ring, sector]:
                coarse[ring // factor, sector // factor] += anchors[ring, sector]
                counts[ring // factor, sector // factor] += 1
    for ring in range(rings):
        for sector in range(sectors):
            coarse[ring, sector] /= max(counts[ring, sector], 1.0)
    return coarse, counts > 0


@njit(cache=True, nogil=True, error_model="numpy")
def smooth_ground(anchors, reached, radii, places, heights):
    """Height in the middle of every cell from the anchors nearby, in a hole from those further away.

    Close to the car, where cells are small and holes wide, squares of cells stand in for cells.
    """
    factor, small, near, far, blind = 4, 12.0, 1.0, 5.0, 8.0
    rings, sectors = reached.shape
    coarse, coarse_reached = coarsen(anchors, reached, factor)
    coarse_reached &= (coarse[:, :, 0] ** 2 + coarse[:, :, 1] ** 2) < (small + blind) ** 2
    listed, starts = np.empty((2, 3, 2 * rings * sectors)), np.empty((2, 2 * sectors), dtype=np.int64)
    squares = np.empty((3, coarse_reached.size))
    list_anchors(coarse, coarse_reached, 0, coarse_reached.shape[0] - 1, 0, squares, starts[0])
    square_count = starts[0, coarse_reached.shape[1]]
    for ring in range(rings):
        wide = 1.5 * radii[ring] * (radii[1] / radii[0] - 1)
        reaches = max(near, wide), max(far, wide)
        spans = window(ring, reaches[0], radii, sectors), window(ring, reaches[1], radii, sectors)
        for k in range(2 if radii[ring] > small else 1):
            list_anchors(anchors, reached, spans[k][0], spans[k][1], spans[k][2], listed[k], starts[k])
        for sector in range(sectors):
            place, k = places[ring, sector], 0 if reached[ring, sector] else 1
            if k == 0 or radii[ring] > small:
                first, last = starts[k, sector], starts[k, sector + 2 * spans[k][2] + 1]
                heights[ring, sector] = plane_height(listed[k], first, last, place, reaches[k])
            else:
                heights[ring, sector] = plane_height(squares, 0, square_count, place, blind)
