"""What a person may say of a recording, in YAML beside it; whatever is left out is guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from formats.errors import FormatError
from formats.files import read_settings
from formats.recording.times import Unit

FROM_TRANSFORMS, STANDING = "tf", "none"


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LidarSettings(_Said):
    """One LiDAR.

    Attributes:
        topic: of its clouds.
        frame: that its points are in, in place of what its messages say.
        stamps: what of the revolution `header.stamp` is.
        time_field: with the time of each point; "none" where none is to be used.
        time_unit: of that field.
        time_clock: whether it holds the time of a clock, not one counted from the stamp.
        deskewed: whether the points are already where they were at the stamp.
    """

    topic: str
    frame: str | None = None
    stamps: Literal["start", "end"] | None = None
    time_field: str | None = None
    time_unit: Unit | None = None
    time_clock: bool | None = None
    deskewed: bool = False


class CameraSettings(_Said):
    """One camera.

    Attributes:
        topic: of its images.
        info_topic: of its calibration; "none" where the rig file has it.
        frame: of its lens, x right, y down, z forward, in place of what its messages say.
        delay_ms: from `header.stamp` to the middle of the exposure.
        rectified: whether the images are rectified, so that P counts and neither K nor D.
    """

    topic: str
    info_topic: str | None = None
    frame: str | None = None
    delay_ms: float = Field(default=0.0, ge=-10_000, le=10_000)
    rectified: bool | None = None


class RecordingSettings(_Said):
    """A whole recording.

    Attributes:
        file: the recording, where this is not beside it; from the folder of this file.
        world_frame: that the car moves in.
        ego_frame: of the car, x forward, y left, z up.
        lidars: by name, the main one first; all there are, where left out.
        cameras: by name; all there are, where left out.
        trajectory: "tf", the topic of odometry, poses or fixes, or "none" for a car that stands.
        heading: topic of the Imu that turns a trajectory of fixes.
        rig: calibration file of any kind whose sensors take the place of those here.
    """

    file: str | None = None
    world_frame: str | None = None
    ego_frame: str | None = None
    lidars: dict[str, LidarSettings] | None = None
    cameras: dict[str, CameraSettings] | None = None
    trajectory: str | None = None
    heading: str | None = None
    rig: str | None = None


def recording_named_in(path: Path) -> tuple[Path, RecordingSettings]:
    """The recording that a file of settings names, and what it says of it.

    Raises:
        FormatError: malformed, or it names none that is there.
    """
    settings = read_settings(path, RecordingSettings)
    if not settings.file or "\0" in settings.file:
        raise FormatError(path, "file", "these settings name no recording")
    named = path.parent / settings.file
    if not named.exists():
        raise FormatError(path, "file", f"there is no {settings.file}")
    return named, settings


def as_yaml(settings: RecordingSettings) -> str:
    """The settings as text that reads back the same; what says nothing is left out."""
    import yaml

    text: str = yaml.safe_dump(
        _told(settings.model_dump()), sort_keys=False, allow_unicode=True, default_flow_style=False
    )
    return text


def _told(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _told(part) for key, part in value.items() if part is not None}
    return value
