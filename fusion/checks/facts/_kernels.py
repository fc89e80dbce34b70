"""Compiled loops over the boxes of a track."""

import numpy as np
from numba import njit

TAU = 2 * np.pi


@njit(cache=True, nogil=True)
def turned(a, b):
    """Angle a against angle b, in -pi..pi."""
    return (a - b + np.pi) % TAU - np.pi


@njit(cache=True, nogil=True)
def fit_way(dt, values, weights, degree, scale):
    """Coefficients of a polynomial about dt = 0, fitted robustly (Cauchy weights, five rounds)."""
    size, width = values.shape
    terms, trust = degree + 1, weights.copy()
    # The normal equations, and on their right what is fitted.
    rows, found = np.empty((terms, terms + width)), np.zeros((terms, width))
    for _ in range(5):
        rows[:] = 0.0
        for k in range(size):
            left = trust[k]
            for a in range(terms):
                product = left
                for b in range(terms):
                    rows[a, b] += product
                    product *= dt[k]
                for c in range(width):
                    rows[a, terms + c] += left * values[k, c]
                left *= dt[k]
        for a in range(terms):
            rows[a, a] += 1e-9
        solve(rows, found)
        for k in range(size):
            far = 0.0
            for c in range(width):
                told = 0.0
                for a in range(terms - 1, -1, -1):
                    told = told * dt[k] + found[a, c]
                far += (values[k, c] - told) ** 2
            trust[k] = weights[k] / (1 + far / (scale * scale))
    return found


@njit(cache=True, nogil=True)
def solve(rows, found):
    """Solves a few equations with a positive definite left side by Gauss's elimination, in place."""
    terms, width = found.shape
    for a in range(terms):
        for b in range(a + 1, terms):
            share = rows[b, a] / rows[a, a]
            for c in range(a, terms + width):
                rows[b, c] -= share * rows[a, c]
    for a in range(terms - 1, -1, -1):
        for c in range(width):
            rest = rows[a, terms + c]
            for b in range(a + 1, terms):
                rest -= rows[a, b] * found[b, c]
            found[a, c] = rest / rows[a, a]


@njit(cache=True, nogil=True)
def follow(starts, times, places, yaws, known, limits, columns, others):
    """Fills the columns of `Motion` row by row."""
    for t in range(starts.shape[0] - 1):
        for i in range(starts[t], starts[t + 1]):
            if known[i]:
                follow_one(i, starts[t], starts[t + 1], times, places, yaws, known, limits, columns, others)


@njit(cache=True, nogil=True)
def follow_one(i, begin, end, times, places, yaws, known, limits, columns, others):
    """One row of it: its neighbours in time, the way through them, and how far it is off that way."""
    window, noise_m, noise_rad, hardest = limits
    near = [k for k in range(begin, end) if k != i and known[k] and abs(times[k] - times[i]) <= window]
    if len(near) < 2:  # far apart: the nearest on either side
        near = [k for k in (i - 1, i + 1) if begin <= k < end and known[k]]
    others[i] = len(near)
    if len(near) == 0:
        return
    size = len(near)
    dt, values, spins = np.empty(size), np.empty((size, 3)), np.empty((size, 1))
    for k in range(size):
        dt[k] = times[near[k]] - times[i]
        values[k] = places[near[k]]
        spins[k, 0] = turned(yaws[near[k]], yaws[i])
    both = dt.min() < 0 < dt.max()
    reach = np.abs(dt).max()
    weights = 1 / (0.1 + np.abs(dt))
    degree = 2 if size >= 6 and both else 1 if size >= 2 else 0
    way = fit_way(dt, values, weights, degree, noise_m)
    nearest = np.abs(dt).min()
    heading = yaws[i]
    own = places[i] - way[0]
    columns[i, 4] = np.cos(heading) * own[0] + np.sin(heading) * own[1]
    columns[i, 5] = -np.sin(heading) * own[0] + np.cos(heading) * own[1]
    columns[i, 6] = own[2]
    # What a car that brakes hard does between the frames that are known.
    unseen = hardest * nearest * nearest / 2 if both else hardest * nearest * max(nearest, reach) / 2
    left = np.empty(size)
    for k in range(size):
        told = way[0].copy()
        for d in range(1, degree + 1):
            told += way[d] * dt[k] ** d
        left[k] = np.sqrt(((values[k] - told) ** 2).sum())
    columns[i, 8] = noise_m + unseen + (1.5 if both else 4.0) * np.median(left)
    spin = fit_way(dt, spins, weights, min(degree, 1), noise_rad)
    if degree > 0:
        columns[i, 0], columns[i, 1] = way[1, 0], way[1, 1]
        speed = np.hypot(way[1, 0], way[1, 1])
        columns[i, 2] = (
            0.0 if degree < 2 or speed < 1e-6 else 2 * (way[2, 0] * way[1, 0] + way[2, 1] * way[1, 1]) / speed
        )
        columns[i, 3] = spin[1, 0]
    columns[i, 7] = -middle_turn(dt, spins[:, 0], both)
    # At an end of a track that turns, its heading goes on to change.
    if not both and degree > 0 and abs(spin[0, 0]) < abs(columns[i, 7]):
        columns[i, 7] = -spin[0, 0]


@njit(cache=True, nogil=True)
def middle_turn(dt, spins, both):
    """The median of what single neighbours, or pairs about it, say of a heading."""
    if not both:
        return np.median(spins)
    told = [
        spins[a] + turned(spins[b], spins[a]) * (-dt[a]) / (dt[b] - dt[a])
        for a in range(dt.shape[0])
        for b in range(dt.shape[0])
        if dt[a] < 0 < dt[b]
    ]
    for k in range(len(told)):
        told[k] = turned(told[k], 0.0)
    # About a turn of half a circle, angles of either sign mean the same.
    bent = np.array(told)
    first = bent[0]
    for k in range(bent.shape[0]):
        bent[k] = turned(bent[k], first)
    return turned(np.median(bent) + first, 0.0)
