"""Training data for MMDetection3D: files of points, images, and info files of version 1.1 (written).

    points/<log>/<timestamp>.bin    float32 x y z intensity ring, at the instant of the frame
    images/<camera>/<log>/<timestamp>.jpg
    infos_train.pkl  infos_val.pkl  paths in them start at the root: `data_prefix=dict(pts="", img="")`

Points and boxes are in the frame of the main LiDAR; where that is tilted by more than five degrees, in one
that stands upright in its place, as boxes have no tilt there. `bbox_3d` is centre, length, width, height and
yaw, as `NuScenesDataset` takes it. The info files are pickles: they are written here and never read.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from calib.cameras import Pinhole
from calib.se3 import SE3
from calib.types import F64
from formats.errors import FormatError
from formats.files import atomic_folder, write_bytes, write_json
from formats.format import Format
from formats.losses import Part
from formats.merged import MergedPoints, merged_sweeps
from formats.names import folder_name
from formats.nuscenes.images import ImageWriter
from formats.nuscenes.points import FULL_INTENSITY
from formats.nuscenes.tokens import microseconds, token_of
from fusion.align import cam_at_shot_from_ego
from fusion.beam import image_of_frame
from fusion.boxes import Boxes
from fusion.course import Course
from fusion.labels import LabelSet, Track
from fusion.log import DriveLog, ImageRef
from fusion.overlap import count_points_in_boxes
from fusion.progress import Progress

INFO_VERSION, FEATURES = "1.1", 5
PICKLE_PROTOCOL = 4
STEEPEST = np.cos(np.radians(5.0))
Info = dict[str, Any]


def write(
    path: Path,
    pairs: Iterable[tuple[DriveLog, LabelSet]],
    *,
    val_share: float = 0.2,
    progress: Progress | None = None,
) -> None:
    """Writes logs with their labels as training data into a folder that is new or empty.

    Args:
        path: the folder; it appears when everything is written.
        pairs: logs of different names, and their labels.
        val_share: so many of the logs are for validation, chosen by their names; at least one is not.
        progress: called with a log's name, frames written so far and frames in all.

    Raises:
        FormatError: it cannot be written, or an input file cannot be read.
    """
    if not 0 <= val_share <= 1:
        raise FormatError(path, "val_share", f"must be a share from 0 to 1, not {val_share}")
    infos: dict[str, list[Info]] = {}
    with atomic_folder(path) as root:
        for log, labels in pairs:
            name = folder_name(path, log.name)
            if name in infos:
                raise FormatError(path, log.name, "two logs of this name")
            infos[name] = [*_LogWriter(root, name, log, labels).infos(progress)]
        _write_infos(root, infos, val_share)


def split_of(names: Iterable[str], val_share: float) -> dict[str, list[str]]:
    """Names of logs for training and for validation: the same names are always split the same way."""
    ordered = sorted(names, key=lambda name: hashlib.md5(name.encode(), usedforsecurity=False).hexdigest())
    count = min(round(val_share * len(ordered)), max(len(ordered) - 1, 0))
    return {"val": sorted(ordered[:count]), "train": sorted(ordered[count:])}


def _write_infos(root: Path, infos: dict[str, list[Info]], val_share: float) -> None:
    names = sorted({entry["name"] for listed in infos.values() for i in listed for entry in i["instances"]})
    categories = {name: number for number, name in enumerate(names)}
    meta = {"categories": categories, "dataset": "crosslabel", "version": "1", "info_version": INFO_VERSION}
    split = split_of(infos, val_share)
    for part, logs in split.items():
        listed = [info for log in logs for info in infos[log]]
        for number, info in enumerate(listed):
            info["sample_idx"] = number
            for entry in info["instances"]:
                entry["bbox_label"] = entry["bbox_label_3d"] = categories[entry.pop("name")]
        content = pickle.dumps({"metainfo": meta, "data_list": listed}, protocol=PICKLE_PROTOCOL)
        write_bytes(root / f"infos_{part}.pkl", content)
    write_json(root / "split.json", {**split, "categories": categories}, indent=1)


class _LogWriter:
    """Writes the files of one log."""

    def __init__(self, root: Path, name: str, log: DriveLog, labels: LabelSet) -> None:
        self.root, self.name, self.log, self.labels = root, name, log, labels
        self.ego_from_lidar = _upright(log)
        self._images = {
            camera.name: ImageWriter(camera, hard_links=False, undistort=True)
            for camera in log.rig.cameras.values()
        }
        self._scale = 0.0
        self._velocities_mps = {track.id: _velocities_mps(log, track) for track in labels.tracks.values()}

    def infos(self, progress: Progress | None) -> Iterable[Info]:
        """What is said of each frame that has points, whose files are written on the way."""
        frames = set(self.log.timestamps_ns.tolist())
        sweeps = [merged for merged in merged_sweeps(self.log) if merged.timestamp_ns in frames]
        for done, merged in enumerate(sweeps, start=1):
            yield self._info(merged.read(self.log))
            if progress is not None:
                progress(self.log.name, done, len(sweeps))

    def _info(self, merged: MergedPoints) -> Info:
        timestamp_ns = merged.timestamp_ns
        world_from_ego = self.log.trajectory.at(timestamp_ns)
        images: Info = {}
        for camera in self.log.rig.cameras:
            ref = image_of_frame(self.log, camera, timestamp_ns)
            if ref is not None and self.log.trajectory.covers(ref.timestamp_ns):
                images[camera] = self._image(ref, timestamp_ns)
        points = self.ego_from_lidar.inverse() @ merged.points_ego
        return {
            "sample_idx": 0,
            "token": token_of(self.log.name, "sample", timestamp_ns),
            "scene_token": token_of(self.log.name, "scene"),
            "log": self.name,
            "timestamp": microseconds(timestamp_ns) / 1e6,
            "timestamp_ns": timestamp_ns,
            "ego2global": world_from_ego.matrix.tolist(),
            "images": images,
            "lidar_points": {
                "num_pts_feats": FEATURES,
                "lidar_path": self._write_points(merged, points),
                "lidar2ego": self.ego_from_lidar.matrix.tolist(),
            },
            "instances": self._instances(timestamp_ns, points),
        }

    def _write_points(self, merged: MergedPoints, points: F64) -> str:
        intensity = merged.together("intensity", 0.0)
        if not self._scale and len(intensity):
            self._scale = FULL_INTENSITY if 0 < np.nanmax(intensity, initial=0.0) <= 1 else 1.0
        rows = np.column_stack([points, intensity * (self._scale or 1.0), merged.together("ring", 0)])
        file = f"points/{self.name}/{merged.timestamp_ns}.bin"
        write_bytes(self.root / file, rows.astype("<f4").tobytes())
        return file

    def _image(self, ref: ImageRef, frame_ns: int) -> Info:
        images = self._images[ref.camera]
        model = images.camera.model if isinstance(images.camera.model, Pinhole) else images.camera.model.plain
        folder = f"images/{folder_name(self.root, ref.camera)}/{self.name}"
        file = f"{folder}/{ref.timestamp_ns}{images.ending(ref)}"
        (self.root / folder).mkdir(parents=True, exist_ok=True)
        images.write(self.root / file, ref)
        cam_from_lidar = cam_at_shot_from_ego(self.log, ref, frame_ns) @ self.ego_from_lidar
        return {
            "img_path": file,
            "height": model.height_px,
            "width": model.width_px,
            "cam2img": model.matrix.tolist(),
            "cam2ego": images.camera.ego_from_sensor.matrix.tolist(),
            "lidar2cam": cam_from_lidar.matrix.tolist(),
            "sample_data_token": token_of(self.log.name, ref.camera, ref.timestamp_ns),
            "timestamp": microseconds(ref.timestamp_ns) / 1e6,
        }

    def _instances(self, timestamp_ns: int, points: F64) -> list[Info]:
        here = [*self.labels.at(timestamp_ns)]
        if not here:
            return []
        boxes = Boxes.stack(annotation.box for _, annotation in here).moved(self.ego_from_lidar.inverse())
        counts = count_points_in_boxes(points, boxes).tolist()
        lidar_from_world = (self.log.trajectory.at(timestamp_ns) @ self.ego_from_lidar).inverse()
        entries = []
        for (track, annotation), numbers, count in zip(here, boxes.upright().tolist(), counts, strict=True):
            velocity_mps = self._velocities_mps[track.id].get(timestamp_ns)
            moved = None if velocity_mps is None else lidar_from_world.rotate(velocity_mps)[:2].tolist()
            entries.append(
                {
                    "name": track.category,
                    "bbox_3d": numbers,
                    "bbox_3d_isvalid": count > 0,
                    "num_lidar_pts": count,
                    "num_radar_pts": 0,
                    "velocity": moved or [float("nan")] * 2,
                    "track_id": track.id,
                    "source": str(annotation.source),
                    "score": annotation.score,
                }
            )
        return entries


def _velocities_mps(log: DriveLog, track: Track) -> dict[int, F64]:
    """Velocities over the ground where a track has more than one box."""
    times_ns = [t for t in track.annotations if log.trajectory.covers(t)]
    if len(times_ns) < 2:
        return {}
    known, _, velocities_mps = Course.of(log, track).at(times_ns)
    return {t: v for t, v, there in zip(times_ns, velocities_mps, known, strict=True) if there}


def _upright(log: DriveLog) -> SE3:
    """The frame of the main LiDAR, or one that stands upright in its place where that is tilted."""
    main = log.rig.main_lidar
    if main is None:
        return SE3.identity()
    ego_from_lidar = main.ego_from_sensor
    if ego_from_lidar.rotation[2, 2] >= STEEPEST:
        return ego_from_lidar
    return SE3.from_yaw(ego_from_lidar.yaw_rad, ego_from_lidar.translation)


def _recognises(path: Path) -> bool:
    """Its info files are pickles, which are not read."""
    return False


def _no_logs(path: Path) -> list[str]:
    return []


MMDET3D = Format(
    name="mmdet3d",
    title="MMDetection3D",
    recognises=_recognises,
    log_ids=_no_logs,
    write=write,
    loses=(
        "Frames without points, and what was measured outside of the trajectory.",
        "The tilt of boxes against the LiDAR; attributes, locks, rectangles in images and reviews.",
        "Which LiDAR measured a point, and when; the distortion of cameras, whose images are resampled.",
    ),
    drops=frozenset(Part),
    options={"val_share": "share of the logs that is for validation"},
)
