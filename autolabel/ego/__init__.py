"""The car's own trajectory: checked against the scans, repaired, or made from them."""

from autolabel.ego.check import check
from autolabel.ego.config import EgoConfig
from autolabel.ego.repair import odometry, repair
from autolabel.ego.report import EgoReport, Span, Verdict

__all__ = ["EgoConfig", "EgoReport", "Span", "Verdict", "check", "odometry", "repair"]
