"""KITTI tracking read: the ego frame is the Velodyne's (x forward, y left, z up, 1.73 m above the road)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from calib.errors import CalibrationError
from calib.rig import Camera, Lidar, Rig
from calib.se3 import SE3, SE3Batch
from calib.types import I64
from formats.errors import FormatError
from formats.files import read_text
from formats.images import image_size_px, read_rgb
from formats.kitti.calibration import Calibration, camera_of, read_calibration
from formats.kitti.metadata import (
    FIRST_FRAME,
    LABEL_CAMERA,
    LIDAR,
    RECT0_FROM_EGO,
    USUAL_SIZE_PX,
    label_frame_text,
)
from formats.kitti.oxts import read_oxts
from formats.kitti.scan import read_scan
from formats.kitti.tracking.folder import CAMERAS, Sequence, sequences, training_folder
from fusion.log import DriveLog, ImageRef, MissingFrame, SweepRef
from fusion.trajectory import Trajectory

POSES = "poses"


def open_log(path: Path, log_id: str) -> DriveLog:
    """Opens a sequence; a sequence of labels alone is a log too.

    Raises:
        FormatError: there is no such sequence, or its calibration, poses or times are malformed.
    """
    if log_id not in sequences(path):
        raise FormatError(path, "", f"holds no KITTI sequence {log_id!r}")
    sequence = Sequence(training_folder(path), log_id)
    calibration = read_calibration(sequence.calibration)
    frames = sequence.frames()
    timestamps_ns = sequence.timestamps_ns(frames)
    times_ns = dict(zip(frames, timestamps_ns.tolist(), strict=True))
    images = {name: sequence.images(name) for name in CAMERAS}
    cameras = [
        _camera(sequence, calibration, name, images[name])
        for name in CAMERAS
        if images[name] or name == LABEL_CAMERA
    ]
    scans = sequence.scans()
    trajectory = _trajectory(sequence, calibration, frames, timestamps_ns)
    return DriveLog(
        name=log_id,
        rig=Rig.of((Lidar(LIDAR, SE3.identity()),), tuple(cameras)),
        trajectory=trajectory or Trajectory.standing(timestamps_ns),
        timestamps_ns=timestamps_ns,
        sweeps={LIDAR: tuple(_sweep_ref(times_ns[frame], file) for frame, file in scans.items())},
        images={c.name: tuple(_image_refs(c, images[c.name], times_ns)) for c in cameras if images[c.name]},
        missing=tuple(_missing({LIDAR: scans, **images}, times_ns)),
        metadata={
            "format": "kitti_tracking",
            POSES: "none" if trajectory is None else "oxts",
            FIRST_FRAME: str(frames.start),
            RECT0_FROM_EGO: label_frame_text(calibration.rect0_from_velo),
        },
    )


def _camera(sequence: Sequence, calibration: Calibration, name: str, files: dict[int, Path]) -> Camera:
    size_px = image_size_px(next(iter(files.values()))) if files else USUAL_SIZE_PX
    return camera_of(sequence.calibration, calibration, name, size_px)


def _trajectory(
    sequence: Sequence, calibration: Calibration, frames: range, timestamps_ns: I64
) -> Trajectory | None:
    if not sequence.oxts.is_file():
        return None
    if calibration.velo_from_imu is None:
        raise FormatError(sequence.calibration, "", "without Tr_imu_to_velo, which poses need")
    world_from_imu = read_oxts(sequence.oxts)
    if len(world_from_imu) < frames.stop:
        raise FormatError(
            sequence.oxts, "", f"{len(world_from_imu)} poses, but frame {frames.stop - 1} exists"
        )
    imu_from_velo = calibration.velo_from_imu.inverse()
    world_from_velo = world_from_imu @ imu_from_velo
    return Trajectory(timestamps_ns, world_from_velo.take(slice(frames.start, frames.stop)))


def _sweep_ref(timestamp_ns: int, path: Path) -> SweepRef:
    return SweepRef(LIDAR, timestamp_ns, partial(read_scan, path, timestamp_ns), path)


def _image_refs(camera: Camera, files: dict[int, Path], times_ns: dict[int, int]) -> Iterator[ImageRef]:
    size_px = (camera.model.width_px, camera.model.height_px)
    for frame, path in files.items():
        yield ImageRef(camera.name, times_ns[frame], partial(read_rgb, path, size_px), path)


def _missing(files: dict[str, dict[int, Path]], times_ns: dict[int, int]) -> Iterator[MissingFrame]:
    for sensor, present in files.items():
        for frame in times_ns if present else ():
            if frame not in present:
                yield MissingFrame(sensor, times_ns[frame], f"no file of frame {frame:06d}")


def read_poses(path: Path, log: DriveLog) -> Trajectory:
    """The car's way from visual odometry: `SSSS.txt`, in line i the 3x4 pose of camera 2 at frame i.

    The world is the ego frame of the first line's instant, so its z axis points up as far as the car
    stood level there.

    Raises:
        FormatError: missing, malformed, or too few poses for the log.
    """
    file = path / f"{log.name}.txt" if path.is_dir() else path
    camera = log.rig.cameras.get(LABEL_CAMERA)
    if camera is None:
        raise FormatError(file, "", f"poses of {LABEL_CAMERA}, which the log {log.name} has not")
    start_from_cam = _read_pose_lines(file)
    cam_at_first_from_start = start_from_cam[0].inverse()
    first = int(log.metadata.get(FIRST_FRAME, "0"))
    if len(start_from_cam) < first + len(log):
        raise FormatError(file, "", f"{len(start_from_cam)} poses for {first + len(log)} frames")
    ego_from_cam = camera.ego_from_sensor
    ego_at_first_from_start = ego_from_cam @ cam_at_first_from_start
    ego_at_first_from_ego = ego_at_first_from_start @ start_from_cam @ ego_from_cam.inverse()
    return Trajectory(log.timestamps_ns, ego_at_first_from_ego.take(slice(first, first + len(log))))


def _read_pose_lines(path: Path) -> SE3Batch:
    transforms = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        try:
            row = np.array([float(word) for word in line.split()])
            if row.shape != (12,):
                raise ValueError(f"{row.size} numbers where 12 make a pose")
            transforms.append(SE3.nearest(row.reshape(3, 4)))
        except (CalibrationError, ValueError) as error:
            raise FormatError(path, f"line {number}", str(error)) from None
    if not transforms:
        raise FormatError(path, "", "holds no pose")
    return SE3Batch.stack(transforms)
