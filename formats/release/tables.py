"""Every box as a row of a table, in Parquet and in CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from calib.types import I64
from fusion.boxes import Boxes
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.log import DriveLog

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

CENTER, SIZE = ("x_m", "y_m", "z_m"), ("length_m", "width_m", "height_m")
TURN = ("qw", "qx", "qy", "qz")
WORLD = ("world_x_m", "world_y_m", "world_z_m", "world_yaw_rad")
TEXTS = {"split", "log", "track_id", "category", "source", "made_by", "attributes", "track_attributes"}
COLUMNS = (
    *("split", "log", "frame", "timestamp_ns", "track_id", "category"),
    *(*CENTER, *SIZE, *TURN, *WORLD),
    *("source", "made_by", "score", "locked", "attributes", "track_attributes"),
)


class BoxTables:
    """`boxes.parquet` and `boxes.csv`; one log after the other, so memory does not grow with their number."""

    def __init__(self, folder: Path) -> None:
        import pyarrow.parquet as pq  # type: ignore[import-untyped]

        self._schema = _schema()
        self._parquet = pq.ParquetWriter(folder / "boxes.parquet", self._schema, compression="zstd")
        self._stream = (folder / "boxes.csv").open("w", encoding="utf-8", newline="")
        self._csv = csv.writer(self._stream, lineterminator="\n")
        self._csv.writerow(COLUMNS)

    def add(self, split: str, log: DriveLog, labels: LabelSet, made_by: str) -> None:
        """All boxes of a log, by time, then by object; `made_by` is what made those that are automatic."""
        import pyarrow as pa

        rows = list(_rows(split, log, labels, made_by))
        columns = {name: [row[k] for row in rows] for k, name in enumerate(COLUMNS)}
        self._parquet.write_table(pa.table(columns, self._schema))
        self._csv.writerows(["" if value is None else value for value in row] for row in rows)

    def close(self) -> None:
        """Writes what is left."""
        self._parquet.close()
        self._stream.close()


@contextmanager
def box_tables(folder: Path) -> Iterator[BoxTables]:
    """The tables in a folder, closed at the end."""
    tables = BoxTables(folder)
    try:
        yield tables
    finally:
        tables.close()


def _schema() -> pa.Schema:
    import pyarrow as pa

    kinds: dict[str, Any] = {"frame": pa.int32(), "timestamp_ns": pa.int64(), "locked": pa.bool_()}
    return pa.schema(
        [(name, kinds.get(name, pa.string() if name in TEXTS else pa.float64())) for name in COLUMNS]
    )


def _rows(split: str, log: DriveLog, labels: LabelSet, made_by: str) -> Iterator[tuple[Any, ...]]:
    found = sorted(
        ((track, one) for track in labels.tracks.values() for one in track.annotations.values()),
        key=lambda pair: (pair[1].timestamp_ns, pair[0].id),
    )
    times_ns = np.array([one.timestamp_ns for _, one in found], dtype=np.int64)
    frames = log.frames_at(times_ns).tolist()
    places = _places(log, found, times_ns)
    for (track, one), frame, numbers in zip(found, frames, places, strict=True):
        automatic = one.source in (Source.AUTO, Source.INTERPOLATED)
        yield (
            *(split, log.name, frame, one.timestamp_ns, track.id, track.category),
            *numbers,
            *(str(one.source), made_by if automatic else "", one.score, one.locked),
            *(_json(one.attributes), _json(track.attributes)),
        )


def _places(
    log: DriveLog, found: list[tuple[Track, Annotation]], times_ns: I64
) -> Iterator[list[float | None]]:
    """Centre, size and rotation in the ego frame; centre and yaw in the world where the way is known."""
    boxes = Boxes.stack(one.box for _, one in found)
    start_ns, end_ns = log.trajectory.start_ns, log.trajectory.end_ns
    known = (times_ns >= start_ns) & (times_ns <= end_ns)
    world_from_ego = log.trajectory.at_many(np.clip(times_ns, start_ns, end_ns))
    world_from_box = world_from_ego @ boxes.dst_from_box
    for k, (_, one) in enumerate(found):
        place = [*one.box.center.tolist(), *one.box.size_lwh_m.tolist()]
        turn_wxyz = one.box.ego_from_box.quaternion_wxyz.tolist()
        world = [*world_from_box.translations[k].tolist(), float(world_from_box.yaws_rad[k])]
        yield [*place, *turn_wxyz, *(world if known[k] else [None] * len(WORLD))]


def _json(attributes: Any) -> str:
    return json.dumps(dict(attributes), ensure_ascii=False, sort_keys=True) if attributes else ""
