"""Images of sensor_msgs and Foxglove as RGB: JPEG and PNG, raw pixels, Bayer mosaics."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from calib.types import U8
from formats.errors import FormatError
from formats.images import JPEG_START, PNG_SIGNATURE, decoded_rgb, require_size
from formats.recording.channels import Coding
from formats.recording.chunks import reading
from formats.recording.decode import decoded
from formats.recording.places import Place
from fusion.log import ImageRef

# Bytes a pixel, and what OpenCV calls the way from there to RGB.
ENCODINGS = {
    "rgb8": (3, ""),
    "bgr8": (3, "COLOR_BGR2RGB"),
    "8uc3": (3, "COLOR_BGR2RGB"),
    "rgba8": (4, "COLOR_RGBA2RGB"),
    "bgra8": (4, "COLOR_BGRA2RGB"),
    "8uc4": (4, "COLOR_BGRA2RGB"),
    "mono8": (1, "COLOR_GRAY2RGB"),
    "8uc1": (1, "COLOR_GRAY2RGB"),
    "mono16": (2, "COLOR_GRAY2RGB"),
    "yuv422": (2, "COLOR_YUV2RGB_UYVY"),
    "uyvy": (2, "COLOR_YUV2RGB_UYVY"),
    "yuv422_yuy2": (2, "COLOR_YUV2RGB_YUYV"),
    "yuyv": (2, "COLOR_YUV2RGB_YUYV"),
    "bayer_rggb8": (1, "COLOR_BayerRGGB2RGB"),
    "bayer_bggr8": (1, "COLOR_BayerBGGR2RGB"),
    "bayer_gbrg8": (1, "COLOR_BayerGBRG2RGB"),
    "bayer_grbg8": (1, "COLOR_BayerGRBG2RGB"),
}
MOST_SIDE_PX = 1 << 16


@dataclass(frozen=True, slots=True)
class PictureRule:
    """How the messages of one topic become images.

    Attributes:
        coding: of the messages.
        size_px: width and height that the camera's model is for.
    """

    coding: Coding
    size_px: tuple[int, int]


def read_picture(place: Place, rule: PictureRule, where: str) -> U8:
    """(H, W, 3) uint8 RGB of one message.

    Raises:
        FormatError: damaged, of another size, or in an encoding that is not read.
    """
    with reading(place.path, where):
        message = decoded(rule.coding, place.read(), place.path, where)
        return picture_of(message, place.path, where, rule.size_px)


def picture_of(message: Any, path: Path, where: str, size_px: tuple[int, int] | None = None) -> U8:
    """The same of a message that is decoded."""
    if hasattr(message, "format"):
        return decoded_rgb(bytes(message.data), path, where, size_px)
    pixels = _raw(message, path, where)
    require_size(pixels, path, where, size_px)
    return pixels


def as_sent(ref: ImageRef) -> bytes | None:
    """The file of JPEG or PNG that an image of a recording was sent as; None for any other image.

    Raises:
        FormatError: the message is damaged.
    """
    if not isinstance(ref.load, partial) or ref.load.func is not read_picture:
        return None
    place, rule, where = ref.load.args
    with reading(place.path, where):
        message = decoded(rule.coding, place.read(), place.path, where)
        content = bytes(message.data) if hasattr(message, "format") else b""
        return content if content.startswith((JPEG_START, PNG_SIGNATURE)) else None


def why_not(message: Any) -> str:
    """Why images such as this one cannot be read; empty where they can."""
    if hasattr(message, "format"):
        kind = message.format.lower()
        return f"images in {kind[:40]!r} are not read" if "compresseddepth" in kind else ""
    known = message.encoding.lower() in ENCODINGS
    return "" if known else f"images in {message.encoding[:40]!r} are not read"


def _raw(message: Any, path: Path, where: str) -> U8:
    import cv2

    encoding = message.encoding.lower()
    if encoding not in ENCODINGS:
        raise FormatError(path, where, f"images in {message.encoding[:40]!r} are not read")
    depth, conversion = ENCODINGS[encoding]
    width, height, step = int(message.width), int(message.height), int(message.step)
    step = step or width * depth
    if not (0 < width <= MOST_SIDE_PX and 0 < height <= MOST_SIDE_PX) or step < width * depth:
        raise FormatError(path, where, f"{width} x {height} pixels in rows of {step} bytes cannot be")
    data = memoryview(message.data)
    need = step * (height - 1) + width * depth
    if need > len(data):
        raise FormatError(path, where, f"needs {need} bytes for its pixels and has {len(data)}")
    shape = (height, width) if depth == 1 else (height, width, depth)
    strides = (step, 1) if depth == 1 else (step, depth, 1)
    pixels: Any = np.ndarray(shape, dtype=np.uint8, buffer=data, strides=strides)
    if encoding == "mono16":
        pixels = pixels[:, :, 0 if getattr(message, "is_bigendian", 0) else 1]
    pixels = np.ascontiguousarray(pixels)
    if not conversion:
        return np.array(pixels, dtype=np.uint8)
    try:
        return np.asarray(cv2.cvtColor(pixels, getattr(cv2, conversion)), dtype=np.uint8)
    except cv2.error:
        raise FormatError(path, where, f"{width} x {height} pixels cannot be {encoding}") from None
