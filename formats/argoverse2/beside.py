"""What a log holds that Argoverse 2 has no place for, in a file beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from formats.argoverse2.folder import LOG_FILE
from formats.fields import Field, read_json_fields
from formats.files import write_json
from fusion.log import DriveLog, MissingFrame


@dataclass(frozen=True, slots=True)
class Beside:
    """What the file holds.

    Attributes:
        frames_ns: the frames of the log.
        absent_ns: by LiDAR, the sweep files in which it has no points.
        missing: frames that the log should have.
        metadata: of the log.
    """

    frames_ns: frozenset[int] = frozenset()
    absent_ns: Mapping[str, frozenset[int]] = field(default_factory=dict)
    missing: tuple[MissingFrame, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)


def write_beside(folder: Path, log: DriveLog, absent_ns: Mapping[str, Iterable[int]]) -> None:
    """Writes the file of a log.

    Raises:
        FormatError: it cannot be written.
    """
    content = {
        "frames_ns": log.timestamps_ns.tolist(),
        "absent_ns": {name: sorted(times) for name, times in absent_ns.items()},
        "missing": [
            {"sensor": m.sensor, "timestamp_ns": m.timestamp_ns, "reason": m.reason} for m in log.missing
        ],
        "metadata": dict(log.metadata),
    }
    write_json(folder / LOG_FILE, content)


def read_beside(folder: Path) -> Beside | None:
    """What the file of a log holds; None where there is none.

    Raises:
        FormatError: it is malformed.
    """
    file = folder / LOG_FILE
    if not file.is_file():
        return None
    root = read_json_fields(file)
    return Beside(
        frozenset(_instants(root["frames_ns"])),
        {name: frozenset(_instants(times)) for name, times in root["absent_ns"].items()},
        tuple(_missing(entry) for entry in root["missing"].entries()),
        {key: value.text() for key, value in root["metadata"].items()},
    )


def _instants(times: Field) -> Iterable[int]:
    for entry in times.entries():
        yield instant_ns(entry)


def instant_ns(entry: Field) -> int:
    """An instant in a file.

    Raises:
        FormatError: no whole number, or beyond 64 bits.
    """
    value = entry.whole()
    if not -(2**63) <= value < 2**63:
        raise entry.error("an instant that 64 bits cannot hold")
    return value


def _missing(entry: Field) -> MissingFrame:
    sensor, reason = entry["sensor"].text(), entry["reason"].text()
    return MissingFrame(sensor, instant_ns(entry["timestamp_ns"]), reason)
