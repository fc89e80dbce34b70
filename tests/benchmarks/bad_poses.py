"""Drives whose poses were made worse on purpose, as loggers do it."""

from dataclasses import dataclass, replace

import numpy as np

from calib import SE3Batch
from calib.types import I64
from fusion import DriveLog, Trajectory

JUMP_SHARE, JUMP_M, DRIFT_SHARE = 0.05, (0.5, 2.0), 0.01


@dataclass(frozen=True, eq=False, slots=True)
class BadDrive:
    """A log with wrong poses, and at which of its frames they jump."""

    log: DriveLog
    jumps: I64


def jumping(log: DriveLog, seed: int, share: float = JUMP_SHARE, every_pose: bool = False) -> BadDrive:
    """Some frames shifted by 0.5 to 2 m sideways or along, all poses within half a frame of them.

    The trajectory has a pose a frame or, with `every_pose`, all those of the log's own.
    """
    rng = np.random.default_rng((seed, 41))
    frames_ns, times_ns = log.timestamps_ns, _times_ns(log, every_pose)
    jumps = np.sort(rng.choice(len(frames_ns), max(1, round(share * len(frames_ns))), replace=False))
    turns, sizes_m = rng.uniform(0, 2 * np.pi, len(jumps)), rng.uniform(*JUMP_M, len(jumps))
    shifts = sizes_m[:, None] * np.column_stack([np.cos(turns), np.sin(turns), np.zeros(len(jumps))])
    poses = log.trajectory.at_many(times_ns)
    places = poses.translations.copy()
    half_ns = int(np.median(np.diff(frames_ns))) // 2
    for frame_ns, shift in zip(frames_ns[jumps], shifts, strict=True):
        places[np.abs(times_ns - frame_ns) < half_ns] += shift
    return BadDrive(replace(log, trajectory=Trajectory(times_ns, SE3Batch(poses.rotations, places))), jumps)


def drifting(log: DriveLog, seed: int, share: float = DRIFT_SHARE) -> BadDrive:
    """Poses that drift off in one direction, by a share of the way."""
    rng = np.random.default_rng((seed, 43))
    times_ns = _times_ns(log, False)
    poses = log.trajectory.at_many(times_ns)
    steps_m = np.linalg.norm(np.diff(poses.translations, axis=0), axis=1)
    way_m, turn = np.concatenate([[0.0], np.cumsum(steps_m)]), rng.uniform(0, 2 * np.pi)
    places = poses.translations + share * way_m[:, None] * np.array([np.cos(turn), np.sin(turn), 0.0])
    trajectory = Trajectory(times_ns, SE3Batch(poses.rotations, places))
    return BadDrive(replace(log, trajectory=trajectory), np.zeros(0, dtype=np.int64))


def without_scans(log: DriveLog, seed: int, share: float) -> DriveLog:
    """Some sweeps lost, never the first."""
    rng = np.random.default_rng((seed, 47))
    kept = {
        name: tuple(ref for k, ref in enumerate(refs) if k == 0 or rng.random() >= share)
        for name, refs in log.sweeps.items()
    }
    return replace(log, sweeps=kept)


def _times_ns(log: DriveLog, every_pose: bool) -> I64:
    """The times of the poses: the frames and both ends, or those of the log."""
    if every_pose:
        return log.trajectory.timestamps_ns
    ends_ns = [log.trajectory.start_ns, log.trajectory.end_ns]
    return np.unique(np.concatenate([log.timestamps_ns, ends_ns]))
