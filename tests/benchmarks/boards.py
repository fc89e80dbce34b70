"""How exactly boards place a camera: `python -m tests.benchmarks.boards`.

Simulated boards with exact truth, seeds from 100 on: corners with 0.1 px of noise, or whole pictures; a LiDAR
with 1 cm of noise a point, scanned before walls, floor, a person and a cupboard. Nothing was
set on these seeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from calib import CameraModel
from calib.board import (
    Board,
    BoardEstimate,
    BoardView,
    Corners,
    calibrate,
    find_in_image,
    find_in_scan,
    locate,
)
from calib.types import F64
from tests.calib.board_scenes import (
    CHARUCO,
    CHECKER,
    FISHEYE,
    PINHOLE,
    SpinningLidar,
    board_poses,
    rendered,
    scanned,
    true_ego_from_cam,
)

CORNER_PX = 0.1
PICTURES = (
    ("pinhole, checkerboard", PINHOLE, CHECKER),
    ("pinhole, ChArUco", PINHOLE, CHARUCO),
    ("fisheye, checkerboard", FISHEYE, CHECKER),
    ("fisheye, ChArUco", FISHEYE, CHARUCO),
)


@dataclass(frozen=True)
class Trial:
    """One calibration against its truth."""

    step: F64
    sigmas: F64
    found: int


def trial(
    model: CameraModel, board: Board, lidar: SpinningLidar, count: int, seed: int, pictures: bool = False
) -> Trial:
    """Error of one calibration: its six numbers, and the same in its own standard deviations."""
    random = np.random.default_rng(seed)
    ego_from_cam = true_ego_from_cam(random)
    views = []
    for cam_from_board in board_poses(count, model, board, random):
        ego_from_board = ego_from_cam @ cam_from_board
        points_ego, ring = scanned(lidar, board, ego_from_board, random)
        in_scan = find_in_scan(points_ego, board, ring=ring, expected_ego=ego_from_board.translation)
        if pictures:
            in_image = find_in_image(rendered(model, board, cam_from_board, random), board, model)
        else:
            uv_px = model.project(cam_from_board @ board.corners_board).uv_px
            noisy = Corners(np.arange(len(uv_px)), uv_px + random.normal(0, CORNER_PX, uv_px.shape))
            in_image = locate(board, noisy, model)
        if in_image is not None and in_scan is not None:
            views.append(BoardView(in_image, in_scan))
    found: BoardEstimate = calibrate(views)
    if found.ego_from_cam is None or found.uncertainty is None:
        return Trial(np.full(6, np.nan), np.full(6, np.nan), len(views))
    cam_from_true_cam = found.ego_from_cam.inverse() @ ego_from_cam
    step = cam_from_true_cam.vector
    return Trial(step, step / found.uncertainty.sigma, len(views))


def row(name: str, trials: list[Trial], count: int) -> str:
    """One line of the table of docs/calibration.md."""
    steps, sigmas = np.array([one.step for one in trials]), np.array([one.sigmas for one in trials])
    deg = np.degrees(np.linalg.norm(steps[:, :3], axis=1))
    cm = 100 * np.linalg.norm(steps[:, 3:], axis=1)
    sizes = [f"{np.nanpercentile(deg, p):.3f}° / {np.nanpercentile(cm, p):.2f} cm" for p in (50, 95)]
    one, two = np.nanmean(np.abs(sigmas) < 1), np.nanmean(np.abs(sigmas) < 1.96)
    seen = np.mean([one.found for one in trials]) / count
    cells = (name, str(count), str(len(trials)), *sizes, f"{one:.0%} / {two:.0%}", f"{seen:.0%}")
    return "| " + " | ".join(cells) + " |"


def rows() -> Iterator[str]:
    """The table, line by line."""
    yield "| camera, rings | poses | trials | error | 95 % | within 68 / 95 % | boards found |"
    yield "|---|--:|--:|---|---|---|--:|"
    for name, model in (("pinhole", PINHOLE), ("fisheye", FISHEYE)):
        for rings in (16, 64):
            lidar = SpinningLidar.of_rings(rings)
            for count, trials in ((3, 40), (5, 30), (10, 20)):
                done = [trial(model, CHECKER, lidar, count, 100 + k) for k in range(trials)]
                yield row(f"{name}, corners, {rings}", done, count)
    for name, model, board in PICTURES:
        lidar = SpinningLidar.of_rings(64)
        done = [trial(model, board, lidar, 5, 100 + k, pictures=True) for k in range(3)]
        yield row(f"{name} in pictures, 64", done, 5)


def main() -> None:
    """Prints the table."""
    for line in rows():
        print(line, flush=True)


if __name__ == "__main__":
    main()
