"""How densely a LiDAR looks: the angles between its rings and along them, measured on a cloud."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.errors import CalibrationError
from calib.types import F64, I64, Floats, frozen

MOST_POINTS, WEDGES = 400_000, 72
NEAREST_M = 1.0
BAND_RAD = np.radians(0.05)
LARGEST_STEP_RAD = np.radians(2.0)
LARGEST_SPACING_RAD = np.radians(8.0)
LEAST_SHARE = 0.3
KNOTS = 48
LEAST_STEPS = 200
USUAL_RAD = np.radians(0.4)


@dataclass(frozen=True, eq=False, slots=True)
class BeamSpacing:
    """The angles between neighbouring beams of a LiDAR.

    Attributes:
        step_rad: along a ring, in azimuth.
        elevations_rad: (K,) rising, where the spacing of the rings is known; constant outside.
        spacings_rad: (K,) from one ring to the next at these elevations.

    Raises:
        CalibrationError: angles that are not positive, or elevations that do not rise.
    """

    step_rad: float
    elevations_rad: F64
    spacings_rad: F64

    def __post_init__(self) -> None:
        elevations, spacings = frozen(self.elevations_rad, np.float64), frozen(self.spacings_rad, np.float64)
        object.__setattr__(self, "elevations_rad", elevations)
        object.__setattr__(self, "spacings_rad", spacings)
        if elevations.ndim != 1 or len(elevations) == 0 or elevations.shape != spacings.shape:
            raise CalibrationError("a spacing of beams needs as many elevations as spacings, at least one")
        if not (np.isfinite(elevations).all() and (np.diff(elevations) > 0).all()):
            raise CalibrationError("the elevations of a spacing of beams must rise")
        if not (0 < self.step_rad < np.inf and (spacings > 0).all() and np.isfinite(spacings).all()):
            raise CalibrationError("the angles between beams must be positive")

    def at(self, elevations_rad: Floats) -> F64:
        """Angle from one ring to the next at any elevations."""
        return np.asarray(np.interp(elevations_rad, self.elevations_rad, self.spacings_rad), np.float64)


def measure_spacing(points: Floats, place: Floats | None = None) -> BeamSpacing:
    """Measures the angles between the beams on one revolution, as seen from a place near the LiDAR.

    The step along the rings is that between neighbours in thin bands of elevation, the spacing of the rings
    that between neighbours in columns as wide as a step: whatever the order of the points, with or without
    their rings, and with beams that are not evenly spaced. A cloud too small to tell gets 0.4 degrees; of a
    very large one some wedges are looked at.

    Args:
        points: (N, 3) in a frame whose z axis is the one that the LiDAR spins about.
        place: (3,) in the same frame; its origin where not given.
    """
    cloud = np.asarray(points, dtype=np.float64).reshape(-1, 3) - (0.0 if place is None else place)
    cloud = cloud[np.isfinite(cloud).all(axis=1)]
    level = np.hypot(cloud[:, 0], cloud[:, 1])
    cloud, level = cloud[level > NEAREST_M], level[level > NEAREST_M]
    azimuths, elevations = np.arctan2(cloud[:, 1], cloud[:, 0]), np.arctan2(cloud[:, 2], level)
    if (every := -(-len(cloud) // MOST_POINTS)) > 1:
        wedge = np.floor((azimuths / (2 * np.pi) + 0.5) * WEDGES).astype(np.int64) % every == 0
        azimuths, elevations = azimuths[wedge], elevations[wedge]
    step_rad = _step(azimuths, elevations)
    at, gaps = _neighbours(elevations, np.floor(azimuths / step_rad).astype(np.int64))
    apart = (gaps > LEAST_SHARE * step_rad) & (gaps < LARGEST_SPACING_RAD)
    if apart.sum() < LEAST_STEPS:
        return BeamSpacing(step_rad, np.zeros(1), np.full(1, max(step_rad, USUAL_RAD)))
    return BeamSpacing(step_rad, *_medians(at[apart], gaps[apart]))


def _step(azimuths: F64, elevations: F64) -> float:
    _, gaps = _neighbours(azimuths, np.floor(elevations / BAND_RAD).astype(np.int64))
    gaps = gaps[(gaps > 1e-5) & (gaps < LARGEST_STEP_RAD)]
    return float(np.median(gaps)) if len(gaps) >= LEAST_STEPS else float(USUAL_RAD)


def _neighbours(values: F64, groups: I64) -> tuple[F64, F64]:
    """Middles of and gaps between values that follow one another within a group."""
    order = np.lexsort((values, groups))
    values, groups = values[order], groups[order]
    same = groups[1:] == groups[:-1]
    return ((values[1:] + values[:-1]) / 2)[same], np.diff(values)[same]


def _medians(at: F64, gaps: F64) -> tuple[F64, F64]:
    """Elevations spread as the beams are, and the median gap about each."""
    order = np.argsort(at)
    parts = np.array_split(order, min(KNOTS, len(order) // 20))
    middles, medians = (np.array([np.median(values[part]) for part in parts]) for values in (at, gaps))
    rising = np.append(True, np.diff(middles) > 0)
    return middles[rising], medians[rising]
