"""Refinement on exact scenes: it finds the mount again, and says no where it cannot."""

from dataclasses import replace

import numpy as np
import pytest

from calib import SE3, CalibrationError, Fisheye
from calib.refine import (
    BoxPairs,
    Clicks,
    RefineOptions,
    alignment,
    alignments,
    image_edges,
    perturbation_share,
    refine,
)
from calib.refine.cost import Cost
from calib.refine.result import pixel_spread
from tests.calib.plates import EGO_FROM_CAM, MODEL, corners, disturbed, error_of, plates_of, scene

LENS = Fisheye(300.0, 300.0, 319.5, 179.5, 640, 360, (0.01, -0.003, 0.0005, 0.0))


@pytest.fixture(scope="module")
def views():
    return [scene(seed) for seed in range(8)]


@pytest.fixture(scope="module")
def refined(views):
    return refine(views, disturbed(EGO_FROM_CAM, 1), seed=4)


def test_a_disturbed_mount_is_found_again(refined):
    turn_deg, shift_cm = error_of(EGO_FROM_CAM, refined.ego_from_cam)
    assert refined.accepted, refined.reason
    assert turn_deg < 0.04
    assert shift_cm < 2.0


def test_what_it_says_of_itself_holds_together(refined):
    given_cam_from_found_cam = refined.ego_from_given_cam.inverse() @ refined.ego_from_found_cam
    cam_from_given_cam = SE3.from_rotation_vector(refined.correction[:3], refined.correction[3:])
    assert cam_from_given_cam.inverse().is_close(given_cam_from_found_cam, 1e-9)
    assert (refined.half_width(0.95) > 1.9 * refined.sigma).all()
    assert np.linalg.eigvalsh(refined.covariance).min() > 0
    assert refined.evidence.score_found > refined.evidence.score_given
    assert refined.evidence.share > 0.99
    assert "views agree" in refined.reason
    assert refined.weakest.split(" traded")[0] in ("pitch", "yaw", "roll", "sideways place", "height") or (
        refined.weakest.startswith("place along the view")
    )


def test_near_things_show_a_shift_more_than_far_ones(refined):
    assert refined.pixels(MODEL, 10.0) > refined.pixels(MODEL, 30.0) > 0


def test_a_turn_that_is_not_known_means_pixels():
    covariance = np.diag([0, np.radians(0.1) ** 2, 0, 0, 0, 0])
    expected_px = MODEL.fx_px * np.radians(0.1)
    assert expected_px < pixel_spread(covariance, MODEL, 10.0) < 1.6 * expected_px


def test_the_same_seed_gives_the_same_bytes(views):
    answers = [refine(views[:6], disturbed(EGO_FROM_CAM, 2), seed=7) for _ in range(2)]
    assert answers[0].correction.tobytes() == answers[1].correction.tobytes()
    assert answers[0].covariance.tobytes() == answers[1].covariance.tobytes()


def test_rotation_only_leaves_the_place(views):
    given = disturbed(EGO_FROM_CAM, 3, shift_m=0.0)
    answer = refine(views, given, RefineOptions(rotation_only=True), seed=1)
    assert answer.accepted, answer.reason
    assert (answer.correction[3:] == 0).all()
    assert error_of(EGO_FROM_CAM, answer.ego_from_cam)[0] < 0.04
    assert (answer.sigma[3:] == 0).all()


def test_any_camera_model_serves():
    views = [scene(100 + seed, LENS) for seed in range(6)]
    answer = refine(views, disturbed(EGO_FROM_CAM, 5), seed=2)
    turn_deg, shift_cm = error_of(EGO_FROM_CAM, answer.ego_from_cam)
    assert answer.accepted, answer.reason
    assert turn_deg < 0.08
    assert shift_cm < 3.0


def refused(answer, given):
    assert not answer.accepted
    assert answer.ego_from_cam is given
    return answer.reason


def test_too_few_places_are_refused(views):
    given = disturbed(EGO_FROM_CAM, 6)
    assert "too few" in refused(refine(views[:3], given), given)
    assert "8 usable views of 1 places" in refused(refine([views[0]] * 8, given), given)
    assert "too few" in refused(refine([], given), given)


@pytest.mark.parametrize("seed", range(2))
def test_images_of_other_scenes_are_refused(views, seed):
    others = np.roll(np.arange(len(views)), 3 + seed)
    wrong = [replace(view, field=views[k].field) for view, k in zip(views, others, strict=True)]
    given = disturbed(EGO_FROM_CAM, seed)
    refused(refine(wrong, given, seed=seed), given)


def test_images_without_texture_are_refused(views):
    rng, given = np.random.default_rng(0), disturbed(EGO_FROM_CAM, 1)
    noise = [image_edges(rng.integers(0, 255, (360, 640), dtype=np.uint8)) for _ in views]
    refused(refine([replace(v, field=f) for v, f in zip(views, noise, strict=True)], given), given)
    even = image_edges(np.full((360, 640), 80, np.uint8))
    refused(refine([replace(v, field=even, neutral=np.zeros(2)) for v in views], given), given)


