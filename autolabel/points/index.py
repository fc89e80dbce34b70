"""The points of one frame, as kernels find them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autolabel.scans import Scan, Scans
from autolabel.world import LocalWorld
from calib.se3 import SE3Batch
from calib.types import F32, F64, I64, kernel_view
from fusion.beam import beam_offset_ns, beam_table
from fusion.log import DriveLog

REACH_M = 0.5
MOST_SCANS = 400


@dataclass(frozen=True, eq=False, slots=True)
class PointIndex:
    """The points of a scan, found by their direction from the LiDAR.

    Attributes:
        scan: what was seen.
        points: (N, 3) float32 in the local world.
        fan: where the points of each direction begin, the beam's times by sector, and the LiDAR's place and
            the car's heading, as kernels take it.
        world: the local world.
    """

    scan: Scan
    points: F32
    fan: tuple[Any, ...]
    world: LocalWorld

    @classmethod
    def of(cls, scan: Scan, world: LocalWorld) -> PointIndex:
        """As its points lie in the scan."""
        beam_s = np.array(beam_table(world.log), dtype=np.float64) / 1e9
        origin = np.array([*scan.origin, scan.local_from_ego.yaw_rad])
        starts = kernel_view(scan.starts, 1, np.int32)[:, 0]
        return cls(scan, kernel_view(scan.points, 3, np.float32), (starts, beam_s, origin), world)

    def moves(self, poses: F64, velocities: F64, halves: F64, times_s: F64 | None = None) -> F64:
        """(K, 4) how objects at (K, 4) poses move while the beam passes them; see `BeamTimes.moves`."""
        places_ego = self.scan.local_from_ego.inverse() @ _outline(poses, halves).reshape(-1, 3)
        late_s = None if times_s is None else times_s - self.seconds
        return _moves(self.world.log, places_ego, velocities, late_s)

    @property
    def seconds(self) -> float:
        """Of the frame, since the first."""
        return float(self.world.seconds(self.world.frames_ns[self.scan.frame : self.scan.frame + 1])[0])


@dataclass(eq=False, slots=True)
class PointBank:
    """The scans of a log, each read again once, unless it has not been asked for in a long time.

    Attributes:
        scans: what the LiDAR saw.
        most: so many scans are kept at most.
        beam: when it passes what.
    """

    scans: Scans
    most: int = MOST_SCANS
    beam: BeamTimes = field(init=False, repr=False)
    _indexes: OrderedDict[int, PointIndex | None] = field(init=False, repr=False, default_factory=OrderedDict)
    _shown: dict[int, bool] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.beam = BeamTimes.of(self.scans)

    def __len__(self) -> int:
        return len(self.scans)

    def __iter__(self) -> Iterator[PointIndex]:
        return (index for frame in range(len(self)) if (index := self.at(frame)) is not None)

    def at(self, frame: int) -> PointIndex | None:
        """The points of a frame; None where there are none."""
        if frame not in self._indexes:
            scan = self.scans.at(frame)
            seen = scan is not None and len(scan) > 0
            self._indexes[frame] = PointIndex.of(scan, self.scans.world) if scan and seen else None
            self._shown[frame] = seen
            if len(self._indexes) > self.most:
                self._indexes.popitem(last=False)
        self._indexes.move_to_end(frame)
        return self._indexes[frame]

    def shown(self, frame: int) -> bool:
        """Whether there are points in a frame; looks the scan up only once."""
        if frame not in self._shown:
            self.at(frame)
        return self._shown[frame]


@dataclass(frozen=True, eq=False, slots=True)
class BeamTimes:
    """When the beam passes places, in all frames of a log at once.

    Attributes:
        scans: of the log.
        ego_from_local: (F) where the car was.
    """

    scans: Scans
    ego_from_local: SE3Batch

    @classmethod
    def of(cls, scans: Scans) -> BeamTimes:
        """Looks up the car's poses once."""
        return cls(scans, scans.world.local_from_ego(scans.frames_ns).inverse())

    def seen_s(self, places: F64) -> F64:
        """(K, F) seconds since the first frame, for (K, F, 3 or more) places, one in each frame."""
        rotations, translations = self.ego_from_local.rotations, self.ego_from_local.translations
        places_ego = np.einsum("fij,kfj->kfi", rotations, places[..., :3]) + translations
        late_ns = beam_offset_ns(self.scans.world.log, places_ego.reshape(-1, 3))
        return self.scans.world.seconds(self.scans.frames_ns + late_ns.reshape(places.shape[:2]))

    def moves(self, frames: I64, poses: F64, velocities: F64, halves: F64, times_s: F64) -> F64:
        """(R, 4) how an object at (R, 4) poses, each in a frame of its own, moves while the beam passes it.

        That is its velocity, when in the sweep it is at its pose, and how far it gets before the beam has
        passed all of it: far where the sweep begins on one side of it and ends on the other. There the
        instant of a pose does not follow from its place, so that it has to be said: (R,) `times_s`.
        """
        rotations = self.ego_from_local.rotations[frames]
        translations = self.ego_from_local.translations[frames]
        places_ego = np.einsum("rij,krj->kri", rotations, _outline(poses, halves)) + translations
        late_s = times_s - self.scans.world.seconds(self.scans.frames_ns[frames])
        return _moves(self.scans.world.log, places_ego.reshape(-1, 3), velocities, late_s)


def _outline(poses: F64, halves: F64) -> F64:
    """(5, K, 3) the middles and the corners of boxes of (K, 3) half sizes at (K, 4) poses."""
    c, s, far = np.cos(poses[:, 3]), np.sin(poses[:, 3]), halves + REACH_M
    places = np.repeat(poses[None, :, :3], 5, axis=0)
    for row, (x, y) in enumerate(((1, 1), (1, -1), (-1, -1), (-1, 1)), start=1):
        places[row, :, 0] += x * far[:, 0] * c - y * far[:, 1] * s
        places[row, :, 1] += x * far[:, 0] * s + y * far[:, 1] * c
    return places


def _moves(log: DriveLog, places_ego: F64, velocities: F64, late_s: F64 | None) -> F64:
    beam_s = beam_offset_ns(log, places_ego).reshape(5, -1) / 1e9
    middles_s = beam_s[0] if late_s is None else late_s
    longest_s = np.abs(beam_s[1:] - middles_s).max(axis=0)
    reach_m = longest_s * np.hypot(velocities[:, 0], velocities[:, 1])
    return np.column_stack([velocities[:, :2], middles_s, reach_m])
