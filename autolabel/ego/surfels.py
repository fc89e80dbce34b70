"""A map of small planes around the car."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from autolabel.ego.config import MatchingConfig
from calib.se3 import SE3
from calib.types import F32, F64, I64

SLOTS = 1 << 15
FULLEST = 0.5


@dataclass(frozen=True, eq=False, slots=True)
class Match:
    """How a scan lies on a map.

    Attributes:
        map_from_ego: where the car was.
        cost: 0 (every point on its plane) to 1 (none).
        met: points that met a plane.
        share: of all points.
        information: (6, 6) of a small turn about the car (rad) and shift (m), both in the axes of the map.
    """

    map_from_ego: SE3
    cost: float
    met: int
    share: float
    information: F64


@dataclass(eq=False, slots=True)
class SurfelMap:
    """What scans have seen around the car, as one plane in each cell of a cubic grid.

    A cell keeps the sums of its first points, from which its plane is made when it is asked for.
    """

    cell_m: float
    config: MatchingConfig
    _count: int = 0
    _keys: I64 = field(init=False, repr=False)
    _sums: F64 = field(init=False, repr=False)
    _planes: F64 = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._keys, self._sums, self._planes = _table(SLOTS)

    def insert(self, points_ego: F32, map_from_ego: SE3) -> None:
        """Adds (N, 3) points of the car's frame, and forgets what is far from it when the table fills."""
        from autolabel.ego import _kernels

        if self._count + len(points_ego) > FULLEST * len(self._keys):
            self._keep_near(map_from_ego.translation, len(points_ego))
        self._count += _kernels.insert(
            points_ego,
            map_from_ego.rotation,
            map_from_ego.translation,
            self.cell_m,
            self.config.most_points,
            self._keys,
            self._sums,
            self._planes,
        )

    def _keep_near(self, place: F64, room: int) -> None:
        from autolabel.ego import _kernels

        reach_m, size = self.config.reach_m, len(self._keys)
        tables = _table(size)
        self._count = _kernels.keep_near(place, reach_m, self._keys, self._sums, *tables)
        while self._count + room > FULLEST * size:
            size *= 2
            tables = _table(size)
            self._count = _kernels.keep_near(place, reach_m, self._keys, self._sums, *tables)
        self._keys, self._sums, self._planes = tables

    def cost(self, points_ego: F32, map_from_ego: SE3, scale: float) -> float:
        """How badly points fit: 0 to 1; `scale` is the number of sigmas that count as far."""
        from autolabel.ego import _kernels

        return float(
            _kernels.cost(
                points_ego,
                map_from_ego.rotation,
                map_from_ego.translation,
                self.cell_m,
                self.config.least_points,
                self.config.noise_m,
                scale,
                self._keys,
                self._sums,
                self._planes,
                np.empty((_kernels.PAIR_ROWS, len(points_ego))),
            )
        )

    def align(self, points_ego: F32, map_from_ego: SE3, scales: tuple[float, float], rounds: int) -> Match:
        """Where the car must have been for (N, 3) points of its frame to lie on the planes.

        Point-to-plane distances under Geman and McClure's loss, whose width shrinks from the first to the
        second of `scales` (in sigmas of a plane).
        """
        from autolabel.ego import _kernels

        rotation, place = map_from_ego.rotation.copy(), map_from_ego.translation.copy()
        lower = np.zeros((6, 6))
        cost, met, square = _kernels.align(
            points_ego,
            rotation,
            place,
            self.cell_m,
            self.config.least_points,
            self.config.noise_m,
            *scales,
            rounds,
            self._keys,
            self._sums,
            self._planes,
            np.empty((_kernels.PAIR_ROWS, len(points_ego))),
            lower,
        )
        information = (lower + np.tril(lower, -1).T) / max(float(square), 0.05)
        found = SE3(rotation, place)
        return Match(found, float(cost), int(met), met / max(len(points_ego), 1), information)


def _table(size: int) -> tuple[I64, F64, F64]:
    return np.full(size, -1, dtype=np.int64), np.empty((size, 13)), np.empty((size, 8))
