"""Compiled loops of projection; calib/project.py and calib/cameras.py stand in front of them."""

import math

import numpy as np
from numba import njit

# Columns of a camera's parameter row.
FX, FY, CX, CY, WIDTH, HEIGHT, FAMILY, LIMIT, COEFFICIENTS = 0, 1, 2, 3, 4, 5, 6, 7, 8
ROW_LENGTH = 8 + 14 + 9
TILT = COEFFICIENTS + 14
PLAIN, BROWN, KANNALA_BRANDT = 0, 1, 2
NEAR_M = 1e-6


@njit(cache=True, nogil=True)
def brown(x, y, row):
    """Brown-Conrady with rational, thin prism and tilt terms on the plane z = 1 (OpenCV's order)."""
    k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4 = row[COEFFICIENTS : COEFFICIENTS + 12]
    r2 = x * x + y * y
    radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
    xd = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x) + r2 * (s1 + r2 * s2)
    yd = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y + r2 * (s3 + r2 * s4)
    if row[COEFFICIENTS + 12] != 0 or row[COEFFICIENTS + 13] != 0:
        t = row[TILT : TILT + 9]
        w = t[6] * xd + t[7] * yd + t[8]
        xd, yd = (t[0] * xd + t[1] * yd + t[2]) / w, (t[3] * xd + t[4] * yd + t[5]) / w
    return xd, yd


@njit(cache=True, nogil=True)
def kannala_brandt_scale(r, z, row):
    """Ratio of the image radius to r for a point at distance r from the axis and depth z."""
    theta = math.atan2(r, z)
    t2 = theta * theta
    k1, k2, k3, k4 = row[COEFFICIENTS : COEFFICIENTS + 4]
    theta_d = theta * (1 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4))))
    return theta_d / r if r > 1e-12 else 1 / z


@njit(cache=True, nogil=True)
def project_one(x, y, z, row):
    """Pixel of a point in a camera frame, and whether the model holds there (the image border aside)."""
    if not z > NEAR_M:
        return math.nan, math.nan, False
    family = row[FAMILY]
    if family == KANNALA_BRANDT:
        r = math.sqrt(x * x + y * y)
        scale = kannala_brandt_scale(r, z, row)
        xd, yd = x * scale, y * scale
        valid = r <= z * row[LIMIT]
    else:
        xd, yd = x / z, y / z
        valid = xd * xd + yd * yd <= row[LIMIT]
        if family == BROWN:
            xd, yd = brown(xd, yd, row)
    return row[FX] * xd + row[CX], row[FY] * yd + row[CY], valid


@njit(cache=True, nogil=True)
def inside(u, v, row):
    """Whether a pixel lies on the image: pixel centres are whole numbers, so borders are at halves."""
    return -0.5 <= u < row[WIDTH] - 0.5 and -0.5 <= v < row[HEIGHT] - 0.5


@njit(cache=True, nogil=True)
def project_points(points, row, uv, visible):
    """All points of one camera frame, one output a point."""
    for i in range(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        u, v, valid = project_one(x, y, z, row)
        uv[i, 0], uv[i, 1] = u, v
        visible[i] = valid and inside(u, v, row)


@njit(cache=True, nogil=True)
def project_cloud(points, rotations, translations, rows, index, uv, depth, counts):
    """One cloud into several cameras; what is visible in camera c fills row c of the outputs in order."""
    for c in range(rows.shape[0]):
        row = rows[c]
        r, t = rotations[c], translations[c]
        n = 0
        for i in range(points.shape[0]):
            px, py, pz = np.float64(points[i, 0]), np.float64(points[i, 1]), np.float64(points[i, 2])
            z = r[2, 0] * px + r[2, 1] * py + r[2, 2] * pz + t[2]
            if not z > NEAR_M:
                continue
            x = r[0, 0] * px + r[0, 1] * py + r[0, 2] * pz + t[0]
            y = r[1, 0] * px + r[1, 1] * py + r[1, 2] * pz + t[1]
            u, v, valid = project_one(x, y, z, row)
            if valid and inside(u, v, row):
                index[c, n] = i
                uv[c, n, 0], uv[c, n, 1] = u, v
                depth[c, n] = z
                n += 1
        counts[c] = n
