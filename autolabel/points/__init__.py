"""What an object's own points say: followed from a box, aligned frame by frame to what is known of it."""

from autolabel.points.config import PointsConfig, SurfaceConfig
from autolabel.points.rounds import Ways, trace
from autolabel.points.seeds import Seeds

__all__ = ["PointsConfig", "Seeds", "SurfaceConfig", "Ways", "trace"]
