"""Gauss-Newton over all instants of one object's motion; a numpy twin stands in tests/reference.py."""

import numpy as np
from numba import njit

HUBER = 1.5
SETTLED = 1e-5
# Of how many values a state is made up, as the length of a tuple: compilers know it then, and unroll loops.
PLANE_MOTION, PLANE_POSE, CLIMB = (0,) * 6, (0,) * 3, (0,) * 2


@njit(cache=True, nogil=True, error_model="numpy")
def solve_chain(diagonal, beside, right, inverse, values):
    """Solves a symmetric block-tridiagonal system in place; optionally the diagonal blocks of its inverse.

    `diagonal` (K, D, D), `beside` (K - 1, D, D) the block of rows k and columns k + 1, `right` (K, D)
    becomes the solution; `inverse` (K, D, D) or (0, D, D) if not wanted. Block elimination forward, then
    substitution backward.
    """
    count, size = len(right), len(values)
    gains = beside.copy()
    for k in range(count):
        if k > 0:
            for m in range(size):
                for i in range(size):
                    factor = beside[k - 1, m, i]
                    if factor == 0.0:
                        continue
                    right[k, i] -= factor * right[k - 1, m]
                    for j in range(size):
                        diagonal[k, i, j] -= factor * gains[k - 1, m, j]
        cholesky(diagonal[k], values)
        solve_cholesky(diagonal[k], right[k], values)
        if k + 1 < count:
            solve_columns(diagonal[k], gains[k], values)
    for k in range(count - 2, -1, -1):
        for i in range(size):
            for j in range(size):
                right[k, i] -= gains[k, i, j] * right[k + 1, j]
    if len(inverse) == count:
        invert_chain(diagonal, gains, inverse, values)


@njit(cache=True, nogil=True, error_model="numpy")
def invert_chain(factors, gains, inverse, values):
    """The diagonal blocks of the inverse from the factors and gains of `solve_chain`."""
    count, size = len(factors), len(values)
    for k in range(count - 1, -1, -1):
        inverse[k] = 0.0
        for i in range(size):
            inverse[k, i, i] = 1.0
        solve_columns(factors[k], inverse[k], values)
        if k + 1 < count:
            add_turned(gains[k], inverse[k + 1], inverse[k], values)


@njit(cache=True, nogil=True, error_model="numpy")
def add_turned(gain, covariance, out, values):
    """Adds gain @ covariance @ gain.T, all (D, D)."""
    size = len(values)
    half = np.zeros((size, size))
    for i in range(size):
        for m in range(size):
            for j in range(size):
                half[i, j] += gain[i, m] * covariance[m, j]
    for i in range(size):
        for j in range(size):
            for m in range(size):
                out[i, j] += half[i, m] * gain[j, m]


@njit(cache=True, nogil=True, error_model="numpy")
def cholesky(a, values):
    """Lower factor of a positive definite (D, D) matrix in place."""
    size = len(values)
    for j in range(size):
        s = a[j, j]
        for m in range(j):
            s -= a[j, m] * a[j, m]
        a[j, j] = np.sqrt(max(s, 1e-12))
        for i in range(j + 1, size):
            s = a[i, j]
            for m in range(j):
                s -= a[i, m] * a[j, m]
            a[i, j] = s / a[j, j]


@njit(cache=True, nogil=True, error_model="numpy")
def solve_cholesky(factor, b, values):
    """Solves with a factor of `cholesky`, in place."""
    size = len(values)
    for i in range(size):
        for m in range(i):
            b[i] -= factor[i, m] * b[m]
        b[i] /= factor[i, i]
    for i in range(size - 1, -1, -1):
        for m in range(i + 1, size):
            b[i] -= factor[m, i] * b[m]
        b[i] /= factor[i, i]


@njit(cache=True, nogil=True, error_model="numpy")
def solve_columns(factor, b, values):
    """`solve_cholesky` for all columns of a (D, D) matrix, side by side."""
    size = len(values)
    for i in range(size):
        for m in range(i):
            for j in range(size):
                b[i, j] -= factor[i, m] * b[m, j]
        for j in range(size):
            b[i, j] /= factor[i, i]
    for i in range(size - 1, -1, -1):
        for m in range(i + 1, size):
            for j in range(size):
                b[i, j] -= factor[m, i] * b[m, j]
        for j in range(size):
            b[i, j] /= factor[i, i]


