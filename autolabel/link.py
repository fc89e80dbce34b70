"""Detections of one kind to chains: forward through time, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from autolabel.associate import affinity, best_pairs, without_doubles
from autolabel.config import KindConfig, TrackingConfig
from autolabel.detections import Detections
from autolabel.filter import Belief
from autolabel.world import LocalWorld
from calib.se3 import SE3Batch
from calib.types import F64, I64
from fusion.boxes import Boxes


@dataclass(slots=True)
class Chain:
    """Detections that are held for one object: the only thing here that changes while linking goes on."""

    belief: Belief
    last: int
    members: list[int] = field(default_factory=list)


def link(
    detections: Detections, frames_ns: I64, world: LocalWorld, habits: KindConfig, settings: TrackingConfig
) -> list[I64]:
    """Indices of the detections of each chain, in order of time; the chains in order of appearance.

    Two thresholds (Zhang et al., ByteTrack, 2022): sure detections go on with a chain or begin one, weak
    ones only go on with one. A chain that sees nothing coasts for a while, then it ends.
    """
    live: list[Chain] = []
    ended: list[Chain] = []
    starts = np.searchsorted(detections.times_ns, frames_ns, side="left")
    ends = np.searchsorted(detections.times_ns, frames_ns, side="right")
    for time_s, start, end in zip(world.seconds(frames_ns), starts, ends, strict=True):
        here = _candidates(detections, int(start), int(end), settings)
        ended += [chain for chain in live if time_s - chain.belief.time_s > settings.coast_s]
        live = [chain for chain in live if time_s - chain.belief.time_s <= settings.coast_s]
        new = _extend(live, detections, here, float(time_s), habits, settings)
        live += [_begun(detections, i, float(time_s), habits) for i in new]
    chains = sorted(ended + live, key=lambda chain: chain.members[0])
    return [np.array(chain.members, dtype=np.int64) for chain in chains]


def _candidates(detections: Detections, start: int, end: int, settings: TrackingConfig) -> I64:
    here = np.arange(start, end, dtype=np.int64)
    here = here[detections.scores[here] >= settings.weak_score]
    return here[without_doubles(_boxes_at(detections, here), settings.double_iou)]


def _extend(
    live: list[Chain],
    detections: Detections,
    here: I64,
    time_s: float,
    habits: KindConfig,
    settings: TrackingConfig,
) -> list[int]:
    """Gives detections of one frame to chains; returns the sure ones that are nobody's."""
    strong = detections.scores[here] >= settings.strong_score
    free, left = live, here[strong]
    rounds = ((here[strong], settings.least_affinity), (here[~strong], settings.least_weak_affinity))
    for number, (candidates, least) in enumerate(rounds):
        taken = _match(free, detections, candidates, time_s, least, habits)
        free = [chain for chain in free if id(chain) not in taken]
        if number == 0:
            given = set(taken.values())
            left = np.array([i for i in candidates if int(i) not in given], dtype=np.int64)
    return [int(i) for i in left]


def _match(
    chains: list[Chain],
    detections: Detections,
    candidates: I64,
    time_s: float,
    least: float,
    habits: KindConfig,
) -> dict[int, int]:
    """Chains (by identity) and the detections that they have been given."""
    if not chains or len(candidates) == 0:
        return {}
    beliefs = [chain.belief.at(time_s, habits.acceleration) for chain in chains]
    expected = _expected(chains, beliefs, detections)
    gates_m = np.array([habits.gate_m + min(belief.sigma_m, habits.gate_m) for belief in beliefs])
    rows, columns = best_pairs(affinity(expected, _boxes_at(detections, candidates), gates_m), least)
    for row, column in zip(rows, columns, strict=True):
        index, chain = int(candidates[column]), chains[row]
        place = detections.boxes.dst_from_box.translations[index]
        chain.belief = beliefs[row].seeing(place, _sigma_m(detections, index, habits))
        chain.last = index
        chain.members.append(index)
    return {id(chains[row]): int(candidates[column]) for row, column in zip(rows, columns, strict=True)}


def _expected(chains: list[Chain], beliefs: list[Belief], detections: Detections) -> Boxes:
    last = np.array([chain.last for chain in chains], dtype=np.int64)
    places = np.array([belief.place for belief in beliefs])
    local_from_box = SE3Batch(detections.boxes.dst_from_box.rotations[last], places)
    return Boxes(local_from_box, detections.boxes.sizes_lwh_m[last])


def _begun(detections: Detections, index: int, time_s: float, habits: KindConfig) -> Chain:
    place: F64 = detections.boxes.dst_from_box.translations[index]
    belief = Belief.first(time_s, place, _sigma_m(detections, index, habits), habits.fastest_mps)
    return Chain(belief, index, [index])


def _sigma_m(detections: Detections, index: int, habits: KindConfig) -> float:
    return habits.sigma_m / max(float(detections.scores[index]), 0.1)


def _boxes_at(detections: Detections, indices: I64) -> Boxes:
    local_from_box = detections.boxes.dst_from_box.take(indices)
    return Boxes(local_from_box, detections.boxes.sizes_lwh_m[indices])
