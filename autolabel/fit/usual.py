"""How large things of a class are, and how much they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calib.types import F64, Floats
from fusion.boxes import Box3D
from fusion.categories import Kind, kind_of

# So many boxes say as much of a class as is known of it from the beginning.
WORTH = 4
LEAST_SPREAD = 0.02


@dataclass(frozen=True, eq=False, slots=True)
class Usual:
    """What is known of the size of a class, or of one thing.

    Attributes:
        size_lwh_m: (3,) length, width, height.
        spread_m: (3,) their standard deviations.
        flat: whether it has flat sides, as cars do and people do not.
    """

    size_lwh_m: F64
    spread_m: F64
    flat: bool

    def of_size(self, size_lwh_m: Floats, spread_m: float) -> Usual:
        """One of them whose size is known."""
        return Usual(np.asarray(size_lwh_m, dtype=np.float64), np.full(3, spread_m), self.flat)

    def learned(self, boxes: Sequence[Box3D]) -> Usual:
        """The same with what boxes say, each of another thing of the class."""
        if not boxes:
            return self
        sizes = np.array([box.size_lwh_m for box in boxes])
        share = len(sizes) / (len(sizes) + WORTH)
        size = share * np.median(sizes, axis=0) + (1 - share) * self.size_lwh_m
        spread = np.sqrt(share * ((sizes - size) ** 2).mean(axis=0) + (1 - share) * self.spread_m**2)
        return Usual(size, np.maximum(spread, LEAST_SPREAD * size), self.flat)


def usual_of(category: str) -> Usual | None:
    """What is known of a class from its name; None where nobody can say."""
    known = KNOWN.get(kind_of(category))
    if known is None:
        return None
    size, spread, flat = known
    return Usual(np.array(size), np.array(spread), flat)


def usual_size(category: str) -> F64:
    """(3,) length, width, height of a usual thing of a class; zeros where nobody can say."""
    usual = usual_of(category)
    return np.zeros(3) if usual is None else usual.size_lwh_m


Size = tuple[float, float, float]
KNOWN: dict[Kind, tuple[Size, Size, bool]] = {
    Kind.CAR: ((4.6, 1.93, 1.63), (0.32, 0.06, 0.17), True),
    Kind.TRUCK: ((7.5, 2.6, 3.2), (1.5, 0.2, 0.6), True),
    Kind.BUS: ((11.4, 2.6, 3.2), (1.0, 0.06, 0.2), True),
    Kind.TRAILER: ((8.0, 2.5, 3.2), (2.5, 0.2, 0.6), True),
    Kind.CONSTRUCTION: ((6.5, 2.7, 3.3), (2.0, 0.5, 0.8), True),
    Kind.MOTORCYCLE: ((2.1, 0.8, 1.5), (0.2, 0.12, 0.2), False),
    Kind.BICYCLE: ((1.75, 0.62, 1.8), (0.15, 0.11, 0.12), False),
    Kind.PEDESTRIAN: ((0.8, 0.57, 1.76), (0.3, 0.08, 0.1), False),
    Kind.ANIMAL: ((0.9, 0.35, 0.7), (0.4, 0.15, 0.3), False),
    Kind.CONE: ((0.4, 0.4, 0.8), (0.08, 0.08, 0.15), False),
    Kind.BARRIER: ((2.0, 0.6, 1.1), (1.0, 0.3, 0.3), False),
}
