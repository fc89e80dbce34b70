"""Several drives through one place: laid on each other, their labels shared."""

from autolabel.trips.across import Across, label_across
from autolabel.trips.align import align
from autolabel.trips.alignment import AlignedTrip, Alignment
from autolabel.trips.config import AlignConfig, ShareConfig, TripsConfig
from autolabel.trips.looks import Verdict
from autolabel.trips.share import Finding, Shared, share

__all__ = [
    "Across",
    "AlignConfig",
    "AlignedTrip",
    "Alignment",
    "Finding",
    "ShareConfig",
    "Shared",
    "TripsConfig",
    "Verdict",
    "align",
    "label_across",
    "share",
]
