"""Compiled loops over the seams between the boxes of a track."""

import numpy as np
from numba import njit

from fusion.checks.facts._kernels import turned

# Across a longer gap, as a share of what is looked at on either side, nobody knows how it went on.
GAP = 0.55


@njit(cache=True, nogil=True)
def line_end(dt, values):
    """What a straight line through values over time says at time 0, and how far they lie off it."""
    size = dt.shape[0]
    mean_t = dt.mean()
    spread = ((dt - mean_t) ** 2).sum()
    end, left = np.empty(values.shape[1]), 0.0
    for k in range(values.shape[1]):
        mean = values[:, k].mean()
        slope = ((dt - mean_t) * (values[:, k] - mean)).sum() / max(spread, 1e-12)
        end[k] = mean - slope * mean_t
        left += ((values[:, k] - mean - slope * (dt - mean_t)) ** 2).sum()
    return end, np.sqrt(left / max(size - 2, 1))


@njit(cache=True, nogil=True)
def seams(starts, times, places, yaws, known, most, longest, steps, noise):
    """Fills for each row but the first of a track: from where the rows before put it, to where the others do.

    `steps` gets along, across, up and turn; `noise` how far the rows of either side lie off their lines, as
    a length and as an angle. Rows without enough others on either side stay as they are.
    """
    for t in range(starts.shape[0] - 1):
        for i in range(starts[t] + 1, starts[t + 1]):
            if times[i] - times[i - 1] > longest * GAP:
                continue
            now = (times[i - 1] + times[i]) / 2
            before = [k for k in range(max(starts[t], i - most), i) if known[k] and now - times[k] <= longest]
            after = [
                k for k in range(i, min(starts[t + 1], i + most)) if known[k] and times[k] - now <= longest
            ]
            if len(before) < 2 or len(after) < 2:
                continue
            first, left_before, spin_before, off_before = side(before, now, times, places, yaws, i)
            second, left_after, spin_after, off_after = side(after, now, times, places, yaws, i)
            step = second - first
            heading = yaws[i]
            steps[i, 0] = np.cos(heading) * step[0] + np.sin(heading) * step[1]
            steps[i, 1] = -np.sin(heading) * step[0] + np.cos(heading) * step[1]
            steps[i, 2] = step[2]
            steps[i, 3] = turned(spin_after, spin_before)
            noise[i, 0] = np.hypot(left_before, left_after)
            noise[i, 1] = np.hypot(off_before, off_after)


@njit(cache=True, nogil=True)
def side(rows, now, times, places, yaws, about):
    """Place and heading (against that of a row) which some rows say of an instant, and their noise."""
    size = len(rows)
    dt, values, spins = np.empty(size), np.empty((size, 3)), np.empty((size, 1))
    for k in range(size):
        dt[k] = times[rows[k]] - now
        values[k] = places[rows[k]]
        # Against a neighbour first, so that a heading near half a turn off does not wrap.
        spins[k, 0] = turned(yaws[rows[k]], yaws[rows[0]])
    place, left = line_end(dt, values)
    spin, off = line_end(dt, spins)
    return place, left, spin[0] + turned(yaws[rows[0]], yaws[about]), off
