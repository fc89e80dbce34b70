"""Argoverse 2's cuboids as tracks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calib.errors import CrosslabelError
from formats.argoverse2.categories import argoverse2_category
from formats.argoverse2.folder import ANNOTATIONS, LABELS_FILE, log_folder
from formats.argoverse2.tables import PREFIX, Table
from formats.errors import FormatError
from formats.extras import Extras, read_extras, read_json_text, read_source
from formats.fields import Field, read_json_fields
from fusion.boxes import Box3D
from fusion.labels import Annotation, LabelSet, Source
from fusion.log import DriveLog

QUATERNION, PLACE = ("qw", "qx", "qy", "qz"), ("tx_m", "ty_m", "tz_m")
SIZE_LWH = ("length_m", "width_m", "height_m")
LARGEST_M = 1e6
CATEGORY, TRACK_ID, TIME = "category", "track_uuid", "timestamp_ns"
USED = frozenset({CATEGORY, TRACK_ID, TIME, *QUATERNION, *PLACE, *SIZE_LWH})
# Columns of our own writer.
SOURCE, SCORE, LOCKED, ATTRIBUTES = (f"{PREFIX}{n}" for n in ("source", "score", "locked", "attributes"))


def read_labels(path: Path, log: DriveLog) -> LabelSet:
    """The cuboids of a log; none where it comes without, as those of the test split do.

    Boxes stand in the ego frame of their sweep; other columns, such as the number of points inside, are
    kept as attributes. Of an object whose class changes the first counts; the others are attributes too.
    What our own writer wrote comes back as it was.

    Raises:
        FormatError: the table is malformed, or a cuboid in it is at no frame of the log.
    """
    folder = log_folder(path, log.name)
    file, beside = folder / ANNOTATIONS, folder / LABELS_FILE
    extras = read_extras(read_json_fields(beside)) if beside.is_file() else Extras()
    if not file.is_file():
        return extras.with_annotations({}, {})
    table = Table(file)
    frames_ns = frozenset(log.timestamps_ns.tolist())
    categories: dict[str, str] = {}
    tracks: dict[str, dict[int, Annotation]] = {}
    names, ids, times_ns = table.texts(CATEGORY), table.texts(TRACK_ID), table.whole(TIME).tolist()
    for row, (box, said) in enumerate(zip(_boxes(table), _said(table), strict=True)):
        track_id, timestamp_ns = ids[row], times_ns[row]
        if timestamp_ns not in frames_ns:
            raise FormatError(file, f"row {row}", f"{timestamp_ns} is no frame of the log {log.name}")
        before = extras.tracks.get(track_id)
        class_before = before.category if before else names[row]
        if said.attributes.get(CATEGORY) == names[row]:
            categories.setdefault(track_id, class_before)
        else:
            name = class_before if argoverse2_category(class_before) == names[row] else names[row]
            if categories.setdefault(track_id, name) != name:
                said.attributes[CATEGORY] = name
        track = tracks.setdefault(track_id, {})
        if timestamp_ns in track:
            raise FormatError(file, f"row {row}", f"a second cuboid of {track_id} in one frame")
        track[timestamp_ns] = Annotation(
            timestamp_ns, box, said.source, said.score, said.locked, said.attributes
        )
    return extras.with_annotations(tracks, categories)


def _boxes(table: Table) -> Iterator[Box3D]:
    ego_from_box = table.poses(QUATERNION, PLACE)
    for row, (pose, size_m) in enumerate(zip(ego_from_box, table.numbers(SIZE_LWH).tolist(), strict=True)):
        if max(size_m) > LARGEST_M:
            raise FormatError(table.path, f"row {row}", f"a box of {max(size_m):.4g} m cannot be")
        try:
            yield Box3D(pose, *size_m)
        except CrosslabelError as error:
            raise FormatError(table.path, f"row {row}", str(error)) from None


@dataclass(slots=True)
class Said:
    """What a row says beside its box."""

    attributes: dict[str, Any]
    source: Source = Source.IMPORTED
    score: float | None = None
    locked: bool = False


def _said(table: Table) -> Iterator[Said]:
    """For each row whatever else the table says of it."""
    if ATTRIBUTES in table.names:
        yield from _said_by_us(table)
        return
    columns = {name: table.plain(name) for name in table.names if name not in USED}
    known = {name: values for name, values in columns.items() if values is not None}
    for row in range(len(table)):
        values = {name: column[row] for name, column in known.items()}
        yield Said({name: value for name, value in values.items() if value is not None and value == value})


def _said_by_us(table: Table) -> Iterator[Said]:
    sources, locked, texts = table.texts(SOURCE), table.flags(LOCKED), table.texts(ATTRIBUTES)
    scores = table.scores(SCORE)
    for row, text in enumerate(texts):
        attributes = read_json_text(table.path, f"row {row}.{ATTRIBUTES}", text)
        source = read_source(Field(table.path, f"row {row}", {"source": sources[row]}))
        yield Said(
            {key: part.value for key, part in attributes.items()}, source, scores[row], bool(locked[row])
        )
