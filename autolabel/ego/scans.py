"""The few points of a sweep that say where the car was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from autolabel.ego.config import MatchingConfig
from calib.se3 import SE3, SE3Batch
from calib.types import F32, I64
from fusion.log import DriveLog
from fusion.sweep import Sweep

SLOTS = 1 << 16
KNOT_NS = 8_000_000
FIRST_FRAMES = 3


@dataclass(frozen=True, eq=False, slots=True)
class ThinSweep:
    """A sweep of which few points are left, spread evenly over what it saw.

    Attributes:
        frame_ns: its instant.
        sweep: its points, as the log has them.
        ego_from_lidar: where the sensor sits.
    """

    frame_ns: int
    sweep: Sweep
    ego_from_lidar: SE3

    @property
    def is_bent(self) -> bool:
        """Whether its points are still as seen from where the car was when each was measured."""
        return not self.sweep.deskewed and self.sweep.offset_ns is not None and len(self.sweep) > 0

    def span_ns(self) -> tuple[int, int]:
        """The instants of its first and last point."""
        if self.sweep.offset_ns is None or len(self.sweep) == 0:
            return self.frame_ns, self.frame_ns
        offset_ns = self.sweep.offset_ns
        return self.frame_ns + min(int(offset_ns.min()), 0), self.frame_ns + max(int(offset_ns.max()), 0)

    def knots_ns(self) -> I64:
        """(K,) even instants from before its first to after its last point."""
        first_ns, last_ns = self.span_ns()
        return np.arange(first_ns, last_ns + KNOT_NS, KNOT_NS, dtype=np.int64)

    def points_ego(self, frame_from_ego_at_knots: SE3Batch | None = None) -> F32:
        """(N, 3) where the car standing still at its instant would see the points, if it moved like this.

        Args:
            frame_from_ego_at_knots: where the car was at `knots_ns`, seen from where it was at the frame;
                only what is not bent needs it not.
        """
        points, offset_ns = self.sweep.points, self.sweep.offset_ns
        if self.is_bent:
            from fusion import _kernels

            assert offset_ns is not None and frame_from_ego_at_knots is not None
            ego_from_lidar = self.ego_from_lidar
            frame_from_lidar_at_knots = frame_from_ego_at_knots @ ego_from_lidar
            first_ns = self.span_ns()[0] - self.frame_ns
            unbent = np.empty_like(points)
            _kernels.deskew(
                points,
                (offset_ns.astype(np.int64) - first_ns).astype(np.float64),
                np.arange(len(frame_from_lidar_at_knots)) * float(KNOT_NS),
                float(KNOT_NS),
                frame_from_lidar_at_knots.rotations,
                frame_from_lidar_at_knots.translations,
                unbent,
            )
            return unbent
        return self.ego_from_lidar.cloud(points)


def thin_sweeps(log: DriveLog, frames_ns: I64, config: MatchingConfig) -> Iterator[ThinSweep | None]:
    """The sweeps of the main LiDAR one by one, None where the log has none; the first with more points.

    A map that is made of one sweep has planes only where its points are dense.
    """
    count = 0
    keys = np.empty(SLOTS, dtype=np.int64)
    for frame_ns in frames_ns.tolist():
        ref = log.sweep_at(frame_ns)
        if ref is None:
            yield None
            continue
        sweep = ref.read()
        count += 1
        cell_m = config.kept_cell_m / (2 if count <= FIRST_FRAMES else 1)
        few = thinned(sweep.points, cell_m, config, keys)
        yield ThinSweep(frame_ns, sweep.keep(few), log.rig.lidars[sweep.lidar].ego_from_sensor)


def thinned(points: F32, cell_m: float, config: MatchingConfig, keys: I64 | None = None) -> I64:
    """Indices of one point in each cell of a cubic grid, of those that are neither too near nor too far."""
    from autolabel.ego import _thin_kernels

    table = np.empty(SLOTS, dtype=np.int64) if keys is None else keys
    chosen = np.empty(len(points), dtype=np.int64)
    few = _thin_kernels.thin(points, config.nearest_m, config.farthest_m, cell_m, table, chosen)
    return chosen[:few]
