"""Where a LiDAR scan breaks off: edges that a camera may see too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calib.errors import CalibrationError
from calib.refine.rings import rings_of
from calib.types import F64, I64, Floats, frozen

Integers = NDArray[np.integer[Any]]

NEAREST_M, FARTHEST_M = 2.0, 80.0
LEAST_JUMP_M, LEAST_RATIO, LEAST_BEND = 0.5, 1.05, 3.0
LONGEST_GAP_RAD = np.radians(25.0)
WIDEST_RING_RAD = np.radians(1.2)
MOST_JUMP_M = 9.0
GAP_WEIGHT = 0.7
# What lies beside the top of a thing in an image is mostly more of the thing: windows below a roof. That
# draws edges met going up or down off their place, while left and right balance each other.
TOP_WEIGHT, UNDERSIDE_WEIGHT = 0.2, 0.08
CROWD_STEPS = 8.0


@dataclass(frozen=True, eq=False, slots=True)
class Edges:
    """Places where a scan breaks off, in the frame of the LiDAR.

    Attributes:
        points: (N, 3) float32, on the near side's range, where the edge itself is.
        across: (N, 3) float32 unit directions from the near side to the far one, along a ring or across.
        weight: (N,) float32, mean about one.
        source: (N,) int64, which point of the scan is the near side.
        sharp: found along known rings; without them edges are good to about a tenth of a degree each.
    """

    points: Floats
    across: Floats
    weight: Floats
    source: I64
    sharp: bool = True

    def __post_init__(self) -> None:
        for name in ("points", "across", "weight"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float32))
        object.__setattr__(self, "source", frozen(self.source, np.int64))

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True, eq=False, slots=True)
class _Scan:
    """Points sorted by ring from the lowest, then by azimuth."""

    order: I64
    first: I64
    azimuth_rad: F64
    elevation_rad: F64
    range_m: F64
    step_rad: float


def scan_edges(points_lidar: Floats, ring: Integers | None = None) -> Edges:
    """Depth edges of one revolution, along its rings and from ring to ring.

    An edge is taken to lie midway in angle between the last return of what is near and the first of what is
    far, and half a step beyond the last return before a stretch without any; so it is right on average.

    Args:
        points_lidar: (N, 3) as measured, in the frame of the LiDAR: before motion is taken out.
        ring: (N,) number of the laser; recovered where it is not given.

    Raises:
        RingsUnknownError: rings are not given and cannot be told.
        CalibrationError: they are given for other points.
    """
    scan = _sorted(np.asarray(points_lidar, dtype=np.float64).reshape(-1, 3), ring)
    limits = np.array([LEAST_JUMP_M, LEAST_RATIO, LEAST_BEND, LONGEST_GAP_RAD])
    along, across = _along_rings(scan, limits), _across_rings(scan, limits)
    return Edges(
        np.concatenate([along.points, across.points]),
        np.concatenate([along.across, across.across]),
        np.concatenate([along.weight, across.weight]),
        np.concatenate([along.source, across.source]),
    )


def _along_rings(scan: _Scan, limits: F64) -> Edges:
    from calib.refine import _kernels

    source, room = np.empty(2 * len(scan.order), np.int64), np.empty((3, 2 * len(scan.order)))
    count = _kernels.along_rings(
        scan.first, scan.azimuth_rad, scan.range_m, scan.step_rad, limits, source, *room
    )
    source, (shift_rad, jump_m, place_m) = source[:count].copy(), room[:, :count].copy()
    crowd, reach_rad = np.ones(count, np.int64), CROWD_STEPS * scan.step_rad
    _kernels.crowding(source, shift_rad, scan.azimuth_rad, reach_rad, crowd)
    strength = _strength(jump_m) / np.maximum(crowd - 1, 1)
    return _edges(scan, source, shift_rad, place_m, strength, upright=False)


def _across_rings(scan: _Scan, limits: F64) -> Edges:
    from calib.refine import _kernels

    above, below = _neighbours(scan)
    source, room = np.empty(len(scan.order), np.int64), np.empty((3, len(scan.order)))
    ways = (above, below, scan.elevation_rad, scan.range_m, limits, WIDEST_RING_RAD)
    count = _kernels.across_rings(*ways, source, *room)
    source, (shift_rad, jump_m, place_m) = source[:count], room[:, :count]
    strength = _strength(jump_m) * np.where(shift_rad < 0, UNDERSIDE_WEIGHT, TOP_WEIGHT)
    return _edges(scan, source, shift_rad, place_m, strength, upright=True)


def _strength(jump_m: F64) -> F64:
    return np.where(jump_m < 0, GAP_WEIGHT, np.sqrt(np.clip(jump_m, 0, MOST_JUMP_M)) / 2)


def _sorted(points: F64, ring: Integers | None) -> _Scan:
    level = np.hypot(points[:, 0], points[:, 1])
    range_m = np.hypot(level, points[:, 2])
    kept = np.flatnonzero(np.isfinite(range_m) & (range_m > 0.5))
    azimuth_rad = np.arctan2(points[kept, 1], points[kept, 0])
    elevation_rad = np.arctan2(points[kept, 2], level[kept])
    if ring is None:
        ring = rings_of(points[kept])
    elif len(ring) != len(points):
        raise CalibrationError(f"a scan of {len(points)} points has {len(ring)} numbers of rings")
    else:
        ring = ring[kept]
    _, number = np.unique(ring, return_inverse=True)
    upward = np.argsort(np.argsort(np.bincount(number, elevation_rad) / np.bincount(number)))
    number = upward[number]
    order = np.lexsort((azimuth_rad, number))
    first = np.searchsorted(number[order], np.arange(len(upward) + 1))
    steps = np.diff(azimuth_rad[order])
    step_rad = float(np.median(steps[steps > 0])) if (steps > 0).any() else 1e-3
    columns = (azimuth_rad[order], elevation_rad[order], range_m[kept][order])
    return _Scan(kept[order], first, *columns, step_rad)


def _neighbours(scan: _Scan) -> tuple[I64, I64]:
    """For each point its neighbours on the next ring above and below, or -1."""
    from calib.refine import _kernels

    size = len(scan.order)
    above, below = np.empty(size, np.int64), np.full(size, -1)
    _kernels.beside(scan.first, scan.azimuth_rad, scan.step_rad, above)
    has = np.flatnonzero(above >= 0)
    below[above[has]] = has
    return above, below


def _edges(scan: _Scan, source: I64, shift_rad: F64, place_m: F64, strength: F64, upright: bool) -> Edges:
    """Puts edges into space; `upright` ones are shifted in elevation, the others in azimuth."""
    kept = (place_m > NEAREST_M) & (place_m < FARTHEST_M)
    source, shift_rad, place_m = source[kept], shift_rad[kept], place_m[kept]
    azimuth, elevation = scan.azimuth_rad[source], scan.elevation_rad[source]
    azimuth, elevation = (azimuth, elevation + shift_rad) if upright else (azimuth + shift_rad, elevation)
    ca, sa, ce, se = np.cos(azimuth), np.sin(azimuth), np.cos(elevation), np.sin(elevation)
    points = place_m[:, None] * np.column_stack([ce * ca, ce * sa, se])
    across = np.column_stack([-se * ca, -se * sa, ce] if upright else [-sa, ca, np.zeros(len(ca))])
    return Edges(points, across * np.sign(shift_rad)[:, None], strength[kept], scan.order[source])
