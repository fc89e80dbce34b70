"""A nuScenes-style data set to logs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from calib.errors import CalibrationError
from calib.rig import Camera, Rig
from calib.types import I64, U8
from formats.errors import FormatError
from formats.files import inside
from formats.images import read_rgb
from formats.nuscenes.index import Index, index_of, tables_folder
from formats.nuscenes.log import Aside, Beside, FileRef, SceneLog
from formats.nuscenes.points import read_points
from formats.nuscenes.sensors import MAIN_LIDAR, camera_of, lidar_of, poses_of
from formats.nuscenes.tables import Row
from fusion.log import DriveLog, ImageRef, MissingFrame, SweepRef
from fusion.sweep import Sweep
from fusion.trajectory import Trajectory

COLUMNS = frozenset({"intensity", "ring"})
SAME = 1e-7


def recognises(path: Path) -> bool:
    """Whether a folder, or a folder in it, holds the tables."""
    try:
        return tables_folder(path) is not None
    except FormatError:
        return True


def log_ids(path: Path) -> list[str]:
    """Names of the scenes in the order of the table.

    Raises:
        FormatError: as `index_of`.
    """
    return list(index_of(path).scenes)


def open_log(path: Path, log_id: str) -> DriveLog:
    """Opens a scene: every reading of the main LiDAR is a frame, key frames are the labelled ones.

    Readings come with the poses of the car in ego_pose; points and images are read when asked for.
    Radars are left aside (metadata says which), and written again where the log is written as nuScenes.

    Raises:
        FormatError: no such scene, rows that cannot be, a path that leads out of the data set.
    """
    index = index_of(path)
    scene = scene_of(index, log_id)
    return Opening(index, scene).log()


def scene_of(index: Index, log_id: str) -> Row:
    """The row of a scene by its name."""
    scene = index.scenes.get(log_id)
    if scene is None:
        known = ", ".join(list(index.scenes)[:8])
        raise FormatError(index.folder / "scene.json", "", f"there is no scene {log_id!r}; known are {known}")
    return scene


def instants_of_samples(index: Index, scene: Row) -> dict[str, int]:
    """The frame that each sample's labels belong to: that of its LIDAR_TOP, or else its own time."""
    instants = {row.text("token"): row.timestamp_ns() for row in index.rows_of("sample", scene)}
    for row in index.rows_of("sample_data", scene):
        calibration = index.refer(row, "calibrated_sensor_token", "calibrated_sensor")
        channel = index.refer(calibration, "sensor_token", "sensor").text("channel")
        if row.fields.get("is_key_frame") is True and channel == MAIN_LIDAR:
            instants[row.text("sample_token")] = row.timestamp_ns()
    return instants


