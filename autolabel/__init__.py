"""From key frames and detections to the tracks of a whole log."""

from autolabel.config import Config, KindConfig, PropagationConfig, TrackingConfig
from autolabel.pipeline import propose
from autolabel.propagate import propagate
from autolabel.tracks import track_detections

__all__ = [
    "Config",
    "KindConfig",
    "PropagationConfig",
    "TrackingConfig",
    "propagate",
    "propose",
    "track_detections",
]
