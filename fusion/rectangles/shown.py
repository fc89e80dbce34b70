"""Which objects images may show, at their instants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from calib.cameras import CameraModel
from calib.se3 import SE3, SE3Batch
from calib.types import F64, I64, Bools
from fusion.boxes import Boxes
from fusion.course import Course
from fusion.log import DriveLog, ImageRef

ROUNDING_M = 1e-3


@dataclass(frozen=True, eq=False, slots=True)
class Shown:
    """The tracks that an image may show: known when it was taken, and not out of its camera's sight.

    Attributes:
        image: with the instant.
        world_from_ego: where the car was then.
        track_ids: N of them.
        boxes: N, in the ego frame of that instant.
        velocities_mps: (N, 3) over the ground, in the axes of that frame.
    """

    image: ImageRef
    world_from_ego: SE3
    track_ids: list[str]
    boxes: Boxes
    velocities_mps: F64


def shown_at(log: DriveLog, courses: Mapping[str, Course], images: Sequence[ImageRef]) -> Iterator[Shown]:
    """What each of some images may show; the log's trajectory covers them all.

    Raises:
        TimeRangeError: an image was taken outside of the trajectory.
    """
    instants_ns = np.array([image.timestamp_ns for image in images], dtype=np.int64)
    world_from_egos = log.trajectory.at_many(instants_ns)
    answers = [course.at(instants_ns) for course in courses.values()]
    track_ids = [track_id for track_id, answer in zip(courses, answers, strict=True) for _ in answer[2]]
    numbers = np.concatenate([np.flatnonzero(known) for known, _, _ in answers] or [np.empty(0, np.intp)])
    world_boxes = Boxes.concatenate(boxes for _, boxes, _ in answers)
    velocities = np.concatenate([mps for *_, mps in answers] or [np.empty((0, 3))])
    rows = np.flatnonzero(_in_sight(log, images, world_from_egos, numbers, world_boxes))
    rows = rows[np.argsort(numbers[rows], kind="stable")]
    egos_from_world = world_from_egos.inverse().take(numbers[rows])
    ego_boxes = Boxes(egos_from_world @ world_boxes.dst_from_box.take(rows), world_boxes.sizes_lwh_m[rows])
    mps_ego = np.einsum("nij,nj->ni", egos_from_world.rotations, velocities[rows])
    ends = np.searchsorted(numbers[rows], np.arange(len(images)), side="right").tolist()
    for number, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        ids = [track_ids[row] for row in rows[start:end].tolist()]
        part = slice(start, end)
        yield Shown(images[number], world_from_egos[number], ids, ego_boxes.take(part), mps_ego[part])


def _in_sight(
    log: DriveLog, images: Sequence[ImageRef], world_from_egos: SE3Batch, numbers: I64, boxes: Boxes
) -> Bools:
    """(N,) which boxes in the world the images of these numbers may show; a rolling shutter may show all."""
    cameras = list(log.rig.cameras)
    taken_by = np.array([cameras.index(image.camera) for image in images], dtype=np.int64)[numbers]
    radii_m = np.linalg.norm(boxes.sizes_lwh_m, axis=1) / 2 + ROUNDING_M
    inside = np.ones(len(boxes), dtype=np.bool_)
    for index, camera in enumerate(log.rig.cameras.values()):
        if camera.readout_ns == 0:
            rows = np.flatnonzero(taken_by == index)
            cams_from_world = (world_from_egos @ camera.ego_from_sensor).inverse()
            centers_cam = cams_from_world.take(numbers[rows]) @ boxes.dst_from_box.translations[rows]
            inside[rows] = _balls_in_sight(centers_cam, radii_m[rows], camera.model)
    return inside


def _balls_in_sight(centers_cam: F64, radii_m: F64, model: CameraModel) -> Bools:
    """(N,) which balls reach into the field of view of a camera."""
    away_m = np.linalg.norm(centers_cam, axis=1)
    off_axis_rad = np.arctan2(np.hypot(centers_cam[:, 0], centers_cam[:, 1]), centers_cam[:, 2])
    half_rad = np.arcsin(np.minimum(radii_m / np.maximum(away_m, ROUNDING_M), 1.0))
    inside = (away_m <= radii_m) | (off_axis_rad - half_rad <= model.limit_rad)
    for axis, (low, high) in enumerate(model.sight.tolist()):
        for sign, slope in ((-1.0, low), (1.0, high)):
            if np.isfinite(slope):
                beyond_m = sign * (centers_cam[:, axis] - slope * centers_cam[:, 2]) / np.hypot(1.0, slope)
                inside &= beyond_m <= radii_m
    return np.asarray(inside)
