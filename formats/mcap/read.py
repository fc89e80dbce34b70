"""MCAP files with boxes opened as logs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from formats.errors import FormatError
from formats.recording import open_log as open_recording
from formats.recording.chunks import reading
from formats.recording.folder import MCAP, recording_at
from formats.recording.folder import log_ids as recordings
from formats.recording.mcap import schema_names
from fusion.log import DriveLog
from fusion.trajectory import Trajectory

if TYPE_CHECKING:
    from formats.mcap.beside import Beside

SCENE = "foxglove.SceneUpdate"


def recognises(path: Path) -> bool:
    """Whether a file, or one of a folder, holds scenes of Foxglove; never raises."""
    try:
        files = [path] if path.is_file() else sorted(path.glob(f"*{MCAP}"))
        return any(file.suffix.lower() == MCAP and _holds_scenes(file) for file in files)
    except OSError:
        return False


def _holds_scenes(file: Path) -> bool:
    try:
        return SCENE in schema_names(file)
    except FormatError:
        return False


def log_ids(path: Path) -> list[str]:
    """Names of the files, in order.

    Raises:
        FormatError: two recordings share a name.
    """
    return recordings(path)


def open_log(path: Path, log_id: str) -> DriveLog:
    """Opens a file: one of ours as the log that it was, any other as a recording.

    Raises:
        FormatError: damaged, or there is no such log.
    """
    from formats.mcap.beside import read_beside

    file, _, source = recording_at(path, log_id)
    with reading(file):
        told = read_beside(file)
        if told is None or source != file:
            return open_recording(path, log_id)
        return _as_told(file, log_id, told)


def _as_told(file: Path, log_id: str, told: Beside) -> DriveLog:
    from formats.recording.open import log_of

    log = log_of(file, log_id, told.settings, file, told.rig)
    way, (first_ns, last_ns) = log.trajectory, told.span_ns
    known = (way.timestamps_ns >= first_ns) & (way.timestamps_ns <= last_ns)
    damage = {key: text for key, text in log.metadata.items() if key == "damage"}
    return replace(
        log,
        rig=told.rig,
        trajectory=Trajectory(way.timestamps_ns[known], way.world_from_ego.take(known)),
        timestamps_ns=told.timestamps_ns,
        missing=(*told.missing, *log.missing),
        metadata=told.metadata | damage,
    )
