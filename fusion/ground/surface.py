"""The height of the ground around the car."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from calib.types import F32, F64, Bools, Floats, frozen, kernel_view

RINGS, SECTORS = 64, 144
NEAREST_M, FARTHEST_M = 2.5, 150.0
BESIDE_M = (3.0, 14.0)
AGREE_M, STEEPEST, TRIES = 0.12, 0.4, 150


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
        return _fitted(kernel_view(points_ego, 3, np.float32))

    @classmethod
    def under(cls, points_ego: Floats) -> tuple[Ground, F64]:
        """The ground below (N, 3) points as of `fit`, and (N,) `heights_above` of them, in one go."""
        ground = cls.fit(points_ego)
        return ground, ground.heights_above(points_ego)

    def height_at(self, xy: Floats) -> F64:
        """(M,) z of the ground at (M, 2) places in the ego frame; NaN where it is unknown."""
        from fusion.ground import _kernels

        places = kernel_view(xy, 2, np.float64)
        heights_m = np.empty(len(places))
        _kernels.ground_heights(self.heights_m, places, NEAREST_M, FARTHEST_M, heights_m)
        return heights_m

    def heights_above(self, points: Floats) -> F64:
        """(N,) heights of (N, 3) points above the ground below them; NaN where that is unknown."""
        from fusion.ground import _kernels

        cloud = kernel_view(points, 3, np.float32)
        above_m = np.empty(len(cloud))
        _kernels.heights_above(self.heights_m, cloud, NEAREST_M, FARTHEST_M, above_m)
        return above_m


def _fitted(cloud: F32) -> Ground:
    from fusion.ground import _grow_kernels, _kernels, _smooth_kernels

    cells = _kernels.cells_of(cloud, RINGS, SECTORS, NEAREST_M, FARTHEST_M)
    lows = np.empty((RINGS, SECTORS))
    heights, starts = _kernels.sort_heights(cloud, cells, lows.size)
    _kernels.low_heights(heights, starts, lows)
    places = _cell_centers()
    heights_m, seeds = _above_plane(lows, places)
    climbed = _grow_kernels.grow_ground(heights_m, places, seeds, np.isfinite(lows))
    level = _grow_kernels.drop_pits(heights_m, places, climbed)
    passable = _grow_kernels.drop_what_stands(heights_m, places, level)
    reached = _grow_kernels.grow_ground(heights_m, places, seeds, passable)
    anchors = np.empty((RINGS, SECTORS, 3))
    _smooth_kernels.ground_anchors(cloud, cells, lows, reached, anchors)
    smooth = np.empty((RINGS, SECTORS))
    _smooth_kernels.smooth_ground(anchors, reached, np.linalg.norm(places[:, 0], axis=1), places, smooth)
    return Ground(smooth)


@cache
def _cell_centers() -> F64:
    """(RINGS, SECTORS, 2) x and y of the middle of each cell."""
    radii = NEAREST_M * (FARTHEST_M / NEAREST_M) ** ((np.arange(RINGS) + 0.5) / RINGS)
    azimuths = (np.arange(SECTORS) + 0.5) * (2 * np.pi / SECTORS) - np.pi
    directions = np.column_stack([np.cos(azimuths), np.sin(azimuths)])
    return frozen(radii[:, None, None] * directions, np.float64)


def _above_plane(lows: F64, places: F64) -> tuple[F64, Bools]:
    """Heights above the plane that most cells beside the car agree on, and which cells those are.

    The plane is the best of many through three cells (RANSAC; Fischler and Bolles, 1981). Seen from it, a
    hill as a whole is as easy to grow over as level ground.
    """
    from fusion.ground import _grow_kernels

    away_m = np.linalg.norm(places[:, :1], axis=2)
    candidates = np.isfinite(lows) & (away_m >= BESIDE_M[0]) & (away_m <= BESIDE_M[1])
    chosen = np.flatnonzero(candidates)
    if len(chosen) < 3:
        return lows, candidates
    xs, ys = places.reshape(-1, 2)[chosen].T.copy()
    triples = np.random.default_rng(0).integers(0, len(chosen), (TRIES, 3))
    *slopes, at_origin_m = _grow_kernels.best_plane(xs, ys, lows.ravel()[chosen], triples, AGREE_M, STEEPEST)
    heights_m: F64 = lows - places @ slopes - at_origin_m
    return heights_m, candidates & (np.abs(heights_m) < AGREE_M)
