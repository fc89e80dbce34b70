"""Logs and labels written as Argoverse 2's sensor data set."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from formats.argoverse2.beside import write_beside
from formats.argoverse2.folder import LABELS_FILE
from formats.argoverse2.sweeps import rounded
from formats.argoverse2.write_labels import Cuboids
from formats.argoverse2.write_sensors import SensorWriter
from formats.extras import labels_extra
from formats.files import atomic_folder, write_json
from formats.merged import MergedSweep, merged_sweeps
from formats.names import folder_name, new_place
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.progress import Progress


def write(
    path: Path,
    pairs: Iterable[tuple[DriveLog, LabelSet]],
    *,
    undistort: bool = True,
    progress: Progress | None = None,
) -> None:
    """Writes logs with their labels, a folder each, as a split of the data set.

    Args:
        path: a folder that is new or empty; it appears when everything is written.
        pairs: logs of different names, and their labels.
        undistort: images of cameras with distortion are resampled to what a pinhole would see, as those of
            Argoverse 2 are; else they stay as they were taken and only our reader knows it.
        progress: called with a log's name, readings written so far and readings in all.

    Raises:
        FormatError: it cannot be written, or an input file cannot be read.
    """
    with atomic_folder(path) as root:
        for log, labels in pairs:
            folder = new_place(root, path, log.name)
            _write_log(folder, log, labels, undistort, progress)


def write_labels(path: Path, log: DriveLog, labels: LabelSet) -> None:
    """Writes the cuboids of one log into a folder of its name; points in them are counted.

    Raises:
        FormatError: it cannot be written, or a sweep cannot be read.
    """
    folder = path / folder_name(path, log.name)
    cuboids = Cuboids(log, labels)
    for merged in merged_sweeps(log):
        if cuboids.at(merged.timestamp_ns):
            cuboids.count(merged.timestamp_ns, rounded(merged.read(log).points_ego))
    _write_labels(folder, labels, cuboids)


def _write_log(
    folder: Path, log: DriveLog, labels: LabelSet, undistort: bool, progress: Progress | None
) -> None:
    sweeps = merged_sweeps(log)
    sensors, cuboids = SensorWriter(folder, log, undistort), Cuboids(log, labels)
    total = len(sweeps) + sum(len(refs) for refs in log.images.values())
    done = 0
    for merged in sweeps:
        points = merged.read(log)
        sensors.write_sweep(points)
        cuboids.count(merged.timestamp_ns, rounded(points.points_ego))
        done += 1
        if progress is not None:
            progress(log.name, done, total)
    for name in log.images:
        for _ in sensors.write_images(name):
            done += 1
            if progress is not None:
                progress(log.name, done, total)
    sensors.write_calibration()
    sensors.write_poses([merged.timestamp_ns for merged in sweeps])
    write_beside(folder, log, _absent_ns(log, sweeps))
    _write_labels(folder, labels, cuboids)


def _write_labels(folder: Path, labels: LabelSet, cuboids: Cuboids) -> None:
    cuboids.write(folder)
    write_json(folder / LABELS_FILE, labels_extra(labels))


def _absent_ns(log: DriveLog, sweeps: list[MergedSweep]) -> dict[str, list[int]]:
    lacking = {name: [m.timestamp_ns for m in sweeps if name not in m.refs] for name in log.rig.lidars}
    return {name: times for name, times in lacking.items() if times}
