"""The car's trajectory with what was wrong put right, and nothing else touched."""

from __future__ import annotations

import numpy as np

from autolabel.ego.compare import step_sigmas
from autolabel.ego.config import EgoConfig
from autolabel.ego.graph import fused
from autolabel.ego.leaps import beyond, bridged
from autolabel.ego.odometry import follow
from autolabel.ego.report import EgoReport
from autolabel.ego.scans import thin_sweeps
from autolabel.ego.screws import screws_of
from calib.se3 import SE3Batch
from calib.types import F64, I64, Bools
from fusion.log import DriveLog
from fusion.trajectory import Trajectory

FIRM = 1e-6
GIVEN_STEP_M, GIVEN_STEP_RAD = 0.02, 0.002
OVERHANG_NS = 200_000_000
PASSES = 2


def repair(log: DriveLog, report: EgoReport, config: EgoConfig | None = None) -> Trajectory:
    """The trajectory of a log made right where a report found it wrong.

    Poses that have jumped are laid where the scans put them between the poses around; these stay as they
    are, to the bit. Where the poses drift or step, all are moved as smoothly as the scans say. A car
    without poses gets those of its LiDAR. Raw sweeps are unbent with the new poses when they are read
    through the new trajectory; what came unbent already stays as it came.
    """
    config = config or EgoConfig()
    if not report.needs_repair:
        return log.trajectory
    if report.absent:
        return odometry(log, config)
    return _amended(log.trajectory, report, _agreed(report, config), config)


def odometry(log: DriveLog, config: EgoConfig | None = None) -> Trajectory:
    """The trajectory that the scans alone tell, from where the log's own begins.

    Every sweep is read twice: at the second time it is unbent with the motion found at the first. Covers
    all that the log's trajectory covers and the time of every point.
    """
    config = config or EgoConfig()
    found: Trajectory | None = None
    first = log.trajectory.world_from_ego[0]
    for _ in range(PASSES):
        track = follow(thin_sweeps(log, log.timestamps_ns, config.matching), config.matching, found)
        if len(track.frames_ns) == 0:
            return log.trajectory
        world_from_ego = first @ track.start_from_ego
        known = Trajectory(track.frames_ns, world_from_ego)
        times_ns = np.unique(np.concatenate([known.timestamps_ns, _ends_ns(log, known)]))
        found = Trajectory(times_ns, beyond(known, times_ns))
    return log.trajectory if found is None else found


def _ends_ns(log: DriveLog, known: Trajectory) -> I64:
    """How far a trajectory has to reach."""
    return np.array(
        [
            min(log.trajectory.start_ns, known.start_ns - OVERHANG_NS),
            max(log.trajectory.end_ns, known.end_ns + OVERHANG_NS),
        ],
        dtype=np.int64,
    )


def _moved_whole(report: EgoReport) -> bool:
    """Whether no pose is to be kept as it is."""
    return bool(report.drift.drifts.any() or report.steps.any())


def _agreed(report: EgoReport, config: EgoConfig) -> SE3Batch:
    """The poses at the frames."""
    track, jumps = report.track, report.jumps
    given = bridged(report.frames_ns, report.given, jumps & ~track.sure)
    count = len(report.frames_ns)
    prior = np.array([np.radians(config.prior_deg)] * 3 + [config.prior_m] * 3)
    priors = np.tile(prior if _moved_whole(report) else np.full(6, FIRM), (count, 1))
    priors[jumps] = np.inf
    sigmas = step_sigmas(track)
    sigmas[~track.sure] = np.repeat([GIVEN_STEP_RAD, GIVEN_STEP_M], 3)
    start_from_ego = track.start_from_ego
    ego_from_ego_at_next = start_from_ego.take(slice(None, -1)).inverse() @ start_from_ego.take(
        slice(1, None)
    )
    return fused(given, ego_from_ego_at_next, np.maximum(sigmas[1:], sigmas[:-1]), priors)


def _amended(given: Trajectory, report: EgoReport, agreed: SE3Batch, config: EgoConfig) -> Trajectory:
    """The given trajectory at its own times, moved so that it passes the agreed poses at the frames."""
    frames_ns, times_ns = report.frames_ns, given.timestamps_ns
    trusted = ~report.jumps
    shifts = _shifts(report, agreed, trusted)
    amended = given.world_from_ego
    if _moved_whole(report):
        ego_at_given_from_ego = shifts.at_many(np.clip(times_ns, shifts.start_ns, shifts.end_ns))
        amended = amended @ ego_at_given_from_ego
    reference = Trajectory(frames_ns, agreed)
    bad = _off_reference(reference, times_ns, amended, config)
    added_ns = frames_ns[report.jumps & ~np.isin(frames_ns, times_ns)]
    all_ns = np.concatenate([times_ns, added_ns])
    places = beyond(reference, all_ns)
    use = np.concatenate([bad, np.ones(len(added_ns), dtype=bool)])
    rotations, translations = places.rotations.copy(), places.translations.copy()
    kept = np.flatnonzero(~use)
    rotations[kept], translations[kept] = amended.rotations[kept], amended.translations[kept]
    order = np.argsort(all_ns)
    return Trajectory(all_ns[order], SE3Batch(rotations[order], translations[order]))


def _shifts(report: EgoReport, agreed: SE3Batch, trusted: Bools) -> Trajectory:
    """From the agreed car to the given one at the trusted frames, as something to interpolate in."""
    rows = np.flatnonzero(trusted)
    ego_at_given_from_ego = report.given.take(rows).inverse() @ agreed.take(rows)
    return Trajectory(report.frames_ns[rows], ego_at_given_from_ego)


def _off_reference(reference: Trajectory, times_ns: I64, poses: SE3Batch, config: EgoConfig) -> Bools:
    """Which poses lie as far off as jumps do; far from any frame nobody can tell."""
    near = (times_ns >= reference.start_ns - OVERHANG_NS) & (times_ns <= reference.end_ns + OVERHANG_NS)
    off: F64 = screws_of(beyond(reference, times_ns).inverse() @ poses)
    far = np.linalg.norm(off[:, 3:], axis=1) > config.jump_m
    turned = np.linalg.norm(off[:, :3], axis=1) > np.radians(config.jump_deg)
    return np.asarray(near & (far | turned))
