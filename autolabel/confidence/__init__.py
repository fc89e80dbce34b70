"""How likely each box needs no edit, which of them want a look, and why."""

from autolabel.confidence.confidence import wanting_a_look, with_confidence
from autolabel.confidence.config import ConfidenceConfig
from fusion.labels import CONFIDENCE, LOOK

__all__ = ["CONFIDENCE", "LOOK", "ConfidenceConfig", "wanting_a_look", "with_confidence"]
