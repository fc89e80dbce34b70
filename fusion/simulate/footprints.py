"""Who stands in whose way: solid things never overlap."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from calib.types import F64, I64, Bools
from fusion.simulate.actors import Actor
from fusion.trajectory import Trajectory

CHECK_NS = 50_000_000


@dataclass(slots=True)
class Occupancy:
    """The ground that is taken, over time.

    Attributes:
        times_ns: (T,) instants at which things are compared.
        rows: of everything placed: (T, 3) x, y, yaw.
        halves: (2,) half lengths and widths.
        bounds: (4,) lowest and highest x, y of all of its ground over time.
    """

    times_ns: I64
    rows: list[F64] = field(default_factory=list)
    halves: list[F64] = field(default_factory=list)
    bounds: list[F64] = field(default_factory=list)

    @classmethod
    def over(cls, times_ns: I64) -> Occupancy:
        """For a drive with this clock."""
        return cls(np.arange(times_ns[0], times_ns[-1] + 1, CHECK_NS, dtype=np.int64))

    def add(self, actor: Actor, gap_m: float = 0.25) -> bool:
        """Takes the ground of an actor if it is free, else says no."""
        size = actor.body.size_lwh_m
        return self.take(actor.trajectory, float(size[0]), float(size[1]), gap_m)

    def take(self, trajectory: Trajectory, length_m: float, width_m: float, gap_m: float = 0.25) -> bool:
        """Takes a moving rectangle if nothing is nearer than about `gap_m`."""
        poses = trajectory.at_many(self.times_ns)
        row = np.column_stack([poses.translations[:, :2], poses.yaws_rad])
        return self._take(row, np.array([length_m, width_m]) / 2, gap_m)

    def take_spot(self, xy: F64, radius_m: float, gap_m: float = 0.1) -> bool:
        """Takes a square that stays, if it is free."""
        row = np.empty((len(self.times_ns), 3))
        row[:] = xy[0], xy[1], 0.0
        return self._take(row, np.full(2, radius_m), gap_m)

    def _take(self, row: F64, half: F64, gap_m: float) -> bool:
        reach_m = float(np.hypot(*half))
        bounds = np.concatenate([row[:, :2].min(axis=0) - reach_m, row[:, :2].max(axis=0) + reach_m])
        if not self._is_free(row, half, bounds, gap_m):
            return False
        self.rows.append(row)
        self.halves.append(half)
        self.bounds.append(bounds)
        return True

    def _is_free(self, row: F64, half: F64, bounds: F64, gap_m: float) -> bool:
        if not self.rows:
            return True
        others = np.array(self.bounds)
        near = (others[:, :2] <= bounds[2:] + gap_m).all(axis=1)
        near &= (others[:, 2:] >= bounds[:2] - gap_m).all(axis=1)
        for k in np.flatnonzero(near):
            other, reach = self.rows[k], np.hypot(*self.halves[k]) + np.hypot(*half) + gap_m
            away = other[:, :2] - row[:, :2]
            when = np.flatnonzero(np.einsum("ij,ij->i", away, away) < reach**2)
            if len(when) and _rectangles_meet(other[when], self.halves[k], row[when], half + gap_m).any():
                return False
        return True


def _rectangles_meet(a: F64, half_a: F64, b: F64, half_b: F64) -> Bools:
    """(N,) whether rectangles (x, y, yaw) overlap: no axis of either separates them."""
    meet = np.ones(len(a), bool)
    way = b[:, :2] - a[:, :2]
    for yaw in (a[:, 2], a[:, 2] + np.pi / 2, b[:, 2], b[:, 2] + np.pi / 2):
        axis = np.stack([np.cos(yaw), np.sin(yaw)], axis=1)
        reach = np.zeros(len(a))
        for row, half in ((a, half_a), (b, half_b)):
            reach += half[0] * np.abs(np.cos(row[:, 2] - yaw)) + half[1] * np.abs(np.sin(row[:, 2] - yaw))
        meet &= np.abs(np.einsum("ij,ij->i", way, axis)) < reach
    return meet
