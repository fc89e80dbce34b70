"""A board in an image: its corners to a fraction of a pixel and its pose before the camera."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from calib.board.corners import Corners, charuco_corners, checkerboard_corners, is_upright, remeasured, turned
from calib.board.description import Board, CharucoBoard
from calib.board.views import front_view, virtual_views
from calib.cameras import CameraModel
from calib.clicks.bearings import Bearings
from calib.clicks.resection import Sighting, best_fits
from calib.se3 import SE3
from calib.types import F64, U8, Floats

LEAST_SIGMA_PX = 0.05  # of a corner; the covariance follows the residuals where they are larger
COARSE_PX = 1.0
FEWEST_CORNERS, LEAST_SHARE = 6, 0.8
REMEASURED = 2
RIVAL = 0.8  # how much worse the second pose of a flat board must fit


@dataclass(frozen=True, eq=False, slots=True)
class BoardInImage:
    """Where one image shows a board.

    Attributes:
        board: what was looked for.
        corners: which corners were found, and where.
        cam_from_board: pose of the board.
        covariance: (6, 6) of a small correction after the pose, in camera axes: rad, then m.
        residual_px: root mean square distance of the corners from where the pose puts them.
    """

    board: Board
    corners: Corners
    cam_from_board: SE3
    covariance: F64
    residual_px: float


def find_in_image(image: U8, board: Board, model: CameraModel) -> BoardInImage | None:
    """Finds a board in an image, however strongly the lens bends it; None where it is not seen.

    The board is looked for in the image as it is, then in views without distortion that together cover it.
    Its corners are then measured again in a view straight onto the board, free of lens and perspective, and
    those are taken that tell the pose better: ChArUco corners are often good as they were found.

    Args:
        image: (H, W) or (H, W, 3) uint8.
        board: what to look for.
        model: how the camera sees.
    """
    import cv2

    grey = np.asarray(image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    for corners in _detections(grey, board, model):
        found = _upright(grey, locate(board, corners, model), model)
        if found is not None:
            return min(found, _remeasured(grey, found, model), key=_doubt)
    return None


def _remeasured(grey: U8, found: BoardInImage, model: CameraModel) -> BoardInImage:
    """The same board from corners that were measured again where it is seen straight from the front."""
    for _ in range(REMEASURED):
        view = front_view(grey, found.board, found.cam_from_board, model)
        corners = remeasured(view, found.corners, found.cam_from_board, model)
        found = locate(found.board, corners, model) or found
    return found


def locate(board: Board, corners: Corners, model: CameraModel) -> BoardInImage | None:
    """The pose of a board from corners of it, at least six; None where no pose in front fits them."""
    bearings = Bearings.of(model, corners.uv_px)
    corners, bearings = corners.take(bearings.usable), bearings.take(bearings.usable)
    if len(corners) < FEWEST_CORNERS:
        return None
    points = board.corners_board[corners.ids]
    fits = best_fits(Sighting(points, bearings, COARSE_PX, 0.0))
    fits = [fit for fit in fits if faces_camera(fit.cam_from_ego)]
    if not fits or fits[0].inliers.mean() < LEAST_SHARE:
        return None
    if len(fits) > 1 and fits[0].cost > RIVAL * fits[1].cost:
        return None
    best = fits[0]
    corners, points = corners.take(best.inliers), points[best.inliers]
    off_px = corners.uv_px - model.project(best.cam_from_ego @ points).uv_px
    sigma_px = np.sqrt(LEAST_SIGMA_PX**2 + np.sum(off_px**2) / max(2 * len(points) - 6, 1))
    covariance = np.linalg.inv(best.information) * (sigma_px / COARSE_PX) ** 2
    residual_px = float(np.sqrt(np.mean(np.sum(off_px**2, axis=1))))
    return BoardInImage(board, corners, best.cam_from_ego, covariance, residual_px)


def _doubt(found: BoardInImage) -> float:
    """How badly the pose is known, from how many corners there are and how well they agree."""
    return float(np.linalg.slogdet(found.covariance)[1])


def faces_camera(cam_from_board: SE3) -> bool:
    """Whether the camera sees the side of a board with the pattern."""
    return float(cam_from_board.rotation[:, 2] @ cam_from_board.translation) > 0


def _detections(grey: U8, board: Board, model: CameraModel) -> Iterator[Corners]:
    """Corners as found in the image, then as found in each undistorted view, in pixels of the image."""
    find = charuco_corners if isinstance(board, CharucoBoard) else checkerboard_corners
    found = find(grey, board)
    if found is not None:
        yield found
    for view, view_model, cam_from_view in virtual_views(grey, model):
        found = find(view, board)
        if found is not None:
            rays = cam_from_view.rotate(view_model.ray(found.uv_px))
            yield Corners(found.ids, model.project(rays).uv_px)


def _upright(grey: U8, found: BoardInImage | None, model: CameraModel) -> BoardInImage | None:
    """The same board the other way up where its colours say so."""
    if found is None or isinstance(found.board, CharucoBoard):
        return found
    if is_upright(front_view(grey, found.board, found.cam_from_board, model)):
        return found
    return locate(found.board, turned(found.board, found.corners), model)


def reprojection(found: BoardInImage, points_board: Floats, model: CameraModel) -> F64:
    """(N, 2) pixels of (N, 3) points of the board."""
    return model.project(found.cam_from_board @ points_board).uv_px
