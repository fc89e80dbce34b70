"""How an object moved: the most likely motion behind all that was seen of it."""

from autolabel.smoother.measurements import Measurements
from autolabel.smoother.motion import Motion
from autolabel.smoother.smooth import Habits, rest, smooth, smooth_heights

__all__ = ["Habits", "Measurements", "Motion", "rest", "smooth", "smooth_heights"]
