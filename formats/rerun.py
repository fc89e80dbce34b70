"""Recordings for the Rerun viewer, a file a log (written with rerun-sdk, the extra `rerun`).

    world/ego                  the car          world/way       all of its way
    world/lidars/<name>        clouds, each where the LiDAR was at its own instant
    world/cameras/<name>       cameras, where they were at each shot, and what they saw
    world/boxes                the boxes of a frame, with class, id, source and score

The timeline `time` is that of the log, `frame` its frames. Rerun counts pixels from the corner of the first
and has single floats alone, so the world begins where the log does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from calib.cameras import Pinhole
from calib.rig import Camera
from calib.se3 import SE3, SE3Batch
from formats.errors import FormatError
from formats.files import atomic_folder, read_bytes
from formats.format import Format
from formats.losses import Part
from formats.names import new_place
from formats.nuscenes.images import source_pixels
from fusion.align import read_deskewed
from fusion.boxes import Boxes
from fusion.labels import LabelSet
from fusion.log import DriveLog, ImageRef, SweepRef
from fusion.progress import Progress

APPLICATION, HALF_PX, JPEG_QUALITY = "crosslabel", 0.5, 90
ENDING = ".rrd"


def write(
    path: Path,
    pairs: Iterable[tuple[DriveLog, LabelSet]],
    *,
    progress: Progress | None = None,
) -> None:
    """Writes a recording a log into a folder that is new or empty.

    Raises:
        FormatError: rerun-sdk is not installed, it cannot be written, or an input file cannot be read.
    """
    try:
        import rerun  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        message = "needs rerun-sdk: install crosslabel with the extra `rerun`"
        raise FormatError(path, "", message) from None
    with atomic_folder(path) as root:
        for log, labels in pairs:
            file = new_place(root, path, log.name, ENDING)
            digest = hashlib.md5(log.name.encode(), usedforsecurity=False).digest()
            stream = rerun.RecordingStream(
                APPLICATION, recording_id=UUID(bytes=digest), send_properties=False
            )
            stream.set_log_time_enabled(False)
            stream.set_log_tick_enabled(False)
            stream.save(file)
            try:
                _Recording(rerun, stream, log, labels).write(progress)
            finally:
                stream.flush()
                stream.disconnect()


class _Recording:
    """One log on its way into a recording."""

    def __init__(self, rerun: Any, stream: Any, log: DriveLog, labels: LabelSet) -> None:
        self.rerun, self.stream, self.log, self.labels = rerun, stream, log, labels
        frames_ns = [int(t) for t in log.timestamps_ns if log.trajectory.covers(int(t))]
        self.frames = {t: index for index, t in enumerate(log.timestamps_ns.tolist())}
        self.known_ns = frames_ns
        start = log.trajectory.world_from_ego[0].translation
        self.local_from_world = SE3(np.eye(3), -start)
        names = sorted({track.category for track in labels.tracks.values()})
        self.classes = {name: number for number, name in enumerate(names)}
        self.lenses = {name: _Lens(camera) for name, camera in log.rig.cameras.items()}

    def write(self, progress: Progress | None) -> None:
        """Everything, in order of time."""
        self._write_what_stays()
        refs: list[SweepRef | ImageRef] = [r for some in self.log.sweeps.values() for r in some]
        refs += [r for some in self.log.images.values() for r in some]
        todo: list[tuple[int, SweepRef | ImageRef | None]] = [(t, None) for t in self.known_ns]
        todo += [(r.timestamp_ns, r) for r in refs if self.log.trajectory.covers(r.timestamp_ns)]
        for done, (timestamp_ns, ref) in enumerate(sorted(todo, key=lambda step: step[0]), start=1):
            self._set_time(timestamp_ns)
            if ref is None:
                self._write_frame(timestamp_ns)
            elif isinstance(ref, SweepRef):
                self._write_sweep(ref)
            else:
                self._write_image(ref)
            if progress is not None:
                progress(self.log.name, done, len(todo))

    def _write_what_stays(self) -> None:
        rerun, log = self.rerun, self.log
        self._log(["world"], rerun.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
        infos = [rerun.AnnotationInfo(id=number, label=name) for name, number in self.classes.items()]
        self._log(["world", "boxes"], rerun.AnnotationContext(infos), static=True)
        world_from_ego: SE3Batch = log.trajectory.world_from_ego
        way = self.local_from_world @ world_from_ego.translations
        self._log(["world", "way"], rerun.LineStrips3D([way.astype(np.float32)]), static=True)
        for name, lens in self.lenses.items():
            self._log(["world", "cameras", name], self._pinhole(lens.model), static=True)

    def _pinhole(self, model: Pinhole) -> Any:
        corner = np.array([[0, 0, HALF_PX], [0, 0, HALF_PX], [0, 0, 0]])
        return self.rerun.Pinhole(
            image_from_camera=model.matrix + corner,
            width=model.width_px,
            height=model.height_px,
            camera_xyz=self.rerun.ViewCoordinates.RDF,
        )

    def _write_frame(self, timestamp_ns: int) -> None:
        """Where the car is, and the boxes."""
        rerun, world_from_ego = self.rerun, self.log.trajectory.at(timestamp_ns)
        self._log(["world", "ego"], self._transform(self.local_from_world @ world_from_ego))
        here = [*self.labels.at(timestamp_ns)]
        boxes = Boxes.stack(annotation.box for _, annotation in here)
        boxes = boxes.moved(self.local_from_world @ world_from_ego)
        turns_wxyz = boxes.dst_from_box.quaternions_wxyz
        self._log(
            ["world", "boxes"],
            rerun.Boxes3D(
                centers=boxes.dst_from_box.translations,
                half_sizes=boxes.sizes_lwh_m / 2,
                quaternions=np.roll(turns_wxyz, -1, axis=1),
                labels=[f"{track.category} {track.id}" for track, _ in here],
                class_ids=[self.classes[track.category] for track, _ in here],
                show_labels=False,
            ),
            rerun.AnyValues(
                track_id=[track.id for track, _ in here],
                source=[str(annotation.source) for _, annotation in here],
                score=[np.nan if a.score is None else a.score for _, a in here],
            ),
        )

    def _write_sweep(self, ref: SweepRef) -> None:
        rerun, sweep = self.rerun, read_deskewed(self.log, ref)
        world_from_lidar = (
            self.log.trajectory.at(ref.timestamp_ns) @ self.log.rig.lidars[ref.lidar].ego_from_sensor
        )
        colors = None if sweep.intensity is None else _grey(sweep.intensity)
        self._log(
            ["world", "lidars", ref.lidar],
            self._transform(self.local_from_world @ world_from_lidar),
            rerun.Points3D(sweep.points, colors=colors),
        )

    def _write_image(self, ref: ImageRef) -> None:
        rerun, lens = self.rerun, self.lenses[ref.camera]
        world_from_cam = self.log.trajectory.at(ref.timestamp_ns) @ lens.camera.ego_from_sensor
        self._log(
            ["world", "cameras", ref.camera],
            self._transform(self.local_from_world @ world_from_cam),
            rerun.EncodedImage(contents=lens.jpeg(ref), media_type="image/jpeg"),
        )

    def _transform(self, local_from_src: SE3) -> Any:
        w, x, y, z = local_from_src.quaternion_wxyz.tolist()
        turn = self.rerun.Quaternion(xyzw=[x, y, z, w])
        return self.rerun.Transform3D(translation=local_from_src.translation, quaternion=turn)

    def _set_time(self, timestamp_ns: int) -> None:
        self.stream.set_time("time", timestamp=np.datetime64(timestamp_ns, "ns"))
        if timestamp_ns in self.frames:
            self.stream.set_time("frame", sequence=self.frames[timestamp_ns])
        else:
            self.stream.disable_timeline("frame")

    def _log(self, place: list[str], *what: Any, static: bool = False) -> None:
        self.stream.log([*place], *what, static=static)


class _Lens:
    """The images of a camera as those of a pinhole, in JPEG."""

    def __init__(self, camera: Camera) -> None:
        model = camera.model
        plain = isinstance(model, Pinhole) and not any(model.distortion)
        self.model = model if plain and isinstance(model, Pinhole) else model.plain
        self.camera = replace(camera, model=self.model)
        self._from_px = None if plain else source_pixels(model, self.model)

    def jpeg(self, ref: ImageRef) -> bytes:
        """An image as a file of JPEG; one that is a file already stays as it is.

        Raises:
            FormatError: it cannot be read.
        """
        import cv2

        if self._from_px is None and ref.path is not None and ref.path.suffix.lower() in (".jpg", ".jpeg"):
            return read_bytes(ref.path)
        bgr = cv2.cvtColor(ref.read(), cv2.COLOR_RGB2BGR)
        if self._from_px is not None:
            bgr = cv2.remap(bgr, *self._from_px, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        done, content = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        if not done:
            raise FormatError(ref.path or "", ref.camera, "an image that cannot be compressed")
        return content.tobytes()


def _grey(intensity: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """(N, 3) shades, the brighter the more came back."""
    known = np.nan_to_num(intensity.astype(np.float64)).clip(0, None)
    full = float(np.quantile(known, 0.98)) if len(known) else 0.0
    shade = (60 + 195 * (known / full if full > 0 else known).clip(0, 1)).astype(np.uint8)
    return np.repeat(shade[:, None], 3, axis=1)


def _recognises(path: Path) -> bool:
    """Recordings are for looking at; nothing is read from them."""
    return False


def _no_logs(path: Path) -> list[str]:
    return []


RERUN = Format(
    name="rerun",
    title="Rerun",
    recognises=_recognises,
    log_ids=_no_logs,
    write=write,
    loses=(
        "Everything but places, classes, ids, sources and scores of boxes; places are single floats.",
        "Times and rings of points; intensities become shades of grey.",
        "The distortion of cameras, whose images are resampled.",
        "What was measured outside of the trajectory.",
        "A file is never the same twice: the library gives every row an id of its own.",
    ),
    drops=frozenset(Part),
)
