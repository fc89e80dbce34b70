"""Aligning the points near boxes to what is known of the objects' surfaces."""

import numpy as np
from numba import njit

from autolabel.points._gather_kernels import gather
from autolabel.points._shape_kernels import add_points, cell_of
from autolabel.smoother._kernels import cholesky, solve_cholesky

SLACK_M, OUTSIDE_M, NEAR_FACE_M = 0.08, 0.15, 0.25
SMALL_M = 0.6
# x, y, z and yaw; see `autolabel.smoother._kernels`.
POSE = (0,) * 4


@njit(cache=True, nogil=True, error_model="numpy")
def is_hidden(place, half, ahead, aside):
    """Whether a place near an upright face of a box lies on a face that looks away from the LiDAR."""
    if half[0] < SMALL_M:
        return False
    x, y = place[0], place[1]
    if half[0] - abs(x) < NEAR_FACE_M and half[0] - abs(x) < half[1] - abs(y):
        return np.sign(x) * ahead < half[0] - 0.3
    if half[1] - abs(y) < NEAR_FACE_M:
        return np.sign(y) * aside < half[1] - 0.3
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def beyond_face(place, reach, robust):
    """How much a point of the object that lies outside of its box counts, and how far out it is."""
    beyond = abs(place) - reach
    near = robust / (robust + (beyond / OUTSIDE_M) ** 2)
    return near * near / OUTSIDE_M**2, beyond * np.sign(place)


@njit(cache=True, nogil=True)
def in_box(point, pose, c, s):
    """A point in the axes of the box at a pose, whose heading has the cosine c and the sine s."""
    dx, dy = point[0] - pose[0], point[1] - pose[1]
    return c * dx + s * dy, c * dy - s * dx, point[2] - pose[2]


@njit(cache=True, nogil=True, error_model="numpy")
def build_normal(found, kept, pose, half, origin, shape, robust, hessian, gradient):
    """Robust normal equations of (x, y, z in the box's axes, yaw) at a pose; also how well points fit.

    Returns the sum over the points of how well each fits, from 0 to 1.
    """
    dims, low, cell_m, means, infos, nearest = shape
    c, s = np.cos(pose[3]), np.sin(pose[3])
    ahead = c * (origin[0] - pose[0]) + s * (origin[1] - pose[1])
    aside = c * (origin[1] - pose[1]) - s * (origin[0] - pose[0])
    long, wide = half[0] + SLACK_M, half[1] + SLACK_M
    total = gx = gy = gz = gt = xx = xy = xz = yy = yz = zz = xt = yt = zt = tt = 0.0
    for i in range(kept):
        x, y, z = in_box(found[i], pose, c, s)
        cell = cell_of(x, y, z, dims, low, cell_m)
        if cell < 0:
            continue
        # A point of the object does not lie outside of its box.
        if abs(z) < half[2]:
            if abs(x) > long:
                w, beyond = beyond_face(x, long, robust)
                gx, gt = gx + w * beyond, gt - w * beyond * y
                xx, xt, tt = xx + w, xt - w * y, tt + w * y * y
            if abs(y) > wide:
                w, beyond = beyond_face(y, wide, robust)
                gy, gt = gy + w * beyond, gt + w * beyond * x
                yy, yt, tt = yy + w, yt + w * x, tt + w * x * x
        cell = nearest[cell]
        if cell < 0 or is_hidden(means[cell], half, ahead, aside):
            continue
        ex, ey, ez = x - means[cell, 0], y - means[cell, 1], z - means[cell, 2]
        a, b, d = infos[cell, 0], infos[cell, 1], infos[cell, 2]
        e, f, g = infos[cell, 3], infos[cell, 4], infos[cell, 5]
        px, py, pz = a * ex + b * ey + d * ez, b * ex + e * ey + f * ez, d * ex + f * ey + g * ez
        near = robust / (robust + ex * px + ey * py + ez * pz)
        w = near * near
        total += w
        # Derivatives of the error: minus the shift, minus yaw times (-y, x, 0).
        gx, gy, gz, gt = gx + w * px, gy + w * py, gz + w * pz, gt + w * (x * py - y * px)
        xx, xy, xz = xx + w * a, xy + w * b, xz + w * d
        yy, yz, zz = yy + w * e, yz + w * f, zz + w * g
        xt, yt, zt = xt + w * (x * b - y * a), yt + w * (x * e - y * b), zt + w * (x * f - y * d)
        tt += w * (x * x * e - 2 * x * y * b + y * y * a)
    rows = ((xx, xy, xz, xt), (xy, yy, yz, yt), (xz, yz, zz, zt), (xt, yt, zt, tt))
    for i, row in enumerate(rows):
        hessian[i, 0], hessian[i, 1], hessian[i, 2], hessian[i, 3] = row
    gradient[0], gradient[1], gradient[2], gradient[3] = gx, gy, gz, gt
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def fit_at(found, kept, pose, half, origin, shape, robust):
    """Sum over the points of how well each fits, from 0 to 1, at a pose."""
    dims, low, cell_m, means, infos, nearest = shape
    c, s = np.cos(pose[3]), np.sin(pose[3])
    ahead = c * (origin[0] - pose[0]) + s * (origin[1] - pose[1])
    aside = c * (origin[1] - pose[1]) - s * (origin[0] - pose[0])
    total = 0.0
    for i in range(kept):
        x, y, z = in_box(found[i], pose, c, s)
        cell = cell_of(x, y, z, dims, low, cell_m)
        if cell < 0 or nearest[cell] < 0 or is_hidden(means[nearest[cell]], half, ahead, aside):
            continue
        total += (robust / (robust + off_surface(x, y, z, nearest[cell], means, infos))) ** 2
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def off_surface(x, y, z, cell, means, infos):
    """Squared deviation of a place from the surface in a cell."""
    ex, ey, ez = x - means[cell, 0], y - means[cell, 1], z - means[cell, 2]
    off = infos[cell, 0] * ex * ex + infos[cell, 3] * ey * ey + infos[cell, 5] * ez * ez
    return off + 2 * (infos[cell, 1] * ex * ey + infos[cell, 2] * ex * ez + infos[cell, 4] * ey * ez)


