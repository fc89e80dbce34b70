"""Compiled: what one scan shows of every box; looks.py stands in front of it."""

import numpy as np
from numba import njit

from fusion._fan_kernels import SLACK, bearing_of, begin_and_end, between, note_close, slope_bin, toward_box
from fusion.fan import SECTORS

BINS, BIN_M, INSIDE_M = 20, 0.05, 0.6
REACH_M = 0.4
BESIDE_M, FLOOR_M, SKIN_M, BEHIND_M = 0.05, 0.15, 0.3, 1.0
CORE, LOW = 0.6, 0.9
OFF, NEAR, INSIDE = 0, 1, 2


@njit(cache=True, nogil=True, error_model="numpy")
def half_angle(rotation, dx, dy, half, middle):
    """How far a box reaches to both sides of its middle bearing; 2 around the LiDAR."""
    x, y = half[0], half[1]
    if dx * dx + dy * dy < 1.2 * (x * x + y * y):
        return 2.0
    widest = 0.0
    for sx in (-1.0, 1.0):
        for sy in (-1.0, 1.0):
            cx = dx + sx * x * rotation[0, 0] + sy * y * rotation[0, 1]
            cy = dy + sx * x * rotation[1, 0] + sy * y * rotation[1, 1]
            widest = max(widest, abs(between(bearing_of(cx, cy), middle)))
    return widest


@njit(cache=True, nogil=True, error_model="numpy")
def aim(origin, places, rotations, halves, aims):
    """The bearing, half angle and distance of each box, into (K, 3)."""
    for k in range(len(places)):
        dx, dy = places[k, 0] - origin[0], places[k, 1] - origin[1]
        aims[k, 0], aims[k, 2] = bearing_of(dx, dy), np.sqrt(dx * dx + dy * dy)
        aims[k, 1] = half_angle(rotations[k], dx, dy, halves[k], aims[k, 0])


@njit(cache=True, nogil=True, error_model="numpy")
def look(points, starts, origin, places, rotations, halves, aims, counts, faces, lines, tops):
    """What the points of a scan, sorted by direction, say of each of K boxes.

    counts (K, 4): points in it, of these in other boxes too, points before it, points seen through it.
    faces (K, 5, BINS): points at distances from its front, back, left, right and upper face, from inside to
    outside. lines (K, 2, 5): sums over the points at its near end and its near side that tell a straight
    line. tops (K, 2): the highest point in its front and in its rear third, NaN before there is one.
    """
    aim(origin, places, rotations, halves, aims)
    sizes = np.sqrt(halves[:, 0] ** 2 + halves[:, 1] ** 2)
    owners, close = np.zeros(len(points), np.int16), np.empty(len(points) + 1, np.int32)
    near, ends = np.empty(4096, np.int32), np.zeros(len(places) + 1, np.int64)
    tally = np.empty((5, BINS + 2), dtype=np.int32)
    for k in range(len(places)):
        count_beams(points, starts, origin, places[k], halves[k], aims[k], sizes[k], counts[k])
        grown = halves[k] + REACH_M
        directions = toward_box(places[k] - origin, rotations[k], grown, 0.0)
        some = close[: note_close(points, starts, directions, places[k], (grown**2).sum(), close)]
        near, ends[k + 1] = note_near(points, some, places[k], rotations[k], halves[k], owners, near, ends[k])
    for k in range(len(places)):
        axes, half = axes_of(places[k], rotations[k]), (halves[k, 0], halves[k, 1], halves[k, 2])
        eye, inside, shared = into_box(origin[0], origin[1], origin[2], axes), 0, 0
        tally[:] = 0
        for n in range(ends[k], ends[k + 1]):
            i = near[n]
            own = into_box(points[i, 0], points[i, 1], points[i, 2], axes)
            if side_of(own, half) == INSIDE:
                inside += 1
                shared += owners[i] > 1
                add_line(own, half, eye, lines[k])
                add_top(own, half, tops[k])
                add_faces(own, half, tally)
            elif owners[i] == 0:
                add_faces(own, half, tally)
        counts[k, 0], counts[k, 1] = inside, shared
        faces[k] = tally[:, 1:-1]


