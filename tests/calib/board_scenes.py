"""Boards before a camera and a spinning LiDAR, with exact truth: a small renderer and ray caster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib import SE3, CameraModel, Fisheye, Pinhole
from calib.board import Board, CharucoBoard, Checkerboard
from calib.types import F64, U8

FINE, TEXTURE_PER_M = 4, 1000
MARGIN_PX = 30
SLANT = np.cos(np.radians(55))  # boards seen more obliquely are not shown
LEVEL_CAM = SE3(np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]), np.zeros(3))  # looks along x

CHECKER = Checkerboard(8, 6, 0.1, 0.9, 0.7)
CHARUCO = CharucoBoard(6, 4, 0.14, 0.9, 0.7, (0.02, -0.01), marker_m=0.1, dictionary="DICT_4X4_50")
PINHOLE = Pinhole(800.0, 804.0, 636.0, 358.0, 1280, 720, (-0.31, 0.11, 0.0006, -0.0004, -0.02))
FISHEYE = Fisheye(560.0, 561.0, 702.0, 498.0, 1400, 1000, (0.05, -0.012, 0.004, -0.001))


@dataclass(frozen=True)
class SpinningLidar:
    """Rings at fixed elevations, one shot every step of azimuth, Gaussian noise in range."""

    elevations_rad: F64
    step_rad: float
    noise_m: float = 0.01

    @classmethod
    def of_rings(cls, count: int) -> SpinningLidar:
        """16: +-15 deg, as a VLP-16; 64: -24 to +16 deg."""
        low, high = (-15, 15) if count == 16 else (-24, 16)
        return cls(np.radians(np.linspace(low, high, count)), np.radians(0.2 if count == 16 else 0.17))


@dataclass(frozen=True)
class Scene:
    """What both sensors saw of one board."""

    image: U8
    points_ego: F64
    ring: np.ndarray
    ego_from_board: SE3


def true_ego_from_cam(random: np.random.Generator) -> SE3:
    """A camera near the LiDAR that looks ahead, about."""
    ego_from_level_cam = SE3(LEVEL_CAM.rotation, random.uniform(-0.3, 0.3, 3) + np.array([0.2, 0, -0.15]))
    level_cam_from_cam = SE3.from_rotation_vector(random.normal(0, 0.05, 3))
    return ego_from_level_cam @ level_cam_from_cam


def board_poses(count: int, model: CameraModel, board: Board, random: np.random.Generator) -> list[SE3]:
    """`cam_from_board` of boards held like a diamond, tilted up to 55 degrees, all corners in the image."""
    found: list[SE3] = []
    while len(found) < count:
        wide = 0.9 if isinstance(model, Fisheye) else 0.5
        depth_m = random.uniform(1.8, 3.2)
        place = depth_m * np.array([random.uniform(-wide, wide), random.uniform(-0.15, 0.15), 1.0])
        turn = SE3.from_rotation_vector((0, 0, random.uniform(0.4, 1.2)))
        tilt = SE3.from_rotation_vector((*random.uniform(-0.6, 0.6, 2), 0.0))
        cam_from_board = SE3(tilt.rotation @ turn.rotation, place)
        slant = tilt.rotation[:, 2] @ place / np.linalg.norm(place)
        pixels = model.project(cam_from_board @ board.outline_board).uv_px
        if slant > SLANT and ((pixels > 8) & (pixels < (model.width_px - 8, model.height_px - 8))).all():
            found.append(cam_from_board)
    return found


def scenes(
    count: int,
    model: CameraModel,
    board: Board,
    lidar: SpinningLidar,
    ego_from_cam: SE3,
    random: np.random.Generator,
) -> list[Scene]:
    """Several poses of one board, rendered and scanned."""
    made = []
    for cam_from_board in board_poses(count, model, board, random):
        ego_from_board = ego_from_cam @ cam_from_board
        points_ego, ring = scanned(lidar, board, ego_from_board, random)
        made.append(Scene(rendered(model, board, cam_from_board, random), points_ego, ring, ego_from_board))
    return made


def texture(board: Board) -> F64:
    """The board from the front as grey levels, white around the pattern."""
    canvas = np.full((round(board.height_m * TEXTURE_PER_M), round(board.width_m * TEXTURE_PER_M)), 225.0)
    side = round(board.square_m * TEXTURE_PER_M)
    if isinstance(board, CharucoBoard):
        drawn = board.drawing().generateImage((board.columns * side, board.rows * side))
        pattern = np.where(drawn > 127, 225.0, 30.0)
    else:
        row, column = np.indices((board.rows * side, board.columns * side)) // side
        pattern = np.where((row + column) % 2 == 0, 30.0, 225.0)
    left = round((board.width_m / 2 + board.offset_m[0]) * TEXTURE_PER_M) - pattern.shape[1] // 2
    top = round((board.height_m / 2 + board.offset_m[1]) * TEXTURE_PER_M) - pattern.shape[0] // 2
    canvas[top : top + pattern.shape[0], left : left + pattern.shape[1]] = pattern
    return canvas


def rendered(model: CameraModel, board: Board, cam_from_board: SE3, random: np.random.Generator) -> U8:
    """A grey image: a board before a soft background, 16 rays a pixel, blur of 0.6 px, noise of 2 levels."""
    import cv2

    rows, columns = np.indices((model.height_px, model.width_px))
    image = 110 + 40 * np.sin(columns / 90.0) * np.cos(rows / 70.0)
    edge = np.linspace(0, 1, 20)[:, None]
    corners = board.outline_board
    outline = np.concatenate(
        [a + edge * (b - a) for a, b in zip(corners, np.roll(corners, -1, 0), strict=True)]
    )
    pixels = model.project(cam_from_board @ outline).uv_px
    left, top = np.maximum(np.floor(pixels.min(axis=0)).astype(int) - MARGIN_PX, 0)
    right, bottom = np.minimum(
        np.ceil(pixels.max(axis=0)).astype(int) + MARGIN_PX, (model.width_px, model.height_px)
    )
    grid_rows, grid_columns = np.indices((bottom - top, right - left))
    flat = _on_board(
        model, cam_from_board, np.column_stack([(grid_columns + left).ravel(), (grid_rows + top).ravel()])
    )
    flat = flat.reshape(bottom - top, right - left, 2).astype(np.float32)
    fine = (
        (np.arange((right - left) * FINE) + 0.5) / FINE - 0.5,
        (np.arange((bottom - top) * FINE) + 0.5) / FINE - 0.5,
    )
    at_x, at_y = np.meshgrid(*(values.astype(np.float32) for values in fine))
    places = cv2.remap(flat, at_x, at_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    painted = texture(board)
    to_texture = (places + np.float32([board.width_m / 2, board.height_m / 2])) * TEXTURE_PER_M - 0.5
    inside = (np.abs(places) < np.array([board.width_m, board.height_m]) / 2).all(axis=2)
    shade = cv2.remap(painted.astype(np.float32), to_texture[..., 0], to_texture[..., 1], cv2.INTER_LINEAR,
                      borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    coarse_shade = (shade * inside).reshape(bottom - top, FINE, right - left, FINE).mean(axis=(1, 3))
    share = inside.reshape(bottom - top, FINE, right - left, FINE).mean(axis=(1, 3))
    patch = image[top:bottom, left:right]
    image[top:bottom, left:right] = patch * (1 - share) + coarse_shade
    image = cv2.GaussianBlur(image, (0, 0), 0.6) + random.normal(0, 2, image.shape)
    return np.clip(np.round(image), 0, 255).astype(np.uint8)


def _on_board(model: CameraModel, cam_from_board: SE3, pixels: F64) -> F64:
    """(N, 2) places where rays through pixels meet the plane of a board; far away where they do not."""
    board_from_cam = cam_from_board.inverse()
    rays = board_from_cam.rotate(np.nan_to_num(model.ray(pixels.astype(np.float64))))
    along = -board_from_cam.translation[2] / np.where(np.abs(rays[:, 2]) > 1e-6, rays[:, 2], 1e-6)
    places = board_from_cam.translation[:2] + along[:, None] * rays[:, :2]
    return np.where((along > 0)[:, None], np.clip(places, -5, 5), 5.0)


def scanned(
    lidar: SpinningLidar, board: Board, ego_from_board: SE3, random: np.random.Generator
) -> tuple[F64, np.ndarray]:
    """Points and rings of a board on a pole in a hall with a floor, walls, a person and a cupboard."""
    first_rad = random.uniform(0, lidar.step_rad)
    azimuth = np.arange(-np.pi + first_rad, np.pi, lidar.step_rad)
    elevations = np.repeat(lidar.elevations_rad, len(azimuth))
    ring = np.repeat(np.arange(len(lidar.elevations_rad)), len(azimuth))
    around = np.tile(azimuth, len(lidar.elevations_rad))
    rays = np.column_stack(
        [np.cos(elevations) * np.cos(around), np.cos(elevations) * np.sin(around), np.sin(elevations)]
    )
    ranges = _hall(rays)
    away = ego_from_board.translation
    person = away + np.array([0.4, 1.2, 0.0])
    offsets = np.array(
        [
            [-0.15, -0.25, -1.2, 0.15, 0.25, 0.5],
            [1.0, -3.1, -1.5, 1.6, -2.4, 0.6],
            [0.03, -1.22, -1.7, 0.07, -1.18, -0.3],
        ]
    )
    for offset in offsets:
        ranges = np.minimum(ranges, _box(rays, person + offset[:3], person + offset[3:]))
    ranges = np.minimum(ranges, _panel(rays, board, ego_from_board))
    hit = np.isfinite(ranges)
    noisy = ranges[hit] + random.normal(0, lidar.noise_m, hit.sum())
    return rays[hit] * noisy[:, None], ring[hit]


def _panel(rays: F64, board: Board, ego_from_board: SE3) -> F64:
    board_from_ego = ego_from_board.inverse()
    turned, eye = board_from_ego.rotate(rays), board_from_ego.translation
    with np.errstate(divide="ignore", invalid="ignore"):
        along = -eye[2] / turned[:, 2]
        places = eye[:2] + along[:, None] * turned[:, :2]
        inside = (np.abs(places) <= np.array([board.width_m, board.height_m]) / 2).all(axis=1)
    return np.where(inside & (along > 0), along, np.inf)


def _hall(rays: F64) -> F64:
    """Range to floor, ceiling and walls, seen from inside."""
    with np.errstate(divide="ignore"):
        far = np.maximum((np.array([-6, -8, -1.7]) / rays), np.array([12, 7, 3.5]) / rays)
    return far.min(axis=1)


def _box(rays: F64, low: F64, high: F64) -> F64:
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = np.asarray(low) / rays, np.asarray(high) / rays
        enter, leave = np.minimum(a, b).max(axis=1), np.maximum(a, b).min(axis=1)
    return np.where((enter < leave) & (enter > 0), enter, np.inf)