@njit(cache=True, nogil=True)
def align(found, kept, pose, half, origin, shape, rounds, height_weight, yaw_weight, hessian):
    """Moves `pose` (x, y, z, yaw) to where the points fit best; the sum of fits, and `hessian` in box axes.

    Levenberg and Marquardt on a robust cost (Geman and McClure) whose scale shrinks from round to round.
    """
    gradient, step, a = np.empty(4), np.empty(4), np.empty((4, 4))
    height, yaw = pose[2], pose[3]
    damping = np.array([1.0, 1.0, 0.0, 0.5])
    for round in range(rounds):
        robust = max(36.0 * 0.6**round, 6.0)
        build_normal(found, kept, pose, half, origin, shape, robust, hessian, gradient)
        a[:] = hessian
        for i in range(4):
            a[i, i] += damping[i] + 1e-6 + 0.01 * a[i, i]
        a[2, 2] += height_weight
        gradient[2] += height_weight * (height - pose[2])
        a[3, 3] += yaw_weight
        gradient[3] += yaw_weight * (yaw - pose[3])
        cholesky(a, POSE)
        step[:] = gradient
        solve_cholesky(a, step, POSE)
        long = np.sqrt(step[0] ** 2 + step[1] ** 2)
        if long > 0.5:
            step *= 0.5 / long
        c, s = np.cos(pose[3]), np.sin(pose[3])
        pose[0] += c * step[0] - s * step[1]
        pose[1] += s * step[0] + c * step[1]
        pose[2] += step[2]
        pose[3] += min(max(step[3], -0.1), 0.1)
        if round > 3 and long < 1e-3 and abs(step[3]) < 1e-4:
            break
    return build_normal(found, kept, pose, half, origin, shape, 6.0, hessian, gradient)


@njit(cache=True, nogil=True, error_model="numpy")
def judge(found, kept, pose, half, shape):
    """How many of the points lie in the box, and how many of these fit."""
    dims, low, cell_m, means, infos, nearest = shape
    c, s = np.cos(pose[3]), np.sin(pose[3])
    inside, fit = 0, 0.0
    for i in range(kept):
        x, y, z = in_box(found[i], pose, c, s)
        if abs(x) > half[0] + 0.1 or abs(y) > half[1] + 0.1 or abs(z) > half[2] + 0.15:
            continue
        inside += 1
        cell = cell_of(x, y, z, dims, low, cell_m)
        if cell < 0 or nearest[cell] < 0:
            continue
        fit += (6.0 / (6.0 + off_surface(x, y, z, nearest[cell], means, infos))) ** 2
    return inside, fit


