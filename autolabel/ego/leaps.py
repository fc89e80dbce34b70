"""Poses that no car can have driven to and back from: what can be seen of jumps without any scan."""

from __future__ import annotations

import numpy as np

from autolabel.ego.screws import screws, screws_of
from calib.se3 import SE3Batch
from calib.types import F64, I64, Bools
from fusion.trajectory import Trajectory

HARDEST_MPS2, HARDEST_RADPS2 = 10.0, 5.0
LEAST_M, LEAST_RAD = 0.15, 0.03
# Each pose is laid between two others, or on from two on one side.
PAIRS = ((-1, 1), (-2, 1), (-1, 2), (-2, 2), (-2, -1), (1, 2), (-3, -1), (1, 3))
ASIDE = 3


def leaps(times_ns: I64, world_from_ego: SE3Batch) -> tuple[Bools, F64]:
    """Which poses leap out of the way of the others, and (K, 6) how far each is off (turn in rad, way in m).

    Those that lie off most are taken out first, and the rest is looked at again. What an acceleration
    that some car is capable of would explain is no leap.
    """
    bad, off = np.zeros(len(times_ns), dtype=bool), np.zeros((len(times_ns), 6))
    while True:
        kept = np.flatnonzero(~bad)
        off[kept], excess = _out_of_line(times_ns[kept], world_from_ego.take(kept))
        around = np.lib.stride_tricks.sliding_window_view(np.pad(excess, ASIDE), 2 * ASIDE + 1)
        worst = (excess > 1) & (excess >= around.max(axis=1, initial=0.0))
        if not worst.any():
            return bad, off
        bad[kept[worst]] = True


def _out_of_line(times_ns: I64, world_from_ego: SE3Batch) -> tuple[F64, F64]:
    """(K, 6) how poses lie off where pairs around them put them, the median; (K,) over what may be."""
    count = len(times_ns)
    rows, bends = np.full((len(PAIRS), count, 6), np.nan), np.full((len(PAIRS), count), np.nan)
    for row, (a, b) in enumerate(PAIRS):
        own = np.arange(max(0, -a), count - max(0, b))
        if len(own) == 0:
            continue
        early = world_from_ego.take(own + a)
        ways = screws_of(early.inverse() @ world_from_ego.take(own + b))
        before_s, span_s = ((times_ns[own + k] - times_ns[own + a]) / 1e9 for k in (0, b))
        put = early @ screws(ways * (before_s / span_s)[:, None])
        rows[row, own] = screws_of(put.inverse() @ world_from_ego.take(own))
        bends[row, own] = np.abs(before_s * (before_s - span_s)) / 2
    known = np.isfinite(bends).sum(axis=0) > 1
    off, bend = np.zeros((count, 6)), np.zeros(count)
    off[known], bend[known] = np.nanmedian(rows[:, known], axis=0), np.nanmedian(bends[:, known], axis=0)
    far = np.linalg.norm(off[:, 3:], axis=1) / (LEAST_M + HARDEST_MPS2 * bend)
    turned = np.linalg.norm(off[:, :3], axis=1) / (LEAST_RAD + HARDEST_RADPS2 * bend)
    return off, np.maximum(far, turned)


def bridged(times_ns: I64, world_from_ego: SE3Batch, bad: Bools) -> SE3Batch:
    """The poses with the bad ones put between the nearest good ones; beyond those the car goes on evenly."""
    good = np.flatnonzero(~bad)
    if len(good) < 2 or not bad.any():
        return world_from_ego
    return beyond(Trajectory(times_ns[good], world_from_ego.take(good)), times_ns)


def beyond(trajectory: Trajectory, times_ns: I64) -> SE3Batch:
    """Poses at any instants; outside of the trajectory the car goes on as in its outermost step."""
    inside = np.clip(times_ns, trajectory.start_ns, trajectory.end_ns)
    found = trajectory.at_many(inside)
    over_ns = times_ns - inside
    if not over_ns.any() or len(trajectory.timestamps_ns) < 2:
        return found
    ends = trajectory.world_from_ego.take(np.array([0, 1, -2, -1]))
    steps = ends.take(np.array([0, 2])).inverse() @ ends.take(np.array([1, 3]))
    gaps_ns = np.diff(trajectory.timestamps_ns)[[0, -1]]
    twists = screws_of(steps) / gaps_ns[:, None]
    onward = screws(twists[(over_ns > 0).astype(int)] * over_ns[:, None])
    return found @ onward
