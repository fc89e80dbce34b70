"""What lies where in KITTI's raw data: days with their calibration, and drives in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from calib.types import I64
from formats.errors import FormatError
from formats.files import read_text
from formats.kitti.pictures import ENDINGS

CAMERAS = ("image_02", "image_03", "image_00", "image_01")
SCANS, POSES, TRACKLETS = "velodyne_points", "oxts", "tracklet_labels.xml"
CAMERA_FILE, LIDAR_FILE, IMU_FILE = "calib_cam_to_cam.txt", "calib_velo_to_cam.txt", "calib_imu_to_velo.txt"
FRAME = re.compile(r"[0-9]{10}")
INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?", re.ASCII)
MOST_FRAMES = 1_000_000
FIRST_YEAR, LAST_YEAR = 1970, 2200


@dataclass(frozen=True, slots=True)
class Drive:
    """One drive, synchronised: frame i of every sensor belongs together.

    Attributes:
        folder: of the drive.
        day: the folder with the calibration.
    """

    folder: Path
    day: Path

    def files(self, part: str, *endings: str) -> dict[int, Path]:
        """Files of a sensor by frame."""
        folder = self.folder / part / "data"
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        named = [f for f in found if FRAME.fullmatch(f.stem) and f.suffix.lower() in endings]
        files = {int(file.stem): file for file in named}
        beyond = next((file for number, file in files.items() if number >= MOST_FRAMES), None)
        if beyond is not None:
            raise FormatError(beyond, "", "the number of this frame is too high")
        return files

    def scans(self) -> dict[int, Path]:
        """Files of the LiDAR by frame."""
        return self.files(SCANS, ".bin")

    def images(self, camera: str) -> dict[int, Path]:
        """Files of a camera by frame."""
        return self.files(camera, *ENDINGS)

    def times_ns(self, part: str) -> I64 | None:
        """(F,) instants of a sensor's frames in UTC, as its file of timestamps has them; None without one.

        Raises:
            FormatError: it is malformed, or its times do not rise.
        """
        path = self.folder / part / "timestamps.txt"
        if not path.is_file():
            return None
        lines = [line.strip() for line in read_text(path).splitlines()]
        while lines and not lines[-1]:
            lines.pop()
        times_ns = np.array([_time_ns(path, n, line) for n, line in enumerate(lines, start=1)], np.int64)
        if (np.diff(times_ns) <= 0).any():
            where = int(np.argmax(np.diff(times_ns) <= 0)) + 2
            raise FormatError(path, f"line {where}", "the times must rise")
        return times_ns


def _time_ns(path: Path, line: int, text: str) -> int:
    match = INSTANT.fullmatch(text)
    try:
        if match is None or not FIRST_YEAR <= int(match[1]) <= LAST_YEAR:
            raise ValueError
        second = datetime(*map(int, match.groups()[:6]), tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError:
        raise FormatError(path, f"line {line}", f"{text[:40]!r} is no date and time") from None
    return round(second.timestamp()) * 1_000_000_000 + int((match[7] or "").ljust(9, "0"))


def is_raw(path: Path) -> bool:
    """Whether a path is a drive, a day of drives, or a folder of days; never raises."""
    try:
        return bool(drives(path))
    except OSError:
        return False


def drives(path: Path) -> dict[str, Drive]:
    """The drives at or under a path by name, in order."""
    if not path.is_dir():
        return {}
    here = path.resolve()
    if _is_drive(here) and _is_day(here.parent):
        return {here.name: Drive(path, here.parent)}
    days = [path] if _is_day(path) else [child for child in sorted(path.iterdir()) if _is_day(child)]
    found = [(child, day) for day in days for child in sorted(day.iterdir()) if _is_drive(child)]
    return {folder.name: Drive(folder, day) for folder, day in found}


def _is_day(path: Path) -> bool:
    return (path / CAMERA_FILE).is_file() and (path / LIDAR_FILE).is_file()


def _is_drive(path: Path) -> bool:
    return any((path / part / "data").is_dir() for part in (SCANS, *CAMERAS))


def drive_of(path: Path, log_id: str) -> Drive:
    """One drive.

    Raises:
        FormatError: there is none of this name.
    """
    found = drives(path)
    if log_id not in found:
        raise FormatError(
            path, "", f"holds no KITTI drive {log_id!r}, but: {', '.join([*found][:5]) or 'none'}"
        )
    return found[log_id]
