"""A log of 1,000 frames for measuring the viewer: full-size files, of which only two frames are different."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from calib.se3 import SE3Batch
from formats.folder import poses
from formats.folder.write import write_folder_log
from fusion.boxes import Box3D
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.log import DriveLog
from fusion.store import LabelStore
from fusion.trajectory import Trajectory

POINTS, CAMERAS, IMAGE_PX = 120_000, 6, (1920, 1080)
FRAMES, TRACKS, EACH = 1000, 2000, 30
STEP_NS = 100_000_000


def make(folder: Path, frames: int = FRAMES, tracks: int = TRACKS) -> tuple[Path, Path]:
    """Writes a log and its labels; gives their paths."""
    from fusion.simulate import SimulationConfig, simulate

    few, _ = simulate(
        SimulationConfig(name="long", seed=3, seconds=0.2, azimuth_steps=2100, image_size_px=IMAGE_PX)
    )
    few = replace(
        few, sweeps={name: tuple(_thinned(ref) for ref in refs) for name, refs in few.sweeps.items()}
    )
    path = folder / "long"
    write_folder_log(path, few)
    times_ns = int(few.timestamps_ns[0]) + STEP_NS * np.arange(frames, dtype=np.int64)
    for place in [*(path / "lidar").rglob("*"), *(path / "camera").rglob("*")]:
        if place.is_dir():
            _repeat(place, times_ns)
    poses.write_poses(path / poses.FILE_NAME, _way(times_ns))
    labels = path.parent / "labels.db"
    LabelStore.create(labels, few.name, _labels(times_ns, tracks), "bench").close()
    return path, labels


def _thinned(ref):
    def load():
        sweep = ref.read()
        return sweep.keep(np.arange(min(len(sweep), POINTS)))

    return replace(ref, load=load)


def _repeat(folder: Path, times_ns: np.ndarray) -> None:
    """The files of a folder again and again, under the names of later instants, without taking more room."""
    files = sorted(file for file in folder.iterdir() if file.is_file())
    if not files:
        return
    own_ns = [int(file.stem) for file in files]
    for number, time_ns in enumerate(times_ns.tolist()):
        source = files[number % len(files)]
        late_ns = own_ns[0] - int(times_ns[0])
        target = folder / f"{time_ns + late_ns}{source.suffix}"
        if not target.exists():
            os.link(source, target)
    for file in files:
        if int(file.stem) - own_ns[0] + int(times_ns[0]) not in times_ns:
            file.unlink()


def _way(times_ns: np.ndarray) -> Trajectory:
    """Straight ahead at 8 m/s, somewhat longer than the frames."""
    known_ns = np.concatenate([times_ns, times_ns[-1] + STEP_NS * np.arange(1, 4)])
    places = np.zeros((len(known_ns), 3))
    places[:, 0] = 8e-9 * (known_ns - known_ns[0])
    return Trajectory(known_ns, SE3Batch(np.tile(np.eye(3), (len(known_ns), 1, 1)), places))


def _labels(times_ns: np.ndarray, tracks: int) -> LabelSet:
    """Things of the size of cars on both sides of the street, each of them seen in some frames."""
    dice, made = np.random.default_rng(0), []
    for number in range(tracks):
        first = int(number / tracks * max(len(times_ns) - EACH, 1))
        y = float(dice.uniform(4, 30) * dice.choice([-1, 1]))
        boxes = []
        for k, time_ns in enumerate(times_ns[first : first + EACH].tolist()):
            box = Box3D.upright((12.0 - 0.8 * k, y, 0.8), (4.5, 1.9, 1.6), float(dice.uniform(-0.1, 0.1)))
            boxes.append(Annotation(time_ns, box, Source.AUTO, 0.9))
        made.append(Track.of(str(number), ("car", "truck", "pedestrian")[number % 3], boxes))
    return LabelSet.of(made)


def opened(path: Path) -> DriveLog:
    """The log, as `crosslabel view` opens it."""
    from formats.registry import find_format

    source = find_format(path)
    assert source.open_log is not None
    return source.open_log(path, source.log_ids(path)[0])
