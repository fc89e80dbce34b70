"""The points near boxes, found by place and taken to the instant at which the beam passes the box."""

import numpy as np
from numba import njit

from fusion._kernels import angle_of

# Shifted by less a point stays where it is; by less than the other it stays in or out of a box.
STILL_M, HARDLY_M = 0.01, 0.1
# The lowest tenth of a box may hold what the ground was not cleared of.
LOWEST = 0.8


@njit(cache=True, nogil=True, error_model="numpy")
def bounds(points):
    """Lowest and highest x and y."""
    low, high = np.array([np.inf, np.inf]), np.array([-np.inf, -np.inf])
    for i in range(len(points)):
        for axis in range(2):
            low[axis], high[axis] = min(low[axis], points[i, axis]), max(high[axis], points[i, axis])
    return low, high


@njit(cache=True, nogil=True, error_model="numpy")
def sort_by_cell(points, corner, per_m, columns, rows, order, starts):
    """Order of points by the cell of a grid seen from above: those of cell c are `order[starts[c]:...]`."""
    cells = np.empty(len(points), dtype=np.int32)
    starts[:] = 0
    for i in range(len(points)):
        column, row = int((points[i, 0] - corner[0]) * per_m), int((points[i, 1] - corner[1]) * per_m)
        cells[i] = min(max(column, 0), columns - 1) * rows + min(max(row, 0), rows - 1)
        starts[cells[i] + 1] += 1
    for c in range(columns * rows):
        starts[c + 1] += starts[c]
    fill = starts[:-1].copy()
    for i in range(len(points)):
        order[fill[cells[i]]] = i
        fill[cells[i]] += 1


@njit(cache=True, nogil=True, error_model="numpy")
def in_reach(dx, dy, dz, c, s, half, side_m, up_m):
    """Whether an offset from the middle of a box lies in the box grown by two margins."""
    return (
        abs(c * dx + s * dy) <= half[0] + side_m
        and abs(c * dy - s * dx) <= half[1] + side_m
        and abs(dz) <= half[2] + up_m
    )


@njit(cache=True, nogil=True, error_model="numpy")
def passes_s(beam, origin, x, y):
    """When in its sweep the beam passes a place, from a table by sectors."""
    if len(beam) == 0:
        return 0.0
    turn = angle_of(np.float32(y - origin[1]), np.float32(x - origin[0]))
    azimuth = (turn - origin[3]) / (2 * np.pi)
    return beam[min(int((azimuth - np.floor(azimuth)) * len(beam)), len(beam) - 1)]


@njit(cache=True, nogil=True, error_model="numpy")
def is_taken(x, y, z, rivals, poses, halves):
    """Whether a place lies in the box of one of some rivals, filled up with -1."""
    for r in rivals:
        if r < 0:
            break
        c, s = np.cos(poses[r, 3]), np.sin(poses[r, 3])
        if in_reach(x - poses[r, 0], y - poses[r, 1], z - poses[r, 2], c, s, halves[r], 0.1, 0.2):
            return True
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def cells_about(grid, pose, far_x, far_y):
    """First and last column and row of the cells that lie within two distances of a place."""
    corner, per_m, columns, rows = grid[:4]
    return (
        max(int((pose[0] - far_x - corner[0]) * per_m), 0),
        min(int((pose[0] + far_x - corner[0]) * per_m), columns - 1),
        max(int((pose[1] - far_y - corner[1]) * per_m), 0),
        min(int((pose[1] + far_y - corner[1]) * per_m), rows - 1),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def gather(points, grid, pose, move, half, side_m, up_m, rivals, own_m, poses, halves, found):
    """Fills `found` with the points near a box, evenly thinned; how many, and how many there were.

    Those in the grown box count to which no rival has a better claim. `move` is the velocity of the object
    (x, y), when the beam passes its middle, and how far it gets while the beam passes it; points are taken
    to where they were when the beam passed the middle.
    """
    rows, order, starts, beam, origin = grid[3:]
    c, s = np.cos(pose[3]), np.sin(pose[3])
    long, wide = half[0] + side_m, half[1] + side_m
    far_x, far_y = abs(c) * long + abs(s) * wide + move[3], abs(s) * long + abs(c) * wide + move[3]
    first, last, low, high = cells_about(grid, pose, far_x, far_y)
    if high < low or last < first:
        return 0, 0
    most = 0
    for column in range(first, last + 1):
        most += starts[column * rows + high + 1] - starts[column * rows + low]
    there, count = np.empty((most, 3)), 0
    for column in range(first, last + 1):
        for k in range(starts[column * rows + low], starts[column * rows + high + 1]):
            i = order[k]
            x, y, z = points[i, 0], points[i, 1], points[i, 2]
            up = z - pose[2]
            if up > half[2] + up_m or up < -LOWEST * half[2]:
                continue
            if not in_reach(x - pose[0], y - pose[1], up, c, s, half, side_m + move[3], up_m):
                continue
            if move[3] > HARDLY_M:
                late = passes_s(beam, origin, x, y) - move[2]
                x, y = x - late * move[0], y - late * move[1]
                if not in_reach(x - pose[0], y - pose[1], up, c, s, half, side_m, up_m):
                    continue
            claimed = len(rivals) and not in_reach(x - pose[0], y - pose[1], up, c, s, half, own_m, up_m)
            if claimed and is_taken(x, y, z, rivals, poses, halves):
                continue
            there[count, 0], there[count, 1], there[count, 2] = x, y, z
            count += 1
    kept = thinned(there, count, found)
    if STILL_M < move[3] <= HARDLY_M:
        for k in range(kept):
            late = passes_s(beam, origin, found[k, 0], found[k, 1]) - move[2]
            found[k, 0] -= late * move[0]
            found[k, 1] -= late * move[1]
    return kept, count


@njit(cache=True, nogil=True, error_model="numpy")
def thinned(there, count, found):
    """Fills `found` with every so manieth of the first `count` places; how many."""
    if count == 0:
        return 0
    skip = (count + len(found) - 1) // len(found)
    kept = (count + skip - 1) // skip
    for k in range(kept):
        for axis in range(3):
            found[k, axis] = there[k * skip, axis]
    return kept
