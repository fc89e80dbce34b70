"""What every data set must hold that our readers read: whatever the format, everything in it can be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from formats.errors import FormatError
from formats.format import Format
from formats.validate.fault import Faults, Rule, Severity
from fusion.labels import LabelSet
from fusion.log import DriveLog, ImageRef, SweepRef
from fusion.progress import Progress

ERROR, WARNING, INFO = Severity
FARTHEST_M = 5_000.0
MOST_LISTED = 5

OPENS = Rule("FMT01", ERROR, "a log cannot be opened", "nothing of it can be used")
LABELS = Rule("FMT02", ERROR, "labels cannot be read", "training would go without them, or stop")
SWEEP = Rule("FMT03", ERROR, "a sweep cannot be read", "every program that comes to it stops")
IMAGE = Rule("FMT04", ERROR, "an image cannot be read, or has not the size of its camera", "pixels shift")
MISSING = Rule("FMT05", WARNING, "a file is missing", "frames are left out without a word elsewhere")
UNPOSED = Rule("FMT06", WARNING, "taken when the way of the car is not known", "it cannot be placed")
OFF_FRAMES = Rule("FMT07", WARNING, "boxes at instants that are no frames", "most readers drop them")
POINTS = Rule("FMT08", WARNING, "points that are no numbers, or kilometres away", "averages and grids break")
EMPTY = Rule("FMT09", WARNING, "a sweep without points", "nothing is found in it")
UNLABELLED = Rule("FMT10", INFO, "a log without labels", "it counts as one without objects")
GENERAL_RULES = (OPENS, LABELS, SWEEP, IMAGE, MISSING, UNPOSED, OFF_FRAMES, POINTS, EMPTY, UNLABELLED)


def check_log(
    source: Format, path: Path, log_id: str, faults: Faults, every: int, progress: Progress | None
) -> None:
    """Opens a log, reads its labels and every n-th sweep and image, and notes what goes wrong."""
    if source.open_log is None:
        return
    try:
        log = source.open_log(path, log_id)
    except FormatError as error:
        _note(faults, OPENS, path, error)
        return
    for frame in log.missing[: MOST_LISTED * 1000]:
        faults.add(MISSING, log_id, f"{frame.sensor} at {frame.timestamp_ns} ns", frame.reason, frame.sensor)
    _check_labels(source, path, log, faults)
    sweeps = [ref for listed in log.sweeps.values() for ref in listed[::every]]
    images = [ref for listed in log.images.values() for ref in listed[::every]]
    for done, sweep in enumerate(sweeps):
        _check_sweep(log, path, sweep, faults)
        _tell(progress, log_id, done + 1, len(sweeps) + len(images))
    for done, image in enumerate(images):
        _check_image(log, path, image, faults)
        _tell(progress, log_id, len(sweeps) + done + 1, len(sweeps) + len(images))


def _check_labels(source: Format, path: Path, log: DriveLog, faults: Faults) -> None:
    if source.read_labels is None:
        return
    try:
        labels: LabelSet = source.read_labels(path, log)
    except FormatError as error:
        _note(faults, LABELS, path, error)
        return
    if not labels.annotation_count and not any(t.image_boxes for t in labels.tracks.values()):
        faults.add(UNLABELLED, log.name, "", "there is not one box")
    times_ns = labels.timestamps_ns()
    for time_ns, frame in zip(times_ns, log.frames_at(times_ns).tolist(), strict=True):
        if frame < 0:
            faults.add(OFF_FRAMES, log.name, f"{time_ns} ns", "there are boxes, and no frame")


def _check_sweep(log: DriveLog, path: Path, ref: SweepRef, faults: Faults) -> None:
    place = _posed(log, ref.lidar, ref.timestamp_ns, faults)
    try:
        points = ref.read().points
    except FormatError as error:
        _note(faults, SWEEP, path, error, ref.lidar)
        return
    if len(points) == 0:
        faults.add(EMPTY, log.name, place, "holds not one point", ref.lidar)
    odd = ~(np.abs(points) <= FARTHEST_M).all(axis=1)
    if odd.any():
        words = f"{odd.sum()} of {len(points)}, such as {points[odd][0].tolist()}"
        faults.add(POINTS, log.name, place, words, ref.lidar)


def _check_image(log: DriveLog, path: Path, ref: ImageRef, faults: Faults) -> None:
    _posed(log, ref.camera, ref.timestamp_ns, faults)
    try:
        ref.read()
    except FormatError as error:
        _note(faults, IMAGE, path, error, ref.camera)


def _posed(log: DriveLog, sensor: str, time_ns: int, faults: Faults) -> str:
    place = f"{sensor} at {time_ns} ns"
    if not log.trajectory.covers(time_ns):
        faults.add(UNPOSED, log.name, place, "before the first pose or after the last", sensor)
    return place


def _tell(progress: Progress | None, log_id: str, done: int, total: int) -> None:
    if progress is not None:
        progress(log_id, done, total)


def _note(faults: Faults, rule: Rule, path: Path, error: FormatError, kind: str = "") -> None:
    file = Path(error.path)
    inside = file.relative_to(path).as_posix() if file.is_relative_to(path) else str(file)
    faults.add(rule, inside or ".", error.where, error.message, kind)
