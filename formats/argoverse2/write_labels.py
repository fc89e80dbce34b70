"""Labels to a table of cuboids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from calib.types import Floats
from formats.argoverse2.categories import CATEGORIES, argoverse2_category
from formats.argoverse2.folder import ANNOTATIONS
from formats.argoverse2.labels import (
    ATTRIBUTES,
    CATEGORY,
    LOCKED,
    PLACE,
    QUATERNION,
    SCORE,
    SIZE_LWH,
    SOURCE,
    TIME,
    TRACK_ID,
)
from formats.argoverse2.tables import write_table
from formats.extras import json_text
from fusion.boxes import Boxes
from fusion.labels import Annotation, LabelSet, Track
from fusion.log import DriveLog
from fusion.overlap import count_points_in_boxes

COUNT = "num_interior_pts"


class Cuboids:
    """The cuboids of a log, whose points are counted sweep by sweep."""

    def __init__(self, log: DriveLog, labels: LabelSet) -> None:
        rows = [
            (t, order, track) for order, track in enumerate(labels.tracks.values()) for t in track.annotations
        ]
        self.rows = [(track, track.annotations[t]) for t, _, track in sorted(rows, key=lambda row: row[:2])]
        self._of_frame: dict[int, list[int]] = {}
        for row, (_, annotation) in enumerate(self.rows):
            self._of_frame.setdefault(annotation.timestamp_ns, []).append(row)
        self._counts = [_said_count(annotation) for _, annotation in self.rows]

    def at(self, timestamp_ns: int) -> list[int]:
        """The rows of a frame."""
        return self._of_frame.get(timestamp_ns, [])

    def count(self, timestamp_ns: int, points_ego: Floats) -> None:
        """Counts the points of a frame's sweep in its cuboids."""
        rows = self.at(timestamp_ns)
        boxes = Boxes.stack(self.rows[row][1].box for row in rows)
        counts = count_points_in_boxes(points_ego.astype(np.float64), boxes) if rows else ()
        for row, count in zip(rows, counts, strict=True):
            self._counts[row] = int(count)

    def write(self, folder: Path) -> None:
        """Writes the table of a log.

        Raises:
            FormatError: it cannot be written.
        """
        import pyarrow  # type: ignore[import-untyped]

        file = folder / ANNOTATIONS
        boxes = Boxes.stack(annotation.box for _, annotation in self.rows)
        text, whole = pyarrow.string(), pyarrow.int64()
        columns: dict[str, Any] = {
            TIME: pyarrow.array([a.timestamp_ns for _, a in self.rows], whole),
            TRACK_ID: _texts(file, [track.id for track, _ in self.rows]),
            CATEGORY: pyarrow.array([category_of(track, a) for track, a in self.rows], text),
        }
        columns |= dict(zip(SIZE_LWH, boxes.sizes_lwh_m.T, strict=True))
        columns |= dict(zip(QUATERNION, boxes.dst_from_box.quaternions_wxyz.T, strict=True))
        columns |= dict(zip(PLACE, boxes.dst_from_box.translations.T, strict=True))
        columns[COUNT] = pyarrow.array(self._counts, whole)
        columns[SOURCE] = pyarrow.array([str(a.source) for _, a in self.rows], text)
        columns[SCORE] = pyarrow.array([a.score for _, a in self.rows], pyarrow.float64())
        columns[LOCKED] = pyarrow.array([a.locked for _, a in self.rows], pyarrow.bool_())
        columns[ATTRIBUTES] = _texts(
            file, [json_text(file, f"track {track.id}", dict(a.attributes)) for track, a in self.rows]
        )
        write_table(file, columns)


def category_of(track: Track, annotation: Annotation) -> str:
    """The class of a cuboid: its own where it says one of Argoverse 2's, else that of its track."""
    said = annotation.attributes.get(CATEGORY)
    return said if isinstance(said, str) and said in CATEGORIES else argoverse2_category(track.category)


def _said_count(annotation: Annotation) -> int:
    """What the data set says that an annotation comes from, where there is no sweep to count."""
    said = annotation.attributes.get(COUNT)
    return said if type(said) is int and 0 <= said < 2**31 else 0


def _texts(file: Path, texts: list[str]) -> Any:
    import pyarrow

    try:
        return pyarrow.array(texts, pyarrow.string())
    except UnicodeEncodeError as error:
        from formats.errors import FormatError

        raise FormatError(file, "", f"not a text that can be written: {error}") from None
