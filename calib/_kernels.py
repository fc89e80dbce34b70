"""Compiled loops of projection; calib/project.py and calib/cameras.py stand in front of them.

Clouds go through in blocks that stay in the first-level cache, and each loop does one thing to a whole block
without branches, so that the compiler can turn it into vector instructions: hence `error_model="numpy"`,
which leaves the check for a division by zero out. `fastmath` lets multiply and add fuse and sums be
regrouped; nowhere may it assume that there is no NaN.
"""

import math

import numpy as np
from numba import njit

# Columns of a camera's parameter row.
FX, FY, CX, CY, WIDTH, HEIGHT, FAMILY, LIMIT, COEFFICIENTS = 0, 1, 2, 3, 4, 5, 6, 7, 8
TILT = COEFFICIENTS + 14
PLAIN, BROWN, KANNALA_BRANDT = 0, 1, 2
NEAR_M = 1e-6
BLOCK = 512


@njit(cache=True, nogil=True, error_model="numpy")
def split(points, x, y, z):
    """A block of points by coordinate; to what precision, the outputs say."""
    for k in range(points.shape[0]):
        x[k], y[k], z[k] = points[k, 0], points[k, 1], points[k, 2]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def to_plane(px, py, pz, count, r, t, x, y, z):
    """A block of points on the plane z = 1 of a camera, and their depths; NaN behind it."""
    r00, r01, r02, r10, r11, r12 = r[0, 0], r[0, 1], r[0, 2], r[1, 0], r[1, 1], r[1, 2]
    r20, r21, r22, t0, t1, t2 = r[2, 0], r[2, 1], r[2, 2], t[0], t[1], t[2]
    for k in range(count):
        a, b, c = px[k], py[k], pz[k]
        depth = r20 * a + r21 * b + r22 * c + t2
        scale = 1 / depth
        scale = scale if depth > NEAR_M else math.nan
        x[k] = (r00 * a + r01 * b + r02 * c + t0) * scale
        y[k] = (r10 * a + r11 * b + r12 * c + t1) * scale
        z[k] = depth


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def brown(x, y, valid, count, row):
    """Brown-Conrady with rational and thin prism terms on the plane z = 1 (OpenCV's order), in place."""
    k1, k2, p1, p2 = row[COEFFICIENTS], row[COEFFICIENTS + 1], row[COEFFICIENTS + 2], row[COEFFICIENTS + 3]
    k3, k4, k5, k6 = (
        row[COEFFICIENTS + 4],
        row[COEFFICIENTS + 5],
        row[COEFFICIENTS + 6],
        row[COEFFICIENTS + 7],
    )
    s1, s2, s3, s4 = (
        row[COEFFICIENTS + 8],
        row[COEFFICIENTS + 9],
        row[COEFFICIENTS + 10],
        row[COEFFICIENTS + 11],
    )
    limit = row[LIMIT]
    for k in range(count):
        a, b = x[k], y[k]
        r2 = a * a + b * b
        radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
        x[k] = a * radial + 2 * p1 * a * b + p2 * (r2 + 2 * a * a) + r2 * (s1 + r2 * s2)
        y[k] = b * radial + p1 * (r2 + 2 * b * b) + 2 * p2 * a * b + r2 * (s3 + r2 * s4)
        valid[k] = 1.0 if r2 <= limit else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def tilt(x, y, count, h):
    """The homography of a tilted sensor, nine numbers row by row, in place."""
    for k in range(count):
        a, b = x[k], y[k]
        w = h[6] * a + h[7] * b + h[8]
        x[k], y[k] = (h[0] * a + h[1] * b + h[2]) / w, (h[3] * a + h[4] * b + h[5]) / w


