"""A KITTI training tree written from any logs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from calib.se3 import SE3Batch
from formats.files import atomic_folder, write_text
from formats.kitti.calibration import calibration_text
from formats.kitti.metadata import LABEL_CAMERA
from formats.kitti.oxts import oxts_text
from formats.kitti.pictures import PictureWriter, require_kind
from formats.kitti.scan import write_scan
from formats.kitti.tracking.folder import FRAME_NS
from formats.kitti.tracking.write_labels import label_text
from formats.kitti.view import Frame, frames_of, view_of
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.progress import Progress

SEQUENCE_NAME = re.compile(r"\d{4}")


def write(
    path: Path,
    pairs: Iterable[tuple[DriveLog, LabelSet]],
    *,
    images: str = "png",
    progress: Progress | None = None,
) -> None:
    """Writes logs with their labels as a training tree into a folder that is new or empty.

    A log whose name is no sequence number gets the next that is free; `sequences.txt` tells which.

    Raises:
        FormatError: something stands there, it cannot be written, or a log has no camera.
    """
    require_kind(path, images)
    with atomic_folder(path) as folder:
        names: dict[str, str] = {}
        for log, labels in pairs:
            name = _sequence_name(log.name, names)
            names[name] = " ".join(log.name.split())
            _write_log(folder / "training", name, log, labels, images, progress)
        write_text(folder / "sequences.txt", "".join(f"{n} {names[n]}\n" for n in sorted(names)))


def _sequence_name(name: str, used: dict[str, str]) -> str:
    if SEQUENCE_NAME.fullmatch(name) and name not in used:
        return name
    return next(free for number in range(10_000) if (free := f"{number:04d}") not in used)


def _write_log(
    training: Path,
    name: str,
    log: DriveLog,
    labels: LabelSet,
    images: str,
    progress: Progress | None,
) -> None:
    view = view_of(log, training)
    frames = frames_of(log, view)
    text = calibration_text(view.model, view.cam_from_rect0, view.rect0_from_ego)
    write_text(training / "calib" / f"{name}.txt", text)
    write_text(training / "label_02" / f"{name}.txt", label_text(view, frames, labels))
    write_text(training / "times" / f"{name}.txt", _times_text(frames))
    if log.metadata.get("poses") != "none":
        write_text(training / "oxts" / f"{name}.txt", oxts_text(_world_from_ego(log, frames)))
    pictures = PictureWriter(view, images)
    for done, frame in enumerate(frames, start=1):
        write_scan(training / "velodyne" / name / f"{frame.number:06d}.bin", log, frame)
        pictures.write(training / LABEL_CAMERA / name, f"{frame.number:06d}", frame)
        if progress is not None:
            progress(log.name, done, len(frames))


def _times_text(frames: list[Frame]) -> str:
    """A line a frame, counted from frame 0 even where the log begins later."""
    first = frames[0]
    earlier_ns = [first.shot_ns - (first.number - number) * FRAME_NS for number in range(first.number)]
    times_ns = earlier_ns + [frame.shot_ns for frame in frames]
    return "".join(f"{t // 10**9}.{t % 10**9:09d}\n" for t in times_ns)


def _world_from_ego(log: DriveLog, frames: list[Frame]) -> SE3Batch:
    earlier_ns = [frames[0].shot_ns] * frames[0].number
    return log.trajectory.at_many(np.array(earlier_ns + [frame.shot_ns for frame in frames]))
