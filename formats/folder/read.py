"""A plain log opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from calib.rig import Camera, Rig
from formats.errors import FormatError
from formats.folder import poses
from formats.folder.settings import LogSettings, SweepSettings, read_settings
from formats.images import read_rgb
from formats.pointcloud import is_point_file, point_file_stem
from formats.pointcloud.sweeps import read_sweep
from formats.rigs.rig_json import FILE_NAME as RIG_FILE
from formats.rigs.rig_json import read_rig
from formats.rigs.rig_json import recognises as is_rig
from fusion.log import DriveLog, ImageRef, MissingFrame, SweepRef
from fusion.trajectory import Trajectory

LIDARS, CAMERAS = "lidar", "camera"
IMAGE_ENDINGS = (".jpg", ".jpeg", ".png")
TIMESTAMP_DIGITS, MOST_DIGITS = 12, 19
Files = dict[int, Path]


def is_data_set(path: Path) -> bool:
    """Whether a path is a plain log or a folder of such; never raises."""
    try:
        return bool(_folders(path))
    except (OSError, FormatError):
        return False


def log_names(path: Path) -> list[str]:
    """Names of the logs at or under a path.

    Raises:
        FormatError: two logs share a name, or settings are malformed.
    """
    return sorted(_by_name(path))


def log_folder(path: Path, log_id: str) -> Path:
    """The folder of one log.

    Raises:
        FormatError: there is no such log.
    """
    by_name = _by_name(path)
    if log_id not in by_name:
        raise FormatError(path, "", f"holds no plain log {log_id!r}")
    return by_name[log_id]


def _by_name(path: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in _folders(path):
        name = read_settings(folder).name or folder.resolve().name
        if name in found:
            raise FormatError(path, "", f"two logs are called {name!r}: {found[name].name} and {folder.name}")
        found[name] = folder
    return found


def _folders(path: Path) -> list[Path]:
    if _is_log(path):
        return [path]
    return sorted(child for child in path.iterdir() if _is_log(child)) if path.is_dir() else []


def _is_log(path: Path) -> bool:
    sensors = (path / LIDARS).is_dir() or (path / CAMERAS).is_dir()
    return sensors and (path / RIG_FILE).is_file() and is_rig(path)


@dataclass(frozen=True, slots=True)
class Clock:
    """How names of files tell instants.

    Attributes:
        frames: names are numbers of frames, not timestamps.
        period_ns: from frame to frame.
    """

    frames: bool
    period_ns: float

    def time_ns(self, path: Path, stem: str) -> int:
        """The instant of a file.

        Raises:
            FormatError: its name is no number, or of the other kind.
        """
        if not (stem.isascii() and stem.isdigit() and len(stem) <= MOST_DIGITS and int(stem) < 1 << 62):
            raise FormatError(path, "", "the name of a file is its timestamp in ns or its number of a frame")
        if (len(stem) < TIMESTAMP_DIGITS) != self.frames:
            kind, others = ("number of a frame", "timestamps") if not self.frames else ("timestamp", "frames")
            raise FormatError(path, "", f"named by {kind}, but the log's first file by {others}")
        return round(int(stem) * self.period_ns) if self.frames else int(stem)


def open_log(path: Path, log_id: str) -> DriveLog:
    """Opens a log; no points and no pixels are read.

    Raises:
        FormatError: there is no such log, or its rig, settings, poses or names of files are malformed.
    """
    folder = log_folder(path, log_id)
    settings, rig = read_settings(folder), read_rig(folder).rig
    clock, scans, images = _readings(folder, rig, settings)
    frames_ns = _frames_ns(folder, rig, scans, images)
    trajectory = _trajectory(folder, clock, frames_ns)
    own = {"format": "folder", "poses": poses.FILE_NAME if trajectory else "none"}
    every_ns = [t for found in (*scans.values(), *images.values()) for t in found]
    return DriveLog(
        name=log_id,
        rig=rig,
        trajectory=trajectory or poses.standing_around(min(every_ns), max(every_ns)),
        timestamps_ns=np.array(frames_ns, dtype=np.int64),
        sweeps={name: tuple(_sweeps(name, found, clock, settings)) for name, found in scans.items()},
        images={name: tuple(_images(rig.cameras[name], found)) for name, found in images.items()},
        missing=tuple(_missing(clock, {**scans, **images}, frames_ns)),
        metadata={**settings.metadata, **own},
    )


def _readings(
    folder: Path, rig: Rig, settings: LogSettings
) -> tuple[Clock, dict[str, Files], dict[str, Files]]:
    """The clock, and files by instant of every LiDAR and of every camera."""
    scans, images = _lidar_files(folder, rig), _camera_files(folder, rig)
    stems = [point_file_stem(found[0]) for found in scans.values() if found]
    stems += [found[0].stem for found in images.values() if found]
    clock = Clock(len(next(iter(stems), "")) < TIMESTAMP_DIGITS, 1e9 / settings.frame_rate_hz)
    return (
        clock,
        {name: _timed(clock, found, point_file_stem) for name, found in scans.items()},
        {name: _timed(clock, found, _stem) for name, found in images.items()},
    )


def _frames_ns(folder: Path, rig: Rig, scans: dict[str, Files], images: dict[str, Files]) -> list[int]:
    """The instants of the main LiDAR's sweeps; without any, of the first camera's images."""
    main = rig.main_lidar
    own = scans.get(main.name, {}) if main else {}
    frames_ns = sorted(own or next((found for found in images.values() if found), {}))
    if not frames_ns:
        raise FormatError(folder, "", f"holds no files of points and no images under {LIDARS} and {CAMERAS}")
    return frames_ns


def _lidar_files(folder: Path, rig: Rig) -> dict[str, list[Path]]:
    """Files by LiDAR; those in `lidar` itself are of the only one."""
    root = folder / LIDARS
    loose = _files(root, is_point_file)
    if loose:
        if len(rig.lidars) != 1:
            raise FormatError(root, "", f"holds files of points, but {RIG_FILE} has {len(rig.lidars)} LiDARs")
        return {next(iter(rig.lidars)): loose}
    return _by_sensor(root, [*rig.lidars], is_point_file)


def _camera_files(folder: Path, rig: Rig) -> dict[str, list[Path]]:
    return _by_sensor(folder / CAMERAS, [*rig.cameras], lambda file: file.suffix.lower() in IMAGE_ENDINGS)


def _by_sensor(root: Path, names: list[str], wanted: Callable[[Path], bool]) -> dict[str, list[Path]]:
    folders = sorted(child for child in root.iterdir() if child.is_dir()) if root.is_dir() else []
    for folder in folders:
        if folder.name not in names and not folder.name.startswith("."):
            raise FormatError(folder, "", f"{RIG_FILE} has no sensor of this name, but {', '.join(names)}")
    present = {folder.name: folder for folder in folders}
    return {name: _files(present[name], wanted) for name in names if name in present}


def _files(folder: Path, wanted: Callable[[Path], bool]) -> list[Path]:
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [file for file in found if wanted(file) and not file.name.startswith(".")]


def _stem(path: Path) -> str:
    return path.stem


def _timed(clock: Clock, files: list[Path], stem_of: Callable[[Path], str]) -> Files:
    timed: Files = {}
    for file in files:
        other = timed.setdefault(clock.time_ns(file, stem_of(file)), file)
        if other is not file:
            raise FormatError(file, "", f"of the same instant as {other.name}")
    return dict(sorted(timed.items()))


def _trajectory(folder: Path, clock: Clock, frames_ns: list[int]) -> Trajectory | None:
    """None where there are no poses; those there are must cover every frame."""
    path = folder / poses.FILE_NAME
    if not path.is_file():
        return None
    trajectory = poses.read_poses(path, clock.period_ns)
    for t in (frames_ns[0], frames_ns[-1]):
        if not trajectory.covers(t):
            raise FormatError(path, "", f"has no pose for the frame at {t} ns")
    return poses.carried_on(trajectory, frames_ns[0], frames_ns[-1])


def _sweeps(lidar: str, files: Files, clock: Clock, settings: LogSettings) -> Iterator[SweepRef]:
    """Frames that are only numbered have no clock on which points could have times."""
    said = settings.sweeps.get(lidar, SweepSettings())
    for t, path in files.items():
        load = partial(
            read_sweep, path, lidar, t, timed=not clock.frames, deskewed=said.deskewed, stamps=said.stamps
        )
        yield SweepRef(lidar, t, load, path)


def _images(camera: Camera, files: Files) -> Iterator[ImageRef]:
    size_px = (camera.model.width_px, camera.model.height_px)
    for t, path in files.items():
        yield ImageRef(camera.name, t, partial(read_rgb, path, size_px), path)


def _missing(clock: Clock, files: dict[str, Files], frames_ns: list[int]) -> Iterator[MissingFrame]:
    """In a log of numbered frames, what a sensor lacks of the frames; else nothing can be said."""
    if clock.frames:
        for sensor, present in files.items():
            for t in frames_ns:
                if present and t not in present:
                    yield MissingFrame(sensor, t, "no file of this frame")
