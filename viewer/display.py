"""What of the data is shown, and how."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from viewer.frames.merge import Merge
from viewer.scene.colours import ColourBy


class Ground(StrEnum):
    """What becomes of the points on the ground."""

    SHOWN = "shown"
    DIMMED = "dimmed"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Display:
    """What of the data is shown, and how.

    Attributes:
        colour_by: what the colour of a point says.
        point_px: how large points are.
        ground: what becomes of the points on it.
        points_in_images: whether images show the points that their cameras see.
        rectangles: whether images show the 2D boxes.
        others: whether boxes are shown that are not selected.
        merge: which other frames are shown with the one.
    """

    colour_by: ColourBy = ColourBy.HEIGHT
    point_px: float = 2.0
    ground: Ground = Ground.DIMMED
    points_in_images: bool = False
    rectangles: bool = False
    others: bool = True
    merge: Merge = Merge.NONE
