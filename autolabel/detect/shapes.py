"""What can be measured of groups of points: a rectangle on the ground, heights, how they are spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from autolabel.detect.clusters import CELL_M, Columns, Groups
from calib.types import F64, I64, Bools, Floats, kernel_view

MEASURED = 23
FITTED_POINTS, MEASURED_POINTS = 120, 1500
SMALL_M = 1.3
MARGIN_M = 0.6
ALWAYS_S = 99.0


@dataclass(frozen=True, eq=False, slots=True)
class Shapes:
    """Rectangles around groups of points, with what else is known of each.

    Attributes:
        centers: (C, 3) x and y of the middle, z of the ground below, in the local world.
        yaws_rad: (C,) direction of the first side; which of the sides is the length is not said.
        extents_m: (C, 2) along the first side and across it.
        bottoms_m: (C,) height of the lowest points above the ground.
        tops_m: (C,) of the highest.
        counts: (C,) of points.
        features: (C, F) see `NAMES`.
        seen: (C, 4) how far the LiDAR was out in front of the sides +a -a +b -b, metres, at best.
        end_heights_m: (C, 4) how high the parts at the sides +a -a +b -b are; NaN where they were not seen.
        moving: (C,) whether the points were where nothing stands.
        moved_m: (C, 2) how far it gets in a second, x and y in the local world; NaN where that is not known.
        longest_m: (C,) how long it is in frames that show it well; 0 where that is not known.
    """

    centers: F64
    yaws_rad: F64
    extents_m: F64
    bottoms_m: F64
    tops_m: F64
    counts: F64
    features: F64
    seen: F64
    end_heights_m: F64
    moving: Bools
    moved_m: F64
    longest_m: F64

    @classmethod
    def none(cls) -> Shapes:
        """No shapes at all."""
        three, two, one, four = (np.empty((0, n) if n > 1 else 0) for n in (3, 2, 1, 4))
        features = np.empty((0, len(NAMES)))
        flags = np.empty(0, dtype=np.bool_)
        return cls(three, one, two, one, one, one, features, four, four, flags, two, one)

    @classmethod
    def joined(cls, parts: Sequence[Shapes]) -> Shapes:
        """All of them, one after the other."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__))

    def __len__(self) -> int:
        return len(self.centers)

    @property
    def rectangles(self) -> F64:
        """(C, 5) x, y, direction of the first side, both extents."""
        return np.column_stack([self.centers[:, :2], self.yaws_rad, self.extents_m])

    def with_motion(self, moved_m: F64, lived_s: F64, gone_m: F64, longest_m: F64) -> Shapes:
        """The same shapes with what other frames say of them.

        Args:
            moved_m: (C, 2) see `Shapes`.
            lived_s: (C,) for how long each is seen.
            gone_m: (C,) how far it gets meanwhile.
            longest_m: (C,) see `Shapes`.
        """
        features = self.features.copy()
        features[:, NAMES.index("speed_mps")] = np.nan_to_num(np.linalg.norm(moved_m, axis=1), nan=-1.0)
        features[:, NAMES.index("lived_s")] = lived_s
        features[:, NAMES.index("gone_m")] = gone_m
        features[:, NAMES.index("longest_m")] = longest_m
        return replace(self, features=features, moved_m=moved_m, longest_m=longest_m)

    def take(self, kept: np.ndarray) -> Shapes:
        """Some of them."""
        return Shapes(*(getattr(self, name)[kept] for name in self.__slots__))


NAMES = (
    "long_m", "short_m", "top_m", "bottom_m", "log_points", "closeness", "fill",
    "to_0.5_m", "to_1.0_m", "to_1.5_m", "above_1.5_m", "beyond_ends", "beside", "log_density",
    "roof_along", "roof_across", "foot_along", "foot_across", "roofed",
    "speed_mps", "lived_s", "gone_m", "longest_m",
)  # fmt: skip


