"""Compiled loops of tracking: one pass over all frames, and the gaps between tracklets."""

import numpy as np
from numba import njit

from autolabel.track._assign_kernels import assign
from autolabel.track._filter_kernels import SIZE, begin, half_turn, predict, see
from fusion._kernels import iou_one


@njit(cache=True, nogil=True)
def drop_doubles(times_ns, boxes, most_iou, keep):
    """Clears `keep` (N,) of boxes that overlap an earlier kept one of their instant too much from above."""
    one, other = np.empty((8, 2)), np.empty((8, 2))
    start = 0
    for i in range(len(boxes)):
        if times_ns[i] != times_ns[start]:
            start = i
        for j in range(start, i):
            if keep[j] and iou_one(boxes[j], boxes[i], False, one, other) > most_iou:
                keep[i] = False
                break


@njit(cache=True, nogil=True)
def gain_of(state, cov, size, box, sigma_m, sigma_rad, rarity, gate, one, other, shape):
    """How much likelier a box is this object than a new one: log odds plus overlap; 0 beyond the gate.

    Place by Mahalanobis distance, heading modulo half a turn, size, and the distance-IoU of the expected
    and the seen box from above (Zheng et al., 2020, on turned boxes), which is not flat without overlap.
    """
    dx, dy = box[0] - state[0], box[1] - state[1]
    a, b, d = cov[0, 0] + sigma_m * sigma_m, cov[0, 1], cov[1, 1] + sigma_m * sigma_m
    det = a * d - b * b
    square = (d * dx * dx - 2 * b * dx * dy + a * dy * dy) / det
    if square > gate:
        return 0.0
    off = half_turn(box[6] - state[2])
    yaw = min(off * off / (cov[2, 2] + sigma_rad * sigma_rad), 6.0)
    growth = 0.0
    for i in range(3):
        ratio = np.log(box[3 + i] / size[i]) / 0.25
        growth += ratio * ratio
    shape[0], shape[1], shape[2] = state[0], state[1], box[2]
    shape[3], shape[4], shape[5], shape[6] = size[0], size[1], size[2], state[2]
    reach = np.sqrt(size[0] ** 2 + size[1] ** 2) / 2 + np.sqrt(box[3] ** 2 + box[4] ** 2) / 2
    away = np.sqrt(dx * dx + dy * dy)
    overlap = iou_one(shape, box, False, one, other) - (away / (reach + away)) ** 2
    odds = rarity - 0.5 * (square + yaw + min(growth, 6.0)) - np.log(2 * np.pi * np.sqrt(det))
    return max(odds + 2.0 * overlap, 0.0)


