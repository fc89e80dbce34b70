"""Settings of the reconstruction of one object."""

from __future__ import annotations

from autolabel.settings import Count, Positive, Settings, Share
from autolabel.smoother import Habits
from fusion.categories import Kind

CAR = Habits(acceleration=0.7, turning=0.15, slip_mps=0.4, pivot_m=1.0, rising=0.15)
BICYCLE = Habits(acceleration=1.0, turning=0.5, slip_mps=0.5, fastest_mps=12.0)
WALKER = Habits(acceleration=1.0, turning=1.0, slip_mps=None, fastest_mps=3.0)
THING = Habits(acceleration=0.1, turning=0.1, slip_mps=None, fastest_mps=1.0)

HABITS: dict[Kind, Habits] = {
    Kind.MOTORCYCLE: BICYCLE,
    Kind.BICYCLE: BICYCLE,
    Kind.PEDESTRIAN: WALKER,
    Kind.ANIMAL: WALKER,
    Kind.CONE: THING,
    Kind.BARRIER: THING,
    Kind.OTHER: WALKER,
}


def habits_of(kind: Kind) -> Habits:
    """How a kind of object moves."""
    return HABITS.get(kind, CAR)


class Accuracy(Settings):
    """How far detections that are as likely wrong as right lie from the truth.

    Attributes:
        along_m: along the length of the box, of which often only one end is seen.
        across_m: across it.
        height_m: upwards.
        turned_rad: in heading.
    """

    along_m: Positive = 0.6
    across_m: Positive = 0.5
    height_m: Positive = 0.4
    turned_rad: Positive = 0.15


WHEELED = Accuracy()
UPRIGHT = Accuracy(along_m=0.15, across_m=0.15, height_m=0.3, turned_rad=1.0)
TWO_WHEELED = Accuracy(along_m=0.3, across_m=0.2, height_m=0.2, turned_rad=0.3)


class Presence(Settings):
    """How likely an object is there in a frame beyond those in which a person saw it (a logistic model).

    Attributes:
        base: log odds of one that is detected without a doubt.
        unseen: by how much they fall where it is not detected.
        doubt: by how much they fall with the doubt in its detection.
        sureness: the power of the chance of being wrong that this doubt is.
        dense: by how much they rise where the frames around have detections.
        absence: by how much they fall on the way to a labelled frame without it.
        edge: by how much they rise where it lies half outside of the labelled region: it just passes.
        crossed: by how much they fall where rays pass through its box.
        silent: by how much they fall with the log of one plus the seconds since it was seen.
        roaming: how much more of that for what moves.
        least_points: so many points on it are as good as a detection; None where they say nothing.
        threshold: a frame less likely to hold it is not worth a box.
    """

    base: float = 3.6
    unseen: float = 3.0
    doubt: float = 3.7
    sureness: Positive = 0.2
    dense: float = 1.6
    absence: float = 3.9
    edge: float = 1.4
    crossed: float = 4.0
    silent: float = 0.0
    roaming: float = 0.0
    least_points: Count | None = 5
    threshold: Share = 0.2


# Fitted to what the built-in detector finds on simulated streets.
ALONE = Presence(dense=0.4, crossed=0.9, silent=0.47, roaming=0.52, least_points=None, threshold=0.3)


class ReconstructConfig(Settings):
    """From what is known of one object to its boxes at all frames.

    Attributes:
        key_sigma_m: how far a box that a person gave lies from the truth.
        key_sigma_rad: how far its heading does.
        wheeled: how far detections of cars and the like lie from the truth.
        two_wheeled: the same of bicycles.
        upright: the same of people and everything else.
        sureness: the power of the chance of being wrong with which this shrinks as detections get surer.
        anchor: how far the sides that face the car stay in place when a box gets the size of its track.
        offset_m: how far detections of one object lie from its given boxes on the whole.
        offset_s: after this time they may lie elsewhere.
        offset_lasts: the part of that which never changes.
        parked_m: an object whose boxes all lie this near to their middle stands still.
        drift: how far the car's own poses wander, metres in a root second.
        rising: the same upwards, as white-noise acceleration, m/s^2 in a root second.
        fastest_turn_rad_per_s: a faster change of heading is a flip.
        longest_gap_s: between sightings further apart nothing is filled in.
        reach_s: further from all of its detections it is not looked for,
        key_reach_s: nor further from all of its given boxes, where there are some.
        roaming_reach_s: what moves and nobody gave is not looked for further from any of its detections.
        presence: how likely an object is there beyond its given boxes.
        alone: the same of one that nobody gave, but a detector found.
        half_life_s: the score halves with this distance from the nearest given box.
    """

    key_sigma_m: Positive = 0.02
    key_sigma_rad: Positive = 0.01
    wheeled: Accuracy = WHEELED
    two_wheeled: Accuracy = TWO_WHEELED
    upright: Accuracy = UPRIGHT
    sureness: Positive = 0.2
    anchor: Share = 0.4
    offset_m: Positive = 0.07
    offset_s: Positive = 3.0
    offset_lasts: Share = 0.5
    parked_m: Positive = 0.6
    drift: Positive = 0.15
    rising: Positive = 0.05
    fastest_turn_rad_per_s: Positive = 1.2
    longest_gap_s: Positive = 10.0
    reach_s: Positive = 30.0
    key_reach_s: Positive = 120.0
    roaming_reach_s: Positive = 4.0
    presence: Presence = Presence()
    alone: Presence = ALONE
    half_life_s: Positive = 4.0

    def accuracy_of(self, kind: Kind) -> Accuracy:
        """How far detections of a kind lie from the truth."""
        if kind in (Kind.BICYCLE, Kind.MOTORCYCLE):
            return self.two_wheeled
        return self.wheeled if kind.is_vehicle else self.upright
