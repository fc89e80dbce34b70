"""Compiled loops that turn cells of ground into a surface; surface.py stands in front of them."""

import numpy as np
from numba import njit

from fusion.ground._kernels import wrapped


@njit(cache=True, nogil=True, error_model="numpy")
def ground_anchors(in_cells, starts, lows, reached, anchors):
    """Mean place of the lowest points of each cell that was reached."""
    thickness = 0.15
    for c in range(starts.shape[0] - 1):
        if not reached.flat[c]:
            continue
        ceiling, count = lows.flat[c] + thickness, 0
        x, y, z = 0.0, 0.0, 0.0
        for i in range(starts[c], starts[c + 1]):
            if lows.flat[c] - thickness <= in_cells[i, 2] <= ceiling:
                x, y, z, count = x + in_cells[i, 0], y + in_cells[i, 1], z + in_cells[i, 2], count + 1
        ring, sector = c // lows.shape[1], c % lows.shape[1]
        anchors[ring, sector, 0], anchors[ring, sector, 1] = x / count, y / count
        anchors[ring, sector, 2] = z / count


@njit(cache=True, nogil=True, error_model="numpy")
def steps_to_reached(reached):
    """By how many sectors on the next cell of each ring lies that was reached; two turns where none was."""
    rings, sectors = reached.shape
    steps = np.empty((rings, sectors), dtype=np.int32)
    for ring in range(rings):
        away = 2 * sectors
        for sector in range(2 * sectors - 1, -1, -1):
            away = 0 if reached[ring, sector % sectors] else min(away + 1, 2 * sectors)
            steps[ring, sector % sectors] = away
    return steps


@njit(cache=True, nogil=True, error_model="numpy")
def window(ring, radius, radii, sectors, asides):
    """First and last ring that may hold anchors so near to a cell; fills how many sectors aside in each."""
    ahead = int(radius / (radii[ring] * (1 - radii[0] / radii[1]))) + 1
    first, last = max(ring - ahead, 0), min(ring + ahead, len(radii) - 1)
    for to_ring in range(first, last + 1):
        asides[to_ring] = min(int(radius / radii[to_ring] * sectors / (2 * np.pi)) + 1, sectors // 2)
    return first, last


@njit(cache=True, nogil=True, error_model="numpy")
def plane_height(anchors, steps, sector, place, radius, rings, asides):
    """Height at a place of the plane through the anchors around it; nearer ones count more, NaN if none.

    The anchors are looked for in a `window`: its first and last ring, and the sectors aside in each.
    """
    sectors = steps.shape[1]
    w = wx = wy = wz = xx = xy = yy = xz = yz = 0.0
    per_radius = 1 / (radius * radius)
    for to_ring in range(rings[0], rings[1] + 1):
        aside = asides[to_ring]
        turn = -aside + steps[to_ring, wrapped(sector - aside, sectors)]
        while turn <= aside:
            to_sector = wrapped(sector + turn, sectors)
            turn += 1 + steps[to_ring, wrapped(to_sector + 1, sectors)]
            dx, dy = anchors[to_ring, to_sector, 0] - place[0], anchors[to_ring, to_sector, 1] - place[1]
            nearness = 1 - (dx * dx + dy * dy) * per_radius
            if nearness > 0:
                z, a = anchors[to_ring, to_sector, 2], nearness * nearness
                w, wx, wy, wz = w + a, wx + a * dx, wy + a * dy, wz + a * z
                xx, xy, yy = xx + a * dx * dx, xy + a * dx * dy, yy + a * dy * dy
                xz, yz = xz + a * dx * z, yz + a * dy * z
    return height_of_plane((w, wx, wy, wz, xx, xy, yy, xz, yz), radius)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def plane_height_of_all(xs, ys, zs, place, radius):
    """The same from anchors one behind the other."""
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
    x, y, z = wx / w, wy / w, wz / w
    ridge = 0.01 * radius * radius  # leans towards level where the anchors say little of the slope
    xx, xy, yy = xx / w - x * x + ridge, xy / w - x * y, yy / w - y * y + ridge
    xz, yz = xz / w - x * z, yz / w - y * z
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
    coarse, coarse_reached = coarsen(anchors, reached, factor)
    steps = steps_to_reached(reached)
    near_car = coarse_reached & ((coarse[:, :, 0] ** 2 + coarse[:, :, 1] ** 2) < (small + blind) ** 2)
    chosen = np.flatnonzero(near_car)
    xs, ys, zs = (
        coarse[:, :, 0].ravel()[chosen],
        coarse[:, :, 1].ravel()[chosen],
        coarse[:, :, 2].ravel()[chosen],
    )
    asides = np.empty((2, len(radii)), dtype=np.int64)
    for ring in range(reached.shape[0]):
        wide = 1.5 * radii[ring] * (radii[1] / radii[0] - 1)
        reaches = max(far, wide), max(near, wide)
        rings_far = window(ring, reaches[0], radii, reached.shape[1], asides[0])
        rings_near = window(ring, reaches[1], radii, reached.shape[1], asides[1])
        for sector in range(reached.shape[1]):
            place = places[ring, sector]
            if reached[ring, sector]:
                height = plane_height(anchors, steps, sector, place, reaches[1], rings_near, asides[1])
            elif radii[ring] > small:
                height = plane_height(anchors, steps, sector, place, reaches[0], rings_far, asides[0])
            else:
                height = plane_height_of_all(xs, ys, zs, place, blind)
            heights[ring, sector] = height
