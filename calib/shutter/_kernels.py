"""Compiled loops of the shutter; calib/shutter/project.py stands in front of them.

Points go through in blocks, as in calib/cameras/_kernels.py; those of a block that are still looked for are
kept together at its front. They share these bundles:

- `motion`: instant of the first pose, length of a step, and for each step the pose (3, 4) at its begin and
  what is added to it until its end;
- `lens`: the row of parameters of the model, the instants of the first and the last border, and the instant
  of pixel (0, 0) with what a pixel to the right and one down add to it;
- `view`: the seven arrays that a look fills: places in the camera's frame, pixels, depths, on the image.

`late` is how much later than looked at the row on which a point falls is exposed.
"""

import math

import numpy as np
from numba import njit

from calib.cameras._kernels import BLOCK, HEIGHT, WIDTH, see

# One row sees a point where its image moves along with the readout, but at most half as fast, or against it.
STEEPEST, FLATTEST = -4.0, -0.5
ROUNDS, CLOSE_NS = 8, 100.0
SAMPLES, SEARCH_ROUNDS, TOLERANCE_NS = 33, 40, 1.0


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def mixed(matrix, change, share, k, x, y, z):
    """One coordinate of a point in a frame on its way from one pose to the next."""
    a, b = matrix[k, 0] + share * change[k, 0], matrix[k, 1] + share * change[k, 1]
    c, d = matrix[k, 2] + share * change[k, 2], matrix[k, 3] + share * change[k, 3]
    return a * x + b * y + c * z + d


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def look(points, velocities, lane, times_ns, count, motion, row, view):
    """Sees some points, each at its own instant; between two poses their images are mixed.

    Beyond the poses the first and the last step go on. One velocity serves all points, or each has its own.
    """
    first_ns, step_ns, steps = motion
    x, y, z, u, v, depth, seen = view
    last, shared = steps.shape[0] - 1, velocities.shape[0] == 1
    for k in range(count):
        i, at, seconds = lane[k], (times_ns[k] - first_ns) / step_ns, 1e-9 * times_ns[k]
        n, m = min(int(at), last) if at > 0 else 0, 0 if shared else i
        p = points[i, 0] + seconds * velocities[m, 0]
        q = points[i, 1] + seconds * velocities[m, 1]
        w = points[i, 2] + seconds * velocities[m, 2]
        x[k] = mixed(steps[n, 0], steps[n, 1], at - n, 0, p, q, w)
        y[k] = mixed(steps[n, 0], steps[n, 1], at - n, 1, p, q, w)
        z[k] = mixed(steps[n, 0], steps[n, 1], at - n, 2, p, q, w)
    see(x, y, z, count, np.eye(3), np.zeros(3), row, u, v, depth, seen)


@njit(cache=True, nogil=True, error_model="numpy")
def keep(i, time_ns, u, v, depth, row, uv_out, depth_out, row_ns_out, visible_out):
    """What is found of a point."""
    uv_out[i, 0], uv_out[i, 1], depth_out[i], row_ns_out[i] = u, v, depth, np.int64(round(time_ns))
    right, bottom = row[WIDTH] - 0.5, row[HEIGHT] - 0.5
    visible_out[i] = (u >= -0.5) & (u < right) & (v >= -0.5) & (v < bottom)


@njit(cache=True, nogil=True, error_model="numpy")
def begin(lane, times_ns, count, lens, view, before, outputs):
    """After the look at the middle of the readout: the others are to be looked at when their row is exposed.

    That, or the nearer end. Returns how many these are.
    """
    row, first_ns, last_ns, offsets = lens
    was_ns, was_late, was_u, was_v, was_depth = before
    _, _, _, u, v, depth, _ = view
    left = 0
    for k in range(count):
        i, late = lane[k], offsets[0] + offsets[1] * u[k] + offsets[2] * v[k]
        if abs(late) <= TOLERANCE_NS or first_ns == last_ns:
            keep(i, 0.0, u[k], v[k], depth[k], row, *outputs)
            continue
        was_ns[left], was_late[left], lane[left] = 0.0, late, i
        was_u[left], was_v[left], was_depth[left] = u[k], v[k], depth[k]
        times_ns[left] = min(max(late, first_ns), last_ns) if late == late else first_ns
        left += 1
    return left


