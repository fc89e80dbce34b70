"""Compiled loops over the points of a sweep and the boxes in it."""

import numpy as np
from numba import njit

from fusion._fan_kernels import begin_and_end, note_close, toward_box

SLACK_M = 1e-9
# Beams that only graze a box say nothing of it.
MIDDLE = 0.85
LOW, NOISE_M = 0.4, 0.07
ENOUGH = 5


@njit(cache=True, nogil=True, error_model="numpy")
def column_of_beam(eye, ray, half):
    """Which count takes a beam that does not end in a box: before it, through its middle; -1 for none.

    The beam goes from an eye by a ray to where it ends, in the axes of the box.
    """
    enters, leaves = -np.inf, np.inf
    for k in range(3):
        reach = half[k] * MIDDLE
        if abs(ray[k]) < 1e-12:
            if abs(eye[k]) > reach:
                return -1
            continue
        per_ray = 1 / ray[k]
        a, b = (-reach - eye[k]) * per_ray, (reach - eye[k]) * per_ray
        enters, leaves = max(enters, min(a, b)), min(leaves, max(a, b))
    if enters >= leaves or leaves <= 0:
        return -1
    return 2 if enters > 1 else 3 if leaves < 1 and enters > 0 else -1


@njit(cache=True, nogil=True, error_model="numpy")
def side_of(spot, half, around):
    """Which face a place outside of a box lies next to: front, back, left, right, top; -1 for none.

    What lies at the feet of an object is next to none.
    """
    x, y, z = abs(spot[0]) - half[0], abs(spot[1]) - half[1], abs(spot[2]) - half[2]
    if max(x, y, z) > around or spot[2] < -LOW * half[2]:
        return -1
    if z >= max(x, y):
        return 4
    if x >= y:
        return 0 if spot[0] > 0 else 1
    return 2 if spot[1] > 0 else 3


@njit(cache=True, nogil=True, error_model="numpy")
def in_axes(place, rotations, b):
    """A place, counted from the centre of a box, in the axes of that box."""
    x, y, z = place
    return (
        rotations[b, 0, 0] * x + rotations[b, 1, 0] * y + rotations[b, 2, 0] * z,
        rotations[b, 0, 1] * x + rotations[b, 1, 1] * y + rotations[b, 2, 1] * z,
        rotations[b, 0, 2] * x + rotations[b, 1, 2] * y + rotations[b, 2, 2] * z,
    )


@njit(cache=True, nogil=True, error_model="numpy")
def is_inside(spot, half):
    """Whether a place in the axes of a box lies in it."""
    return (
        abs(spot[0]) <= half[0] + SLACK_M
        and abs(spot[1]) <= half[1] + SLACK_M
        and abs(spot[2]) <= half[2] + SLACK_M
    )


@njit(cache=True, nogil=True, error_model="numpy")
def note_inside(spot, stands, b, counts, low, high):
    """Counts a point in a box, and how far those of the object reach."""
    counts[b, 0] += 1
    # The roof of something low and wide may have been taken for ground.
    if stands or spot[2] > 0:
        counts[b, 1] += 1
        for k in range(3):
            low[b, k], high[b, k] = min(low[b, k], spot[k]), max(high[b, k], spot[k])


@njit(cache=True, nogil=True, error_model="numpy")
def is_about(spot, half, beside, deep, up):
    """Whether a place in the axes of a box may lie in it, beside it, or on the ground that it stands on."""
    return (
        abs(spot[0]) < half[0] + beside and abs(spot[1]) < half[1] + beside and -half[2] - deep < spot[2] < up
    )


@njit(cache=True, nogil=True, error_model="numpy")
def look(points, above, origin, starts, rotations, centers, halves, limits, counts, reach, ground):
    """Fills the counts, the reach and the heights of `Scanned` from one sweep, sorted by direction."""
    around, off_ground, beside, deepest = limits
    count = len(centers)
    close = np.empty(len(points) + 1, dtype=np.int32)
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    in_any, sides, grown = np.zeros(len(points), np.bool_), [], np.empty(3)
    for b in range(count):
        offset = centers[b] - origin
        half, deep = (halves[b, 0], halves[b, 1], halves[b, 2]), min(deepest, halves[b, 2] + beside)
        # On a slope the ground beside something low may lie above its top.
        up = max(half[2] + around + SLACK_M, deep - half[2])
        eye = in_axes((-offset[0], -offset[1], -offset[2]), rotations, b)
        grown[0], grown[1], grown[2] = half[0] + beside, half[1] + beside, up
        far = grown[0] ** 2 + grown[1] ** 2 + max(up, half[2] + deep) ** 2
        floor, floor_points = 0.0, 0
        directions = toward_box(offset, rotations[b], grown, deep)
        for n in range(note_close(points, starts, directions, centers[b], far, close)):
            i = close[n]
            x, y, z = points[i, 0] - origin[0], points[i, 1] - origin[1], points[i, 2] - origin[2]
            ray = in_axes((x, y, z), rotations, b)
            spot = eye[0] + ray[0], eye[1] + ray[1], eye[2] + ray[2]
            if not is_about(spot, half, beside, deep, up):
                continue
            stands, over = not above[i] < off_ground, spot[2] + half[2]
            aside = max(abs(spot[0]) - half[0], abs(spot[1]) - half[1])
            if not stands and aside < beside and abs(over) < deep:
                floor += over
                floor_points += 1
            if is_inside(spot, half):
                in_any[i] = True
                note_inside(spot, stands, b, counts, low, high)
                continue
            # What lies on a face but for noise is of the object, and neither before nor beside it.
            if max(aside, abs(spot[2]) - half[2]) < NOISE_M:
                continue
            column = column_of_beam(eye, ray, half)
            if column > 0:
                counts[b, column] += 1
            side = side_of(spot, half, around) if stands else -1
            if side >= 0:
                sides.append((b, i, side))
        for k in range(3):
            grown[k] = half[k] * MIDDLE
        first, wide, lowest, highest = toward_box(offset, rotations[b], grown, 0.0)
        for sector in range(first, first + wide):
            begin, end = begin_and_end(starts, sector, lowest, highest)
            for i in range(begin, end):
                x, y, z = points[i, 0] - origin[0], points[i, 1] - origin[1], points[i, 2] - origin[2]
                ray = in_axes((x, y, z), rotations, b)
                spot = eye[0] + ray[0], eye[1] + ray[1], eye[2] + ray[2]
                column = -1 if is_about(spot, half, beside, deep, up) else column_of_beam(eye, ray, half)
                if column > 0:
                    counts[b, column] += 1
        if counts[b, 1] > 0:
            reach[b, :3], reach[b, 3:] = halves[b] - high[b], low[b] + halves[b]
        if floor_points >= ENOUGH:
            ground[b] = -floor / floor_points
    for b, i, side in sides:
        if not in_any[i]:
            counts[b, 4 + side] += 1
