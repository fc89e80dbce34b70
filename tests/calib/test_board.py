"""Boards in images and scans: simulated with exact truth, and a real VLP-16 with a fisheye camera."""

from pathlib import Path

import numpy as np
import pytest

from calib import SE3, CalibrationError, CameraModel, Fisheye
from calib.board import (
    Board,
    BoardInImage,
    BoardView,
    CharucoBoard,
    Checkerboard,
    Corners,
    calibrate,
    find_in_image,
    find_in_scan,
    locate,
)
from calib.board.rectangle import outside, outward
from calib.types import U8
from tests.calib.board_scenes import (
    CHARUCO,
    CHECKER,
    FISHEYE,
    PINHOLE,
    Scene,
    SpinningLidar,
    board_poses,
    scanned,
    scenes,
    true_ego_from_cam,
)

REAL_CAMERA = Fisheye(
    1176.93, 1177.72, 962.275, 612.725, 1920, 1208, (-0.0540096, -0.0784275, 0.0959641, -0.0515253)
)
REAL_BOARD = Checkerboard(8, 6, 0.095, 0.85, 0.61)


def corner_view(
    cam_from_board: SE3, ego_from_cam: SE3, rings: int, random: np.random.Generator, sigma_px: float = 0.1
) -> BoardView:
    """A view whose corners are given with noise, not found in a picture."""
    ego_from_board = ego_from_cam @ cam_from_board
    points_ego, ring = scanned(SpinningLidar.of_rings(rings), CHECKER, ego_from_board, random)
    in_scan = find_in_scan(points_ego, CHECKER, ring=ring, expected_ego=ego_from_board.translation)
    uv_px = PINHOLE.project(cam_from_board @ CHECKER.corners_board).uv_px
    noisy = Corners(np.arange(len(uv_px)), uv_px + random.normal(0, sigma_px, uv_px.shape))
    in_image = locate(CHECKER, noisy, PINHOLE)
    assert in_scan is not None
    assert in_image is not None
    return BoardView(in_image, in_scan)


def corner_views(count: int, rings: int, seed: int) -> tuple[list[BoardView], SE3]:
    random = np.random.default_rng(seed)
    ego_from_cam = true_ego_from_cam(random)
    poses = board_poses(count, PINHOLE, CHECKER, random)
    return [
        corner_view(cam_from_board, ego_from_cam, rings, random) for cam_from_board in poses
    ], ego_from_cam


def error(ego_from_cam: SE3 | None, ego_from_true_cam: SE3) -> tuple[float, float]:
    """Degrees and centimetres."""
    assert ego_from_cam is not None
    cam_from_true_cam = ego_from_cam.inverse() @ ego_from_true_cam
    angle = np.linalg.norm(cam_from_true_cam.rotation_vector_rad)
    return float(np.degrees(angle)), float(100 * np.linalg.norm(cam_from_true_cam.translation))


@pytest.mark.parametrize(
    ("model", "board"), [(PINHOLE, CHECKER), (FISHEYE, CHECKER), (PINHOLE, CHARUCO), (FISHEYE, CHARUCO)]
)
def test_pictures_and_scans_of_two_boards_give_the_camera(model: CameraModel, board: Board) -> None:
    random = np.random.default_rng(100)
    ego_from_cam = true_ego_from_cam(random)
    views = []
    for scene in scenes(2, model, board, SpinningLidar.of_rings(64), ego_from_cam, random):
        in_image = find_in_image(scene.image, board, model)
        in_scan = find_in_scan(scene.points_ego, board, ring=scene.ring)
        assert in_image is not None
        assert in_scan is not None
        assert_corners(in_image, scene, model, ego_from_cam)
        views.append(BoardView(in_image, in_scan))
    found = calibrate(views)
    assert found.accepted, found.reason
    deg, cm = error(found.ego_from_cam, ego_from_cam)
    assert deg < 0.3
    assert cm < 2.0


def assert_corners(found: BoardInImage, scene: Scene, model: CameraModel, ego_from_cam: SE3) -> None:
    cam_from_board = ego_from_cam.inverse() @ scene.ego_from_board
    corners = found.board.corners_board
    off_px = [
        np.linalg.norm(
            found.corners.uv_px - model.project(cam_from_board @ named[found.corners.ids]).uv_px, axis=1
        )
        for named in ([corners] if found.board.half_turn_shows else [corners, corners[::-1]])
    ]
    assert len(found.corners) >= 0.8 * len(corners)
    assert min(np.sqrt(np.mean(off**2)) for off in off_px) < 0.08


def test_ten_poses_and_64_rings_place_the_camera_to_a_tenth_of_a_degree_and_a_centimetre() -> None:
    views, ego_from_cam = corner_views(10, 64, seed=101)
    found = calibrate(views)
    assert found.accepted, found.reason
    deg, cm = error(found.ego_from_cam, ego_from_cam)
    assert deg < 0.1
    assert cm < 1.0
    assert max(residual.left_out_rad for residual in found.residuals) < np.radians(0.1)


def test_a_start_that_is_far_off_changes_nothing() -> None:
    views, ego_from_cam = corner_views(3, 16, seed=102)
    alone = calibrate(views)
    given = calibrate(views, ego_from_cam @ SE3.from_rotation_vector((0.05, -0.1, 0.05), (0.1, -0.1, 0.1)))
    assert alone.ego_from_cam is not None
    assert given.ego_from_cam is not None
    assert alone.ego_from_cam.is_close(given.ego_from_cam, 1e-4)


