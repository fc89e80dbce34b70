"""Poses from clicks: on points of real scans, on every kind of lens, and with clicks that are no good."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib import SE3, CalibrationError, CameraModel, Fisheye, Pinhole
from calib.clicks import Click, solve_clicks, stacked
from calib.estimate import PoseEstimate
from calib.types import F64
from tests.benchmarks.clicks import Errors, Scans, measure, measure_opencv, read_scans

PINHOLE = Pinhole(1000.0, 1005.0, 795.0, 448.0, 1600, 900, (-0.31, 0.11, 0.0006, -0.0004, -0.02))
WIDE = Fisheye(300.0, 301.0, 642.0, 478.0, 1280, 960, (0.05, -0.012, 0.004, -0.001))
LEVEL = SE3(np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]), np.array([1.5, 0.2, 1.6]))


def seen_points(model: CameraModel, count: int, seed: int = 1) -> tuple[F64, F64]:
    """Pixels all over the image and points of the ego frame on their rays, 4 to 40 m away."""
    random = np.random.default_rng(seed)
    pixels = random.uniform((0, 0), (model.width_px - 1, model.height_px - 1), (20 * count, 2))
    rays = model.ray(pixels)
    good = np.flatnonzero(np.isfinite(rays).all(axis=1))[:count]
    return LEVEL @ (rays[good] * random.uniform(4, 40, (count, 1))), pixels[good]


def assert_found(found: PoseEstimate, atol: float) -> None:
    assert found.accepted, found.reason
    assert found.ego_from_cam is not None
    assert found.ego_from_cam.is_close(LEVEL, atol)


@pytest.fixture(scope="module")
def scans(shared_data: Path) -> Scans:
    return read_scans(shared_data / "kitti_camera_lidar")


@pytest.fixture(scope="module")
def twenty_clicks(scans: Scans) -> Errors:
    return measure(scans, 20, 2.0, trials=60)


def test_twenty_clicks_in_real_scans(twenty_clicks: Errors) -> None:
    assert twenty_clicks.refused == 0
    assert np.median(twenty_clicks.rotation_deg) < 0.2
    assert np.median(twenty_clicks.place_cm) < 3.5


def test_weighting_each_click_beats_opencv(scans: Scans, twenty_clicks: Errors) -> None:
    theirs = measure_opencv(scans, 20, 2.0, trials=60)
    assert np.mean(twenty_clicks.rotation_deg**2) < np.mean(theirs.rotation_deg**2)
    assert np.mean(twenty_clicks.place_cm**2) < np.mean(theirs.place_cm**2)


def test_errors_are_as_large_as_the_covariance_says(twenty_clicks: Errors) -> None:
    one, two = twenty_clicks.coverage
    assert 0.58 < one < 0.78
    assert 0.90 < two < 0.99


def test_a_third_of_wrong_clicks_does_little_harm(scans: Scans) -> None:
    found = measure(scans, 20, 2.0, wrong=0.3, trials=30)
    assert found.refused == 0
    assert found.rotation_deg.max() < 1.0
    assert np.median(found.rotation_deg) < 0.26


@pytest.mark.parametrize("model", [PINHOLE, WIDE])
@pytest.mark.parametrize("count", [4, 5, 12])
def test_exact_clicks_give_the_exact_pose(model: CameraModel, count: int) -> None:
    points, pixels = seen_points(model, count, seed=3)
    assert_found(solve_clicks(points, pixels, model, sigma_px=0.1, sigma_m=0.001), 1e-6)


def test_clicks_beyond_a_right_angle_count() -> None:
    back = Fisheye(220.0, 220.0, 639.5, 639.5, 1280, 1280)
    random = np.random.default_rng(2)
    pixels = 639.5 + 390 * np.column_stack([np.cos(np.arange(12)), np.sin(np.arange(12))])
    rays = back.ray(pixels)
    assert (rays[:, 2] < 0).all()
    points = LEVEL @ (rays * random.uniform(4, 20, (12, 1)))
    assert_found(solve_clicks(points, pixels, back, sigma_px=0.1, sigma_m=0.001), 1e-6)


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_residuals_inliers_and_covariance_belong_together(seed: int) -> None:
    points, pixels = seen_points(PINHOLE, 15, seed)
    random = np.random.default_rng(seed)
    pixels = pixels + random.normal(0, 1, pixels.shape)
    pixels[:3] += 200
    found = solve_clicks(points, pixels, PINHOLE, sigma_px=1.0, sigma_m=0.01)
    assert found.accepted, found.reason
    assert found.uncertainty is not None
    assert found.inliers.tolist() == [False] * 3 + [True] * 12
    assert np.linalg.norm(found.residuals_px[3:], axis=1).max() < 8
    assert np.linalg.eigvalsh(found.uncertainty.covariance).min() > 0


def test_more_noise_than_said_widens_the_covariance() -> None:
    points, pixels = seen_points(PINHOLE, 40)
    noise = np.random.default_rng(5).normal(0, 1, pixels.shape)
    quiet = solve_clicks(points, pixels + noise, PINHOLE, sigma_px=1.0, sigma_m=0.0)
    loud = solve_clicks(points, pixels + 2 * noise, PINHOLE, sigma_px=1.0, sigma_m=0.0)
    assert quiet.uncertainty is not None
    assert loud.uncertainty is not None
    assert loud.uncertainty.rotation_rad > 1.4 * quiet.uncertainty.rotation_rad


def line(count: int) -> tuple[F64, F64]:
    points = LEVEL @ np.column_stack([np.linspace(-3, 3, count), np.zeros(count), np.full(count, 9.0)])
    return points, PINHOLE.project(LEVEL.inverse() @ points).uv_px


def patch(count: int) -> tuple[F64, F64]:
    random = np.random.default_rng(0)
    points = LEVEL @ (random.uniform(-0.4, 0.4, (count, 3)) + np.array([0, 0, 30.0]))
    return points, PINHOLE.project(LEVEL.inverse() @ points).uv_px + random.normal(0, 1, (count, 2))


def far_plane(count: int) -> tuple[F64, F64]:
    """A small tilted plane far away: two poses explain it."""
    random = np.random.default_rng(1)
    flat = np.column_stack([random.uniform(-1.5, 1.5, (count, 2)), np.zeros(count)])
    tilt = SE3.from_rotation_vector((0.5, 0.2, 0.0), (0.0, 0.0, 25.0))
    points = LEVEL @ (tilt @ flat)
    return points, PINHOLE.project(LEVEL.inverse() @ points).uv_px + random.normal(0, 1, (count, 2))


def unrelated(count: int) -> tuple[F64, F64]:
    points, pixels = seen_points(PINHOLE, count)
    return points, pixels[::-1].copy()


@pytest.mark.parametrize(
    ("clicks", "word"),
    [
        (seen_points(PINHOLE, 3), "at least 4"),
        ((np.zeros((0, 3)), np.zeros((0, 2))), "at least 4"),
        (line(12), "line"),
        (patch(12), "too little|two different"),
        (far_plane(8), "too little|two different"),
        (unrelated(12), "agree|two different"),
        ((np.ones((6, 3)), np.full((6, 2), 50.0)), "one place"),
        ((np.full((6, 3), np.nan), np.full((6, 2), 50.0)), "0 usable"),
    ],
)
def test_what_tells_no_pose_is_refused_with_a_reason(clicks: tuple[F64, F64], word: str) -> None:
    found = solve_clicks(*clicks, PINHOLE)
    assert not found.accepted
    assert any(part in found.reason for part in word.split("|")), found.reason
    assert len(found.inliers) == len(found.residuals_px) == len(clicks[0])


def test_a_prior_makes_do_with_two_clicks_and_holds_what_they_do_not_tell() -> None:
    ego_from_given_cam = LEVEL @ SE3.from_rotation_vector((0.004, -0.01, 0.002))
    points, pixels = seen_points(PINHOLE, 2)
    sigma = np.array([0.02, 0.02, 0.02, 0.005, 0.005, 0.005])
    found = solve_clicks(
        points, pixels, PINHOLE, ego_from_given_cam, sigma_px=1, sigma_m=0.01, prior_sigma=sigma
    )
    assert found.accepted, found.reason
    assert found.ego_from_cam is not None
    assert found.uncertainty is not None
    angle = (found.ego_from_cam.inverse() @ LEVEL).rotation_vector_rad
    assert np.linalg.norm(angle) < 0.004
    assert (found.uncertainty.sigma_m < 0.0051).all()


def test_a_given_pose_that_does_not_bind_changes_nothing() -> None:
    points, pixels = seen_points(PINHOLE, 12)
    wrong = LEVEL @ SE3.from_rotation_vector((0.2, -0.3, 0.1), (1.0, 0.0, 0.5))
    assert_found(solve_clicks(points, pixels, PINHOLE, wrong, sigma_px=0.1, sigma_m=0.001), 1e-6)


@pytest.mark.parametrize(
    "options", [{"sigma_px": 0.0}, {"sigma_m": -1.0}, {"prior_sigma": np.ones(6)}, {"sigma_px": np.nan}]
)
def test_options_that_cannot_be_are_errors(options: dict[str, float]) -> None:
    with pytest.raises(CalibrationError):
        solve_clicks(*seen_points(PINHOLE, 6), PINHOLE, **options)  # type: ignore[arg-type]
    with pytest.raises(CalibrationError):
        solve_clicks(np.zeros((4, 2)), np.zeros((4, 2)), PINHOLE)


def test_clicks_stack_into_arrays() -> None:
    points, pixels = stacked([Click((1.0, 2.0), (3.0, 4.0, 5.0)), Click((6, 7), (8, 9, 10), "sign")])
    assert points.tolist() == [[3, 4, 5], [8, 9, 10]]
    assert pixels.tolist() == [[1, 2], [6, 7]]
    assert [part.shape for part in stacked([])] == [(0, 3), (0, 2)]
