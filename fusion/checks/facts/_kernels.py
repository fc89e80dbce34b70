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
def passes(eye, spot, half):
    """Where on the way from an eye (0) to a spot (1), in the axes of a box, a beam is in the box's middle."""
    enters, leaves = -np.inf, np.inf
    for k in range(3):
        ray, reach = spot[k] - eye[k], half[k] * MIDDLE
        if abs(ray) < 1e-12:
            if abs(eye[k]) > reach:
                return np.inf, -np.inf
            continue
        a, b = (-reach - eye[k]) / ray, (reach - eye[k]) / ray
        enters, leaves = max(enters, min(a, b)), min(leaves, max(a, b))
    return enters, leaves


@njit(cache=True, nogil=True)
def column_of_beam(eye, spot, half):
    """Which count takes a beam that does not end in a box: before it, through its middle; -1 for none."""
    enters, leaves = passes(eye, spot, half)
    if enters >= leaves or leaves <= 0:
        return -1
    return 2 if enters > 1 else 3 if leaves < 1 and enters > 0 else -1


@njit(cache=True, nogil=True)
def side_of(spot, half, around):
    """Which face a place outside of a box lies next to: front, back, left, right, top; -1 for none.

    What lies at the feet of an object is next to none.
    """
    x, y, z = abs(spot[0]) - half[0], abs(spot[1]) - half[1], abs(spot[2]) - half[2]
    if max(x, y, z) > around or spot[2] < -LOW * half[2]:
        return -1
    if z >= max(x, y):
        return 4
    if x >= y:
        return 0 if spot[0] > 0 else 1
    return 2 if spot[1] > 0 else 3


@njit(cache=True, nogil=True)
def slopes(centers, rotations, halves, origin, beside):
    """For each box the lowest and highest slope of beams that meet it, and what is near.

    Nearness is the square of a distance seen from above: no further does a box reach, with what is beside it.
    """
    found = np.empty((centers.shape[0], 3))
    for b in range(centers.shape[0]):
        radius = np.sqrt((halves[b] ** 2).sum())
        away = np.hypot(centers[b, 0] - origin[0], centers[b, 1] - origin[1])
        up, high = centers[b, 2] - origin[2], (np.abs(rotations[b, 2]) * halves[b]).sum()
        found[b] = -np.inf, np.inf, (radius + 2 * beside) ** 2
        if away > radius:
            near, far = away - radius, away + radius
            found[b, 0] = min((up - high) / near, (up - high) / far)
            found[b, 1] = max((up + high) / near, (up + high) / far)
    return found


@njit(cache=True, nogil=True)
def in_axes(place, rotations, b):
    """A place, counted from the centre of a box, in the axes of that box."""
    x, y, z = place
    return (
        rotations[b, 0, 0] * x + rotations[b, 1, 0] * y + rotations[b, 2, 0] * z,
        rotations[b, 0, 1] * x + rotations[b, 1, 1] * y + rotations[b, 2, 1] * z,
        rotations[b, 0, 2] * x + rotations[b, 1, 2] * y + rotations[b, 2, 2] * z,
    )


@njit(cache=True, nogil=True)
def is_inside(spot, half):
    """Whether a place in the axes of a box lies in it."""
    return (
        abs(spot[0]) <= half[0] + SLACK_M
        and abs(spot[1]) <= half[1] + SLACK_M
        and abs(spot[2]) <= half[2] + SLACK_M
    )


@njit(cache=True, nogil=True)
def note_inside(spot, stands, b, counts, low, high):
    """Counts a point in a box, and how far those of the object reach."""
    counts[b, 0] += 1
    # The roof of something low and wide may have been taken for ground.
    if stands or spot[2] > 0:
        counts[b, 1] += 1
        for k in range(3):
            low[b, k], high[b, k] = min(low[b, k], spot[k]), max(high[b, k], spot[k])


@njit(cache=True, nogil=True)
def look(points, above, origin, rotations, centers, halves, starts, members, limits, counts, reach, ground):
    """Fills the counts, the reach and the heights of `Scanned` from one sweep."""
    around, off_ground, beside, deep = limits
    bins, count = starts.shape[0] - 1, centers.shape[0]
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    steep = slopes(centers, rotations, halves, origin, beside)
    sides = np.empty(count, np.int64)
    floors, floor_points = np.zeros(count), np.zeros(count, np.int64)
    for i in range(points.shape[0]):
        x, y, z = points[i, 0] - origin[0], points[i, 1] - origin[1], points[i, 2] - origin[2]
        away = np.sqrt(x * x + y * y)
        if not away + abs(z) < np.inf:
            continue
        c = bin_of(x, y, bins)
        in_any, stands = False, not above[i] < off_ground
        for m in range(starts[c], starts[c + 1]):
            b = members[m]
            sides[b] = -1
            off = points[i, 0] - centers[b, 0], points[i, 1] - centers[b, 1], points[i, 2] - centers[b, 2]
            meets = steep[b, 0] * away <= z <= steep[b, 1] * away
            if not meets and off[0] ** 2 + off[1] ** 2 > steep[b, 2]:
                continue
            spot, half = in_axes(off, rotations, b), (halves[b, 0], halves[b, 1], halves[b, 2])
            over = spot[2] + half[2]
            if (
                not stands
                and max(abs(spot[0]) - half[0], abs(spot[1]) - half[1]) < beside
                and abs(over) < min(deep, half[2] + beside)
            ):
                floors[b] += over
                floor_points[b] += 1
            if is_inside(spot, half):
                in_any = True
                note_inside(spot, stands, b, counts, low, high)
                continue
            # What lies on a face but for noise belongs to the object, and is neither before nor beside it.
            if max(abs(spot[0]) - half[0], abs(spot[1]) - half[1], abs(spot[2]) - half[2]) < NOISE_M:
                continue
            if meets:
                eye = in_axes((off[0] - x, off[1] - y, off[2] - z), rotations, b)
                column = column_of_beam(eye, spot, half)
                if column > 0:
                    counts[b, column] += 1
            if stands:
                sides[b] = side_of(spot, half, around)
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
