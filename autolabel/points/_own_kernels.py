"""One object along its path: its points in each frame, aligned to its surface, and the rays at its box."""

import numpy as np
from numba import njit

from autolabel._kernels import stride_over
from autolabel.points._gather_kernels import HARDLY_M, gather, in_reach, points_near, take_along, thinned
from autolabel.points._kernels import align, judge, pick
from autolabel.points._ray_kernels import SKIN_M, count_rays
from autolabel.points._shape_kernels import add_points

UP_M, SURFACE_UP_M = 0.3, 0.1
# A LiDAR that lies so near to a box has it all around.
AROUND_M = 0.05


@njit(cache=True, nogil=True)
def look(points, fan, row, poses, moves, half, margins_m, weights, asked, near, counts, crossed, grid, sums):
    """Gathers the points of one row of the path, and adds those in the box to the surface of the object.

    poses: (R, 4) x, y, z, yaw.
    moves: (R, 4) see `gather`.
    margins_m: around the box: of what is gathered, and of what is added.
    weights: (R,) of the points; rows without one are not added.
    asked: whether rows without a weight are gathered too, and whether rays are counted.
    near: (R, most, 3) room for the gathered points.
    counts: (R, 2) how many were near before and after thinning.
    crossed: (R, 2) rays that end in the box, and that go through it; none where the LiDAR is in it.
    grid: cells along each axis, lowest corner and size of a cell of the surface, whose `sums` grow.
    """
    nobody, nowhere, sizes = np.empty(0, dtype=np.int64), poses[:0], half.reshape(1, 3)[:0]
    at, move = poses[row], moves[row]
    c, s, eye = np.cos(at[3]), np.sin(at[3]), fan[2]
    dx, dy = eye[0] - at[0], eye[1] - at[1]
    # Rays that begin in a box do not say whether it is there.
    if asked[1] and not in_reach(dx, dy, 0.0, c, s, half, SKIN_M, 0.0):
        ended, through, _ = count_rays(points, fan, at, half, nobody, nowhere, sizes)
        crossed[row, 0], crossed[row, 1] = ended, through
    if not (asked[0] or weights[row] > 0):
        return
    there, count = points_near(points, fan, at, move, half, margins_m[0], UP_M, nobody, 0.0, nowhere, sizes)
    kept = thinned_in_order(there, count, near[row])
    take_along(fan, move, near[row], kept)
    counts[row, 0], counts[row, 1] = count, kept
    if weights[row] > 0:
        inner, side_m = np.empty((near.shape[1], 3)), margins_m[1]
        around = margins_m[0] + move[3] + AROUND_M
        if move[3] > HARDLY_M or in_reach(dx, dy, 0.0, c, s, half, around, 0.0):
            # Which points count, or their order, does not follow from those near.
            kept, _ = gather(
                points, fan, at, move, half, side_m, SURFACE_UP_M, nobody, 0.0, nowhere, sizes, inner
            )
        else:
            kept = thinned(there, keep_inner(there, count, at, half, side_m + move[3]), inner)
            take_along(fan, move, inner, kept)
        dims, low, cell_m = grid
        add_points(inner, kept, at, half, side_m, weights[row], sums, dims, low, cell_m)


@njit(cache=True, nogil=True, error_model="numpy")
def thinned_in_order(there, count, found):
    """The places of `thinned`, in the order they had: neighbours lie in the same cells of a surface."""
    most, stride, kept = len(found), stride_over(count), 0
    chosen = np.full(count, count <= most)
    for k in range(most if count > most else 0):
        chosen[k * stride % count] = True
    for i in range(count):
        if chosen[i]:
            found[kept, 0], found[kept, 1], found[kept, 2] = there[i, 0], there[i, 1], there[i, 2]
            kept += 1
    return kept


@njit(cache=True, nogil=True, error_model="numpy")
def keep_inner(there, count, pose, half, side_m):
    """Moves to the front those of some points that lie nearer to a box; how many."""
    c, s = np.cos(pose[3]), np.sin(pose[3])
    inner = 0
    for i in range(count):
        x, y, z = there[i, 0], there[i, 1], there[i, 2]
        if in_reach(x - pose[0], y - pose[1], z - pose[2], c, s, half, side_m, SURFACE_UP_M):
            there[inner, 0], there[inner, 1], there[inner, 2] = x, y, z
            inner += 1
    return inner


@njit(cache=True, nogil=True)
def align_rows(near, counts, poses, half, origins, rounds, shapes, weights, hessians, fits):
    """Aligns `poses` (R, 4) to the surface of the one object, and fills what `align_all` tells.

    near: (R, most, 3) points, see `look`.
    origins: (R, 4) where the LiDAR was.
    rounds: (R,) at most; with 0 a pose stays.
    weights: of the height and of the yaw.
    hessians: (R, 4, 4) information in the axes of the box.
    fits: (R, 5) sum of fits, points in the box, fits in the box, points nearby before and after thinning.
    """
    shape = pick(shapes, 0)
    for row in range(len(poses)):
        count, kept = counts[row]
        if kept < 2:
            continue
        found, at = near[row], poses[row]
        if rounds[row] > 0:
            fits[row, 0] = align(
                found,
                kept,
                at,
                half,
                origins[row],
                shape,
                rounds[row],
                weights[0],
                weights[1],
                hessians[row],
            )
        inside, fit = judge(found, kept, at, half, shape)
        fits[row, 1], fits[row, 2], fits[row, 3], fits[row, 4] = inside, fit, count, kept