@njit(cache=True, nogil=True)
def pick(shapes, k):
    """The surface of object k among those of all."""
    dims, lows, cells_m, starts, means, infos, nearest = shapes
    a, b = starts[k], starts[k + 1]
    return dims[k], lows[k], cells_m[k], means[a:b], infos[a:b], nearest[a:b]


@njit(cache=True, nogil=True)
def align_all(points, fan, poses, moves, halves, spreads, active, rivals, shapes, settings, out, infos, fits):
    """Aligns every active object of one frame, looking further where its place is less sure.

    Kernels fill their last arguments.

        poses: (K, 4) where each should be: x, y, z, yaw.
        moves: (K, 4) see `gather`.
        spreads: (K, 2) deviations of that along and across the heading, metres.
        rivals: (K, n) other objects nearby, filled up with -1.
        settings: (K, 4) weight of the height, weight of the yaw, margin of the gathering, most points.
        out: (K, 4) aligned poses.
        infos: (K, 4, 4) information in the axes of the box.
        fits: (K, 5) sum of fits, points in the box, fits in the box, points nearby before and after thinning.
    """
    most = int(settings[:, 3].max()) if len(settings) else 1
    found, trial, best = np.empty((most, 3)), np.empty(4), np.empty(4)
    for k in range(len(poses)):
        out[k], infos[k], fits[k] = poses[k], 0.0, 0.0
        if not active[k]:
            continue
        shape = pick(shapes, k)
        wide_m = settings[k, 2] + min(2.0 * spreads[k].max(), 3.0)
        buffer = found[: int(settings[k, 3])]
        kept, count = gather(
            points, fan, poses[k], moves[k], halves[k], wide_m, 0.3, rivals[k], 0.0, poses, halves, buffer
        )
        if kept < 2:
            continue
        along, across = int(2.0 * spreads[k, 0] / 0.35), int(2.0 * spreads[k, 1] / 0.35)
        along, across = min(along, 9), min(across, 9)
        best[:], most_fit = poses[k], -1.0
        c, s = np.cos(poses[k, 3]), np.sin(poses[k, 3])
        if along + across > 0:
            for i in range(-along, along + 1):
                for j in range(-across, across + 1):
                    trial[:] = poses[k]
                    trial[0] += 0.35 * (c * i - s * j)
                    trial[1] += 0.35 * (s * i + c * j)
                    fit = fit_at(buffer, kept, trial, halves[k], fan[2], shape, 12.0)
                    nearness = (0.35 * i / max(spreads[k, 0], 0.1)) ** 2 + (
                        0.35 * j / max(spreads[k, 1], 0.1)
                    ) ** 2
                    fit *= np.exp(-0.05 * nearness)
                    if fit > most_fit:
                        most_fit = fit
                        best[:] = trial
        out[k] = best
        fits[k, 0] = align(
            buffer, kept, out[k], halves[k], fan[2], shape, 12, settings[k, 0], settings[k, 1], infos[k]
        )
        inside, fit = judge(buffer, kept, out[k], halves[k], shape)
        fits[k, 1], fits[k, 2], fits[k, 3], fits[k, 4] = inside, fit, count, kept


@njit(cache=True, nogil=True)
def add_all(points, fan, poses, moves, halves, wanted, most, side_m, weight, sums, counts, shapes):
    """Adds to the surfaces of some objects the points of a frame that lie in their boxes."""
    found, none = np.empty((400, 3)), np.empty(0, dtype=np.int64)
    dims, lows, cells_m, starts, _, _, _ = shapes
    for k in wanted:
        kept, counts[k] = gather(
            points,
            fan,
            poses[k],
            moves[k],
            halves[k],
            side_m,
            0.1,
            none,
            0.0,
            poses,
            halves,
            found[: most[k]],
        )
        a, b = starts[k], starts[k + 1]
        add_points(found, kept, poses[k], halves[k], side_m, weight, sums[a:b], dims[k], lows[k], cells_m[k])


@njit(cache=True, nogil=True)
def count_fits(points, fan, which, poses, halves, shapes, fits):
    """How many of the points in the boxes of some objects fit their surfaces."""
    found, still, nobody = np.empty((400, 3)), np.zeros(4), np.empty(0, dtype=np.int64)
    for k in which:
        kept, count = gather(
            points, fan, poses[k], still, halves[k], 0.1, 0.15, nobody, 0.0, poses, halves, found
        )
        _, fit = judge(found, kept, poses[k], halves[k], pick(shapes, k))
        fits[k] = fit * count / max(kept, 1)
