"""Any logs written as a tree of the object benchmark."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from formats.errors import FormatError
from formats.files import atomic_folder, inside, write_text
from formats.kitti.calibration import calibration_text
from formats.kitti.label_rows import dont_care_rows, is_scored, row_of
from formats.kitti.metadata import FRAME_PERIOD_NS
from formats.kitti.object.folder import CALIBRATION, IMAGES, LABELS, PARTS, SCANS, SETS
from formats.kitti.pictures import PictureWriter, require_kind
from formats.kitti.rows import object_row_text
from formats.kitti.scan import write_scan
from formats.kitti.view import Frame, View, frames_of, view_of
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.progress import Progress

MOST_FRAMES = 1_000_000


def write(
    path: Path,
    pairs: Iterable[tuple[DriveLog, LabelSet]],
    *,
    images: str = "png",
    progress: Progress | None = None,
) -> None:
    """Writes logs with their labels as a training tree into a folder that is new or empty.

    Frames of a log from such a tree keep their numbers where they can; those of others are counted on.
    `ImageSets/<log>.txt` lists the frames of each log.

    Raises:
        FormatError: something stands there, it cannot be written, a log has no camera, or two share a name.
    """
    require_kind(path, images)
    with atomic_folder(path) as folder:
        used: set[int] = set()
        for log, labels in pairs:
            frame_list = inside(folder / SETS, f"{log.name}.txt", path, "name of the log")
            if frame_list.exists():
                raise FormatError(path, log.name, "two logs of this name")
            view = view_of(log, path)
            frames = frames_of(log, view)
            names = _names(path, log, frames, used)
            used |= {int(name) for name in names.values()}
            write_text(frame_list, "".join(f"{name}\n" for name in names.values()))
            _write_log(folder / PARTS[0], log, labels, view, frames, names, images, progress)


def write_labels(path: Path, log: DriveLog, labels: LabelSet) -> None:
    """Writes `<log>/NNNNNN.txt` for every frame into a folder: the result format, with scores if there are.

    Raises:
        FormatError: it cannot be written, or the log has no camera.
    """
    view = view_of(log, path)
    folder = inside(path, log.name, path, "name of the log")
    frames = frames_of(log, view)
    for number, text in _label_texts(view, frames, labels).items():
        write_text(folder / f"{number:06d}.txt", text)


def _names(path: Path, log: DriveLog, frames: list[Frame], used: set[int]) -> dict[int, str]:
    """Names of files by numbers of frames."""
    numbers = [frame.number for frame in frames]
    keeps = FRAME_PERIOD_NS in log.metadata and used.isdisjoint(numbers)
    first = max(used, default=-1) + 1
    names = {number: number if keeps else first + place for place, number in enumerate(numbers)}
    if max(names.values(), default=0) >= MOST_FRAMES:
        raise FormatError(path, log.name, f"more than {MOST_FRAMES} frames")
    return {number: f"{name:06d}" for number, name in names.items()}


def _write_log(
    training: Path,
    log: DriveLog,
    labels: LabelSet,
    view: View,
    frames: list[Frame],
    names: dict[int, str],
    images: str,
    progress: Progress | None,
) -> None:
    calibration = calibration_text(view.model, view.cam_from_rect0, view.rect0_from_ego)
    texts = _label_texts(view, frames, labels)
    pictures = PictureWriter(view, images)
    for done, frame in enumerate(frames, start=1):
        name = names[frame.number]
        write_text(training / CALIBRATION / f"{name}.txt", calibration)
        write_text(training / LABELS / f"{name}.txt", texts[frame.number])
        write_scan(training / SCANS / f"{name}.bin", log, frame)
        pictures.write(training / IMAGES["image_02"], name, frame)
        if progress is not None:
            progress(log.name, done, len(frames))


def _label_texts(view: View, frames: list[Frame], labels: LabelSet) -> dict[int, str]:
    """The file of each frame, by number: objects, then regions that nobody labelled."""
    scored, regions = is_scored(labels), dont_care_rows(labels)
    texts = {}
    for frame in frames:
        rows = [row_of(view, frame, track, -1, scored) for track in labels.tracks.values()]
        score = -1.0 if scored else None
        beside = [replace(row, score=score) for row in regions.get(frame.number, [])]
        texts[frame.number] = "".join(object_row_text(row) for row in [*rows, *beside] if row is not None)
    return texts
