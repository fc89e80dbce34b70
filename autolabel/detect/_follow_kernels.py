"""Compiled loops from frame to frame; movers.py and hints.py stand in front of them."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def likest(centers, tops, x, y, top, low, high):
    """Which of some shapes is most like one at a place, and how unlike it is, in metres."""
    best, least = -1, np.inf
    for j in range(low, high):
        dx, dy = centers[j, 0] - x, centers[j, 1] - y
        unlike = np.sqrt(dx * dx + dy * dy) + abs(np.log((tops[j] + 0.3) / (top + 0.3)))
        if unlike < least:
            best, least = j, unlike
    return best, least


@njit(cache=True, nogil=True, error_model="numpy")
def follow(centers, tops, fastest, starts, seconds, steps, known_mps, noise, way, spans, next_ones):
    """How far shapes get in the next frames in both directions of time, in what time, and who is next."""
    for direction in range(-1, 2, 2):
        for f in range(starts.shape[0] - 1):
            for i in range(starts[f], starts[f + 1]):
                next_ones[i, (direction + 1) // 2] = -1
                x, y, took = 0.0, 0.0, 0.0
                for step in range(1, steps + 1):
                    later = f + direction * step
                    if later < 0 or later >= starts.shape[0] - 1:
                        break
                    if starts[later] == starts[later + 1]:
                        continue
                    span = abs(seconds[later] - seconds[f])
                    ahead = span / took if took > 0 else 0.0
                    j, unlike = likest(
                        centers, tops, centers[i, 0] + ahead * x, centers[i, 1] + ahead * y, tops[i],
                        starts[later], starts[later + 1],
                    )  # fmt: skip
                    if unlike >= noise + (known_mps if took > 0 else fastest[i]) * (span - took):
                        break
                    if took == 0:
                        next_ones[i, (direction + 1) // 2] = j
                    x, y, took = centers[j, 0] - centers[i, 0], centers[j, 1] - centers[i, 1], span
                way[i, 0] += direction * x
                way[i, 1] += direction * y
                spans[i] += took


@njit(cache=True, nogil=True, error_model="numpy")
def chain(next_ones, chains):
    """Numbers the chains of shapes that are each other's next ones; returns how many there are."""
    count = 0
    for i in range(next_ones.shape[0]):
        before = next_ones[i, 0]
        if before >= 0 and next_ones[before, 1] == i:
            chains[i] = chains[before]
        else:
            chains[i] = count
            count += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def nearest_long(centers, starts, long_ones, yaws, places, more_yaws, farthest, hints):
    """The direction of the nearest long thing: of the same frame, or of those that are always there."""
    for f in range(starts.shape[0] - 1):
        for i in range(starts[f], starts[f + 1]):
            least, hints[i] = farthest * farthest, np.nan
            for j in range(starts[f], starts[f + 1]):
                dx, dy = centers[j, 0] - centers[i, 0], centers[j, 1] - centers[i, 1]
                if long_ones[j] and dx * dx + dy * dy < least:
                    least, hints[i] = dx * dx + dy * dy, yaws[j]
            for j in range(places.shape[0]):
                dx, dy = places[j, 0] - centers[i, 0], places[j, 1] - centers[i, 1]
                if dx * dx + dy * dy < least:
                    least, hints[i] = dx * dx + dy * dy, more_yaws[j]
