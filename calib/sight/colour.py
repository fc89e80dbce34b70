"""Colours for points, each from the camera that sees it best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calib.cameras import CameraModel
from calib.errors import CalibrationError
from calib.project import VisiblePoints
from calib.types import I32, U8, Floats, kernel_view

UNSEEN = 128
LARGEST_BYTES = 2**31 - 64

U32 = NDArray[np.uint32]


@dataclass(frozen=True, eq=False, slots=True)
class View:
    """What one image shows of a cloud.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        model: of the camera.
        seen: the points to colour: what `only_visible` has left, so that nothing gets the colour of what
            hides it.

    Raises:
        CalibrationError: the image has not the size that the model is for.
    """

    image: U8
    model: CameraModel
    seen: VisiblePoints

    def __post_init__(self) -> None:
        wanted = (self.model.height_px, self.model.width_px, 3)
        if self.image.shape != wanted or self.image.dtype != np.uint8:
            got = f"{self.image.shape} of {self.image.dtype}"
            raise CalibrationError(f"the image of a view needs shape {wanted} of uint8, not {got}")


def colour_points(count: int, views: Sequence[View]) -> tuple[U8, I32]:
    """Colours of the points of a cloud, each from the view that shows it best.

    Best is where the image has most pixels to the radian, counted near its axis, times a factor that falls
    to nothing at the border; the first view where two are as good.

    Args:
        count: points in the cloud.
        views: of the cloud, each with the points it really sees.

    Returns:
        (N, 3) uint8 RGB, bilinear between pixels, grey where no view shows the point; and (N,) int32 which
        view the colour is from, -1 for none.
    """
    from calib.sight import _kernels

    colours, camera = np.full((count, 3), UNSEEN, dtype=np.uint8), np.full(count, -1, dtype=np.int32)
    best = np.zeros(count, dtype=np.float32)
    for number, view in enumerate(views):
        index = np.ascontiguousarray(view.seen.index, dtype=np.int32)
        uv_px = kernel_view(view.seen.uv_px, 2, np.float64)
        scales = 2 / view.model.width_px, 2 / view.model.height_px
        chosen = (index, uv_px, pixels_per_rad(view.model), number, best, colours, camera)
        _kernels.take_colours(*_pixels(view.image), *scales, *chosen)
    return colours, camera


def sample_colours(image: U8, uv_px: Floats) -> U8:
    """(M, 3) colours of an RGB image at (M, 2) pixels, bilinear; beyond the border that of the border.

    Raises:
        CalibrationError: the image has more than 2 ** 31 bytes.
    """
    from calib.sight import _kernels

    pixels = kernel_view(uv_px, 2, np.float64)
    colours = np.empty((len(pixels), 3), dtype=np.uint8)
    _kernels.sample(*_pixels(image), pixels, colours)
    return colours


def pixels_per_rad(model: CameraModel) -> float:
    """Resolution near the axis of the lens."""
    return float(np.sqrt(model.plain.fx_px * model.plain.fy_px))


def _pixels(image: U8) -> tuple[U32, int, float, float]:
    """The bytes of an image as overlapping words of four, one byte apart; the bytes of a row; its last
    column and its last row. An image of a single row or column gets it twice, so that pixels have neighbours.
    """
    if image.size > LARGEST_BYTES:
        raise CalibrationError(f"an image of {image.size} bytes is too large to take colours from")
    short = [(0, max(0, 2 - size)) for size in image.shape[:2]]
    whole = np.ascontiguousarray(
        np.pad(image, [*short, (0, 0)], "edge") if min(image.shape[:2]) < 2 else image
    )
    words: U32 = np.ndarray((whole.size - 3,), np.dtype("<u4"), whole.data, strides=(1,))
    words.flags.writeable = False
    height, width = whole.shape[:2]
    return words, 3 * width, float(width - 1), float(height - 1)
