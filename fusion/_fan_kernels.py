"""The points of a sweep by the direction in which the LiDAR saw them; fan.py stands in front.

A direction is a sector seen from above, and in it a bin of slopes: height over distance, both from the LiDAR.
Points of a range of slopes in one sector follow each other.
"""

import numpy as np
from numba import njit

from fusion._kernels import in_box_of
from fusion.fan import DIRECTIONS, SECTORS, SLOPES

# What is steeper is counted to the first or the last bin.
LOWEST, PER_SLOPE = -0.3, 55.0
SLACK = 1e-6


@njit(cache=True, nogil=True, error_model="numpy")
def bearing_of(x, y):
    """A direction as a number in 0..4 that rises with its angle; without branches."""
    turn = y / max(abs(x) + abs(y), 1e-300)
    return 2.0 - turn if x < 0 else turn if y >= 0 else 4.0 + turn


@njit(cache=True, nogil=True, error_model="numpy")
def between(bearing, middle):
    """From one bearing to another, in -2..2."""
    turn = bearing - middle
    return turn - 4.0 if turn > 2.0 else turn + 4.0 if turn < -2.0 else turn


@njit(cache=True, nogil=True, error_model="numpy")
def slope_bin(slope):
    """The bin of a slope."""
    return min(max(int((slope - LOWEST) * PER_SLOPE) + 1, 0), SLOPES - 1) if slope > LOWEST else 0


@njit(cache=True, nogil=True, error_model="numpy")
def directions_of(points, origin, cells):
    """Number of the direction of each point, -1 where it is not finite; without branches, so vectorised."""
    flat, last = points.reshape(-1), np.float64(SECTORS - 1)
    for i in range(len(cells)):
        x, y, z = flat[3 * i] - origin[0], flat[3 * i + 1] - origin[1], flat[3 * i + 2] - origin[2]
        sector = min(np.floor(bearing_of(x, y) * (SECTORS / 4.0)), last)
        slope = np.floor((z / max(np.sqrt(x * x + y * y), 1e-9) - LOWEST) * PER_SLOPE) + 1.0
        slope = min(max(slope, 0.0), SLOPES - 1.0)
        cells[i] = np.int32(sector * SLOPES + slope if abs(x) + abs(y) + abs(z) < np.inf else -1.0)


@njit(cache=True, nogil=True, error_model="numpy")
def count_directions(cells, starts):
    """Where the points of each direction begin if all with a number are sorted; returns a copy to fill."""
    starts[:] = 0
    for cell in cells:
        if cell >= 0:
            starts[cell + 1] += 1
    for c in range(DIRECTIONS):
        starts[c + 1] += starts[c]
    return starts[:-1].copy()


@njit(cache=True, nogil=True, error_model="numpy")
def sort_by_direction(points, heights, origin, starts, places, above):
    """Copies points and heights by direction; those of bin b of sector s begin at `starts[s * SLOPES + b]`.

    What is not finite is left out, so that what is copied to may not be filled to its end.
    """
    cells = np.empty(len(points), dtype=np.int32)
    directions_of(points, origin, cells)
    fill = count_directions(cells, starts)
    for i in range(len(points)):
        if cells[i] >= 0:
            at = fill[cells[i]]
            fill[cells[i]] += 1
            places[at, 0], places[at, 1], places[at, 2] = points[i, 0], points[i, 1], points[i, 2]
            above[at] = heights[i]


@njit(cache=True, nogil=True, error_model="numpy")
def toward(dx, dy, low, high, c, s, long, wide):
    """Directions in which an upright box is seen: first sector, how many, first and last bin of slopes.

    All coordinates are counted from the LiDAR: `dx`, `dy` is the middle, `low` and `high` the bottom and the
    top; the box reaches `long` to both sides along the heading (`c`, `s`) and `wide` across it. What lies in
    the box has one of these directions.
    """
    ahead, aside = abs(c * dx + s * dy), abs(c * dy - s * dx)
    near = np.hypot(max(ahead - long, 0.0), max(aside - wide, 0.0))
    if near < 0.05:
        return 0, SECTORS, 0, SLOPES - 1
    far = np.hypot(ahead + long, aside + wide)
    first_bin = slope_bin(low / (near if low < 0 else far) - SLACK)
    last_bin = slope_bin(high / (near if high > 0 else far) + SLACK)
    middle = bearing_of(dx, dy)
    left, right = 0.0, 0.0
    for x in (-long, long):
        for y in (-wide, wide):
            turn = between(bearing_of(dx + c * x - s * y, dy + s * x + c * y), middle)
            left, right = max(left, turn), min(right, turn)
    first = int(np.floor((middle + right - SLACK) * (SECTORS / 4.0)))
    last = int(np.floor((middle + left + SLACK) * (SECTORS / 4.0)))
    return first % SECTORS, min(last - first + 1, SECTORS), first_bin, last_bin


@njit(cache=True, nogil=True, error_model="numpy")
def toward_box(offset, rotation, half, below):
    """The same of a box with (3,) half sizes whose axes are turned, `below` more at its bottom."""
    c, s = rotation[0, 0], rotation[1, 0]
    level = np.sqrt(c * c + s * s)
    c, s = (c / level, s / level) if level > 1e-6 else (1.0, 0.0)
    long, wide, high = 0.0, 0.0, 0.0
    for k in range(3):
        long += abs(c * rotation[0, k] + s * rotation[1, k]) * half[k]
        wide += abs(c * rotation[1, k] - s * rotation[0, k]) * half[k]
        high += abs(rotation[2, k]) * half[k]
    return toward(offset[0], offset[1], offset[2] - high - below, offset[2] + high, c, s, long, wide)


@njit(cache=True, nogil=True, error_model="numpy")
def begin_and_end(starts, sector, first_bin, last_bin):
    """Where the points of a range of slopes begin and end in a sector, counted on beyond the last one."""
    row = (sector % SECTORS) * SLOPES
    return starts[row + first_bin], starts[row + last_bin + 1]


@njit(cache=True, nogil=True, error_model="numpy")
def note_close(points, starts, directions, place, far_m2, close):
    """Fills `close` with the numbers of the points of some directions near a place; how many they are.

    directions: as of `toward`.
    far_m2: square of the distance, seen from above.
    close: room for one more than there are points.
    """
    first, sectors, lowest, highest = directions
    x0, y0, count = place[0], place[1], 0
    for sector in range(first, first + sectors):
        begin, end = begin_and_end(starts, sector, lowest, highest)
        for i in range(begin, end):
            dx, dy = points[i, 0] - x0, points[i, 1] - y0
            # Noted always and counted sometimes, for no branch could be foretold.
            close[count] = i
            count += dx * dx + dy * dy < far_m2
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def own_in_boxes(points, starts, origin, rotations, centers, halves, owners, counts):
    """Counts the points in each box, and writes for each point the last box that it is in."""
    for b in range(len(centers)):
        first, sectors, lowest, highest = toward_box(centers[b] - origin, rotations[b], halves[b], 0.0)
        for sector in range(first, first + sectors):
            begin, end = begin_and_end(starts, sector, lowest, highest)
            for i in range(begin, end):
                if in_box_of(points[i, 0], points[i, 1], points[i, 2], rotations, centers, halves, b):
                    owners[i] = b
                    counts[b] += 1
