"""Boxes and points in the images of a frame, each image at its own instant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from calib.errors import CrosslabelError
from calib.se3 import SE3
from calib.shutter import ShotLens
from calib.types import F64
from fusion.align import cam_at_shot_from_ego, lens_of_shot
from fusion.boxes import Box3D
from fusion.course import Course
from fusion.labels import Track
from fusion.log import DriveLog, ImageRef
from fusion.pictures import FRONT_EDGES, Drawn, outline


@dataclass(frozen=True, eq=False, slots=True)
class Outline:
    """One box in one image.

    Attributes:
        track_id: whose.
        lines: (M, 2) pixels along each edge that is seen.
        front: the same of the edges of its front.
        away_m: from the camera.
    """

    track_id: str
    lines: tuple[F64, ...]
    front: tuple[F64, ...]
    away_m: float


@dataclass(eq=False)
class Outlines:
    """The boxes of a log in its images; what has not changed is kept.

    Attributes:
        log: the log.
    """

    log: DriveLog
    _courses: dict[str, tuple[Track, Course]] = field(default_factory=dict, repr=False)
    _kept: dict[tuple[str, str], tuple[Track, Outline | None]] = field(default_factory=dict, repr=False)
    _lenses: dict[str, tuple[int, ShotLens, SE3]] = field(default_factory=dict, repr=False)

    def of(self, image: ImageRef, tracks: list[Track]) -> Iterator[Outline]:
        """The boxes of some tracks that an image shows."""
        if self._is_new(image):
            self._forget(image.camera)
        for track in tracks:
            key = (image.camera, track.id)
            kept = self._kept.get(key)
            if kept is None or kept[0] is not track:
                kept = (track, self._outline(image, track))
                self._kept[key] = kept
            if kept[1] is not None:
                yield kept[1]

    def _is_new(self, image: ImageRef) -> bool:
        known = self._lenses.get(image.camera)
        return known is None or known[0] != image.timestamp_ns

    def _forget(self, camera: str) -> None:
        for key in [key for key in self._kept if key[0] == camera]:
            del self._kept[key]
        self._lenses.pop(camera, None)

    def _outline(self, image: ImageRef, track: Track) -> Outline | None:
        try:
            lens, cam_from_ego = self._lens(image)
            known, boxes, velocities = self._course(track).at([image.timestamp_ns])
        except CrosslabelError:
            return None
        if not known[0]:
            return None
        ego_from_world = self.log.trajectory.at(image.timestamp_ns).inverse()
        world_from_box = boxes.dst_from_box[0]
        box = Box3D(ego_from_world @ world_from_box, *(float(v) for v in boxes.sizes_lwh_m[0]))
        seen = cam_from_ego @ box.center
        mps = ego_from_world.rotate(velocities[0])
        drawn = Drawn(box, track.category, velocity_mps=(float(mps[0]), float(mps[1]), float(mps[2])))
        edges = outline(lens, cam_from_ego, drawn, self.log.rig.cameras[image.camera].model.width_px)
        if not edges:
            return None
        front = tuple(edges[edge] for edge in FRONT_EDGES if edge in edges)
        return Outline(track.id, tuple(edges.values()), front, float(np.linalg.norm(seen)))

    def _lens(self, image: ImageRef) -> tuple[ShotLens, SE3]:
        known = self._lenses.get(image.camera)
        if known is None:
            cam_from_ego = cam_at_shot_from_ego(self.log, image, image.timestamp_ns)
            known = (image.timestamp_ns, lens_of_shot(self.log, image), cam_from_ego)
            self._lenses[image.camera] = known
        return known[1], known[2]

    def _course(self, track: Track) -> Course:
        known = self._courses.get(track.id)
        if known is None or known[0] is not track:
            known = (track, Course.of(self.log, track))
            self._courses[track.id] = known
        return known[1]