def shapes_of(
    points: Floats, above_m: Floats, groups: Groups, columns: Columns, origins: F64, moving: bool
) -> Shapes:
    """Measures groups of points that were seen from (S, 3) places of the LiDAR."""
    from autolabel.detect import _column_kernels, _shape_kernels

    found = np.zeros((len(groups), MEASURED))
    cloud, heights = kernel_view(points, 3, np.float64), kernel_view(above_m, 1, np.float64)[:, 0]
    limits = FITTED_POINTS, MEASURED_POINTS, SMALL_M
    _shape_kernels.measure(cloud, heights, groups.order, groups.starts, *limits, found)
    rectangles = np.ascontiguousarray(found[:, [0, 1, 3, 4, 5]])
    own, hung = np.full(len(columns.tops_m), -1, dtype=np.int64), np.zeros(len(columns.tops_m))
    _column_kernels.own_cells(columns.column, columns.hangs, groups.order, groups.starts, own, hung)
    beside = np.zeros((len(groups), 2))
    _column_kernels.count_beside(rectangles, MARGIN_M, 1 / CELL_M, columns.keys, columns.numbers, own, beside)
    extents = found[:, 4:6]
    beside /= 1 + 2 * np.column_stack([extents.min(axis=1), extents.max(axis=1)]) / CELL_M
    roofed = _roofed(own, hung, len(groups))
    return Shapes(
        found[:, :3], found[:, 3], extents, found[:, 6], found[:, 7], found[:, 8],
        _features(found, beside, roofed, moving, origins), _seen(found, origins), found[:, 15:19],
        np.full(len(groups), moving), np.full((len(groups), 2), np.nan if moving else 0.0),
        np.zeros(len(groups)),
    )  # fmt: skip


def _features(found: F64, beside: F64, roofed: F64, moving: bool, origins: F64) -> F64:
    extents, counts = found[:, 4:6], found[:, 8]
    long_m, short_m = extents.max(axis=1), extents.min(axis=1)
    away_m = np.linalg.norm(found[:, None, :2] - origins[None, :, :2], axis=2).min(axis=1, initial=100.0)
    face = np.maximum(long_m, 0.1) * np.maximum(found[:, 7] - found[:, 6], 0.1)
    density = counts * np.maximum(away_m, 3.0) ** (2 if moving else 0) / face
    turned = extents[:, 1] > extents[:, 0]
    roof, foot = found[:, 19::2], found[:, 20::2]
    roof_along, foot_along = (np.where(turned, e[:, 1], e[:, 0]) / (long_m + 0.05) for e in (roof, foot))
    roof_across, foot_across = (np.where(turned, e[:, 0], e[:, 1]) / (short_m + 0.05) for e in (roof, foot))
    columns = [
        long_m, short_m, found[:, 7], found[:, 6], np.log(counts), found[:, 9], found[:, 10],
        *found[:, 11:15].T, *beside.T,
        np.log(density), roof_along, roof_across, foot_along, foot_across, roofed,
        np.zeros(len(found)), np.full(len(found), ALWAYS_S), np.zeros(len(found)), long_m,
    ]  # fmt: skip
    return np.column_stack(columns)


def _roofed(own: I64, hung: F64, count: int) -> F64:
    """(G,) above which share of the columns of each group something hangs."""
    used = own >= 0
    share = np.bincount(own[used], hung[used], count) / np.maximum(np.bincount(own[used], minlength=count), 1)
    return np.asarray(share)


def _seen(found: F64, origins: F64) -> F64:
    """(C, 4) how far out beyond each side the LiDAR ever was, as a share of its distance."""
    c, s = np.cos(found[:, 3])[:, None], np.sin(found[:, 3])[:, None]
    x, y = (origins[None, :, :2] - found[:, None, :2]).transpose(2, 0, 1)
    away = np.hypot(x, y) + 1e-6
    a, b = c * x + s * y, c * y - s * x
    near = away < 45.0
    out = [a - found[:, 4:5] / 2, -a - found[:, 4:5] / 2, b - found[:, 5:6] / 2, -b - found[:, 5:6] / 2]
    return np.column_stack([np.where(near, side / away, -1.0).max(axis=1, initial=-1.0) for side in out])
