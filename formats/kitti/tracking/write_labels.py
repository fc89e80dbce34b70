"""Labels written as KITTI tracking has them: those of one log alone, as a tracker hands in its results."""

from __future__ import annotations

import re
from pathlib import Path

from formats.files import inside, write_text
from formats.kitti.label_rows import dont_care_rows, is_scored, row_of
from formats.kitti.rows import row_text
from formats.kitti.view import Frame, View, frames_of, view_of
from fusion.labels import LabelSet
from fusion.log import DriveLog

WHOLE_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")


def write_labels(path: Path, log: DriveLog, labels: LabelSet) -> None:
    """Writes `SSSS.txt` into a folder: KITTI's result format, with scores where an annotation has one.

    Raises:
        FormatError: it cannot be written, or the log has no camera.
    """
    view = view_of(log, path)
    write_text(inside(path, f"{log.name}.txt", path), label_text(view, frames_of(log, view), labels))


def label_text(view: View, frames: list[Frame], labels: LabelSet) -> str:
    """All lines of a log's labels, frame by frame."""
    numbers = track_numbers(labels)
    scored, dont_care = is_scored(labels), dont_care_rows(labels)
    lines = []
    for frame in frames:
        lines += [row_text(row) for row in dont_care.get(frame.number, [])]
        for track in labels.tracks.values():
            row = row_of(view, frame, track, numbers[track.id], scored)
            lines += [] if row is None else [row_text(row)]
    return "".join(lines)


def track_numbers(labels: LabelSet) -> dict[str, int]:
    """A number for each track: its id where that is one, else the next that is free."""
    numbers = {id: int(id) for id in labels.tracks if WHOLE_NUMBER.fullmatch(id)}
    used = set(numbers.values())
    free = (number for number in range(len(labels.tracks) + len(used)) if number not in used)
    return {id: numbers[id] if id in numbers else next(free) for id in labels.tracks}
