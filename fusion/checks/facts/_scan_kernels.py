"""Compiled loops over the points of a sweep and the boxes in it."""

import numpy as np
from numba import njit

from fusion._kernels import angle_of

TAU = 2 * np.pi
SLACK_M = 1e-9
# Beams that only graze a box say nothing of it.
MIDDLE = 0.85
LOW, NOISE_M = 0.4, 0.07
ENOUGH = 5


@njit(cache=True, nogil=True, error_model="numpy")
def bin_of(x, y, bins):
    """The sector of a direction seen from above."""
    return min(max(int((angle_of(np.float32(y), np.float32(x)) + np.pi) / TAU * bins), 0), bins - 1)


@njit(cache=True, nogil=True, error_model="numpy")
def sectors_of(center, half, origin, bins):
    """First sector about a place that a box reaches into, and how many."""
    x, y = center[0] - origin[0], center[1] - origin[1]
    radius, away = np.sqrt((half**2).sum()), np.hypot(x, y)
    if away <= radius:
        return 0, bins
    wide = int(np.ceil(np.arcsin(radius / away) / TAU * bins)) + 1
    return (bin_of(x, y, bins) - wide) % bins, min(2 * wide + 1, bins)


@njit(cache=True, nogil=True, error_model="numpy")
def by_sector(points, above, origin, off_ground, bins):
    """Points by sector: places seen from the origin and distances (4, N), which stand; starts of sectors."""
    sectors, starts = np.empty(len(points), np.int32), np.zeros(bins + 1, np.int64)
    for i in range(len(points)):
        x, y, z = points[i, 0] - origin[0], points[i, 1] - origin[1], points[i, 2] - origin[2]
        sectors[i] = -1
        if abs(x) + abs(y) + abs(z) < np.inf:
            sectors[i] = bin_of(x, y, bins)
            starts[sectors[i] + 1] += 1
    starts = np.cumsum(starts)
    places, stands, fill = np.empty((4, starts[-1])), np.empty(starts[-1], np.bool_), starts[:-1].copy()
    for i in range(len(points)):
        if sectors[i] >= 0:
            at = fill[sectors[i]]
            fill[sectors[i]] += 1
            x, y, z = points[i, 0] - origin[0], points[i, 1] - origin[1], points[i, 2] - origin[2]
            places[0, at], places[1, at], places[2, at] = x, y, z
            places[3, at], stands[at] = np.sqrt(x * x + y * y), not above[i] < off_ground
    return places, stands, starts


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
def slopes(centers, rotations, halves, origin, beside):
    """For each box the lowest and highest slope of beams that meet it, and what is near.

    Nearness is the square of a distance seen from above: no further does a box reach, with what is beside it.
    """
    found = np.empty((centers.shape[0], 3))
    for b in range(centers.shape[0]):
        radius = np.sqrt((halves[b] ** 2).sum())
        away = np.hypot(centers[b, 0] - origin[0], centers[b, 1] - origin[1])
        up, high = centers[b, 2] - origin[2], (np.abs(rotations[b, 2]) * halves[b]).sum()
        found[b] = -np.inf, np.inf, (radius + 2 * beside) ** 2
        if away > radius:
            near, far = away - radius, away + radius
            found[b, 0] = min((up - high) / near, (up - high) / far)
            found[b, 1] = max((up + high) / near, (up + high) / far)
    return found


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
def worth_a_look(places, begin, end, center, steep, chosen, count):
    """Appends those of some points that lie near a box, or on a beam that may meet it; how many then."""
    low, high, near = steep[0], steep[1], steep[2]
    xs, ys, zs, away = places[0], places[1], places[2], places[3]
    for i in range(begin, end):
        x, y = xs[i] - center[0], ys[i] - center[1]
        meets = (low * away[i] <= zs[i]) & (zs[i] <= high * away[i])
        chosen[count] = i
        count += int(meets | (x * x + y * y <= near))
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def look(points, above, origin, rotations, centers, halves, bins, limits, counts, reach, ground):
    """Fills the counts, the reach and the heights of `Scanned` from one sweep."""
    around, off_ground, beside, deep = limits
    places, stands, starts = by_sector(points, above, origin, off_ground, bins)
    count, total = len(centers), len(stands)
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    steep = slopes(centers, rotations, halves, origin, beside)
    in_any, chosen, sides = np.zeros(total, np.bool_), np.empty(total + 1, np.int64), []
    for b in range(count):
        center = centers[b] - origin
        first, wide = sectors_of(centers[b], halves[b] + beside, origin, bins)
        last = first + wide
        found = worth_a_look(places, starts[first], starts[min(last, bins)], center, steep[b], chosen, 0)
        if last > bins:
            found = worth_a_look(places, 0, starts[last - bins], center, steep[b], chosen, found)
        half = halves[b, 0], halves[b, 1], halves[b, 2]
        eye = in_axes((-center[0], -center[1], -center[2]), rotations, b)
        floor, floor_points = 0.0, 0
        for k in range(found):
            i = chosen[k]
            x, y, z, away = places[0, i], places[1, i], places[2, i], places[3, i]
            meets = steep[b, 0] * away <= z <= steep[b, 1] * away
            ray = in_axes((x, y, z), rotations, b)
            if (x - center[0]) ** 2 + (y - center[1]) ** 2 > steep[b, 2]:
                column = column_of_beam(eye, ray, half)
                if column > 0:
                    counts[b, column] += 1
                continue
            spot = eye[0] + ray[0], eye[1] + ray[1], eye[2] + ray[2]
            over = spot[2] + half[2]
            if (
                not stands[i]
                and max(abs(spot[0]) - half[0], abs(spot[1]) - half[1]) < beside
                and abs(over) < min(deep, half[2] + beside)
            ):
                floor += over
                floor_points += 1
            if is_inside(spot, half):
                in_any[i] = True
                note_inside(spot, stands[i], b, counts, low, high)
                continue
            # What lies on a face but for noise belongs to the object, and is neither before nor beside it.
            if max(abs(spot[0]) - half[0], abs(spot[1]) - half[1], abs(spot[2]) - half[2]) < NOISE_M:
                continue
            if meets:
                column = column_of_beam(eye, ray, half)
                if column > 0:
                    counts[b, column] += 1
            if stands[i]:
                side = side_of(spot, half, around)
                if side >= 0:
                    sides.append((b, i, side))
        if counts[b, 1] > 0:
            reach[b, :3], reach[b, 3:] = halves[b] - high[b], low[b] + halves[b]
        if floor_points >= ENOUGH:
            ground[b] = -floor / floor_points
    for b, i, side in sides:
        if not in_any[i]:
            counts[b, 4 + side] += 1
