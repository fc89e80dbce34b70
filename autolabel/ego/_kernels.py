"""Compiled loops of scan matching: a hashed map of small planes, point-to-plane alignment."""

import math

import numpy as np
from numba import njit

from autolabel.ego._thin_kernels import FREE, slot_of_cell

UNKNOWN, FLAT, UNEVEN = 0.0, 1.0, 2.0
PAIR_ROWS = 14
FEWEST, STEPS, NARROWING = 12, 2, 0.6
STILL_M, STILL_RAD = 1e-3, 4e-5


@njit(cache=True, nogil=True, error_model="numpy")
def insert(points, rotation, place, cell_m, most, keys, sums, planes):
    """Adds points, moved by a rigid transform, to the cells of a map; returns how many cells are new."""
    fresh = 0
    for i in range(points.shape[0]):
        x = rotation[0, 0] * points[i, 0] + rotation[0, 1] * points[i, 1] + rotation[0, 2] * points[i, 2]
        y = rotation[1, 0] * points[i, 0] + rotation[1, 1] * points[i, 1] + rotation[1, 2] * points[i, 2]
        z = rotation[2, 0] * points[i, 0] + rotation[2, 1] * points[i, 1] + rotation[2, 2] * points[i, 2]
        x, y, z = x + place[0], y + place[1], z + place[2]
        ix, iy, iz = math.floor(x / cell_m), math.floor(y / cell_m), math.floor(z / cell_m)
        slot, key = slot_of_cell(keys, ix, iy, iz)
        if keys[slot] == FREE:
            keys[slot] = key
            sums[slot] = 0.0
            fresh += 1
        total = sums[slot]
        if total[0] >= most:
            continue
        if total[0] == 0:
            total[10], total[11], total[12] = x, y, z
        x, y, z = x - total[10], y - total[11], z - total[12]
        total[0] += 1
        total[1] += x
        total[2] += y
        total[3] += z
        total[4] += x * x
        total[5] += x * y
        total[6] += x * z
        total[7] += y * y
        total[8] += y * z
        total[9] += z * z
        planes[slot, 7] = UNKNOWN
    return fresh


@njit(cache=True, nogil=True, error_model="numpy")
def keep_near(place, reach_m, keys, sums, new_keys, new_sums, new_planes):
    """Moves the cells around a place into an empty table; returns how many."""
    count = 0
    new_keys[:] = FREE
    for slot in range(keys.shape[0]):
        if keys[slot] == FREE:
            continue
        dx, dy = sums[slot, 10] - place[0], sums[slot, 11] - place[1]
        if dx * dx + dy * dy > reach_m * reach_m:
            continue
        key = keys[slot]
        at, _ = slot_of_cell(new_keys, key >> 42, (key >> 21) & 0x1FFFFF, key & 0x1FFFFF)
        new_keys[at] = key
        new_sums[at] = sums[slot]
        new_planes[at, 7] = UNKNOWN
        count += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def _fit_plane(total, cell_m, least, plane):
    """The plane through the points of a cell, its spread, and whether it is one."""
    n = total[0]
    plane[7] = UNEVEN
    if n < least:
        return
    mx, my, mz = total[1] / n, total[2] / n, total[3] / n
    a00, a01, a02 = total[4] / n - mx * mx, total[5] / n - mx * my, total[6] / n - mx * mz
    a11, a12, a22 = total[7] / n - my * my, total[8] / n - my * mz, total[9] / n - mz * mz
    third = (a00 + a11 + a22) / 3
    off2 = a01 * a01 + a02 * a02 + a12 * a12
    b00, b11, b22 = a00 - third, a11 - third, a22 - third
    p = math.sqrt((b00 * b00 + b11 * b11 + b22 * b22 + 2 * off2) / 6)
    if p < 1e-9:
        return
    det = b00 * (b11 * b22 - a12 * a12) - a01 * (a01 * b22 - a12 * a02) + a02 * (a01 * a12 - b11 * a02)
    angle = math.acos(min(max(det / (2 * p * p * p), -1.0), 1.0)) / 3
    high = third + 2 * p * math.cos(angle)
    low = third + 2 * p * math.cos(angle + 2 * math.pi / 3)
    middle = 3 * third - high - low
    if middle < (0.12 * cell_m) ** 2 or low > 0.15 * middle or low > (0.12 * cell_m) ** 2:
        return
    # The normal is orthogonal to two rows of A - low I; of three such products the longest is safest.
    c00, c11, c22 = a00 - low, a11 - low, a22 - low
    ux, uy, uz = a01 * a12 - a02 * c11, a02 * a01 - c00 * a12, c00 * c11 - a01 * a01
    vx, vy, vz = a01 * c22 - a02 * a12, a02 * a02 - c00 * c22, c00 * a12 - a01 * a02
    wx, wy, wz = c11 * c22 - a12 * a12, a12 * a02 - a01 * c22, a01 * a12 - c11 * a02
    u, v, w = ux * ux + uy * uy + uz * uz, vx * vx + vy * vy + vz * vz, wx * wx + wy * wy + wz * wz
    if v > u and v >= w:
        ux, uy, uz, u = vx, vy, vz, v
    elif w > u:
        ux, uy, uz, u = wx, wy, wz, w
    if u < 1e-30:
        return
    length = math.sqrt(u)
    plane[0], plane[1], plane[2] = ux / length, uy / length, uz / length
    plane[3], plane[4], plane[5] = total[10] + mx, total[11] + my, total[12] + mz
    plane[6] = max(low, 0.0)
    plane[7] = FLAT


