"""Boxes and points in the images of a frame, each image at its own instant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from calib.errors import CrosslabelError
from calib.se3 import SE3
from calib.shutter import ShotLens
from calib.types import F64
from fusion.align import cam_at_shot_from_ego, ego_at_shot_from_ego_at_frame, lens_of_shot
from fusion.boxes import Box3D
from fusion.course import Course
from fusion.labels import Track
from fusion.log import DriveLog, ImageRef
from fusion.pictures import FRONT_EDGES, Drawn, outline

# How far a thing and the car come between a frame and an image of it, at most.
MOVES_M = 5.0
BENT_PX = 0.25


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
    _kept: dict[str, dict[str, tuple[Track, Outline | None]]] = field(default_factory=dict, repr=False)
    _lenses: dict[str, tuple[int, ShotLens, SE3, SE3]] = field(default_factory=dict, repr=False)

    def of(self, image: ImageRef, tracks: list[Track]) -> Iterator[Outline]:
        """The boxes of some tracks that an image shows."""
        if self._is_new(image):
            self._forget(image.camera)
        kept = self._kept.setdefault(image.camera, {})
        changed = [track for track in tracks if track.id not in kept or kept[track.id][0] is not track]
        for track, near in zip(changed, self._near(image, changed), strict=True):
            kept[track.id] = (track, self._outline(image, track) if near else None)
        for track in tracks:
            outline = kept[track.id][1]
            if outline is not None:
                yield outline

    def place(self, image: ImageRef, place_ego: F64, frame_ns: int) -> F64 | None:
        """(2,) the pixel of an image in which a place in the ego frame of a frame is seen, if it is."""
        try:
            if self._is_new(image):
                self._forget(image.camera)
            lens, cam_from_ego, _ = self._lens(image)
            ego_at_shot_from_ego = ego_at_shot_from_ego_at_frame(self.log, image.timestamp_ns, frame_ns)
        except CrosslabelError:
            return None
        cam_from_ego_at_frame = cam_from_ego @ ego_at_shot_from_ego
        found = lens.project((cam_from_ego_at_frame @ place_ego)[None])
        return found.uv_px[0] if found.visible[0] else None

    def _near(self, image: ImageRef, tracks: list[Track]) -> Sequence[bool]:
        """Which tracks may be in the image; told quickly, for most are not."""
        if not tracks:
            return []
        try:
            _, cam_from_ego, ego_from_world = self._lens(image)
            courses = [self.course(track) for track in tracks]
        except CrosslabelError:
            return [False] * len(tracks)
        places, reaches_m = np.zeros((len(tracks), 3)), np.zeros(len(tracks))
        for row, course in enumerate(courses):
            if len(course.times_ns):
                at = min(int(np.searchsorted(course.times_ns, image.timestamp_ns)), len(course.times_ns) - 1)
                places[row] = course.world_from_box.translations[at]
                reaches_m[row] = np.linalg.norm(course.sizes_lwh_m[at]) / 2 + MOVES_M
        cam_from_world = cam_from_ego @ ego_from_world
        seen = cam_from_world @ places
        away_m = np.linalg.norm(seen, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            off_rad = np.arccos(seen[:, 2] / away_m) - np.arcsin(np.minimum(reaches_m / away_m, 1.0))
        inside: list[bool] = ((away_m <= reaches_m) | (off_rad <= self._widest_rad(image.camera))).tolist()
        return inside

    def _widest_rad(self, camera: str) -> float:
        """How far off the axis of a camera something can be and still be seen."""
        model = self.log.rig.cameras[camera].model
        corner = float(np.hypot(*np.abs(model.sight).max(axis=1)))
        return min(model.limit_rad, float(np.arctan(corner))) if np.isfinite(corner) else model.limit_rad

    def _is_new(self, image: ImageRef) -> bool:
        known = self._lenses.get(image.camera)
        return known is None or known[0] != image.timestamp_ns

    def _forget(self, camera: str) -> None:
        self._kept.pop(camera, None)
        self._lenses.pop(camera, None)

    def _outline(self, image: ImageRef, track: Track) -> Outline | None:
        try:
            lens, cam_from_ego, ego_from_world = self._lens(image)
            known, boxes, velocities = self.course(track).at([image.timestamp_ns])
        except CrosslabelError:
            return None
        if not known[0]:
            return None
        world_from_box = boxes.dst_from_box[0]
        box = Box3D(ego_from_world @ world_from_box, *(float(v) for v in boxes.sizes_lwh_m[0]))
        seen = cam_from_ego @ box.center
        mps = ego_from_world.rotate(velocities[0])
        drawn = Drawn(box, track.category, velocity_mps=(float(mps[0]), float(mps[1]), float(mps[2])))
        edges = {
            edge: _plain(line)
            for edge, line in outline(
                lens, cam_from_ego, drawn, self.log.rig.cameras[image.camera].model.width_px
            ).items()
        }
        if not edges:
            return None
        front = tuple(edges[edge] for edge in FRONT_EDGES if edge in edges)
        return Outline(track.id, tuple(edges.values()), front, float(np.linalg.norm(seen)))

    def _lens(self, image: ImageRef) -> tuple[ShotLens, SE3, SE3]:
        known = self._lenses.get(image.camera)
        if known is None:
            cam_from_ego = cam_at_shot_from_ego(self.log, image, image.timestamp_ns)
            ego_from_world = self.log.trajectory.at(image.timestamp_ns).inverse()
            known = (image.timestamp_ns, lens_of_shot(self.log, image), cam_from_ego, ego_from_world)
            self._lenses[image.camera] = known
        return known[1], known[2], known[3]

    def course(self, track: Track) -> Course:
        """The way of a track, made once as long as nobody changes it."""
        known = self._courses.get(track.id)
        if known is None or known[0] is not track:
            known = (track, Course.of(self.log, track))
            self._courses[track.id] = known
        return known[1]


def _plain(line: F64) -> F64:
    """The same line in as few points as show how it bends."""
    import cv2

    fewer = cv2.approxPolyDP(line.astype(np.float32)[:, None], BENT_PX, False)
    return np.asarray(fewer[:, 0], dtype=np.float64)
