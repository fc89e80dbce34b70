"""Boxes of a whole log in one frame that stands still."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from calib.se3 import SE3, SE3Batch
from calib.types import F64, I64, Bools
from fusion.beam import beam_offset_ns
from fusion.boxes import Box3D, Boxes
from fusion.labels import Annotation
from fusion.log import DriveLog
from fusion.trajectory import Trajectory

# The LiDAR sits so far within the car, or further.
CAR_M = 0.5


@dataclass(frozen=True, eq=False)
class LocalWorld:
    """The world seen from where the car stood at a log's first frame.

    Counted from there, no result depends on where a data set puts the origin of its world.
    """

    log: DriveLog
    local_from_world: SE3
    start_ns: int

    @classmethod
    def of(cls, log: DriveLog) -> LocalWorld:
        """Around the first frame of a log that its trajectory covers."""
        covered = [int(t) for t in log.timestamps_ns if log.trajectory.covers(int(t))]
        start_ns = covered[0] if covered else log.trajectory.start_ns
        return cls(log, log.trajectory.at(start_ns).inverse(), start_ns)

    @property
    def trajectory(self) -> Trajectory:
        """Of the car."""
        return self.log.trajectory

    @cached_property
    def frames_ns(self) -> I64:
        """(F,) the frames at which the car's pose is known, rising."""
        frames_ns = self.log.timestamps_ns
        return frames_ns[self.covers(frames_ns)]

    def covers(self, times_ns: I64) -> Bools:
        """(N,) whether the car's pose is known at each instant."""
        return np.asarray((times_ns >= self.trajectory.start_ns) & (times_ns <= self.trajectory.end_ns))

    def seconds(self, times_ns: I64) -> F64:
        """(N,) seconds since the first frame."""
        return (times_ns - self.start_ns) / 1e9

    def local_from_ego(self, times_ns: I64) -> SE3Batch:
        """Where the car is at each instant; at frames it was looked up once."""
        frames_ns, at_frames = self._at_frames
        rows = np.minimum(np.searchsorted(frames_ns, times_ns), len(frames_ns) - 1)
        if len(frames_ns) and np.array_equal(frames_ns[rows], times_ns):
            return at_frames.take(rows)
        return self._looked_up(times_ns)

    @cached_property
    def _at_frames(self) -> tuple[I64, SE3Batch]:
        return self.frames_ns, self._looked_up(self.frames_ns)

    def _looked_up(self, times_ns: I64) -> SE3Batch:
        world_from_ego = self.trajectory.at_many(times_ns)
        return self.local_from_world @ world_from_ego

    def lidar_at(self, times_ns: I64) -> F64:
        """(N, 3) where the main LiDAR is at each instant; where the car is, if the log has none."""
        lidar, local_from_ego = self.log.rig.main_lidar, self.local_from_ego(times_ns)
        if lidar is None:
            return local_from_ego.translations
        turned = local_from_ego.rotations @ lidar.ego_from_sensor.translation
        return np.asarray(turned + local_from_ego.translations)

    def seen_s(self, frames_ns: I64, places: F64) -> F64:
        """(N,) seconds at which the LiDAR's beam passes (N, 3) places of the local world in these frames."""
        ego_from_local = self.local_from_ego(frames_ns).inverse()
        return self.seconds(frames_ns + beam_offset_ns(self.log, ego_from_local @ places))


@dataclass(frozen=True, eq=False, slots=True)
class Sightings:
    """The boxes of one object over time in the local world.

    Attributes:
        times_ns: (N,) rising.
        local_from_box: N poses.
        sizes_lwh_m: (N, 3).
    """

    times_ns: I64
    local_from_box: SE3Batch
    sizes_lwh_m: F64

    @classmethod
    def of(cls, annotations: Iterable[Annotation], world: LocalWorld) -> Sightings:
        """From annotations in order of time at instants that the world covers."""
        listed = list(annotations)
        times_ns = np.array([a.timestamp_ns for a in listed], dtype=np.int64)
        boxes = Boxes.stack(a.box for a in listed)
        ego_from_box = boxes.dst_from_box
        local_from_box = world.local_from_ego(times_ns) @ ego_from_box
        return cls(times_ns, local_from_box, boxes.sizes_lwh_m)

    @classmethod
    def none(cls) -> Sightings:
        """Of an object that was never seen."""
        return cls(np.zeros(0, dtype=np.int64), SE3Batch.stack(()), np.zeros((0, 3)))

    @classmethod
    def concatenate(cls, parts: Iterable[Sightings]) -> Sightings:
        """Those of several objects, one after the other; their times rise no longer."""
        listed = [cls.none(), *parts]
        return cls(
            np.concatenate([part.times_ns for part in listed]),
            SE3Batch.concatenate(part.local_from_box for part in listed),
            np.concatenate([part.sizes_lwh_m for part in listed]),
        )

    def __len__(self) -> int:
        return len(self.times_ns)

    def boxes(self, world: LocalWorld) -> list[Box3D]:
        """The boxes in the ego frame of each instant."""
        ego_from_local = world.local_from_ego(self.times_ns).inverse()
        ego_from_box = ego_from_local @ self.local_from_box
        sizes_m = self.sizes_lwh_m.tolist()
        return [
            Box3D(pose, length, width, height)
            for pose, (length, width, height) in zip(ego_from_box, sizes_m, strict=True)
        ]
