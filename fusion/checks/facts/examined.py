"""What the sensors themselves say of their places and clocks, without any label."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from calib.doctor.finding import Finding
from calib.drift import DriftReport, detect_drift
from calib.refine.view import View
from fusion.doctor import examine
from fusion.log import DriveLog
from fusion.progress import Progress
from fusion.views import view_at

FRAMES = 6


@dataclass(frozen=True, eq=False, slots=True)
class Examined:
    """A log's sensors.

    Attributes:
        rig: likely mistakes in the rig.
        drifts: by camera, whether it moved.
    """

    rig: tuple[Finding, ...]
    drifts: Mapping[str, DriftReport]

    @classmethod
    def of(cls, log: DriveLog, progress: Progress | None = None) -> Examined:
        """Reads a few frames of all sensors, then all frames of each camera."""
        drifts = {
            camera: detect_drift(
                _views(log, camera, progress),
                log.rig.cameras[camera].ego_from_sensor,
                log.timestamps_ns.tolist(),
            )
            for camera in log.rig.cameras
            if log.images.get(camera)
        }
        return cls(tuple(examine(log, FRAMES)), drifts)


def _views(log: DriveLog, camera: str, progress: Progress | None) -> Iterator[View | None]:
    for number, frame_ns in enumerate(log.timestamps_ns.tolist()):
        yield view_at(log, camera, frame_ns)
        if progress:
            progress(f"edges in {camera}", number + 1, len(log))