@njit(cache=True, nogil=True)
def walk(times_s, starts, boxes, sigmas_m, strong, habits, rules, successor):
    """One pass over all frames in order of `times_s` (F,); links go into `successor` (N,), -1 at ends.

    Detections of frame f are `starts[f]` to `starts[f + 1]`. Sure detections choose first, weak ones
    take what is left (Zhang et al., ByteTrack, 2022).
    """
    rarity, gate, weak_least, coast_s, coast_per_hit_s = rules
    sigma_rad = habits[6]
    count = len(boxes)
    states, covs = np.empty((count, SIZE)), np.empty((count, SIZE, SIZE))
    sizes, seen_s = np.empty((count, 3)), np.empty(count)
    last, hits = np.empty(count, np.int64), np.zeros(count, np.int64)
    live = np.empty(count, np.int64)
    alive = 0
    jacobian, room, one, other = np.empty((5, 5)), np.empty((5, 5)), np.empty((8, 2)), np.empty((8, 2))
    shape = np.empty(7)
    given = np.zeros(count, np.bool_)
    successor[:] = -1
    for f in range(len(times_s)):
        kept = 0
        for k in range(alive):
            t = live[k]
            unseen_s = times_s[f] - seen_s[t]
            if unseen_s <= min(coast_s, coast_per_hit_s * hits[t]):
                predict(states[t], covs[t], times_s[f] - times_s[f - 1], habits, jacobian, room)
                live[kept] = t
                kept += 1
        alive = kept
        start, end = starts[f], starts[f + 1]
        for stage in range(2):
            some = np.empty(end - start, np.int64)
            n = 0
            for i in range(start, end):
                if strong[i] == (stage == 0):
                    some[n] = i
                    n += 1
            free = np.empty(alive, np.int64)
            m = 0
            for k in range(alive):
                if seen_s[live[k]] < times_s[f]:
                    free[m] = live[k]
                    m += 1
            if n == 0 or m == 0:
                continue
            gains, column_of = np.zeros((m, n)), np.empty(m, np.int64)
            least = 0.0 if stage == 0 else weak_least
            for k in range(m):
                t = free[k]
                for j in range(n):
                    i = some[j]
                    gain = gain_of(
                        states[t], covs[t], sizes[t], boxes[i], sigmas_m[i], sigma_rad,
                        rarity, gate, one, other, shape,
                    )  # fmt: skip
                    gains[k, j] = max(gain - least, 0.0)
            assign(gains, column_of)
            for k in range(m):
                if column_of[k] < 0:
                    continue
                t, i = free[k], some[column_of[k]]
                see(states[t], covs[t], boxes[i], sigmas_m[i], sigma_rad, room)
                successor[last[t]] = i
                share = max(1.0 / (hits[t] + 1), 0.1)
                for axis in range(3):
                    sizes[t, axis] += share * (boxes[i, 3 + axis] - sizes[t, axis])
                last[t], seen_s[t], given[i] = i, times_s[f], True
                hits[t] += 1
        for i in range(start, end):
            if not given[i]:
                begin(boxes[i], sigmas_m[i], habits, states[i], covs[i])
                sizes[i] = boxes[i, 3:6]
                last[i], seen_s[i], hits[i] = i, times_s[f], 1
                live[alive] = i
                alive += 1


@njit(cache=True, nogil=True)
def run_along(times_s, boxes, sigmas_m, members, habits, state, cov, jacobian, room):
    """The state at the last of some detections, in their order; `times_s` may rise or fall."""
    begin(boxes[members[0]], sigmas_m[members[0]], habits, state, cov)
    for n in range(1, len(members)):
        i = members[n]
        span_s = abs(times_s[i] - times_s[members[n - 1]])
        predict(state, cov, span_s, habits, jacobian, room)
        see(state, cov, boxes[i], sigmas_m[i], habits[6], room)


@njit(cache=True, nogil=True)
def both_ends(times_s, boxes, sigmas_m, members, offsets, habits, ends, end_covs, starts, start_covs):
    """States at both ends of tracklets, each told by the whole tracklet, in the direction of time."""
    jacobian, room = np.empty((5, 5)), np.empty((5, 5))
    for t in range(len(offsets) - 1):
        own = members[offsets[t] : offsets[t + 1]]
        run_along(times_s, boxes, sigmas_m, own, habits, ends[t], end_covs[t], jacobian, room)
        run_along(times_s, boxes, sigmas_m, own[::-1], habits, starts[t], start_covs[t], jacobian, room)
        for i in range(3, SIZE):
            starts[t, i] = -starts[t, i]
            for j in range(3):
                start_covs[t, i, j] = -start_covs[t, i, j]
                start_covs[t, j, i] = -start_covs[t, j, i]


