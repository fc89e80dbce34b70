"""Argoverse 2's cuboids as tracks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from calib.errors import CrosslabelError
from calib.se3 import SE3
from calib.types import F64
from formats.argoverse2.folder import ANNOTATIONS, log_folder
from formats.argoverse2.tables import Table
from formats.errors import FormatError
from fusion.boxes import Box3D
from fusion.labels import Annotation, Json, LabelSet, Source, Track
from fusion.log import DriveLog

QUATERNION, PLACE = ("qw", "qx", "qy", "qz"), ("tx_m", "ty_m", "tz_m")
SIZE_LWH = ("length_m", "width_m", "height_m")
CATEGORY, TRACK_ID, TIME = "category", "track_uuid", "timestamp_ns"
USED = frozenset({CATEGORY, TRACK_ID, TIME, *QUATERNION, *PLACE, *SIZE_LWH})


def read_labels(path: Path, log: DriveLog) -> LabelSet:
    """The cuboids of a log; none where it comes without, as those of the test split do.

    Boxes stand in the ego frame of their sweep; other columns, such as the number of points inside, are
    kept as attributes. Of an object whose class changes the first counts; the others are attributes too.

    Raises:
        FormatError: the table is malformed, or a cuboid in it is at no frame of the log.
    """
    file = log_folder(path, log.name) / ANNOTATIONS
    if not file.is_file():
        return LabelSet()
    table = Table(file)
    frames_ns = frozenset(log.timestamps_ns.tolist())
    categories: dict[str, str] = {}
    tracks: dict[str, dict[int, Annotation]] = {}
    names, ids, times_ns = table.texts(CATEGORY), table.texts(TRACK_ID), table.whole(TIME).tolist()
    numbers = table.numbers((*QUATERNION, *PLACE, *SIZE_LWH))
    for row, (numbers_of_row, attributes) in enumerate(zip(numbers, _attributes(table), strict=True)):
        category, track_id, timestamp_ns = names[row], ids[row], times_ns[row]
        if timestamp_ns not in frames_ns:
            raise FormatError(file, f"row {row}", f"{timestamp_ns} is no frame of the log {log.name}")
        if categories.setdefault(track_id, category) != category:
            attributes[CATEGORY] = category
        box = _box(file, row, numbers_of_row)
        track = tracks.setdefault(track_id, {})
        if timestamp_ns in track:
            raise FormatError(file, f"row {row}", f"a second cuboid of {track_id} in one frame")
        track[timestamp_ns] = Annotation(timestamp_ns, box, Source.IMPORTED, attributes=attributes)
    return LabelSet.of(Track(id, categories[id], annotations) for id, annotations in tracks.items())


def _box(file: Path, row: int, numbers: F64) -> Box3D:
    turn_wxyz, place, size = numbers[:4], numbers[4:7], numbers[7:].tolist()
    length = float((turn_wxyz @ turn_wxyz) ** 0.5)
    if not 0.99 < length < 1.01:
        raise FormatError(file, f"row {row}", f"a quaternion of length {length:.4g}, not 1")
    try:
        return Box3D(SE3.from_quaternion_wxyz(turn_wxyz, place), *size)
    except CrosslabelError as error:
        raise FormatError(file, f"row {row}", str(error)) from None


def _attributes(table: Table) -> Iterator[dict[str, Json]]:
    """For each row whatever else the table says of it."""
    columns = {name: table.plain(name) for name in table.names if name not in USED}
    known = {name: values for name, values in columns.items() if values is not None}
    for row in range(len(table)):
        values = {name: column[row] for name, column in known.items()}
        yield {name: value for name, value in values.items() if value is not None and value == value}
