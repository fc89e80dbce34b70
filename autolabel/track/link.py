"""Tracklets to chains: over gaps, the links of the whole log that are most likely together."""

from __future__ import annotations

import numpy as np

from autolabel.track.columns import Columns
from autolabel.track.config import TrackConfig
from autolabel.track.passes import chained
from autolabel.world import CAR_M
from calib.types import F64, I64, Bools

PAIRS_EACH = 16


def linked(tracklets: list[I64], columns: Columns, settings: TrackConfig) -> list[I64]:
    """Chains of detections, in order of their first ones.

    A link counts by how well the motion up to the gap and the motion after it meet. Every tracklet goes
    on as one other at most, so the most likely links are an assignment (Huang, Wu, Nevatia, 2008).
    """
    for _ in range(settings.rounds):
        if len(tracklets) < 2:
            break
        froms, tos, odds = bridges(tracklets, columns, settings)
        successor = assigned(froms, tos, odds, len(tracklets))
        if (successor < 0).all():
            break
        joined = [np.concatenate([tracklets[t] for t in run]) for run in chained(successor)]
        tracklets = sorted(joined, key=lambda chain: int(chain[0]))
    return tracklets


def bridges(tracklets: list[I64], columns: Columns, settings: TrackConfig) -> tuple[I64, I64, F64]:
    """Pairs of tracklets of which the second may continue the first, and the log odds that it does."""
    from autolabel.track import _kernels

    count = len(tracklets)
    flat, offsets = np.concatenate(tracklets), np.cumsum([0, *(len(t) for t in tracklets)])
    ends, end_covs = np.empty((count, 5)), np.empty((count, 5, 5))
    starts, start_covs = np.empty((count, 5)), np.empty((count, 5, 5))
    _kernels.both_ends(
        columns.times_s,
        columns.boxes,
        columns.sigmas_m,
        flat,
        offsets,
        columns.habits,
        ends,
        end_covs,
        starts,
        start_covs,
    )
    first, last = np.array([t[0] for t in tracklets]), np.array([t[-1] for t in tracklets])
    sizes = np.add.reduceat(columns.boxes[flat, 3:6], offsets[:-1]) / np.diff(offsets)[:, None]
    longest_s = np.minimum(settings.longest_gap_s, settings.gap_per_hit_s * np.diff(offsets))
    rules = (settings.birth_rarity, settings.gap_per_s, settings.link_least)
    room = PAIRS_EACH * count
    while True:
        froms, tos, odds = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room)
        found = _kernels.bridges(
            columns.times_s[first],
            columns.times_s[last],
            ends,
            end_covs,
            starts,
            start_covs,
            sizes,
            longest_s,
            columns.habits,
            rules,
            froms,
            tos,
            odds,
        )
        if found <= room:
            break
        room = found
    froms, tos, odds = froms[:found], tos[:found], odds[:found]
    apart = passes_aside(last[froms], first[tos], CAR_M + sizes[froms, 1] / 2, columns)
    return froms[apart], tos[apart], odds[apart]


def passes_aside(befores: I64, afters: I64, least_m: F64, columns: Columns) -> Bools:
    """(P,) whether an object can go from one detection to another without passing through the car.

    Seen from the LiDAR its way is taken for straight, and must keep so far away.
    """
    start = columns.boxes[befores, :2] - columns.eyes[befores]
    way = columns.boxes[afters, :2] - columns.eyes[afters] - start
    square = np.maximum((way**2).sum(axis=1), 1e-9)
    share = np.clip(-(start * way).sum(axis=1) / square, 0.0, 1.0)
    return np.asarray(np.hypot(*(start + share[:, None] * way).T) >= least_m)


def assigned(froms: I64, tos: I64, odds: F64, count: int) -> I64:
    """(count,) which tracklet continues each, -1 for none: the sum of odds is the largest there is."""
    from scipy.optimize import linear_sum_assignment
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    successor = np.full(count, -1, dtype=np.int64)
    graph = coo_array((np.ones(len(froms)), (froms, tos + count)), shape=(2 * count, 2 * count))
    _, part = connected_components(graph, directed=False)
    order = np.argsort(part[froms], kind="stable")
    cuts = np.nonzero(np.diff(part[froms][order]))[0] + 1
    for group in np.split(order, cuts) if len(order) else []:
        if len(group) == 1:
            successor[froms[group]] = tos[group]
            continue
        rows, row = np.unique(froms[group], return_inverse=True)
        columns, column = np.unique(tos[group], return_inverse=True)
        gains = np.zeros((len(rows), len(columns)))
        gains[row, column] = odds[group]
        for i, j in zip(*linear_sum_assignment(gains, maximize=True), strict=True):
            if gains[i, j] > 0:
                successor[rows[i]] = columns[j]
    return successor
