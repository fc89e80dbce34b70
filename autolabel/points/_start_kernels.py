"""How well velocities explain the frames around one in which objects are known."""

import numpy as np
from numba import njit

from autolabel._kernels import stride_over
from autolabel.points._gather_kernels import gather, in_reach, passes_s
from autolabel.points._kernels import fit_at, pick

FEW, MANY = 80, 4000


@njit(cache=True, nogil=True)
def score_velocities(
    points, fan, poses, moves, halves, velocities, span_s, first, asked, expected, shapes, side_m, scores
):
    """Adds to `scores` how well each hypothesis of an object's velocity explains one frame, at most 1.

    poses: (K, 4) where the objects are at the frame they are known in.
    moves: (K, 4) of which when the beam passes the object in this frame.
    velocities: (M, 2) metres a second in the axes of each box; those of object k from `first[k]` on.
    span_s: from there to this frame.
    asked: (K,) which objects.
    expected: (K,) points that each object should have.
    """
    near, found = np.empty((MANY, 3)), np.empty((FEW, 3))
    none, trial, middle = np.empty(0, dtype=np.int64), np.empty(4), np.empty(4)
    for k in range(len(poses)):
        if not asked[k]:
            continue
        c, s = np.cos(poses[k, 3]), np.sin(poses[k, 3])
        own = velocities[first[k] : first[k + 1]]
        room, low, high = halves[k].copy(), np.zeros(2), np.zeros(2)
        for axis in range(2):
            low[axis], high[axis] = span_s * own[:, axis].min(), span_s * own[:, axis].max()
            if low[axis] > high[axis]:
                low[axis], high[axis] = high[axis], low[axis]
            room[axis] += 0.5 * (high[axis] - low[axis])
        x, y = 0.5 * (low[0] + high[0]), 0.5 * (low[1] + high[1])
        middle[0], middle[1] = poses[k, 0] + c * x - s * y, poses[k, 1] + s * x + c * y
        middle[2], middle[3] = poses[k, 2], poses[k, 3]
        still = np.zeros(4)
        kept, count = gather(points, fan, middle, still, room, side_m, 0.2, none, 0.0, poses, halves, near)
        if kept == 0:
            continue
        thinned = count / kept
        late, mine = np.empty(kept), np.empty(kept, dtype=np.int64)
        for i in range(kept):
            late[i] = passes_s(fan[1], fan[2], near[i, 0], near[i, 1]) - moves[k, 2]
        shape = pick(shapes, k)
        for m in range(len(own)):
            vx, vy = c * own[m, 0] - s * own[m, 1], s * own[m, 0] + c * own[m, 1]
            trial[:] = poses[k]
            trial[0] += span_s * vx
            trial[1] += span_s * vy
            inside = 0
            for i in range(kept):
                px, py = near[i, 0] - late[i] * vx, near[i, 1] - late[i] * vy
                if in_reach(
                    px - trial[0], py - trial[1], near[i, 2] - trial[2], c, s, halves[k], side_m, 0.2
                ):
                    mine[inside] = i
                    inside += 1
            used, stride = min(inside, FEW), stride_over(inside)
            for n in range(used):
                i = mine[n * stride % inside]
                found[n, 0], found[n, 1] = near[i, 0] - late[i] * vx, near[i, 1] - late[i] * vy
                found[n, 2] = near[i, 2]
            if used == 0:
                continue
            fit = fit_at(found, used, trial, halves[k], fan[2], shape, 20.0)
            share = min(1.0, thinned * inside / expected[k])
            scores[first[k] + m] += max(1.3 * fit / used - 0.3, 0.0) * share
