"""Compiled loops of projection; the camera models and calib/project.py stand in front of them.

Clouds go through in blocks that stay in the first-level cache, and each loop does one thing to a whole block
without branches, so that the compiler can turn it into vector instructions: hence `error_model="numpy"`,
which leaves the check for a division by zero out. `fastmath` lets multiply and add fuse; nowhere may it
assume that there is no NaN, for that is what a model makes of a point that it cannot see.
"""

import math

import numpy as np
from numba import njit

# The columns of a row of parameters and the families of models, as in calib/cameras/model.py.
FX, FY, CX, CY, WIDTH, HEIGHT, FAMILY, LIMIT = range(8)
COEFFICIENTS, TILT, REGION, SHAPE = 8, 22, 31, 46
K, B, S = COEFFICIENTS, REGION, SHAPE
PLAIN, BROWN, ANGULAR, ANGULAR_INVERSE, SPHERES, CYLINDRICAL, EQUIRECTANGULAR = range(7)
HARMONICS = 6
NEAR_M = 1e-6
BLOCK = 512
SEAM = 1 - 1e-14


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
def plain(px, py, pz, count, r, t, row, u, v, z, seen):
    """A block of points all the way into a pinhole without distortion; NaN behind it."""
    fx, fy, cx, cy = row[FX], row[FY], row[CX], row[CY]
    right, bottom = row[WIDTH] - 0.5, row[HEIGHT] - 0.5
    r00, r01, r02, r10, r11, r12 = r[0, 0], r[0, 1], r[0, 2], r[1, 0], r[1, 1], r[1, 2]
    r20, r21, r22, t0, t1, t2 = r[2, 0], r[2, 1], r[2, 2], t[0], t[1], t[2]
    for k in range(count):
        a, b, c = px[k], py[k], pz[k]
        depth = r20 * a + r21 * b + r22 * c + t2
        scale = 1 / depth
        scale = scale if depth > NEAR_M else math.nan
        p = fx * ((r00 * a + r01 * b + r02 * c + t0) * scale) + cx
        q = fy * ((r10 * a + r11 * b + r12 * c + t1) * scale) + cy
        u[k], v[k], z[k] = p, q, depth
        inside = (p >= -0.5) & (p < right) & (q >= -0.5) & (q < bottom)
        seen[k] = 1.0 if inside else 0.0


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def to_sphere(px, py, pz, count, r, t, x, y, z, depth):
    """A block of points on the unit sphere around a camera, and their depths; NaN for what is no point."""
    r00, r01, r02, r10, r11, r12 = r[0, 0], r[0, 1], r[0, 2], r[1, 0], r[1, 1], r[1, 2]
    r20, r21, r22, t0, t1, t2 = r[2, 0], r[2, 1], r[2, 2], t[0], t[1], t[2]
    for k in range(count):
        a, b, c = px[k], py[k], pz[k]
        p, q = r00 * a + r01 * b + r02 * c + t0, r10 * a + r11 * b + r12 * c + t1
        w = r20 * a + r21 * b + r22 * c + t2
        distance = math.sqrt(p * p + q * q + w * w)
        scale = 1 / distance
        scale = scale if (distance > NEAR_M) & (distance < math.inf) else math.nan
        x[k], y[k], z[k], depth[k] = p * scale, q * scale, w * scale, w


@njit(cache=True, nogil=True, error_model="numpy")
def within(x, y, count, row):
    """NaN for what lies near the border of the region where the distortion maps one to one, but outside."""
    inner, outer = row[B], row[B + 1]
    for k in range(count):
        r2 = x[k] * x[k] + y[k] * y[k]
        if inner < r2 <= outer:
            r = math.sqrt(r2)
            c, s, gauge = x[k] / r, y[k] / r, row[B + 2]
            cosine, sine = 1.0, 0.0
            for n in range(1, HARMONICS + 1):
                cosine, sine = cosine * c - sine * s, sine * c + cosine * s
                gauge += row[B + 2 + n] * cosine + row[B + 2 + HARMONICS + n] * sine
            x[k] = x[k] if r * gauge <= 1 else math.nan


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def brown(x, y, count, row):
    """Brown-Conrady on the plane z = 1 (OpenCV's order), in place; NaN beyond where it is one to one."""
    k1, k2, p1, p2, k3, k4 = row[K], row[K + 1], row[K + 2], row[K + 3], row[K + 4], row[K + 5]
    k5, k6, s1, s2, s3, s4 = row[K + 6], row[K + 7], row[K + 8], row[K + 9], row[K + 10], row[K + 11]
    outer = row[B + 1]
    for k in range(count):
        a, b = x[k], y[k]
        r2 = a * a + b * b
        r2 = r2 if r2 <= outer else math.nan
        radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
        x[k] = a * radial + 2 * p1 * a * b + p2 * (r2 + 2 * a * a) + r2 * (s1 + r2 * s2)
        y[k] = b * radial + p1 * (r2 + 2 * b * b) + 2 * p2 * a * b + r2 * (s3 + r2 * s4)


@njit(cache=True, nogil=True, error_model="numpy")
def tilt(x, y, count, h):
    """The homography of a tilted sensor, nine numbers row by row, in place; NaN behind the sensor."""
    for k in range(count):
        a, b = x[k], y[k]
        w = h[6] * a + h[7] * b + h[8]
        w = w if w > 0 else math.nan
        x[k], y[k] = (h[0] * a + h[1] * b + h[2]) / w, (h[3] * a + h[4] * b + h[5]) / w


