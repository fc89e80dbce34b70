"""Calibration boards: what is printed on them and how large they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calib.errors import CalibrationError
from calib.types import F64

if TYPE_CHECKING:
    import cv2


@dataclass(frozen=True)
class Board:
    """A flat rectangular board with a pattern on it.

    Its frame has its origin in the middle of the board, x to the right and y down for who looks at the
    pattern, z away from him.

    Attributes:
        columns: squares of the pattern from left to right.
        rows: squares from top to bottom.
        square_m: side of a square.
        width_m: of the whole board, from left to right.
        height_m: of the whole board.
        offset_m: middle of the pattern in the board's frame, right and down.

    Raises:
        CalibrationError: a pattern of fewer than 3 x 3 squares, or one that is larger than its board.
    """

    columns: int
    rows: int
    square_m: float
    width_m: float
    height_m: float
    offset_m: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        if min(self.columns, self.rows) < 3:
            raise CalibrationError(
                f"a pattern needs at least 3 x 3 squares, not {self.columns} x {self.rows}"
            )
        sizes = np.array([self.square_m, self.width_m, self.height_m, *self.offset_m])
        if not np.isfinite(sizes).all() or not (sizes[:3] > 0).all():
            raise CalibrationError(f"the sizes of a board must be positive and finite: {self}")
        room = np.array([self.width_m, self.height_m]) / 2 - np.abs(self.offset_m)
        if (np.array([self.columns, self.rows]) * self.square_m / 2 > room + 1e-3).any():
            raise CalibrationError(f"the pattern is larger than its board: {self}")

    @property
    def corners_board(self) -> F64:
        """(K, 3) inner corners of the pattern, row by row from the top left."""
        right = (np.arange(1, self.columns) - self.columns / 2) * self.square_m + self.offset_m[0]
        down = (np.arange(1, self.rows) - self.rows / 2) * self.square_m + self.offset_m[1]
        grid = np.stack(np.meshgrid(right, down), axis=-1).reshape(-1, 2)
        return np.column_stack([grid, np.zeros(len(grid))])

    @property
    def outline_board(self) -> F64:
        """(4, 3) corners of the whole board: top left, top right, bottom right, bottom left."""
        half = np.array([self.width_m, self.height_m, 0.0]) / 2
        return half * [[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]

    @property
    def half_turn_shows(self) -> bool:
        """Whether the pattern tells which way up the board is."""
        return (self.columns + self.rows) % 2 == 1


@dataclass(frozen=True)
class Checkerboard(Board):
    """A checkerboard whose top left square is black.

    With an even sum of columns and rows it looks the same upside down; its pattern should then be centred.
    """


@dataclass(frozen=True)
class CharucoBoard(Board):
    """A checkerboard with an ArUco marker in every white square (OpenCV's ChArUco).

    Attributes:
        marker_m: side of a marker.
        dictionary: name of its markers in OpenCV, such as "DICT_5X5_100".
        legacy: drawn by OpenCV before 4.6, where an even number of rows began with a white square.

    Raises:
        CalibrationError: a marker that does not fit its square, or a dictionary that OpenCV has not.
    """

    marker_m: float = 0.0
    dictionary: str = "DICT_5X5_1000"
    legacy: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.marker_m < self.square_m:
            raise CalibrationError(
                f"a marker of {self.marker_m} m does not fit a square of {self.square_m} m"
            )
        self.drawing()

    @property
    def half_turn_shows(self) -> bool:
        """Whether the pattern tells which way up the board is."""
        return True

    def drawing(self) -> cv2.aruco.CharucoBoard:
        """The board as OpenCV knows it."""
        import cv2

        number = getattr(cv2.aruco, self.dictionary, None)
        if not self.dictionary.startswith("DICT_") or not isinstance(number, int):
            raise CalibrationError(f"OpenCV has no markers called {self.dictionary!r}")
        markers = cv2.aruco.getPredefinedDictionary(number)
        if len(markers.bytesList) < self.columns * self.rows // 2:
            raise CalibrationError(
                f"{self.dictionary} has too few markers for {self.columns} x {self.rows} squares"
            )
        drawn = cv2.aruco.CharucoBoard((self.columns, self.rows), self.square_m, self.marker_m, markers)
        drawn.setLegacyPattern(self.legacy)
        return drawn
