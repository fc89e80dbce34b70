"""Views that a camera did not take: straight onto a board, and without distortion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from calib.board.description import Board
from calib.cameras import CameraModel, Pinhole
from calib.se3 import SE3
from calib.types import F64, U8, Floats

LARGEST_PX, HALF_VIEW_RAD = 1200, np.radians(48)
TURNS_RAD = [
    (0.0, 0.0),
    *((yaw, pitch) for pitch in (0.0, -0.7, 0.7) for yaw in (-1.0, 0.0, 1.0) if yaw or pitch),
]


@dataclass(frozen=True, eq=False, slots=True)
class FrontView:
    """A board seen straight from the front, its whole outline.

    Attributes:
        board: the board.
        grey: (H, W) uint8.
        per_m: pixels a metre.
    """

    board: Board
    grey: U8
    per_m: float

    def pixels(self, points_board: Floats) -> F64:
        """(N, 2) where (N, 3) points of the board are in the view."""
        half = np.array([self.board.width_m, self.board.height_m]) / 2
        return np.asarray((points_board[:, :2] + half) * self.per_m - 0.5)

    def places(self, uv_px: Floats) -> F64:
        """(N, 3) points of the board that (N, 2) pixels of the view show."""
        half = np.array([self.board.width_m, self.board.height_m]) / 2
        return np.column_stack([(uv_px + 0.5) / self.per_m - half, np.zeros(len(uv_px))])


def front_view(grey: U8, board: Board, cam_from_board: SE3, model: CameraModel) -> FrontView:
    """The board as it is in an image, about as large as it is there; black outside of the image."""
    seen = model.project(cam_from_board @ board.corners_board).uv_px.reshape(
        board.rows - 1, board.columns - 1, 2
    )
    side_px = float(np.nanmedian(np.linalg.norm(np.diff(seen, axis=1), axis=2)))
    longest_m = max(board.width_m, board.height_m)
    per_m = float(np.clip(1.2 * side_px / board.square_m, 12 / board.square_m, LARGEST_PX / longest_m))
    size = (round(board.height_m * per_m), round(board.width_m * per_m))
    view = FrontView(board, np.zeros(size, dtype=np.uint8), per_m)
    rows, columns = np.indices(size)
    places = view.places(np.column_stack([columns.ravel(), rows.ravel()]))
    uv_px = model.project(cam_from_board @ places).uv_px
    return FrontView(board, _sampled(grey, uv_px, size), per_m)


def virtual_views(grey: U8, model: CameraModel) -> Iterator[tuple[U8, Pinhole, SE3]]:
    """Undistorted views that together cover what a camera sees: image, model and `cam_from_view`.

    The middle comes first; a view that holds little of the image is left out.
    """
    focal_px = float(np.clip(model.plain.fx_px, 200.0, 1000.0))
    half_px = round(focal_px * np.tan(HALF_VIEW_RAD))
    view = Pinhole(focal_px, focal_px, half_px - 0.5, half_px - 0.5, 2 * half_px, 2 * half_px)
    rows, columns = np.indices((2 * half_px, 2 * half_px))
    rays = view.ray(np.column_stack([columns.ravel(), rows.ravel()]))
    for yaw_rad, pitch_rad in TURNS_RAD:
        cam_from_level = SE3.from_rotation_vector((0.0, yaw_rad, 0.0))
        level_from_view = SE3.from_rotation_vector((pitch_rad, 0.0, 0.0))
        cam_from_view = cam_from_level @ level_from_view
        projection = model.project(cam_from_view.rotate(rays))
        if projection.visible.mean() > 0.2:
            uv_px = np.where(projection.visible[:, None], projection.uv_px, np.nan)
            yield _sampled(grey, uv_px, (2 * half_px, 2 * half_px)), view, cam_from_view


def _sampled(grey: U8, uv_px: F64, size: tuple[int, int]) -> U8:
    import cv2

    places = np.nan_to_num(uv_px, nan=-10.0).clip(-10, 30_000).astype(np.float32).reshape(*size, 2)
    return np.asarray(cv2.remap(grey, places[..., 0], places[..., 1], cv2.INTER_CUBIC), dtype=np.uint8)
