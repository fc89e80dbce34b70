"""One cumulative sum for each way in which a camera may have moved."""

from __future__ import annotations

import numpy as np

from calib.drift.turns import STILL, TURNS_RAD
from calib.types import F64, I64, Bools

# In nats of evidence; set on simulated drives with seeds under 100.
LIMIT = 10.0
MOST_A_FRAME = 4.0


class TurnCusum:
    """Evidence, frame by frame, that the camera no longer looks as it did, for each turn of a lattice.

    Page's test (Biometrika, 1954) for every turn at once: the log likelihood ratio of "turned so" against
    "not turned", never below zero, so that its last zero is when the turn began. With the maximum over
    turns it is Lorden's generalised likelihood ratio (Annals of Mathematical Statistics, 1971). No frame
    alone may raise an alarm.

    Attributes:
        values: (T,) sums, in nats.
        since: (T,) the first frame that each sum is made of.
    """

    def __init__(self, limit: float = LIMIT, most_a_frame: float = MOST_A_FRAME) -> None:
        self.limit, self.most_a_frame = limit, most_a_frame
        self.values: F64 = np.zeros(len(TURNS_RAD))
        self.since: I64 = np.zeros(len(TURNS_RAD), dtype=np.int64)

    def add(self, frame: int, log_likelihood: F64) -> None:
        """Takes in one frame: (T,) log likelihood of each turn, up to a constant."""
        gain = np.clip(log_likelihood - log_likelihood[STILL], -self.most_a_frame, self.most_a_frame)
        self.since[self.values <= 0] = frame
        self.values = np.maximum(self.values + gain, 0.0)

    @property
    def highest(self) -> int:
        """The turn with the largest sum."""
        return int(self.values.argmax())

    @property
    def alarmed(self) -> bool:
        """Whether a sum has passed the limit."""
        return bool(self.values.max() > self.limit)

    def by_axis(self) -> F64:
        """(3, 2) the largest sum of turns about each axis alone: negative ones, positive ones."""
        return np.array([[self.values[mask].max() for mask in ways] for ways in _ALONE])


def _alone() -> tuple[tuple[Bools, Bools], ...]:
    single = (TURNS_RAD != 0).sum(axis=1) == 1
    return tuple((single & (TURNS_RAD[:, a] < 0), single & (TURNS_RAD[:, a] > 0)) for a in range(3))


_ALONE = _alone()
