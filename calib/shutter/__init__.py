"""Points into images whose rows are exposed one after the other."""

from calib.shutter.lens import ShotLens
from calib.shutter.motion import CameraMotion, shot_span_ns
from calib.shutter.project import ExposedPoints, Exposure, expose, project_through_shutter

__all__ = [
    "CameraMotion",
    "ExposedPoints",
    "Exposure",
    "ShotLens",
    "expose",
    "project_through_shutter",
    "shot_span_ns",
]