@njit(cache=True, nogil=True, error_model="numpy")
def _meet(points, rotation, place, cell_m, least, noise_m, keys, sums, planes, pairs):
    """Pairs of points and the planes of the cells that they fall into; returns how many, and how many fall
    into cells that nobody has seen.

    A pair is a column: point (3), normal (3), distance of the plane from the origin, its variance.
    """
    met, lost, flat = 0, 0, points.reshape(-1)
    for i in range(points.shape[0]):
        a, b, c = flat[3 * i], flat[3 * i + 1], flat[3 * i + 2]
        x = rotation[0, 0] * a + rotation[0, 1] * b + rotation[0, 2] * c + place[0]
        y = rotation[1, 0] * a + rotation[1, 1] * b + rotation[1, 2] * c + place[1]
        z = rotation[2, 0] * a + rotation[2, 1] * b + rotation[2, 2] * c + place[2]
        slot, _ = slot_of_cell(keys, math.floor(x / cell_m), math.floor(y / cell_m), math.floor(z / cell_m))
        if keys[slot] == FREE:
            lost += 1
            continue
        plane = planes[slot]
        if plane[7] == UNKNOWN:
            _fit_plane(sums[slot], cell_m, least, plane)
        if plane[7] != FLAT:
            continue
        pairs[0, met], pairs[1, met], pairs[2, met] = a, b, c
        pairs[3, met], pairs[4, met], pairs[5, met] = plane[0], plane[1], plane[2]
        pairs[6, met] = plane[0] * plane[3] + plane[1] * plane[4] + plane[2] * plane[5]
        pairs[7, met] = plane[6] + noise_m * noise_m
        met += 1
    return met, lost


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def _weigh(pairs, met, rotation, place, scale, normal_matrix, gradient):
    """Normal equations of the distances under Geman and McClure's loss; returns cost and unit variance.

    The last rows of the pairs are room for the derivatives by a turn and a shift, and their weighted copies;
    in rows one behind the other all of this is vectorised.
    """
    a0, a1, a2 = rotation[0, 0], rotation[0, 1], rotation[0, 2]
    b0, b1, b2 = rotation[1, 0], rotation[1, 1], rotation[1, 2]
    c0, c1, c2 = rotation[2, 0], rotation[2, 1], rotation[2, 2]
    x, y, z, near = place[0], place[1], place[2], 1 / (scale * scale)
    px, py, pz, nx, ny, nz = pairs[0], pairs[1], pairs[2], pairs[3], pairs[4], pairs[5]
    offsets, variances, turn_x, turn_y, turn_z = pairs[6], pairs[7], pairs[8], pairs[9], pairs[10]
    aways, shares = pairs[11], pairs[12]
    cost, weights, squares = 0.0, 0.0, 0.0
    for i in range(met):
        qx = a0 * px[i] + a1 * py[i] + a2 * pz[i]
        qy = b0 * px[i] + b1 * py[i] + b2 * pz[i]
        qz = c0 * px[i] + c1 * py[i] + c2 * pz[i]
        away = nx[i] * (qx + x) + ny[i] * (qy + y) + nz[i] * (qz + z) - offsets[i]
        ratio = away * away * near / variances[i]
        shrink = 1.0 / (1.0 + ratio)
        cost += ratio * shrink
        share = shrink * shrink / variances[i]
        weights += shrink * shrink
        squares += share * away * away
        turn_x[i], turn_y[i], turn_z[i] = (
            qy * nz[i] - qz * ny[i],
            qz * nx[i] - qx * nz[i],
            qx * ny[i] - qy * nx[i],
        )
        aways[i], shares[i] = away, share
    weighted = pairs[13]
    for r in range(6):
        one = pairs[8 + r] if r < 3 else pairs[r]
        total = 0.0
        for i in range(met):
            weighted[i] = shares[i] * one[i]
            total += weighted[i] * aways[i]
        gradient[r] = total
        for s in range(r + 1):
            other, total = pairs[8 + s] if s < 3 else pairs[s], 0.0
            for i in range(met):
                total += weighted[i] * other[i]
            normal_matrix[r, s] = total
    return cost, squares / max(weights, 1e-9)


