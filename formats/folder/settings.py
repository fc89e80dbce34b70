"""What `log.json` says of a plain log, beside its rig, its files and its poses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from formats.fields import Field, read_json_fields
from formats.rigs.plain import from_plain, to_plain

FILE_NAME = "log.json"
SLOWEST_HZ, FASTEST_HZ = 1e-3, 1e4
KEYS = ("name", "frame_rate_hz", "sweeps", "metadata")


@dataclass(frozen=True, slots=True)
class SweepSettings:
    """How the sweeps of one LiDAR are to be read.

    Attributes:
        deskewed: whether the points are already where a standing car would see them at the sweep's instant.
        stamps: whether the instant of a sweep is the start or the end of the revolution.
    """

    deskewed: bool = False
    stamps: Literal["start", "end"] = "start"


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is said of a log.

    Attributes:
        name: of the log; empty for that of its folder.
        frame_rate_hz: frames a second, where names of files are numbers of frames.
        sweeps: by LiDAR.
        metadata: as a `DriveLog` keeps it.
    """

    name: str = ""
    frame_rate_hz: float = 10.0
    sweeps: Mapping[str, SweepSettings] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)


def read_settings(folder: Path) -> LogSettings:
    """The settings of a log; the usual ones where there is no such file.

    Raises:
        FormatError: malformed.
    """
    file = folder / FILE_NAME
    if not file.is_file():
        return LogSettings()
    root = read_json_fields(file)
    for key, part in root.items():
        if key not in KEYS:
            raise part.error(f"there is no such setting; known are {', '.join(KEYS)}")
    rate = root.get("frame_rate_hz")
    if rate is not None and not SLOWEST_HZ <= rate.number() <= FASTEST_HZ:
        raise rate.error("no rate that a sensor has")
    return LogSettings(
        name=root["name"].text() if "name" in root else "",
        frame_rate_hz=rate.number() if rate is not None else LogSettings().frame_rate_hz,
        sweeps={
            name: SweepSettings(**from_plain(part, SweepSettings, {}))
            for name, part in _table(root, "sweeps")
        },
        metadata={name: part.text() for name, part in _table(root, "metadata")},
    )


def settings_content(settings: LogSettings) -> dict[str, Any]:
    """The settings as log.json has them."""
    return {
        "name": settings.name,
        "frame_rate_hz": settings.frame_rate_hz,
        "sweeps": {name: to_plain(one) for name, one in settings.sweeps.items()},
        "metadata": dict(settings.metadata),
    }


def _table(root: Field, key: str) -> list[tuple[str, Field]]:
    found = root.get(key)
    return [] if found is None else [*found.items()]
