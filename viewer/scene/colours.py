"""What the colour of a point says."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import cache

import numpy as np

from calib.types import F32, F64, U8, Floats
from fusion.boxes import Boxes
from fusion.overlap import points_in_boxes
from viewer.frames.cache import Cloud

LOWEST_M, HIGHEST_M = -0.2, 3.5
FARTHEST_M = 80.0
# What of a colour map stands out before a dark background.
BRIGHT = {"turbo": (0.09, 0.93), "viridis": (0.18, 1.0), "plasma": (0.18, 1.0)}
GREY, DIM = (150, 155, 165, 255), 0.5
BRIGHTEST, LOWEST = 0.98, 0.05


class ColourBy(StrEnum):
    """What the colour of a point says."""

    HEIGHT = "height"
    INTENSITY = "intensity"
    RING = "ring"
    TIME = "time"
    DISTANCE = "distance"
    CAMERA = "camera pixel"
    LABEL = "label"
    UNLABELLED = "not in any box"


@cache
def ramp(name: str = "turbo") -> U8:
    """(256, 4) uint8 of one of matplotlib's colour maps."""
    from matplotlib import colormaps

    colours = (255 * colormaps[name](np.linspace(*BRIGHT.get(name, (0, 1)), 256))).round().astype(np.uint8)
    colours.flags.writeable = False
    return np.asarray(colours)


def colours_of(
    cloud: Cloud, by: ColourBy, boxes: Boxes | None = None, looks: Sequence[tuple[int, int, int]] = ()
) -> U8:
    """(N, 4) uint8 of the points of a frame; `boxes` and their colours where labels decide.

    By camera pixel it is what `fusion.sight.colour_cloud` says, and nobody calls this.
    """
    count = len(cloud.points)
    if by in (ColourBy.LABEL, ColourBy.UNLABELLED):
        return _by_label(cloud, by, boxes or Boxes.stack([]), looks)
    if by is ColourBy.INTENSITY:
        top = float(np.quantile(cloud.intensity, BRIGHTEST)) if count else 1.0
        return _ramped(np.sqrt(np.maximum(cloud.intensity, 0) / max(top, 1e-9)), "viridis")
    if by is ColourBy.RING:
        return _ramped((cloud.ring * 37 % 64) / 63.0, "hsv")
    if by is ColourBy.TIME:
        span = np.ptp(cloud.offset_ns) if count else 0
        return _ramped((cloud.offset_ns - cloud.offset_ns.min(initial=0)) / max(float(span), 1.0), "plasma")
    if by is ColourBy.DISTANCE:
        return _ramped(np.hypot(cloud.points[:, 0], cloud.points[:, 1]) / FARTHEST_M)
    return _ramped((_heights(cloud) - LOWEST_M) / (HIGHEST_M - LOWEST_M))


def _heights(cloud: Cloud) -> F32:
    """(N,) above the ground, or where nobody knows above the car's; without any ground, above the lowest."""
    known, z_m = np.isfinite(cloud.above_m), cloud.points[:, 2]
    if len(z_m) and not known.any():
        z_m = z_m - np.quantile(z_m, LOWEST).astype(np.float32)
    return np.where(known, cloud.above_m, z_m)


def dimmed(colours: U8, which: np.ndarray) -> U8:
    """The same with some points darker."""
    made = colours.copy()
    made[which, :3] = (made[which, :3] * DIM).astype(np.uint8)
    return made


def _ramped(values: Floats | F64, name: str = "turbo") -> U8:
    """Colours of values from 0 to 1; what lies beyond is as its end."""
    return np.asarray(ramp(name)[(np.clip(np.nan_to_num(values), 0, 1) * 255).astype(np.uint8)])


def _by_label(cloud: Cloud, by: ColourBy, boxes: Boxes, looks: Sequence[tuple[int, int, int]]) -> U8:
    made = np.tile(np.array(GREY, np.uint8), (len(cloud.points), 1))
    inside = points_in_boxes(cloud.points, boxes)
    if by is ColourBy.LABEL:
        made = dimmed(made, np.ones(len(made), dtype=np.bool_))
        for mine, colour in zip(inside, looks, strict=True):
            made[mine, :3] = colour
        return made
    labelled = np.zeros(len(made), dtype=np.bool_)
    for mine in inside:
        labelled[mine] = True
    made[~labelled & ~cloud.on_ground, :3] = (255, 170, 40)
    return dimmed(made, labelled | cloud.on_ground)