@njit(cache=True, nogil=True, error_model="numpy")
def count_beams(points, starts, origin, place, half, aim, size, counts):
    """Counts the points before a box and those seen through it."""
    first = int(np.floor((aim[0] - aim[1]) * (SECTORS / 4.0)))
    last = int(np.floor((aim[0] + aim[1]) * (SECTORS / 4.0)))
    up = place[2] - origin[2]
    # Copied out of arrays, and without branches: so many are told at once.
    flat, x0, y0, z0, per_half = points.reshape(-1), origin[0], origin[1], origin[2], 1 / half[2]
    middle, reach, away_m, near_m, far_m = aim[0], aim[1], aim[2], size + REACH_M, size + BEHIND_M
    before, through = 0, 0
    lowest, highest = slope_bin((up - half[2]) / aim[2] - SLACK), slope_bin((up + half[2]) / aim[2] + SLACK)
    for sector in range(first, min(last + 1, first + SECTORS)):
        begin, end = begin_and_end(starts, sector, lowest, highest)
        for i in range(begin, end):
            x, y, z = flat[3 * i] - x0, flat[3 * i + 1] - y0, flat[3 * i + 2] - z0
            away = np.sqrt(x * x + y * y)
            side = abs(between(bearing_of(x, y), middle))
            beyond, height = away - away_m, (z * away_m / away - up) * per_half
            before += (side < reach) & (beyond <= -near_m) & (abs(height) < 1.0)
            through += (side < CORE * reach) & (beyond > far_m) & (height > -LOW) & (height < 0.0)
    counts[2], counts[3] = before, through


@njit(cache=True, nogil=True, error_model="numpy")
def note_near(points, some, place, rotation, size, owners, near, count):
    """Appends which of some points lie in a box and near it to the first `count`; all, and how many."""
    axes, half = axes_of(place, rotation), (size[0], size[1], size[2])
    for i in some:
        where = side_of(into_box(points[i, 0], points[i, 1], points[i, 2], axes), half)
        if where == OFF:
            continue
        owners[i] += where == INSIDE
        if count == len(near):
            near = np.concatenate((near, np.empty_like(near)))
        near[count] = i
        count += 1
    return near, count


@njit(cache=True, nogil=True, error_model="numpy")
def axes_of(place, rotation):
    """The middle of a box and its axes, copied out of arrays: a compiler need not fear that they change."""
    return (
        (place[0], place[1], place[2]),
        (rotation[0, 0], rotation[1, 0], rotation[2, 0]),
        (rotation[0, 1], rotation[1, 1], rotation[2, 1]),
        (rotation[0, 2], rotation[1, 2], rotation[2, 2]),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def into_box(x, y, z, axes):
    """A place in the frame of a box, see `axes_of`."""
    middle, a, b, c = axes
    x, y, z = x - middle[0], y - middle[1], z - middle[2]
    return (
        a[0] * x + a[1] * y + a[2] * z,
        b[0] * x + b[1] * y + b[2] * z,
        c[0] * x + c[1] * y + c[2] * z,
    )


@njit(cache=True, nogil=True, error_model="numpy")
def side_of(own, half):
    """Whether a place lies in a box, near it, or neither."""
    x, y, z = abs(own[0]) - half[0], abs(own[1]) - half[1], abs(own[2]) - half[2]
    if x > REACH_M or y > REACH_M or z > REACH_M:
        return OFF
    return INSIDE if x <= 0 and y <= 0 and z <= 0 else NEAR


@njit(cache=True, nogil=True, error_model="numpy")
def add_faces(own, half, tally):
    """Counts a point at the faces that it lies over or behind; the first and the last bin are for none."""
    x, y, z = half[0] - abs(own[0]), half[1] - abs(own[1]), half[2] - abs(own[2])
    standing = (z > -BESIDE_M) & (own[2] > FLOOR_M - half[2])
    lengthwise, across, above = standing & (y > -BESIDE_M), standing & (x > -BESIDE_M), (x > 0) & (y > 0)
    tally[0, bin_of(own[0] - half[0], lengthwise)] += 1
    tally[1, bin_of(-own[0] - half[0], lengthwise)] += 1
    tally[2, bin_of(own[1] - half[1], across)] += 1
    tally[3, bin_of(-own[1] - half[1], across)] += 1
    tally[4, bin_of(own[2] - half[2], above)] += 1


@njit(cache=True, nogil=True, error_model="numpy")
def bin_of(outside, counts):
    """The bin of a distance from a face, 0 of what does not count; without a branch."""
    b = min(max(np.floor((outside + INSIDE_M) / BIN_M), -1.0), float(BINS))
    return np.int64(b + 1.0 if counts else 0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def add_line(own, half, eye, lines):
    """Adds a point to the line along the near end, or the near side, that it lies at."""
    for a in range(2):
        side = 1.0 if eye[a] > 0 else -1.0
        if side * eye[a] < half[a] or side * own[a] < half[a] - SKIN_M:
            continue
        along, deep = own[1 - a], own[a]
        lines[a, 0] += 1
        lines[a, 1] += along
        lines[a, 2] += deep
        lines[a, 3] += along * along
        lines[a, 4] += along * deep


@njit(cache=True, nogil=True, error_model="numpy")
def add_top(own, half, tops):
    """Takes up the height of a point in the front or the rear third."""
    if abs(own[0]) > half[0] / 3:
        end = 0 if own[0] > 0 else 1
        if not tops[end] >= own[2]:
            tops[end] = own[2]