@njit(cache=True, nogil=True)
def log_odds(end, end_cov, start, start_cov, span_s, habits, rarity, state, cov, jacobian, room):
    """How much likelier it is that a tracklet goes on as another than that the other is a new object."""
    rolls, _, _, _, fastest_mps, turning, _ = habits
    state[:], cov[:] = end, end_cov
    predict(state, cov, span_s, habits, jacobian, room)
    off, turned = room[0], 1.0
    if rolls > 0 and np.cos(start[2] - state[2]) < 0:
        turned = -1.0
    for i in range(SIZE):
        off[i] = start[i] - state[i]
    off[2] = half_turn(off[2])
    if rolls > 0:
        off[3] = turned * start[3] - state[3]
    for i in range(SIZE):
        for j in range(SIZE):
            sign = turned if rolls > 0 and (i == 3) != (j == 3) else 1.0
            cov[i, j] += sign * start_cov[i, j]
    # Twice the log of both densities without their common constant.
    here = 0.0
    for i in range(SIZE):
        for j in range(i + 1):
            total = cov[i, j]
            for m in range(j):
                total -= cov[i, m] * cov[j, m]
            cov[i, j] = np.sqrt(max(total, 1e-9)) if i == j else total / cov[j, j]
        for m in range(i):
            off[i] -= cov[i, m] * off[m]
        off[i] /= cov[i, i]
        here -= off[i] * off[i] + 2 * np.log(cov[i, i])
    new = -2 * np.log(np.pi) + np.log(2 * np.pi)
    for i in range(3, SIZE):
        prior = (fastest_mps / 2) ** 2 if i == 3 or rolls == 0 else turning * turning
        spread = prior + start_cov[i, i]
        new -= start[i] * start[i] / spread + np.log(spread)
    return 0.5 * (here - new) - np.log(2 * np.pi) + rarity


@njit(cache=True, nogil=True)
def speed_bound(state, cov, habits):
    """A speed that an object hardly exceeds, given its state."""
    if habits[0] > 0:
        told = abs(state[3]) + 3.0 * np.sqrt(cov[3, 3])
    else:
        told = np.hypot(state[3], state[4]) + 3.0 * np.sqrt(max(cov[3, 3], cov[4, 4]))
    return min(told, habits[4])


@njit(cache=True, nogil=True)
def bridges(
    start_s, end_s, ends, end_covs, starts, start_covs, sizes, longest_s, habits, rules, froms, tos, odds
):
    """Lists pairs of tracklets of which the later may continue the earlier, with their log odds.

    Tracklets come in order of `start_s`. Returns how many there are; only counts if there is no room.
    """
    rarity, per_s, least = rules
    reach_mps = np.empty((len(start_s), 2))
    for t in range(len(start_s)):
        reach_mps[t, 0] = speed_bound(ends[t], end_covs[t], habits)
        reach_mps[t, 1] = speed_bound(starts[t], start_covs[t], habits)
    state, cov = np.empty(5), np.empty((5, 5))
    jacobian, room = np.empty((5, 5)), np.empty((5, 5))
    found = 0
    for a in range(len(start_s)):
        first = np.searchsorted(start_s, end_s[a], side="right")
        for b in range(first, len(start_s)):
            span_s = start_s[b] - end_s[a]
            if span_s > longest_s[a]:
                break
            if span_s > longest_s[b]:
                continue
            dx, dy = starts[b, 0] - ends[a, 0], starts[b, 1] - ends[a, 1]
            change_mps = 2.0 * habits[1] * np.sqrt(span_s)
            reach = 3.0 + (min(reach_mps[a, 0], reach_mps[b, 1]) + change_mps) * span_s
            if dx * dx + dy * dy > reach * reach:
                continue
            gain = log_odds(
                ends[a],
                end_covs[a],
                starts[b],
                start_covs[b],
                span_s,
                habits,
                rarity,
                state,
                cov,
                jacobian,
                room,
            )
            growth = 0.0
            for i in range(3):
                ratio = np.log(sizes[b, i] / sizes[a, i]) / 0.25
                growth += ratio * ratio
            gain -= 0.5 * min(growth, 6.0) + per_s * span_s
            if gain > least:
                if found < len(odds):
                    froms[found], tos[found], odds[found] = a, b, gain
                found += 1
    return found
