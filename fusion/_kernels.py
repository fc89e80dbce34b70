"""Compiled loops over points and boxes; sweep.py and overlap.py stand in front of them."""

import numpy as np
from numba import njit

# Polynomials in float32, fitted at Chebyshev's nodes: log2(1 + r) / r in r, arctan(s) / s in the square of s.
LOG2 = tuple(
    np.float32(c)
    for c in (1.44269326, -0.72116273, 0.47770593, -0.33924777, 0.21558853, -0.09606625, 0.02049035)
)
ARCTAN = tuple(
    np.float32(c) for c in (0.99999551, -0.33298863, 0.19558905, -0.12110946, 0.05733055, -0.01342218)
)


@njit(cache=True, nogil=True)
def log2_of(value):
    """Logarithm of a float32 that is 1 or more, from its bits, to 1e-6."""
    a, b, c, d, e, f, g = LOG2
    bits = np.float32(value).view(np.int32)
    rest = np.int32((bits & 0x7FFFFF) | 0x3F800000).view(np.float32) - np.float32(1)
    total = (((((g * rest + f) * rest + e) * rest + d) * rest + c) * rest + b) * rest + a
    return np.float32((bits >> 23) - 127) + total * rest


@njit(cache=True, nogil=True, error_model="numpy")
def angle_of(y, x):
    """Angle of a direction in float32, as arctan2, to 4e-6."""
    a, b, c, d, e, f = ARCTAN
    across, along = abs(y), abs(x)
    slope = min(across, along) / max(max(across, along), np.float32(1e-20))
    square = slope * slope
    angle = (((((f * square + e) * square + d) * square + c) * square + b) * square + a) * slope
    angle = np.float32(np.pi / 2) - angle if across > along else angle
    angle = np.float32(np.pi) - angle if x < 0 else angle
    return -angle if y < 0 else angle


@njit(cache=True, nogil=True)
def deskew(points, times, knot_times, knot_step, rotations, translations, out):
    """Applies to each point the transform interpolated between the two knots around its time."""
    last = knot_times.shape[0] - 1
    for i in range(points.shape[0]):
        a = min(int(times[i] / knot_step), last)
        b = min(a + 1, last)
        span = knot_times[b] - knot_times[a]
        f = (times[i] - knot_times[a]) / span if span > 0 else 0.0
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        for k in range(3):
            here = (
                rotations[a, k, 0] * x + rotations[a, k, 1] * y + rotations[a, k, 2] * z + translations[a, k]
            )
            there = (
                rotations[b, k, 0] * x + rotations[b, k, 1] * y + rotations[b, k, 2] * z + translations[b, k]
            )
            out[i, k] = here + f * (there - here)


@njit(cache=True, nogil=True)
def in_box(x, y, z, rotation, center, half):
    """Whether a point lies in a box, faces included; `rotation` is dst_from_box."""
    dx, dy, dz = x - center[0], y - center[1], z - center[2]
    return (
        abs(rotation[0, 0] * dx + rotation[1, 0] * dy + rotation[2, 0] * dz) <= half[0]
        and abs(rotation[0, 1] * dx + rotation[1, 1] * dy + rotation[2, 1] * dz) <= half[1]
        and abs(rotation[0, 2] * dx + rotation[1, 2] * dy + rotation[2, 2] * dz) <= half[2]
    )


@njit(cache=True, nogil=True)
def in_box_of(x, y, z, rotations, centers, halves, b):
    """`in_box` for one of many, without a view of each; near a box one guess is faster than three."""
    dx, dy, dz = x - centers[b, 0], y - centers[b, 1], z - centers[b, 2]
    return (
        (abs(rotations[b, 0, 0] * dx + rotations[b, 1, 0] * dy + rotations[b, 2, 0] * dz) <= halves[b, 0])
        & (abs(rotations[b, 0, 1] * dx + rotations[b, 1, 1] * dy + rotations[b, 2, 1] * dz) <= halves[b, 1])
        & (abs(rotations[b, 0, 2] * dx + rotations[b, 1, 2] * dy + rotations[b, 2, 2] * dz) <= halves[b, 2])
    )


@njit(cache=True, nogil=True)
def points_in_box(points, rotation, center, half, inside):
    """One answer a point."""
    for i in range(points.shape[0]):
        inside[i] = in_box(points[i, 0], points[i, 1], points[i, 2], rotation, center, half)


