"""From logs of one place and what is known of each to labels that agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autolabel.trips.align import align
from autolabel.trips.alignment import Alignment
from autolabel.trips.config import TripsConfig
from autolabel.trips.share import Shared, share
from fusion.labels import LabelSet
from fusion.log import DriveLog


@dataclass(frozen=True, slots=True)
class Across:
    """What several trips through one place tell of each other.

    Attributes:
        alignment: how they lie on each other.
        shared: the edits of each trip's labels, and what became of every object.
    """

    alignment: Alignment
    shared: Shared


def label_across(trips: Sequence[tuple[DriveLog, LabelSet]], config: TripsConfig | None = None) -> Across:
    """Lays trips on each other and carries what stands still from each to the others."""
    config = config or TripsConfig()
    alignment = align([log for log, _ in trips], config.align)
    return Across(alignment, share(trips, alignment, config.share))
