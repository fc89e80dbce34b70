"""KITTI labels, results and detections as tracks."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp
from pathlib import Path

import numpy as np

from calib.se3 import SE3
from formats.errors import FormatError
from formats.kitti.folder import training_folder
from formats.kitti.rows import DONT_CARE, Row, boxes_of, read_detection_rows, read_label_rows
from fusion.labels import Annotation, ImageBox, Json, LabelSet, Source, Track
from fusion.log import DriveLog

FIRST_FRAME, RECT0_FROM_EGO = "first_frame", "rect0_from_ego"
LABEL_CAMERA = "image_02"
DONT_CARE_ATTRIBUTE = "kitti_dontcare"
RAW_SCORE = "raw_score"


def label_frame_of(log: DriveLog) -> SE3 | None:
    """Returns rect0_from_ego of a log that came from KITTI: labels are written in that camera's frame."""
    text = log.metadata.get(RECT0_FROM_EGO)
    return None if text is None else SE3.nearest(np.array(text.split(), dtype=np.float64).reshape(3, 4))


def label_frame_text(rect0_from_ego: SE3) -> str:
    """As a log's metadata keep it, to the last digit."""
    return " ".join(repr(float(number)) for number in rect0_from_ego.matrix[:3].ravel())


def frame_numbers(log: DriveLog) -> dict[int, int]:
    """KITTI's frame numbers by timestamp; a log from elsewhere counts from 0."""
    first = int(log.metadata.get(FIRST_FRAME, "0"))
    return {t: first + index for index, t in enumerate(log.timestamps_ns.tolist())}


def read_labels(path: Path, log: DriveLog) -> LabelSet:
    """Labels of a tree, or results of a tracker: a folder with `SSSS.txt` in it.

    Scores beyond 0..1 anywhere in a file mean that its scores are logits.

    Raises:
        FormatError: a line is malformed, or an object stands twice in one frame.
    """
    file = _label_file(path, log.name)
    every = list(read_label_rows(file)) if file.is_file() else []
    rows = [(line, row) for line, row in every if row.category != DONT_CARE]
    dont_care: list[Json] = [[row.frame, *row.rectangle_px] for _, row in every if row.category == DONT_CARE]
    logits = not all(0 <= row.score <= 1 for _, row in rows if row.score is not None)
    tracks = _tracks(file, log, rows, [str(row.track_id) for _, row in rows], logits)
    attributes = {DONT_CARE_ATTRIBUTE: dont_care} if dont_care else {}
    return LabelSet({track.id: track for track in tracks}, attributes=attributes)


def read_detections(path: Path, log: DriveLog) -> LabelSet:
    """Boxes of a detector, none connected to another: `<detector>_<Class>/SSSS.txt` under a folder.

    The score is the sigmoid of the detector's own, which stays in the attribute `raw_score`.

    Raises:
        FormatError: no such file, or a line is malformed.
    """
    own = path / f"{log.name}.txt"
    files = [own] if own.is_file() else sorted(path.glob(f"*/{log.name}.txt"))
    if not files:
        raise FormatError(path, "", f"holds no detections {log.name}.txt")
    tracks: list[Track] = []
    for file in files:
        rows = list(read_detection_rows(file))
        group = "" if file == own else f"{file.parent.name}-"
        tracks += _tracks(file, log, rows, [f"{group}{line}" for line, _ in rows], logits=True)
    return LabelSet.of(tracks)


def _label_file(path: Path, name: str) -> Path:
    results = path / f"{name}.txt"
    return results if results.is_file() else training_folder(path) / "label_02" / f"{name}.txt"


def _tracks(
    file: Path, log: DriveLog, rows: list[tuple[int, Row]], track_ids: list[str], logits: bool
) -> list[Track]:
    """Rows gathered by track, in order of first appearance."""
    rect0_from_ego = label_frame_of(log)
    if rect0_from_ego is None:
        raise FormatError(file, "", f"the log {log.name} is not a KITTI log, so its camera 0 is unknown")
    boxes = boxes_of(file, rows, rect0_from_ego.inverse())
    times_ns = {number: t for t, number in frame_numbers(log).items()}
    parts: dict[str, _Parts] = {}
    for (line, row), box, id in zip(rows, boxes, track_ids, strict=True):
        if row.frame not in times_ns:
            raise FormatError(file, f"line {line}", f"frame {row.frame} is not in the log")
        part = parts.setdefault(id, _Parts(row.category))
        key = (LABEL_CAMERA, times_ns[row.frame])
        if part.category != row.category or key in part.image_boxes:
            message = f"track {id} is a {part.category} elsewhere, or twice in frame {row.frame}"
            raise FormatError(file, f"line {line}", message)
        score = _probability(row.score) if logits and row.score is not None else row.score
        part.image_boxes[key] = ImageBox(*row.rectangle_px, Source.IMPORTED, score)
        if box is not None:
            attributes = _attributes(row, logits)
            part.annotations[key[1]] = Annotation(key[1], box, Source.IMPORTED, score, attributes=attributes)
    return [Track(id, part.category, part.annotations, part.image_boxes) for id, part in parts.items()]


@dataclass(slots=True)
class _Parts:
    category: str
    annotations: dict[int, Annotation] = field(default_factory=dict)
    image_boxes: dict[tuple[str, int], ImageBox] = field(default_factory=dict)


def _probability(logit: float) -> float:
    return 1 / (1 + exp(-max(-700.0, min(logit, 700.0))))


def _attributes(row: Row, logits: bool) -> dict[str, Json]:
    known = {"truncated": row.truncated, "occluded": row.occluded}
    attributes: dict[str, Json] = {name: _plain(value) for name, value in known.items() if value >= 0}
    if row.score is not None and logits:
        attributes[RAW_SCORE] = row.score
    return attributes


def _plain(value: float) -> Json:
    return int(value) if float(value).is_integer() else value
