"""From one box, key frames, detections or nothing to the tracks of a whole log."""

from autolabel.config import Config
from autolabel.pipeline import Given, Proposal, label, propose
from autolabel.track.tracks import track_detections

__all__ = ["Config", "Given", "Proposal", "label", "propose", "track_detections"]