class Opening:
    """One scene on its way to a log."""

    def __init__(self, index: Index, scene: Row) -> None:
        self.index, self.scene = index, scene
        self.readings: dict[str, list[Row]] = {}
        self.calibrations: dict[str, Row] = {}
        self.modalities: dict[str, str] = {}
        for row in index.small["calibrated_sensor"].values():
            if row.extra.get("scene_token") == scene.text("token"):
                self._calibrate(row)
        for row in index.rows_of("sample_data", scene):
            channel = self._calibrate(index.refer(row, "calibrated_sensor_token", "calibrated_sensor"))
            self.readings.setdefault(channel, []).append(row)
        for listed in self.readings.values():
            listed.sort(key=Row.timestamp_ns)
        self.samples_ns = instants_of_samples(index, scene)

    def log(self) -> SceneLog:
        """The finished log."""
        missing = [self._missing(entry) for entry in self._listed("missing")]
        rig = self._rig()
        lidars = [(channel, self.name(channel)) for channel in self._of("lidar")]
        cameras = [(channel, self.name(channel)) for channel in self._of("camera")]
        return SceneLog(
            name=self.scene.text("name"),
            rig=rig,
            trajectory=self._trajectory(),
            timestamps_ns=self._frames_ns(),
            sweeps={name: self._sweeps(channel, name, missing) for channel, name in lidars},
            images={name: self._images(channel, rig.cameras[name], missing) for channel, name in cameras},
            missing=tuple(dict.fromkeys(missing)),
            metadata=self._metadata(),
            beside=self._beside(),
        )

    def name(self, channel: str) -> str:
        """What a sensor was called before it became a channel."""
        name = self.calibrations[channel].extra.get("name", channel)
        if not isinstance(name, str):
            raise self.calibrations[channel].error("the name of a sensor must be a text")
        return name

    def _calibrate(self, row: Row) -> str:
        """Takes up the calibration of a channel."""
        sensor = self.index.refer(row, "sensor_token", "sensor")
        channel = sensor.text("channel")
        if self.calibrations.setdefault(channel, row).fields != row.fields:
            raise row.error(f"{channel} has two calibrations in scene {self.scene.text('name')!r}")
        self.modalities[channel] = sensor.text("modality")
        return channel

    def _of(self, modality: str) -> list[str]:
        """Channels of a kind, LIDAR_TOP first, without the stand-in for a LiDAR that there is not."""
        channels = [c for c in self.calibrations if self.modalities[c] == modality]
        real = [c for c in channels if not self.calibrations[c].extra.get("placeholder")]
        return sorted(real, key=lambda channel: channel != MAIN_LIDAR)

    def _rig(self) -> Rig:
        lidars = tuple(lidar_of(self.calibrations[c], self.name(c)) for c in self._of("lidar"))
        cameras = tuple(
            camera_of(self.calibrations[c], self.name(c), self._size_px(c)) for c in self._of("camera")
        )
        try:
            return Rig.of(lidars, cameras)
        except CalibrationError as error:
            raise self.scene.error(str(error)) from None

    def _size_px(self, channel: str) -> tuple[int, int]:
        calibration = self.calibrations[channel]
        if "size_px" in calibration.extra:
            width, height = Row(calibration.path, calibration.extra).numbers("size_px", 2)
            return int(width), int(height)
        row = self.readings[channel][0]
        return row.whole("width"), row.whole("height")

    def _frames_ns(self) -> I64:
        """Every instant of the main LiDAR, and those of samples that it has no key frame for."""
        channels = [c for c in self.calibrations if self.modalities[c] == "lidar"]
        main = min(channels, key=lambda channel: channel != MAIN_LIDAR, default="")
        frames = {row.timestamp_ns() for row in self.readings.get(main, []) if row.extra.get("frame", True)}
        frames.update(self.samples_ns.values())
        return np.array(sorted(frames), dtype=np.int64)

    def _trajectory(self) -> Trajectory:
        """The poses that our writer marks as the trajectory, as long as those of the readings agree.

        Of two readings at one instant that of LIDAR_TOP counts, as labels are placed by its pose.
        """
        poses = {row.text("token"): row for row in self.index.rows_of("ego_pose", self.scene)}
        of_readings: dict[int, Row] = {}
        for channel in sorted(self.readings, key=lambda channel: channel != MAIN_LIDAR):
            for reading in self.readings[channel]:
                token = reading.text("ego_pose_token")
                if token not in poses:
                    raise reading.error(f"ego_pose_token {token!r} is in no row of ego_pose.json")
                of_readings.setdefault(reading.timestamp_ns(), poses[token])
        if not of_readings:
            raise self.scene.error("has no reading")
        by_readings = _trajectory(of_readings)
        whole = {row.timestamp_ns(): row for row in poses.values() if "scene_token" in row.extra}
        by_log = _trajectory(whole) if whole else by_readings
        return by_log if _agree(by_log, by_readings) else by_readings

    def _sweeps(self, channel: str, name: str, missing: list[MissingFrame]) -> tuple[SweepRef, ...]:
        scale = self.calibrations[channel].extra.get("intensity_scale", 1.0)
        if not isinstance(scale, int | float) or not 0 < scale < np.inf:
            raise self.calibrations[channel].error(f"intensity_scale must be positive, not {scale!r}")

        def ref(row: Row, path: Path) -> SweepRef:
            stamps: Literal["start", "end"] = "start" if row.extra.get("stamps", "end") == "start" else "end"
            measured = COLUMNS & set(row.extra.get("measured", COLUMNS))
            instant_ns = row.timestamp_ns()
            load: Callable[[], Sweep] = partial(read_points, path, name, instant_ns, scale, measured, stamps)
            return SweepRef(name, instant_ns, load, path)

        return tuple(ref(row, path) for row, path in self._present(channel, name, missing))

    def _images(self, channel: str, camera: Camera, missing: list[MissingFrame]) -> tuple[ImageRef, ...]:
        size_px = (camera.model.width_px, camera.model.height_px)

        def ref(row: Row, path: Path) -> ImageRef:
            load: Callable[[], U8] = partial(read_rgb, path, size_px)
            return ImageRef(camera.name, row.timestamp_ns(), load, path)

        return tuple(ref(row, path) for row, path in self._present(channel, camera.name, missing))

    def _present(self, channel: str, name: str, missing: list[MissingFrame]) -> list[tuple[Row, Path]]:
        """Readings whose files are there; the others join the missing ones."""
        found = []
        for row in self.readings.get(channel, []):
            path = inside(self.index.root, row.text("filename"), row.path, f"token {row.text('token')!r}")
            if row.extra.get("placeholder"):
                continue
            if path.is_file():
                found.append((row, path))
            else:
                missing.append(MissingFrame(name, row.timestamp_ns(), f"no file {row.text('filename')}"))
        return found

    def _beside(self) -> Beside:
        """What the log has no place for; readings without their file are left out."""
        samples_ns = sorted(set(self.samples_ns.values()))
        others = [c for c, modality in self.modalities.items() if modality not in ("lidar", "camera")]
        sensors = tuple(self._aside(channel) for channel in others)
        return Beside(self.index.folder, self.scene.text("name"), tuple(samples_ns), sensors)

    def _aside(self, channel: str) -> Aside:
        name = self.name(channel)
        refs = []
        for row, path in self._present(channel, name, missing=[]):
            kind = {key: row.fields.get(key) for key in ("fileformat", "width", "height")}
            refs.append(FileRef(row.timestamp_ns(), path, kind))
        return Aside(name, self.modalities[channel], self.calibrations[channel], tuple(refs))

    def _missing(self, entry: object) -> MissingFrame:
        match entry:
            case [str(sensor), int(timestamp_ns), str(reason)]:
                return MissingFrame(sensor, timestamp_ns, reason)
        raise self.scene.error(f"missing must list sensor, time and reason, not {entry!r}")

    def _listed(self, name: str) -> list[object]:
        value = self.scene.extra.get(name, [])
        if not isinstance(value, list):
            raise self.scene.error(f"{name} must be a list")
        return value

    def _metadata(self) -> dict[str, str]:
        kept = self.scene.extra.get("metadata")
        if isinstance(kept, dict):
            return {str(name): str(value) for name, value in kept.items()}
        log = self.index.small["log"].get(str(self.scene.fields.get("log_token")))
        said = {"version": self.index.folder.name, "description": self.scene.fields.get("description")}
        said |= (
            {n: log.fields.get(n) for n in ("logfile", "vehicle", "date_captured", "location")} if log else {}
        )
        aside = sorted(c for c, modality in self.modalities.items() if modality not in ("lidar", "camera"))
        said["sensors_left_aside"] = ", ".join(aside)
        return {name: str(value) for name, value in said.items() if value}


def _trajectory(poses: dict[int, Row]) -> Trajectory:
    ordered = dict(sorted(poses.items()))
    return Trajectory(np.array([*ordered], dtype=np.int64), poses_of([*ordered.values()]))


def _agree(by_log: Trajectory, by_readings: Trajectory) -> bool:
    """Whether nobody has changed the poses of the readings since the log was written."""
    times_ns = by_readings.timestamps_ns
    if not (by_log.covers(int(times_ns[0])) and by_log.covers(int(times_ns[-1]))):
        return False
    ours, theirs = by_log.at_many(times_ns), by_readings.world_from_ego
    off_m = np.abs(ours.translations - theirs.translations).max()
    return bool(off_m < SAME and np.abs(ours.rotations - theirs.rotations).max() < SAME)
