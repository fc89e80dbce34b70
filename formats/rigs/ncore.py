"""NVIDIA NCore's camera parameters in JSON: `camera_model_type` and `camera_model_parameters`.

The trap is the pixel centre. NCore's images begin at the corner of the first pixel, whose centre is (0.5,
0.5), and so do the principal points of its OpenCV models; that of an f-theta lens is stored with the centre
of the first pixel at (0, 0), as ours. (NCore's documentation, "Sensor Models".)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calib.cameras import CameraModel, Fisheye, FTheta, Pinhole
from calib.cameras.ftheta import ANGLE_TO_PX, PX_TO_ANGLE
from calib.rig import Camera, ReadoutDirection, Rig
from calib.se3 import SE3
from formats.fields import Field, read_json_fields
from formats.rigs.kind import LOOKING_AHEAD, RigKind, checked, head_of

CORNER_TO_CENTRE_PX = 0.5
REFERENCES = {"PIXELDIST_TO_ANGLE": PX_TO_ANGLE, "ANGLE_TO_PIXELDIST": ANGLE_TO_PX}
READOUTS: dict[str, ReadoutDirection] = {
    "ROLLING_TOP_TO_BOTTOM": "down",
    "ROLLING_LEFT_TO_RIGHT": "right",
    "ROLLING_BOTTOM_TO_TOP": "up",
    "ROLLING_RIGHT_TO_LEFT": "left",
    "GLOBAL": "down",
}


def read_ncore_camera(path: Path, *, readout_ns: int = 0, ego_from_cam: SE3 = LOOKING_AHEAD) -> Camera:
    """The camera in a file.

    Args:
        path: of the file.
        readout_ns: how long a rolling shutter takes, which the file does not tell (only its direction).
        ego_from_cam: where the camera sits, which the file does not say either.

    Raises:
        FormatError: malformed, a model that is not known here, or a windshield in front of the lens.
    """
    root = read_json_fields(path)
    kind, parameters = root["camera_model_type"].text(), root["camera_model_parameters"]
    if parameters.get("external_distortion_parameters") is not None:
        raise parameters["external_distortion_parameters"].error("no model here sees through a windshield")
    model = _model(root, kind, parameters)
    shutter = parameters["shutter_type"].text() if "shutter_type" in parameters else "GLOBAL"
    if shutter not in READOUTS:
        raise parameters["shutter_type"].error(f"must be one of {', '.join(READOUTS)}")
    taken_ns = 0 if shutter == "GLOBAL" else readout_ns
    return Camera(path.stem, ego_from_cam, model, readout_ns=taken_ns, readout=READOUTS[shutter])


def _model(root: Field, kind: str, parameters: Field) -> CameraModel:
    width, height = parameters["resolution"].numbers(2)
    size_px = parameters["resolution"].size_px(int(width), int(height))
    if kind == "ftheta":
        return _ftheta(parameters, size_px)
    if kind not in ("opencv-pinhole", "pinhole", "ideal-pinhole", "opencv-fisheye"):
        raise root["camera_model_type"].error(f"there is no model {kind[:40]!r} here")
    fx_px, fy_px = parameters["focal_length"].numbers(2)
    cx_px, cy_px = (n - CORNER_TO_CENTRE_PX for n in parameters["principal_point"].numbers(2))
    if kind == "opencv-fisheye":
        coefficients = tuple(parameters["radial_coeffs"].numbers(4))
        max_angle_rad = parameters["max_angle"].number()
        return checked(
            parameters, lambda: Fisheye(fx_px, fy_px, cx_px, cy_px, *size_px, coefficients, max_angle_rad)
        )
    distortion = () if kind == "ideal-pinhole" else _brown(parameters)
    return checked(parameters, lambda: Pinhole(fx_px, fy_px, cx_px, cy_px, *size_px, distortion))


def _brown(parameters: Field) -> tuple[float, ...]:
    """In OpenCV's order: k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4."""
    k1, k2, *others = parameters["radial_coeffs"].numbers(6)
    tangential, prism = parameters["tangential_coeffs"].numbers(2), parameters["thin_prism_coeffs"].numbers(4)
    return (k1, k2, *tangential, *others, *prism)


def _ftheta(parameters: Field, size_px: tuple[int, int]) -> FTheta:
    cx_px, cy_px = parameters["principal_point"].numbers(2)
    reference = parameters["reference_poly"].text()
    if reference not in REFERENCES:
        raise parameters["reference_poly"].error(f"must be one of {', '.join(REFERENCES)}")
    linear = parameters["linear_cde"].numbers(3) if "linear_cde" in parameters else [0.0, 0.0, 0.0]
    # Some data sets store three zeros for "none"; NCore reads them so too.
    linear_cde = tuple(linear) if np.any(linear) else (1.0, 0.0, 0.0)
    forward, backward = (
        tuple(parameters[key].numbers()) for key in ("angle_to_pixeldist_poly", "pixeldist_to_angle_poly")
    )
    return checked(
        parameters,
        lambda: FTheta(
            cx_px,
            cy_px,
            *size_px,
            angle_to_px=forward,
            px_to_angle=backward,
            reference=REFERENCES[reference],
            linear_cde=linear_cde,
            max_angle_rad=min(parameters["max_angle"].number(), np.pi),
        ),
    )


def recognises(path: Path) -> bool:
    """Whether a file looks like NCore's parameters of a camera; never raises."""
    return path.suffix.lower() == ".json" and '"camera_model_parameters"' in head_of(path)


NCORE = RigKind(
    "ncore",
    "NVIDIA NCore camera",
    recognises,
    lambda path: Rig.of(cameras=(read_ncore_camera(path),)),
    "the camera's place, x along its view, z up: the file says nothing of the car",
)
