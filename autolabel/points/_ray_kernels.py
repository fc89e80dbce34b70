"""What the rays of a scan say of boxes: they end in them, go through them, or end before."""

import numpy as np
from numba import njit

from autolabel.points._gather_kernels import in_reach
from fusion._fan_kernels import begin_and_end, toward

CORE, SKIN_M = 0.6, 0.1


@njit(cache=True, nogil=True, error_model="numpy")
def meets(start, ray, half, low, high):
    """Where along a ray it enters and leaves the part of a box between two heights."""
    near, far = 0.0, 1e9
    bounds = ((-half[0], half[0]), (-half[1], half[1]), (low, high))
    for axis in range(3):
        a, b = bounds[axis]
        if abs(ray[axis]) < 1e-9:
            if start[axis] < a or start[axis] > b:
                return 2e9, 0.0
            continue
        per_ray = 1 / ray[axis]
        enter, leave = (a - start[axis]) * per_ray, (b - start[axis]) * per_ray
        near, far = max(near, min(enter, leave)), min(far, max(enter, leave))
    return near, far


@njit(cache=True, nogil=True, error_model="numpy")
def count_rays(points, fan, pose, half, rivals, rival_poses, halves):
    """How many rays from the LiDAR to points end in a box, go through it and end behind, or end before it.

    Only what goes through the lower middle of the box counts as going through: bonnets, bends and windows
    leave the rest open. What ends in a rival's box that reaches into this one counts for nothing.
    """
    starts, _, origin = fan
    c, s = np.cos(pose[3]), np.sin(pose[3])
    dx, dy = origin[0] - pose[0], origin[1] - pose[1]
    start = c * dx + s * dy, c * dy - s * dx, origin[2] - pose[2]
    long, wide, high = half[0], half[1], half[2]
    ended, through, before = 0, 0, 0
    first, sectors, lowest, highest = toward(
        -dx, -dy, -start[2] - high - SKIN_M, -start[2] + high + SKIN_M, c, s, long + SKIN_M, wide + SKIN_M
    )
    for sector in range(first, first + sectors):
        begin, end = begin_and_end(starts, sector, lowest, highest)
        for i in range(begin, end):
            px, py, pz = points[i, 0] - pose[0], points[i, 1] - pose[1], points[i, 2] - pose[2]
            ahead, aside = c * px + s * py, c * py - s * px
            if abs(ahead) <= long + SKIN_M and abs(aside) <= wide + SKIN_M and abs(pz) <= high + SKIN_M:
                if len(rivals) == 0 or not in_any(points[i], rivals, rival_poses, halves):
                    ended += 1
                continue
            ray = ahead - start[0], aside - start[1], pz - start[2]
            near, far = meets(start, ray, (long, wide), -high, high)
            if near >= far:
                continue
            if near > 1.0:
                before += 1
                continue
            near, far = meets(start, ray, (CORE * long, CORE * wide), -high, -0.1 * high)
            if near < far and far < 1.0:
                through += 1
    return ended, through, before


@njit(cache=True, nogil=True, error_model="numpy")
def in_any(point, rivals, poses, halves):
    """Whether a point lies in the box of one of some rivals, filled up with -1."""
    for r in rivals:
        if r < 0:
            break
        c, s = np.cos(poses[r, 3]), np.sin(poses[r, 3])
        dx, dy, dz = point[0] - poses[r, 0], point[1] - poses[r, 1], point[2] - poses[r, 2]
        if in_reach(dx, dy, dz, c, s, halves[r], 0.1, 0.1):
            return True
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def count_all_rays(points, fan, which, poses, halves, rivals, rival_poses, counts):
    """`count_rays` for some boxes, into (K, 3)."""
    for k in which:
        ended, through, before = count_rays(points, fan, poses[k], halves[k], rivals[k], rival_poses, halves)
        counts[k, 0], counts[k, 1], counts[k, 2] = ended, through, before