def test_one_view_needs_a_pose_to_start_from() -> None:
    views, ego_from_cam = corner_views(1, 64, seed=103)
    assert "at least two" in calibrate(views).reason
    assert "at least two" in calibrate([]).reason
    deg, cm = error(calibrate(views, ego_from_cam).ego_from_cam, ego_from_cam)
    assert deg < 1.0
    assert cm < 5.0


def test_parallel_boards_are_said_to_be_weak() -> None:
    random = np.random.default_rng(104)
    ego_from_cam = true_ego_from_cam(random)
    turn = SE3.from_rotation_vector((0.0, 0.0, 0.8))
    poses = [SE3(turn.rotation, (x, 0.0, z)) for x, z in ((-0.6, 2.5), (0.5, 3.0), (0.0, 2.2))]
    found = calibrate([corner_view(cam_from_board, ego_from_cam, 16, random) for cam_from_board in poses])
    assert any("parallel" in words for words in found.weak)


def test_a_view_whose_board_moved_between_image_and_scan_is_named() -> None:
    views, _ = corner_views(4, 64, seed=105)
    random = np.random.default_rng(1)
    moved = SE3.from_rotation_vector((0.0, 0.0, 0.15), (0.25, 0.1, 0.0))
    first = views[0].in_scan
    points_ego, ring = scanned(SpinningLidar.of_rings(64), CHECKER, moved @ first.ego_from_board, random)
    other = find_in_scan(points_ego, CHECKER, ring=ring)
    assert other is not None
    found = calibrate([BoardView(views[0].in_image, other, "moved"), *views[1:]])
    assert not found.accepted
    assert "'moved'" in found.reason or "too little" in found.reason


def test_nothing_is_found_where_no_board_is() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (480, 640), dtype=np.uint8)
    assert find_in_image(noise, CHECKER, Fisheye(300.0, 300.0, 319.5, 239.5, 640, 480)) is None
    assert find_in_scan(np.zeros((0, 3)), CHECKER) is None
    assert find_in_scan(np.full((500, 3), np.nan), CHECKER) is None
    assert find_in_scan(np.random.default_rng(0).normal(0, 5, (3000, 3)), CHECKER) is None


@pytest.mark.parametrize(
    "made",
    [
        lambda: Checkerboard(2, 6, 0.1, 0.9, 0.7),
        lambda: Checkerboard(8, 6, -0.1, 0.9, 0.7),
        lambda: Checkerboard(8, 6, 0.1, 0.7, 0.7),
        lambda: Checkerboard(8, 6, 0.1, 0.9, np.nan),
        lambda: CharucoBoard(6, 4, 0.1, 0.9, 0.7, marker_m=0.1),
        lambda: CharucoBoard(6, 4, 0.1, 0.9, 0.7, marker_m=0.05, dictionary="__class__"),
        lambda: CharucoBoard(20, 20, 0.03, 0.9, 0.7, marker_m=0.02, dictionary="DICT_4X4_50"),
    ],
)
def test_boards_that_cannot_be_are_errors(made: object) -> None:
    with pytest.raises(CalibrationError):
        made()  # type: ignore[operator]


def test_distance_from_an_outline_and_its_gradient() -> None:
    random = np.random.default_rng(0)
    places = random.uniform(-1, 1, (200, 2))
    assert outside(np.array([[0.5, 0.0], [0.0, 0.4], [0.8, 0.8]]), 1.0, 0.8).tolist() == pytest.approx(
        [0, 0, 0.5]
    )
    steps = np.eye(2) * 1e-6
    numeric = [(outside(places + step, 1.0, 0.8) - outside(places - step, 1.0, 0.8)) / 2e-6 for step in steps]
    assert np.abs(np.column_stack(numeric) - outward(places, 1.0, 0.8)).max() < 1e-5


def read_image(path: Path) -> U8:
    import cv2

    return np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), dtype=np.uint8)


def test_a_real_rig_agrees_with_its_published_calibration(shared_data: Path) -> None:
    root = shared_data / "calib_board"
    views = []
    for name in ("pose1", "pose4", "pose7"):
        cloud = np.loadtxt(root / "pcd" / f"{name}_full.pcd", skiprows=11)
        in_image = find_in_image(read_image(root / "images" / f"{name}.jpg"), REAL_BOARD, REAL_CAMERA)
        in_scan = find_in_scan(cloud[:, :3], REAL_BOARD, ring=cloud[:, 4].astype(np.int64))
        assert in_image is not None
        assert in_scan is not None
        assert in_image.residual_px < 0.4
        assert in_scan.outline_m < 0.01
        views.append(BoardView(in_image, in_scan, name))
    found = calibrate(views)
    assert found.accepted, found.reason
    assert max(residual.plane_m for residual in found.residuals) < 0.02
    assert max(residual.outline_m for residual in found.residuals) < 0.008
    published = np.loadtxt(root / "calibration_quickstart.csv", delimiter=",", skiprows=1)
    off = (euler_and_place(found.ego_from_cam) - published.mean(axis=0)) / published.std(axis=0)
    assert np.abs(off).max() < 1.6


def euler_and_place(ego_from_cam: SE3 | None) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    assert ego_from_cam is not None
    angles = Rotation.from_matrix(ego_from_cam.rotation).as_euler("ZYX")[::-1]
    return np.concatenate([angles, ego_from_cam.translation])
