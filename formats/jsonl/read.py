"""JSON lines to labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from calib.errors import CrosslabelError
from calib.se3 import SE3
from formats.errors import FormatError
from formats.extras import read_attributes, read_extras, read_json_text
from formats.fields import Field
from formats.jsonl.write import SCHEMA, SUFFIX
from formats.provenance import with_provenance
from fusion.boxes import Box3D
from fusion.labels import Annotation, LabelSet
from fusion.log import DriveLog

MOST_LINE_BYTES, HEAD_BYTES = 64 << 20, 4096
WITHIN = 1e-6


def recognises(path: Path) -> bool:
    """Whether it is a file of ours, or a folder that holds one."""
    return next(_files(path), None) is not None


def log_ids(path: Path) -> list[str]:
    """The logs whose labels lie there, in order.

    Raises:
        FormatError: a file cannot be read, or two tell of one log.
    """
    return sorted(_by_log(path))


def read_labels(path: Path, log: DriveLog) -> LabelSet:
    """The labels of a log; nothing is lost.

    Raises:
        FormatError: there are none of this log, or a line is not what it should be.
    """
    by_log = _by_log(path)
    if log.name not in by_log:
        found = ", ".join(sorted(by_log)[:5]) or "none"
        raise FormatError(path, "", f"holds no labels of log {log.name!r}, but of: {found}")
    return read_file(by_log[log.name])


def read_file(file: Path) -> LabelSet:
    """All that a file says.

    Raises:
        FormatError: a line is not what it should be; says which.
    """
    lines = _lines(file)
    first = next(lines, None)
    if first is None:
        raise FormatError(file, "", "is empty")
    _log_name(first)
    tracks: dict[str, Field] = {}
    seen: dict[str, list[Any]] = {}
    boxes: dict[str, dict[int, Annotation]] = {}
    for line in lines:
        if "track" in line:
            _take_track(line["track"], tracks)
        elif "image_box" in line:
            seen.setdefault(_owner(line, tracks), []).append(line["image_box"].value)
        else:
            _take_box(line, _owner(line, tracks), boxes)
    entries = [{**entry.value, "image_boxes": seen.get(id, [])} for id, entry in tracks.items()]
    extras = read_extras(Field(file, "", {**first.value, "tracks": entries}))
    return extras.with_annotations(boxes, {id: track.category for id, track in extras.tracks.items()})


def _take_track(entry: Field, tracks: dict[str, Field]) -> None:
    track_id = entry["id"].text()
    if track_id in tracks:
        raise entry.error(f"track {track_id!r} a second time")
    tracks[track_id] = entry


def _owner(line: Field, tracks: dict[str, Field]) -> str:
    owner = line["of"].text()
    if owner not in tracks:
        raise line.error(f"a box of {owner!r}, of which no line above tells")
    return owner


def _take_box(line: Field, owner: str, boxes: dict[str, dict[int, Annotation]]) -> None:
    time_ns = line["timestamp_ns"].whole()
    if time_ns in boxes.setdefault(owner, {}):
        raise line.error(f"a second box of {owner!r} at {time_ns} ns")
    plain = Annotation(time_ns, _box(line), attributes=read_attributes(line))
    boxes[owner][time_ns] = with_provenance(plain, line)


def _box(line: Field) -> Box3D:
    turn_wxyz = line["rotation_wxyz"].numbers(4)
    if abs(sum(part * part for part in turn_wxyz) - 1) > WITHIN:
        raise line["rotation_wxyz"].error("a quaternion whose length is not 1")
    try:
        ego_from_box = SE3.from_quaternion_wxyz(turn_wxyz, line["center_m"].numbers(3))
        return Box3D(ego_from_box, *line["size_lwh_m"].numbers(3))
    except FormatError:
        raise
    except CrosslabelError as error:
        raise line.error(str(error)) from None


def _lines(file: Path) -> Iterator[Field]:
    try:
        with file.open("rb") as stream:
            number = 0
            while content := stream.readline(MOST_LINE_BYTES):
                number += 1
                where = f"line {number}"
                if not content.endswith(b"\n"):
                    raise FormatError(file, where, "is cut short, or far too long")
                yield read_json_text(file, where, _text(file, where, content))
    except OSError as error:
        raise FormatError(file, "", f"cannot be read: {error.strerror}") from None


def _text(file: Path, where: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise FormatError(file, where, "not a text in UTF-8") from None


def _log_name(first: Field) -> str:
    if first["schema"].whole() != SCHEMA:
        raise first["schema"].error(f"made by another version: {SCHEMA} is what is known here")
    return first["log"].text()


def _files(path: Path) -> Iterator[Path]:
    try:
        there = [path] if path.is_file() else sorted(path.glob(f"*{SUFFIX}"))
        yield from (file for file in there if file.suffix == SUFFIX and _begins_as_ours(file))
    except OSError:
        return


def _begins_as_ours(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(HEAD_BYTES).startswith(b'{"log":')
    except OSError:
        return False


def _by_log(path: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for file in _files(path):
        first = next(_lines(file), None)
        if first is None:
            continue
        name = _log_name(first)
        if name in found:
            raise FormatError(file, "", f"tells of log {name!r}, as {found[name].name} does")
        found[name] = file
    return found
