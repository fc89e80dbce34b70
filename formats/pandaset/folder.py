"""What lies where in a PandaSet sequence, and its poses and clocks.

PandaSet calls the pose of its LiDAR rig the ego pose: x right, y forward, z up, the origin near the
ground. The mounts of the two LiDARs are not in the data, and their points come in the world frame. Where
the spinning one sits shows in its beams: seen from there, each of them goes round at one elevation. In
the frames of sequence 002 in which the car hardly moves, elevations are sharpest from (1.2 to 1.4, -0.1 to
0, 1.7 to 1.8) m ahead, left and above. The other one is taken to sit beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from pathlib import Path
from typing import Any

import numpy as np

from calib.errors import CalibrationError
from calib.se3 import SE3, SE3Batch
from calib.types import I64
from formats.errors import FormatError
from formats.files import read_json

EGO_FROM_POSED = SE3.from_yaw(-np.pi / 2)
EGO_FROM_LIDAR = SE3.from_yaw(-np.pi / 2, (1.3, 0.0, 1.78))
CAMERA_ORDER = (
    "front_camera",
    "front_left_camera",
    "front_right_camera",
    "left_camera",
    "right_camera",
    "back_camera",
)


def is_sequence(folder: Path) -> bool:
    """Whether a folder is one sequence; never raises."""
    return (folder / "lidar" / "poses.json").is_file() and (folder / "lidar" / "timestamps.json").is_file()


def sequences(path: Path) -> list[str]:
    """Names of the sequences at or under a path."""
    if is_sequence(path):
        return [path.resolve().name]
    return sorted(child.name for child in path.iterdir() if is_sequence(child)) if path.is_dir() else []


def sequence_folder(path: Path, log_id: str) -> Path:
    """The folder of one sequence.

    Raises:
        FormatError: there is no such sequence.
    """
    if log_id not in sequences(path):
        raise FormatError(path, "", f"holds no PandaSet sequence {log_id!r}")
    return path if is_sequence(path) else path / log_id


def frame_file(frame: int, ending: str) -> str:
    """Name of the file of one frame."""
    return f"{frame:02d}{ending}"


def cameras(folder: Path) -> list[str]:
    """Names of a sequence's cameras, the front one first."""
    found = {child.name for child in (folder / "camera").glob("*/") if child.is_dir()}
    known = [name for name in CAMERA_ORDER if name in found]
    return known + sorted(found.difference(known))


@dataclass(frozen=True, slots=True)
class Posed:
    """Where a sensor was at each of its frames.

    Attributes:
        timestamps_ns: (F,) int64, rising.
        world_from_sensor: F poses.
    """

    timestamps_ns: I64
    world_from_sensor: SE3Batch


def read_posed(folder: Path, count: int | None = None) -> Posed:
    """The poses and times beside the frames of a sensor; `count` of them, where that is known.

    Raises:
        FormatError: missing, malformed, of different number, or times that do not rise.
    """
    world_from_sensor = _read_poses(folder / "poses.json")
    timestamps_ns = read_times_ns(folder / "timestamps.json")
    if count is None:
        count = len(timestamps_ns)
    for file, found in (("poses.json", len(world_from_sensor)), ("timestamps.json", len(timestamps_ns))):
        if found != count:
            raise FormatError(folder / file, "", f"{found} entries for {count} frames")
    return Posed(timestamps_ns, world_from_sensor)


def read_times_ns(path: Path) -> I64:
    """(F,) int64 from seconds with six decimals, which is what a float of today's date carries.

    Raises:
        FormatError: not a list of rising numbers.
    """
    seconds = read_json(path)
    if not isinstance(seconds, list) or not seconds:
        raise FormatError(path, "", "not a list of times")
    for row, second in enumerate(seconds):
        if not isinstance(second, int | float) or not 0 <= second < 9e9:
            raise FormatError(path, f"entry {row}", f"{second!r} is not a time in seconds")
    times_ns = np.array([round(second * 1e6) * 1000 for second in seconds], dtype=np.int64)
    if (np.diff(times_ns) <= 0).any():
        raise FormatError(path, f"entry {int(np.argmax(np.diff(times_ns) <= 0)) + 1}", "times must rise")
    return times_ns


def _read_poses(path: Path) -> SE3Batch:
    rows = read_json(path)
    if not isinstance(rows, list) or not rows:
        raise FormatError(path, "", "not a list of poses")
    return SE3Batch.stack(_pose(path, index, row) for index, row in enumerate(rows))


def _pose(path: Path, index: int, row: Any) -> SE3:
    try:
        place = [float(row["position"][axis]) for axis in "xyz"]
        turn_wxyz = [float(row["heading"][axis]) for axis in "wxyz"]
        if not 0.9 < hypot(*turn_wxyz) < 1.1:
            raise ValueError(f"a heading of length {hypot(*turn_wxyz):.3g}, not 1")
        return SE3.from_quaternion_wxyz(turn_wxyz, place)
    except KeyError as error:
        raise FormatError(path, f"entry {index}", f"without {error}") from None
    except (CalibrationError, TypeError, ValueError) as error:
        raise FormatError(path, f"entry {index}", f"not a pose: {error}") from None
