"""What is known of the surface of an object: a grid in its box, a normal distribution in each cell.

Normal distributions transform: Biber and Strasser, 2003; Magnusson, 2009.
"""

import numpy as np
from numba import njit

FULL, FLAT_M = 150.0, 0.3
FILLED, FLAT, WIDE = 0.6, 0.15, 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def cell_of(x, y, z, dims, low, cell_m):
    """Number of the cell of a grid that a place of the box frame lies in; -1 outside."""
    if not (x >= low[0] and y >= low[1] and z >= low[2]):
        return -1
    per_m = 1.0 / cell_m
    i, j, k = int((x - low[0]) * per_m), int((y - low[1]) * per_m), int((z - low[2]) * per_m)
    if i >= dims[0] or j >= dims[1] or k >= dims[2]:
        return -1
    return (i * dims[1] + j) * dims[2] + k


@njit(cache=True, nogil=True)
def add_place(row, x, y, z, weight):
    """Adds one place to the sums of a cell."""
    row[0] += weight
    row[1] += weight * x
    row[2] += weight * y
    row[3] += weight * z
    row[4] += weight * x * x
    row[5] += weight * x * y
    row[6] += weight * x * z
    row[7] += weight * y * y
    row[8] += weight * y * z
    row[9] += weight * z * z


