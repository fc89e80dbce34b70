"""Depth edges of any cloud that was measured from one place; neither order nor rings need be known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.refine.edges import Edges
from calib.types import F64, I64, Floats

AZIMUTH_STEP_RAD, ELEVATION_STEP_RAD = np.radians(0.2), np.radians(0.4)
NEAREST_M, FARTHEST_M = 1.5, 80.0
LEAST_JUMP_M, LEAST_RATIO, LEAST_BEND, MOST_JUMP_M = 0.5, 1.05, 3.0, 9.0
REACH = 2
HEIGHTS_M = np.arange(0.0, 2.6, 0.3)
ENOUGH = 0.97


@dataclass(frozen=True, eq=False, slots=True)
class _Panorama:
    """The nearest point and its range in every cell of angles; -1 and infinity where there is none."""

    index: I64
    range_m: F64


def edges_around(points_lidar: Floats, top_weight: float = 1.0) -> Edges:
    """Where the range jumps between neighbours in azimuth or in elevation, on the near side.

    Less sharp than the edges of known rings (about a tenth of a degree), but it needs no rings, no order
    and no exact centre: data sets shift clouds up from the ground or move them along with the car.

    Args:
        points_lidar: (N, 3), in any order.
        top_weight: what edges above and below a thing count, against those beside it.
    """
    points = np.asarray(points_lidar, dtype=np.float64)
    finite = np.isfinite(points).all(axis=1)
    points = points[finite]
    centre = np.array([0.0, 0.0, height_of_centre_m(points)])
    rays = points - centre
    near = np.linalg.norm(rays, axis=1) > NEAREST_M
    points, rays = points[near], rays[near]
    panorama = _panorama(rays)
    parts = [_jumps(panorama, axis, way) for axis in (1, 0) for way in (1, -1)]
    source = np.concatenate([index for index, _ in parts])
    strength = np.concatenate([np.sqrt(np.clip(jump_m, 0, MOST_JUMP_M)) / 2 for _, jump_m in parts])
    upright = np.repeat(
        [False, True], [len(parts[0][0]) + len(parts[1][0]), len(parts[2][0]) + len(parts[3][0])]
    )
    weight = strength * np.where(upright, top_weight, 1.0)
    across = _across(rays[source], upright)
    return Edges(points[source], across, weight, np.flatnonzero(finite)[near][source], sharp=False)


def height_of_centre_m(points_lidar: Floats) -> float:
    """How far above the origin of its frame a cloud was measured from: from there, neighbours touch most."""
    filled = np.array([_touching(points_lidar - np.array([0.0, 0.0, height])) for height in HEIGHTS_M])
    return float(HEIGHTS_M[np.argmax(filled >= ENOUGH * filled.max(initial=0))])


def _touching(rays: F64) -> int:
    """How many cells of azimuth and elevation hold a point beside another that does."""
    row, column, shape = _cells(rays, np.linalg.norm(rays, axis=1))
    full = np.zeros(shape, dtype=np.bool_)
    full[row, column] = True
    return int((full & np.roll(full, 1, axis=1)).sum())


def _panorama(rays: F64) -> _Panorama:
    range_m = np.linalg.norm(rays, axis=1)
    row, column, shape = _cells(rays, range_m)
    far_first = np.argsort(-range_m)
    index = np.full(shape, -1)
    index[row[far_first], column[far_first]] = far_first
    return _Panorama(index, np.where(index >= 0, np.append(range_m, np.inf)[index], np.inf))


def _cells(rays: F64, range_m: F64) -> tuple[I64, I64, tuple[int, int]]:
    columns = round(2 * np.pi / AZIMUTH_STEP_RAD)
    elevation_rad = np.arcsin(rays[:, 2] / np.maximum(range_m, 1e-9))
    column = np.floor(np.arctan2(rays[:, 1], rays[:, 0]) / AZIMUTH_STEP_RAD).astype(np.int64) % columns
    row = ((elevation_rad + np.pi / 2) / ELEVATION_STEP_RAD).astype(np.int64)
    return row, column, (round(np.pi / ELEVATION_STEP_RAD) + 1, columns)


def _jumps(panorama: _Panorama, axis: int, way: int) -> tuple[I64, F64]:
    """The points on the near side of a jump along one axis, and how far it goes."""
    here, ahead, behind = (
        panorama.range_m,
        _next_filled(panorama, axis, way),
        _next_filled(panorama, axis, -way),
    )
    full = np.isfinite(here) & np.isfinite(ahead) & (here < FARTHEST_M)
    jump_m = np.where(full, np.where(full, ahead, 0.0) - np.where(full, here, 0.0), 0.0)
    step = 1 / here - 1 / ahead
    before = np.where(behind < ahead, np.abs(1 / behind - 1 / here), 0.0)
    edge = (jump_m > LEAST_JUMP_M) & (ahead > LEAST_RATIO * here) & (step > LEAST_BEND * before)
    return panorama.index[edge], jump_m[edge]


def _next_filled(panorama: _Panorama, axis: int, way: int) -> F64:
    found = np.full(panorama.range_m.shape, np.inf)
    for step in range(REACH, 0, -1):
        moved = np.roll(panorama.range_m, -way * step, axis)
        found = np.where(np.isfinite(moved), moved, found)
    return found


def _across(rays: F64, upright: np.ndarray) -> F64:
    level = np.maximum(np.hypot(rays[:, 0], rays[:, 1]), 1e-9)
    side = np.column_stack([-rays[:, 1] / level, rays[:, 0] / level, np.zeros(len(rays))])
    up = np.cross(rays / np.linalg.norm(rays, axis=1, keepdims=True), side)
    return np.asarray(np.where(upright[:, None], up, side))
