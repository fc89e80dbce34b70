"""A KITTI training tree written from any logs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from calib.se3 import SE3Batch
from calib.types import F32, U8
from formats.errors import FormatError
from formats.files import atomic_folder, read_bytes, write_bytes, write_text
from formats.images import write_rgb
from formats.kitti.calibration import calibration_text
from formats.kitti.folder import FRAME_NS
from formats.kitti.oxts import oxts_text
from formats.kitti.view import Frame, View, frames_of, view_of
from formats.kitti.write_labels import label_text
from fusion.align import points_in_ego, read_deskewed
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.progress import Progress

IMAGE_KINDS = ("png", "jpg", "none")
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
    if images not in IMAGE_KINDS:
        raise FormatError(path, "images", f"{images!r} is none of {', '.join(IMAGE_KINDS)}")
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
    maps = None if view.undistorted or images == "none" else _undistortion(view)
    for done, frame in enumerate(frames, start=1):
        scan = _scan(log, frame)
        if scan is not None:
            write_bytes(
                training / "velodyne" / name / f"{frame.number:06d}.bin", scan.astype("<f4").tobytes()
            )
        if images != "none":
            _write_image(training / "image_02" / name / f"{frame.number:06d}.{images}", frame, maps)
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


def _scan(log: DriveLog, frame: Frame) -> F32 | None:
    """(N, 4) float32 x, y, z, intensity at the frame's instant."""
    ref = log.sweep_at(frame.timestamp_ns)
    if ref is None:
        return None
    sweep = read_deskewed(log, ref)
    points_ego_at_shot = frame.ego_at_shot_from_ego @ points_in_ego(log, sweep)
    intensity = np.zeros(len(sweep)) if sweep.intensity is None else sweep.intensity
    return np.column_stack([points_ego_at_shot, intensity]).astype(np.float32)


def _write_image(file: Path, frame: Frame, maps: F32 | None) -> None:
    if frame.image is None:
        return
    source, rgb = frame.image.path, frame.image.read()
    if maps is not None:
        write_rgb(file, _remapped(rgb, maps))
    elif source is not None and source.suffix == file.suffix:
        write_bytes(file, read_bytes(source))
    else:
        write_rgb(file, rgb)


def _undistortion(view: View) -> F32:
    """Returns (H, W, 2): where each pixel of the image without distortion is in the camera's own, or -2."""
    v, u = np.mgrid[: view.model.height_px, : view.model.width_px]
    rays = view.model.ray(np.column_stack([u.ravel(), v.ravel()]).astype(np.float64))
    seen = view.camera.model.project(rays)
    uv_px = np.where(seen.visible[:, None], seen.uv_px, -2.0)
    return uv_px.reshape(*u.shape, 2).astype(np.float32)


def _remapped(rgb: U8, maps: F32) -> U8:
    import cv2

    return np.asarray(cv2.remap(rgb, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR), dtype=np.uint8)
