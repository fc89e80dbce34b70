"""Compiled search for the rectangle that points and a guess agree on; fit.py stands in front of it."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def gap_cost(gap, seen, near_m, near_sd, far_m, far_sd):
    """How odd it is that a face lies so far beyond the last point before it."""
    off = (gap - near_m) / near_sd if seen else (gap - far_m) / far_sd
    return min(0.5 * off * off, 4.0)


@njit(cache=True, nogil=True)
def cost_of(points, lidar, faces, turn, guess, doubt, model):
    """How badly a rectangle suits points and guess: minus the logarithm of what both say of it.

    `faces` are low and high along the length, low and high across it, `turn` against the guess. `guess` is
    length, width and turn, `doubt` the standard deviations of place along and across, turn, length and width.
    `model` says how points lie in a thing: how deep below a face that the LiDAR sees and how closely (`skin`,
    `inside`) with the `worth` of that, how near beside it and at what cost at most (`outside`, `lost`), how
    `grazing` a view is in which a face is not seen, how many points count (`most`), and how far a face that
    is seen, or not, lies beyond the last point.
    """
    skin, outside, lost, inside, worth, grazing, most, near_m, near_sd, far_m, far_sd = model
    c, s = np.cos(turn), np.sin(turn)
    length, width = faces[1] - faces[0], faces[3] - faces[2]
    if length < 0.15 or width < 0.15:
        return np.inf
    u0, v0 = 0.5 * (faces[0] + faces[1]), 0.5 * (faces[2] + faces[3])
    # The middle turns with the rectangle, the guess does not.
    x, y = c * u0 - s * v0, s * u0 + c * v0
    total = (x / doubt[0]) ** 2 + (y / doubt[1]) ** 2 + ((turn - guess[2]) / doubt[2]) ** 2
    total += ((length - guess[0]) / doubt[3]) ** 2 + ((width - guess[1]) / doubt[4]) ** 2
    total *= 0.5
    lu, lv = c * lidar[0] + s * lidar[1], c * lidar[1] - s * lidar[0]
    away = np.sqrt(lu * lu + lv * lv) + 1e-6
    seen0, seen1 = (faces[0] - lu) / away > grazing, (lu - faces[1]) / away > grazing
    seen2, seen3 = (faces[2] - lv) / away > grazing, (lv - faces[3]) / away > grazing
    n = points.shape[0]
    told = 0.0
    last = np.array([np.inf, -np.inf, np.inf, -np.inf])
    for i in range(n):
        u, v = c * points[i, 0] + s * points[i, 1], c * points[i, 1] - s * points[i, 0]
        beyond_u = max(faces[0] - u, u - faces[1])
        beyond_v = max(faces[2] - v, v - faces[3])
        if beyond_u > 0 or beyond_v > 0:
            du, dv = max(beyond_u, 0.0), max(beyond_v, 0.0)
            told += min(0.5 * (du * du + dv * dv) / (outside * outside) + worth, lost)
            continue
        near = np.inf
        last[0], last[1] = min(last[0], u), max(last[1], u)
        last[2], last[3] = min(last[2], v), max(last[3], v)
        if seen0:
            near = min(near, abs(u - faces[0] - skin))
        if seen1:
            near = min(near, abs(faces[1] - skin - u))
        if seen2:
            near = min(near, abs(v - faces[2] - skin))
        if seen3:
            near = min(near, abs(faces[3] - skin - v))
        told += worth * (1 - np.exp(-0.5 * (near / inside) ** 2))
    if last[0] < np.inf:
        total += gap_cost(last[0] - faces[0], seen0, near_m, near_sd, far_m, far_sd)
        total += gap_cost(faces[1] - last[1], seen1, near_m, near_sd, far_m, far_sd)
        total += gap_cost(last[2] - faces[2], seen2, near_m, near_sd, far_m, far_sd)
        total += gap_cost(faces[3] - last[3], seen3, near_m, near_sd, far_m, far_sd)
    return total + told * min(n, most) / max(n, 1)


@njit(cache=True, nogil=True)
def search(points, lidar, faces, turn, guess, doubt, model, rounds):
    """The rectangle of least cost near another: a compass search (Hooke and Jeeves, 1961)."""
    best = cost_of(points, lidar, faces, turn, guess, doubt, model)
    step, step_rad = 0.16, 0.5 * doubt[2]
    for _ in range(rounds):
        better = False
        for way in range(7):
            for sign in (-1.0, 1.0):
                tried, tried_turn = faces.copy(), turn
                if way < 4:
                    tried[way] += sign * step
                elif way < 6:
                    tried[2 * (way - 4)] += sign * step
                    tried[2 * (way - 4) + 1] += sign * step
                else:
                    tried_turn += sign * step_rad
                    c, s = np.cos(sign * step_rad), np.sin(sign * step_rad)
                    u, v = 0.5 * (faces[0] + faces[1]), 0.5 * (faces[2] + faces[3])
                    du, dv = c * u + s * v - u, c * v - s * u - v
                    tried[0] += du
                    tried[1] += du
                    tried[2] += dv
                    tried[3] += dv
                cost = cost_of(points, lidar, tried, tried_turn, guess, doubt, model)
                if cost < best - 1e-9:
                    best, turn, better = cost, tried_turn, True
                    faces[:] = tried
        if not better:
            step, step_rad = 0.5 * step, 0.5 * step_rad
            if step < 0.008:
                break
    return best, turn
