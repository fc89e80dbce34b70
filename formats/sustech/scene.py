"""A scene of SUSTechPOINTS as a log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path

import numpy as np

from calib.rig import Camera
from calib.se3 import SE3
from formats.errors import FormatError
from formats.images import read_rgb
from formats.pointcloud import is_point_file, point_file_stem
from formats.pointcloud.sweeps import read_sweep
from formats.rigs.sustech import CALIBRATION, IMAGE_ENDINGS, IMAGES, LIDAR, read_sustech_rig
from fusion.log import DriveLog, ImageRef, MissingFrame, SweepRef
from fusion.trajectory import Trajectory

FRAME_NS = 100_000_000
AROUND_NS = 1_000_000_000
POINTS, LABELS = "lidar", "label"
NUMBER, SECONDS = re.compile(r"\d{1,9}"), re.compile(r"\d{1,10}\.\d{1,9}")


def is_data_set(path: Path) -> bool:
    """Whether a path is a scene or a folder of scenes; never raises."""
    try:
        return bool(scenes(path))
    except OSError:
        return False


def scenes(path: Path) -> list[str]:
    """Names of the scenes at or under a path."""
    if _is_scene(path):
        return [path.resolve().name]
    return sorted(child.name for child in path.iterdir() if _is_scene(child)) if path.is_dir() else []


def _is_scene(path: Path) -> bool:
    return (path / POINTS).is_dir() and any((path / CALIBRATION).glob("*.json"))


def scene_folder(path: Path, log_id: str) -> Path:
    """The folder of one scene.

    Raises:
        FormatError: there is no such scene.
    """
    if log_id not in scenes(path):
        raise FormatError(path, "", f"holds no scene {log_id!r} of SUSTechPOINTS")
    return path if _is_scene(path) else path / log_id


def label_folder(path: Path, log_id: str) -> Path:
    """The folder that holds the labels of a log: its scene, or one that holds labels alone.

    Raises:
        FormatError: there is none.
    """
    alone = [folder for folder in (path / log_id, path) if (folder / LABELS).is_dir()]
    return scene_folder(path, log_id) if log_id in scenes(path) or not alone else alone[0]


def frame_times_ns(folder: Path) -> dict[str, int]:
    """Instants by names of frames, of all that have points or labels, in order of time.

    Raises:
        FormatError: a name is no number, or two names mean one instant.
    """
    names = {point_file_stem(file) for file in (folder / POINTS).glob("*") if is_point_file(file)}
    names |= {file.stem for file in (folder / LABELS).glob("*.json")}
    times_ns = {name: _time_ns(folder, name) for name in names}
    if len(set(times_ns.values())) < len(times_ns):
        raise FormatError(folder, "", "two names of frames mean one instant")
    if not times_ns:
        raise FormatError(folder, "", "holds no frames")
    return dict(sorted(times_ns.items(), key=lambda item: item[1]))


def _time_ns(folder: Path, name: str) -> int:
    if NUMBER.fullmatch(name):
        return int(name) * FRAME_NS
    if SECONDS.fullmatch(name):
        return int(Decimal(name) * 1_000_000_000)
    raise FormatError(folder, name, "the name of a frame is a number, or seconds with a decimal point")


def open_log(path: Path, log_id: str, *, ego_from_lidar: SE3 | None = None) -> DriveLog:
    """Opens a scene; no points and no pixels are read.

    Args:
        path: of the scene, or of a folder of scenes.
        log_id: name of the scene.
        ego_from_lidar: how the LiDAR sits on the car, in place of what the cameras tell.

    Raises:
        FormatError: there is no such scene, or its calibration or a name in it is malformed.
    """
    folder = scene_folder(path, log_id)
    rig = read_sustech_rig(folder, ego_from_lidar=ego_from_lidar)
    times_ns = frame_times_ns(folder)
    points = {point_file_stem(file): file for file in (folder / POINTS).iterdir() if is_point_file(file)}
    images = {name: _image_files(folder, name) for name in rig.cameras}
    first_ns, last_ns = min(times_ns.values()), max(times_ns.values())
    return DriveLog(
        name=log_id,
        rig=rig,
        trajectory=Trajectory.standing([first_ns - AROUND_NS, last_ns + AROUND_NS]),
        timestamps_ns=np.array([*times_ns.values()], dtype=np.int64),
        sweeps={LIDAR: tuple(_sweep(file, times_ns[name]) for name, file in points.items())},
        images={name: tuple(_images(rig.cameras[name], files, times_ns)) for name, files in images.items()},
        missing=tuple(_missing({LIDAR: points, **images}, times_ns)),
        metadata={"format": "sustechpoints", "poses": "none", "clock": "10 frames a second, by their names"},
    )


def _sweep(path: Path, timestamp_ns: int) -> SweepRef:
    return SweepRef(LIDAR, timestamp_ns, partial(read_sweep, path, LIDAR, timestamp_ns, timed=False), path)


def _image_files(folder: Path, camera: str) -> dict[str, Path]:
    found = sorted((folder / IMAGES / camera).glob("*"))
    return {file.stem: file for file in found if file.suffix.lower() in IMAGE_ENDINGS}


def _images(camera: Camera, files: dict[str, Path], times_ns: dict[str, int]) -> Iterator[ImageRef]:
    size_px = (camera.model.width_px, camera.model.height_px)
    for name, path in files.items():
        if name in times_ns:
            yield ImageRef(camera.name, times_ns[name], partial(read_rgb, path, size_px), path)


def _missing(files: dict[str, dict[str, Path]], times_ns: dict[str, int]) -> Iterator[MissingFrame]:
    for sensor, present in files.items():
        for name, timestamp_ns in times_ns.items():
            if name not in present:
                yield MissingFrame(sensor, timestamp_ns, f"no file of frame {name}")
