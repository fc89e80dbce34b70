"""Settings of tracking."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from autolabel.settings import Count, Positive, Settings, Share
from fusion.categories import Kind


class Gait(Settings):
    """How one kind of object moves from frame to frame, and how well it is detected.

    Attributes:
        rolls: whether it moves along its heading.
        acceleration: white-noise acceleration along its way, m/s^2 in a root second.
        slip: how far it strays across its heading, metres in a root second.
        turning: white-noise acceleration of the heading, rad/s^2 in a root second.
        fastest_mps: a speed it hardly exceeds.
        sigma_m: how far from the truth a sure detection lies.
        sigma_rad: how far from the truth its heading is.
    """

    rolls: bool = True
    acceleration: Positive = 4.0
    slip: Positive = 0.3
    turning: Positive = 0.5
    fastest_mps: Positive = 30.0
    sigma_m: Positive = 0.25
    sigma_rad: Positive = 0.2


VEHICLE = Gait()
CYCLE = Gait(acceleration=3.0, turning=1.0, fastest_mps=12.0, sigma_m=0.25, sigma_rad=0.4)
WALKER = Gait(rolls=False, acceleration=2.0, turning=2.0, fastest_mps=3.0, sigma_m=0.2, sigma_rad=0.8)
THING = Gait(rolls=False, acceleration=0.2, turning=0.2, fastest_mps=1.0, sigma_m=0.3, sigma_rad=0.8)

GAITS: dict[Kind, Gait] = {
    Kind.MOTORCYCLE: CYCLE.model_copy(update={"fastest_mps": 30.0}),
    Kind.BICYCLE: CYCLE,
    Kind.PEDESTRIAN: WALKER,
    Kind.ANIMAL: WALKER,
    Kind.CONE: THING,
    Kind.BARRIER: THING,
    Kind.OTHER: WALKER,
}


class ScoreConfig(Settings):
    """How likely a chain of detections is an object.

    Attributes:
        said: how much each unit of its detector's mean log odds adds.
        length: what e times as many detections add to the log odds.
        motion: what it adds that the object comes as far as `far_m` from where it was first seen.
        far_m: see there.
        even: the sum at which there is an object as likely as not.
        near: centres this near, in parts of the longer one's length and beyond `slack_m`, are of one thing.
        slack_m: see there.
        mostly: a chain is another's double where this share of its detections lie so near to the other's.
        double: what that takes from the log odds.
        least_hits: a chain of fewer detections makes no track.
        least: a chain less likely to be an object makes no track.
        half_life_s: the score of a box halves with this distance from the nearest detection.
    """

    said: float = 1.0
    length: float = 1.0
    motion: float = 2.0
    far_m: Positive = 3.0
    even: float = 4.5
    near: Share = 0.4
    slack_m: Positive = 0.2
    mostly: Share = 0.5
    double: float = 6.0
    least_hits: Count = 2
    least: Share = 0.02
    half_life_s: Positive = 0.5


class TrackConfig(Settings):
    """From detections to chains of detections.

    Attributes:
        gaits: how the kinds move; those not named move as a car does.
        strong_score: detections this sure choose their track first.
        double_iou: of two detections that overlap more from above, only the surer is used.
        rarity: minus the log of how many new or false detections there are a square metre.
        birth_rarity: the same of objects that are first seen in the middle of the view.
        gate: squared Mahalanobis distance beyond which a detection is not the object's.
        weak_least: log odds that a weak detection needs.
        coast_s: a pass goes on for so long without a sighting.
        coast_per_hit_s: the same for each detection that it has.
        longest_gap_s: over longer gaps tracklets are not linked.
        gap_per_hit_s: over how long a gap a tracklet is linked for each detection that it has.
        gap_per_s: log odds that a gap costs for each second.
        link_least: log odds that a link over a gap needs.
        rounds: how often links are sought, each time with the states of longer tracklets.
        score: how likely a chain is an object, by scores that say which of two detections is surer.
        chance: the same, by scores that are chances; fitted to what the built-in detector finds. To delete a
            track takes a person less than to draw it, so that unlikely ones are worth one, but not all.
    """

    gaits: dict[Kind, Gait] = Field(default_factory=lambda: dict(GAITS))
    strong_score: Share = 0.9
    double_iou: Share = 0.3
    rarity: float = 5.0
    birth_rarity: float = 7.0
    gate: Positive = 13.8
    weak_least: float = 1.0
    coast_s: Positive = 1.0
    coast_per_hit_s: Positive = 0.3
    longest_gap_s: Positive = 6.0
    gap_per_hit_s: Positive = 1.0
    gap_per_s: float = 1.0
    link_least: float = 0.0
    rounds: Annotated[int, Field(ge=0)] = 2
    score: ScoreConfig = ScoreConfig()
    chance: ScoreConfig = ScoreConfig(said=1.6, length=0.8, motion=0.6, even=1.9, least=0.15)

    def by_chance(self) -> TrackConfig:
        """For detections whose scores are chances."""
        return self.model_copy(update={"score": self.chance})

    def down_to(self, least: float) -> TrackConfig:
        """With tracks of all chains that are at least so likely an object."""
        return self.model_copy(update={"score": self.score.model_copy(update={"least": least})})

    def gait(self, kind: Kind) -> Gait:
        """How a kind moves."""
        return self.gaits.get(kind, VEHICLE)
