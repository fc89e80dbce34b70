"""Whether memory grows with the length of a log: `python -m tests.benchmarks.long_log`.

Drives of one, ten and thirty minutes at a low density of points, each labelled from nothing and checked by
the command in a process of its own. A long drive is several simulated ones, each beginning where the last
one ended. `--cache FOLDER` keeps them.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from calib.se3 import SE3, SE3Batch
from formats.folder import FOLDER
from fusion import DriveLog, Trajectory
from fusion.labels import LabelSet
from fusion.log import SweepRef
from fusion.simulate import Drive, SimulationConfig
from fusion.sweep import Sweep

PART_S, GAP_NS = 60, 100_000_000


@lru_cache(maxsize=1)
def part(number: int) -> DriveLog:
    """One minute of it."""
    config = SimulationConfig("part", 4000 + number, 0, PART_S, rings=16, azimuth_steps=240, cameras=0)
    return Drive(replace(config, vehicles=20, pedestrians=12, cyclists=3)).log()


def long_log(minutes: int) -> DriveLog:
    """Minutes one after the other, in one world."""
    times, poses, sweeps = [], [], []
    world_from_part, shift_ns = SE3.identity(), 0
    for number in range(minutes):
        log = part(number)
        times_ns = log.trajectory.timestamps_ns
        shift_ns = (times[-1][-1] + GAP_NS - times_ns[0]) if times else 0
        if poses:
            world_from_part = poses[-1][-1] @ log.trajectory.world_from_ego[0].inverse()
        times.append(times_ns + shift_ns)
        poses.append([world_from_part @ pose for pose in log.trajectory.world_from_ego])
        (refs,) = log.sweeps.values()
        sweeps += [_moved(number, k, ref, int(shift_ns)) for k, ref in enumerate(refs)]
    every = [pose for some in poses for pose in some]
    world_from_ego = SE3Batch(
        np.array([pose.rotation for pose in every]), np.array([pose.translation for pose in every])
    )
    return replace(
        part(0),
        name=f"{minutes} min",
        trajectory=Trajectory(np.concatenate(times), world_from_ego),
        timestamps_ns=np.array([ref.timestamp_ns for ref in sweeps]),
        sweeps={sweeps[0].lidar: tuple(sweeps)},
        images={},
    )


def _moved(number: int, k: int, ref: SweepRef, shift_ns: int) -> SweepRef:
    """A sweep at a later time."""
    then_ns = ref.timestamp_ns + shift_ns

    def load() -> Sweep:
        (refs,) = part(number).sweeps.values()
        return replace(refs[k].read(), timestamp_ns=then_ns)

    return SweepRef(ref.lidar, then_ns, load)


def measured(folder: Path, minutes: int) -> dict[str, Any]:
    """What the command says of one drive."""
    logs = folder / f"{minutes}min"
    if not logs.is_dir():
        FOLDER.write(logs, [(long_log(minutes), LabelSet())])  # type: ignore[misc]
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "scripts.cli", "autolabel", str(logs), "--out", out, "--json"]
        told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return {
        "minutes": minutes,
        **{name: told["counts"][name] for name in ("frames", "tracks", "boxes")},
        "cpu_s": told["timings_s"]["cpu"],
        "peak_mb": told["peak_memory_mb"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "crosslabel-long")
    parser.add_argument("--minutes", type=int, nargs="+", default=[1, 10, 30])
    arguments = parser.parse_args()
    for minutes in arguments.minutes:
        print(json.dumps(measured(arguments.cache, minutes)), flush=True)


if __name__ == "__main__":
    main()
