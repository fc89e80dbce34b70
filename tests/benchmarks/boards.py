"""How exactly boards place a camera: `python -m tests.benchmarks.boards`.

Simulated boards with exact truth, seeds from 100 on: corners with 0.1 px of noise, or whole pictures; a LiDAR
with 1 cm of noise a point, scanned before walls, floor, a person and a cupboard. Nothing was
set on these seeds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib import SE3, CameraModel
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
    step = error_of(found.ego_from_cam, ego_from_cam)
    return Trial(step, step / np.sqrt(np.diag(found.uncertainty.covariance)), len(views))


def error_of(ego_from_cam: SE3, ego_from_true_cam: SE3) -> F64:
    """(6,) the correction that leads from the truth to the result."""
    cam_from_true_cam = ego_from_cam.inverse() @ ego_from_true_cam
    return np.concatenate([cam_from_true_cam.rotation_vector_rad, cam_from_true_cam.translation])


def report(name: str, trials: list[Trial], count: int) -> None:
    """One line of the table."""
    steps, sigmas = np.array([one.step for one in trials]), np.array([one.sigmas for one in trials])
    deg = np.degrees(np.linalg.norm(steps[:, :3], axis=1))
    cm = 100 * np.linalg.norm(steps[:, 3:], axis=1)
    seen = np.mean([one.found for one in trials]) / count
    one, two = np.nanmean(np.abs(sigmas) < 1), np.nanmean(np.abs(sigmas) < 1.96)
    line = f"{name:34s} {count:3d} | {np.nanmedian(deg):.3f} {np.nanmedian(cm):5.2f} | "
    line += f"{np.nanpercentile(deg, 95):.3f} {np.nanpercentile(cm, 95):5.2f} | "
    print(line + f"{one:.0%} / {two:.0%} | {seen:.0%} | {len(trials)}", flush=True)


def main() -> None:
    """Prints the table."""
    print(
        "camera, board, rings             poses | deg    cm  | 95 %: deg cm | within 1/1.96 | found | trials"
    )
    for name, model in (("pinhole", PINHOLE), ("fisheye", FISHEYE)):
        for rings in (16, 64):
            lidar = SpinningLidar.of_rings(rings)
            for count, trials in ((3, 40), (5, 30), (10, 20)):
                done = [trial(model, CHECKER, lidar, count, 100 + k) for k in range(trials)]
                report(f"{name}, corners, {rings}", done, count)
    for name, model, board in (
        ("pinhole, checkerboard", PINHOLE, CHECKER),
        ("fisheye, ChArUco", FISHEYE, CHARUCO),
    ):
        done = [trial(model, board, SpinningLidar.of_rings(64), 5, 100 + k, pictures=True) for k in range(3)]
        report(f"{name} pictures, 64", done, 5)


if __name__ == "__main__":
    main()
