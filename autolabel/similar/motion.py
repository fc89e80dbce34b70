"""How an object moves over the ground, in numbers."""

from __future__ import annotations

import numpy as np

from autolabel.world import LocalWorld, Sightings
from calib.types import F64
from fusion.labels import Track

WINDOW_S, SHORTEST_S = 1.0, 0.3
MOVING_MPS, TURNING_MPS = 0.5, 1.0
MOTION = 4


def motion(world: LocalWorld, track: Track) -> F64:
    """(MOTION,) logarithms of the usual and the highest speed, the share of time that it moves, and how
    much it turns; NaN for what is seen too shortly to tell.
    """
    covered = [a for t, a in track.annotations.items() if world.trajectory.covers(t)]
    seen = Sightings.of(covered, world)
    times_s = world.seconds(seen.times_ns)
    if len(times_s) < 2 or times_s[-1] - times_s[0] < SHORTEST_S:
        return np.full(MOTION, np.nan)
    places, yaws_rad = seen.local_from_box.translations[:, :2], np.unwrap(seen.local_from_box.yaws_rad)
    window_s = min(WINDOW_S, float(times_s[-1] - times_s[0]))
    ends = np.searchsorted(times_s, times_s + window_s - 1e-6)
    starts = np.flatnonzero(ends < len(times_s))
    ends = ends[starts]
    spans_s = times_s[ends] - times_s[starts]
    speeds_mps = np.linalg.norm(places[ends] - places[starts], axis=1) / spans_s
    rates = np.abs(yaws_rad[ends] - yaws_rad[starts]) / spans_s * (speeds_mps > TURNING_MPS)
    return np.array(
        [
            np.log1p(np.median(speeds_mps)),
            np.log1p(np.quantile(speeds_mps, 0.9)),
            (speeds_mps > MOVING_MPS).mean(),
            np.sqrt(np.quantile(rates, 0.9)),
        ]
    )