@njit(cache=True, nogil=True, error_model="numpy")
def _solve(normal_matrix, gradient, damping, step):
    """Cholesky: normal_matrix (lower half) @ step = -gradient; says whether it could be solved."""
    low = np.zeros((6, 6))
    for r in range(6):
        for s in range(r + 1):
            value = normal_matrix[r, s]
            if r == s:
                value = value * (1 + damping) + damping
            for k in range(s):
                value -= low[r, k] * low[s, k]
            if r == s:
                if value <= 1e-12:
                    return False
                low[r, r] = math.sqrt(value)
            else:
                low[r, s] = value / low[s, s]
    for r in range(6):
        value = -gradient[r]
        for k in range(r):
            value -= low[r, k] * step[k]
        step[r] = value / low[r, r]
    for r in range(5, -1, -1):
        value = step[r]
        for k in range(r + 1, 6):
            value -= low[k, r] * step[k]
        step[r] = value / low[r, r]
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _turn(rotation, wx, wy, wz):
    """Rotates by a rotation vector, on the left (Rodrigues)."""
    angle = math.sqrt(wx * wx + wy * wy + wz * wz)
    a = 1.0 - angle * angle / 6 if angle < 1e-6 else math.sin(angle) / angle
    b = 0.5 if angle < 1e-6 else (1 - math.cos(angle)) / (angle * angle)
    for k in range(3):
        x, y, z = rotation[0, k], rotation[1, k], rotation[2, k]
        cx, cy, cz = wy * z - wz * y, wz * x - wx * z, wx * y - wy * x
        rotation[0, k] = x + a * cx + b * (wy * cz - wz * cy)
        rotation[1, k] = y + a * cy + b * (wz * cx - wx * cz)
        rotation[2, k] = z + a * cz + b * (wx * cy - wy * cx)


@njit(cache=True, nogil=True, error_model="numpy")
def cost(points, rotation, place, cell_m, least, noise_m, scale, keys, sums, planes, pairs):
    """How badly points fit a map: 0 to 1; points that meet nothing count as misfits."""
    met, lost = _meet(points, rotation, place, cell_m, least, noise_m, keys, sums, planes, pairs)
    normal_matrix, gradient = np.empty((6, 6)), np.empty(6)
    found, _ = _weigh(pairs, met, rotation, place, scale, normal_matrix, gradient)
    return (found + lost) / max(points.shape[0], 1)


@njit(cache=True, nogil=True, error_model="numpy")
def align(
    points,
    rotation,
    place,
    cell_m,
    least,
    noise_m,
    first_scale,
    last_scale,
    rounds,
    keys,
    sums,
    planes,
    pairs,
    normal_matrix,
):
    """Moves a rigid transform until points fit a map; returns cost, how many met a plane, unit variance."""
    gradient, step = np.empty(6), np.empty(6)
    scale, found, met, lost, variance = first_scale, 0.0, 0, 0, 1.0
    for _ in range(rounds):
        met, lost = _meet(points, rotation, place, cell_m, least, noise_m, keys, sums, planes, pairs)
        if met < FEWEST:
            break
        turned, moved = 0.0, 0.0
        for _ in range(STEPS):
            found, variance = _weigh(pairs, met, rotation, place, scale, normal_matrix, gradient)
            if not _solve(normal_matrix, gradient, 1e-6, step):
                return 1.0, 0, 1.0
            _turn(rotation, step[0], step[1], step[2])
            for k in range(3):
                place[k] += step[3 + k]
            turned += math.sqrt(step[0] ** 2 + step[1] ** 2 + step[2] ** 2)
            moved += math.sqrt(step[3] ** 2 + step[4] ** 2 + step[5] ** 2)
            scale = max(scale * NARROWING, last_scale)
        if scale <= last_scale and turned < STILL_RAD and moved < STILL_M:
            break
    return (found + lost) / max(points.shape[0], 1), met, variance
