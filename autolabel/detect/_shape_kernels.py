"""Compiled measurements of groups of points; shapes.py and clusters.py stand in front of them."""

import numpy as np
from numba import njit

from autolabel._kernels import stride_over


@njit(cache=True, nogil=True, error_model="numpy")
def closeness(xy, yaws, nearest):
    """How close points lie to the sides of rectangles around them, angle by angle (Zhang et al., 2017).

    The angles are in the inner loops, because what is done for each depends on no other one.
    """
    flat, count, turns = xy.reshape(-1), xy.shape[0], yaws.shape[0]
    along_x, along_y = np.empty(2 * turns), np.empty(2 * turns)  # of both axes of each rectangle
    for k in range(turns):
        c, s = np.cos(yaws[k]), np.sin(yaws[k])
        along_x[k], along_y[k], along_x[turns + k], along_y[turns + k] = c, s, -s, c
    low, high = np.full(2 * turns, np.inf), np.full(2 * turns, -np.inf)
    for i in range(count):
        x, y = flat[2 * i], flat[2 * i + 1]
        for k in range(2 * turns):
            a = along_x[k] * x + along_y[k] * y
            low[k], high[k] = min(low[k], a), max(high[k], a)
    scores = np.zeros(turns)
    for i in range(count):
        x, y = flat[2 * i], flat[2 * i + 1]
        for k in range(turns):
            a = along_x[k] * x + along_y[k] * y
            b = along_x[turns + k] * x + along_y[turns + k] * y
            away = min(min(a - low[k], high[k] - a), min(b - low[turns + k], high[turns + k] - b))
            scores[k] += nearest / max(away, nearest)
    return scores / count


@njit(cache=True, nogil=True, error_model="numpy")
def best_yaw(xy, coarse, fine, nearest):
    """The angle in a quarter turn at which the points lie closest to the sides around them."""
    quarter = np.pi / 2
    yaws = np.arange(coarse) * quarter / coarse
    scores = closeness(xy, yaws, nearest)
    middle, step = yaws[np.argmax(scores)], quarter / coarse / fine
    yaws = np.append(yaws[np.argmax(scores)], middle + np.arange(-fine, fine + 1) * step)
    scores = closeness(xy, yaws, nearest)
    return yaws[np.argmax(scores)], scores.max()


@njit(cache=True, nogil=True, error_model="numpy")
def main_axis(xy):
    """The direction in which points are spread most, in a half turn."""
    x, y = xy[:, 0].mean(), xy[:, 1].mean()
    xx = xy_ = yy = 0.0
    for i in range(xy.shape[0]):
        dx, dy = xy[i, 0] - x, xy[i, 1] - y
        xx, xy_, yy = xx + dx * dx, xy_ + dx * dy, yy + dy * dy
    return 0.5 * np.arctan2(2 * xy_, xx - yy)


@njit(cache=True, nogil=True, error_model="numpy")
def occupied_share(a, b, low, high, cells):
    """Which share of the cells of a rectangle hold points, at most `cells` along each side."""
    grid = np.zeros((cells, cells), dtype=np.bool_)
    count = 0
    for i in range(a.shape[0]):
        u = int((a[i] - low[0]) / max(high[0] - low[0], 1e-6) * (cells - 1e-6))
        v = int((b[i] - low[1]) / max(high[1] - low[1], 1e-6) * (cells - 1e-6))
        u, v = min(max(u, 0), cells - 1), min(max(v, 0), cells - 1)
        if not grid[u, v]:
            grid[u, v] = True
            count += 1
    return count / (cells * cells)


@njit(cache=True, nogil=True, error_model="numpy")
def outlines(points, above, order, starts, out):
    """How far each group reaches along x or y, and how high."""
    for g in range(starts.shape[0] - 1):
        low, high, top = np.full(2, np.inf), np.full(2, -np.inf), 0.0
        for i in range(starts[g], starts[g + 1]):
            p = order[i]
            for k in range(2):
                low[k], high[k] = min(low[k], points[p, k]), max(high[k], points[p, k])
            top = max(top, above[p])
        out[g, 0], out[g, 1] = max(high[0] - low[0], high[1] - low[1]), top


