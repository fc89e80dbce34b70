"""Laying the scans of one trip on the map of others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autolabel.ego.surfels import Match, SurfelMap
from autolabel.trips.above import Above
from autolabel.trips.config import AlignConfig
from autolabel.trips.passage import Passage, Station
from autolabel.trips.search import guesses
from calib.se3 import SE3, SE3Batch
from calib.types import F32, F64, Bools

COARSE_SCALES, FINE_SCALES, LAST_SCALES = (10.0, 3.0), (5.0, 2.0), (3.0, 2.0)
COARSE_ROUNDS, FINE_ROUNDS = 10, 12
MOST_CELLS = 1.6e7
LEAST_STANDING = 10


@dataclass(eq=False, slots=True)
class StandingMap:
    """What trips have seen, as small planes and from above.

    Attributes:
        config: how.
        plan: from above.
        places: where the cars were.
    """

    config: AlignConfig
    plan: Above
    places: list[F64] = field(default_factory=list)
    _tree: Any = field(init=False, repr=False, default=None)
    _coarse: SurfelMap = field(init=False, repr=False)
    _fine: SurfelMap = field(init=False, repr=False)

    def __post_init__(self) -> None:
        matching = self.config.matching
        self._coarse = SurfelMap(matching.coarse_cell_m, matching)
        self._fine = SurfelMap(matching.fine_cell_m, matching)

    @classmethod
    def between(cls, low: F64, high: F64, config: AlignConfig) -> StandingMap:
        """An empty map for cars between two corners; where these are far apart its plan is coarser."""
        margin = config.matching.farthest_m
        sides_m = high[:2] - low[:2] + 2 * margin
        cell_m = max(config.search.cell_m, float(np.sqrt(sides_m.prod() / MOST_CELLS)))
        return cls(config, Above.around(low[:2] - margin, high[:2] + margin, cell_m))

    def add(self, passage: Passage, map_from_ego: SE3Batch) -> None:
        """Puts all scans of a trip in."""
        for station, pose in zip(passage.stations, map_from_ego, strict=True):
            self._coarse.insert(station.few_ego, pose)
            self._fine.insert(station.points_ego, pose)
            self.plan.add(pose @ station.points_ego)
            self.places.append(pose.translation)
        self._tree = None

    def distance_m(self, places: F64) -> F64:
        """(N,) how far (N, 3) places are from where a car was, seen from above."""
        from scipy.spatial import cKDTree

        if not self.places:
            return np.full(len(places), np.inf)
        if self._tree is None:
            self._tree = cKDTree(np.array(self.places)[:, :2])
        return np.asarray(self._tree.query(places[:, :2])[0])

    def lay(self, station: Station, map_from_ego: SE3, rough: bool) -> Match:
        """Where a scan lies, from a guess that is decimetres off or, if `rough`, metres."""
        if rough:
            coarse = self._coarse.align(station.few_ego, map_from_ego, COARSE_SCALES, COARSE_ROUNDS)
            map_from_ego = coarse.map_from_ego
        scales = FINE_SCALES if rough else LAST_SCALES
        return self._fine.align(station.few_ego, map_from_ego, scales, FINE_ROUNDS)

    def agreement(self, station: Station, map_from_ego: SE3, tall: Bools) -> float:
        """Of what stands around a scan, the share that stands there on the map as well.

        Args:
            station: the scan.
            map_from_ego: where it is laid.
            tall: the cells of the plan where something stands.
        """
        search, plan = self.config.search, self.plan
        points = map_from_ego @ station.points_ego
        low, high = points.min(axis=0), points.max(axis=0)
        first = np.floor((low[:2] - plan.corner) / plan.cell_m)
        own = Above.around(plan.corner + first * plan.cell_m, high[:2], plan.cell_m)
        own.add(points)
        cells = np.argwhere(own.standing_m(search) > 0)
        at = cells + first.astype(int)
        at = at[((at >= 0) & (at < tall.shape)).all(axis=1)]
        known = plan.seen[at[:, 0], at[:, 1]]
        return float(tall[at[known, 0], at[known, 1]].mean()) if known.sum() >= LEAST_STANDING else 0.0


@dataclass(frozen=True, eq=False, slots=True)
class Met:
    """Which scans of a trip lie where on a map.

    Attributes:
        map_from_ego: one pose a station; a guess where it does not lie on the map.
        information: (K, 6, 6) as in `Match`.
        agreement: (K,) 0 to 1.
        sure: (K,) whether it lies on the map.
    """

    map_from_ego: SE3Batch
    information: F64
    agreement: F64
    sure: Bools


def meet(passage: Passage, map: StandingMap) -> Met:
    """Finds where a trip meets a map, and follows it from there to both ends.

    Stretches of the way are looked for from above; the one that fits best is where it begins.
    """
    config, count = map.config, len(passage.stations)
    tall = map.plan.standing_m(config.search) > 0
    found = Met(passage.given_from_ego, np.zeros((count, 6, 6)), np.zeros(count), np.zeros(count, bool))
    seed = _seed(passage, map, tall)
    if seed is None:
        return found
    first, match = seed
    rows: dict[int, SE3] = {first: match.map_from_ego}
    for order in (range(first, count), range(first, -1, -1)):
        before, last, sure = first, match.map_from_ego, True
        for k in order:
            guess = last @ (passage.given_from_ego[before].inverse() @ passage.given_from_ego[k])
            laid = _laid(map, passage.stations[k], guess, tall, rough=not sure)
            sure = laid is not None
            if laid is not None:
                now, found.agreement[k] = laid
                guess = now.map_from_ego
                found.information[k], found.sure[k] = now.information, True
            rows[k], before, last = guess, k, guess
    poses = SE3Batch.stack(rows[k] for k in range(count))
    return Met(poses, found.information, found.agreement, found.sure)


def _laid(
    map: StandingMap, station: Station, guess: SE3, tall: Bools, rough: bool
) -> tuple[Match, float] | None:
    """A scan on the map and how well it agrees; None where it does not lie there."""
    config = map.config
    if map.distance_m(guess.translation[None])[0] > config.near_m:
        return None
    match = map.lay(station, guess, rough)
    if match.share < config.least_share:
        return None
    agreement = map.agreement(station, match.map_from_ego, tall)
    return (match, agreement) if agreement >= config.least_agreement else None


def _seed(passage: Passage, map: StandingMap, tall: Bools) -> tuple[int, Match] | None:
    """The station that lies best on the map, and how."""
    config, best = map.config, None
    for members in _stretches(passage, map):
        middle = int(members[len(members) // 2])
        places = passage.given_from_ego.translations
        points = _together(passage, members)
        for guess in guesses(map.plan, points, places[middle], config.search):
            map_from_ego = guess.map_from_given @ passage.given_from_ego[middle]
            laid = _laid(map, passage.stations[middle], map_from_ego, tall, rough=True)
            if laid is not None and (best is None or laid[1] > best[2]):
                best = (middle, *laid)
    return None if best is None else (best[0], best[1])


def _stretches(passage: Passage, map: StandingMap) -> list[F64]:
    """Stations in a row, those that may be near the map."""
    config = map.config
    near = map.distance_m(passage.given_from_ego.translations) < config.near_m + config.search.reach_m
    number = np.floor(passage.along_m / config.search.stretch_m).astype(int)
    found = [np.flatnonzero((number == n) & near) for n in np.unique(number[near])]
    few = np.linspace(0, len(found) - 1, min(len(found), config.search.stretches)).round()
    return [found[k] for k in np.unique(few.astype(int))]


def _together(passage: Passage, members: F64) -> F32:
    """(N, 3) points of some stations, where the trip's own poses put them."""
    clouds = [passage.given_from_ego[int(k)] @ passage.stations[int(k)].points_ego for k in members]
    return np.concatenate(clouds).astype(np.float32)
