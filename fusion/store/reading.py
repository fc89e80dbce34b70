"""The current state of a file of labels, as a label set."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from dataclasses import replace

from fusion.labels import Annotation, ImageBox, LabelSet
from fusion.store.rows import (
    ANNOTATION,
    ATTRIBUTE,
    IMAGE_BOX,
    REVIEW,
    TRACK,
    Table,
    annotations_of,
    image_box_of,
    json_of,
    review_of,
    track_of,
)

ROWS_AT_ONCE = 10_000


def read_labels(connection: sqlite3.Connection) -> LabelSet:
    """Everything that is claimed now, tracks in the order in which they came.

    Raises:
        ValueError, TypeError, KeyError, CrosslabelError: rows that no store has written.
    """
    annotations, boxes = _read_annotations(connection), _read_image_boxes(connection)
    tracks = {}
    for id, *values in _rows(connection, TRACK, "rowid"):
        bare = track_of(id, tuple(values))
        tracks[id] = replace(bare, annotations=annotations.pop(id, {}), image_boxes=boxes.pop(id, {}))
    if annotations or boxes:
        raise ValueError(f"boxes of a track that is not there: {next(iter([*annotations, *boxes]))}")
    reviews = {id: review_of(id, tuple(values)) for id, *values in _rows(connection, REVIEW, "rowid")}
    attributes = {name: json_of(text) for name, text in _rows(connection, ATTRIBUTE, "rowid")}
    return LabelSet(tracks, reviews, attributes)


def _read_annotations(connection: sqlite3.Connection) -> dict[str, dict[int, Annotation]]:
    found: defaultdict[str, dict[int, Annotation]] = defaultdict(dict)
    cursor = _rows(connection, ANNOTATION, "track_id, timestamp_ns")
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        annotations = annotations_of([(row[1], row[2:]) for row in rows])
        for row, annotation in zip(rows, annotations, strict=True):
            found[row[0]][row[1]] = annotation
    return found


def _read_image_boxes(connection: sqlite3.Connection) -> dict[str, dict[tuple[str, int], ImageBox]]:
    found: defaultdict[str, dict[tuple[str, int], ImageBox]] = defaultdict(dict)
    for track_id, camera, timestamp_ns, *values in _rows(
        connection, IMAGE_BOX, "track_id, camera, timestamp_ns"
    ):
        found[track_id][camera, timestamp_ns] = image_box_of(tuple(values))
    return found


def _rows(connection: sqlite3.Connection, table: Table, order: str) -> sqlite3.Cursor:
    return connection.execute(f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY {order}")
