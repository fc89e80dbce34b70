"""Who stands in whose way: solid things never overlap."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from calib.types import F64, I64
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
    """

    times_ns: I64
    rows: list[F64] = field(default_factory=list)
    halves: list[F64] = field(default_factory=list)

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
        half = np.array([length_m, width_m]) / 2
        if not self._is_free(row, half, gap_m):
            return False
        self.rows.append(row)
        self.halves.append(half)
        return True

    def take_spot(self, xy: F64, radius_m: float, gap_m: float = 0.1) -> bool:
        """Takes a square that stays, if it is free."""
        row = np.tile([xy[0], xy[1], 0.0], (len(self.times_ns), 1))
        half = np.full(2, radius_m)
        if not self._is_free(row, half, gap_m):
            return False
        self.rows.append(row)
        self.halves.append(half)
        return True

    def _is_free(self, row: F64, half: F64, gap_m: float) -> bool:
        if not self.rows:
            return True
        others, halves = np.stack(self.rows), np.stack(self.halves)
        reach = np.linalg.norm(halves, axis=1) + np.linalg.norm(half) + gap_m
        apart = np.linalg.norm(others[:, :, :2] - row[None, :, :2], axis=2)
        which, when = np.nonzero(apart < reach[:, None])
        if len(which) == 0:
            return True
        return not bool(_rectangles_meet(others[which, when], halves[which], row[when], half + gap_m).any())


def _rectangles_meet(a: F64, half_a: F64, b: F64, half_b: F64) -> F64:
    """(N,) whether rectangles (x, y, yaw) overlap: no axis of either separates them."""
    meet = np.ones(len(a), bool)
    way = b[:, :2] - a[:, :2]
    for yaw in (a[:, 2], a[:, 2] + np.pi / 2, b[:, 2], b[:, 2] + np.pi / 2):
        axis = np.stack([np.cos(yaw), np.sin(yaw)], axis=1)
        reach = np.zeros(len(a))
        for row, half in ((a, half_a), (b, np.broadcast_to(half_b, (len(a), 2)))):
            reach += half[:, 0] * np.abs(np.cos(row[:, 2] - yaw)) + half[:, 1] * np.abs(
                np.sin(row[:, 2] - yaw)
            )
        meet &= np.abs(np.einsum("ij,ij->i", way, axis)) < reach
    return meet
