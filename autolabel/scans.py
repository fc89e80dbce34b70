"""What the LiDAR saw of a log, frame by frame, in the local world."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

import numpy as np

from autolabel.world import LocalWorld
from calib.se3 import SE3
from calib.types import F32, F64, I64, kernel_view
from fusion.align import points_in_ego, read_deskewed
from fusion.checks.facts import Watcher
from fusion.ground import Ground

LOWEST_M, HIGHEST_M = 0.08, 5.0
# Far out the ground is told from few points and may pass for the lower half of a car.
TRUSTED_M, DOUBT_PER_M = 30.0, 0.015
FARTHEST_M = 200.0
# With scans in fewer frames objects are not followed by their points.
ENOUGH_SCANS = 0.3


@dataclass(frozen=True, eq=False, slots=True)
class Scan:
    """The points of one frame that do not lie on the ground, as the car standing still would see them.

    Attributes:
        frame: number of the frame among those of `Scans`.
        points: (N, 3) float32 in the local world.
        above_m: (N,) float32 height above the ground; NaN where the ground is unknown.
        intensity: (N,) float32 as the sensor gives it; zeros where it gives none.
        local_from_ego: where the car was.
        origin: (3,) where the LiDAR was, in the local world.
        ground: of this frame, in ego.
    """

    frame: int
    points: F32
    above_m: F32
    intensity: F32
    local_from_ego: SE3
    origin: F64
    ground: Ground

    def __len__(self) -> int:
        return len(self.points)

    def ground_at(self, places: F64) -> F64:
        """(M,) height in the local world of the ground below or above (M, 3) places; NaN where unknown."""
        places_ego = self.local_from_ego.inverse() @ places
        places_ego[:, 2] = self.ground.height_at(places_ego[:, :2])
        return np.asarray((self.local_from_ego @ places_ego)[:, 2])


@dataclass(eq=False, slots=True, weakref_slot=True)
class Scans:
    """The scans of a log, each read and cleared of its ground once and kept in a file that needs no memory.

    Attributes:
        world: the local world of the log.
        watcher: shown each scan when it is read, its ground included.
        frames_ns: (F,) the frames that the trajectory covers.
    """

    world: LocalWorld
    watcher: Watcher | None = None
    frames_ns: I64 = field(init=False)
    _spool: IO[bytes] = field(init=False, repr=False)
    _kept: dict[int, _Kept | None] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.frames_ns = self.world.frames_ns
        self._spool = tempfile.TemporaryFile(prefix="crosslabel-")  # noqa: SIM115
        weakref.finalize(self, self._spool.close)

    def __len__(self) -> int:
        return len(self.frames_ns)

    @property
    def share(self) -> float:
        """Share of the frames that have a scan."""
        there = [self.world.log.sweep_at(int(t)) is not None for t in self.frames_ns]
        return sum(there) / max(len(there), 1)

    def __iter__(self) -> Iterator[Scan]:
        return (scan for frame in range(len(self)) if (scan := self.at(frame)) is not None)

    def at(self, frame: int) -> Scan | None:
        """The scan of one frame; None where the log has none."""
        if frame not in self._kept:
            self._kept[frame] = self._read(frame)
        kept = self._kept[frame]
        if kept is None:
            return None
        self._spool.seek(kept.start)
        columns = np.frombuffer(self._spool.read(kept.count * 20), dtype=np.float32)
        points, (above_m, intensity) = columns[: kept.count * 3], columns[kept.count * 3 :].reshape(2, -1)
        origin = kept.local_from_ego @ kept.origin_ego
        return Scan(
            frame, points.reshape(-1, 3), above_m, intensity, kept.local_from_ego, origin, kept.ground
        )

    def _read(self, frame: int) -> _Kept | None:
        from autolabel import _kernels

        log, frame_ns = self.world.log, int(self.frames_ns[frame])
        ref = log.sweep_at(frame_ns)
        if ref is None:
            return None
        sweep = read_deskewed(log, ref)
        points_ego = points_in_ego(log, sweep)
        ground, heights_m = Ground.under(points_ego)
        if self.watcher is not None:
            self.watcher(ref.lidar, frame_ns, points_ego, heights_m)
        local_from_ego = self.world.local_from_ego(np.array([frame_ns]))[0]
        size = len(points_ego)
        points, above_m, kept = (
            np.empty((size, 3), np.float32),
            np.empty(size, np.float32),
            np.empty(size, np.float32),
        )
        intensity = np.zeros(size, np.float32) if sweep.intensity is None else sweep.intensity
        count = _kernels.keep(
            points_ego,
            heights_m,
            kernel_view(intensity, 1, np.float32)[:, 0],
            (LOWEST_M, HIGHEST_M, TRUSTED_M, DOUBT_PER_M, FARTHEST_M),
            np.array(local_from_ego.rotation),
            np.array(local_from_ego.translation),
            points,
            above_m,
            kept,
        )
        start = self._spool.seek(0, 2)
        for column in (points, above_m, kept):
            self._spool.write(column[:count].data)
        origin_ego = log.rig.lidars[sweep.lidar].ego_from_sensor.translation
        return _Kept(start, count, local_from_ego, origin_ego, ground)


@dataclass(frozen=True, eq=False, slots=True)
class _Kept:
    """Where in the spool a scan lies, and what is kept beside it."""

    start: int
    count: int
    local_from_ego: SE3
    origin_ego: F64
    ground: Ground
