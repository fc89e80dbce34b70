"""OpenCV's FileStorage in YAML, JSON or XML: intrinsics under the names that are usual.

OpenCV's own parser is not used: it runs native code on whatever the file says. Pixel centres are whole
numbers. One camera (camera_matrix, K, ...), or several with numbers (M1 and D1, K1, cameraMatrix1, ...);
with R and T, in metres, the second stands where stereoCalibrate says: `cam2_from_cam1`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from calib.cameras import CameraModel
from calib.errors import CalibrationError
from calib.rig import Camera, Rig
from calib.se3 import SE3
from formats.errors import FormatError
from formats.fields import Field, read_json_fields, read_yaml_fields
from formats.files import read_text
from formats.rigs.kind import LOOKING_AHEAD, RigKind, fisheye_of, head_of, pinhole_of

MATRICES = ("camera_matrix", "cameraMatrix", "Camera_Matrix", "intrinsic_matrix", "intrinsics", "K", "M")
COEFFICIENTS = (
    "distortion_coefficients",
    "Distortion_Coefficients",
    "dist_coeffs",
    "distCoeffs",
    "distortion",
    "dist",
    "D",
)
WIDTHS, HEIGHTS = ("image_width", "image_Width", "width"), ("image_height", "image_Height", "height")
SIZES = ("image_size", "imageSize", "frame_size", "size")
FISHEYE_FLAGS = ("fisheye_model", "fisheye", "is_fisheye", "useFisheye")
MODEL_NAMES = ("camera_model", "distortion_model", "model")
FARTHEST_STEREO_M = 20.0
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


def read_opencv(
    path: Path, *, size_px: tuple[int, int] | None = None, ego_from_cam: SE3 = LOOKING_AHEAD
) -> Rig:
    """The cameras of a file.

    Args:
        path: YAML, JSON or XML.
        size_px: width and height of the images, where the file does not tell.
        ego_from_cam: where the first camera sits, which the file does not say.

    Raises:
        FormatError: missing, malformed, without a camera or without the size of its images.
    """
    root = _read_storage(path)
    suffixes = [suffix for suffix in ("", *map(str, range(10))) if _find(root, MATRICES, suffix)]
    if not suffixes:
        raise root.error(f"without a camera matrix under any of the keys {', '.join(MATRICES)}")
    if len(suffixes) > 2:
        raise root.error("more than two cameras, and nothing tells where the third stands")
    places = [ego_from_cam]
    if len(suffixes) == 2:
        cam_from_cam2 = _cam2_from_cam(root).inverse()
        places.append(ego_from_cam @ cam_from_cam2)
    names = [path.stem] if len(suffixes) == 1 else [f"camera{suffix}" for suffix in suffixes]
    models = [_model(root, suffix, size_px) for suffix in suffixes]
    return Rig.of(cameras=tuple(map(Camera, names, places, models)))


def _model(root: Field, suffix: str, given_px: tuple[int, int] | None) -> CameraModel:
    matrix = _find(root, MATRICES, suffix)
    assert matrix is not None
    coefficients = _find(root, COEFFICIENTS, suffix)
    numbers = [] if coefficients is None else _data(coefficients).numbers()
    size_px = given_px or _size_px(root, suffix)
    camera = fisheye_of if _is_fisheye(root, suffix) else pinhole_of
    return camera(matrix, _data(matrix).matrix(3, 3), size_px, numbers)


def _cam2_from_cam(root: Field) -> SE3:
    """How `stereoCalibrate` writes it: `points_cam2 = R points_cam + T`."""
    if "R" not in root or "T" not in root:
        raise root.error("two cameras, but without R and T nothing tells where the second stands")
    turn, offset = _data(root["R"]), _data(root["T"])
    offset_m = np.array(offset.numbers(3))
    if np.linalg.norm(offset_m) > FARTHEST_STEREO_M:
        raise offset.error(f"{np.linalg.norm(offset_m):.0f} m between two cameras: T must be in metres")
    try:
        return SE3.nearest(np.column_stack([turn.matrix(3, 3), offset_m]))
    except CalibrationError as error:
        raise turn.error(str(error)) from None


def _size_px(root: Field, suffix: str) -> tuple[int, int]:
    width, height = _find(root, WIDTHS, suffix), _find(root, HEIGHTS, suffix)
    if width and height:
        return root.size_px(width, height)
    size = _find(root, SIZES, suffix)
    if size is None:
        raise root.error("does not tell the size of its images (image_width and image_height)")
    if "width" in size:
        return size.size_px(size["width"], size["height"])
    numbers = _data(size).numbers(2)
    if any(number != int(number) for number in numbers):
        raise size.error("the size of an image must be whole numbers")
    return size.size_px(int(numbers[0]), int(numbers[1]))


def _is_fisheye(root: Field, suffix: str) -> bool:
    flag = _find(root, FISHEYE_FLAGS, suffix)
    if flag is not None:
        return flag.flag()
    model = _find(root, MODEL_NAMES, suffix)
    return model is not None and model.text().lower() in ("fisheye", "equidistant", "kannala_brandt")


def _find(root: Field, names: tuple[str, ...], suffix: str) -> Field | None:
    """A key with its number; what is not there with a number may stand for all."""
    keys = [
        form for name in names for form in ((f"{name}{suffix}", f"{name}_{suffix}") if suffix else (name,))
    ]
    if suffix and names is not MATRICES:
        keys += names
    return next((found for key in keys if (found := root.get(key)) is not None), None)


def _data(field: Field) -> Field:
    """The numbers of a matrix, checked against its own rows and cols, or of a plain list."""
    if "data" not in field:
        return field
    if "rows" in field and "cols" in field:
        count = field["rows"].whole() * field["cols"].whole()
        field["data"].numbers(count)
    return field["data"]


def _read_storage(path: Path) -> Field:
    if path.suffix.lower() == ".json":
        return read_json_fields(path)
    if path.suffix.lower() == ".xml":
        return Field(path, "", _read_xml(path))
    return read_yaml_fields(path)


def _read_xml(path: Path) -> dict[str, Any]:
    from xml.etree import ElementTree

    text = read_text(path)
    if "<!" in text.replace("<!--", ""):
        raise FormatError(path, "", "refused: it declares entities or a document type")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise FormatError(path, "", f"not XML that can be read: {error}") from None
    if root.tag != "opencv_storage":
        raise FormatError(path, "", f"not an OpenCV storage, but <{root.tag[:40]}>")
    return dict(_xml_values(root))


def _xml_values(element: Any) -> Iterator[tuple[str, Any]]:
    for child in element:
        if len(child):
            yield child.tag, dict(_xml_values(child))
            continue
        text = (child.text or "").strip()
        words = text.split()
        if words and all(NUMBER.fullmatch(word) for word in words):
            numbers = [_number(word) for word in words]
            yield child.tag, numbers[0] if len(numbers) == 1 and child.tag != "data" else numbers
        else:
            yield child.tag, text.strip('"')


def _number(word: str) -> int | float:
    return int(word) if word.lstrip("+-").isdigit() and len(word) < 19 else float(word)


def recognises(path: Path) -> bool:
    """Whether a file looks like an OpenCV storage with a camera; never raises."""
    head = head_of(path) if path.suffix.lower() in (".yaml", ".yml", ".json", ".xml") else ""
    return "opencv-matrix" in head or "<opencv_storage>" in head


OPENCV = RigKind(
    name="opencv",
    title="OpenCV FileStorage",
    recognises=recognises,
    read=read_opencv,
    ego="the first camera's place, x along its view, z up: the file says nothing of the car",
)