@njit(cache=True, nogil=True, error_model="numpy")
def add_steadiness(diagonal, beside, right, state, k, span_s, weight, place, rate):
    """Adds to the normal equations that a value keeps its rate from knot k to the next; returns its jolt.

    The jolt is what the white noise of unit deviation would have to be, squared, before weighing.
    """
    a, b, c = 12 / span_s**3, -6 / span_s**2, 4 / span_s
    way = state[k + 1, place] - state[k, place] - span_s * state[k, rate]
    gain = state[k + 1, rate] - state[k, rate]
    # Rows of the Jacobian of (way, gain) by (place_k, rate_k, place_k+1, rate_k+1).
    pull_way, pull_gain = weight * (a * way + b * gain), weight * (b * way + c * gain)
    right[k, place] += pull_way
    right[k, rate] += span_s * pull_way + pull_gain
    right[k + 1, place] -= pull_way
    right[k + 1, rate] -= pull_gain
    diagonal[k, place, place] += weight * a
    cross = weight * (a * span_s + b)
    diagonal[k, place, rate] += cross
    diagonal[k, rate, place] += cross
    diagonal[k, rate, rate] += weight * (a * span_s**2 + 2 * b * span_s + c)
    diagonal[k + 1, place, place] += weight * a
    diagonal[k + 1, place, rate] += weight * b
    diagonal[k + 1, rate, place] += weight * b
    diagonal[k + 1, rate, rate] += weight * c
    beside[k, place, place] -= weight * a
    beside[k, place, rate] -= weight * b
    beside[k, rate, place] -= weight * (a * span_s + b)
    beside[k, rate, rate] -= weight * (b * span_s + c)
    return a * way * way + 2 * b * way * gain + c * gain * gain


@njit(cache=True, nogil=True, error_model="numpy")
def add_sightings(diagonal, right, state, of_measurement, seen, information, firm, outlier, round):
    """Adds every measurement, weighed by how well it fits (Student-t of the deviation; Huber at first)."""
    e = np.empty(3)
    for m in range(len(seen)):
        k = of_measurement[m]
        for i in range(3):
            e[i] = seen[m, i] - state[k, i]
        e[2] = e[2] - 2 * np.pi * np.round(e[2] / (2 * np.pi))
        off = 0.0
        for i in range(3):
            for j in range(3):
                off += e[i] * information[m, i, j] * e[j]
        trust = 1.0
        if not firm[m]:
            if round < 3:
                trust = min(1.0, outlier / max(np.sqrt(off), 1e-9))
            else:
                trust = (outlier**2 + 3) / (outlier**2 + off)
                trust = min(trust, 1.0)
        for i in range(3):
            for j in range(3):
                diagonal[k, i, j] += trust * information[m, i, j]
                right[k, i] += trust * information[m, i, j] * e[j]


@njit(cache=True, nogil=True, error_model="numpy")
def add_rolling(diagonal, right, state, k, weight, pivot_m):
    """Adds that the rear axle moves along the heading."""
    c, s = np.cos(state[k, 2]), np.sin(state[k, 2])
    vx, vy, turn = state[k, 3], state[k, 4], state[k, 5]
    slip = -s * vx + c * vy - pivot_m * turn
    slope = np.array([-(c * vx + s * vy), -s, c, -pivot_m])
    for i in range(4):
        right[k, 2 + i] -= weight * slope[i] * slip
        for j in range(4):
            diagonal[k, 2 + i, 2 + j] += weight * slope[i] * slope[j]


@njit(cache=True, nogil=True, error_model="numpy")
def eased(jolt, weight, axes):
    """How much less a jolt counts that the noise does not explain (Huber)."""
    return min(1.0, HUBER / max(np.sqrt(weight * jolt / (2 * axes)), 1e-9))


@njit(cache=True, nogil=True, error_model="numpy")
def advance(state, step):
    """Adds a step to the state; returns the largest of its entries."""
    largest = 0.0
    for k in range(state.shape[0]):
        for i in range(state.shape[1]):
            state[k, i] += step[k, i]
            largest = max(largest, abs(step[k, i]))
    return largest


