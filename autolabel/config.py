"""Settings of auto-labelling; the same settings and input give the same labels."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from fusion.categories import Kind

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class KindConfig(BaseModel):
    """How one kind of object moves and how it is told from its neighbours.

    Attributes:
        acceleration: white-noise acceleration, m/s^2 in a root second: how readily it speeds up and turns.
        fastest_mps: a speed it hardly exceeds.
        fastest_turn_rad_per_s: a turn rate that it never exceeds: a faster change of heading is a flip.
        slip_mps: how fast it moves across its own heading.
        gate_m: how far from its predicted place a detection may be its own.
        sigma_m: how far from the truth a good detection lies.
        sigma_rad: how far from the truth its heading is.
        turning: white-noise acceleration of the heading, rad/s^2 in a root second.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    acceleration: Positive = 4.0
    fastest_mps: Positive = 30.0
    fastest_turn_rad_per_s: Positive = 1.2
    slip_mps: Positive = 1.2
    gate_m: Positive = 2.0
    sigma_m: Positive = 0.15
    sigma_rad: Positive = 0.1
    turning: Positive = 0.3


VEHICLE = KindConfig()
BICYCLE = KindConfig(fastest_mps=12.0, fastest_turn_rad_per_s=2.0, slip_mps=2.0, gate_m=2.0, sigma_m=0.2)
MOTORCYCLE = KindConfig(fastest_turn_rad_per_s=2.0, slip_mps=2.0, gate_m=2.5, sigma_m=0.2)
WALKER = KindConfig(
    fastest_mps=3.0,
    fastest_turn_rad_per_s=6.0,
    slip_mps=3.0,
    gate_m=1.2,
    sigma_m=0.15,
    sigma_rad=0.5,
    turning=1.0,
)
THING = KindConfig(acceleration=0.1, fastest_mps=1.0, slip_mps=3.0, gate_m=1.0, sigma_m=0.2)

KINDS: dict[Kind, KindConfig] = {
    Kind.CAR: VEHICLE,
    Kind.TRUCK: VEHICLE,
    Kind.BUS: VEHICLE,
    Kind.TRAILER: VEHICLE,
    Kind.CONSTRUCTION: VEHICLE,
    Kind.MOTORCYCLE: MOTORCYCLE,
    Kind.BICYCLE: BICYCLE,
    Kind.PEDESTRIAN: WALKER,
    Kind.ANIMAL: WALKER,
    Kind.CONE: THING,
    Kind.BARRIER: THING,
    Kind.OTHER: WALKER,
}


class PropagationConfig(BaseModel):
    """From key frames to all frames.

    Attributes:
        sigma_m: how far a given box lies from a smooth path; it keeps its place all the same.
        parked_m: an object whose given boxes all lie this near to each other stands still.
        longest_gap_s: between given boxes further apart nothing is filled in.
        reach: how much of the gap between key frames is filled beyond the first and the last one.
        half_life_s: the score halves with this distance from the nearest given box.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sigma_m: Positive = 0.2
    parked_m: Positive = 0.5
    longest_gap_s: Positive = 10.0
    reach: Share = 0.5
    half_life_s: Positive = 4.0


class TrackingConfig(BaseModel):
    """From detections to tracks.

    Attributes:
        strong_score: a detection this sure may begin a track.
        weak_score: a detection this sure may go on with one.
        double_iou: of two detections that overlap more from above, only the surer is used.
        least_affinity: what a strong detection must fit at least (see `affinity`).
        least_weak_affinity: what a weak one must.
        coast_s: a track goes on without being seen for so long.
        least_hits: a track of fewer detections is dropped.
        parked_m: a path that stays this near to its middle belongs to something that stands still.
        drift: white-noise acceleration of things that stand still, because the car's poses drift.
        size_power: the power of its score with which a detection counts for the size.
        anchor: how far the sides that face the car stay in place when a box gets the size of its track.
        half_life_s: the score halves with this distance from the nearest detection.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    strong_score: Share = 0.85
    weak_score: Share = 0.2
    double_iou: Share = 0.3
    least_affinity: float = 0.1
    least_weak_affinity: float = 0.6
    coast_s: Positive = 1.0
    least_hits: Annotated[int, Field(ge=1)] = 3
    parked_m: Positive = 1.0
    drift: Positive = 0.5
    size_power: Positive = 2.0
    anchor: Share = 0.5
    half_life_s: Positive = 0.5


class Config(BaseModel):
    """All settings; the defaults are those that were tuned and measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kinds: dict[Kind, KindConfig] = Field(default_factory=lambda: dict(KINDS))
    propagation: PropagationConfig = PropagationConfig()
    tracking: TrackingConfig = TrackingConfig()

    def of(self, kind: Kind) -> KindConfig:
        """The settings of a kind, those of `Kind.OTHER` where it has none of its own."""
        return self.kinds.get(kind) or self.kinds.get(Kind.OTHER) or WALKER

    def hash(self) -> str:
        """Sixteen hexadecimal digits that change with any setting and with nothing else."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]
