"""The height of the ground around the car."""

from __future__ import annotations

from dataclasses import dataclass

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
        return _fitted(*_in_cells(points_ego))

    @classmethod
    def under(cls, points_ego: Floats) -> tuple[Ground, F64]:
        """The ground below (N, 3) points as of `fit`, and (N,) `heights_above` of them, in one go."""
        from fusion.ground import _kernels

        cloud, polar = _in_cells(points_ego)
        ground, above_m = _fitted(cloud, polar), np.empty(len(cloud))
        _kernels.heights_above(ground.heights_m, cloud, polar, above_m)
        return ground, above_m

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

        cloud, polar = _in_cells(points)
        above_m = np.empty(len(cloud))
        _kernels.heights_above(self.heights_m, cloud, polar, above_m)
        return above_m


def _in_cells(points_ego: Floats) -> tuple[F64, F32]:
    """(N, 3) points as kernels take them, and (N, 2) in which ring and sector each lies."""
    from fusion.ground import _kernels

    cloud = kernel_view(points_ego, 3, np.float64)
    return cloud, _kernels.all_polar(cloud, RINGS, SECTORS, NEAREST_M, FARTHEST_M)


def _fitted(cloud: F64, polar: F32) -> Ground:
    from fusion.ground import _kernels, _smooth_kernels

    in_cells, starts = _kernels.sort_into_cells(cloud, polar, RINGS, SECTORS)
    lows = np.empty((RINGS, SECTORS))
    _kernels.low_heights(in_cells, starts, lows)
    places = _cell_centers()
    heights_m, seeds = _above_plane(lows, places)
    climbed = _kernels.grow_ground(heights_m, places, seeds, np.isfinite(lows))
    level = _kernels.drop_pits(heights_m, places, climbed)
    passable = _kernels.drop_what_stands(heights_m, places, level)
    reached = _kernels.grow_ground(heights_m, places, seeds, passable)
    anchors = np.empty((RINGS, SECTORS, 3))
    _smooth_kernels.ground_anchors(in_cells, starts, lows, reached, anchors)
    smooth = np.empty((RINGS, SECTORS))
    _smooth_kernels.smooth_ground(anchors, reached, np.linalg.norm(places[:, 0], axis=1), places, smooth)
    return Ground(smooth)


def _cell_centers() -> F64:
    """(RINGS, SECTORS, 2) x and y of the middle of each cell."""
    radii = NEAREST_M * (FARTHEST_M / NEAREST_M) ** ((np.arange(RINGS) + 0.5) / RINGS)
    azimuths = (np.arange(SECTORS) + 0.5) * (2 * np.pi / SECTORS) - np.pi
    directions = np.column_stack([np.cos(azimuths), np.sin(azimuths)])
    centers: F64 = radii[:, None, None] * directions
    return centers


def _above_plane(lows: F64, places: F64) -> tuple[F64, Bools]:
    """Heights above the plane that most cells beside the car agree on, and which cells those are.

    The plane is the best of many through three cells (RANSAC; Fischler and Bolles, 1981). Seen from it, a
    hill as a whole is as easy to grow over as level ground.
    """
    from fusion.ground import _kernels

    radii = np.linalg.norm(places[:, 0], axis=1)
    beside = (radii >= BESIDE_M[0]) & (radii <= BESIDE_M[1])
    candidates = np.isfinite(lows) & beside[:, None]
    if candidates.sum() < 3:
        return lows, candidates
    cells = np.column_stack([places[candidates], lows[candidates]])
    planes = _planes(cells[np.random.default_rng(0).integers(0, len(cells), (TRIES, 3))])
    counts = np.empty(len(planes), dtype=np.int64)
    _kernels.count_on_planes(cells, planes, AGREE_M, counts)
    plane = planes[np.argmax(counts)]
    heights_m: F64 = lows - places @ plane[:2] - plane[2]
    return heights_m, candidates & (np.abs(np.nan_to_num(heights_m, nan=np.inf)) < AGREE_M)


def _planes(corners: F64) -> F64:
    """(M, 3) slopes along x and y and heights at the origin of planes through (N, 3, 3) corners."""
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    walkable = np.linalg.norm(normals[:, :2], axis=1) < STEEPEST * np.abs(normals[:, 2])
    slopes = -normals[walkable, :2] / normals[walkable, 2:]
    level = np.array([[0.0, 0.0, np.median(corners[..., 2])]])
    heights_m = corners[walkable, 0, 2] - np.sum(slopes * corners[walkable, 0, :2], axis=1)
    return np.concatenate([level, np.column_stack([slopes, heights_m])])
