"""Compiled: what one scan shows of every box; looks.py stands in front of it."""

import numpy as np
from numba import njit

SECTORS = 512
BINS, BIN_M, INSIDE_M = 20, 0.05, 0.6
REACH_M = 0.4
BESIDE_M, FLOOR_M, SKIN_M, BEHIND_M = 0.05, 0.15, 0.3, 1.0
CORE, LOW = 0.6, 0.9
OFF, NEAR, INSIDE = 0, 1, 2


@njit(cache=True, nogil=True, error_model="numpy")
def bearing_of(x, y):
    """A direction as a number in 0..4 that rises with its angle."""
    away = abs(x) + abs(y)
    if away == 0.0:
        return 0.0
    turn = y / away
    return 2.0 - turn if x < 0 else turn if y >= 0 else 4.0 + turn


@njit(cache=True, nogil=True, error_model="numpy")
def between(bearing, middle):
    """From one bearing to another, in -2..2."""
    turn = bearing - middle
    return turn - 4.0 if turn > 2.0 else turn + 4.0 if turn < -2.0 else turn


@njit(cache=True, nogil=True, error_model="numpy")
def half_angle(rotation, dx, dy, half, more, middle):
    """How far a box, grown by `more`, reaches to both sides of its middle bearing; 2 around the LiDAR."""
    x, y = half[0] + more, half[1] + more
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
def aim(origin, places, rotations, halves, aims, starts, members):
    """The bearing, half angle and distance of each box, into (K, 3), and the boxes in each sector.

    Those of sector s are `members[starts[s]:starts[s + 1]]`; returns how many there are, whether or not
    `members` had room.
    """
    count = len(places)
    grown = np.empty(count)
    starts[:] = 0
    for k in range(count):
        dx, dy = places[k, 0] - origin[0], places[k, 1] - origin[1]
        aims[k, 0], aims[k, 2] = bearing_of(dx, dy), np.sqrt(dx * dx + dy * dy)
        aims[k, 1] = half_angle(rotations[k], dx, dy, halves[k], 0.0, aims[k, 0])
        grown[k] = half_angle(rotations[k], dx, dy, halves[k], REACH_M, aims[k, 0])
        first, last = sectors_of(aims[k, 0], grown[k])
        for s in range(first, last + 1):
            starts[s % SECTORS + 1] += 1
    for s in range(SECTORS):
        starts[s + 1] += starts[s]
    if starts[SECTORS] > len(members):
        return starts[SECTORS]
    fill = starts[:-1].copy()
    for k in range(count):
        first, last = sectors_of(aims[k, 0], grown[k])
        for s in range(first, last + 1):
            members[fill[s % SECTORS]] = k
            fill[s % SECTORS] += 1
    return starts[SECTORS]


@njit(cache=True, nogil=True, error_model="numpy")
def sectors_of(middle, half):
    """First and last sector of a range of bearings, from 0 on; at most all of them."""
    if half >= 2.0:
        return 0, SECTORS - 1
    first = int(np.floor((middle - half + 4.0) * SECTORS / 4.0))
    last = int(np.floor((middle + half + 4.0) * SECTORS / 4.0))
    return first, min(last, first + SECTORS - 1)


@njit(cache=True, nogil=True, error_model="numpy")
def look(points, origin, places, rotations, halves, aims, starts, members, counts, faces, lines, tops):
    """What the points of a scan say of each of K boxes.

    counts (K, 4): points in it, of these in other boxes too, points before it, points seen through it.
    faces (K, 5, BINS): points at distances from its front, back, left, right and upper face, from inside to
    outside. lines (K, 2, 5): sums over the points at its near end and its near side that tell a straight
    line. tops (K, 2): the highest point in its front and in its rear third, NaN before there is one.
    """
    count = len(places)
    own, where = np.empty((count, 3)), np.zeros(count, dtype=np.int8)
    eyes, sizes = np.empty((count, 3)), np.empty(count)
    for k in range(count):
        into_box(origin, places[k], rotations[k], eyes[k])
        sizes[k] = np.sqrt(halves[k, 0] ** 2 + halves[k, 1] ** 2)
    for i in range(len(points)):
        x, y, z = points[i, 0] - origin[0], points[i, 1] - origin[1], points[i, 2] - origin[2]
        bearing = bearing_of(x, y)
        s = min(int(bearing * (SECTORS / 4.0)), SECTORS - 1)
        if starts[s] == starts[s + 1]:
            continue
        away = np.sqrt(x * x + y * y)
        owners = 0
        for m in range(starts[s], starts[s + 1]):
            k = members[m]
            where[k] = OFF
            beyond = away - aims[k, 2]
            if abs(beyond) < sizes[k] + REACH_M:
                if abs(points[i, 2] - places[k, 2]) > halves[k, 2] + 2 * REACH_M:
                    continue
                into_box(points[i], places[k], rotations[k], own[k])
                where[k] = side_of(own[k], halves[k])
                owners += where[k] == INSIDE
            else:
                side = abs(between(bearing, aims[k, 0]))
                if side < aims[k, 1]:
                    height = (origin[2] - places[k, 2] + z * aims[k, 2] / away) / halves[k, 2]
                    if beyond < 0:
                        counts[k, 2] += -1 < height < 1
                    elif beyond > sizes[k] + BEHIND_M:
                        counts[k, 3] += side < CORE * aims[k, 1] and -LOW < height < 0
        for m in range(starts[s], starts[s + 1]):
            k = members[m]
            if where[k] == INSIDE:
                counts[k, 0] += 1
                counts[k, 1] += owners > 1
                add_line(own[k], halves[k], eyes[k], lines[k])
                add_top(own[k], halves[k], tops[k])
                add_faces(own[k], halves[k], faces[k])
            elif where[k] == NEAR and owners == 0:
                add_faces(own[k], halves[k], faces[k])


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