@njit(cache=True, nogil=True, error_model="numpy")
def cut(points, above, order, starts, rectangles, step, part):
    """Cuts each group across its longer side where it is lowest, but in the middle half of it."""
    for g in range(starts.shape[0] - 1):
        x, y, yaw, a, b = rectangles[g]
        if b > a:
            yaw, a = yaw + 0.5 * np.pi, b
        c, s = np.cos(yaw), np.sin(yaw)
        tops = np.zeros(int(a / step) + 1)
        for k in range(starts[g], starts[g + 1]):
            p = order[k]
            u = int((c * (points[p, 0] - x) + s * (points[p, 1] - y) + 0.5 * a) / step)
            u = min(max(u, 0), tops.shape[0] - 1)
            tops[u] = max(tops[u], above[p])
        quarter, lowest = tops.shape[0] // 4, tops.shape[0] // 2
        for u in range(quarter, tops.shape[0] - quarter):
            if tops[u] < tops[lowest]:
                lowest = u
        at = (lowest + 0.5) * step - 0.5 * a
        for k in range(starts[g], starts[g + 1]):
            p = order[k]
            part[k] = 2 * g + (c * (points[p, 0] - x) + s * (points[p, 1] - y) > at)


@njit(cache=True, nogil=True, error_model="numpy")
def after_lowest(values, few):
    """The lowest value but for a few lower ones; for a few much faster than to sort them all."""
    lowest = np.full(few + 1, np.inf)
    for value in values:
        if value < lowest[few]:
            k = few
            while k > 0 and lowest[k - 1] > value:
                lowest[k] = lowest[k - 1]
                k -= 1
            lowest[k] = value
    return lowest[few]


@njit(cache=True, nogil=True, error_model="numpy")
def end_height(a, heights, low, high, ahead):
    """How high the last fifth before one end reaches; NaN where too little of it is seen."""
    reach, top, count = 0.2 * (high - low), 0.0, 0
    for i in range(a.shape[0]):
        if (high - a[i] if ahead else a[i] - low) < reach:
            top, count = max(top, heights[i]), count + 1
    return top if count >= 12 else np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def extent_between(a, heights, low, high):
    """How far points at some heights reach along an axis."""
    first, last = np.inf, -np.inf
    for i in range(a.shape[0]):
        if low <= heights[i] < high:
            first, last = min(first, a[i]), max(last, a[i])
    return max(last - first, 0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def measure(points, above, order, starts, most, many, small_m, out):
    """Rectangle, heights and spread of each group of points, told from one in a few where there are many."""
    for g in range(starts.shape[0] - 1):
        everyone = starts[g + 1] - starts[g]
        n, stride = min(everyone, many), stride_over(everyone)
        own = np.empty(n, dtype=np.int64)
        for k in range(n):
            own[k] = order[starts[g] + k * stride % everyone]
        xy, heights = np.empty((n, 2)), np.empty(n)
        middle = points[own[0], :2].astype(np.float64)
        for k in range(n):
            xy[k, 0], xy[k, 1] = points[own[k], 0] - middle[0], points[own[k], 1] - middle[1]
            heights[k] = points[own[k], 2] - above[own[k]]
        # Far away, the ground is taken for higher under things.
        ground = np.partition(heights, n // 5)[n // 5]
        for k in range(n):
            heights[k] = points[own[k], 2] - ground
        wide = max(xy[:, 0].max() - xy[:, 0].min(), xy[:, 1].max() - xy[:, 1].min())
        if wide < small_m:
            yaw, close = main_axis(xy), 0.0
        else:
            yaw, close = best_yaw(xy[:most].copy(), 18, 5, 0.05)
        c, s = np.cos(yaw), np.sin(yaw)
        a, b = c * xy[:, 0] + s * xy[:, 1], c * xy[:, 1] - s * xy[:, 0]
        trim = n // 400
        low = np.array([after_lowest(a, trim), after_lowest(b, trim)])
        high = np.array([-after_lowest(-a, trim), -after_lowest(-b, trim)])
        across, along = 0.5 * (low[0] + high[0]), 0.5 * (low[1] + high[1])
        out[g, 0] = middle[0] + c * across - s * along
        out[g, 1] = middle[1] + s * across + c * along
        out[g, 2] = ground
        out[g, 3], out[g, 4], out[g, 5] = yaw, high[0] - low[0], high[1] - low[1]
        out[g, 6], out[g, 7] = after_lowest(heights, n // 50), -after_lowest(-heights, n // 200)
        out[g, 8], out[g, 9] = everyone, close
        out[g, 10] = occupied_share(a, b, low, high, 8)
        for k in range(4):
            out[g, 11 + k] = 0.0
        for k in range(n):
            out[g, 11 + min(max(int(heights[k] / 0.5), 0), 3)] += 1.0 / n
        for k in range(4):
            out[g, 15 + k] = end_height(a if k < 2 else b, heights, low[k // 2], high[k // 2], k % 2 == 0)
        top = out[g, 7]
        for k in range(4):
            side, low_m, high_m = (a if k < 2 else b), 0.0, 0.35 * top
            if k % 2 == 0:
                low_m, high_m = 0.75 * top, np.inf
            out[g, 19 + k] = extent_between(side, heights, low_m, high_m)
