"""The clips that `crosslabel bench` measures: simulated streets as files on disk, made once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from calib.errors import CrosslabelError

if TYPE_CHECKING:
    from fusion.log import DriveLog
    from fusion.progress import Progress
    from fusion.simulate import Drive, SimulationConfig

FIRST_SEED = 1000
# Of so many pulses comes one back that the sensor counts, on the average of these streets.
PULSES_A_POINT = 1.175


@dataclass(frozen=True, slots=True)
class Street:
    """What all clips have in common.

    Attributes:
        seconds: length of a clip.
        points: of a sweep, about.
    """

    seconds: float
    points: int

    def config(self, seed: int) -> SimulationConfig:
        """One clip: an ordinary street with a red light, ten sweeps a second, six cameras."""
        from fusion.simulate import SimulationConfig

        full = SimulationConfig.full()
        azimuth_steps = round(self.points * PULSES_A_POINT / full.rings)
        return replace(
            full, name=self.name(seed), seed=seed, seconds=self.seconds, azimuth_steps=azimuth_steps
        )

    def name(self, seed: int) -> str:
        """Of a clip and of its folder."""
        return f"bench-{self.seconds:g}s-{self.points}-{seed}"


def made_clips(
    street: Street, count: int, keep: Path | None, workers: int, progress: Progress | None = None
) -> list[Path]:
    """Folders of clips, those that are missing made first.

    Raises:
        CrosslabelError: there is not enough room on the disk.
    """
    root = keep or cache_folder()
    root.mkdir(parents=True, exist_ok=True)
    seeds = range(FIRST_SEED, FIRST_SEED + count)
    folders = [root / street.name(seed) for seed in seeds]
    missing = [(seed, folder) for seed, folder in zip(seeds, folders, strict=True) if not folder.is_dir()]
    _require_room(root, len(missing), street)
    for number, _ in enumerate(_each_made(street, missing, workers)):
        if progress and missing:
            progress("making clips", number, len(missing))
    return folders


def _each_made(street: Street, missing: list[tuple[int, Path]], workers: int) -> Iterator[None]:
    """Makes clips in processes of their own, so that what they leave in memory is not measured."""
    from scripts.bench_measure import processes

    yield
    with processes(workers) as pool:
        jobs = [pool.submit(make, street, seed, folder) for seed, folder in missing]
        for job in jobs:
            job.result()
            yield


def cache_folder() -> Path:
    """Where clips are kept unless a folder is named."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "crosslabel" / "bench"


def make(street: Street, seed: int, folder: Path) -> None:
    """Writes a clip as a plain folder: sweeps in rows of four float32, images that are all one grey one."""
    from formats.files import atomic_folder
    from formats.folder.write import write_folder_log
    from fusion.simulate import Drive

    drive = Drive(street.config(seed))
    log = drive.log()
    with TemporaryDirectory(prefix="crosslabel-bench-") as beside, atomic_folder(folder) as clip:
        write_folder_log(clip, _without_sensors(log, drive, Path(beside) / "grey.png"))
        for name, refs in log.sweeps.items():
            _write_sweeps(clip / "lidar" / name, log, [ref.timestamp_ns for ref in refs])


def _without_sensors(log: DriveLog, drive: Drive, grey: Path) -> DriveLog:
    """The log with no sweeps, and with one grey file for all of its images: nobody opens them."""
    import numpy as np

    from formats.images import write_rgb

    width_px, height_px = drive.config.image_size_px
    write_rgb(grey, np.full((height_px, width_px, 3), 128, dtype=np.uint8))
    images = {name: tuple(replace(ref, path=grey) for ref in refs) for name, refs in log.images.items()}
    return replace(log, sweeps={}, images=images)


def _write_sweeps(folder: Path, log: DriveLog, times_ns: list[int]) -> None:
    """Deskewed sweeps in rows of x, y, z and intensity, as KITTI and nuScenes have them."""
    import numpy as np

    from fusion.align import read_deskewed

    folder.mkdir(parents=True)
    for time_ns in times_ns:
        ref = log.sweep_at(time_ns)
        assert ref is not None
        sweep = read_deskewed(log, ref)
        assert sweep.intensity is not None
        table = np.column_stack([sweep.points, sweep.intensity])
        table.astype("<f4").tofile(folder / f"{time_ns:019d}.bin")


def _require_room(root: Path, count: int, street: Street) -> None:
    needed = int(count * street.seconds * 10 * street.points * 16 * 1.2)
    free = shutil.disk_usage(root).free
    if needed > free:
        raise CrosslabelError(
            f"{root}: {count} clips need {needed >> 20} MiB, but {free >> 20} are free; "
            "--keep names another folder"
        )
