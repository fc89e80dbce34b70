"""The height of the ground around the car."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.types import F64, Bools, Floats, frozen

RINGS, SECTORS = 64, 144
NEAREST_M, FARTHEST_M = 2.5, 150.0
SEED_NEAR_M, SEED_FAR_M = 3.0, 12.0
SEED_BIN_M = 0.2


@dataclass(frozen=True, eq=False, slots=True)
class Ground:
    """Heights of the ground on a polar grid about the ego origin, whose cells grow with the distance.

    Attributes:
        heights_m: (RINGS, SECTORS) z of the ground in the middle of each cell; NaN where it is unknown.
    """

    heights_m: F64

    def __post_init__(self) -> None:
        object.__setattr__(self, "heights_m", frozen(self.heights_m, np.float64))

    @classmethod
    def fit(cls, points_ego: Floats) -> Ground:
        """Finds the ground below (N, 3) points of one sweep in the ego frame.

        A low quantile of each cell is taken for ground where it can be reached from beside the car over
        steps and slopes that roads have; planes through neighbouring cells smooth it and close holes.
        """
        from fusion.ground import _kernels

        cloud = _columns(points_ego, 3)
        order, starts = _kernels.sort_into_cells(cloud, RINGS, SECTORS, NEAREST_M, FARTHEST_M)
        lows = np.empty((RINGS, SECTORS))
        _kernels.low_heights(cloud, order, starts, lows)
        places = _cell_centers()
        seeds = _seeds(lows)
        climbed = _kernels.grow_ground(lows, places, seeds, np.isfinite(lows))
        passable = _kernels.drop_what_stands(lows, places, climbed)
        reached = _kernels.grow_ground(lows, places, seeds, passable)
        anchors = np.empty((RINGS, SECTORS, 3))
        _kernels.ground_anchors(cloud, order, starts, lows, reached, anchors)
        heights_m = np.empty((RINGS, SECTORS))
        _kernels.smooth_ground(anchors, reached, places, heights_m)
        return cls(heights_m)

    def height_at(self, xy: Floats) -> F64:
        """(M,) z of the ground at (M, 2) places in the ego frame; NaN where it is unknown."""
        from fusion.ground import _kernels

        places = _columns(xy, 2)
        heights_m = np.empty(len(places))
        _kernels.ground_heights(self.heights_m, places, NEAREST_M, FARTHEST_M, heights_m)
        return heights_m

    def heights_above(self, points: Floats) -> F64:
        """(N,) heights of (N, 3) points above the ground below them; NaN where that is unknown."""
        return np.asarray(points[:, 2] - self.height_at(points[:, :2]), dtype=np.float64)


def _columns(values: Floats, width: int) -> F64:
    """One layout and type for the kernels, so that each is compiled once."""
    columns: F64 = np.ascontiguousarray(values, dtype=np.float64).reshape(-1, width).view()
    columns.flags.writeable = False
    return columns


def _cell_centers() -> F64:
    """(RINGS, SECTORS, 2) x and y of the middle of each cell."""
    radii = NEAREST_M * (FARTHEST_M / NEAREST_M) ** ((np.arange(RINGS) + 0.5) / RINGS)
    azimuths = (np.arange(SECTORS) + 0.5) * (2 * np.pi / SECTORS) - np.pi
    directions = np.column_stack([np.cos(azimuths), np.sin(azimuths)])
    centers: F64 = radii[:, None, None] * directions
    return centers


def _seeds(lows: F64) -> Bools:
    """Cells beside the car at the height that most of its surroundings have."""
    radii = np.linalg.norm(_cell_centers()[:, 0], axis=1)
    beside = (radii >= SEED_NEAR_M) & (radii <= SEED_FAR_M)
    candidates = np.isfinite(lows) & beside[:, None]
    if not candidates.any():
        return candidates
    heights_m = lows[candidates]
    bins = np.floor((heights_m - heights_m.min()) / SEED_BIN_M).astype(np.int64)
    votes = np.convolve(np.bincount(bins, minlength=3), (1, 2, 1), mode="same")
    usual_m = heights_m.min() + (np.argmax(votes) + 0.5) * SEED_BIN_M
    return candidates & (np.abs(np.nan_to_num(lows, nan=np.inf) - usual_m) <= 1.5 * SEED_BIN_M)