@njit(cache=True, nogil=True)
def boxes_by_cell(first, last, cells):
    """Boxes that reach into each cell of a square grid: `members[starts[c] : starts[c + 1]]` of cell c.

    Box b covers the cells from `first[b]` to `last[b]` in x and y, both included.
    """
    starts = np.zeros(cells * cells + 1, dtype=np.int64)
    for b in range(first.shape[0]):
        for cx in range(first[b, 0], last[b, 0] + 1):
            starts[cx * cells + first[b, 1] + 1 : cx * cells + last[b, 1] + 2] += 1
    starts = np.cumsum(starts)
    members = np.empty(starts[-1], dtype=np.int64)
    places = starts[:-1].copy()
    for b in range(first.shape[0]):
        for cx in range(first[b, 0], last[b, 0] + 1):
            for c in range(cx * cells + first[b, 1], cx * cells + last[b, 1] + 1):
                members[places[c]] = b
                places[c] += 1
    return starts, members


@njit(cache=True, nogil=True)
def cell_of(x, y, corner, per_m, cells):
    """Number of the cell that a place lies in, -1 outside of the grid."""
    column, line = (x - corner[0]) * per_m[0], (y - corner[1]) * per_m[1]
    return int(column) * cells + int(line) if 0 <= column < cells and 0 <= line < cells else -1


