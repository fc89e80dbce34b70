"""Compiled loops over the points of a sweep and over the boxes of a track."""

import numpy as np
from numba import njit

TAU = 2 * np.pi
SLACK_M = 1e-9
# Beams that only graze a box say nothing of it.
MIDDLE = 0.85
LOW, NOISE_M = 0.4, 0.07
ENOUGH = 5


@njit(cache=True, nogil=True)
def bin_of(x, y, bins):
    """The sector of a direction seen from above."""
    return min(int((np.arctan2(y, x) + np.pi) / TAU * bins), bins - 1)


@njit(cache=True, nogil=True)
def boxes_by_azimuth(centers, halves, origin, bins):
    """Boxes that reach into each sector about a place: `members[starts[c] : starts[c + 1]]` of sector c."""
    count = centers.shape[0]
    first, wide = np.zeros(count, np.int64), np.zeros(count, np.int64)
    starts = np.zeros(bins + 1, np.int64)
    for b in range(count):
        x, y = centers[b, 0] - origin[0], centers[b, 1] - origin[1]
        radius, away = np.sqrt((halves[b] ** 2).sum()), np.hypot(x, y)
        if away <= radius:
            first[b], wide[b] = 0, bins
        else:
            half = int(np.ceil(np.arcsin(radius / away) / TAU * bins)) + 1
            first[b], wide[b] = bin_of(x, y, bins) - half, min(2 * half + 1, bins)
        for c in range(first[b], first[b] + wide[b]):
            starts[c % bins + 1] += 1
    starts = np.cumsum(starts)
    members = np.empty(starts[-1], np.int64)
    places = starts[:-1].copy()
    for b in range(count):
        for c in range(first[b], first[b] + wide[b]):
            members[places[c % bins]] = b
            places[c % bins] += 1
    return starts, members


@njit(cache=True, nogil=True)
def passes(eye, ray, half):
    """How far along a ray from an eye (both in the axes of a box) it enters the box and leaves it."""
    enters, leaves = -np.inf, np.inf
    for k in range(3):
        if abs(ray[k]) < 1e-12:
            if abs(eye[k]) > half[k]:
                return np.inf, -np.inf
            continue
        a, b = (-half[k] - eye[k]) / ray[k], (half[k] - eye[k]) / ray[k]
        enters, leaves = max(enters, min(a, b)), min(leaves, max(a, b))
    return enters, leaves


@njit(cache=True, nogil=True)
def count_beam(eye, spot, half, counts):
    """Counts a beam that does not end in a box: before it, or through its middle."""
    ray = spot - eye
    enters, leaves = passes(eye, ray, half * MIDDLE)
    if enters < leaves and leaves > 0:
        if enters > 1:
            counts[2] += 1
        elif leaves < 1 and enters > 0:
            counts[3] += 1


@njit(cache=True, nogil=True)
def side_of(spot, half, around):
    """Which face a place outside of a box lies next to: front, back, left, right, top; -1 for none.

    What lies at the feet of an object, or on its face but for noise, is next to none.
    """
    over = np.abs(spot) - half
    if over.max() > around or spot[2] < -LOW * half[2] or over.max() < NOISE_M:
        return -1
    if over[2] >= max(over[0], over[1]):
        return 4
    if over[0] >= over[1]:
        return 0 if spot[0] > 0 else 1
    return 2 if spot[1] > 0 else 3


@njit(cache=True, nogil=True)
def look(points, above, origin, rotations, centers, halves, starts, members, limits, counts, reach, ground):
    """Fills the counts, the reach and the heights of `Scanned` from one sweep."""
    around, off_ground, beside, deep = limits
    bins = starts.shape[0] - 1
    count = centers.shape[0]
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    eyes, spot = np.empty((count, 3)), np.empty(3)
    for b in range(count):
        eyes[b] = rotations[b].T @ (origin - centers[b])
    sides = np.empty(count, np.int64)
    floors, floor_points = np.zeros(count), np.zeros(count, np.int64)
    for i in range(points.shape[0]):
        c = bin_of(points[i, 0] - origin[0], points[i, 1] - origin[1], bins)
        in_any, stands = False, not above[i] < off_ground
        for m in range(starts[c], starts[c + 1]):
            b = members[m]
            inside = True
            for k in range(3):
                spot[k] = 0.0
                for j in range(3):
                    spot[k] += rotations[b, j, k] * (points[i, j] - centers[b, j])
                inside &= abs(spot[k]) <= halves[b, k] + SLACK_M
            over = spot[2] + halves[b, 2]
            if (
                above[i] < off_ground
                and max(abs(spot[0]) - halves[b, 0], abs(spot[1]) - halves[b, 1]) < beside
                and abs(over) < min(deep, halves[b, 2] + beside)
            ):
                floors[b] += over
                floor_points[b] += 1
            sides[b] = -1
            if not inside:
                count_beam(eyes[b], spot, halves[b], counts[b])
                if stands:
                    sides[b] = side_of(spot, halves[b], around)
                continue
            in_any = True
            counts[b, 0] += 1
            # The roof of something low and wide may have been taken for ground.
            if stands or spot[2] > 0:
                counts[b, 1] += 1
                for k in range(3):
                    low[b, k], high[b, k] = min(low[b, k], spot[k]), max(high[b, k], spot[k])
        if stands and not in_any:
            for m in range(starts[c], starts[c + 1]):
                if sides[members[m]] >= 0:
                    counts[members[m], 4 + sides[members[m]]] += 1
    for b in range(count):
        if counts[b, 1] > 0:
            reach[b, :3], reach[b, 3:] = halves[b] - high[b], low[b] + halves[b]
        if floor_points[b] >= ENOUGH:
            ground[b] = -floors[b] / floor_points[b]


@njit(cache=True, nogil=True)
def turned(a, b):
    """Angle a against angle b, in -pi..pi."""
    return (a - b + np.pi) % TAU - np.pi


@njit(cache=True, nogil=True)
def fit_way(dt, values, weights, degree, scale):
    """Coefficients of a polynomial about dt = 0, fitted robustly (Cauchy weights, five rounds)."""
    size = dt.shape[0]
    terms = np.ones((size, degree + 1))
    for k in range(degree):
        terms[:, k + 1] = terms[:, k] * dt
    found = np.zeros((degree + 1, values.shape[1]))
    trust = weights.copy()
    for _ in range(5):
        weighted = terms * trust.reshape(-1, 1)
        normal = terms.T @ weighted + 1e-9 * np.eye(degree + 1)
        found = np.linalg.solve(normal, weighted.T @ values)
        left = values - terms @ found
        far = np.sqrt((left * left).sum(axis=1))
        trust = weights / (1 + (far / scale) ** 2)
    return found


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
    if degree > 0:
        columns[i, 0], columns[i, 1] = way[1, 0], way[1, 1]
        speed = np.hypot(way[1, 0], way[1, 1])
        columns[i, 2] = (
            0.0 if degree < 2 or speed < 1e-6 else 2 * (way[2, 0] * way[1, 0] + way[2, 1] * way[1, 1]) / speed
        )
        spin = fit_way(dt, spins, weights, 1, noise_rad)
        columns[i, 3] = spin[1, 0]
    columns[i, 7] = -middle_turn(dt, spins[:, 0], both)


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
