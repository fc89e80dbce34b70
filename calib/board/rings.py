"""The lines in which a spinning LiDAR sees its surroundings: breaks in them, and where they leave a board."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.types import F64, Bools

RING_GAP_RAD = np.radians(0.12)
BREAK_STEPS, BREAK_M, BREAK_SHARE = 3.5, 0.12, 0.03


@dataclass(frozen=True, eq=False, slots=True)
class RingPoints:
    """Points ring by ring, in the order in which the beam passes them.

    Attributes:
        points: (N, 3) in a frame whose z axis is the LiDAR's axis, about.
        ring: (N,) which laser.
        azimuth_rad: (N,) rising within a ring.
        range_m: (N,) from the LiDAR.
        step_rad: usual angle between two shots of one laser.
        index: (N,) where each point was in the cloud.
    """

    points: F64
    ring: np.ndarray
    azimuth_rad: F64
    range_m: F64
    step_rad: float
    index: np.ndarray

    @classmethod
    def of(cls, points: F64, origin: F64, ring: np.ndarray | None) -> RingPoints:
        """In order; rings are told by elevation where their numbers are not given."""
        rays = points - origin
        range_m = np.linalg.norm(rays, axis=1)
        azimuth = np.arctan2(rays[:, 1], rays[:, 0])
        numbers = rings_by_elevation(rays) if ring is None else np.asarray(ring)
        order = np.lexsort((azimuth, numbers))
        steps = np.diff(azimuth[order])[np.diff(numbers[order]) == 0]
        usual = float(np.median(steps[steps > 1e-6])) if (steps > 1e-6).any() else 0.0
        return cls(points[order], numbers[order], azimuth[order], range_m[order], usual, order)

    def take(self, mask: Bools) -> RingPoints:
        """Those under a mask."""
        return RingPoints(
            self.points[mask],
            self.ring[mask],
            self.azimuth_rad[mask],
            self.range_m[mask],
            self.step_rad,
            self.index[mask],
        )

    def breaks(self) -> Bools:
        """(N,) whether a new piece of line begins at each point: a ring, a gap or a jump in range."""
        jump = np.abs(np.diff(self.range_m)) > BREAK_M + BREAK_SHARE * self.range_m[1:]
        return self._begins(jump)

    def gaps(self) -> Bools:
        """(N,) the same without jumps."""
        return self._begins(np.zeros(max(len(self.points) - 1, 0), dtype=np.bool_))

    def _begins(self, jump: Bools) -> Bools:
        gap = np.diff(self.azimuth_rad) > BREAK_STEPS * self.step_rad
        return np.concatenate([[True], (np.diff(self.ring) != 0) | gap | jump])[: len(self.points)]


def rings_by_elevation(rays: F64) -> np.ndarray:
    """(N,) numbers of rings of points that come without: a gap in the sorted elevations parts two rings."""
    elevation = np.arctan2(rays[:, 2], np.hypot(rays[:, 0], rays[:, 1]))
    order = np.argsort(elevation)
    numbers = np.empty(len(rays), dtype=np.int64)
    numbers[order] = np.concatenate([[0], np.cumsum(np.diff(elevation[order]) > RING_GAP_RAD)])[: len(rays)]
    return numbers


@dataclass(frozen=True, eq=False, slots=True)
class Ends:
    """Where rings leave a board.

    The edge lies somewhere between the last shot that hit the board and the next one, in the mean half a
    step further; so the places are half a step beyond the last hit.

    Attributes:
        points: (E, 3) the places.
        half_steps: (E, 3) from the last hit to there.
    """

    points: F64
    half_steps: F64


def ends_of_rings(hits: RingPoints, least: int = 3) -> Ends:
    """Both ends of each ring's longest piece that has at least so many points."""
    begins = np.flatnonzero(hits.gaps())
    lengths = np.diff(np.append(begins, len(hits.points)))
    places, steps = [], []
    for ring in np.unique(hits.ring):
        pieces = np.flatnonzero(hits.ring[begins] == ring)
        longest = pieces[np.argmax(lengths[pieces])]
        first, last = int(begins[longest]), int(begins[longest] + lengths[longest] - 1)
        if lengths[longest] < least:
            continue
        whole = hits.points[last] - hits.points[first]
        half = whole / (hits.azimuth_rad[last] - hits.azimuth_rad[first]) * hits.step_rad / 2
        places += [hits.points[first] - half, hits.points[last] + half]
        steps += [-half, half]
    return Ends(np.array(places).reshape(-1, 3), np.array(steps).reshape(-1, 3))