@njit(cache=True, nogil=True, error_model="numpy")
def kannala_brandt(x, y, valid, count, row):
    """Equidistant fisheye with four coefficients on the plane z = 1, in place."""
    k1, k2, k3, k4 = row[COEFFICIENTS], row[COEFFICIENTS + 1], row[COEFFICIENTS + 2], row[COEFFICIENTS + 3]
    for k in range(count):
        r = math.sqrt(x[k] * x[k] + y[k] * y[k])
        theta = math.atan(r)
        t2 = theta * theta
        theta_d = theta * (1 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4))))
        scale = theta_d / r if r > 1e-12 else 1.0
        x[k], y[k] = x[k] * scale, y[k] * scale
        valid[k] = 1.0 if r <= row[LIMIT] else 0.0


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def to_pixels(x, y, valid, count, row):
    """From the distorted plane to pixels, in place; valid stays what also lies on the image.

    Pixel centres are whole numbers, so the image's borders are at halves.
    """
    fx, fy, cx, cy = row[FX], row[FY], row[CX], row[CY]
    right, bottom = row[WIDTH] - 0.5, row[HEIGHT] - 0.5
    for k in range(count):
        u, v = fx * x[k] + cx, fy * y[k] + cy
        x[k], y[k] = u, v
        inside = (u >= -0.5) & (u < right) & (v >= -0.5) & (v < bottom)
        valid[k] = valid[k] if inside else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def see(x, y, z, count, rotation, translation, row, u, v, depth, seen):
    """Pixels and depths of a block of points in one camera, and 1.0 for those that it sees."""
    to_plane(x, y, z, count, rotation, translation, u, v, depth)
    if row[FAMILY] == BROWN:
        brown(u, v, seen, count, row)
        if row[COEFFICIENTS + 12] != 0 or row[COEFFICIENTS + 13] != 0:
            tilt(u, v, count, row[TILT : TILT + 9])
    elif row[FAMILY] == KANNALA_BRANDT:
        kannala_brandt(u, v, seen, count, row)
    else:
        for k in range(count):
            seen[k] = 1.0
    to_pixels(u, v, seen, count, row)


@njit(cache=True, nogil=True, error_model="numpy")
def project_points(points, row, uv, visible):
    """All points of one camera frame, one output a point."""
    x, y, z = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    u, v, depth, seen = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    rotation, translation = np.eye(3), np.zeros(3)
    for start in range(0, points.shape[0], BLOCK):
        block = points[start : start + BLOCK]
        split(block, x, y, z)
        see(x, y, z, block.shape[0], rotation, translation, row, u, v, depth, seen)
        for k in range(block.shape[0]):
            uv[start + k, 0], uv[start + k, 1], visible[start + k] = u[k], v[k], seen[k] > 0


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz"})
def count_in_gate(x, y, z, size, gate, count):
    """How many points of a block may be in a camera's sight, rounding errors counted in (see project.py)."""
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


@njit(cache=True, nogil=True, error_model="numpy")
def project_cloud(points, rotations, translations, rows, counts, ends, index, uv, depth):
    """What each camera sees, in the order of the cloud.

    Camera c fills the outputs up from where the last one ends, at most to `ends[c]`; then `ends[c]` becomes
    where it stopped.
    """
    x, y, z = np.empty(BLOCK, points.dtype), np.empty(BLOCK, points.dtype), np.empty(BLOCK, points.dtype)
    u, v, w, seen = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    places = np.zeros_like(ends)
    places[1:] = ends[:-1]
    for b in range(counts.shape[0]):
        block = points[b * BLOCK : (b + 1) * BLOCK]
        split(block, x, y, z)
        for c in range(rows.shape[0]):
            if counts[b, c] > 0:
                see(x, y, z, block.shape[0], rotations[c], translations[c], rows[c], u, v, w, seen)
                room = slice(places[c], ends[c])
                places[c] += keep_seen(
                    u, v, w, seen, block.shape[0], b * BLOCK, index[room], uv[room], depth[room]
                )
    ends[:] = places


@njit(cache=True, nogil=True, error_model="numpy")
def keep_seen(u, v, depth, seen, count, first, index_out, uv_out, depth_out):
    """Copies what is seen of a block, run by run, to the front of the outputs; returns how many these are.

    Unsigned numbers spare the check for an index from the end.
    """
    place, k, end, zero, one = np.uint64(0), np.uint64(0), np.uint64(count), np.uint64(0), np.uint64(1)
    while k < end:
        while k < end and seen[k] == 0:
            k += one
        start = k
        while k < end and seen[k] > 0:
            k += one
        for i in range(k - start):
            uv_out[place + i, zero], uv_out[place + i, one] = u[start + i], v[start + i]
        for i in range(k - start):
            depth_out[place + i] = depth[start + i]
        for i in range(k - start):
            index_out[place + i] = np.uint64(first) + start + i
        place += k - start
    return np.int64(place)
