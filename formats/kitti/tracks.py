"""Lines of KITTI to tracks."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp
from pathlib import Path

from calib.se3 import SE3
from formats.errors import FormatError
from formats.kitti.metadata import LABEL_CAMERA, frame_numbers, label_frame_of
from formats.kitti.rows import DONT_CARE, Row, boxes_of
from fusion.labels import Annotation, ImageBox, Json, Source, Track
from fusion.log import DriveLog

RAW_SCORE = "raw_score"
Numbered = tuple[int, Row]


@dataclass(frozen=True, slots=True)
class LabelFrames:
    """What labels of a log refer to.

    Attributes:
        ego_from_rect0: from the frame of the camera that labels are written in.
        times_ns: instants by KITTI's numbers of frames.
    """

    ego_from_rect0: SE3
    times_ns: dict[int, int]

    @classmethod
    def of(cls, path: Path, log: DriveLog) -> LabelFrames:
        """Of a log that came from KITTI.

        Raises:
            FormatError: it did not; names the path of the labels.
        """
        rect0_from_ego = label_frame_of(log)
        if rect0_from_ego is None:
            raise FormatError(path, "", f"the log {log.name} is not a KITTI log, so its camera 0 is unknown")
        return cls(rect0_from_ego.inverse(), {number: t for t, number in frame_numbers(log).items()})


def objects_and_regions(every: list[Numbered]) -> tuple[list[Numbered], list[Json]]:
    """The rows of objects, and number of the frame and rectangle of each region that nobody labelled."""
    rows = [(line, row) for line, row in every if row.category != DONT_CARE]
    regions: list[Json] = [[row.frame, *row.rectangle_px] for _, row in every if row.category == DONT_CARE]
    return rows, regions


def are_logits(rows: list[Numbered]) -> bool:
    """Whether scores are logits, as any beyond 0..1 means."""
    return not all(0 <= row.score <= 1 for _, row in rows if row.score is not None)


def tracks_of(
    file: Path, frames: LabelFrames, rows: list[Numbered], track_ids: list[str], logits: bool
) -> list[Track]:
    """Rows gathered by track, in order of first appearance.

    Args:
        file: that the rows stand in.
        frames: that they are of.
        rows: with the numbers of their lines.
        track_ids: one a row.
        logits: whether scores are such, to be made probabilities.

    Raises:
        FormatError: a row is of no frame, or an object stands twice in one.
    """
    boxes = boxes_of(file, rows, frames.ego_from_rect0)
    times_ns = frames.times_ns
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
