"""Argoverse 2's sensor data set (Wilson et al., 2021), read.

A sweep file holds the points of both LiDARs, lasers 0 to 31 of the upper and 32 to 63 of the lower one,
in half floats, where the car at the timestamp of the sweep would see them. The two meet the same place half
a revolution apart, so each is a LiDAR of its own here.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from calib.errors import CalibrationError
from calib.rig import Rig
from calib.se3 import SE3, SE3Batch
from formats.argoverse2.folder import (
    ANNOTATIONS,
    IMAGES,
    POSES,
    SWEEPS,
    log_folder,
    logs,
    timed_files,
)
from formats.argoverse2.labels import PLACE, QUATERNION, TIME, read_labels
from formats.argoverse2.tables import Table
from formats.errors import FormatError
from formats.format import Format
from formats.images import read_rgb
from formats.rigs.argoverse2 import read_argoverse2
from fusion.log import DriveLog, ImageRef, MissingFrame, SweepRef
from fusion.sweep import Sweep
from fusion.trajectory import Trajectory

LASERS = {"up_lidar": (0, 32), "down_lidar": (32, 64)}
MOST_OFFSET_NS = 1_000_000_000


def recognises(path: Path) -> bool:
    """Whether a path is a log or a folder of logs."""
    try:
        return bool(logs(path))
    except OSError:
        return False


def open_log(path: Path, log_id: str) -> DriveLog:
    """Opens a log: no points and no images are read; sweeps or images may be missing.

    Its frames are its sweeps and what is annotated without one.

    Raises:
        FormatError: calibration or poses are missing or malformed, or nothing says when its frames are.
    """
    folder = log_folder(path, log_id)
    rig = _rig(folder)
    sweeps = timed_files(folder / SWEEPS, (".feather",))
    annotated_ns = _annotated_ns(folder / ANNOTATIONS)
    timestamps_ns = sorted(sweeps.keys() | annotated_ns)
    if not timestamps_ns:
        raise FormatError(folder, "", "has neither sweeps nor annotations")
    return DriveLog(
        name=log_id,
        rig=rig,
        trajectory=_read_trajectory(folder / POSES),
        timestamps_ns=np.array(timestamps_ns, dtype=np.int64),
        sweeps={name: tuple(_sweeps(sweeps, name, rig)) for name in rig.lidars if sweeps},
        images={name: refs for name in rig.cameras if (refs := tuple(_images(folder, name, rig)))},
        missing=tuple(_missing(sweeps, annotated_ns, rig)),
        metadata={"format": "argoverse2", "attribution": "Argoverse 2 by Argo AI"},
    )


def _rig(folder: Path) -> Rig:
    """The sensors, the upper LiDAR first."""
    rig = read_argoverse2(folder)
    for name in LASERS:
        if name not in rig.lidars:
            raise FormatError(folder / "calibration", "", f"without the place of {name}")
    return Rig.of(tuple(rig.lidars[name] for name in LASERS), tuple(rig.cameras.values()))


def _annotated_ns(file: Path) -> set[int]:
    return set(Table(file).whole(TIME).tolist()) if file.is_file() else set()


def _read_trajectory(file: Path) -> Trajectory:
    table = Table(file)
    times_ns, turns_wxyz = table.whole(TIME), table.numbers(QUATERNION)
    lengths = np.linalg.norm(turns_wxyz, axis=1)
    if (np.abs(lengths - 1) > 0.01).any():
        row = int(np.argmax(np.abs(lengths - 1)))
        raise FormatError(file, f"row {row}", f"a quaternion of length {lengths[row]:.4g}, not 1")
    try:
        world_from_ego = SE3Batch.from_quaternions_wxyz(turns_wxyz, table.numbers(PLACE))
        return Trajectory(times_ns, world_from_ego)
    except CalibrationError as error:
        raise FormatError(file, "", str(error)) from None


def _sweeps(files: dict[int, Path], lidar: str, rig: Rig) -> Iterator[SweepRef]:
    ego_from_lidar = rig.lidars[lidar].ego_from_sensor
    for timestamp_ns, path in files.items():
        load = partial(_read_sweep, path, lidar, timestamp_ns, ego_from_lidar)
        yield SweepRef(lidar, timestamp_ns, load, path)


def _images(folder: Path, camera: str, rig: Rig) -> Iterator[ImageRef]:
    model = rig.cameras[camera].model
    size_px = (model.width_px, model.height_px)
    for timestamp_ns, path in timed_files(folder / IMAGES / camera, (".jpg", ".png")).items():
        yield ImageRef(camera, timestamp_ns, partial(read_rgb, path, size_px), path)


def _missing(sweeps: dict[int, Path], annotated_ns: set[int], rig: Rig) -> Iterator[MissingFrame]:
    for timestamp_ns in sorted(annotated_ns - sweeps.keys()) if sweeps else ():
        for name in rig.lidars:
            yield MissingFrame(name, timestamp_ns, f"no file {SWEEPS}/{timestamp_ns}.feather")


def _read_sweep(path: Path, lidar: str, timestamp_ns: int, ego_from_lidar: SE3) -> Sweep:
    """The points of one LiDAR, out of the ego frame and back into the frame of the sensor."""
    table = Table(path)
    lasers, offset_ns = table.whole("laser_number"), table.whole("offset_ns")
    if len(table) and not 0 <= lasers.min() <= lasers.max() < max(last for _, last in LASERS.values()):
        raise FormatError(path, "laser_number", "a laser that neither LiDAR has")
    if np.abs(offset_ns).max(initial=0) > MOST_OFFSET_NS:
        raise FormatError(path, "offset_ns", "a point was measured more than a second from its sweep")
    first, last = LASERS[lidar]
    own = (lasers >= first) & (lasers < last)
    points_ego = table.numbers("xyz")[own]
    return Sweep(
        lidar=lidar,
        timestamp_ns=timestamp_ns,
        points=ego_from_lidar.inverse().cloud(points_ego),
        intensity=table.numbers(("intensity",))[own, 0].astype(np.float32),
        ring=lasers[own].astype(np.int32),
        offset_ns=offset_ns[own].astype(np.int32),
        stamps="start",
        deskewed=True,
    )


ARGOVERSE2 = Format(
    name="argoverse2",
    title="Argoverse 2",
    recognises=recognises,
    log_ids=logs,
    open_log=open_log,
    read_labels=read_labels,
)