@njit(cache=True, nogil=True, error_model="numpy")
def approach(lane, times_ns, count, lens, view, before, outputs, doubtful, doubts):
    """After another look: a step of the secant method for each point, or, close to its row, the last one.

    That is done in pixels, along the line from look to look. Where the image does not keep still enough, it
    is doubtful whether this leads anywhere. Returns how many are left and how many are doubtful.
    """
    row, first_ns, last_ns, offsets = lens
    was_ns, was_late, was_u, was_v, was_depth = before
    _, _, _, u, v, depth, _ = view
    left = 0
    for k in range(count):
        i, t = lane[k], times_ns[k]
        late = offsets[0] + offsets[1] * u[k] + offsets[2] * v[k] - t
        slope = (late - was_late[k]) / (t - was_ns[k])
        share = -late / (late - was_late[k])
        if not STEEPEST < slope < FLATTEST:
            doubtful[doubts] = i
            doubts += 1
        elif abs(late) <= CLOSE_NS:
            u_now, v_now = u[k] + share * (u[k] - was_u[k]), v[k] + share * (v[k] - was_v[k])
            depth_now = depth[k] + share * (depth[k] - was_depth[k])
            keep(i, t + share * (t - was_ns[k]), u_now, v_now, depth_now, row, *outputs)
        elif (late > 0 and t == last_ns) or (late < 0 and t == first_ns):
            keep(i, t, u[k], v[k], depth[k], row, *outputs)
        else:
            moved = min(max(t + share * (t - was_ns[k]), first_ns), last_ns)
            was_ns[left], was_late[left], lane[left], times_ns[left] = t, late, i, moved
            was_u[left], was_v[left], was_depth[left] = u[k], v[k], depth[k]
            left += 1
    return left, doubts


@njit(cache=True, nogil=True, error_model="numpy")
def bracket(i, samples, points, velocities, motion, lens, view, lane, times_ns, outputs):
    """Looks at one point at many instants and keeps what is seen at the nearer end.

    Returns the first two between which its row is read, with how late it is there, and whether it is always
    in front of the lens.
    """
    row, first_ns, last_ns, offsets = lens
    _, _, _, u, v, depth, _ = view
    for k in range(samples):
        lane[k], times_ns[k] = i, first_ns + k * (last_ns - first_ns) / (samples - 1)
    look(points, velocities, lane, times_ns, samples, motion, row, view)
    pair, ahead, before = (math.nan, math.nan, math.nan, math.nan), True, math.nan
    for k in range(samples):
        late = offsets[0] + offsets[1] * u[k] + offsets[2] * v[k] - times_ns[k]
        ahead = ahead and late == late
        if late * before <= 0 and pair[0] != pair[0]:
            pair = (times_ns[k - 1], before, times_ns[k], late)
        before = late
    end = samples - 1 if before > 0 else 0
    keep(i, times_ns[end], u[end], v[end], depth[end], row, *outputs)
    return pair, ahead


@njit(cache=True, nogil=True, error_model="numpy")
def close_in(i, pair, points, velocities, motion, lens, view, lane, times_ns, outputs):
    """Regula falsi between two instants with Illinois' step (Dowell and Jarratt, 1971)."""
    row, _, _, offsets = lens
    _, _, _, u, v, depth, _ = view
    a, late_a, b, late_b = pair
    lane[0] = i
    for _ in range(SEARCH_ROUNDS):
        t = b - late_b * (b - a) / (late_b - late_a) if late_b != late_a else b
        times_ns[0] = t
        look(points, velocities, lane, times_ns, 1, motion, row, view)
        late = offsets[0] + offsets[1] * u[0] + offsets[2] * v[0] - t
        if abs(late) <= TOLERANCE_NS:
            keep(i, t, u[0], v[0], depth[0], row, *outputs)
            break
        same = (late > 0) == (late_b > 0)
        a, late_a = (a, 0.5 * late_a) if same else (b, late_b)
        b, late_b = t, late


