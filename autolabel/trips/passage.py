"""What is kept of a trip to lay it on others: thin scans every few metres of its way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autolabel.ego.scans import ThinSweep, thin_sweeps, thinned
from autolabel.trips.config import AlignConfig
from calib.se3 import SE3, SE3Batch
from calib.types import F32, F64, I64
from fusion.log import DriveLog
from fusion.trajectory import Trajectory


@dataclass(frozen=True, eq=False, slots=True)
class Station:
    """One scan of a trip, as the car standing still would have seen it.

    Attributes:
        frame_ns: its instant.
        points_ego: (N, 3) what goes into maps.
        few_ego: (M, 3) what is laid on them.
    """

    frame_ns: int
    points_ego: F32
    few_ego: F32


@dataclass(frozen=True, eq=False, slots=True)
class Passage:
    """A trip's stations, and where its own poses put them.

    Attributes:
        log: name.
        stations: in order of time.
        given_from_ego: one pose a station.
        along_m: (K,) way to each station.
    """

    log: str
    stations: tuple[Station, ...]
    given_from_ego: SE3Batch
    along_m: F64

    @property
    def frames_ns(self) -> I64:
        """(K,) the instants."""
        return np.array([station.frame_ns for station in self.stations], dtype=np.int64)

    def part(self, members: I64) -> Passage:
        """Some of the stations."""
        stations = tuple(self.stations[int(k)] for k in members)
        return Passage(self.log, stations, self.given_from_ego.take(members), self.along_m[members])

    @classmethod
    def of(cls, log: DriveLog, given_from_world: SE3, config: AlignConfig) -> Passage:
        """Reads some of the scans of a log."""
        frames_ns = _spaced(log, config.station_m)
        stations = tuple(
            _station(sweep, log.trajectory, config)
            for sweep in thin_sweeps(log, frames_ns, config.matching)
            if sweep is not None and len(sweep.sweep)
        )
        times_ns = np.array([station.frame_ns for station in stations], dtype=np.int64)
        world_from_ego = log.trajectory.at_many(times_ns)
        return cls(log.name, stations, given_from_world @ world_from_ego, _along_m(log, times_ns))


def _spaced(log: DriveLog, station_m: float) -> I64:
    """Frames with a sweep, so far apart on the way; the first and the last among them."""
    frames_ns = log.timestamps_ns
    within = (frames_ns >= log.trajectory.start_ns) & (frames_ns <= log.trajectory.end_ns)
    frames_ns = np.array([t for t in frames_ns[within].tolist() if log.sweep_at(t) is not None], np.int64)
    if len(frames_ns) == 0:
        return frames_ns
    along_m = _along_m(log, frames_ns)
    _, first = np.unique(np.floor(along_m / station_m), return_index=True)
    return np.asarray(frames_ns[np.union1d(first, [len(frames_ns) - 1])])


def _along_m(log: DriveLog, times_ns: I64) -> F64:
    """(N,) the car's way to each of some instants, between them too."""
    every_ns = np.union1d(log.trajectory.timestamps_ns, times_ns)
    places = log.trajectory.at_many(every_ns).translations
    along_m = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(places, axis=0), axis=1))])
    return np.asarray(along_m[np.searchsorted(every_ns, times_ns)])


def _station(sweep: ThinSweep, given: Trajectory, config: AlignConfig) -> Station:
    knots_ns = np.clip(sweep.knots_ns(), given.start_ns, given.end_ns)
    world_from_ego = given.at_many(knots_ns)
    ego_at_frame_from_world = given.at(sweep.frame_ns).inverse()
    points_ego = sweep.points_ego(ego_at_frame_from_world @ world_from_ego)
    few = thinned(points_ego, config.matching.matched_cell_m, config.matching)
    return Station(sweep.frame_ns, points_ego, points_ego[few])
