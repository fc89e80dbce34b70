"""What each camera really sees of a cloud, and the colours it gives to the points."""

from calib.sight.beams import BeamSpacing, measure_spacing
from calib.sight.colour import View, colour_points, sample_colours
from calib.sight.occlusion import only_visible, visible_points

__all__ = [
    "BeamSpacing",
    "View",
    "colour_points",
    "measure_spacing",
    "only_visible",
    "sample_colours",
    "visible_points",
]
