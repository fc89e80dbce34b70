"""What lies where in an Argoverse 2 log."""

from __future__ import annotations

from pathlib import Path

from formats.errors import FormatError

POSES, ANNOTATIONS = "city_SE3_egovehicle.feather", "annotations.feather"
SWEEPS, IMAGES, CALIBRATION = "sensors/lidar", "sensors/cameras", "calibration"
# What Argoverse 2 has no place for, in files of our own.
BESIDE = "crosslabel"
LOG_FILE, LABELS_FILE = f"{BESIDE}/log.json", f"{BESIDE}/labels.json"


def is_log(folder: Path) -> bool:
    """Whether a folder is one log, or the labels of one; never raises."""
    return (folder / POSES).is_file() or (folder / ANNOTATIONS).is_file()


def logs(path: Path) -> list[str]:
    """Names of the logs at a path or in the split that it is."""
    if is_log(path):
        return [path.resolve().name]
    return sorted(child.name for child in path.iterdir() if is_log(child)) if path.is_dir() else []


def log_folder(path: Path, log_id: str) -> Path:
    """The folder of one log.

    Raises:
        FormatError: there is no such log.
    """
    if log_id not in logs(path):
        raise FormatError(path, "", f"holds no Argoverse 2 log {log_id!r}")
    return path if is_log(path) else path / log_id


def timed_files(folder: Path, endings: tuple[str, ...]) -> dict[int, Path]:
    """The files of a sensor by the nanoseconds that they are named after, in order of time.

    Raises:
        FormatError: a name that is no time.
    """
    found = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.suffix.lower() not in endings:
            continue
        stem = path.stem
        if not (stem.isascii() and stem.isdecimal() and len(stem) <= 19 and int(stem) < 2**63):
            raise FormatError(path, "", "not named after a time in nanoseconds")
        found[int(stem)] = path
    return dict(sorted(found.items()))
