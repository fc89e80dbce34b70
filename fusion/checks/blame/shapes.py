"""What things look like within their boxes: nothing on the road fills the corners of a box.

The rectangle around a car in an image is smaller than that around its box, by more the nearer it is: the
outline is that of its tyres, bumpers, flanks and roof. Each kind has some places that its outline touches.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from calib.types import F64, frozen
from fusion.boxes import UNIT_CORNERS
from fusion.categories import Kind

# Forward, sideways (both sides are meant), upward; the box goes from -0.5 to 0.5.
CAR = (
    (0.50, 0.30, -0.15), (0.46, 0.45, -0.15), (0.36, 0.49, -0.10), (-0.50, 0.30, -0.10),
    (-0.46, 0.45, -0.10), (-0.36, 0.49, -0.05), (0.32, 0.46, -0.50), (-0.30, 0.46, -0.50),
    (0.45, 0.30, -0.35), (-0.47, 0.30, -0.32), (0.05, 0.36, 0.48), (-0.12, 0.36, 0.50), (-0.28, 0.35, 0.46),
    (-0.45, 0.36, 0.15), (0.42, 0.38, 0.02), (0.10, 0.50, 0.12),
)  # fmt: skip
HEAVY = (
    (0.50, 0.44, -0.30), (0.50, 0.44, 0.35), (0.48, 0.48, 0.45), (0.46, 0.47, 0.50), (-0.50, 0.48, -0.20),
    (-0.50, 0.48, 0.50), (0.35, 0.47, -0.50), (-0.33, 0.47, -0.50),
)  # fmt: skip
TWO_WHEELS = (
    (0.50, 0.05, -0.30), (-0.50, 0.05, -0.30), (0.33, 0.03, -0.50), (-0.33, 0.03, -0.50), (0.20, 0.45, 0.05),
    (0.00, 0.40, 0.10), (0.02, 0.10, 0.50), (-0.10, 0.25, 0.35),
)  # fmt: skip
PERSON = (
    (0.45, 0.10, -0.45), (-0.45, 0.10, -0.40), (0.20, 0.20, -0.50), (-0.20, 0.20, -0.50), (0.45, 0.20, 0.00),
    (-0.35, 0.20, 0.00), (0.10, 0.48, 0.05), (0.00, 0.46, 0.25), (0.12, 0.15, 0.49), (-0.10, 0.15, 0.49),
)  # fmt: skip
OUTLINES: dict[Kind, tuple[tuple[float, float, float], ...]] = {
    Kind.CAR: CAR,
    **dict.fromkeys((Kind.TRUCK, Kind.BUS, Kind.TRAILER, Kind.CONSTRUCTION), HEAVY),
    **dict.fromkeys((Kind.BICYCLE, Kind.MOTORCYCLE), TWO_WHEELS),
    Kind.PEDESTRIAN: PERSON,
}


@lru_cache(maxsize=64)
def outline(kind: Kind) -> F64:
    """(32, 3) places in a box of size one that the outline of a kind may touch, some of them repeated."""
    sides = OUTLINES.get(kind)
    if sides is None:
        return frozen(np.tile(UNIT_CORNERS, (4, 1)), np.float64)
    half = np.array(sides)
    both = np.concatenate([half, half * (1.0, -1.0, 1.0)])
    return frozen(both[np.arange(32) % len(both)], np.float64)