@njit(cache=True, nogil=True, error_model="numpy")
def search(i, may_be_seen, points, velocities, motion, lens, view, lane, times_ns, outputs):
    """Looks for one point between the ends; where it is not in front of the lens there, at many instants."""
    pair, ahead = bracket(i, 2, points, velocities, motion, lens, view, lane, times_ns, outputs)
    if may_be_seen and not ahead:
        pair, _ = bracket(i, SAMPLES, points, velocities, motion, lens, view, lane, times_ns, outputs)
    outputs[3][i] = False
    if may_be_seen and pair[0] == pair[0]:
        close_in(i, pair, points, velocities, motion, lens, view, lane, times_ns, outputs)


@njit(cache=True, nogil=True, error_model="numpy")
def expose(points, velocities, motion, lens, cone, outputs):
    """Where all points are seen when their rows are exposed: pixels, depths, instants, whether on the image.

    A doubtful point is searched for where it lies in the cone that holds whatever may be visible.
    """
    lane, doubtful, times_ns = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64), np.empty(BLOCK)
    x, y, z, u, v = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    depth, seen = np.empty(BLOCK), np.empty(BLOCK)
    was_ns, was_late, was_u = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    was_v, was_depth = np.empty(BLOCK), np.empty(BLOCK)
    view, before = (x, y, z, u, v, depth, seen), (was_ns, was_late, was_u, was_v, was_depth)
    for start in range(0, points.shape[0], BLOCK):
        count, doubts = min(BLOCK, points.shape[0] - start), 0
        for k in range(count):
            lane[k], times_ns[k] = start + k, 0.0
        look(points, velocities, lane, times_ns, count, motion, lens[0], view)
        count = begin(lane, times_ns, count, lens, view, before, outputs)
        for _ in range(ROUNDS):
            if count > 0:
                look(points, velocities, lane, times_ns, count, motion, lens[0], view)
                count, doubts = approach(lane, times_ns, count, lens, view, before, outputs, doubtful, doubts)
        for k in range(count):
            doubtful[doubts + k] = lane[k]
        for k in range(doubts + count):
            i = doubtful[k]
            may_be_seen = in_cone(points[i, 0], points[i, 1], points[i, 2], cone[0], cone[1], cone[2])
            search(i, may_be_seen, points, velocities, motion, lens, view, lane, times_ns, outputs)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def in_cone(a, b, c, matrix, back_m, cosine):
    """Whether a point lies in a cone about the camera's axis, its tip `back_m` behind."""
    x = matrix[0, 0] * a + matrix[0, 1] * b + matrix[0, 2] * c + matrix[0, 3]
    y = matrix[1, 0] * a + matrix[1, 1] * b + matrix[1, 2] * c + matrix[1, 3]
    z = matrix[2, 0] * a + matrix[2, 1] * b + matrix[2, 2] * c + matrix[2, 3] + back_m
    return z >= cosine * math.sqrt(x * x + y * y + z * z)


@njit(cache=True, nogil=True, error_model="numpy")
def gather(points, matrix, back_m, cosine, index, near):
    """The points in a cone and their indices, to the front of the outputs; returns how many these are."""
    place, one, two = np.uint64(0), np.uint64(1), np.uint64(2)
    for i in range(np.uint64(points.shape[0])):
        a, b, c = np.float64(points[i, 0]), np.float64(points[i, one]), np.float64(points[i, two])
        if in_cone(a, b, c, matrix, back_m, cosine):
            index[place], near[place, 0], near[place, one], near[place, two] = i, a, b, c
            place += one
    return np.int64(place)


@njit(cache=True, nogil=True, error_model="numpy")
def only_visible(index, uv, depth, row_ns, visible):
    """Moves what is visible to the front, in place; returns how much it is."""
    count = 0
    for k in range(visible.shape[0]):
        if visible[k]:
            index[count], depth[count], row_ns[count] = index[k], depth[k], row_ns[k]
            uv[count, 0], uv[count, 1] = uv[k, 0], uv[k, 1]
            count += 1
    return count
