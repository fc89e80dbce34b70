"""One object in one frame: its points aligned to its surface, and what the rays say of its box."""

import numpy as np
from numba import njit

from autolabel.points._gather_kernels import gather
from autolabel.points._kernels import align, judge, pick
from autolabel.points._ray_kernels import count_rays

UP_M = 0.3


@njit(cache=True, nogil=True)
def look(points, fan, move, half, shapes, margin_m, weights, rounds, near, pose, hessian, fits, crossed):
    """Aligns `pose` (x, y, z, yaw), and fills what `align_all` and `count_rays` tell; with 0 rounds it stays.

    move: (4,) see `gather`.
    shapes: the surface of the one object.
    weights: of the height and of the yaw.
    near: (most, 3) room for points.
    hessian: (4, 4) information in the axes of the box.
    fits: (5,) sum of fits, points in the box, fits in the box, points nearby before and after thinning.
    crossed: (2,) rays that end in the box as it was handed in, and that go through it.
    """
    nobody, poses, halves = np.empty(0, dtype=np.int64), pose.reshape(1, 4), half.reshape(1, 3)
    ended, through, _ = count_rays(points, fan, pose, half, nobody, poses, halves)
    crossed[0], crossed[1] = ended, through
    kept, count = gather(points, fan, pose, move, half, margin_m, UP_M, nobody, 0.0, poses, halves, near)
    if kept < 2:
        return
    shape = pick(shapes, 0)
    if rounds > 0:
        fits[0] = align(near, kept, pose, half, fan[2], shape, rounds, weights[0], weights[1], hessian)
    inside, fit = judge(near, kept, pose, half, shape)
    fits[1], fits[2], fits[3], fits[4] = inside, fit, count, kept