@njit(cache=True, nogil=True, error_model="numpy")
def angular(x, y, z, count, row):
    """Fisheye and f-theta: the distance from the centre by the angle from the axis, in place."""
    c, d, e, limit, forward = row[S], row[S + 1], row[S + 2], row[LIMIT], row[FAMILY] == ANGULAR
    for k in range(count):
        a, b = x[k], y[k]
        r = math.sqrt(a * a + b * b)
        angle = math.atan2(r, z[k])
        if forward:
            distance = angle * slope_of(row, angle)
        else:
            distance = invert(row, angle) if angle <= limit else math.nan
        # On the axis the direction does not matter, and straight behind the camera there is none.
        scale = distance / r if r > 0 else 1.0
        scale = scale if (angle <= limit) & (angle < math.pi) else math.nan
        x[k], y[k] = (c * a + d * b) * scale, (e * a + b) * scale


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def slope_of(row, t):
    """A polynomial without constant term, divided by its unknown."""
    high = row[K + 4] + t * (row[K + 5] + t * (row[K + 6] + t * (row[K + 7] + t * row[K + 8])))
    return row[K] + t * (row[K + 1] + t * (row[K + 2] + t * (row[K + 3] + t * high)))


@njit(cache=True, nogil=True, error_model="numpy")
def invert(row, value):
    """Where the polynomial takes a value: Newton's method, with halving where a step leaves the bracket."""
    low, high = 0.0, row[S + 3]
    x = min(value / row[K], high)
    for _ in range(100):
        error = x * slope_of(row, x) - value
        if error > 0:
            high = x
        else:
            low = x
        slope = row[K + 8] * 9
        for n in range(7, -1, -1):
            slope = slope * x + row[K + n] * (n + 1)
        moved = x - error / slope
        if not low <= moved <= high:
            moved = (low + high) / 2
        if abs(moved - x) <= 1e-15 * high:
            return moved
        x = moved
    return x


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def spheres(x, y, z, count, row):
    """Unified, extended unified and double sphere models, in place (see calib/cameras/spheres.py)."""
    xi, alpha, beta, least = row[S], row[S + 1], row[S + 2], row[S + 3]
    for k in range(count):
        a, b, s = x[k], y[k], z[k] + xi
        scale = 1 / (alpha * math.sqrt(beta * (a * a + b * b) + s * s) + (1 - alpha) * s)
        scale = scale if z[k] > least else math.nan
        x[k], y[k] = a * scale, b * scale


@njit(cache=True, nogil=True, error_model="numpy")
def panorama(x, y, z, count, row):
    """Longitude, and latitude or height on the cylinder, in place; a hair off the seam and the poles."""
    middle, cylinder = row[S], row[FAMILY] == CYLINDRICAL
    for k in range(count):
        level = math.sqrt(x[k] * x[k] + z[k] * z[k])
        longitude = math.atan2(x[k], z[k]) - middle
        longitude -= 2 * math.pi * math.floor(longitude / (2 * math.pi) + 0.5)
        longitude = min(max(longitude, -math.pi * SEAM), math.pi * SEAM) + middle
        if cylinder:
            y[k] = y[k] / level if level > 0 else math.nan
            x[k] = longitude if level > 0 else math.nan
        else:
            latitude = math.atan2(y[k], level)
            y[k] = min(max(latitude, -math.pi / 2 * SEAM), math.pi / 2 * SEAM)
            x[k] = longitude


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def to_pixels(x, y, seen, count, row):
    """From the distorted plane to pixels, in place, and 1.0 for what lies on the image.

    Pixel centres are whole numbers, so the image's borders are at halves.
    """
    fx, fy, cx, cy = row[FX], row[FY], row[CX], row[CY]
    right, bottom = row[WIDTH] - 0.5, row[HEIGHT] - 0.5
    for k in range(count):
        u, v = fx * x[k] + cx, fy * y[k] + cy
        x[k], y[k] = u, v
        inside = (u >= -0.5) & (u < right) & (v >= -0.5) & (v < bottom)
        seen[k] = 1.0 if inside else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def see(x, y, z, count, rotation, translation, row, u, v, depth, seen):
    """Pixels and depths of a block of points in one camera, and 1.0 for those that it sees."""
    family = row[FAMILY]
    if family == PLAIN:
        plain(x, y, z, count, rotation, translation, row, u, v, depth, seen)
        return
    if family == BROWN:
        to_plane(x, y, z, count, rotation, translation, u, v, depth)
    else:
        w = np.empty(BLOCK)
        to_sphere(x, y, z, count, rotation, translation, u, v, w, depth)
        if family == SPHERES:
            spheres(u, v, w, count, row)
        elif family in (ANGULAR, ANGULAR_INVERSE):
            angular(u, v, w, count, row)
        else:
            panorama(u, v, w, count, row)
    if family == BROWN or (family == SPHERES and row[S + 4] != 0):
        if row[B] < row[B + 1]:
            within(u, v, count, row)
        brown(u, v, count, row)
        if row[K + 12] != 0 or row[K + 13] != 0:
            tilt(u, v, count, row[TILT : TILT + 9])
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
            valid = (u[k] == u[k]) & (v[k] == v[k])
            uv[start + k, 0], uv[start + k, 1] = (u[k], v[k]) if valid else (math.nan, math.nan)
            visible[start + k] = seen[k] > 0


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
                room, count = slice(places[c], ends[c]), block.shape[0]
                places[c] += keep_seen(u, v, w, seen, count, b * BLOCK, index[room], uv[room], depth[room])
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
