"""Images of a log: read late, checked, always RGB."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np

from calib.types import U8
from formats.errors import FormatError
from formats.files import read_bytes, write_bytes

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_START, JPEG_END, JPEG_SCAN = b"\xff\xd8", b"\xff\xd9", b"\xff\xda"
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD9)})
HEAD_BYTES = 1 << 16


def read_rgb(path: Path, size_px: tuple[int, int] | None = None) -> U8:
    """(H, W, 3) uint8 RGB as the sensor laid it out: an orientation tag is not obeyed.

    Args:
        path: PNG, JPEG or whatever OpenCV reads.
        size_px: width and height that the camera's model is for.

    Raises:
        FormatError: missing, damaged or cut short, or of another size.
    """
    return decoded_rgb(read_bytes(path), path, "", size_px)


def decoded_rgb(content: bytes, path: Path, where: str, size_px: tuple[int, int] | None = None) -> U8:
    """The same of an image that stands somewhere in a file.

    Raises:
        FormatError: damaged or cut short, or of another size; names the file and the place.
    """
    import cv2

    if _cut_short(content):
        raise FormatError(path, where, "the image is cut short")
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        bgr = cv2.imdecode(np.frombuffer(content, dtype=np.uint8), flags)
    except cv2.error:
        bgr = None
    if bgr is None:
        raise FormatError(path, where, "not an image that can be read")
    require_size(bgr, path, where, size_px)
    return cast(U8, cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))


def require_size(pixels: np.ndarray, path: Path, where: str, size_px: tuple[int, int] | None) -> None:
    """Raises FormatError where an image is not as wide and high as its camera sees."""
    if size_px is not None and (pixels.shape[1], pixels.shape[0]) != size_px:
        got, wanted = f"{pixels.shape[1]}x{pixels.shape[0]}", f"{size_px[0]}x{size_px[1]}"
        raise FormatError(path, where, f"the image is {got} pixels, its camera has {wanted}")


def write_rgb(path: Path, rgb: U8, jpeg_quality: int = 95) -> None:
    """Writes (H, W, 3) uint8 RGB as the file's ending says.

    Raises:
        FormatError: it cannot be written.
    """
    import cv2

    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    try:
        quality = [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality] if path.suffix in (".jpg", ".jpeg") else []
        done, content = cv2.imencode(path.suffix, bgr, quality)
    except cv2.error:
        done = False
    if not done:
        raise FormatError(path, "", f"OpenCV writes no images that end in {path.suffix!r}")
    write_bytes(path, content.tobytes())


def image_size_px(path: Path) -> tuple[int, int]:
    """Width and height, from the header where that is quick (PNG, JPEG).

    Raises:
        FormatError: missing or no image.
    """
    size = _size_in(read_bytes(path, HEAD_BYTES)) or _size_in(read_bytes(path))
    if size is None:
        height, width = read_rgb(path).shape[:2]
        return width, height
    return size


def _size_in(content: bytes) -> tuple[int, int] | None:
    if content.startswith(PNG_SIGNATURE) and len(content) >= 24:
        return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    return _jpeg_size(content) if content.startswith(JPEG_START) else None


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Walks the segments to the frame header (ITU T.81, B.2.2)."""
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker in JPEG_FRAMES:
            return int.from_bytes(content[at + 7 : at + 9]), int.from_bytes(content[at + 5 : at + 7])
        bare = marker in JPEG_BARE or marker == 0xFF
        at += (1 if marker == 0xFF else 2) if bare else 2 + int.from_bytes(content[at + 2 : at + 4])
    return None


def _cut_short(content: bytes) -> bool:
    """OpenCV pads a truncated image with grey and says nothing, so the end marks are looked for."""
    if content.startswith(JPEG_START):
        return content.find(JPEG_END, content.rfind(JPEG_SCAN) + 2) < 0
    return content.startswith(PNG_SIGNATURE) and content.rfind(b"IEND") < 0
