"""Calibration of a camera against a LiDAR with a flat board that both see."""

from calib.board.calibrate import BoardEstimate, BoardResidual, BoardView, calibrate
from calib.board.corners import Corners
from calib.board.description import Board, CharucoBoard, Checkerboard
from calib.board.image import BoardInImage, find_in_image, locate
from calib.board.scan import BoardInScan, find_in_scan

__all__ = [
    "Board",
    "BoardEstimate",
    "BoardInImage",
    "BoardInScan",
    "BoardResidual",
    "BoardView",
    "CharucoBoard",
    "Checkerboard",
    "Corners",
    "calibrate",
    "find_in_image",
    "find_in_scan",
    "locate",
]
