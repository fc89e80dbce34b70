"""3D boxes, one and many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from calib.errors import CrosslabelError
from calib.se3 import SE3, SE3Batch
from calib.types import F64, frozen

# Unit corners: the four of the front face first, each face counter-clockwise seen from the front,
# beginning at the top left; edges and faces refer to these.
UNIT_CORNERS: F64 = 0.5 * np.array(
    [[1, 1, 1], [1, -1, 1], [1, -1, -1], [1, 1, -1], [-1, 1, 1], [-1, -1, 1], [-1, -1, -1], [-1, 1, -1]],
    dtype=np.float64,
)
EDGES = ((0, 1), (1, 2), (2, 3), (3, 0), (4, 5), (5, 6), (6, 7), (7, 4), (0, 4), (1, 5), (2, 6), (3, 7))


@dataclass(frozen=True, slots=True)
class Box3D:
    """A cuboid in the ego frame of its own instant.

    Attributes:
        ego_from_box: pose; the origin is the centre, x points along the length to the front.
        length_m: size along x.
        width_m: size along y.
        height_m: size along z.

    Raises:
        CrosslabelError: a size is not positive and finite.
    """

    ego_from_box: SE3
    length_m: float
    width_m: float
    height_m: float

    def __post_init__(self) -> None:
        if not (0 < self.length_m < np.inf and 0 < self.width_m < np.inf and 0 < self.height_m < np.inf):
            size = (self.length_m, self.width_m, self.height_m)
            raise CrosslabelError(f"the size of a box must be positive and finite, not {size}")

    @classmethod
    def upright(cls, center: Iterable[float], size_lwh_m: Iterable[float], yaw_rad: float) -> Box3D:
        """A box that stands straight: centre (3,), length-width-height, angle about z."""
        length_m, width_m, height_m = (float(value) for value in size_lwh_m)
        return cls(SE3.from_yaw(yaw_rad, np.array([*center])), length_m, width_m, height_m)

    @property
    def center(self) -> F64:
        """(3,) centre in the ego frame."""
        return self.ego_from_box.translation

    @property
    def size_lwh_m(self) -> F64:
        """(3,) length, width, height."""
        return np.array([self.length_m, self.width_m, self.height_m])

    @property
    def yaw_rad(self) -> float:
        """Heading in the ego frame's xy plane."""
        return self.ego_from_box.yaw_rad

    def corners(self) -> F64:
        """(8, 3) corners in the ego frame, in the order of `UNIT_CORNERS`."""
        return self.ego_from_box @ (UNIT_CORNERS * self.size_lwh_m)


@dataclass(frozen=True, eq=False, slots=True)
class Boxes:
    """Many boxes in one frame, in two arrays.

    Attributes:
        dst_from_box: N poses, origins at the centres.
        sizes_lwh_m: (N, 3) float64.
    """

    dst_from_box: SE3Batch
    sizes_lwh_m: F64

    def __post_init__(self) -> None:
        sizes = frozen(self.sizes_lwh_m, np.float64).reshape(-1, 3)
        if len(sizes) != len(self.dst_from_box):
            raise CrosslabelError(f"{len(self.dst_from_box)} poses and {len(sizes)} sizes of boxes")
        object.__setattr__(self, "sizes_lwh_m", sizes)

    @classmethod
    def stack(cls, boxes: Iterable[Box3D]) -> Boxes:
        """From boxes one by one."""
        listed = list(boxes)
        sizes = np.array([(b.length_m, b.width_m, b.height_m) for b in listed], np.float64).reshape(-1, 3)
        return cls(SE3Batch.stack(box.ego_from_box for box in listed), sizes)

    @classmethod
    def concatenate(cls, parts: Iterable[Boxes]) -> Boxes:
        """All boxes of several, one after the other; all in the same frame."""
        listed = [cls.stack(()), *parts]
        sizes = np.concatenate([part.sizes_lwh_m for part in listed])
        return cls(SE3Batch.concatenate(part.dst_from_box for part in listed), sizes)

    def __len__(self) -> int:
        return len(self.sizes_lwh_m)

    def take(self, indices: slice | np.ndarray) -> Boxes:
        """The boxes at these indices or under this mask."""
        return Boxes(self.dst_from_box.take(indices), self.sizes_lwh_m[indices])

    def moved(self, new_from_dst: SE3) -> Boxes:
        """The same boxes in another frame."""
        new_from_box = new_from_dst @ self.dst_from_box
        return Boxes(new_from_box, self.sizes_lwh_m)

    def corners(self) -> F64:
        """(N, 8, 3) corners."""
        local = UNIT_CORNERS[None] * self.sizes_lwh_m[:, None, :]
        turned = np.einsum("nij,nkj->nki", self.dst_from_box.rotations, local)
        return np.asarray(turned + self.dst_from_box.translations[:, None, :], dtype=np.float64)

    def upright(self) -> F64:
        """(N, 7) float64: centre x y z, length, width, height, yaw; tilt is dropped."""
        yaws = self.dst_from_box.yaws_rad[:, None]
        return np.hstack([self.dst_from_box.translations, self.sizes_lwh_m, yaws])
