"""Images written for KITTI: as they were taken, or without the distortion of the lens."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calib.types import F32, U8
from formats.errors import FormatError
from formats.files import read_bytes, write_bytes
from formats.images import write_rgb
from formats.kitti.view import Frame, View

KINDS = ("png", "jpg", "none")
ENDINGS = (".png", ".jpg", ".jpeg")


def require_kind(path: Path, kind: str) -> None:
    """Raises FormatError where there is no such kind of image."""
    if kind not in KINDS:
        raise FormatError(path, "images", f"{kind!r} is none of {', '.join(KINDS)}")


class PictureWriter:
    """Writes the images of the camera that a view is of."""

    def __init__(self, view: View, kind: str) -> None:
        self.kind = kind
        self._maps = None if view.undistorted or kind == "none" else _undistortion(view)

    def write(self, folder: Path, name: str, frame: Frame) -> None:
        """Writes the image of a frame, if there is one and images are wanted."""
        if frame.image is None or self.kind == "none":
            return
        file = folder / f"{name}.{self.kind}"
        source, rgb = frame.image.path, frame.image.read()
        if self._maps is not None:
            write_rgb(file, _remapped(rgb, self._maps))
        elif source is not None and source.suffix == file.suffix:
            write_bytes(file, read_bytes(source))
        else:
            write_rgb(file, rgb)


def _undistortion(view: View) -> F32:
    """Returns (H, W, 2): where each pixel of the image without distortion is in the camera's own, or -2."""
    v, u = np.mgrid[: view.model.height_px, : view.model.width_px]
    rays = view.model.ray(np.column_stack([u.ravel(), v.ravel()]).astype(np.float64))
    seen = view.camera.model.project(rays)
    uv_px = np.where(seen.visible[:, None], seen.uv_px, -2.0)
    return uv_px.reshape(*u.shape, 2).astype(np.float32)


def _remapped(rgb: U8, maps: F32) -> U8:
    import cv2

    return np.asarray(cv2.remap(rgb, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR), dtype=np.uint8)
