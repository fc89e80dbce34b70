"""Box, calibration or clock: whose fault it is that 2D evidence and 3D boxes do not agree."""

from fusion.checks.blame.boxes import BoxBlame
from fusion.checks.blame.decide import Culprit
from fusion.checks.blame.judge import Blame, Judgement, judge
from fusion.checks.blame.views import Views, views_of

__all__ = ["Blame", "BoxBlame", "Culprit", "Judgement", "Views", "judge", "views_of"]
