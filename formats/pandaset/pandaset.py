"""PandaSet (Scale AI and Hesai, 2020) in its original layout, read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from calib.rig import Camera, Lidar, Rig
from calib.se3 import SE3
from formats.errors import FormatError
from formats.format import Format
from formats.images import read_rgb
from formats.pandaset.cuboids import read_labels
from formats.pandaset.folder import (
    EGO_FROM_LIDAR,
    EGO_FROM_POSED,
    Posed,
    cameras,
    frame_file,
    read_posed,
    sequence_folder,
    sequences,
)
from formats.pandaset.rig import extended, lidar_trajectory, place_camera, read_camera
from formats.pickles import Column, read_frame
from formats.pointcloud.cloud import float32_of
from fusion.log import DriveLog, ImageRef, MissingFrame, SweepRef
from fusion.sweep import Sweep

LIDARS = {"pandar64": 0, "pandar_gt": 1}
POINT_COLUMNS = ("x", "y", "z", "i", "t", "d")


def recognises(path: Path) -> bool:
    """Whether a path is a sequence or a folder of sequences."""
    try:
        return bool(sequences(path))
    except OSError:
        return False


def open_log(path: Path, log_id: str) -> DriveLog:
    """Opens a sequence; no file of points is read, and of each camera one image, for its size.

    A camera whose images all lie outside of the times of the LiDAR has no place on the car and is left out.

    Raises:
        FormatError: poses, times or intrinsics are missing or malformed.
    """
    folder = sequence_folder(path, log_id)
    lidar = read_posed(folder / "lidar")
    trajectory = lidar_trajectory(lidar)
    placed: dict[str, tuple[Posed, SE3]] = {}
    for name in cameras(folder):
        posed = read_posed(folder / "camera" / name, len(lidar.timestamps_ns))
        ego_from_cam = place_camera(trajectory, posed)
        if ego_from_cam is not None:
            placed[name] = (posed, ego_from_cam)
    rig_cameras = [read_camera(folder / "camera" / name, place) for name, (_, place) in placed.items()]
    return DriveLog(
        name=log_id,
        rig=Rig.of(tuple(Lidar(name, EGO_FROM_LIDAR) for name in LIDARS), tuple(rig_cameras)),
        trajectory=extended(trajectory, placed),
        timestamps_ns=lidar.timestamps_ns,
        sweeps={name: _sweeps(folder / "lidar", name, lidar) for name in LIDARS},
        images={camera.name: _images(folder, camera, placed[camera.name][0]) for camera in rig_cameras},
        missing=tuple(_missing(folder, lidar, {name: posed for name, (posed, _) in placed.items()})),
        metadata={"format": "pandaset", "attribution": "PandaSet by Hesai and Scale AI"},
    )


def _sweeps(folder: Path, lidar: str, posed: Posed) -> tuple[SweepRef, ...]:
    refs = []
    posed_from_lidar = EGO_FROM_POSED.inverse() @ EGO_FROM_LIDAR
    world_from_posed = posed.world_from_sensor
    world_from_lidars = world_from_posed @ posed_from_lidar
    for frame, t in enumerate(posed.timestamps_ns.tolist()):
        path = folder / frame_file(frame, ".pkl.gz")
        if path.is_file():
            load = partial(_read_sweep, path, lidar, t, world_from_lidars[frame])
            refs.append(SweepRef(lidar, t, load, path))
    return tuple(refs)


def _images(folder: Path, camera: Camera, posed: Posed) -> tuple[ImageRef, ...]:
    size_px = (camera.model.width_px, camera.model.height_px)
    refs = []
    for frame, t in enumerate(posed.timestamps_ns.tolist()):
        path = folder / "camera" / camera.name / frame_file(frame, ".jpg")
        if path.is_file():
            refs.append(ImageRef(camera.name, t, partial(read_rgb, path, size_px), path))
    return tuple(refs)


def _missing(folder: Path, lidar: Posed, images: dict[str, Posed]) -> Iterator[MissingFrame]:
    expected = {"lidar": (lidar, ".pkl.gz", tuple(LIDARS))}
    if (folder / "annotations" / "cuboids").is_dir():
        expected["annotations/cuboids"] = (lidar, ".pkl.gz", ("cuboids",))
    expected |= {f"camera/{name}": (posed, ".jpg", (name,)) for name, posed in images.items()}
    for place, (posed, ending, sensors) in expected.items():
        for frame, t in enumerate(posed.timestamps_ns.tolist()):
            file = frame_file(frame, ending)
            if not (folder / place / file).is_file():
                yield from (MissingFrame(sensor, t, f"no file {place}/{file}") for sensor in sensors)


def _read_sweep(path: Path, lidar: str, timestamp_ns: int, world_from_lidar: SE3) -> Sweep:
    """The points of one LiDAR, out of the world and back into the frame of the sensor."""
    table = read_frame(path)
    missing = [name for name in POINT_COLUMNS if name not in table]
    if missing:
        raise FormatError(path, "", f"without the column {missing[0]!r}")
    own = _numbers(path, table, "d") == LIDARS[lidar]
    x, y, z, intensity, seconds = (_numbers(path, table, name)[own] for name in POINT_COLUMNS[:5])
    points_world = np.column_stack([x, y, z])
    offset_s = seconds - timestamp_ns / 1e9
    if np.abs(offset_s).max(initial=0.0) > 1.0:
        raise FormatError(path, "t", "a point was measured more than a second from its sweep")
    return Sweep(
        lidar=lidar,
        timestamp_ns=timestamp_ns,
        points=world_from_lidar.inverse().cloud(points_world),
        intensity=float32_of(intensity),
        offset_ns=np.round(offset_s * 1e9).astype(np.int32),
        stamps="end",
        deskewed=True,
    )


def _numbers(path: Path, table: dict[str, Column], name: str) -> Column:
    column = table[name]
    if column.dtype == object or not np.isfinite(column).all():
        raise FormatError(path, name, "not finite numbers throughout")
    return column


PANDASET = Format(
    name="pandaset",
    title="PandaSet",
    recognises=recognises,
    log_ids=sequences,
    open_log=open_log,
    read_labels=read_labels,
)
