"""A crop as a picture: the points around a box as a flat view sees them."""

from __future__ import annotations

import numpy as np

from calib.types import I64, U8
from fusion.boxes import Box3D
from viewer.scene.colours import ramp
from viewer.scene.views import Flat, Size, to_pixels
from viewer.strip.crops import Crop

PAPER, GROUND, DIM = (16, 18, 23), (58, 62, 72), 0.5
BEYOND_M = 0.6


def crop_picture(crop: Crop, view: Flat, size: Size, box: Box3D, dot_px: int = 2) -> U8:
    """(H, W, 3) RGB: points in the box bright, by their height; those around it dim, the ground grey.

    Args:
        crop: the points.
        view: how they are looked at.
        size: of the picture.
        box: which points are bright.
        dot_px: how large a point is.
    """
    width, height = max(round(size.width_px), 1), max(round(size.height_px), 1)
    made = np.empty((height, width, 3), np.uint8)
    made[:] = PAPER
    box_from_ego, halves = box.ego_from_box.inverse(), box.size_lwh_m / 2
    points_box = box_from_ego @ crop.points.astype(np.float64)
    inside = (np.abs(points_box) <= halves).all(axis=1)
    towards_eye = view.view_from_box.rotation[2]
    near = np.abs(points_box @ towards_eye) <= np.abs(towards_eye) @ halves + BEYOND_M
    share = np.clip((points_box[:, 2] / halves[2] + 1) / 2, 0, 1)
    tints = ramp()[(40 + 200 * share).astype(np.uint8), :3].astype(np.float64)
    tints[~inside] *= DIM
    tints[crop.on_ground] = GROUND
    uv_px, _ = to_pixels(view, size, crop.points)
    # What is in the box is drawn last, over all else.
    rows = np.flatnonzero(near)[np.argsort((inside * 2 - crop.on_ground)[near], kind="stable")]
    _dot(made, np.floor(uv_px[rows]).astype(np.int64), tints[rows].astype(np.uint8), dot_px)
    return made


def _dot(made: U8, at: I64, tints: U8, dot_px: int) -> None:
    height, width = made.shape[:2]
    for across in range(dot_px):
        for down in range(dot_px):
            u, v = at[:, 0] + across, at[:, 1] + down
            shown = (u >= 0) & (u < width) & (v >= 0) & (v < height)
            made[v[shown], u[shown]] = tints[shown]
