"""Which sensors a car carries, where each one sits and how it sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np

from calib.cameras import CameraModel
from calib.errors import CalibrationError
from calib.se3 import SE3
from calib.types import F64, Floats

ReadoutDirection = Literal["down", "up", "right", "left"]


@dataclass(frozen=True, slots=True)
class Lidar:
    """A LiDAR in its place: `points_ego = ego_from_sensor @ points_lidar`.

    Attributes:
        name: unique within the rig.
        ego_from_sensor: pose of the LiDAR on the car.
        beam_offset_ns: when the beam passes each of these equal sectors of azimuth (the first begins at the
            ego's x axis, counter-clockwise), counted from the timestamp of a sweep; empty if not known.
    """

    name: str
    ego_from_sensor: SE3
    beam_offset_ns: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera in its place; the sensor frame is x right, y down, z forward.

    The timestamp of an image is the middle of the exposure of the middle of the image. A rolling shutter
    exposes row v of H rows at `timestamp + (v - (H - 1) / 2) / (H - 1) * readout_ns` (columns, where the
    readout runs sideways; reversed, where it runs up or left).

    Attributes:
        name: unique within the rig.
        ego_from_sensor: pose of the camera on the car.
        model: how it sees.
        readout_ns: time from the first row's exposure to the last one's; 0 for a global shutter.
        exposure_ns: how long one row is exposed; 0 if not known.
        readout: where the rows (down, up) or columns (right, left) are exposed to, one after the other.

    Raises:
        CalibrationError: a negative time, or a direction that there is not.
    """

    name: str
    ego_from_sensor: SE3
    model: CameraModel
    readout_ns: int = 0
    exposure_ns: int = 0
    readout: ReadoutDirection = "down"

    def __post_init__(self) -> None:
        if self.readout_ns < 0 or self.exposure_ns < 0:
            raise CalibrationError(f"camera {self.name}: readout and exposure cannot take less than no time")
        if self.readout not in get_args(ReadoutDirection):
            raise CalibrationError(f"camera {self.name}: there is no readout direction {self.readout!r}")

    def timestamp_of_trigger_ns(self, trigger_ns: int) -> int:
        """The timestamp of an image whose first row began to be exposed at the trigger."""
        return trigger_ns + (self.exposure_ns + self.readout_ns) // 2

    def row_offset_ns(self, uv_px: Floats) -> F64:
        """(N,) when (N, 2) pixels are exposed, counted from the timestamp of the image."""
        sideways = self.readout in ("right", "left")
        last_px = (self.model.width_px if sideways else self.model.height_px) - 1
        sign = 1.0 if self.readout in ("down", "right") else -1.0
        along_px = np.asarray(uv_px, dtype=np.float64)[..., 0 if sideways else 1]
        return np.asarray((along_px - last_px / 2) * (sign * self.readout_ns / max(last_px, 1)))


@dataclass(frozen=True, slots=True)
class Rig:
    """All sensors of a car by name, in the order given; the first LiDAR is the main one.

    Raises:
        CalibrationError: two sensors of one kind share a name.
    """

    lidars: Mapping[str, Lidar]
    cameras: Mapping[str, Camera]

    @classmethod
    def of(cls, lidars: tuple[Lidar, ...] = (), cameras: tuple[Camera, ...] = ()) -> Rig:
        """From sensors that know their names."""
        for sensors in (lidars, cameras):
            names = [sensor.name for sensor in sensors]
            if len(set(names)) < len(names):
                raise CalibrationError(f"two sensors share a name: {', '.join(names)}")
        return cls(
            MappingProxyType({lidar.name: lidar for lidar in lidars}),
            MappingProxyType({camera.name: camera for camera in cameras}),
        )

    @property
    def main_lidar(self) -> Lidar | None:
        """The LiDAR whose sweeps are the frames of a log, if there is one."""
        return next(iter(self.lidars.values()), None)
