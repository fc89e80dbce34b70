"""Cameras to test with: what data sets have, and extreme but legal parameters."""

import numpy as np

from calib.cameras import (
    CameraModel,
    Cylindrical,
    DoubleSphere,
    Equirectangular,
    ExtendedUnified,
    Fisheye,
    FTheta,
    Pinhole,
    Unified,
)

KITTI = (-0.3728755, 0.2037299, 0.002219027, 0.001383707, -0.07233722)
KINECT = (0.4539, -2.686, 0.000789, -0.0003, 1.5436, 0.3342, -2.5036, 1.4728)
BROWN = {
    "none": (),
    "KITTI grey camera": (-0.3691481, 0.1968681, 0.001353473, 0.0005677587),
    "KITTI colour camera": KITTI,
    "action camera": (-0.55, 0.38, 0.001, -0.0005, -0.15),
    "telephoto": (0.12, -1.9, 0.0004, 0.0002, 9.0),
    "folds early": (-0.6, 0.02, 0.0, 0.0, 0.0),
    "strong negative k3": (-0.1, 0.05, 0.0, 0.0, -2.0),
    "strong tangential": (-0.35, 0.1, 0.02, -0.015, 0.0),
    "Azure Kinect": KINECT,
    "rational with a pole": (0.1, 0.01, 0.0, 0.0, 0.0, -0.9, 0.05, 0.0),
    "thin prism": (*KINECT, 0.003, -0.001, -0.002, 0.0006),
    "tilted": (*KITTI, 0.01, -0.02, 0.003, 0.003, -0.001, -0.002, 0.0006, 0.05, -0.03),
}
FISHEYE = {
    "none": (),
    "surround view": (0.063, -0.011, 0.0024, -0.00042),
    "folds": (-0.12, -0.03, 0.002, -0.003),
    "wide": (-0.02, 0.01, -0.004, 0.0003),
}
SIZE = (1280, 960)
PINHOLES = {f"pinhole {name}": Pinhole(984.2, 980.8, 690.1, 233.2, 1392, 512, k) for name, k in BROWN.items()}
FISHEYES = {f"fisheye {name}": Fisheye(330.5, 331.7, 640.3, 480.9, *SIZE, k) for name, k in FISHEYE.items()}
BACKWARD = (0.0, 1 / 300, 1e-7, -1e-11, 2e-13)
WIDE: dict[str, CameraModel] = {
    "fisheye 220 degrees": Fisheye(250, 251, 640.3, 480.9, *SIZE, FISHEYE["surround view"], np.radians(110)),
    "unified xi 0": Unified(700, 701, 640.3, 480.9, *SIZE, 0.0),
    "unified xi 0.8": Unified(900, 901, 640.3, 480.9, *SIZE, 0.8),
    "unified xi 1": Unified(400, 401, 640.3, 480.9, *SIZE, 1.0),
    "unified xi 2.2": Unified(900, 901, 640.3, 480.9, *SIZE, 2.2),
    "unified xi 1.3 with distortion": Unified(
        900, 901, 640.3, 480.9, *SIZE, 1.3, (-0.2, 0.05, 0.001, -0.001)
    ),
    "unified that folds": Unified(500, 501, 640.3, 480.9, *SIZE, 0.9, (-0.4, 0.05, 0.003, -0.002, 0.01)),
    "unified that grows": Unified(300, 301, 640.3, 480.9, *SIZE, 0.5, (0.1, 0.02, 0.0, 0.0)),
    "extended alpha 0": ExtendedUnified(600, 601, 640.3, 480.9, *SIZE, 0.0, 1.0),
    "extended alpha 0.5": ExtendedUnified(300, 301, 640.3, 480.9, *SIZE, 0.5, 1.3),
    "extended alpha 0.65": ExtendedUnified(300, 301, 640.3, 480.9, *SIZE, 0.65, 1.1),
    "extended alpha 1": ExtendedUnified(500, 501, 640.3, 480.9, *SIZE, 1.0, 0.7),
    "double sphere TUM VI": DoubleSphere(156.9, 156.9, 254.4, 256.9, 512, 512, -0.172, 0.593),
    "double sphere 195 degrees": DoubleSphere(300, 301, 640.3, 480.9, *SIZE, 0.1, 0.56),
    "double sphere alpha 0.5": DoubleSphere(200, 201, 640.3, 480.9, *SIZE, 0.3, 0.5),
    "double sphere alpha 0": DoubleSphere(500, 501, 640.3, 480.9, *SIZE, 0.6, 0.0),
    "double sphere xi 1": DoubleSphere(400, 401, 640.3, 480.9, *SIZE, 1.0, 0.4),
    "double sphere xi -0.9": DoubleSphere(150, 151, 640.3, 480.9, *SIZE, -0.9, 0.7),
    "f-theta 200 degrees": FTheta(
        640, 480, *SIZE, px_to_angle=BACKWARD, reference="px_to_angle", max_angle_rad=np.radians(100)
    ),
    "f-theta backwards": FTheta(
        641.2, 479.3, *SIZE, px_to_angle=BACKWARD, reference="px_to_angle", linear_cde=(1.01, 0.001, -0.002)
    ),
    "f-theta that turns": FTheta(
        640, 480, *SIZE, px_to_angle=(0, 1 / 300, 0, -7e-9), reference="px_to_angle"
    ),
    "f-theta forwards": FTheta(
        641.2, 479.3, *SIZE, (0, 300, -3, 1.5, -4, 0.2), linear_cde=(0.99, -0.003, 0.001), max_angle_rad=1.9
    ),
    "WoodScape": FTheta(643.4, 483.0, *SIZE, (0, 339.749, -31.988, 48.275, -7.201)),
    "cylinder 140 degrees": Cylindrical(500, 510, 640.3, 480.9, *SIZE),
    "cylinder all around": Cylindrical(1280 / (2 * np.pi), 210, 200.3, 480.9, *SIZE),
    "equirectangular": Equirectangular(1280, 640),
}
CAMERAS: dict[str, CameraModel] = {**PINHOLES, **FISHEYES, **WIDE}


def everywhere(rng, count):
    """Points in all directions, at all distances."""
    rays = rng.normal(size=(count, 3))
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    return rays * 10.0 ** rng.uniform(-3, 6, (count, 1))
