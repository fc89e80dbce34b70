"""KITTI labels, results and detections as tracks."""

from __future__ import annotations

from pathlib import Path

from formats.errors import FormatError
from formats.kitti.metadata import DONT_CARE_ATTRIBUTE
from formats.kitti.rows import read_detection_rows, read_label_rows
from formats.kitti.tracking.folder import training_folder
from formats.kitti.tracks import LabelFrames, are_logits, objects_and_regions, tracks_of
from fusion.labels import LabelSet, Track
from fusion.log import DriveLog


def read_labels(path: Path, log: DriveLog) -> LabelSet:
    """Labels of a tree, or results of a tracker: a folder with `SSSS.txt` in it.

    Scores beyond 0..1 anywhere in a file mean that its scores are logits.

    Raises:
        FormatError: a line is malformed, or an object stands twice in one frame.
    """
    file = _label_file(path, log.name)
    frames = LabelFrames.of(file, log)
    rows, regions = objects_and_regions(list(read_label_rows(file)) if file.is_file() else [])
    tracks = tracks_of(file, frames, rows, [str(row.track_id) for _, row in rows], are_logits(rows))
    return LabelSet(
        {track.id: track for track in tracks}, attributes={DONT_CARE_ATTRIBUTE: regions} if regions else {}
    )


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
    frames = LabelFrames.of(files[0], log)
    tracks: list[Track] = []
    for file in files:
        rows = list(read_detection_rows(file))
        group = "" if file == own else f"{file.parent.name}-"
        tracks += tracks_of(file, frames, rows, [f"{group}{line}" for line, _ in rows], logits=True)
    return LabelSet.of(tracks)


def _label_file(path: Path, name: str) -> Path:
    results = path / f"{name}.txt"
    return results if results.is_file() else training_folder(path) / "label_02" / f"{name}.txt"
