"""The drives that the detector is fitted to and reported on; simulated sweeps are kept in a folder."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from formats.pandaset import PANDASET
from fusion.labels import LabelSet
from fusion.log import DriveLog, SweepRef
from fusion.simulate import SimulationConfig, simulate, visible_only
from fusion.sweep import Sweep
from tests.conftest import SHARED_DATA

STYLES = ("straight", "curve", "stop")
TUNED = (*range(1, 14), 101)
REPORTED = (100, 102, 103)
REAL = "PandaSet 002"


@dataclass(frozen=True, eq=False, slots=True)
class LabelledDrive:
    """A log with what is truly there.

    Attributes:
        truth: with `num_points` in the attributes of each annotation.
        tuned: whether settings were chosen looking at it.
    """

    name: str
    log: DriveLog
    truth: LabelSet
    tuned: bool


def real_drive() -> LabelledDrive | None:
    """PandaSet 002; nothing where it is absent."""
    folder = SHARED_DATA / "pandaset" / "002"
    if not folder.is_dir():
        print(f"no PandaSet at {folder}: left out", file=sys.stderr)
        return None
    log = PANDASET.open_log(folder, PANDASET.log_ids(folder)[0])
    return LabelledDrive(REAL, log, visible_only(log, PANDASET.read_labels(folder, log)), True)


def simulated_drive(seed: int, cache: Path | None) -> LabelledDrive:
    """Five seconds, and what can be seen in them."""
    log, truth = simulated(seed, cache)
    return LabelledDrive(log.name, log, visible_only(log, truth), seed in TUNED)


def simulated(seed: int, cache: Path | None) -> tuple[DriveLog, LabelSet]:
    """Five seconds with 120,000 firings a sweep, and all that is there."""
    config = SimulationConfig(
        name=f"simulated {seed}",
        seed=seed,
        seconds=5.0,
        azimuth_steps=1875,
        style=STYLES[seed % 3],
        cameras=0,
    )
    log, truth = simulate(config)
    if cache is not None:
        log = kept(log, cache / f"detector_{seed}")
    return log, truth


def all_drives(cache: Path | None) -> Iterator[LabelledDrive]:
    """The real one, the tuned simulated ones, and those that are only reported."""
    real = real_drive()
    if real is not None:
        yield real
    for seed in (*TUNED, *REPORTED):
        yield simulated_drive(seed, cache)


def kept(log: DriveLog, folder: Path) -> DriveLog:
    """The same log, whose sweeps are kept in a folder once they were read."""
    folder.mkdir(parents=True, exist_ok=True)
    sweeps = {
        lidar: tuple(
            replace(ref, load=partial(kept_sweep, folder / f"{lidar}_{k:03d}.npz", ref))
            for k, ref in enumerate(refs)
        )
        for lidar, refs in log.sweeps.items()
    }
    return replace(log, sweeps=sweeps)


def kept_sweep(path: Path, ref: SweepRef) -> Sweep:
    """A sweep from a file, which is written first where it is missing."""
    if not path.exists():
        sweep = ref.read()
        partly = path.with_suffix(".part.npz")
        np.savez(partly, points=sweep.points, intensity=sweep.intensity, offset_ns=sweep.offset_ns)
        partly.rename(path)
    with np.load(path) as found:
        columns = {name: found[name] for name in ("intensity", "offset_ns")}
        return Sweep(ref.lidar, ref.timestamp_ns, found["points"], deskewed=False, **columns)
