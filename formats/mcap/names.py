"""Topics and frames of the sensors of a rig."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from calib.rig import Rig

WORLD, EGO = "map", "base_link"
TF, TF_STATIC, POSE, LABELS = "/tf", "/tf_static", "/ego/pose", "/labels"
ATTACHMENT = "crosslabel"


@dataclass(frozen=True, slots=True)
class Names:
    """What the sensors of a log are called in its file.

    Attributes:
        lidars: frames by LiDAR.
        cameras: frames by camera.
    """

    lidars: dict[str, str]
    cameras: dict[str, str]

    @classmethod
    def of(cls, rig: Rig) -> Names:
        """Every frame has the name of its sensor, or, where that is taken, one with its kind before it."""
        taken = {"", WORLD, EGO}
        return cls(_frames(rig.lidars, "lidar", taken), _frames(rig.cameras, "camera", taken))

    def points(self, lidar: str) -> str:
        """The topic of the clouds of a LiDAR."""
        return f"/lidars/{lidar}/points"

    def image(self, camera: str) -> str:
        """The topic of the images of a camera."""
        return f"/cameras/{camera}/image"

    def calibration(self, camera: str) -> str:
        """The topic of the calibration of a camera."""
        return f"/cameras/{camera}/calibration"


def _frames(sensors: Iterable[str], kind: str, taken: set[str]) -> dict[str, str]:
    """Readers of ROS drop a slash at the beginning of a frame, so none begins with one."""
    frames = {}
    for name in sensors:
        frame = name.lstrip("/")
        while frame in taken:
            frame = f"{kind}_{frame}"
        taken.add(frame)
        frames[name] = frame
    return frames
