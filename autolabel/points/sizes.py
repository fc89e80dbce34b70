"""How large an object is, as its own points tell."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from calib.types import F64

REACH_M, SIGMA_M = 0.4, 0.08
OUTERMOST = 0.01
ENOUGH = 60


@dataclass(eq=False, slots=True)
class Extent:
    """How far points reach in the frame of a box, and from which sides they were seen.

    Attributes:
        half: (3,) half size of the box that was assumed.
        faces: points seen while each face was turned to the LiDAR: front, back, left, right.
    """

    half: F64
    faces: F64
    _points: list[F64] = field(default_factory=list, repr=False)

    @classmethod
    def of(cls, half: F64) -> Extent:
        """Nothing seen yet."""
        return cls(half, np.zeros(4))

    def add(self, points: F64, pose: F64, origin: F64) -> None:
        """Takes up the (N, 3) points near a box at a pose; the first of `origin` are the LiDAR's place."""
        c, s = np.cos(pose[3]), np.sin(pose[3])
        box_from_local = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
        places, eye = (points - pose[:3]) @ box_from_local.T, box_from_local @ (origin[:3] - pose[:3])
        own = places[(np.abs(places) < self.half + REACH_M).all(axis=1)]
        turned = np.array([eye[0], -eye[0], eye[1], -eye[1]]) > np.repeat(self.half[:2], 2)
        self.faces += turned * len(own)
        self._points.append(own)

    def size(self) -> tuple[F64, F64]:
        """(3,) length, width, height, and how sure; infinite where not both ends of a side were seen.

        An end is seen from its own face; both ends also from the face between them.
        """
        size, sigmas = 2 * self.half, np.full(3, np.inf)
        cloud = np.vstack(self._points) if self._points else np.zeros((0, 3))
        if len(cloud) < ENOUGH:
            return size, sigmas
        front, back, left, right = self.faces >= ENOUGH
        low, high = np.quantile(cloud, [OUTERMOST, 1 - OUTERMOST], axis=0)
        if (front and back) or left or right:
            size[0], sigmas[0] = high[0] - low[0], SIGMA_M
        if (left and right) or front or back:
            size[1], sigmas[1] = high[1] - low[1], SIGMA_M
        size[2], sigmas[2] = high[2] + self.half[2], SIGMA_M
        return size, sigmas
