"""Which objects are near enough to each other to be confused."""

from __future__ import annotations

import numpy as np

from calib.types import F64, I64

REACH_M = 1.5
MOST = 8


def rivals_of(poses: F64, halves: F64, on: I64) -> I64:
    """(K, 8) for each object the nearest others whose boxes nearly touch its own, filled up with -1."""
    from scipy.spatial import cKDTree

    rivals = np.full((len(poses), MOST), -1, dtype=np.int64)
    if len(on) < 2:
        return rivals
    radii = np.hypot(halves[on, 0], halves[on, 1])
    tree = cKDTree(poses[on, :2])
    away_m, who = tree.query(poses[on, :2], k=min(MOST + 1, len(on)))
    touching = (away_m < radii[:, None] + radii[who] + REACH_M) & (who != np.arange(len(on))[:, None])
    order = np.argsort(~touching, axis=1, kind="stable")[:, :MOST]
    chosen = np.take_along_axis(np.where(touching, on[who], -1), order, axis=1)
    rivals[on, : chosen.shape[1]] = chosen
    return rivals


def rivals_near(poses: F64, others: F64, halves: F64) -> I64:
    """(K, 8) the nearest other objects, where they are now, to each of these poses, filled up with -1."""
    from scipy.spatial import cKDTree

    rivals = np.full((len(poses), MOST), -1, dtype=np.int64)
    if len(poses) < 2:
        return rivals
    who = cKDTree(others[:, :2]).query(poses[:, :2], k=min(MOST + 1, len(poses)))[1]
    away_m = np.linalg.norm(others[who, :2] - poses[:, None, :2], axis=2)
    radii = np.hypot(halves[:, 0], halves[:, 1])
    touching = (away_m < radii[:, None] + radii[who]) & (who != np.arange(len(poses))[:, None])
    order = np.argsort(~touching, axis=1, kind="stable")[:, :MOST]
    chosen = np.take_along_axis(np.where(touching, who, -1), order, axis=1)
    rivals[:, : chosen.shape[1]] = chosen
    return rivals