@njit(cache=True, nogil=True)
def count_in_boxes(points, rotations, centers, halves, corner, per_m, starts, members, cells, counts, hit):
    """Counts the points in each box and lists the points that are in any; returns how many these are."""
    hits = 0
    for i in range(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        c = cell_of(x, y, corner, per_m, cells)
        if c < 0 or starts[c] == starts[c + 1]:
            continue
        before = hits
        for m in range(starts[c], starts[c + 1]):
            b = members[m]
            if in_box_of(x, y, z, rotations, centers, halves, b):
                counts[b] += 1
                hit[before] = i
                hits = before + 1
    return hits


@njit(cache=True, nogil=True)
def list_in_boxes(
    points, chosen, rotations, centers, halves, corner, per_m, starts, members, cells, places, out
):
    """Writes the chosen points in box b from `places[b]` on."""
    for i in chosen:
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        c = cell_of(x, y, corner, per_m, cells)
        for m in range(starts[c], starts[c + 1]):
            b = members[m]
            if in_box_of(x, y, z, rotations, centers, halves, b):
                out[places[b]] = i
                places[b] += 1


@njit(cache=True, nogil=True)
def clip(polygon, count, axis, sign, bound, out):
    """Keeps what of a convex polygon lies at `sign * coordinate <= bound` (Sutherland and Hodgman, 1974)."""
    kept = 0
    for i in range(count):
        j = i + 1 if i + 1 < count else 0
        here, there = bound - sign * polygon[i, axis], bound - sign * polygon[j, axis]
        if here >= 0:
            out[kept] = polygon[i]
            kept += 1
        if (here > 0 > there) or (here < 0 < there):
            f = here / (here - there)
            out[kept, 0] = polygon[i, 0] + f * (polygon[j, 0] - polygon[i, 0])
            out[kept, 1] = polygon[i, 1] + f * (polygon[j, 1] - polygon[i, 1])
            kept += 1
    return kept


@njit(cache=True, nogil=True)
def corners_seen_from(a, b, out):
    """The corners of upright box b in the xy frame of upright box a."""
    c, s = np.cos(a[6]), np.sin(a[6])
    dx, dy = b[0] - a[0], b[1] - a[1]
    x, y = c * dx + s * dy, c * dy - s * dx
    c, s = np.cos(b[6] - a[6]) / 2, np.sin(b[6] - a[6]) / 2
    for i in range(4):
        along = b[3] if i == 0 or i == 3 else -b[3]
        across = b[4] if i < 2 else -b[4]
        out[i, 0] = x + c * along - s * across
        out[i, 1] = y + s * along + c * across


@njit(cache=True, nogil=True)
def polygon_area(polygon, count):
    """Area of a polygon whose corners run counter-clockwise."""
    doubled = 0.0
    for i in range(1, count - 1):
        ux, uy = polygon[i, 0] - polygon[0, 0], polygon[i, 1] - polygon[0, 1]
        vx, vy = polygon[i + 1, 0] - polygon[0, 0], polygon[i + 1, 1] - polygon[0, 1]
        doubled += ux * vy - uy * vx
    return doubled / 2


@njit(cache=True, nogil=True)
def overlap_area(a, b, one, other):
    """Area that two upright boxes share seen from above; `one` and `other` are (8, 2) room to work in."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    reach = (np.sqrt(a[3] * a[3] + a[4] * a[4]) + np.sqrt(b[3] * b[3] + b[4] * b[4])) / 2
    if not dx * dx + dy * dy < reach * reach:
        return 0.0
    corners_seen_from(a, b, one)
    count = clip(one, 4, 0, 1.0, a[3] / 2, other)
    count = clip(other, count, 0, -1.0, a[3] / 2, one)
    count = clip(one, count, 1, 1.0, a[4] / 2, other)
    count = clip(other, count, 1, -1.0, a[4] / 2, one)
    return min(max(polygon_area(one, count), 0.0), a[3] * a[4], b[3] * b[4])


@njit(cache=True, nogil=True)
def iou_one(a, b, solid, one, other):
    """Intersection over union of two upright boxes, of their volumes or of their ground areas."""
    shared = overlap_area(a, b, one, other)
    whole = a[3] * a[4], b[3] * b[4]
    if solid:
        shared *= max(0.0, min(a[2] + a[5] / 2, b[2] + b[5] / 2) - max(a[2] - a[5] / 2, b[2] - b[5] / 2))
        whole = whole[0] * a[5], whole[1] * b[5]
    union = whole[0] + whole[1] - shared
    return min(shared / union, 1.0) if union > 0 else 0.0


@njit(cache=True, nogil=True)
def iou_matrix(a, b, solid, out):
    """Every upright box of one set with every one of another."""
    one, other = np.empty((8, 2)), np.empty((8, 2))
    for i in range(a.shape[0]):
        for j in range(b.shape[0]):
            out[i, j] = iou_one(a[i], b[j], solid, one, other)


@njit(cache=True, nogil=True)
def iou_paired(a, b, out):
    """Each upright box with its partner."""
    one, other = np.empty((8, 2)), np.empty((8, 2))
    for i in range(a.shape[0]):
        out[i] = iou_one(a[i], b[i], True, one, other)


@njit(cache=True, nogil=True)
def hull_area(points):
    """Area of the convex hull of a few points in general or any position (gift wrapping, Jarvis 1973)."""
    start = 0
    for i in range(1, points.shape[0]):
        if points[i, 0] < points[start, 0] or (
            points[i, 0] == points[start, 0] and points[i, 1] < points[start, 1]
        ):
            start = i
    doubled, here = 0.0, start
    for _ in range(points.shape[0]):
        there = start if here != start else (start + 1) % points.shape[0]
        for i in range(points.shape[0]):
            ux, uy = points[there, 0] - points[here, 0], points[there, 1] - points[here, 1]
            vx, vy = points[i, 0] - points[here, 0], points[i, 1] - points[here, 1]
            turn = ux * vy - uy * vx
            if turn < 0 or (turn == 0 and vx * vx + vy * vy > ux * ux + uy * uy):
                there = i
        ox, oy = points[start, 0], points[start, 1]
        doubled += (points[here, 0] - ox) * (points[there, 1] - oy) - (points[here, 1] - oy) * (
            points[there, 0] - ox
        )
        here = there
        if here == start:
            break
    return doubled / 2


@njit(cache=True, nogil=True)
def giou_matrix(a, b, out):
    """Generalised IoU of ground areas, every box of one set with every one of another."""
    one, other, corners = np.empty((8, 2)), np.empty((8, 2)), np.empty((8, 2))
    for i in range(a.shape[0]):
        for j in range(b.shape[0]):
            shared = overlap_area(a[i], b[j], one, other)
            union = a[i, 3] * a[i, 4] + b[j, 3] * b[j, 4] - shared
            corners_seen_from(a[i], a[i], corners[:4])
            corners_seen_from(a[i], b[j], corners[4:])
            hull = max(hull_area(corners), union)
            out[i, j] = shared / union - (hull - union) / hull if union > 0 else -1.0
