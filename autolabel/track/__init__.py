"""Which detection is whose: detections to chains, forward and backward, linked over gaps."""

from autolabel.track.chains import chains_of
from autolabel.track.config import Gait, ScoreConfig, TrackConfig

__all__ = ["Gait", "ScoreConfig", "TrackConfig", "chains_of"]
