"""Objects of a drive of which nothing is known."""

from autolabel.detect.config import DetectConfig
from autolabel.detect.detector import Detector, PlainDetector

__all__ = ["DetectConfig", "Detector", "PlainDetector"]
