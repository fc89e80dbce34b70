"""One revolution of a LiDAR."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from calib.errors import CalibrationError
from calib.se3 import SE3
from calib.types import F32, I32, I64, frozen
from fusion.trajectory import Trajectory

KNOT_NS = 200_000


@dataclass(frozen=True, eq=False)
class Sweep:
    """The points of one revolution, in the frame of the sensor.

    Attributes:
        lidar: name of the sensor in the rig.
        timestamp_ns: the instant that the points and the labels of this frame belong to.
        points: (N, 3) float32 metres in the sensor frame.
        intensity: (N,) float32 as the sensor gives it, or None.
        ring: (N,) int32 laser number, or None.
        offset_ns: (N,) int32, when each point was measured, counted from `timestamp_ns`; or None.
        stamps: whether `timestamp_ns` is the start or the end of the revolution.
        deskewed: whether the points are already where a car standing still at `timestamp_ns` would see them.

    Raises:
        CalibrationError: columns of different length or of wrong shape.
    """

    lidar: str
    timestamp_ns: int
    points: F32
    intensity: F32 | None = None
    ring: I32 | None = None
    offset_ns: I32 | None = None
    stamps: Literal["start", "end"] = "start"
    deskewed: bool = True

    def __post_init__(self) -> None:
        points = frozen(self.points, np.float32)
        if points.ndim != 2 or points.shape[1] != 3:
            raise CalibrationError(f"the points of a sweep need shape (N, 3), not {points.shape}")
        object.__setattr__(self, "points", points)
        for name, dtype in (("intensity", np.float32), ("ring", np.int32), ("offset_ns", np.int32)):
            column = getattr(self, name)
            if column is None:
                continue
            if len(column) != len(points):
                raise CalibrationError(f"a sweep of {len(points)} points has {len(column)} values of {name}")
            object.__setattr__(self, name, frozen(column, dtype))

    def __len__(self) -> int:
        return len(self.points)

    def keep(self, mask: np.ndarray) -> Sweep:
        """The sweep with only the points under a mask or at some indices."""
        return replace(
            self,
            points=self.points[mask],
            intensity=None if self.intensity is None else self.intensity[mask],
            ring=None if self.ring is None else self.ring[mask],
            offset_ns=None if self.offset_ns is None else self.offset_ns[mask],
        )


def deskew(sweep: Sweep, ego_from_lidar: SE3, trajectory: Trajectory) -> Sweep:
    """Moves every point to where it would be seen from the car's pose at the sweep's own instant.

    What stands still in the world becomes sharp; what moves stays smeared along its own motion.
    A sweep without point times, or one that is deskewed, comes back as it is.

    Raises:
        TimeRangeError: a point was measured outside of the trajectory.
    """
    if sweep.deskewed or sweep.offset_ns is None or len(sweep) == 0:
        return sweep
    points = points_seen_at(sweep, ego_from_lidar, trajectory, sweep.timestamp_ns)
    return replace(sweep, points=points, deskewed=True)


def points_seen_at(sweep: Sweep, ego_from_lidar: SE3, trajectory: Trajectory, instant_ns: int) -> F32:
    """(N, 3) where the LiDAR would see the points of a sweep from the car's pose at any instant.

    A raw point is taken there from its own instant, one of a deskewed sweep from the sweep's.
    Poses are interpolated at knots every 0.2 ms and their matrices between the knots
    (error below 1e-7 of the range at 4 rad/s).

    Raises:
        TimeRangeError: the instant, or that of a point, is outside of the trajectory.
    """
    lidar_at_instant_from_world = (trajectory.at(instant_ns) @ ego_from_lidar).inverse()
    if sweep.deskewed or sweep.offset_ns is None or len(sweep) == 0:
        if instant_ns == sweep.timestamp_ns:
            return sweep.points
        world_from_lidar = trajectory.at(sweep.timestamp_ns) @ ego_from_lidar
        lidar_at_instant_from_lidar = lidar_at_instant_from_world @ world_from_lidar
        return lidar_at_instant_from_lidar.cloud(sweep.points)
    from fusion import _kernels

    first, last = int(sweep.offset_ns.min()), int(sweep.offset_ns.max())
    knots_ns: I64 = np.arange(first, last + KNOT_NS, KNOT_NS, dtype=np.int64)
    instants_ns = np.minimum(knots_ns, last) + sweep.timestamp_ns
    world_from_lidar_at_points = trajectory.at_many(instants_ns) @ ego_from_lidar
    lidar_at_instant_from_lidar_at_points = lidar_at_instant_from_world @ world_from_lidar_at_points
    knot_times_ns = (np.minimum(knots_ns, last) - first).astype(np.float64)
    points = np.empty_like(sweep.points)
    _kernels.deskew(
        sweep.points,
        (sweep.offset_ns.astype(np.int64) - first).astype(np.float64),
        knot_times_ns,
        float(KNOT_NS),
        lidar_at_instant_from_lidar_at_points.rotations,
        lidar_at_instant_from_lidar_at_points.translations,
        points,
    )
    return points
