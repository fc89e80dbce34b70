"""What is held of a box before its points are looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autolabel.fit.usual import Usual
from calib.types import F64, Floats
from fusion.boxes import Box3D

# How exactly a person points, and how exactly a box is about right.
HAND_M, MOST_TURN_RAD = 0.2, 0.6
PLACE_M, TURN_RAD, SIZE = 0.18, np.radians(9.0), 0.08
SHORTEST_M = 0.3


@dataclass(frozen=True, eq=False, slots=True)
class Guess:
    """About where and how large something is.

    Attributes:
        center: (2,) x and y in ego.
        yaw_rad: direction of its length.
        usual: about how large it is, and how surely.
        place_m: standard deviation of its centre along each axis.
        turn_rad: of its direction.
    """

    center: F64
    yaw_rad: float
    usual: Usual
    place_m: float
    turn_rad: float

    @classmethod
    def drawn(cls, tail: Floats, front: Floats, usual: Usual | None) -> Guess:
        """From an arrow (2,) to (2,) through a thing from behind to its front.

        The arrow may begin behind people and things without flat sides, and end ahead of them: it says where
        their middle is and where they face. Of others it says how long they are, too.
        """
        ends = np.array([tail, front], dtype=np.float64)[:, :2]
        way = ends[1] - ends[0]
        long_m = float(np.hypot(*way))
        turn_rad = min(1.41 * HAND_M / max(long_m, SHORTEST_M), MOST_TURN_RAD)
        yaw_rad = float(np.arctan2(way[1], way[0]))
        known = _of_length(long_m) if usual is None else _with_length(usual, long_m) if usual.flat else usual
        return cls(ends.mean(axis=0), yaw_rad, known, HAND_M / 1.41, turn_rad)

    @classmethod
    def near(cls, box: Box3D, usual: Usual | None) -> Guess:
        """From a box that is about right, and what is known of such things."""
        own = Usual(box.size_lwh_m, SIZE * box.size_lwh_m, usual is None or usual.flat)
        return cls(
            box.center[:2], box.yaw_rad, own if usual is None else _both(own, usual), PLACE_M, TURN_RAD
        )

    def box(self, ground_m: float) -> Box3D:
        """The guess itself, on the ground."""
        height_m = self.usual.size_lwh_m[2]
        return Box3D.upright([*self.center, ground_m + height_m / 2], self.usual.size_lwh_m, self.yaw_rad)


def _with_length(usual: Usual, long_m: float) -> Usual:
    """What is known of a class together with a length that was drawn."""
    drawn = Usual(np.array([long_m, *usual.size_lwh_m[1:]]), np.array([1.41 * HAND_M, 1e3, 1e3]), usual.flat)
    return _both(drawn, usual)


def _of_length(long_m: float) -> Usual:
    """Something of which nothing is known but a length that was drawn."""
    long_m = max(long_m, SHORTEST_M)
    return Usual(np.array([long_m, 0.6 * long_m, 1.2]), np.array([0.4, 0.3 * long_m, 0.6]), False)


def _both(one: Usual, other: Usual) -> Usual:
    """What two say of a size, each as far as it is sure."""
    weights = one.spread_m**-2, other.spread_m**-2
    total = weights[0] + weights[1]
    size = (weights[0] * one.size_lwh_m + weights[1] * other.size_lwh_m) / total
    return Usual(size, total**-0.5, one.flat)
