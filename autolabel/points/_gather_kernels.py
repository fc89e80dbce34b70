"""The points near boxes, found by place and taken to the instant at which the beam passes the box."""

import numpy as np
from numba import njit

STILL_M = 0.01
# The lowest tenth of a box may hold what the ground was not cleared of.
LOWEST = 0.8


@njit(cache=True, nogil=True)
def bounds(points):
    """Lowest and highest x and y."""
    low, high = np.array([np.inf, np.inf]), np.array([-np.inf, -np.inf])
    for i in range(len(points)):
        for axis in range(2):
            low[axis], high[axis] = min(low[axis], points[i, axis]), max(high[axis], points[i, axis])
    return low, high


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def in_reach(dx, dy, dz, c, s, half, side_m, up_m):
    """Whether an offset from the middle of a box lies in the box grown by two margins."""
    return (
        abs(c * dx + s * dy) <= half[0] + side_m
        and abs(c * dy - s * dx) <= half[1] + side_m
        and abs(dz) <= half[2] + up_m
    )


@njit(cache=True, nogil=True)
def passes_s(beam, origin, place):
    """When in its sweep the beam passes a place, from a table by sectors."""
    if len(beam) == 0:
        return 0.0
    azimuth = (np.arctan2(place[1] - origin[1], place[0] - origin[0]) - origin[3]) / (2 * np.pi)
    return beam[min(int((azimuth - np.floor(azimuth)) * len(beam)), len(beam) - 1)]


@njit(cache=True, nogil=True)
def scan_cells(points, grid, pose, move, half, side_m, up_m, rivals, own_m, poses, halves, skip, found):
    """Counts the points in a grown box that no rival has a better claim to; every `skip`-th into `found`.

    `move` is the velocity of the object (x, y), when the beam passes its middle, and how far it gets while
    the beam passes it; points are taken to where they were when the beam passed the middle.
    """
    corner, per_m, columns, rows, order, starts, beam, origin = grid
    c, s = np.cos(pose[3]), np.sin(pose[3])
    long, wide = half[0] + side_m, half[1] + side_m
    reach_x, reach_y = abs(c) * long + abs(s) * wide + move[3], abs(s) * long + abs(c) * wide + move[3]
    first = max(int((pose[0] - reach_x - corner[0]) * per_m), 0)
    last = min(int((pose[0] + reach_x - corner[0]) * per_m), columns - 1)
    low = max(int((pose[1] - reach_y - corner[1]) * per_m), 0)
    high = min(int((pose[1] + reach_y - corner[1]) * per_m), rows - 1)
    count, kept = 0, 0
    if high < low:
        return count, kept
    for column in range(first, last + 1):
        for k in range(starts[column * rows + low], starts[column * rows + high + 1]):
            i = order[k]
            up = points[i, 2] - pose[2]
            if up > half[2] + up_m or up < -LOWEST * half[2]:
                continue
            late = passes_s(beam, origin, points[i]) - move[2] if move[3] > STILL_M else 0.0
            x, y, z = points[i, 0] - late * move[0], points[i, 1] - late * move[1], points[i, 2]
            if not in_reach(x - pose[0], y - pose[1], z - pose[2], c, s, half, side_m, up_m):
                continue
            if len(rivals) and not in_reach(x - pose[0], y - pose[1], z - pose[2], c, s, half, own_m, up_m):
                taken = False
                for r in rivals:
                    if r < 0:
                        break
                    cr, sr = np.cos(poses[r, 3]), np.sin(poses[r, 3])
                    if in_reach(
                        x - poses[r, 0], y - poses[r, 1], z - poses[r, 2], cr, sr, halves[r], 0.1, 0.2
                    ):
                        taken = True
                        break
                if taken:
                    continue
            if skip > 0 and count % skip == 0 and kept < len(found):
                found[kept, 0], found[kept, 1], found[kept, 2] = x, y, z
                kept += 1
            count += 1
    return count, kept


@njit(cache=True, nogil=True)
def gather(points, grid, pose, move, half, side_m, up_m, rivals, own_m, poses, halves, found):
    """Fills `found` with the points near a box, evenly thinned; how many, and how many there were."""
    count, _ = scan_cells(
        points, grid, pose, move, half, side_m, up_m, rivals, own_m, poses, halves, 0, found
    )
    if count == 0:
        return 0, 0
    skip = (count + len(found) - 1) // len(found)
    _, kept = scan_cells(
        points, grid, pose, move, half, side_m, up_m, rivals, own_m, poses, halves, skip, found
    )
    return kept, count
