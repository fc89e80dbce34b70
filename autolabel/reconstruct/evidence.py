"""What is known of one object before its motion is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np

from autolabel.detections import Detections
from autolabel.smoother import Measurements, Motion
from autolabel.world import Sightings
from calib.types import F64, I64, Bools


@dataclass(frozen=True, eq=False, slots=True)
class PointReport:
    """What an object's own points say of a path that is about right.

    Attributes:
        rows: (M,) which rows of the path were measured, rising.
        measurements: the poses of those rows, at the times of the motion that was handed in.
        support: (N,) points on the object in each row of the path; -1 where there is no scan, or they were
            not counted.
        crossed: (N,) share, of the rays that go through the box in each row, of those that pass it and end
            behind it; NaN where no ray reaches it, or they were not counted.
    """

    rows: I64
    measurements: Measurements
    support: I64
    crossed: F64


class PointEvidence(Protocol):
    """The scans, asked about one object."""

    def measure(
        self, path: Sightings, motion: Motion, wanted: Bools, *, rays: bool, support: bool
    ) -> PointReport:
        """Aligns the object's points along a path.

        Args:
            path: its boxes at N frames.
            motion: the same path with times, velocities and covariances, in N rows.
            wanted: (N,) the frames to look at.
            rays: whether rays through the boxes are counted.
            support: whether points are counted also where nothing is aligned.
        """


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of one object.

    Attributes:
        keys: boxes that a person gave, near-exact; none where there are none.
        detections: what a detector saw and what is held for this object; at most one an instant.
        points: the scans, if there are any.
        labelled_ns: the instants at which a person labelled everything, rising.
    """

    keys: Sightings
    detections: Detections
    points: PointEvidence | None = None
    labelled_ns: I64 = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @cached_property
    def seen_ns(self) -> I64:
        """Every instant at which there is a box of either kind, rising."""
        return np.unique(np.concatenate([self.keys.times_ns, self.detections.times_ns]))
