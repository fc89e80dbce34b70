"""Cameras out of sensor_msgs/CameraInfo and foxglove.CameraCalibration."""

from __future__ import annotations

from typing import Any

from calib.rig import Camera
from calib.se3 import SE3
from formats.errors import FormatError
from formats.recording.settings import CameraSettings
from formats.recording.survey import Survey
from formats.rigs.ros import camera_of_info

LETTERS = "KDRP"


def camera_of(found: Survey, name: str, said: CameraSettings, ego_from_cam: SE3) -> Camera:
    """The camera that its first readable message of calibration tells of.

    Raises:
        FormatError: none can be read, or it is no calibration.
    """
    topic = said.info_topic or ""
    message = found.first(topic)
    source = f"{found.contents.path}: {topic}"
    if message is None:
        raise FormatError(source, "", "no message of it can be read")
    return camera_of_info(
        info_of(message), name, rectified=bool(said.rectified), ego_from_cam=ego_from_cam, source=source
    )


def info_of(message: Any) -> dict[str, Any]:
    """The content of a CameraInfo; without coefficients it does not matter which model they would be of."""
    info: dict[str, Any] = {
        letter: [float(number) for number in _numbers(message, letter)] for letter in LETTERS
    }
    info["R"] = info["R"] if any(info["R"]) else [1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0]
    model = str(message.distortion_model) if any(info["D"]) else ""
    info |= {"width": int(message.width), "height": int(message.height), "distortion_model": model}
    if not model:
        info["D"] = []
    for key in ("binning_x", "binning_y"):
        info[key] = int(getattr(message, key, 0))
    if hasattr(message, "roi"):
        keys = ("x_offset", "y_offset", "width", "height")
        info["roi"] = {key: int(getattr(message.roi, key)) for key in keys}
    return info


def _numbers(message: Any, letter: str) -> Any:
    return getattr(message, letter) if hasattr(message, letter) else getattr(message, letter.lower())
