"""Sweeps, images, calibration and poses of a log to files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from calib.cameras import Pinhole
from calib.rig import Camera, Rig
from calib.se3 import SE3, SE3Batch
from formats.argoverse2.folder import BESIDE, CALIBRATION, IMAGES, POSES, SWEEPS
from formats.argoverse2.labels import PLACE, QUATERNION, TIME
from formats.argoverse2.read import LIDAR_COLUMN, OWN
from formats.argoverse2.sweeps import LASERS, MEASURED, first_lasers, is_theirs, rounded
from formats.argoverse2.tables import write_table
from formats.errors import FormatError
from formats.images import write_rgb
from formats.merged import MergedPoints
from formats.nuscenes.images import ImageWriter
from formats.rigs.argoverse2 import INTRINSICS, PLACES
from formats.rigs.rig_json import FILE_NAME as RIG_FILE
from formats.rigs.rig_json import write_rig
from fusion.beam import beam_table
from fusion.log import DriveLog, ImageRef

NAME = "sensor_name"
FULL = 255


class SensorWriter:
    """Writes what a log measured, file by file."""

    def __init__(self, folder: Path, log: DriveLog, undistort: bool) -> None:
        self.folder, self.log = folder, log
        self._firsts = first_lasers(log)
        self._images = {
            name: ImageWriter(camera, hard_links=False, undistort=undistort)
            for name, camera in log.rig.cameras.items()
        }
        self._shots_ns: set[int] = set()

    def write_sweep(self, merged: MergedPoints) -> None:
        """Writes the points of all LiDARs at one instant.

        Raises:
            FormatError: it cannot be written.
        """
        file = self.folder / SWEEPS / f"{_file_stem(self.folder, merged.timestamp_ns)}.feather"
        names = [*merged.sweeps]
        counts = [len(sweep) for sweep in merged.sweeps.values()]
        theirs = is_theirs(merged)
        firsts = np.repeat([0 if theirs else self._firsts[name] for name in names], counts)
        lasers = merged.together("ring", 0).astype(np.int64) + firsts
        late_ns = np.repeat([s.timestamp_ns - merged.timestamp_ns for s in merged.sweeps.values()], counts)
        offset_ns = merged.together("offset_ns", 0).astype(np.int64) + late_ns
        columns: dict[str, Any] = dict(zip("xyz", rounded(merged.points_ego).T, strict=True))
        columns["intensity"] = _narrowed(merged.together("intensity", 0).astype(np.float32))
        columns["laser_number"] = lasers.astype(np.uint8 if lasers.max(initial=0) <= FULL else np.int32)
        columns["offset_ns"] = offset_ns.astype(np.int32)
        note = None
        if not theirs:
            columns[LIDAR_COLUMN] = np.repeat(np.arange(len(names)), counts).astype(np.uint8)
            note = {"lidars": [self._noted(merged, name) for name in names]}
        write_table(file, columns, note)

    def _noted(self, merged: MergedPoints, name: str) -> dict[str, Any]:
        sweep = merged.sweeps[name]
        measured = [column for column in MEASURED if getattr(sweep, column) is not None]
        return {
            "name": name,
            "first_laser": self._firsts[name],
            "stamps": sweep.stamps,
            "measured": measured,
        }

    def write_images(self, camera: str) -> Iterator[ImageRef]:
        """Writes the images of a camera as JPEG, giving out each; those outside of the trajectory not.

        Raises:
            FormatError: one cannot be read or written.
        """
        folder, images = self.folder / IMAGES / _folder_name(self.folder, camera), self._images[camera]
        folder.mkdir(parents=True, exist_ok=True)
        for ref in self.log.images.get(camera, ()):
            if self.log.trajectory.covers(ref.timestamp_ns):
                file = folder / f"{_file_stem(self.folder, ref.timestamp_ns)}.jpg"
                self._shots_ns.add(ref.timestamp_ns)
                _write_jpeg(file, images, ref)
            yield ref

    def write_poses(self, sweeps_ns: Sequence[int]) -> None:
        """Writes the trajectory, and the poses at the instants of readings that it has none for."""
        own = self.log.trajectory
        known = set(own.timestamps_ns.tolist())
        more = sorted({*sweeps_ns, *self._shots_ns} - known)
        times_ns = np.concatenate([own.timestamps_ns, np.array(more, dtype=np.int64)])
        order = np.argsort(times_ns, kind="stable")
        poses = SE3Batch.concatenate([own.world_from_ego, own.at_many(more)]).take(order)
        columns: dict[str, Any] = {TIME: times_ns[order], **_pose_columns(poses)}
        if more:
            columns[OWN] = order < len(known)
        write_table(self.folder / POSES, columns)

    def write_calibration(self) -> None:
        """Writes the tables of Argoverse 2, and the rig in our own file."""
        rig = self._rig()
        lidars = lidar_rows(rig)
        places = [*lidars.values(), *(camera.ego_from_sensor for camera in rig.cameras.values())]
        folder = self.folder / CALIBRATION
        names = [*lidars, *rig.cameras]
        write_table(folder / PLACES, {NAME: names, **_pose_columns(SE3Batch.stack(places))})
        rows = [_intrinsics(camera) for camera in rig.cameras.values()]
        columns: dict[str, Any] = {NAME: _strings([*rig.cameras])}
        for column in ("fx_px", "fy_px", "cx_px", "cy_px", "k1", "k2", "k3"):
            columns[column] = np.array([row[column] for row in rows], dtype=np.float64)
        for column in ("height_px", "width_px"):
            columns[column] = np.array([row[column] for row in rows], dtype=np.uint16)
        write_table(folder / INTRINSICS, columns)
        write_rig(self.folder / BESIDE / RIG_FILE, rig)

    def _rig(self) -> Rig:
        """The sensors as they are written: cameras without distortion where images are."""
        lidars = [*self.log.rig.lidars.values()]
        if lidars:
            lidars[0] = replace(lidars[0], beam_offset_ns=beam_table(self.log))
        return Rig.of(tuple(lidars), tuple(images.camera for images in self._images.values()))


def lidar_rows(rig: Rig) -> dict[str, SE3]:
    """Places of LiDARs by the names that others look for: `up_lidar` and `down_lidar` are always there."""
    free = iter([name for name in LASERS if name not in rig.lidars])
    rows: dict[str, SE3] = {}
    for name, lidar in rig.lidars.items():
        named = name if name in LASERS else next(free, name if "lidar" in name else f"{name}_lidar")
        rows[named] = lidar.ego_from_sensor
    main = rig.main_lidar
    for name in free:
        rows[name] = main.ego_from_sensor if main else SE3.identity()
    return rows


def _intrinsics(camera: Camera) -> dict[str, float]:
    model = camera.model if isinstance(camera.model, Pinhole) else camera.model.plain
    k1, k2, _, _, k3 = model.coefficients[:5]
    names = ("fx_px", "fy_px", "cx_px", "cy_px", "width_px", "height_px")
    return {name: getattr(model, name) for name in names} | {"k1": k1, "k2": k2, "k3": k3}


def _pose_columns(poses: SE3Batch) -> dict[str, Any]:
    columns = dict(zip(QUATERNION, poses.quaternions_wxyz.T, strict=True))
    return columns | dict(zip(PLACE, poses.translations.T, strict=True))


def _write_jpeg(file: Path, images: ImageWriter, ref: ImageRef) -> None:
    if images.ending(ref) in (".jpg", ".jpeg"):
        images.write(file, ref)
    else:
        write_rgb(file, ref.read())


def _narrowed(intensity: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Bytes where these hold the values."""
    fit = (intensity >= 0) & (intensity <= FULL) & (intensity == np.floor(intensity))
    return intensity.astype(np.uint8) if fit.all() else intensity


def _strings(values: list[str]) -> Any:
    import pyarrow  # type: ignore[import-untyped]

    return pyarrow.array(values, pyarrow.string())


def _folder_name(folder: Path, camera: str) -> str:
    if not re.fullmatch(r"[^/\\\x00-\x1f.][^/\\\x00-\x1f]{0,100}", camera):
        raise FormatError(folder, "", f"the name of a camera must be that of a folder, not {camera[:60]!r}")
    return camera


def _file_stem(folder: Path, timestamp_ns: int) -> str:
    if not 0 <= timestamp_ns < 10**19:
        raise FormatError(folder, "", f"an instant that cannot be the name of a file: {timestamp_ns}")
    return str(timestamp_ns)
