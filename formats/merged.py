"""The sweeps of all LiDARs of a log put together, where the car at one instant would see their points."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from calib.types import F64
from fusion.log import DriveLog, SweepRef
from fusion.sweep import Sweep, points_seen_at

NEAR_NS = 100_000_000


@dataclass(frozen=True, eq=False, slots=True)
class MergedPoints:
    """The points of all LiDARs where the car at one instant would see them.

    Attributes:
        timestamp_ns: the instant.
        sweeps: by LiDAR.
        points_ego: (N, 3) of one LiDAR after the other.
    """

    timestamp_ns: int
    sweeps: Mapping[str, Sweep]
    points_ego: F64

    def together(self, name: str, missing: float) -> np.ndarray[Any, Any]:
        """(N,) a column of all LiDARs; `missing` where one has none."""
        parts = [
            np.full(len(sweep), missing) if getattr(sweep, name) is None else getattr(sweep, name)
            for sweep in self.sweeps.values()
        ]
        return np.concatenate(parts)


@dataclass(frozen=True, eq=False, slots=True)
class MergedSweep:
    """The sweeps that belong together.

    Attributes:
        timestamp_ns: the instant that their points are taken to.
        refs: by LiDAR, in the order of the rig.
    """

    timestamp_ns: int
    refs: Mapping[str, SweepRef]

    def read(self, log: DriveLog) -> MergedPoints:
        """The points, from disk.

        Raises:
            FormatError: a file cannot be read.
            TimeRangeError: a point was measured outside of the trajectory.
        """
        sweeps, points = {}, [np.empty((0, 3))]
        for name, ref in self.refs.items():
            sweep = ref.read()
            ego_from_lidar = log.rig.lidars[name].ego_from_sensor
            seen = points_seen_at(sweep, ego_from_lidar, log.trajectory, self.timestamp_ns)
            points.append(ego_from_lidar @ seen.astype(np.float64))
            sweeps[name] = sweep
        return MergedPoints(self.timestamp_ns, sweeps, np.concatenate(points))


def merged_sweeps(log: DriveLog) -> list[MergedSweep]:
    """At every frame and every sweep of the main LiDAR, the nearest sweep of each.

    A sweep serves once at most, and within 0.1 s. What was measured outside of the trajectory is left out.
    """
    main = log.rig.main_lidar
    if main is None:
        return []
    own = [ref.timestamp_ns for ref in log.sweeps.get(main.name, ())]
    instants_ns = [t for t in sorted({*log.timestamps_ns.tolist(), *own}) if log.trajectory.covers(t)]
    chosen: dict[int, dict[str, SweepRef]] = {t: {} for t in instants_ns}
    for name in log.rig.lidars:
        for instant_ns, ref in _nearest(log.sweeps.get(name, ()), instants_ns, name == main.name):
            chosen[instant_ns][name] = ref
    return [MergedSweep(t, refs) for t, refs in chosen.items() if refs]


def _nearest(refs: tuple[SweepRef, ...], instants_ns: list[int], exact: bool) -> list[tuple[int, SweepRef]]:
    best: dict[int, SweepRef] = {}
    for ref in refs if instants_ns else ():
        at = bisect_left(instants_ns, ref.timestamp_ns)
        around = instants_ns[max(at - 1, 0) : at + 1]
        instant_ns = min(around, key=lambda t: abs(t - ref.timestamp_ns))
        apart_ns = abs(instant_ns - ref.timestamp_ns)
        kept = best.get(instant_ns)
        if apart_ns > (0 if exact else NEAR_NS) or (
            kept is not None and abs(instant_ns - kept.timestamp_ns) <= apart_ns
        ):
            continue
        best[instant_ns] = ref
    return [*best.items()]
