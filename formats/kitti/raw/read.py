"""A raw drive as a log; the ego frame is the Velodyne's."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from calib.errors import CalibrationError
from calib.rig import Camera, Rig
from calib.se3 import SE3, SE3Batch
from calib.types import I64
from formats.errors import FormatError
from formats.images import read_rgb
from formats.kitti.metadata import LIDAR
from formats.kitti.oxts import poses_of, read_oxts_rows
from formats.kitti.raw.folder import CAMERAS, IMU_FILE, POSES, SCANS, Drive, drive_of
from formats.kitti.scan import read_scan
from formats.rigs.kitti import read_kitti_raw, read_rigid
from fusion.log import DriveLog, ImageRef, MissingFrame, SweepRef
from fusion.trajectory import Trajectory

AROUND_NS = 1_000_000_000


def open_log(path: Path, log_id: str) -> DriveLog:
    """Opens a drive; no points and no images are read.

    A sweep is of the instant at which the LiDAR looked ahead, when it had the cameras take their images.

    Raises:
        FormatError: there is no such drive, or its calibration, times or poses are malformed.
    """
    drive = drive_of(path, log_id)
    every = read_kitti_raw(drive.day)
    files = {LIDAR: drive.scans(), **{name: drive.images(name) for name in CAMERAS}}
    cameras = tuple(every.cameras[name] for name in CAMERAS if name in every.cameras and files[name])
    files = {name: files[name] for name in (LIDAR, *(camera.name for camera in cameras))}
    times_ns = {name: _times_ns(drive, name, present) for name, present in files.items()}
    main = LIDAR if files[LIDAR] or not cameras else cameras[0].name
    frames_ns = times_ns[main]
    if len(frames_ns) == 0:
        raise FormatError(drive.folder, "", "holds no scans and no images")
    trajectory = _trajectory(drive)
    scans = files.pop(LIDAR)
    return DriveLog(
        name=log_id,
        rig=Rig.of(tuple(every.lidars.values()), cameras),
        trajectory=trajectory or Trajectory.standing([frames_ns[0] - AROUND_NS, frames_ns[-1] + AROUND_NS]),
        timestamps_ns=frames_ns,
        sweeps={LIDAR: tuple(_sweep(times_ns[LIDAR][n], file) for n, file in scans.items())},
        images={c.name: tuple(_images(c, files[c.name], times_ns[c.name])) for c in cameras},
        missing=tuple(_missing({LIDAR: scans, **files}, times_ns)),
        metadata={"format": "kitti_raw", "poses": "none" if trajectory is None else "oxts", "clock": "UTC"},
    )


def _times_ns(drive: Drive, sensor: str, files: dict[int, Path]) -> I64:
    """(F,) instants of a sensor's frames.

    Raises:
        FormatError: there are files, but no times, or too few.
    """
    part = SCANS if sensor == LIDAR else sensor
    times_ns = drive.times_ns(part)
    if times_ns is None or len(times_ns) <= max(files, default=-1):
        if files:
            count = 0 if times_ns is None else len(times_ns)
            message = f"{count} times, but frame {max(files)} exists"
            raise FormatError(drive.folder / part / "timestamps.txt", "", message)
        return np.empty(0, dtype=np.int64)
    return times_ns


def _trajectory(drive: Drive) -> Trajectory | None:
    """The car's way, carried on standing for a second at both ends; None without poses."""
    times_ns, files = drive.times_ns(POSES), drive.files(POSES, ".txt")
    if times_ns is None or not files:
        return None
    rows = []
    for number, file in files.items():
        lines = read_oxts_rows(file)
        if len(lines) != 1 or number >= len(times_ns):
            message = f"{len(lines)} lines" if len(lines) != 1 else f"no time among {len(times_ns)}"
            raise FormatError(file, "", f"{message}, where each frame has one")
        rows.append(lines[0])
    world_from_imu = poses_of(np.array(rows))
    velo_from_imu = read_rigid(drive.day / IMU_FILE)
    world_from_velo = world_from_imu @ velo_from_imu.inverse()
    taken_ns = times_ns[[*files]]
    ends_ns = [taken_ns[0] - AROUND_NS, *taken_ns, taken_ns[-1] + AROUND_NS]
    every: list[SE3] = [world_from_velo[0], *world_from_velo, world_from_velo[len(taken_ns) - 1]]
    try:
        return Trajectory(np.array(ends_ns, dtype=np.int64), SE3Batch.stack(every))
    except CalibrationError as error:
        raise FormatError(drive.folder / POSES, "", str(error)) from None


def _sweep(timestamp_ns: np.int64, file: Path) -> SweepRef:
    return SweepRef(LIDAR, int(timestamp_ns), partial(read_scan, file, int(timestamp_ns)), file)


def _images(camera: Camera, files: dict[int, Path], times_ns: I64) -> Iterator[ImageRef]:
    size_px = (camera.model.width_px, camera.model.height_px)
    for number, file in files.items():
        yield ImageRef(camera.name, int(times_ns[number]), partial(read_rgb, file, size_px), file)


def _missing(files: dict[str, dict[int, Path]], times_ns: dict[str, I64]) -> Iterator[MissingFrame]:
    for sensor, present in files.items():
        for number, timestamp_ns in enumerate(times_ns[sensor].tolist()):
            if present and number not in present:
                yield MissingFrame(sensor, timestamp_ns, f"no file of frame {number:010d}")
