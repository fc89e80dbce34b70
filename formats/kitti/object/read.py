"""Frames of the object benchmark as a log; the ego frame is the Velodyne's."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from calib.rig import Lidar, Rig
from calib.se3 import SE3
from formats.images import read_rgb
from formats.kitti.calibration import camera_of, read_calibration
from formats.kitti.metadata import (
    DONT_CARE_ATTRIBUTE,
    FRAME_PERIOD_NS,
    LABEL_CAMERA,
    LIDAR,
    RECT0_FROM_EGO,
    label_frame_text,
)
from formats.kitti.object.folder import CALIBRATION, IMAGES, LABELS, SCANS, Frames, frames_of_log
from formats.kitti.pictures import ENDINGS
from formats.kitti.rows import read_object_rows
from formats.kitti.scan import read_scan
from formats.kitti.tracks import LabelFrames, Numbered, are_logits, objects_and_regions, tracks_of
from fusion.labels import Json, LabelSet, Track
from fusion.log import DriveLog, ImageRef, MissingFrame, SweepRef
from fusion.trajectory import Trajectory

APART_NS = 1_000_000_000


def open_log(path: Path, log_id: str) -> DriveLog:
    """Opens frames of one calibration; no points and no images are read.

    Frame n is put at n seconds: so far apart that nothing is taken for a motion between two of them.

    Raises:
        FormatError: there is no such log, or its calibration is malformed.
    """
    frames = frames_of_log(path, log_id)
    calibration_file = frames.folder / CALIBRATION / f"{frames.numbers[0]:06d}.txt"
    calibration = read_calibration(calibration_file)
    images = {name: _files(frames, part, *ENDINGS) for name, part in IMAGES.items()}
    cameras = [
        camera_of(calibration_file, calibration, name, frames.size_px)
        for name, files in images.items()
        if name == LABEL_CAMERA or files
    ]
    scans = _files(frames, SCANS, ".bin")
    times_ns = np.array(frames.numbers, dtype=np.int64) * APART_NS
    present = {camera.name: images[camera.name] for camera in cameras if images[camera.name]}
    return DriveLog(
        name=log_id,
        rig=Rig.of((Lidar(LIDAR, SE3.identity()),), tuple(cameras)),
        trajectory=Trajectory.standing([times_ns[0] - APART_NS, times_ns[-1] + APART_NS]),
        timestamps_ns=times_ns,
        sweeps={LIDAR: tuple(_sweep(number, file) for number, file in scans.items())},
        images={name: tuple(_images(name, files, frames.size_px)) for name, files in present.items()},
        missing=tuple(_missing({LIDAR: scans, **present}, frames)),
        metadata={
            "format": "kitti_object",
            "poses": "none",
            "clock": "none: frame n is at n seconds",
            FRAME_PERIOD_NS: str(APART_NS),
            RECT0_FROM_EGO: label_frame_text(calibration.rect0_from_velo),
        },
    )


def _files(frames: Frames, part: str, *endings: str) -> dict[int, Path]:
    found = ((number, frames.file(part, number, *endings)) for number in frames.numbers)
    return {number: file for number, file in found if file is not None}


def _sweep(number: int, file: Path) -> SweepRef:
    return SweepRef(LIDAR, number * APART_NS, partial(read_scan, file, number * APART_NS), file)


def _images(camera: str, files: dict[int, Path], size_px: tuple[int, int]) -> Iterator[ImageRef]:
    for number, file in files.items():
        yield ImageRef(camera, number * APART_NS, partial(read_rgb, file, size_px), file)


def _missing(files: dict[str, dict[int, Path]], frames: Frames) -> Iterator[MissingFrame]:
    for sensor, present in files.items():
        for number in frames.numbers if present else ():
            if number not in present:
                yield MissingFrame(sensor, number * APART_NS, f"no file of frame {number:06d}")


def read_labels(path: Path, log: DriveLog) -> LabelSet:
    """Labels of a tree, or results: files of frames in a folder or in one of the log's name below it.

    Every object is a track of its own, called by its frame and its place among the objects: `000008-3`.
    Scores beyond 0..1 anywhere mean that all are logits.

    Raises:
        FormatError: a line is malformed, or the log is not from KITTI.
    """
    frames = LabelFrames.of(path, log)
    read: list[tuple[Path, int, list[Numbered]]] = []
    regions: list[Json] = []
    for number in frames.times_ns:
        file = _label_file(path, log.name, number)
        if file is not None:
            rows, theirs = objects_and_regions(list(read_object_rows(file, number)))
            read.append((file, number, rows))
            regions += theirs
    logits = are_logits([row for *_, rows in read for row in rows])
    tracks: list[Track] = []
    for file, number, rows in read:
        tracks += tracks_of(
            file, frames, rows, [f"{number:06d}-{place}" for place in range(1, len(rows) + 1)], logits
        )
    said = {DONT_CARE_ATTRIBUTE: regions} if regions else {}
    return LabelSet({track.id: track for track in tracks}, attributes=said)


def _label_file(path: Path, log_name: str, number: int) -> Path | None:
    name = f"{number:06d}.txt"
    files = (path / log_name / name, path / name, path / "training" / LABELS / name, path / LABELS / name)
    return next((file for file in files if file.is_file()), None)
