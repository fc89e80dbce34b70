"""A turn of a camera in words."""

from __future__ import annotations

import numpy as np

from calib.cameras import CameraModel
from calib.drift.turns import Turn
from calib.se3 import SE3
from calib.types import F64

AXES = ("pitch", "yaw", "roll")
# For a positive and a negative turn of `cam_from_given_cam`: what is seen moves up, right, clockwise.
WAYS = (
    ("looks {} degrees further down than before", "looks {} degrees further up than before"),
    ("looks {} degrees further left than before", "looks {} degrees further right than before"),
    ("leans {} degrees further to the left than before", "leans {} degrees further to the right than before"),
)
SURE_SIGMAS = 4.0
SMALLEST_RAD = np.radians(0.1)
FAR_M = 30.0


def main_axis(turn: Turn) -> int:
    """The axis, 0 to 2, about which a turn stands out most from what it is known to."""
    return int(np.argmax(np.abs(turn.turn_rad) / _doubt_rad(turn)))


def in_words(turn: Turn) -> str:
    """Which way the camera looks now, main axis first, then whatever else is sure."""
    size, main = np.abs(turn.turn_rad), main_axis(turn)
    sure = (size > SURE_SIGMAS * turn.sigma_rad) & (size > SMALLEST_RAD)
    others = [int(a) for a in np.argsort(-size / _doubt_rad(turn)) if sure[a] and a != main]
    return ", and ".join(_phrase(turn.turn_rad, axis) for axis in [main, *others])


def _doubt_rad(turn: Turn) -> F64:
    return np.asarray(np.hypot(turn.sigma_rad, SMALLEST_RAD / 2), dtype=np.float64)


def _phrase(turn_rad: F64, axis: int) -> str:
    way = WAYS[axis][0 if turn_rad[axis] > 0 else 1]
    return way.format(f"{np.degrees(abs(turn_rad[axis])):.2f}")


def pixels_moved(model: CameraModel, turn_rad: F64) -> float:
    """By how many pixels what is 30 m away moves in the image, the median over the image."""
    across, down = np.meshgrid(np.linspace(0.05, 0.95, 9), np.linspace(0.05, 0.95, 7))
    uv_px = np.column_stack([across.ravel() * model.width_px, down.ravel() * model.height_px])
    points_given_cam = FAR_M * model.ray(uv_px)
    cam_from_given_cam = SE3.from_rotation_vector(turn_rad)
    moved_px = model.project(cam_from_given_cam @ points_given_cam).uv_px - uv_px
    return float(np.nanmedian(np.linalg.norm(moved_px, axis=1)))
