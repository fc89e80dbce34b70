"""Corners of a pattern: found in an image, put in order, measured again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.board.description import Board, CharucoBoard
from calib.board.views import FrontView
from calib.cameras import CameraModel
from calib.se3 import SE3
from calib.types import F64, U8, Bools

WINDOW = 0.33  # half window of the second measurement, in squares
FARTHEST = 0.2  # that a corner may move in it, in squares


@dataclass(frozen=True, eq=False, slots=True)
class Corners:
    """Inner corners of a pattern that were found.

    Attributes:
        ids: (K,) which, row by row from the top left.
        uv_px: (K, 2) where.
    """

    ids: np.ndarray
    uv_px: F64

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, mask: np.ndarray) -> Corners:
        """Those under a mask."""
        return Corners(self.ids[mask], self.uv_px[mask])


def charuco_corners(grey: U8, board: Board) -> Corners | None:
    """Corners of a ChArUco board, each known by the markers beside it; some may be missing."""
    import cv2

    assert isinstance(board, CharucoBoard)
    detector = cv2.aruco.CharucoDetector(board.drawing())
    best = None
    for scale in (1, 2):
        larger = grey if scale == 1 else cv2.resize(grey, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        found, ids, _, _ = detector.detectBoard(larger)
        count = 0 if ids is None else len(ids)
        if count > (0 if best is None else len(best)):
            pixels = (np.asarray(found, dtype=np.float64).reshape(-1, 2) + 0.5) / scale - 0.5
            best = Corners(np.asarray(ids, dtype=np.intp).ravel(), pixels)
        if count == (board.columns - 1) * (board.rows - 1):
            break
    return best


def checkerboard_corners(grey: U8, board: Board) -> Corners | None:
    """All corners of a checkerboard (Duda and Frese, 2018), rows to the right and columns downwards."""
    import cv2

    size = (board.columns - 1, board.rows - 1)
    found, pixels = cv2.findChessboardCornersSB(grey, size, flags=cv2.CALIB_CB_NORMALIZE_IMAGE)
    if not found:
        return None
    grid = np.asarray(pixels, dtype=np.float64).reshape(board.rows - 1, board.columns - 1, 2)
    return Corners(np.arange(size[0] * size[1]), _right_and_down(grid).reshape(-1, 2))


def _right_and_down(grid: F64) -> F64:
    """A grid of pixels so that it is no mirror image and its rows run to the right."""
    along, across = (
        grid[:, -1].mean(axis=0) - grid[:, 0].mean(axis=0),
        grid[-1].mean(axis=0) - grid[0].mean(axis=0),
    )
    if along[0] * across[1] - along[1] * across[0] < 0:
        grid, across = grid[::-1], -across
    return grid if along[0] >= 0 else grid[::-1, ::-1]


def turned(board: Board, corners: Corners) -> Corners:
    """The corners of a checkerboard named as if it were turned: half way round, a quarter if it is square."""
    grid = np.arange((board.columns - 1) * (board.rows - 1)).reshape(board.rows - 1, board.columns - 1)
    other = np.rot90(grid) if board.columns == board.rows else grid[::-1, ::-1]
    return Corners(other.ravel()[corners.ids], corners.uv_px)


def is_upright(view: FrontView) -> bool:
    """Whether the squares of a checkerboard that should be black are darker than the others."""
    board = view.board
    row, column = np.indices((board.rows, board.columns)).reshape(2, -1)
    middles = np.column_stack([column - (board.columns - 1) / 2, row - (board.rows - 1) / 2]) * board.square_m
    places = np.column_stack([middles + board.offset_m, np.zeros(len(middles))])
    at = np.round(view.pixels(places)).astype(int)
    shades = view.grey[at[:, 1].clip(0, view.grey.shape[0] - 1), at[:, 0].clip(0, view.grey.shape[1] - 1)]
    black = (row + column) % 2 == 0
    return bool(shades[black].mean() < shades[~black].mean())


def remeasured(view: FrontView, corners: Corners, cam_from_board: SE3, model: CameraModel) -> Corners:
    """Measures corners again where neither lens nor perspective bends the edges that meet in them.

    Those that move far, or that cannot be measured, are left out.
    """
    import cv2

    board = view.board
    expected = view.pixels(board.corners_board[corners.ids])
    margin = (
        (board.square_m - board.marker_m) / 2 / board.square_m if isinstance(board, CharucoBoard) else 1.0
    )
    half = max(round(min(WINDOW, 0.9 * margin) * board.square_m * view.per_m), 2)
    low, high = half + 2, np.array(view.grey.shape[::-1]) - half - 3
    inside: Bools = np.all((expected > low) & (expected < high), axis=1)
    corners, expected = corners.take(inside), expected[inside]
    if len(corners) == 0:
        return corners
    ending = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 40, 1e-3)
    start = expected.astype(np.float32).reshape(-1, 1, 2)
    measured = cv2.cornerSubPix(view.grey, start, (half, half), (-1, -1), ending)
    pixels = np.asarray(measured, dtype=np.float64).reshape(-1, 2)
    near: Bools = np.linalg.norm(pixels - expected, axis=1) < FARTHEST * board.square_m * view.per_m
    uv_px = model.project(cam_from_board @ view.places(pixels)).uv_px
    return Corners(corners.ids, uv_px).take(np.asarray(near & np.isfinite(uv_px).all(axis=1)))
