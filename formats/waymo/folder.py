"""What lies where in the parquet files of Waymo Open v2."""

from __future__ import annotations

from pathlib import Path

from formats.errors import FormatError

POSES = "vehicle_pose"
SPLITS = ("training", "validation", "testing", "testing_location")
ENDING = ".parquet"


def is_data_set(path: Path) -> bool:
    """Whether a path is a split or a folder of splits; never raises."""
    try:
        return bool(_roots(path))
    except OSError:
        return False


def segments(path: Path) -> list[str]:
    """Names of the segments at or under a path."""
    return sorted({file.stem for root in _roots(path) for file in (root / POSES).glob(f"*{ENDING}")})


def root_of(path: Path, log_id: str) -> Path:
    """The folder whose components hold a segment.

    Raises:
        FormatError: there is no such segment.
    """
    for root in _roots(path):
        if log_id and (root / POSES / f"{log_id}{ENDING}").is_file() and Path(log_id).name == log_id:
            return root
    raise FormatError(path, "", f"holds no segment {log_id[:80]!r} of Waymo Open v2")


def component_file(root: Path, component: str, log_id: str) -> Path:
    """The file of a component of a segment, which may be missing."""
    return root / component / f"{log_id}{ENDING}"


def _roots(path: Path) -> list[Path]:
    candidates = [path, *(path / split for split in SPLITS)]
    return [folder for folder in candidates if next((folder / POSES).glob(f"*{ENDING}"), None) is not None]
