"""What one scan of a trip says of places in the world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.se3 import SE3
from calib.types import F32, F64, I64, kernel_view
from fusion.align import points_in_ego, read_deskewed
from fusion.beam import beam_table
from fusion.log import DriveLog

COLUMNS, ROWS = 1000, 100
LOWEST_RAD, PER_RAD = np.radians(-35.0), 1 / np.radians(0.5)


@dataclass(frozen=True, eq=False, slots=True)
class View:
    """One scan, seen from where the LiDAR was when its beam passed each direction.

    Attributes:
        points_ego: (N, 3) all points.
        ego_from_world: where the car was.
        middle: (3,) place of the LiDAR on the car.
        origins: (S, 3) where it was, by direction, in the car's frame of the scan's instant.
        nearest_m: ranges as a panorama.
    """

    points_ego: F32
    ego_from_world: SE3
    middle: F64
    origins: F64
    nearest_m: F64

    @classmethod
    def of(cls, log: DriveLog, frame_ns: int) -> View | None:
        """The scan of a frame; None where there is none."""
        from autolabel.trips import _kernels

        ref = log.sweep_at(frame_ns)
        if ref is None:
            return None
        sweep = read_deskewed(log, ref)
        points_ego = points_in_ego(log, sweep)
        middle = log.rig.lidars[sweep.lidar].ego_from_sensor.translation
        offsets_ns = np.array(beam_table(log) or (0,), dtype=np.int64)
        times_ns = np.clip(frame_ns + offsets_ns, log.trajectory.start_ns, log.trajectory.end_ns)
        ego_from_world = log.trajectory.at(frame_ns).inverse()
        world_from_ego_at_beam = log.trajectory.at_many(times_ns)
        ego_from_ego_at_beam = ego_from_world @ world_from_ego_at_beam
        origins = ego_from_ego_at_beam.rotations @ middle + ego_from_ego_at_beam.translations
        nearest_m = np.empty((ROWS, COLUMNS))
        cloud = kernel_view(points_ego, 3, np.float64)
        _kernels.draw(cloud, middle, origins, LOWEST_RAD, PER_RAD, nearest_m)
        return cls(points_ego, ego_from_world, middle, origins, nearest_m)

    def judge(self, places_world: F64, margin_m: float, far_m: float) -> I64:
        """(M,) verdicts on (M, 3) places: 0 not looked at, 1 something is there, 2 free, 3 hidden."""
        from autolabel.trips import _kernels

        places = kernel_view(self.ego_from_world @ places_world, 3, np.float64)
        verdicts = np.empty(len(places), dtype=np.int64)
        view = (self.middle, self.origins, LOWEST_RAD, PER_RAD, self.nearest_m)
        _kernels.judge(places, *view, margin_m, far_m, verdicts)
        return verdicts
