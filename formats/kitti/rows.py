"""Lines of KITTI tracking labels, results and detections, and the boxes in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calib.se3 import SE3, SE3Batch
from formats.errors import FormatError
from formats.files import read_text
from fusion.boxes import Box3D

DONT_CARE = "DontCare"
DETECTION_TYPES = {1: "Pedestrian", 2: "Car", 3: "Cyclist"}
MOST_FRAMES = 1_000_000
NO_SIZE_HWL = (-1.0, -1.0, -1.0)
NOWHERE = (-1000.0, -1000.0, -1000.0)
NO_ANGLE = -10.0


@dataclass(frozen=True, slots=True)
class Row:
    """One object in one frame.

    Attributes:
        frame: number of the frame.
        track_id: -1 where there is none.
        category: one word.
        rectangle_px: left, top, right, bottom in the image of camera 2.
        size_hwl_m: height, width, length; -1 each where the row has no 3D box.
        bottom: centre of the lower face in the rectified camera 0 (x right, y down, z forward).
        turn_rad: angle of the length about the camera's y axis, from x.
        truncated: 0 to 2 in labels; -1 unknown.
        occluded: 0 to 3; -1 unknown.
        alpha_rad: the turn as the camera sees it.
        score: as the file has it, if it has one.
    """

    frame: int
    track_id: int
    category: str
    rectangle_px: tuple[float, float, float, float]
    size_hwl_m: tuple[float, float, float] = NO_SIZE_HWL
    bottom: tuple[float, float, float] = NOWHERE
    turn_rad: float = NO_ANGLE
    truncated: float = -1
    occluded: float = -1
    alpha_rad: float = NO_ANGLE
    score: float | None = None

    @property
    def has_box(self) -> bool:
        """Whether there is more than a rectangle."""
        return max(self.size_hwl_m) > 0 and self.category != DONT_CARE


def read_label_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Line numbers and rows of a file of labels (17 columns) or results (18, with the score).

    Raises:
        FormatError: a line that is neither.
    """
    for number, words in _lines(path, " "):
        if len(words) not in (17, 18):
            raise FormatError(path, f"line {number}", f"{len(words)} columns where 17 or 18 are needed")
        frame, track_id = _numbers(path, number, words[:2])
        whole = _whole(path, number, frame, MOST_FRAMES)
        yield number, _row(path, number, whole, _whole(path, number, track_id + 1, 2**53) - 1, words[2:])


def read_object_rows(path: Path, frame: int) -> Iterator[tuple[int, Row]]:
    """Line numbers and rows of one frame's file of labels (15 columns) or results (16, with the score).

    Raises:
        FormatError: a line that is neither.
    """
    for number, words in _lines(path, " "):
        if len(words) not in (15, 16):
            raise FormatError(path, f"line {number}", f"{len(words)} columns where 15 or 16 are needed")
        yield number, _row(path, number, frame, -1, words)


def _row(path: Path, line: int, frame: int, track_id: int, words: list[str]) -> Row:
    """The row of a type and the 14 or 15 numbers behind it."""
    values = _numbers(path, line, words[1:])
    truncated, occluded, alpha_rad, x1, y1, x2, y2, h, w, length, x, y, z, turn_rad, *score = values
    return Row(
        frame=frame,
        track_id=track_id,
        category=words[0],
        rectangle_px=(x1, y1, x2, y2),
        size_hwl_m=(h, w, length),
        bottom=(x, y, z),
        turn_rad=turn_rad,
        truncated=truncated,
        occluded=occluded,
        alpha_rad=alpha_rad,
        score=score[0] if score else None,
    )


def read_detection_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Line numbers and rows of a file of detections as AB3DMOT takes them (Weng et al., 2020).

    Raises:
        FormatError: a line that is none.
    """
    for number, words in _lines(path, ","):
        if len(words) != 15:
            raise FormatError(path, f"line {number}", f"{len(words)} columns where 15 are needed")
        frame, kind, x1, y1, x2, y2, score, h, w, length, x, y, z, turn_rad, alpha_rad = _numbers(
            path, number, words
        )
        if kind not in DETECTION_TYPES:
            raise FormatError(path, f"line {number}", f"{words[1]} is no type (1, 2 or 3)")
        yield (
            number,
            Row(
                frame=_whole(path, number, frame, MOST_FRAMES),
                track_id=-1,
                category=DETECTION_TYPES[int(kind)],
                rectangle_px=(x1, y1, x2, y2),
                size_hwl_m=(h, w, length),
                bottom=(x, y, z),
                turn_rad=turn_rad,
                alpha_rad=alpha_rad,
                score=score,
            ),
        )


def row_text(row: Row) -> str:
    """The line of a row in the tracking benchmark; with 18 columns where it has a score."""
    return f"{row.frame} {row.track_id} {object_row_text(row)}"


def object_row_text(row: Row) -> str:
    """The line of a row in the object benchmark; with 16 columns where it has a score."""
    columns = [row.category, _short(row.truncated), _short(row.occluded)]
    numbers = [row.alpha_rad, *row.rectangle_px, *row.size_hwl_m, *row.bottom, row.turn_rad]
    numbers += [] if row.score is None else [row.score]
    return " ".join(columns + [f"{number:.6f}" for number in numbers]) + "\n"


def boxes_of(path: Path, rows: list[tuple[int, Row]], ego_from_rect0: SE3) -> list[Box3D | None]:
    """The box of each row, upright in the camera's frame; None for a row without one.

    Raises:
        FormatError: a size is not positive.
    """
    for number, row in rows:
        if row.has_box and min(row.size_hwl_m) <= 0:
            raise FormatError(path, f"line {number}", f"a box of height, width, length {row.size_hwl_m}")
    turns_rad = np.array([row.turn_rad for _, row in rows])
    c, s, zero = np.cos(turns_rad), np.sin(turns_rad), np.zeros(len(rows))
    lengths, lefts, ups = (c, zero, -s), (s, zero, c), (zero, zero - 1, zero)
    rotations = np.moveaxis(np.array([lengths, lefts, ups]), 2, 0).transpose(0, 2, 1)
    centers = np.array([row.bottom for _, row in rows]).reshape(-1, 3)
    centers[:, 1] -= [row.size_hwl_m[0] / 2 for _, row in rows]
    rect0_from_box = SE3Batch(rotations, centers)
    ego_from_box = ego_from_rect0 @ rect0_from_box
    return [
        Box3D(ego_from_box[index], *row.size_hwl_m[::-1]) if row.has_box else None
        for index, (_, row) in enumerate(rows)
    ]


def _short(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:.6f}"


def _lines(path: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        words = line.replace(separator, " ").split()
        if words:
            yield number, words


def _numbers(path: Path, line: int, words: list[str]) -> list[float]:
    try:
        values = [float(word) for word in words]
    except ValueError as error:
        raise FormatError(path, f"line {line}", str(error)) from None
    if not np.isfinite(values).all():
        raise FormatError(path, f"line {line}", "a number that is not finite")
    return values


def _whole(path: Path, line: int, value: float, limit: int) -> int:
    if not value.is_integer() or not 0 <= value < limit:
        raise FormatError(path, f"line {line}", f"{value:g} where a whole number is needed")
    return int(value)
