"""The points near boxes, found by direction and taken to the instant at which the beam passes the box."""

import numpy as np
from numba import njit

from autolabel._kernels import stride_over
from fusion._fan_kernels import begin_and_end, toward
from fusion._kernels import angle_of

# Shifted by less a point stays where it is; by less than the other it stays in or out of a box.
STILL_M, HARDLY_M = 0.01, 0.1
# The lowest tenth of a box may hold what the ground was not cleared of.
LOWEST = 0.8


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
def gather(points, fan, pose, move, half, side_m, up_m, rivals, own_m, poses, halves, found):
    """Fills `found` with the points near a box, or some spread over all of them; how many, and of how many.

    Those in the grown box count to which no rival has a better claim. `move` is the velocity of the object
    (x, y), when the beam passes its middle, and how far it gets while the beam passes it; points are taken
    to where they were when the beam passed the middle.
    """
    there, count = points_near(points, fan, pose, move, half, side_m, up_m, rivals, own_m, poses, halves)
    kept = thinned(there, count, found)
    take_along(fan, move, found, kept)
    return kept, count


@njit(cache=True, nogil=True, error_model="numpy")
def points_near(points, fan, pose, move, half, side_m, up_m, rivals, own_m, poses, halves):
    """All points of `gather`, and how many; those of what hardly moves stay where they are."""
    starts, beam, origin = fan
    c, s = np.cos(pose[3]), np.sin(pose[3])
    # Copied out of arrays: a compiler cannot know that what is found is not written over them.
    x0, y0, z0, size = pose[0], pose[1], pose[2], (half[0], half[1], half[2])
    vx, vy, passed_s, far_m = move[0], move[1], move[2], move[3]
    bottom, top = z0 - LOWEST * size[2] - origin[2], z0 + size[2] + up_m - origin[2]
    long, wide = size[0] + side_m + far_m, size[1] + side_m + far_m
    first, sectors, low, high = toward(x0 - origin[0], y0 - origin[1], bottom, top, c, s, long, wide)
    most = 0
    for sector in range(first, first + sectors):
        begin, end = begin_and_end(starts, sector, low, high)
        most += end - begin
    there, count = np.empty((most, 3)), 0
    for sector in range(first, first + sectors):
        begin, end = begin_and_end(starts, sector, low, high)
        for i in range(begin, end):
            x, y, z = points[i, 0], points[i, 1], points[i, 2]
            up = z - z0
            if up > size[2] + up_m or up < -LOWEST * size[2]:
                continue
            if not in_reach(x - x0, y - y0, up, c, s, size, side_m + far_m, up_m):
                continue
            if far_m > HARDLY_M:
                late = passes_s(beam, origin, x, y) - passed_s
                x, y = x - late * vx, y - late * vy
                if not in_reach(x - x0, y - y0, up, c, s, size, side_m, up_m):
                    continue
            claimed = len(rivals) and not in_reach(x - x0, y - y0, up, c, s, size, own_m, up_m)
            if claimed and is_taken(x, y, z, rivals, poses, halves):
                continue
            there[count, 0], there[count, 1], there[count, 2] = x, y, z
            count += 1
    return there, count


@njit(cache=True, nogil=True, error_model="numpy")
def take_along(fan, move, found, kept):
    """Takes points of what hardly moves to where they were when the beam passed its middle."""
    if not STILL_M < move[3] <= HARDLY_M:
        return
    _, beam, origin = fan
    for k in range(kept):
        late = passes_s(beam, origin, found[k, 0], found[k, 1]) - move[2]
        found[k, 0] -= late * move[0]
        found[k, 1] -= late * move[1]


@njit(cache=True, nogil=True, error_model="numpy")
def thinned(there, count, found):
    """Fills `found` with some of the first `count` places, spread over all; how many."""
    kept, stride = min(count, len(found)), stride_over(count)
    for k in range(kept):
        i = k * stride % count
        for axis in range(3):
            found[k, axis] = there[i, axis]
    return kept
