"""What the LiDAR saw of a log, frame by frame, in the local world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from autolabel.spool import PutAway, Spool
from autolabel.world import LocalWorld
from calib.se3 import SE3
from calib.types import F32, F64, I32, I64, kernel_view
from fusion.align import points_in_ego, read_deskewed
from fusion.checks.facts import Watcher
from fusion.fan import DIRECTIONS
from fusion.ground import Ground
from fusion.ground.surface import RINGS, SECTORS
from fusion.stages import stage

LOWEST_M, HIGHEST_M = 0.08, 5.0
# Far out the ground is told from few points and may pass for the lower half of a car.
TRUSTED_M, DOUBT_PER_M = 30.0, 0.015
FARTHEST_M = 200.0
# The scans of a drive of 20 s fit in there; those of longer ones need no memory.
ROOM_BYTES = 400_000_000
# With scans in fewer frames objects are not followed by their points.
ENOUGH_SCANS = 0.3


@dataclass(frozen=True, eq=False, slots=True)
class Scan:
    """The points of one frame that do not lie on the ground, as the car standing still would see them.

    Attributes:
        frame: number of the frame among those of `Scans`.
        points: (N, 3) float32 in the local world, sorted by the direction in which the LiDAR saw them.
        starts: where the points of each direction begin, see `fusion.fan`.
        above_m: (N,) float32 height above the ground; NaN where the ground is unknown.
        intensity: (N,) float32 as the sensor gives it; zeros where it gives none.
        local_from_ego: where the car was.
        origin: (3,) where the LiDAR was, in the local world.
        ground: of this frame, in ego.
    """

    frame: int
    points: F32
    starts: I32
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


@dataclass(frozen=True, eq=False, slots=True)
class Stretch:
    """Some frames of a log, one after the other, as if there were no others.

    Attributes:
        whole: the scans of the log.
        frames: numbers of the frames there.
    """

    whole: Scans
    frames: range

    @property
    def world(self) -> LocalWorld:
        """Of the whole log."""
        return self.whole.world

    @property
    def frames_ns(self) -> I64:
        """(F,) their instants."""
        return self.whole.frames_ns[self.frames.start : self.frames.stop]

    def __len__(self) -> int:
        return len(self.frames)

    def __iter__(self) -> Iterator[Scan]:
        return (scan for frame in range(len(self)) if (scan := self.at(frame)) is not None)

    def at(self, frame: int) -> Scan | None:
        """The scan of one frame, numbered from the first of these; None where the log has none."""
        scan = self.whole.at(self.frames[frame])
        return None if scan is None else replace(scan, frame=frame)


@dataclass(eq=False, slots=True)
class Scans:
    """The scans of a log, each read and cleared of its ground once; kept in memory or, if many, in a file.

    Attributes:
        world: the local world of the log.
        watcher: shown each scan when it is read, its ground included.
        frames_ns: (F,) the frames that the trajectory covers.
    """

    world: LocalWorld
    watcher: Watcher | None = None
    frames_ns: I64 = field(init=False)
    _spool: Spool = field(init=False, repr=False)
    _kept: dict[int, _Kept | None] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.frames_ns = self.world.frames_ns
        self._spool = Spool(len(self.frames_ns), ROOM_BYTES)

    def __len__(self) -> int:
        return len(self.frames_ns)

    def of(self, frames: range) -> Stretch:
        """Some frames, one after the other."""
        return Stretch(self, frames)

    @property
    def share(self) -> float:
        """Share of the frames that have a scan."""
        there = [self.world.log.sweep_at(int(t)) is not None for t in self.frames_ns]
        return sum(there) / max(len(there), 1)

    @property
    def grounds(self) -> Mapping[int, Ground]:
        """The ground of every frame that was read so far, by its instant."""
        kept = {int(self.frames_ns[k]): kept for k, kept in self._kept.items() if kept is not None}
        return _Grounds(self, kept)

    def __iter__(self) -> Iterator[Scan]:
        return (scan for frame in range(len(self)) if (scan := self.at(frame)) is not None)

    def at(self, frame: int) -> Scan | None:
        """The scan of one frame; None where the log has none."""
        with stage("scans"):
            if frame not in self._kept:
                self._kept[frame] = self._read(frame)
            kept = self._kept[frame]
            return None if kept is None else self._again(frame, kept)

    def _again(self, frame: int, kept: _Kept) -> Scan:
        """A scan that was read before."""
        heights_m, starts, columns = self._spool.get(kept.arrays)
        places, rest = np.split(columns, [len(columns) // 5 * 3])
        points, (above_m, intensity) = places.reshape(-1, 3), rest.reshape(2, -1)
        ground = Ground(heights_m.reshape(RINGS, SECTORS))
        return Scan(frame, points, starts, above_m, intensity, kept.local_from_ego, kept.origin, ground)

    def _ground(self, kept: _Kept) -> Ground:
        """The ground of a scan that was read before."""
        return Ground(self._spool.get(kept.arrays, 1)[0].reshape(RINGS, SECTORS))

    def _read(self, frame: int) -> _Kept | None:
        from autolabel import _kernels

        log, frame_ns = self.world.log, int(self.frames_ns[frame])
        ref = log.sweep_at(frame_ns)
        if ref is None:
            return None
        sweep = read_deskewed(log, ref)
        points_ego = points_in_ego(log, sweep)
        with stage("ground"):
            ground, heights_m = Ground.under(points_ego)
        if self.watcher is not None:
            self.watcher(ref.lidar, frame_ns, points_ego, heights_m)
        local_from_ego = self.world.local_from_ego(np.array([frame_ns]))[0]
        intensity = np.zeros(len(points_ego), np.float32) if sweep.intensity is None else sweep.intensity
        origin = local_from_ego @ log.rig.lidars[sweep.lidar].ego_from_sensor.translation
        starts, columns = np.empty(DIRECTIONS + 1, np.int32), np.empty(len(points_ego) * 5, np.float32)
        count = _kernels.keep(
            points_ego,
            heights_m,
            kernel_view(intensity, 1, np.float32)[:, 0],
            (LOWEST_M, HIGHEST_M, TRUSTED_M, DOUBT_PER_M, FARTHEST_M),
            np.array(local_from_ego.rotation),
            np.array(local_from_ego.translation),
            np.array(origin),
            starts,
            columns,
        )
        arrays = self._spool.put(ground.heights_m.ravel(), starts, columns[: 5 * count].copy())
        return _Kept(arrays, local_from_ego, origin)


@dataclass(frozen=True, eq=False, slots=True)
class _Kept:
    """What is kept of a scan."""

    arrays: PutAway
    local_from_ego: SE3
    origin: F64


@dataclass(frozen=True, eq=False, slots=True)
class _Grounds(Mapping[int, Ground]):
    """The ground by instant, read from the spool when it is asked for."""

    scans: Scans
    kept: Mapping[int, _Kept]

    def __getitem__(self, timestamp_ns: int) -> Ground:
        return self.scans._ground(self.kept[timestamp_ns])

    def __iter__(self) -> Iterator[int]:
        return iter(self.kept)

    def __len__(self) -> int:
        return len(self.kept)