def test_a_mount_further_off_than_the_search_is_refused_or_found(views):
    given = disturbed(EGO_FROM_CAM, 9, turn_deg=5.0, shift_m=0.5)
    answer = refine(views, given)
    assert not answer.accepted or error_of(EGO_FROM_CAM, answer.ego_from_cam)[0] < 0.1


def test_the_right_mount_agrees_better_than_its_neighbours(views):
    assert perturbation_share(views, EGO_FROM_CAM) > 0.99
    assert perturbation_share(views, disturbed(EGO_FROM_CAM, 11)) < 0.95
    away = alignments(views, EGO_FROM_CAM, np.array([[0, 0, 0, 0, 0, 0], [0, 0.02, 0, 0, 0, 0.0]]))
    assert away.shape == (2, len(views))
    assert (away[0] > away[1]).all()
    assert alignment(views, EGO_FROM_CAM) == pytest.approx(away[0].mean())


def test_a_correction_moves_the_camera_as_its_name_says(views):
    """Score of a correction is the score of the mount `ego_from_given_cam @ given_cam_from_cam`."""
    correction = np.array([0.004, -0.003, 0.002, 0.03, -0.02, 0.01])
    cam_from_given_cam = SE3.from_rotation_vector(correction[:3], correction[3:])
    ego_from_cam = EGO_FROM_CAM @ cam_from_given_cam.inverse()
    assert alignments(views, EGO_FROM_CAM, correction[None]).mean() == pytest.approx(
        alignment(views, ego_from_cam), abs=1e-9
    )


def pixels_of(points_ego):
    return MODEL.project(EGO_FROM_CAM.inverse() @ points_ego).uv_px


def highest(cost, rng):
    from calib.refine.search import climb

    place = climb(cost, np.zeros(6), np.array([0.01] * 3 + [0.05] * 3), 20, rng)
    return climb(cost, place, np.array([0.001] * 3 + [0.01] * 3), 10, rng)


def found_mount(ego_from_given_cam, correction):
    cam_from_given_cam = SE3.from_rotation_vector(correction[:3], correction[3:])
    return ego_from_given_cam @ cam_from_given_cam.inverse()


def test_clicks_alone_lead_to_the_mount():
    rng, given = np.random.default_rng(8), disturbed(EGO_FROM_CAM, 8)
    points_ego = np.column_stack([rng.uniform(4, 20, 40), rng.uniform(-3, 3, 40), rng.uniform(0, 3, 40)])
    clicks = Clicks(pixels_of(points_ego), points_ego, sigma_px=0.5)
    cost = Cost([], given, RefineOptions(), MODEL, clicks)
    turn_deg, shift_cm = error_of(EGO_FROM_CAM, found_mount(given, highest(cost, rng)))
    assert turn_deg < 0.1
    assert shift_cm < 2.0


def test_labelled_boxes_alone_lead_to_the_mount():
    rng, given = np.random.default_rng(9), disturbed(EGO_FROM_CAM, 10)
    plates = np.concatenate([plates_of(np.random.default_rng(seed)) for seed in (1, 2, 3)])
    thick = np.array([np.concatenate([corners(p), corners(p) + np.array([1.5, 0, 0])]) for p in plates])
    uv_px = pixels_of(thick.reshape(-1, 3)).reshape(-1, 8, 2)
    boxes = BoxPairs(thick, np.concatenate([uv_px.min(axis=1), uv_px.max(axis=1)], axis=1), sigma_px=0.5)
    cost = Cost([], given, RefineOptions(), MODEL, None, boxes)
    turn_deg, shift_cm = error_of(EGO_FROM_CAM, found_mount(given, highest(cost, rng)))
    assert turn_deg < 0.1
    assert shift_cm < 3.0


def test_options_and_helps_that_cannot_be_are_refused():
    with pytest.raises(CalibrationError):
        RefineOptions(turn_rad=0.0)
    with pytest.raises(CalibrationError):
        RefineOptions(shift_m=float("nan"))
    with pytest.raises(CalibrationError, match="as many pixels"):
        Clicks(np.zeros((2, 2)), np.zeros((3, 3)))
    with pytest.raises(CalibrationError, match="not finite"):
        Clicks(np.full((2, 2), np.nan), np.zeros((2, 3)))
    with pytest.raises(CalibrationError, match="shape"):
        BoxPairs(np.zeros((2, 7, 3)), np.zeros((2, 4)))


def test_exact_clicks_make_the_answer_surer(views, refined):
    rng = np.random.default_rng(12)
    points_ego = np.column_stack([rng.uniform(4, 20, 60), rng.uniform(-3, 3, 60), rng.uniform(0, 3, 60)])
    clicks = Clicks(pixels_of(points_ego), points_ego, sigma_px=0.2, sigma_m=0.002)
    helped = refine(views, refined.ego_from_given_cam, seed=4, clicks=clicks)
    assert helped.accepted, helped.reason
    assert (helped.sigma < refined.sigma).all()
    assert (
        np.abs(error_of(EGO_FROM_CAM, helped.ego_from_cam)) < error_of(EGO_FROM_CAM, refined.ego_from_cam)
    ).all()