@njit(cache=True, nogil=True, error_model="numpy")
def smooth_motion(knots_s, of_measurement, seen, information, firm, habits, rounds, state, covariances):
    """Improves `state` (K, 6), x y yaw and their rates, to the most likely; fills (K, 6, 6) covariances."""
    acceleration, turning, slip_mps, pivot_m, fastest_mps, outlier = habits
    count = len(knots_s)
    diagonal, beside = np.empty((count, 6, 6)), np.empty((max(count - 1, 0), 6, 6))
    right, none = np.empty((count, 6)), np.empty((0, 6, 6))
    ease = np.ones((count, 2))
    for round in range(rounds + 1):
        last = round == rounds
        diagonal[:], beside[:], right[:] = 0.0, 0.0, 0.0
        for k in range(count - 1):
            span_s = knots_s[k + 1] - knots_s[k]
            of_place, of_yaw = ease[k, 0] / acceleration**2, ease[k, 1] / turning**2
            jolt = add_steadiness(diagonal, beside, right, state, k, span_s, of_place, 0, 3)
            jolt += add_steadiness(diagonal, beside, right, state, k, span_s, of_place, 1, 4)
            turn = add_steadiness(diagonal, beside, right, state, k, span_s, of_yaw, 2, 5)
            ease[k, 0] = eased(jolt, 1 / acceleration**2, 2)
            ease[k, 1] = eased(turn, 1 / turning**2, 1)
        for k in range(count):
            for i in range(3, 5):
                diagonal[k, i, i] += 1 / (count * fastest_mps**2)
                right[k, i] -= state[k, i] / (count * fastest_mps**2)
            diagonal[k, 5, 5] += 1.0 / count
            right[k, 5] -= state[k, 5] / count
            diagonal[k, 2, 2] += 1e-9
            if slip_mps > 0 and round > 0:
                before_s = knots_s[k] - knots_s[max(k - 1, 0)]
                after_s = knots_s[min(k + 1, count - 1)] - knots_s[k]
                weight = max(0.5 * (before_s + after_s), 1e-6) / (0.1 * slip_mps**2)
                add_rolling(diagonal, right, state, k, weight, pivot_m)
        add_sightings(diagonal, right, state, of_measurement, seen, information, firm, outlier, round)
        solve_chain(diagonal, beside, right, covariances if last else none, PLANE_MOTION)
        if last:
            break
        if advance(state, right) < SETTLED and round >= 3:
            rounds = round + 1


@njit(cache=True, nogil=True, error_model="numpy")
def settle(knots_s, of_measurement, seen, information, firm, drift, outlier, rounds, state, covariances):
    """Improves `state` (K, 3), x y yaw of what wanders slowly, to the most likely; fills covariances."""
    count = len(knots_s)
    diagonal, beside = np.empty((count, 3, 3)), np.empty((max(count - 1, 0), 3, 3))
    right, none = np.empty((count, 3)), np.empty((0, 3, 3))
    for round in range(rounds + 1):
        last = round == rounds
        diagonal[:], beside[:], right[:] = 0.0, 0.0, 0.0
        for k in range(count - 1):
            for i in range(3):
                weight = 1 / (drift[i] ** 2 * (knots_s[k + 1] - knots_s[k]))
                way = state[k + 1, i] - state[k, i]
                right[k, i] += weight * way
                right[k + 1, i] -= weight * way
                diagonal[k, i, i] += weight
                diagonal[k + 1, i, i] += weight
                beside[k, i, i] -= weight
        for k in range(count):
            for i in range(3):
                diagonal[k, i, i] += 1e-9
        add_sightings(diagonal, right, state, of_measurement, seen, information, firm, outlier, round)
        solve_chain(diagonal, beside, right, covariances if last else none, PLANE_POSE)
        if last:
            break
        if advance(state, right) < SETTLED and round >= 3:
            rounds = round + 1


@njit(cache=True, nogil=True, error_model="numpy")
def smooth_heights(knots_s, of_measurement, heights_m, weights, rising, state):
    """Fills `state` (K, 2), height and climb, with the smoothest through weighted heights."""
    count = len(knots_s)
    diagonal, beside = np.zeros((count, 2, 2)), np.zeros((max(count - 1, 0), 2, 2))
    right, none = np.zeros((count, 2)), np.empty((0, 2, 2))
    for k in range(count - 1):
        add_steadiness(diagonal, beside, right, state, k, knots_s[k + 1] - knots_s[k], 1 / rising**2, 0, 1)
    for k in range(count):
        diagonal[k, 1, 1] += 1.0 / count
    for m in range(len(heights_m)):
        k = of_measurement[m]
        diagonal[k, 0, 0] += weights[m]
        right[k, 0] += weights[m] * heights_m[m]
    solve_chain(diagonal, beside, right, none, CLIMB)
    state[:] = right
