"""A log that knows the scene it was read from, so that what it has no place for can be written again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from formats.nuscenes.tables import Row
from fusion.log import DriveLog


@dataclass(frozen=True, slots=True)
class FileRef:
    """A reading of a sensor that is neither LiDAR nor camera: a file that is kept as it is.

    Attributes:
        timestamp_ns: its instant.
        path: its file.
        kind: what its row says of the file: format, width and height.
    """

    timestamp_ns: int
    path: Path
    kind: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Aside:
    """A sensor that is neither LiDAR nor camera, such as a radar.

    Attributes:
        name: of the sensor.
        modality: as nuScenes calls it.
        calibration: its row of calibrated_sensor.
        readings: in order of time.
    """

    name: str
    modality: str
    calibration: Row = field(repr=False)
    readings: tuple[FileRef, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Beside:
    """What a scene holds beside a log.

    Attributes:
        tables: the folder of the tables it stands in.
        scene: its name there.
        samples_ns: instants of its samples.
        sensors: those that are neither LiDAR nor camera.
    """

    tables: Path
    scene: str
    samples_ns: tuple[int, ...]
    sensors: tuple[Aside, ...]


@dataclass(frozen=True, eq=False)
class SceneLog(DriveLog):
    """A drive log that was a scene of nuScenes.

    Attributes:
        beside: what else the scene holds.
    """

    beside: Beside | None = None


def beside_of(log: DriveLog) -> Beside | None:
    """What lies beside a log; None where it comes from elsewhere."""
    return log.beside if isinstance(log, SceneLog) else None
