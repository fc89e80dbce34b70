"""Logs written as plain folders, and their labels beside them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from formats import labels_db
from formats.errors import FormatError
from formats.files import atomic_folder, inside, read_bytes, write_bytes, write_json
from formats.folder import poses
from formats.folder.read import CAMERAS, LIDARS, MOST_DIGITS
from formats.folder.settings import FILE_NAME, LogSettings, SweepSettings, settings_content
from formats.images import write_rgb
from formats.pointcloud import PointCloud, write_pcd
from formats.rigs.rig_json import FILE_NAME as RIG_FILE
from formats.rigs.rig_json import write_rig
from fusion.labels import LabelSet
from fusion.log import DriveLog, ImageRef, SweepRef
from fusion.progress import Progress
from fusion.sweep import Sweep

COPIED = (".jpg", ".jpeg", ".png")


def write(
    path: Path,
    pairs: Iterable[tuple[DriveLog, LabelSet]],
    *,
    progress: Progress | None = None,
) -> None:
    """Writes logs with their labels, a folder each, into a folder that is new or empty.

    Raises:
        FormatError: something stands there, it cannot be written, or two logs share a name.
    """
    with atomic_folder(path) as root:
        for log, labels in pairs:
            folder = inside(root, log.name, path, "name of the log")
            if folder.exists():
                raise FormatError(path, log.name, "two logs of this name")
            _write(folder, log, progress)
            if labels.tracks or labels.reviews or labels.attributes:
                labels_db.write_labels(folder / labels_db.FILE_NAME, log, labels)


def write_folder_log(path: Path, log: DriveLog, *, progress: Progress | None = None) -> None:
    """Writes one log, without labels, as a folder that is new or empty.

    Raises:
        FormatError: something stands there, or it cannot be written.
    """
    with atomic_folder(path) as folder:
        _write(folder, log, progress)


def _write(folder: Path, log: DriveLog, progress: Progress | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_rig(folder / RIG_FILE, log.rig)
    if not _stands(log):
        poses.write_poses(folder / poses.FILE_NAME, log.trajectory)
    said: dict[str, SweepSettings] = {}
    refs: list[SweepRef | ImageRef] = [ref for some in log.sweeps.values() for ref in some]
    refs += [ref for some in log.images.values() for ref in some]
    for done, ref in enumerate(refs, start=1):
        if isinstance(ref, SweepRef):
            said[ref.lidar] = _write_sweep(folder, ref, said.get(ref.lidar))
        else:
            _write_image(_place(folder, CAMERAS, ref.camera) / _name(folder, ref.timestamp_ns), ref)
        if progress is not None:
            progress(log.name, done, len(refs))
    settings = LogSettings(log.name, sweeps=said, metadata=log.metadata)
    write_json(folder / FILE_NAME, settings_content(settings), indent=1)


def _write_sweep(folder: Path, ref: SweepRef, before: SweepSettings | None) -> SweepSettings:
    sweep = ref.read()
    file = _place(folder, LIDARS, ref.lidar) / _name(folder, ref.timestamp_ns)
    cloud = PointCloud(sweep.points, sweep.intensity, sweep.ring, sweep.offset_ns)
    write_pcd(file.with_suffix(".pcd"), cloud)
    return _said(folder, sweep, before)


def _place(folder: Path, kind: str, sensor: str) -> Path:
    place = inside(folder / kind, sensor, folder, f"name of a {kind}")
    if place.parent != folder / kind or sensor.startswith("."):
        raise FormatError(folder, "", f"the name of a sensor must be that of a folder, not {sensor!r}")
    return place


def _said(folder: Path, sweep: Sweep, before: SweepSettings | None) -> SweepSettings:
    """Without times of points it makes no difference whether they are deskewed."""
    deskewed = sweep.deskewed
    if sweep.offset_ns is None:
        deskewed = before.deskewed if before else deskewed
    said = SweepSettings(deskewed, sweep.stamps)
    if before is not None and said != before:
        raise FormatError(folder, sweep.lidar, "its sweeps differ in what they stamp, or in being deskewed")
    return said


def _name(folder: Path, timestamp_ns: int) -> str:
    if timestamp_ns < 0:
        raise FormatError(folder, "", f"an instant before the clock's zero cannot be a name: {timestamp_ns}")
    return f"{timestamp_ns:0{MOST_DIGITS}d}"


def _write_image(file: Path, image: ImageRef) -> None:
    """A file that is an image already is copied as it is."""
    source = image.path
    if source is not None and source.suffix.lower() in COPIED:
        write_bytes(file.with_suffix(source.suffix.lower()), read_bytes(source))
    else:
        write_rgb(file.with_suffix(".png"), image.read())


def _stands(log: DriveLog) -> bool:
    world_from_ego = log.trajectory.world_from_ego
    at_origin = not world_from_ego.translations.any()
    return at_origin and bool((world_from_ego.rotations == np.eye(3)).all())
