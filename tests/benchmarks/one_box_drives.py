"""Drives whose objects are all known, of which one frame is given; and what may go wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from autolabel.scans import Scan, Scans
from autolabel.world import LocalWorld
from calib.se3 import SE3Batch
from formats.pandaset import PANDASET
from fusion.align import read_deskewed
from fusion.labels import LabelSet
from fusion.log import DriveLog, SweepRef
from fusion.simulate import SimulationConfig, simulate
from fusion.sweep import Sweep
from fusion.trajectory import Trajectory
from tests.conftest import SHARED_DATA

DROPPED_EVERY, SHIFTED, SHIFTS_M = 5, 0.05, (0.5, 2.0)
TUNED, REPORTED, CONTRACT = "tuned on", "reported", "contract, tuned on"
REAL = {11: CONTRACT, 3: REPORTED, 18: REPORTED}
SIMULATED = {
    ("stop", 1): TUNED,
    ("curve", 2): TUNED,
    ("straight", 3): TUNED,
    ("stop", 100): REPORTED,
    ("curve", 101): REPORTED,
    ("straight", 102): REPORTED,
    ("stop", 103): REPORTED,
}


@dataclass(frozen=True, eq=False)
class Drive:
    """A drive, its truth, and the frame in which the boxes are given.

    Attributes:
        name: of the row.
        use: whether constants were chosen on it.
        log: with sweeps that are quick to read again.
        truth: all objects at all frames.
        seed: number of the frame.
    """

    name: str
    use: str
    log: DriveLog
    truth: LabelSet
    seed: int


def drives(wanted: set[str], cache: Path | None) -> Iterator[Drive]:
    """Those asked for, or all; sweeps are kept in memory, or in a folder."""
    path = SHARED_DATA / "pandaset"
    for seed, use in REAL.items():
        name = f"pandaset-{seed}"
        if wanted and name not in wanted:
            continue
        if not path.is_dir():
            print(f"{name}: left out, there is no {path}", flush=True)
            continue
        log = PANDASET.open_log(path / "002", "002")
        yield Drive(name, use, kept(log, None), PANDASET.read_labels(path / "002", log), seed)
    for (style, seed), use in SIMULATED.items():
        name = f"{style}-{seed}"
        if not wanted or name in wanted:
            config = replace(SimulationConfig.full(), seed=seed, style=style, cameras=0)
            log, truth = simulate(config)
            yield Drive(name, use, kept(log, cache / name if cache else None), truth, len(log) // 2)


def kept(log: DriveLog, folder: Path | None) -> DriveLog:
    """The log with compensated sweeps of its main LiDAR that are made once."""
    main, memory = log.rig.main_lidar, {}
    assert main is not None

    def reader(number: int, ref: SweepRef):
        def read() -> Sweep:
            if folder is not None:
                return from_folder(log, ref, folder / f"{number}.npz")
            if number not in memory:
                memory[number] = replace(read_deskewed(log, ref), ring=None)
            return memory[number]

        return read

    refs = tuple(replace(ref, load=reader(k, ref)) for k, ref in enumerate(log.sweeps[main.name]))
    return replace(log, sweeps={main.name: refs}, images={})


def from_folder(log: DriveLog, ref: SweepRef, path: Path) -> Sweep:
    """A compensated sweep, from a file that is written the first time."""
    if not path.exists():
        sweep = read_deskewed(log, ref)
        path.parent.mkdir(parents=True, exist_ok=True)
        offsets = {} if sweep.offset_ns is None else {"o": sweep.offset_ns}
        np.savez(path, p=sweep.points, **offsets)
    with np.load(path) as columns:
        points, offset_ns = columns["p"], columns.get("o")
    lidar = log.rig.main_lidar
    assert lidar is not None
    return Sweep(lidar.name, ref.timestamp_ns, points, None, None, offset_ns, deskewed=True)


def without_some_scans(log: DriveLog) -> DriveLog:
    """Every fifth scan is lost."""
    return replace(
        log,
        sweeps={
            name: tuple(ref for k, ref in enumerate(refs) if k % DROPPED_EVERY != DROPPED_EVERY - 1)
            for name, refs in log.sweeps.items()
        },
    )


def with_shifted_poses(log: DriveLog, seed: int) -> DriveLog:
    """One pose a frame, one of twenty shifted by 0.5 to 2 m; that of the seed is right."""
    rng, frames_ns = np.random.default_rng(5), log.timestamps_ns
    covered = (frames_ns >= log.trajectory.start_ns) & (frames_ns <= log.trajectory.end_ns)
    frames_ns = frames_ns[covered]
    poses = log.trajectory.at_many(frames_ns)
    places = poses.translations.copy()
    count = max(1, round(SHIFTED * len(places)))
    for k in rng.choice(np.setdiff1d(np.arange(2, len(places) - 2), [seed]), count, replace=False):
        angle_rad, far_m = rng.uniform(0, 2 * np.pi), rng.uniform(*SHIFTS_M)
        places[k, :2] += far_m * np.array([np.cos(angle_rad), np.sin(angle_rad)])
    return replace(log, trajectory=Trajectory(frames_ns, SE3Batch(poses.rotations, places)))


class Seen(Scans):
    """The scans of a log as those of another drive of the same sweeps saw them: the ground is found once."""

    def __init__(self, log: DriveLog, plain: Scans) -> None:
        super().__init__(LocalWorld.of(log))
        self.plain = plain

    def at(self, frame: int) -> Scan | None:
        """The scan of one frame; None where the log has none."""
        frame_ns = int(self.frames_ns[frame])
        scan = self.plain.at(int(np.searchsorted(self.plain.frames_ns, frame_ns)))
        if scan is None or self.world.log.sweep_at(frame_ns) is None:
            return None
        local_from_ego = self.world.local_from_ego(self.frames_ns[frame : frame + 1])[0]
        local_from_plain = local_from_ego @ scan.local_from_ego.inverse()
        points = (local_from_plain @ scan.points.astype(np.float64)).astype(np.float32)
        origin = local_from_plain @ scan.origin
        return replace(scan, frame=frame, points=points, local_from_ego=local_from_ego, origin=origin)
