"""Which objects are known at the instants of images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from calib.se3 import SE3
from calib.types import F64
from fusion.boxes import Boxes
from fusion.course import Course
from fusion.log import DriveLog, ImageRef


@dataclass(frozen=True, eq=False, slots=True)
class Shown:
    """The tracks that are known when an image was taken.

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
    answers = [course.at(instants_ns) for course in courses.values()]
    track_ids = [track_id for track_id, answer in zip(courses, answers, strict=True) for _ in answer[2]]
    instants = np.concatenate([np.flatnonzero(known) for known, _, _ in answers] or [np.empty(0, np.intp)])
    world_boxes = Boxes.concatenate(boxes for _, boxes, _ in answers)
    velocities = np.concatenate([mps for *_, mps in answers] or [np.empty((0, 3))])
    order = np.argsort(instants, kind="stable")
    ends = np.searchsorted(instants[order], np.arange(len(images)), side="right")
    world_from_egos = log.trajectory.at_many(instants_ns)
    for number, rows in enumerate(np.split(order, ends)[: len(images)]):
        world_from_ego = world_from_egos[number]
        boxes = world_boxes.take(rows).moved(world_from_ego.inverse())
        mps = velocities[rows] @ world_from_ego.rotation
        yield Shown(images[number], world_from_ego, [track_ids[i] for i in rows], boxes, mps)
