"""Driving through the same street again: what is as it was, and what is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from calib.se3 import SE3Batch
from calib.types import I64
from fusion.simulate.actors import Actor
from fusion.simulate.config import SimulationConfig
from fusion.trajectory import Trajectory

DAY_NS = 86_400_000_000_000
STREAMS, FURNITURE = 4, 3


@dataclass(frozen=True, slots=True)
class Outing:
    """How the car goes through the street on one of its trips.

    Attributes:
        speed_mps: it wants to drive at.
        start_m: where in the street it begins.
        shift_m: how far to the left it keeps in its lane.
        late_ns: how long after the first trip.
    """

    speed_mps: float
    start_m: float = 0.0
    shift_m: float = 0.0
    late_ns: int = 0

    @classmethod
    def of(cls, config: SimulationConfig) -> Outing:
        """The first trip is as the config says, every other one its own."""
        if config.trip == 0:
            return cls(config.ego_speed_mps)
        rng = np.random.default_rng((config.seed, 2, config.trip, STREAMS))
        return cls(
            config.ego_speed_mps * float(rng.uniform(0.8, 1.05)),
            float(rng.uniform(-8.0, 6.0)),
            float(rng.uniform(-0.45, 0.45)),
            config.trip * DAY_NS,
        )


def random_streams(config: SimulationConfig) -> list[np.random.Generator]:
    """Of the traffic, the car, those who park and walk, and the furniture, the same on every trip."""
    first = [np.random.default_rng((config.seed, 0, k)) for k in range(STREAMS)]
    if config.trip == 0:
        return first
    later = [np.random.default_rng((config.seed, 2, config.trip, k)) for k in range(STREAMS)]
    return [*later[:FURNITURE], first[FURNITURE]]


def still_parked(
    first: Sequence[Actor], config: SimulationConfig, rng: np.random.Generator, times_ns: I64
) -> list[Actor]:
    """Those that the first trip saw parked and that have not left since, on the clock of another trip."""
    ends = times_ns[[0, -1]]
    found = []
    for actor in first:
        if actor.moving or actor.body.category == "pedestrian" or rng.random() < config.moved_parked:
            continue
        world_from_box = actor.world_from_box(actor.trajectory.start_ns)
        found.append(replace(actor, trajectory=Trajectory(ends, SE3Batch.stack([world_from_box] * 2))))
    return found
