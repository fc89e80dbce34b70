"""ROS `CameraInfo`, as a message or as the YAML of camera_calibration (REP 104).

K, D, R and P are those of the full sensor; binning and region of interest cut the image out of it. Pixel
centres are whole numbers. Binning joins neighbours, so the first pixel of the image lies in their middle,
half a pixel of the sensor off at a binning of 2 (ROS's image_geometry leaves that out).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from calib.cameras import CameraModel
from calib.errors import CalibrationError
from calib.rig import Camera, Rig
from calib.se3 import SE3
from calib.types import F64
from formats.fields import Field, read_json_fields, read_yaml_fields
from formats.rigs.kind import LOOKING_AHEAD, RigKind, fisheye_of, head_of, pinhole_of

FISHEYES = ("equidistant", "fisheye", "kannala_brandt", "kannala_brandt4")
PINHOLES = ("plumb_bob", "rational_polynomial", "thin_prism", "radtan", "")
SPELLINGS = {
    "K": ("K", "k", "camera_matrix"),
    "D": ("D", "d", "distortion_coefficients"),
    "R": ("R", "r", "rectification_matrix"),
    "P": ("P", "p", "projection_matrix"),
    "width": ("width", "image_width"),
    "height": ("height", "image_height"),
}


def read_camera_info(
    path: Path, *, rectified: bool = False, name: str | None = None, ego_from_cam: SE3 = LOOKING_AHEAD
) -> Camera:
    """The camera in a YAML or JSON file.

    Args:
        path: of the file.
        rectified: for images that are rectified (by P and R) instead of raw ones (K and D).
        name: in place of the one in the file or of the file.
        ego_from_cam: where the raw camera sits, which the file does not say.

    Raises:
        FormatError: missing, malformed, or a camera that was not calibrated.
    """
    root = read_json_fields(path) if path.suffix == ".json" else read_yaml_fields(path)
    return _camera(root, rectified, name or _name(root, path.stem), ego_from_cam)


def camera_of_info(
    info: Mapping[str, Any],
    name: str,
    *,
    rectified: bool = False,
    ego_from_cam: SE3 = LOOKING_AHEAD,
    source: Path | str = "CameraInfo",
) -> Camera:
    """The same of a message as nested dicts and lists, which `source` names in errors.

    Raises:
        FormatError: malformed, or a camera that was not calibrated.
    """
    return _camera(Field(Path(source), "", _plain(info)), rectified, name, ego_from_cam)


def _camera(root: Field, rectified: bool, name: str, ego_from_cam: SE3) -> Camera:
    """A rectified camera stands where the raw one does, turned by R.

    The fourth column of P tells where a stereo partner's frame lies; it plays no part here.
    """
    full_size_px = root.size_px(root.first(*SPELLINGS["width"]), root.first(*SPELLINGS["height"]))
    image_from_full, size_px = _window(root, full_size_px)
    if not rectified:
        return Camera(name, ego_from_cam, _raw_model(root, image_from_full, size_px))
    place = root.first(*SPELLINGS["P"])
    matrix = image_from_full @ _matrix(place, 3, 4)[:, :3]
    cam_from_rect = _rect_from_cam(root).inverse()
    return Camera(name, ego_from_cam @ cam_from_rect, pinhole_of(place, matrix, size_px, ()))


def _raw_model(root: Field, image_from_full: F64, size_px: tuple[int, int]) -> CameraModel:
    place = root.first(*SPELLINGS["K"])
    matrix = _matrix(place, 3, 3)
    if not matrix.any():
        raise place.error("all zero: this camera was not calibrated")
    kind = root.get("distortion_model")
    model = kind.text().lower() if kind else ""
    coefficients = _coefficients(root)
    if model in FISHEYES:
        return fisheye_of(place, image_from_full @ matrix, size_px, coefficients)
    if model in PINHOLES:
        return pinhole_of(place, image_from_full @ matrix, size_px, coefficients)
    assert kind is not None
    raise kind.error(f"there is no model {model[:40]!r}; known are {', '.join((*PINHOLES[:-1], *FISHEYES))}")


def _coefficients(root: Field) -> list[float]:
    found = next((root[key] for key in SPELLINGS["D"] if key in root), None)
    if found is None or found.value is None:
        return []
    if "data" in found:
        found = found["data"]
    return found.numbers()


def _rect_from_cam(root: Field) -> SE3:
    found = next((root[key] for key in SPELLINGS["R"] if key in root), None)
    matrix = np.eye(3) if found is None else _matrix(found, 3, 3)
    try:
        return SE3.nearest(np.column_stack([matrix, np.zeros(3)]))
    except CalibrationError as error:
        raise (found or root).error(str(error)) from None


def _matrix(field: Field, rows: int, columns: int) -> F64:
    return (field.get("data") or field).matrix(rows, columns)


def _window(root: Field, full_size_px: tuple[int, int]) -> tuple[F64, tuple[int, int]]:
    """Returns image_from_full (3, 3) of pixels, and the size of the image that is sent."""
    binning = [max(_whole(root, f"binning_{axis}"), 1) for axis in "xy"]
    roi = root.get("roi")
    offset, size = [0, 0], list(full_size_px)
    if roi is not None and _whole(roi, "width") and _whole(roi, "height"):
        offset = [_whole(roi, "x_offset"), _whole(roi, "y_offset")]
        size = [_whole(roi, "width"), _whole(roi, "height")]
        if any(o + s > full for o, s, full in zip(offset, size, full_size_px, strict=True)):
            raise roi.error(f"reaches out of an image of {full_size_px[0]} x {full_size_px[1]} pixels")
    image_from_full = np.eye(3)
    for axis in (0, 1):
        middle = offset[axis] + (binning[axis] - 1) / 2
        image_from_full[axis, axis], image_from_full[axis, 2] = 1 / binning[axis], -middle / binning[axis]
    return image_from_full, root.size_px(size[0] // binning[0], size[1] // binning[1])


def _whole(field: Field, key: str) -> int:
    found = field.get(key)
    number = found.whole() if found else 0
    if number < 0:
        raise field[key].error(f"must not be negative: {number}")
    return number


def _name(root: Field, stem: str) -> str:
    found = root.get("camera_name")
    return found.text() if found and found.value else stem


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, np.ndarray):
        return value.tolist()
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def recognises(path: Path) -> bool:
    """Whether a file looks like a CameraInfo; never raises."""
    if path.suffix.lower() not in (".yaml", ".yml", ".json") or not path.is_file():
        return False
    head = head_of(path)
    own = "opencv-matrix" not in head and "type_id" not in head
    keys = any(f"{key}:" in head or f'"{key}"' in head for key in ("K", "k", "camera_matrix"))
    return own and keys and ("distortion_model" in head or "projection_matrix" in head)


ROS_CAMERA_INFO = RigKind(
    name="ros",
    title="ROS CameraInfo",
    recognises=recognises,
    read=lambda path: Rig.of(cameras=(read_camera_info(path),)),
    ego="the camera's place, x along its view, z up: the file says nothing of the car",
)
