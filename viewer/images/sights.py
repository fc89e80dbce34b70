"""How an image shows one object: where, how large, and how much of it is cut off."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from calib.errors import CrosslabelError
from calib.se3 import SE3
from fusion.course import Course
from fusion.log import DriveLog, ImageRef
from fusion.rectangles import Cloud, rectangles_in

LEAST_PX = 4.0
OFF_CENTRE_COST = 0.5
Rectangle = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Sight:
    """One object in one image.

    Attributes:
        image: the image.
        ltrb_px: left, top, right, bottom of what lies in it.
        truncation: share of the object that lies outside, 0 to 1.
        off_centre: how far off the middle of the image it is, 0 to 1 at a border.
    """

    image: ImageRef
    ltrb_px: Rectangle
    truncation: float
    off_centre: float

    @property
    def worth(self) -> float:
        """How well one sees the object: large, whole and in the middle is best."""
        left, top, right, bottom = self.ltrb_px
        whole = (1 - self.truncation) ** 2
        return (right - left) * (bottom - top) * whole * (1 - OFF_CENTRE_COST * self.off_centre)


def sight(log: DriveLog, course: Course, image: ImageRef) -> Sight | None:
    """How an image shows the object of a course at the image's own instant; None where it does not."""
    try:
        known, boxes, velocities = course.at([image.timestamp_ns])
        if not known[0]:
            return None
        ego_from_world = log.trajectory.at(image.timestamp_ns).inverse()
        mps = velocities @ ego_from_world.rotation.T
        shown = rectangles_in(log, image, boxes.moved(ego_from_world), mps, _NO_CLOUD, np.ones(1))
    except CrosslabelError:
        return None
    left, top, right, bottom = (float(value) for value in shown.ltrb_px[0])
    if not (right - left >= LEAST_PX and bottom - top >= LEAST_PX):
        return None
    model = log.rig.cameras[image.camera].model
    off = max(abs((left + right) / model.width_px - 1), abs((top + bottom) / model.height_px - 1))
    return Sight(image, (left, top, right, bottom), float(shown.truncation[0]), min(off, 1.0))


def best(sights: Iterable[Sight | None]) -> Sight | None:
    """The one in which one sees the object best."""
    return max((one for one in sights if one is not None), key=lambda one: one.worth, default=None)


_NO_CLOUD = Cloud(np.zeros((0, 3), np.float32), np.zeros(0, np.int32), SE3.identity())
