"""Sweeps, images, calibration and poses of a log to files and rows."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from calib.rig import Lidar
from calib.se3 import SE3, SE3Batch
from formats.errors import FormatError
from formats.nuscenes.images import COPIED_ENDINGS, ImageWriter, copy_file
from formats.nuscenes.log import Aside, FileRef, beside_of
from formats.nuscenes.plan import Channel, Plan, Reading, file_name
from formats.nuscenes.points import intensity_scale, measured_columns, write_points
from formats.nuscenes.sensors import calibration_of, place_of
from formats.nuscenes.tables import TableWriter
from formats.nuscenes.tokens import EXTRA, microseconds, token_of
from fusion.align import read_deskewed
from fusion.beam import beam_table
from fusion.log import DriveLog, ImageRef, SweepRef
from fusion.progress import Progress
from fusion.sweep import Sweep

IMAGE_THREADS = min(os.cpu_count() or 1, 4)
AHEAD = 2
NO_LIDAR = Lidar("", SE3.identity())

Posed = tuple[Reading, list[float], list[float]]
WriteSweep = Callable[[Path, Sweep | None, float], None]


class SensorWriter:
    """Writes everything a log measured, reading by reading; to be entered, for it copies images meanwhile.

    Attributes:
        files: names of the files that were written, by the token of their reading.
    """

    def __init__(
        self,
        root: Path,
        tables: TableWriter,
        log: DriveLog,
        plan: Plan,
        hard_links: bool,
        undistort: bool,
        progress: Progress | None,
    ) -> None:
        self.root, self.tables, self.log, self.plan = root, tables, log, plan
        self.hard_links, self.undistort, self.progress = hard_links, undistort, progress
        self.total = sum(len(channel.readings) for channel in plan.channels)
        self.done = 0
        self.files: dict[str, str] = {}
        self._pool = ThreadPoolExecutor(IMAGE_THREADS)
        self._images: dict[str, tuple[ImageWriter, list[tuple[str, Future[None]]]]] = {}

    def __enter__(self) -> Self:
        try:
            for channel in self.plan.channels:
                for folder in ("samples", "sweeps"):
                    (self.root / folder / channel.name).mkdir(parents=True, exist_ok=True)
                if channel.modality == "camera":
                    self._images[channel.name] = self._start_images(channel)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def write_main_lidar(self) -> Iterator[tuple[Reading, Sweep | None]]:
        """Writes LIDAR_TOP, giving out each sweep as it was written."""
        yield from self._write_lidar(self.plan.channels[0])

    def write_others(self) -> None:
        """Writes the other LiDARs, the cameras, and the sensors that the log has no place for."""
        beside = beside_of(self.log)
        asides = {(aside.modality, aside.name): aside for aside in beside.sensors} if beside else {}
        for channel in self.plan.channels[1:]:
            if channel.modality == "lidar":
                for _ in self._write_lidar(channel):
                    pass
            elif channel.modality == "camera":
                self._write_camera(channel)
            else:
                self._write_aside(channel, asides[channel.modality, channel.sensor])

    def write_trajectory(self) -> None:
        """The log's own poses, as rows that no reading refers to."""
        trajectory = self.log.trajectory
        places, quaternions = _lists(trajectory.world_from_ego)
        for place, quaternion, timestamp_ns in zip(
            places, quaternions, trajectory.timestamps_ns.tolist(), strict=True
        ):
            token = token_of(self.log.name, "trajectory", timestamp_ns)
            extra = {"timestamp_ns": timestamp_ns, "scene_token": token_of(self.log.name, "scene")}
            self._add_pose(token, place, quaternion, extra)

    def _write_lidar(self, channel: Channel) -> Iterator[tuple[Reading, Sweep | None]]:
        scale = None
        frames_ns = set(self.log.timestamps_ns.tolist())
        names: set[str] = set()
        posed = self._posed(channel)
        for index, ((reading, place, quaternion), sweep, write) in enumerate(self._read_ahead(posed)):
            name = file_name(self.log, channel, reading, ".pcd.bin")
            _refuse_twice(self.root, name, names)
            if scale is None and sweep is not None and len(sweep):
                scale = intensity_scale(sweep)
            write(self.root / name, sweep, scale or 1.0)
            extra = _sweep_extra(sweep)
            if channel is self.plan.channels[0] and reading.timestamp_ns not in frames_ns:
                extra["frame"] = False
            self._add_reading(
                channel, index, name, (place, quaternion), extra, fileformat="pcd", width=0, height=0
            )
            yield reading, sweep
        sensor = self.log.rig.lidars.get(channel.sensor)
        if sensor is not None and sensor is self.log.rig.main_lidar:
            sensor = replace(sensor, beam_offset_ns=beam_table(self.log))
        fields, more = calibration_of(sensor or NO_LIDAR)
        more |= {} if sensor else {"placeholder": True}
        more |= {"intensity_scale": scale} if scale not in (None, 1.0) else {}
        self._add_sensor(channel, fields, more)

    def _read_ahead(self, posed: Iterable[Posed]) -> Iterator[tuple[Posed, Sweep | None, WriteSweep]]:
        """Each reading, its sweep and what writes it; the next is read and the last written meanwhile."""
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
            coming: deque[tuple[Posed, Future[Sweep | None]]] = deque()
            written: deque[Future[None]] = deque()

            def write(path: Path, sweep: Sweep | None, scale: float) -> None:
                if len(written) >= AHEAD:
                    written.popleft().result()
                written.append(writer.submit(_write_sweep, path, sweep, scale))

            for reading in posed:
                coming.append((reading, reader.submit(self._read, reading[0])))
                if len(coming) > AHEAD:
                    first, sweep = coming.popleft()
                    yield first, sweep.result(), write
            for first, sweep in coming:
                yield first, sweep.result(), write
            for job in written:
                job.result()

    def _read(self, reading: Reading) -> Sweep | None:
        return read_deskewed(self.log, reading.ref) if isinstance(reading.ref, SweepRef) else None

    def _start_images(self, channel: Channel) -> tuple[ImageWriter, list[tuple[str, Future[None]]]]:
        """Begins to write all images of a camera; their names and when each is done."""
        images = ImageWriter(self.log.rig.cameras[channel.sensor], self.hard_links, self.undistort)
        names: set[str] = set()
        jobs = []
        for reading in channel.readings:
            if not isinstance(reading.ref, ImageRef):
                raise TypeError(f"a camera channel holds {reading.ref!r}")
            name = file_name(self.log, channel, reading, images.ending(reading.ref))
            _refuse_twice(self.root, name, names)
            jobs.append((name, self._pool.submit(images.write, self.root / name, reading.ref)))
        return images, jobs

    def _write_camera(self, channel: Channel) -> None:
        images, jobs = self._images.pop(channel.name)
        model = images.camera.model
        size = {"width": model.width_px, "height": model.height_px}
        for index, ((_, *pose), (name, job)) in enumerate(zip(self._posed(channel), jobs, strict=True)):
            job.result()
            kind = COPIED_ENDINGS[Path(name).suffix]
            self._add_reading(channel, index, name, (pose[0], pose[1]), {}, fileformat=kind, **size)
        self._add_sensor(channel, *calibration_of(images.camera))

    def _write_aside(self, channel: Channel, aside: Aside) -> None:
        names: set[str] = set()
        for index, (reading, *pose) in enumerate(self._posed(channel)):
            if not isinstance(reading.ref, FileRef):
                raise TypeError(f"a channel of {channel.modality} holds {reading.ref!r}")
            name = file_name(self.log, channel, reading, reading.ref.path.suffix)
            _refuse_twice(self.root, name, names)
            copy_file(reading.ref.path, self.root / name, self.hard_links)
            self._add_reading(channel, index, name, (pose[0], pose[1]), {}, **reading.ref.kind)
        row = aside.calibration
        place_of(row)
        same = {name: row.fields.get(name) for name in ("translation", "rotation", "camera_intrinsic")}
        self._add_sensor(channel, same, {})

    def _posed(self, channel: Channel) -> Iterator[Posed]:
        """Each reading with the pose of the car at its own instant."""
        instants_ns = [reading.timestamp_ns for reading in channel.readings]
        places, quaternions = _lists(self.log.trajectory.at_many(instants_ns))
        yield from zip(channel.readings, places, quaternions, strict=True)

    def _add_reading(
        self,
        channel: Channel,
        index: int,
        name: str,
        pose: tuple[list[float], list[float]],
        extra: dict[str, Any],
        **fields: Any,
    ) -> None:
        readings = channel.readings
        reading = readings[index]
        self.files[reading.token] = name
        exact = {"timestamp_ns": reading.timestamp_ns}
        self._add_pose(reading.token, *pose, exact)
        self.tables.add(
            "sample_data",
            reading.token,
            sample_token=self.plan.sample_tokens[reading.sample],
            ego_pose_token=reading.token,
            calibrated_sensor_token=self._calibration_token(channel),
            timestamp=microseconds(reading.timestamp_ns),
            is_key_frame=reading.is_key_frame,
            filename=name,
            prev=readings[index - 1].token if index else "",
            next=readings[index + 1].token if index + 1 < len(readings) else "",
            **fields,
            **{EXTRA: exact | extra},
        )
        self.done += 1
        if self.progress is not None:
            self.progress(self.log.name, self.done, self.total)

    def _add_pose(
        self, token: str, place: list[float], quaternion: list[float], extra: dict[str, Any]
    ) -> None:
        self.tables.add(
            "ego_pose",
            token,
            timestamp=microseconds(extra["timestamp_ns"]),
            rotation=quaternion,
            translation=place,
            **{EXTRA: extra},
        )

    def _add_sensor(self, channel: Channel, fields: dict[str, Any], extra: dict[str, Any]) -> None:
        """The rows of a sensor and of its calibration, which belong to this log alone."""
        sensor_token = self.tables.add_shared(
            "sensor", token_of("sensor", channel.name), channel=channel.name, modality=channel.modality
        )
        of_log = {"name": channel.sensor, "scene_token": token_of(self.log.name, "scene")}
        self.tables.add(
            "calibrated_sensor",
            self._calibration_token(channel),
            sensor_token=sensor_token,
            **fields,
            **{EXTRA: of_log | extra},
        )

    def _calibration_token(self, channel: Channel) -> str:
        return token_of(self.log.name, "calibrated_sensor", channel.name)


def _sweep_extra(sweep: Sweep | None) -> dict[str, Any]:
    if sweep is None:
        return {"placeholder": True}
    return {"stamps": sweep.stamps, "measured": measured_columns(sweep)}


def _lists(poses: SE3Batch) -> tuple[list[list[float]], list[list[float]]]:
    return poses.translations.tolist(), poses.quaternions_wxyz.tolist()


def _write_sweep(path: Path, sweep: Sweep | None, scale: float) -> None:
    if sweep is None:
        path.touch()
    else:
        write_points(path, sweep, scale)


def _refuse_twice(root: Path, name: str, names: set[str]) -> None:
    if name in names:
        raise FormatError(root / name, "", "two readings of one sensor fall into the same microsecond")
    names.add(name)
