"""Where boxes are projected to in the images of the evidence, and how each error would move them there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from calib.cameras import CameraModel
from calib.se3 import SE3
from calib.types import F64, I64, U8, Bools
from fusion.categories import kind_of
from fusion.checks.blame.derivatives import Derivatives
from fusion.checks.blame.shapes import outline
from fusion.checks.evidence import Evidence
from fusion.course import Course
from fusion.labels import LabelSet
from fusion.log import DriveLog, ImageRef
from fusion.rectangles import Cloud, Shown, rectangles_in, shown_at

Clouds = Callable[[Shown], tuple[Cloud, F64]]
LEAST_VISIBILITY, LEAST_PX, BORDER_PX, NEAREST_M = 0.6, 8.0, 2.0, 1.0
# An edge is hidden where something nearer covers this share of the quarter of the rectangle behind it.
STRIP, HIDDEN = 0.25, 0.1


@dataclass(frozen=True, eq=False, slots=True)
class Views:
    """N objects in images, as their boxes say; edges are left, top, right, bottom.

    Attributes:
        images: (N,) number of the evidence whose image it is.
        tracks: (N,) number of the track in the labels.
        cameras: (N,) number of the camera in the rig.
        ltrb_px: (N, 4) projected rectangles.
        free: (N, 4) which edges are neither cut off nor hidden.
        derivatives: how the edges move.
    """

    images: I64
    tracks: I64
    cameras: I64
    ltrb_px: F64
    free: Bools
    derivatives: Derivatives

    def __len__(self) -> int:
        return len(self.images)

    @classmethod
    def joined(cls, parts: Sequence[Views]) -> Views:
        """Of several cameras, one after the other; of none, none."""
        if not parts:
            none = np.empty(0, dtype=np.int64)
            return cls(none, none, none, np.empty((0, 4)), np.empty((0, 4), np.bool_), Derivatives.nothing())
        return cls(
            np.concatenate([part.images for part in parts]),
            np.concatenate([part.tracks for part in parts]),
            np.concatenate([part.cameras for part in parts]),
            np.concatenate([part.ltrb_px for part in parts]),
            np.concatenate([part.free for part in parts]),
            Derivatives.joined([part.derivatives for part in parts]),
        )

    def take(self, rows: I64) -> Views:
        """Those at these rows."""
        return Views(
            self.images[rows],
            self.tracks[rows],
            self.cameras[rows],
            self.ltrb_px[rows],
            self.free[rows],
            self.derivatives.take(rows),
        )


@dataclass(eq=False, slots=True)
class _OfCamera:
    """What is gathered of one camera, image by image."""

    images: list[int]
    shown: list[Shown]
    ltrb_px: list[F64]
    free: list[Bools]


def views_of(
    log: DriveLog,
    labels: LabelSet,
    evidence: Sequence[Evidence],
    clouds: Clouds | None = None,
    cameras: Collection[str] | None = None,
) -> Views:
    """Every object in every image of the evidence that is large and free enough to be compared.

    Evidence of cameras that the log does not have, and from outside of its trajectory, is passed over.

    Args:
        log: with the cameras and the trajectory.
        labels: 3D boxes.
        evidence: one an image.
        clouds: what a LiDAR saw around an image, and how solid boxes are (see `rectangles_in`); without it
            only boxes hide boxes.
        cameras: only these; all of the rig unless given.
    """
    wanted = set(log.rig.cameras) if cameras is None else {*cameras} & {*log.rig.cameras}
    numbers = [
        number
        for number, told in enumerate(evidence)
        if told.camera in wanted and log.trajectory.covers(told.timestamp_ns)
    ]
    images = [ImageRef(evidence[n].camera, evidence[n].timestamp_ns, _unread) for n in numbers]
    courses = {track.id: Course.of(log, track) for track in labels.tracks.values()}
    places = {track_id: place for place, track_id in enumerate(labels.tracks)}
    shapes = [outline(kind_of(track.category)) for track in labels.tracks.values()]
    by_camera = {name: _OfCamera([], [], [], []) for name in log.rig.cameras}
    for number, shown in zip(numbers, shown_at(log, courses, images), strict=True):
        cloud, solid = clouds(shown) if clouds else (_no_cloud(), np.ones(len(shown.track_ids)))
        _gather(log, number, shown, cloud, solid, by_camera[shown.image.camera])
    parts = [
        _columns(log, number, by_camera[name], places, shapes)
        for number, name in enumerate(log.rig.cameras)
        if by_camera[name].images
    ]
    return Views.joined(parts)


def _unread() -> U8:
    raise NotImplementedError("only the instant of this image matters")


def _no_cloud() -> Cloud:
    return Cloud(np.empty((0, 3), np.float32), np.empty(0, np.int32), SE3.identity())


def _gather(log: DriveLog, number: int, shown: Shown, cloud: Cloud, solid: F64, into: _OfCamera) -> None:
    camera = log.rig.cameras[shown.image.camera]
    rectangles = rectangles_in(log, shown.image, shown.boxes, shown.velocities_mps, cloud, solid)
    corners_cam = camera.ego_from_sensor.inverse() @ shown.boxes.corners()
    size_px = rectangles.ltrb_px[:, 2:] - rectangles.ltrb_px[:, :2]
    good = (rectangles.visibility >= LEAST_VISIBILITY) & (size_px.min(axis=1, initial=np.inf) >= LEAST_PX)
    rows = np.flatnonzero(good & (corners_cam[..., 2] > NEAREST_M).all(axis=1))
    if len(rows):
        away_m = np.linalg.norm(corners_cam.mean(axis=1), axis=1)
        free = ~(_cut(rectangles.ltrb_px[rows], camera.model) | _hidden(rectangles.ltrb_px, away_m, rows))
        kept = Shown(
            shown.image,
            shown.world_from_ego,
            [shown.track_ids[row] for row in rows],
            shown.boxes.take(rows),
            shown.velocities_mps[rows],
        )
        into.images.append(number)
        into.shown.append(kept)
        into.ltrb_px.append(rectangles.ltrb_px[rows])
        into.free.append(free)


def _cut(ltrb_px: F64, model: CameraModel) -> Bools:
    """(N, 4) which edges lie on the border of the image."""
    last_px = np.array([model.width_px, model.height_px], dtype=np.float64) - 1
    low, high = ltrb_px[:, :2] > BORDER_PX, ltrb_px[:, 2:] < last_px - BORDER_PX
    return np.asarray(~np.hstack([low, high]))


def _hidden(ltrb_px: F64, away_m: F64, rows: I64) -> Bools:
    """(R, 4) of which edges of some rectangles something nearer covers more than a little."""
    mine, depth_px = ltrb_px[rows], STRIP * (ltrb_px[rows, 2:] - ltrb_px[rows, :2])
    strips = np.repeat(mine[:, None], 4, axis=1)
    strips[:, [0, 1], [2, 3]] = mine[:, :2] + depth_px
    strips[:, [2, 3], [0, 1]] = mine[:, 2:] - depth_px
    low = np.maximum(strips[:, :, None, :2], ltrb_px[None, None, :, :2])
    high = np.minimum(strips[:, :, None, 2:], ltrb_px[None, None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0.0), axis=3)
    area = np.prod(strips[..., 2:] - strips[..., :2], axis=2)
    nearer = away_m < away_m[rows, None]
    return np.asarray((nearer[:, None] & (shared > HIDDEN * area[..., None])).any(axis=2))


def _columns(log: DriveLog, camera: int, of: _OfCamera, places: dict[str, int], shapes: list[F64]) -> Views:
    counts = [len(shown.track_ids) for shown in of.shown]
    tracks = [places[track_id] for shown in of.shown for track_id in shown.track_ids]
    outlines = np.array([shapes[track] for track in tracks])
    derivatives = Derivatives.of(log, list(log.rig.cameras)[camera], of.shown, outlines)
    return Views(
        np.repeat(np.array(of.images, dtype=np.int64), counts),
        np.array(tracks, dtype=np.int64),
        np.full(len(tracks), camera, dtype=np.int64),
        np.concatenate(of.ltrb_px) + derivatives.within,
        np.concatenate(of.free) & derivatives.seen,
        derivatives,
    )
