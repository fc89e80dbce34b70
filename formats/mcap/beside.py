"""What messages have no place for, as JSON attached to the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calib.rig import Rig
from calib.types import I64
from formats.errors import FormatError
from formats.extras import Extras, json_text, labels_extra, read_extras, read_json_text
from formats.fields import Field
from formats.mcap.names import ATTACHMENT
from formats.recording.decode import LAST_NS
from formats.recording.mcap import attachment
from formats.recording.settings import RecordingSettings
from formats.rigs.rig_json import rig_in, rig_table
from fusion.labels import LabelSet
from fusion.log import DriveLog, MissingFrame

SCHEMA, MOST_BYTES = 1, 64 << 20


@dataclass(frozen=True, slots=True)
class Beside:
    """What is attached.

    Attributes:
        settings: where the recording has what.
        rig: all sensors.
        timestamps_ns: (F,) the frames.
        span_ns: the first and last pose of the trajectory.
        missing: what the log should have and has not.
        metadata: what is said of the log.
    """

    settings: RecordingSettings
    rig: Rig
    timestamps_ns: I64
    span_ns: tuple[int, int]
    missing: tuple[MissingFrame, ...]
    metadata: dict[str, str]


def attached(path: Path, log: DriveLog, labels: LabelSet, settings: RecordingSettings) -> bytes:
    """The content of the attachment.

    Raises:
        FormatError: something in it is no JSON, or it is too long to be read again.
    """
    content = {
        "schema": SCHEMA,
        "log": log.name,
        "settings": settings.model_dump(exclude_none=True),
        "rig": rig_table(path, log.rig),
        "frames_ns": log.timestamps_ns.tolist(),
        "trajectory_ns": [log.trajectory.start_ns, log.trajectory.end_ns],
        "missing": [[one.sensor, one.timestamp_ns, one.reason] for one in log.missing],
        "metadata": dict(log.metadata),
        "labels": labels_extra(labels),
    }
    text = json_text(path, ATTACHMENT, content).encode()
    if len(text) > MOST_BYTES:
        raise FormatError(path, ATTACHMENT, f"more than {MOST_BYTES >> 20} MiB beside the boxes")
    return text


def read_beside(path: Path) -> Beside | None:
    """What is attached to a file; None where nothing is, as in those that others wrote.

    Raises:
        FormatError: it is not what it should be.
    """
    root = _root(path)
    if root is None:
        return None
    first_ns, last_ns = (_instant(entry) for entry in _pair(root["trajectory_ns"]))
    return Beside(
        _settings(root["settings"]),
        rig_in(root["rig"]).rig,
        np.array([_instant(entry) for entry in root["frames_ns"].entries()], dtype=np.int64),
        (first_ns, last_ns),
        tuple(_missing(entry) for entry in root["missing"].entries()),
        {key: part.text() for key, part in root["metadata"].items()},
    )


def read_labels_beside(path: Path) -> Extras | None:
    """What is attached of labels; None where others wrote the file.

    Raises:
        FormatError: it is not what it should be.
    """
    root = _root(path)
    return None if root is None else read_extras(root["labels"])


def _root(path: Path) -> Field | None:
    content = attachment(path, ATTACHMENT, MOST_BYTES) if path.is_file() else None
    if content is None:
        return None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise FormatError(path, ATTACHMENT, "not a text in UTF-8") from None
    root = read_json_text(path, ATTACHMENT, text, MOST_BYTES)
    if root["schema"].whole() != SCHEMA:
        raise root["schema"].error(f"made by another version: {SCHEMA} is what is known here")
    return root


def _settings(root: Field) -> RecordingSettings:
    from pydantic import ValidationError

    try:
        return RecordingSettings.model_validate(root.value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise root.error(f"{where}: {first['msg']}") from None


def _pair(entry: Field) -> list[Field]:
    if len(entry.entries()) != 2:
        raise entry.error("needs two instants")
    return entry.entries()


def _instant(entry: Field) -> int:
    instant_ns = entry.whole()
    if not 0 <= instant_ns < LAST_NS:
        raise entry.error("no instant")
    return instant_ns


def _missing(entry: Field) -> MissingFrame:
    parts = entry.entries()
    if len(parts) != 3:
        raise entry.error("needs a sensor, an instant and a reason")
    sensor, instant, reason = parts
    return MissingFrame(sensor.text(), instant.whole(), reason.text())
