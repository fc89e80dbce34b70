"""Sensors of T4: all LiDARs as one in the frame of the car, and cameras with their distortion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from calib.cameras import Pinhole
from calib.rig import Camera
from calib.se3 import SE3, SE3Batch
from formats.merged import MergedPoints
from formats.nuscenes.images import COPIED_ENDINGS, ImageWriter
from formats.nuscenes.plan import Channel, Reading
from formats.nuscenes.points import COLUMNS, FULL_INTENSITY
from formats.nuscenes.tables import TableWriter
from formats.nuscenes.tokens import microseconds, token_of
from fusion.log import DriveLog, ImageRef

CONCAT, DATA = "LIDAR_CONCAT", "data"
COEFFICIENTS, NO_RING = 5, -1.0


class SensorRows:
    """Writes the files of a scene and the rows of sensor, calibrated_sensor, ego_pose and sample_data."""

    def __init__(self, root: Path, tables: TableWriter, log: DriveLog, hard_links: bool) -> None:
        self.root, self.tables, self.log, self.hard_links = root, tables, log, hard_links
        self._scale = 0.0

    def write_points(self, index: int, merged: MergedPoints | None) -> str:
        """The points of a frame; an empty file where it has none. Gives the name of the file."""
        name = f"{DATA}/{CONCAT}/{index:05d}.pcd.bin"
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        table = np.zeros((0, COLUMNS), dtype="<f4") if merged is None else self._table(merged)
        (self.root / name).write_bytes(table.tobytes())
        return name

    def _table(self, merged: MergedPoints) -> np.ndarray:
        intensity = merged.together("intensity", 0.0)
        if not self._scale and len(intensity):
            self._scale = FULL_INTENSITY if 0 < np.nanmax(intensity, initial=0.0) <= 1 else 1.0
        single = len(self.log.rig.lidars) == 1
        ring = merged.together("ring", NO_RING) if single else np.full(len(intensity), NO_RING)
        columns = [merged.points_ego, intensity * (self._scale or 1.0), ring]
        return np.column_stack(columns).astype("<f4")

    def write_lidar(self, readings: list[Reading], names: list[str]) -> None:
        """The rows of the LiDAR."""
        fields: dict[str, Any] = {"camera_intrinsic": [], "camera_distortion": []}
        self._add_sensor(CONCAT, "lidar", SE3.identity(), fields)
        kind = {"fileformat": "pcd.bin", "width": 0, "height": 0}
        self._add_readings(CONCAT, readings, names, [kind] * len(readings))

    def write_camera(self, channel: Channel) -> None:
        """The images and rows of a camera.

        Raises:
            FormatError: an image cannot be read or written.
        """
        camera = self.log.rig.cameras[channel.sensor]
        images = ImageWriter(camera, self.hard_links, undistort=not keeps_its_lens(camera))
        model = images.camera.model if isinstance(images.camera.model, Pinhole) else images.camera.model.plain
        fields = {
            "camera_intrinsic": model.matrix.tolist(),
            "camera_distortion": list(model.coefficients[:COEFFICIENTS]),
        }
        self._add_sensor(channel.name, "camera", camera.ego_from_sensor, fields)
        names, kinds = [], []
        for index, reading in enumerate(channel.readings):
            if isinstance(reading.ref, ImageRef):
                ending = images.ending(reading.ref)
                ending = ".jpg" if ending == ".jpeg" else ending
                name = f"{DATA}/{channel.name}/{index:05d}{ending}"
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                images.write(self.root / name, reading.ref)
                names.append(name)
                size = {"width": model.width_px, "height": model.height_px}
                kinds.append({"fileformat": COPIED_ENDINGS[ending], **size})
        self._add_readings(channel.name, list(channel.readings), names, kinds)

    def _add_sensor(self, name: str, modality: str, ego_from_sensor: SE3, fields: dict[str, Any]) -> None:
        sensor = self.tables.add("sensor", token_of("sensor", name), channel=name, modality=modality)
        self.tables.add(
            "calibrated_sensor",
            self._calibration(name),
            sensor_token=sensor,
            translation=ego_from_sensor.translation.tolist(),
            rotation=ego_from_sensor.quaternion_wxyz.tolist(),
            **fields,
        )

    def _add_readings(
        self, channel: str, readings: list[Reading], names: list[str], kinds: list[dict[str, Any]]
    ) -> None:
        world_from_ego: SE3Batch = self.log.trajectory.at_many([r.timestamp_ns for r in readings])
        places, turns = world_from_ego.translations.tolist(), world_from_ego.quaternions_wxyz.tolist()
        for k, reading in enumerate(readings):
            micros = microseconds(reading.timestamp_ns)
            self.tables.add(
                "ego_pose",
                reading.token,
                translation=places[k],
                rotation=turns[k],
                timestamp=micros,
                twist=None,
                acceleration=None,
                geocoordinate=None,
            )
            self.tables.add(
                "sample_data",
                reading.token,
                sample_token=token_of(self.log.name, "sample", reading.sample),
                ego_pose_token=reading.token,
                calibrated_sensor_token=self._calibration(channel),
                filename=names[k],
                timestamp=micros,
                is_key_frame=reading.is_key_frame,
                prev=readings[k - 1].token if k else "",
                next=readings[k + 1].token if k + 1 < len(readings) else "",
                is_valid=True,
                info_filename=None,
                **kinds[k],
            )

    def _calibration(self, channel: str) -> str:
        return token_of(self.log.name, "calibrated_sensor", channel)


def keeps_its_lens(camera: Camera) -> bool:
    """Whether T4 has a place for a camera's distortion: k1 k2 p1 p2 k3."""
    model = camera.model
    return isinstance(model, Pinhole) and not any(model.coefficients[COEFFICIENTS:])
