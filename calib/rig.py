"""Which sensors a car carries, where each one sits and how it sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from calib.cameras import CameraModel
from calib.errors import CalibrationError
from calib.se3 import SE3


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

    Attributes:
        name: unique within the rig.
        ego_from_sensor: pose of the camera on the car.
        model: how it sees.
        readout_ns: time from the first row's exposure to the last one's; 0 for a global shutter.
    """

    name: str
    ego_from_sensor: SE3
    model: CameraModel
    readout_ns: int = 0


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
