"""Images of one camera to files, as they were taken or without the distortion of the lens."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np

from calib.cameras import CameraModel, Pinhole
from calib.rig import Camera
from calib.types import F32, U8
from formats.errors import FormatError
from formats.images import image_size_px, write_rgb
from fusion.log import ImageRef

COPIED_ENDINGS = {".jpg": "jpg", ".jpeg": "jpg", ".png": "png"}


class ImageWriter:
    """Writes the images of one camera.

    Files of JPEG and PNG are copied byte for byte; images that have no such file are written as PNG.
    With `undistort` the images of a camera whose model is more than a pinhole are resampled to what the
    pinhole that agrees with it near its axis would see, and written as JPEG.
    """

    def __init__(self, camera: Camera, hard_links: bool, undistort: bool) -> None:
        self._hard_links = hard_links
        self._size_px = (camera.model.width_px, camera.model.height_px)
        self._from_px: tuple[F32, F32] | None = None
        self.camera = camera
        if undistort and not _is_plain(camera.model):
            plain = camera.model.plain
            self._from_px = source_pixels(camera.model, plain)
            self.camera = replace(camera, model=plain)

    def ending(self, ref: ImageRef) -> str:
        """How the file of an image ends."""
        if self._from_px is not None:
            return ".jpg"
        ending = ref.path.suffix.lower() if ref.path else ""
        return ending if ending in COPIED_ENDINGS else ".png"

    def write(self, path: Path, ref: ImageRef) -> None:
        """Writes one image.

        Raises:
            FormatError: its file is missing, no image, or of another size than the camera's.
        """
        if self._from_px is not None:
            write_rgb(path, self._resampled(ref.read(), *self._from_px))
        elif ref.path is not None and ref.path.suffix.lower() in COPIED_ENDINGS:
            self._copy(ref.path, path)
        else:
            write_rgb(path, ref.read())

    def _copy(self, source: Path, path: Path) -> None:
        found_px = image_size_px(source)
        if found_px != self._size_px:
            raise FormatError(source, "", f"the image is {found_px} pixels, its camera has {self._size_px}")
        copy_file(source, path, self._hard_links)

    def _resampled(self, rgb: U8, columns: F32, rows: F32) -> U8:
        import cv2

        return cast(U8, cv2.remap(rgb, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT))


def copy_file(source: Path, path: Path, hard_link: bool) -> None:
    """Copies a file byte for byte, or links it where that is wanted and the file system can.

    Raises:
        FormatError: it cannot be read.
    """
    try:
        if hard_link:
            path.unlink(missing_ok=True)
            with suppress(OSError):
                return os.link(source, path)
        if not _copied_within(source, path):
            shutil.copyfile(source, path)
    except FileNotFoundError:
        raise FormatError(source, "", "no such file") from None


def _copied_within(source: Path, path: Path) -> bool:
    """Copied by the system, which need not hand the content out; False where it could not, or not all."""
    if sys.platform != "linux":
        return False
    with suppress(OSError), source.open("rb", buffering=0) as there, path.open("xb", buffering=0) as here:
        left = size = os.fstat(there.fileno()).st_size
        while left and (done := os.copy_file_range(there.fileno(), here.fileno(), left)):
            left -= done
        return size > 0 and left == 0
    return False


def source_pixels(model: CameraModel, plain: Pinhole) -> tuple[F32, F32]:
    """For every pixel of the plain image (H, W) columns and rows of the taken one; -2 where it is dark."""
    grid = np.mgrid[0 : plain.height_px, 0 : plain.width_px].reshape(2, -1)
    seen = model.project(plain.ray(grid[::-1].T.astype(np.float64)))
    uv_px = np.where(seen.visible[:, None], seen.uv_px, -2.0).astype(np.float32)
    columns, rows = uv_px.T.reshape(2, plain.height_px, plain.width_px)
    return np.ascontiguousarray(columns), np.ascontiguousarray(rows)


def _is_plain(model: CameraModel) -> bool:
    return isinstance(model, Pinhole) and not any(model.distortion)
