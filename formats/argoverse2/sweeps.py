"""Lasers and half floats, as Argoverse 2 has them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from calib.types import F64, Floats
from formats.merged import MergedPoints
from fusion.log import DriveLog
from fusion.sweep import Sweep

# Lasers 0 to 31 are those of the upper LiDAR, 32 to 63 those of the lower one.
LASERS = {"up_lidar": (0, 32), "down_lidar": (32, 64)}
MEASURED = ("intensity", "ring", "offset_ns")
# Half floats are taken where they hold what was read from half floats before.
SAME_M = 1e-5


def is_theirs(merged: MergedPoints) -> bool:
    """Whether lasers alone tell the LiDAR, as in Argoverse 2, and nothing needs a note."""
    return all(_is_theirs(name, sweep) for name, sweep in merged.sweeps.items())


def rounded(points: F64) -> Floats:
    """(N, 3) as they are written: half floats where these hold the points, else single ones."""
    with np.errstate(over="ignore"):
        half = points.astype(np.float16)
        same = not len(points) or np.abs(half.astype(np.float64) - points).max() < SAME_M
    return half if same else points.astype(np.float32)


def first_lasers(log: DriveLog) -> dict[str, int]:
    """What is added to the rings of each LiDAR so that no two share a laser, judged by their first sweeps."""
    spans: dict[str, tuple[int, int]] = {}
    for name in log.rig.lidars:
        refs = log.sweeps.get(name, ())
        ring = refs[0].read().ring if refs else None
        known = ring is not None and len(ring) > 0
        spans[name] = (int(ring.min()), int(ring.max()) + 1) if ring is not None and known else (0, 1)
    ordered = sorted(spans.values())
    if all(before[1] <= after[0] for before, after in pairwise(ordered)):
        return dict.fromkeys(spans, 0)
    firsts, free = {}, 0
    for name, (_, last) in spans.items():
        firsts[name] = free
        free += -(-last // 32) * 32
    return firsts


def _is_theirs(name: str, sweep: Sweep) -> bool:
    whole = all(getattr(sweep, column) is not None for column in MEASURED)
    if name not in LASERS or sweep.stamps != "start" or not whole or sweep.ring is None:
        return False
    first, last = LASERS[name]
    return not len(sweep) or first <= int(sweep.ring.min()) <= int(sweep.ring.max()) < last
