"""Whether the car's poses agree with its scans: what is parked has to stay where it is."""

from __future__ import annotations

import numpy as np

from autolabel.ego.compare import Drift, apart, drift_of, jumped, off_neighbours, step_sigmas
from autolabel.ego.config import EgoConfig
from autolabel.ego.leaps import bridged, leaps
from autolabel.ego.odometry import Track, completed, follow
from autolabel.ego.report import EgoReport
from autolabel.ego.scans import thin_sweeps
from calib.se3 import SE3Batch
from calib.types import F64, Bools
from fusion.log import DriveLog

STANDING_M, STANDING_RAD = 0.01, 1e-6


def check(log: DriveLog, config: EgoConfig | None = None) -> EgoReport:
    """Compares the poses of a log with what its main LiDAR alone tells, frame by frame and in the long run.

    Every sweep is read once. Where there is none, only jumps are seen that no car can make.
    """
    config = config or EgoConfig()
    frames_ns = log.timestamps_ns
    frames_ns = frames_ns[(frames_ns >= log.trajectory.start_ns) & (frames_ns <= log.trajectory.end_ns)]
    given = log.trajectory.at_many(frames_ns)
    if len(frames_ns) == 0:
        return EgoReport.empty(log.name)
    stands = _stands(given)
    scans = thin_sweeps(log, frames_ns, config.matching)
    track = follow(scans, config.matching, None if stands else log.trajectory)
    absent = stands and track.way_m > config.moved_m
    leaping, leap = leaps(frames_ns, given)
    track = completed(track, frames_ns, bridged(frames_ns, given, leaping))
    off = off_neighbours(given, track, config.neighbours)
    off = np.where(np.isfinite(off), off, leap)
    jumps = np.where(track.sure, jumped(off, step_sigmas(track), config), leaping)
    steps = _steps(given, track, ~jumps & track.sure, config)
    drift = drift_of(given, track, ~jumps & track.sure, config)
    if absent:
        none = np.zeros(len(frames_ns), dtype=bool)
        return EgoReport(log.name, frames_ns, given, track, off, none, none, Drift.none(), absent)
    return EgoReport(log.name, frames_ns, given, track, off, jumps, steps, drift, absent)


def _stands(given: SE3Batch) -> bool:
    """Whether all poses are the same, as where nobody knows them."""
    spread = np.ptp(given.translations, axis=0).max(), np.ptp(given.rotations, axis=0).max()
    return len(given) > 1 and bool(spread[0] < STANDING_M and spread[1] < STANDING_RAD)


def _steps(given: SE3Batch, track: Track, trusted: Bools, config: EgoConfig) -> Bools:
    """Trusted poses that lie off the trusted ones before them, though not off those after."""
    frames = np.flatnonzero(trusted)
    found = np.zeros(len(given), dtype=bool)
    if len(frames) > 1:
        between: F64 = apart(given, track.start_from_ego, frames[:-1], frames[1:])
        sigmas = step_sigmas(track)[frames[1:]] * np.sqrt(np.diff(frames))[:, None]
        found[frames[1:]] = jumped(between, sigmas, config)
    return found
