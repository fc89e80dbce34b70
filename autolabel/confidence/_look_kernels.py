"""Compiled: what one scan shows of every box; looks.py stands in front of it."""

import numpy as np
from numba import njit

from fusion._fan_kernels import SLACK, bearing_of, begin_and_end, between, slope_bin, toward_box
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
    owners, near, ends = (
        np.zeros(len(points), np.int16),
        np.empty(4096, np.int32),
        np.zeros(len(places) + 1, np.int64),
    )
    own, eye = np.empty(3), np.empty(3)
    for k in range(len(places)):
        count_beams(points, starts, origin, places[k], halves[k], aims[k], sizes[k], counts[k])
        box = places[k], rotations[k], halves[k]
        reach = aims[k, 2], sizes[k] + REACH_M
        near, ends[k + 1] = note_near(points, starts, origin, box, reach, owners, near, ends[k])
    for k in range(len(places)):
        into_box(origin, places[k], rotations[k], eye)
        for n in range(ends[k], ends[k + 1]):
            i = near[n]
            into_box(points[i], places[k], rotations[k], own)
            if side_of(own, halves[k]) == INSIDE:
                counts[k, 0] += 1
                counts[k, 1] += owners[i] > 1
                add_line(own, halves[k], eye, lines[k])
                add_top(own, halves[k], tops[k])
                add_faces(own, halves[k], faces[k])
            elif owners[i] == 0:
                add_faces(own, halves[k], faces[k])


@njit(cache=True, nogil=True, error_model="numpy")
def count_beams(points, starts, origin, place, half, aim, size, counts):
    """Counts the points before a box and those seen through it."""
    first = int(np.floor((aim[0] - aim[1]) * (SECTORS / 4.0)))
    last = int(np.floor((aim[0] + aim[1]) * (SECTORS / 4.0)))
    up = place[2] - origin[2]
    lowest, highest = slope_bin((up - half[2]) / aim[2] - SLACK), slope_bin((up + half[2]) / aim[2] + SLACK)
    for sector in range(first, min(last + 1, first + SECTORS)):
        begin, end = begin_and_end(starts, sector, lowest, highest)
        for i in range(begin, end):
            x, y, z = points[i, 0] - origin[0], points[i, 1] - origin[1], points[i, 2] - origin[2]
            away = np.sqrt(x * x + y * y)
            beyond = away - aim[2]
            side = abs(between(bearing_of(x, y), aim[0]))
            if abs(beyond) < size + REACH_M or side >= aim[1]:
                continue
            height = (z * aim[2] / away - up) / half[2]
            if beyond < 0:
                counts[2] += -1 < height < 1
            elif beyond > size + BEHIND_M:
                counts[3] += side < CORE * aim[1] and -LOW < height < 0


@njit(cache=True, nogil=True, error_model="numpy")
def note_near(points, starts, origin, box, reach, owners, near, count):
    """Appends the points in a box and near it to the first `count` noted before; all, and how many."""
    (place, rotation, half), (away_m, reach_m), own = box, reach, np.empty(3)
    first, sectors, lowest, highest = toward_box(place - origin, rotation, half + REACH_M, 0.0)
    for sector in range(first, first + sectors):
        begin, end = begin_and_end(starts, sector, lowest, highest)
        for i in range(begin, end):
            x, y = points[i, 0] - origin[0], points[i, 1] - origin[1]
            if abs(np.sqrt(x * x + y * y) - away_m) >= reach_m:
                continue
            into_box(points[i], place, rotation, own)
            where = side_of(own, half)
            if where == OFF:
                continue
            owners[i] += where == INSIDE
            if count == len(near):
                near = np.concatenate((near, np.empty_like(near)))
            near[count] = i
            count += 1
    return near, count


@njit(cache=True, nogil=True, error_model="numpy")
def into_box(point, place, rotation, out):
    """A place in the frame of a box."""
    dx, dy, dz = point[0] - place[0], point[1] - place[1], point[2] - place[2]
    for a in range(3):
        out[a] = rotation[0, a] * dx + rotation[1, a] * dy + rotation[2, a] * dz


@njit(cache=True, nogil=True, error_model="numpy")
def side_of(own, half):
    """Whether a place lies in a box, near it, or neither."""
    x, y, z = abs(own[0]) - half[0], abs(own[1]) - half[1], abs(own[2]) - half[2]
    if x > REACH_M or y > REACH_M or z > REACH_M:
        return OFF
    return INSIDE if x <= 0 and y <= 0 and z <= 0 else NEAR


@njit(cache=True, nogil=True, error_model="numpy")
def add_faces(own, half, faces):
    """Counts a point at the faces that it lies over or behind."""
    x, y, z = half[0] - abs(own[0]), half[1] - abs(own[1]), half[2] - abs(own[2])
    standing = z > -BESIDE_M and own[2] > FLOOR_M - half[2]
    if standing and y > -BESIDE_M:
        add_face(own[0] - half[0], faces[0])
        add_face(-own[0] - half[0], faces[1])
    if standing and x > -BESIDE_M:
        add_face(own[1] - half[1], faces[2])
        add_face(-own[1] - half[1], faces[3])
    if x > 0 and y > 0:
        add_face(own[2] - half[2], faces[4])


@njit(cache=True, nogil=True, error_model="numpy")
def add_face(outside, face):
    """Counts a distance from a face."""
    b = int(np.floor((outside + INSIDE_M) / BIN_M))
    if 0 <= b < BINS:
        face[b] += 1


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