@njit(cache=True, nogil=True)
def add_faces(sums, dims, low, cell_m, half, inset_m, sigma_m, weight):
    """Adds the four upright faces of the box as a weak guess of the surface."""
    front, side = half[0] - inset_m, half[1] - inset_m
    for cell in range(len(sums)):
        k, column = cell % dims[2], cell // dims[2]
        z = low[2] + (k + 0.5) * cell_m
        if abs(z) > half[2]:
            continue
        x, y = low[0] + (column // dims[1] + 0.5) * cell_m, low[1] + (column % dims[1] + 0.5) * cell_m
        if abs(abs(x) - front) <= 0.5 * cell_m and abs(y) <= side + 0.5 * cell_m:
            face = np.sign(x) * front
            add_place(sums[cell], face - sigma_m, y, z, 0.5 * weight)
            add_place(sums[cell], face + sigma_m, y, z, 0.5 * weight)
            sums[cell, 7] += weight * FLAT_M**2
            sums[cell, 9] += weight * FLAT_M**2
        if abs(abs(y) - side) <= 0.5 * cell_m and abs(x) <= front + 0.5 * cell_m:
            face = np.sign(y) * side
            add_place(sums[cell], x, face - sigma_m, z, 0.5 * weight)
            add_place(sums[cell], x, face + sigma_m, z, 0.5 * weight)
            sums[cell, 4] += weight * FLAT_M**2
            sums[cell, 9] += weight * FLAT_M**2


@njit(cache=True, nogil=True, error_model="numpy")
def add_points(found, kept, pose, half, side_m, weight, sums, dims, low, cell_m):
    """Adds the points that lie in a box at a pose; how many new ones."""
    c, s = np.cos(pose[3]), np.sin(pose[3])
    new = 0
    for i in range(kept):
        dx, dy = found[i, 0] - pose[0], found[i, 1] - pose[1]
        x, y, z = c * dx + s * dy, c * dy - s * dx, found[i, 2] - pose[2]
        if abs(x) > half[0] + side_m or abs(y) > half[1] + side_m or abs(z) > half[2] + 0.1:
            continue
        cell = cell_of(x, y, z, dims, low, cell_m)
        if cell >= 0 and sums[cell, 0] < FULL:
            add_place(sums[cell], x, y, z, weight)
            new += 1
    return new


@njit(cache=True, nogil=True)
def spread_out(xx, xy, yy, cell_m):
    """A covariance on the ground, wide along a flat surface that crosses its whole cell."""
    half_trace, apart = 0.5 * (xx + yy), np.sqrt(0.25 * (xx - yy) ** 2 + xy * xy)
    long, short = half_trace + apart, half_trace - apart
    if long < FILLED * cell_m**2 / 12 or short > FLAT * long:
        return xx, xy, yy
    more = ((WIDE * cell_m) ** 2 - long) / (2 * apart)
    # The projection on the longer axis is (covariance - short) / (long - short).
    return xx + more * (xx - short), xy + more * xy, yy + more * (yy - short)


@njit(cache=True, nogil=True)
def finish(sums, dims, low, cell_m, floor_m, up_m, half, boxy, means, infos, nearest, reach):
    """Means and inverse covariances of filled cells; for each empty cell the nearest filled one in reach.

    Of a cell with few points it is guessed that the surface runs along the nearest face of the box, where
    the object is `boxy`. Points that fill a cell from side to side tell where its surface is, not where on
    the surface they are.
    """
    prior, thin, wide = 3.0, (0.3 * cell_m) ** 2, (WIDE * cell_m) ** 2
    grown = False
    for cell in range(len(nearest)):
        n = sums[cell, 0]
        if n <= 0:
            continue
        grown |= nearest[cell] != cell
        mx, my, mz = sums[cell, 1] / n, sums[cell, 2] / n, sums[cell, 3] / n
        means[cell, 0], means[cell, 1], means[cell, 2] = mx, my, mz
        lengthwise = half[0] - abs(mx) > half[1] - abs(my)
        real = prior / (n + prior)
        xx, xy, yy = spread_out(
            max(sums[cell, 4] / n - mx * mx, 0.0),
            sums[cell, 5] / n - mx * my,
            max(sums[cell, 7] / n - my * my, 0.0),
            cell_m,
        )
        xx = xx * (1 - real) + (wide if boxy and lengthwise else thin) * real + floor_m**2
        yy = yy * (1 - real) + (wide if boxy and not lengthwise else thin) * real + floor_m**2
        xy *= 1 - real
        xz = (sums[cell, 6] / n - mx * mz) * (1 - real)
        yz = (sums[cell, 8] / n - my * mz) * (1 - real)
        zz = max(sums[cell, 9] / n - mz * mz, 0.0) * (1 - real) + thin * real + up_m**2
        a, b, d = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
        det = xx * a + xy * b + xz * d
        infos[cell, 0], infos[cell, 1], infos[cell, 2] = a / det, b / det, d / det
        infos[cell, 3] = (xx * zz - xz * xz) / det
        infos[cell, 4] = (xy * xz - xx * yz) / det
        infos[cell, 5] = (xx * yy - xy * xy) / det
    if grown:
        for cell in range(len(nearest)):
            nearest[cell] = cell if sums[cell, 0] > 0 else -1
        spread(nearest, dims, reach)


@njit(cache=True, nogil=True)
def spread(nearest, dims, reach):
    """Hands to empty cells, ring by ring around the filled ones, the number of the nearest of these."""
    strides = (dims[1] * dims[2], dims[2], 1)
    ring, after = np.empty(len(nearest), dtype=np.int32), np.empty(len(nearest), dtype=np.int32)
    away = np.full(len(nearest), -1, dtype=np.int32)
    count = 0
    for cell in range(len(nearest)):
        if nearest[cell] >= 0:
            ring[count], away[cell] = cell, 0
            count += 1
    for _ in range(reach):
        more = 0
        for r in range(count):
            source = nearest[ring[r]]
            for axis in range(3):
                place = ring[r] // strides[axis] % dims[axis]
                for side in (-1, 1):
                    if place + side < 0 or place + side >= dims[axis]:
                        continue
                    other = ring[r] + side * strides[axis]
                    far = 0
                    for other_axis in range(3):
                        stride, dim = strides[other_axis], dims[other_axis]
                        far += (other // stride % dim - source // stride % dim) ** 2
                    if nearest[other] < 0:
                        after[more] = other
                        more += 1
                    elif away[other] <= far:
                        continue
                    nearest[other], away[other] = source, far
        ring, after, count = after, ring, more


@njit(cache=True, nogil=True)
def finish_all(
    which, sums, dims, lows, cells_m, starts, floors, up_m, halves, boxy, means, infos, nearest, reach
):
    """`finish` for some objects."""
    for k in which:
        a, b = starts[k], starts[k + 1]
        finish(
            sums[a:b],
            dims[k],
            lows[k],
            cells_m[k],
            floors[k],
            up_m,
            halves[k],
            boxy[k],
            means[a:b],
            infos[a:b],
            nearest[a:b],
            reach,
        )
