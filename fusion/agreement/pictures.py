"""One frame from above with the boxes of two label sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.types import F64, U8, Floats
from fusion.agreement.compared import Compared
from fusion.boxes import Boxes
from fusion.pictures import BACKGROUND, bird_eye


@dataclass(frozen=True, slots=True)
class Style:
    """How one set's boxes are drawn where the two differ.

    Attributes:
        colour: RGB.
        width_px: of the lines of pairs.
        text_down_px: where names stand, so that those of both can be read.
    """

    colour: tuple[int, int, int]
    width_px: int
    text_down_px: int


# Drawn first and wider, the first set shows on both sides of the second where they lie over each other.
STYLE_A, STYLE_B = Style((77, 184, 255), 3, 9), Style((255, 150, 40), 1, -9)
ALONE_PX = 2
NO_POINTS = np.empty((0, 3), dtype=np.float32)
NEAREST_M, FURTHEST_M = 20.0, 120.0
ID_LENGTH = 8
# The base of a box, and from its middle through its front.
BASE = np.array([[1, 1, 0], [1, -1, 0], [-1, -1, 0], [-1, 1, 0], [1, 1, 0]]) / 2
NOSE = np.array([[0, 0, 0], [0.7, 0, 0]])


def top_view(compared: Compared, frame_ns: int, points_ego: Floats = NO_POINTS, size_px: int = 900) -> U8:
    """The first set's boxes in blue, the second's in orange; thick and named where the two differ.

    Args:
        compared: the two sets.
        frame_ns: which frame.
        points_ego: (N, 3) of that frame.
        size_px: width and height of the picture.

    Returns:
        (size, size, 3) uint8 RGB, driving direction up.
    """
    rows = np.flatnonzero(compared.frames_ns == frame_ns)
    differ = compared.differing[rows]
    reach_m = compared.range_m[rows][differ] if differ.any() else compared.range_m[rows]
    range_m = float(np.clip(reach_m.max(initial=0) + 8, NEAREST_M, FURTHEST_M))
    grey = np.full((len(points_ego), 3), 95, dtype=np.uint8)
    canvas = bird_eye(points_ego, (), range_m, size_px, colours=grey)
    px_per_m = size_px / (2 * range_m)
    for row, loud in zip(rows[np.argsort(differ)], np.sort(differ), strict=True):
        alone = not compared.units.paired[row]
        for columns, place, style in (
            (compared.a, compared.units.a[row], STYLE_A),
            (compared.b, compared.units.b[row], STYLE_B),
        ):
            if place >= 0:
                name = f"{columns.categories[place]} {columns.track_ids[place][:ID_LENGTH]}" if loud else ""
                box = columns.boxes.take(np.array([place]))
                _draw(canvas, box, px_per_m, style, ALONE_PX if alone else style.width_px, name)
    return canvas


def _draw(canvas: U8, box: Boxes, px_per_m: float, style: Style, width_px: int, name: str) -> None:
    import cv2

    middle, ego_from_box = len(canvas) / 2, box.dst_from_box[0]

    def pixels(places: F64) -> F64:
        ego = ego_from_box @ (places * box.sizes_lwh_m[0])
        return np.column_stack([middle - ego[:, 1] * px_per_m, middle - ego[:, 0] * px_per_m])

    soft = tuple(round(0.55 * c + 0.45 * d) for c, d in zip(style.colour, BACKGROUND, strict=True))
    shade, width_px = (style.colour, width_px) if name else (soft, 1)
    for line in (BASE, NOSE):
        fixed = np.round(pixels(line) * 16).astype(np.int32)[:, None, :]
        cv2.polylines(canvas, [fixed], False, shade, width_px, cv2.LINE_AA, shift=4)
    if name:
        right, low = pixels(BASE).max(axis=0)
        at = (round(right) + 3, round(low) + style.text_down_px)
        cv2.putText(canvas, name, at, cv2.FONT_HERSHEY_SIMPLEX, 0.38, shade, 1, cv2.LINE_AA)
