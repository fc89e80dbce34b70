"""Where every sensor sits and how it sees."""

from calib.cameras import (
    CameraModel,
    Cylindrical,
    DoubleSphere,
    Equirectangular,
    ExtendedUnified,
    Fisheye,
    FTheta,
    Pinhole,
    Projection,
    Unified,
)
from calib.errors import CalibrationError, CrosslabelError
from calib.project import VisiblePoints, project_cloud
from calib.rig import Camera, Lidar, Rig
from calib.se3 import SE3, SE3Batch

__all__ = [
    "SE3",
    "CalibrationError",
    "Camera",
    "CameraModel",
    "CrosslabelError",
    "Cylindrical",
    "DoubleSphere",
    "Equirectangular",
    "ExtendedUnified",
    "FTheta",
    "Fisheye",
    "Lidar",
    "Pinhole",
    "Projection",
    "Rig",
    "SE3Batch",
    "Unified",
    "VisiblePoints",
    "project_cloud",
]
