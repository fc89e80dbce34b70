"""How cameras see: points in a camera frame to pixels and back, for every model that data sets use."""

from calib.cameras.fisheye import Fisheye
from calib.cameras.ftheta import FTheta
from calib.cameras.model import CameraModel, Projection
from calib.cameras.panorama import Cylindrical, Equirectangular
from calib.cameras.pinhole import Pinhole
from calib.cameras.spheres import DoubleSphere, ExtendedUnified, Unified

MODELS: dict[str, type] = {
    "pinhole": Pinhole,
    "fisheye": Fisheye,
    "unified": Unified,
    "extended_unified": ExtendedUnified,
    "double_sphere": DoubleSphere,
    "ftheta": FTheta,
    "cylindrical": Cylindrical,
    "equirectangular": Equirectangular,
}

__all__ = [
    "MODELS",
    "CameraModel",
    "Cylindrical",
    "DoubleSphere",
    "Equirectangular",
    "ExtendedUnified",
    "FTheta",
    "Fisheye",
    "Pinhole",
    "Projection",
    "Unified",
]
