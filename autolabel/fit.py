"""One box fitted to the points that a person pointed at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autolabel.detect.clusters import Columns, Groups
from autolabel.detect.priors import PRIORS
from autolabel.detect.shapes import Shapes, shapes_of
from calib.se3 import SE3
from calib.types import F64, Floats
from fusion.boxes import Box3D
from fusion.categories import Kind, kind_of
from fusion.overlap import points_in_box

LOWEST_M, SKIN_M = 0.12, 0.03
GAP_M, GAP_PER_M = 0.35, 0.008
FEWEST, GRAZING = 3, 0.08
AROUND_M, NEARLY = 0.4, 0.8
TURNED_RAD = np.radians(30.0)
UPRIGHT = frozenset({Kind.PEDESTRIAN, Kind.ANIMAL, Kind.CONE})
LIKE = {
    Kind.MOTORCYCLE: Kind.BICYCLE,
    Kind.TRAILER: Kind.TRUCK,
    Kind.CONSTRUCTION: Kind.TRUCK,
    Kind.ANIMAL: Kind.PEDESTRIAN,
}


@dataclass(frozen=True, eq=False, slots=True)
class Cloud:
    """The points of one frame that somebody may point at.

    Attributes:
        points: (N, 3) in the ego frame.
        above_m: (N,) height above the ground; NaN where that is unknown.
        lidar: (3,) where they were seen from.
    """

    points: Floats
    above_m: Floats
    lidar: F64

    def take(self, kept: np.ndarray) -> Cloud:
        """Some of the points."""
        return Cloud(self.points[kept], self.above_m[kept], self.lidar)

    def standing(self) -> Cloud:
        """What does not lie on the ground."""
        return self.take(~(np.asarray(self.above_m) < LOWEST_M))


def usual_size(category: str) -> F64:
    """(3,) length, width, height of a usual thing of a class; zeros where nobody can say."""
    kind = kind_of(category)
    kind = LIKE.get(kind, kind)
    sizes = [prior.size_lwh_m for prior in PRIORS if prior.kind is kind]
    return np.array(sizes[0] if sizes else (0.0, 0.0, 0.0))


def fit_new(
    cloud: Cloud, category: str, facing_rad: float | None = None, size_lwh_m: Floats | None = None
) -> Box3D | None:
    """A box around the largest thing among some points, or nothing where there is none.

    The ground and what lies apart from the thing are left out, the rectangle is turned as its points lie
    (Zhang et al., 2017), and sides that were not seen are where a thing of its class would have them.

    Args:
        cloud: the points.
        category: its class.
        facing_rad: about where its front is; anything within half a turn does not matter.
        size_lwh_m: (3,) its size where that is known, such as from another frame.
    """
    shape = _shape(cloud)
    if shape is None:
        return None
    usual = usual_size(category) if size_lwh_m is None else np.asarray(size_lwh_m, dtype=np.float64)
    yaw_rad = _yaw(shape, usual, facing_rad, kind_of(category) in UPRIGHT)
    return _grown(shape, cloud, yaw_rad, usual, size_lwh_m is not None)


def fit_again(box: Box3D, cloud: Cloud, keep_size: bool = False) -> Box3D | None:
    """A box of about the right place fitted to the points in and close around it; nothing without points."""
    around = Box3D(box.ego_from_box, *(float(size) + 2 * AROUND_M for size in box.size_lwh_m))
    near = cloud.take(points_in_box(cloud.points, around))
    shape = _shape(near)
    if shape is None:
        return None
    quarter = np.round((box.yaw_rad - shape.yaws_rad[0]) / (np.pi / 2)) * (np.pi / 2)
    yaw_rad = float(shape.yaws_rad[0] + quarter)
    # Few points, or those of one end, lie any way.
    if abs(yaw_rad - box.yaw_rad) > TURNED_RAD or shape.extents_m[0].max() < NEARLY * box.width_m:
        yaw_rad = box.yaw_rad
    return _grown(shape, near, yaw_rad, box.size_lwh_m, keep_size)


def _shape(cloud: Cloud) -> Shapes | None:
    """The largest thing among points, measured."""
    standing = cloud.standing()
    if len(standing.points) < FEWEST:
        return None
    above_m = np.nan_to_num(np.asarray(standing.above_m, dtype=np.float64), nan=1.0)
    columns = Columns.of(standing.points, above_m)
    away_m = np.linalg.norm(columns.places - standing.lidar[:2], axis=1)
    groups = columns.groups(np.ones(len(columns.tops_m), dtype=np.bool_), GAP_M + GAP_PER_M * away_m)
    if len(groups) == 0:
        return None
    largest = groups.take(np.arange(len(groups)) == np.argmax(np.diff(groups.starts)))
    if len(largest.order) < FEWEST:
        return None
    return shapes_of(standing.points, above_m, Groups(largest.order, largest.starts), columns,
                     standing.lidar[None], moving=False)  # fmt: skip


def _yaw(shape: Shapes, usual: F64, facing_rad: float | None, upright: bool) -> float:
    """The direction of the length: along the longer side, unless that is too short for it to tell."""
    first_m, second_m = shape.extents_m[0]
    yaw_rad = float(shape.yaws_rad[0])
    if facing_rad is not None:
        if upright:
            return facing_rad
        quarters = (
            round((facing_rad - yaw_rad) / (np.pi / 2)) if max(first_m, second_m) < 1.2 * usual[1] else None
        )
        if quarters is not None:
            return yaw_rad + quarters * np.pi / 2
    along = yaw_rad if first_m >= second_m else yaw_rad + np.pi / 2
    if facing_rad is not None and np.cos(along - facing_rad) < 0:
        along += np.pi
    return float(along)


def _grown(shape: Shapes, cloud: Cloud, yaw_rad: float, usual: F64, exactly: bool) -> Box3D:
    """The box of a usual size whose seen sides lie on the points."""
    turn = yaw_rad - float(shape.yaws_rad[0])
    ego_from_rectangle = SE3.from_yaw(yaw_rad, shape.centers[0])
    quarter = abs(np.sin(turn)) < 0.02 or abs(np.cos(turn)) < 0.02
    if quarter:
        extents = shape.extents_m[0] if abs(np.cos(turn)) > 0.5 else shape.extents_m[0][::-1]
        low, high = -extents / 2, extents / 2
    else:
        inside = ego_from_rectangle.inverse() @ cloud.standing().points
        low, high = np.quantile(inside[:, :2], [0.005, 0.995], axis=0)
    lidar = ego_from_rectangle.inverse() @ cloud.lidar
    sizes, middle = np.zeros(3), np.zeros(3)
    for axis in range(2):
        sizes[axis], middle[axis] = _side(low[axis], high[axis], float(lidar[axis]), usual[axis], exactly)
    top_m = float(shape.tops_m[0]) + SKIN_M
    sizes[2] = usual[2] if usual[2] > 0 and (exactly or top_m < NEARLY * usual[2]) else max(top_m, 0.2)
    middle[2] = sizes[2] / 2
    return Box3D.upright(ego_from_rectangle @ middle, sizes, yaw_rad)


def _side(low_m: float, high_m: float, lidar_m: float, usual_m: float, exactly: bool) -> tuple[float, float]:
    """Size and middle along one axis: what was not seen lies away from the LiDAR."""
    seen_m = max(high_m - low_m, 0.0) + 2 * SKIN_M
    size_m = usual_m if exactly else max(seen_m, 0.2)
    away_m = abs(lidar_m) + 1e-6
    ahead, behind = (lidar_m - high_m) / away_m > GRAZING, (low_m - lidar_m) / away_m > GRAZING
    if not exactly and seen_m < usual_m and not (seen_m >= NEARLY * usual_m and not (ahead or behind)):
        size_m = usual_m
    if ahead:
        return size_m, high_m + SKIN_M - size_m / 2
    if behind:
        return size_m, low_m - SKIN_M + size_m / 2
    return size_m, (low_m + high_m) / 2
