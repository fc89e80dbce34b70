"""Scores of labels whose errors are known."""

import json
from dataclasses import replace

import numpy as np
import pytest

from calib.errors import CrosslabelError
from calib.rig import Lidar, Rig
from calib.se3 import SE3
from fusion.boxes import Box3D
from fusion.categories import Kind
from fusion.evaluate import evaluate
from fusion.labels import Annotation, LabelSet, Track
from fusion.log import DriveLog, SweepRef
from fusion.sweep import Sweep
from fusion.trajectory import Trajectory

SIZE = (4.0, 2.0, 1.5)


def track(id: str, places, category: str = "Car", yaw_rad: float = 0.0, size=SIZE, first: int = 0) -> Track:
    boxes = (Box3D.upright([*place, 0.0], size, yaw_rad) for place in places)
    return Track.of(id, category, [Annotation(first + t, box) for t, box in enumerate(boxes)])


def test_the_truth_itself_is_perfect() -> None:
    truth = LabelSet.of([track("a", [(10, 0), (11, 0)]), track("b", [(30, 5)], "Pedestrian")])
    evaluation = evaluate(truth, truth)
    overall = evaluation.overall
    assert (overall.truth, overall.labels, overall.matched, overall.id_switches) == (3, 3, 3, 0)
    assert overall.mean_iou == pytest.approx(1)
    assert (overall.recall_70, overall.precision_50, overall.mota_50, overall.flips) == (1, 1, 1, 0)
    assert set(evaluation.by_kind) == {Kind.CAR, Kind.PEDESTRIAN}


def test_known_errors_come_back() -> None:
    truth = LabelSet.of([track("a", [(10, 0)])])
    labels = LabelSet.of([track("x", [(11, 0)], yaw_rad=np.pi, size=(4.0, 2.0, 1.8))])
    score = evaluate(labels, truth).overall
    shared, total = 3 * 2 * 1.5, 4 * 2 * 1.5 + 4 * 2 * 1.8
    assert score.mean_iou == pytest.approx(shared / (total - shared))
    assert score.center_m == pytest.approx(1)
    assert score.size_m == pytest.approx(0.3)
    assert (score.flips, score.yaw_rad) == (1, pytest.approx(0))


def test_what_is_missed_counts_as_zero_and_what_is_invented_costs_precision() -> None:
    truth = LabelSet.of([track("a", [(10, 0)]), track("b", [(40, 0)])])
    labels = LabelSet.of([track("x", [(10, 0)]), track("y", [(70, 0)]), track("z", [(90, 0)])])
    score = evaluate(labels, truth).overall
    assert (score.mean_iou, score.mean_iou_matched) == (pytest.approx(0.5), pytest.approx(1))
    assert (score.recall_50, score.precision_50) == (0.5, pytest.approx(1 / 3))
    assert score.mota_50 == pytest.approx(1 - 3 / 2)


def test_boxes_that_do_not_touch_pair_up_when_near_and_after_all_that_do() -> None:
    truth = LabelSet.of([track("a", [(10, 0)]), track("b", [(10, 2.5)])])
    labels = LabelSet.of([track("x", [(10, 0.5)]), track("y", [(10, -2.0)])])
    score = evaluate(labels, truth, fallback_m=3.0).overall
    assert score.matched == 1
    assert (
        evaluate(
            LabelSet.of([labels.tracks["y"]]), LabelSet.of([truth.tracks["a"]]), fallback_m=3.0
        ).overall.matched
        == 1
    )
    assert (
        evaluate(
            LabelSet.of([labels.tracks["y"]]), LabelSet.of([truth.tracks["a"]]), fallback_m=1.0
        ).overall.matched
        == 0
    )


def test_kinds_are_compared_and_not_names() -> None:
    truth = LabelSet.of([track("a", [(10, 0)], "Van")])
    assert evaluate(LabelSet.of([track("x", [(10, 0)], "Car")]), truth).overall.matched == 1
    other = evaluate(LabelSet.of([track("x", [(10, 0)], "Truck")]), truth)
    assert (other.overall.matched, other.by_kind[Kind.CAR].truth, other.by_kind[Kind.TRUCK].labels) == (
        0,
        1,
        1,
    )


def test_a_switch_of_identity_counts_once_even_across_a_gap() -> None:
    truth = LabelSet.of([track("a", [(10 + t, 0) for t in range(6)])])
    first, second = track("x", [(10, 0), (11, 0)]), track("y", [(14, 0), (15, 0)], first=4)
    score = evaluate(LabelSet.of([first, second]), truth).overall
    assert score.id_switches == 1
    assert score.mota_50 == pytest.approx(1 - (2 + 0 + 1) / 6)


def test_two_labels_that_swap_places_switch_twice() -> None:
    truth = LabelSet.of([track("a", [(10, 0)] * 4), track("b", [(10, 8)] * 4)])
    labels = LabelSet.of(
        [track("x", [(10, 0)] * 2 + [(10, 8)] * 2), track("y", [(10, 8)] * 2 + [(10, 0)] * 2)]
    )
    assert evaluate(labels, truth).overall.id_switches == 2


def test_only_the_frames_asked_for_count() -> None:
    truth = LabelSet.of([track("a", [(10, 0), (11, 0), (12, 0)])])
    labels = LabelSet.of([track("x", [(10, 0), (14, 0), (12, 0)])])
    assert evaluate(labels, truth, leave_out_ns=[1]).overall.mean_iou == pytest.approx(1)
    assert evaluate(labels, truth, frames=[1]).overall.recall_50 == 0


def test_labels_where_the_truth_says_nothing_count_only_when_asked_for() -> None:
    truth, labels = LabelSet.of([track("a", [(10, 0)])]), LabelSet.of([track("x", [(10, 0), (10, 0)])])
    assert evaluate(labels, truth).overall.precision_50 == 1
    assert evaluate(labels, truth, frames=[0, 1]).overall.precision_50 == 0.5


def test_what_is_far_away_counts_for_nobody() -> None:
    truth = LabelSet.of([track("a", [(10, 0)]), track("far", [(80, 0)])])
    labels = LabelSet.of([track("x", [(10, 0)]), track("y", [(80, 0)]), track("z", [(95, 0)])])
    score = evaluate(labels, truth, max_range_m=50).overall
    assert (score.truth, score.labels, score.precision_50) == (1, 1, 1)


def test_unsure_labels_can_be_left_out() -> None:
    truth = LabelSet.of([track("a", [(10, 0)])])
    sure, unsure = track("x", [(10, 0)]), track("y", [(50, 0)])
    labels = LabelSet.of([sure, unsure.with_annotations([replace(unsure.annotations[0], score=0.2)])])
    assert evaluate(labels, truth).overall.precision_50 == 0.5
    assert evaluate(labels, truth, min_score=0.5).overall.precision_50 == 1


def test_a_truth_without_points_is_neither_found_nor_missed() -> None:
    truth = LabelSet.of([track("a", [(10, 0)]), track("hidden", [(40, 0)])])
    points = np.tile(np.array([[10.0, 0.2, 0.1]], np.float32), (7, 1))
    log = log_with(points)
    labels = LabelSet.of([track("x", [(10, 0)]), track("y", [(40, 0)])])
    score = evaluate(labels, truth, log, min_points=5).overall
    assert (score.truth, score.labels, score.recall_50) == (1, 1, 1)
    assert evaluate(labels, truth, log, min_points=8).overall.truth == 0
    with pytest.raises(CrosslabelError, match="needs the log"):
        evaluate(labels, truth, min_points=5)


def log_with(points) -> DriveLog:
    ref = SweepRef("lidar", 0, lambda: Sweep("lidar", 0, points))
    rig = Rig.of((Lidar("lidar", SE3.identity()),))
    return DriveLog("one", rig, Trajectory.standing([0]), np.array([0]), {"lidar": (ref,)})


def test_empty_sets_have_no_score_and_make_valid_json() -> None:
    evaluation = evaluate(LabelSet(), LabelSet())
    assert np.isnan(evaluation.overall.mean_iou)
    text = json.dumps(evaluation.as_dict(), allow_nan=False)
    assert json.loads(text)["overall"]["mean_iou"] is None


def test_everything_missed() -> None:
    score = evaluate(LabelSet(), LabelSet.of([track("a", [(10, 0)])])).overall
    assert (score.mean_iou, score.recall_50, score.mota_50) == (0, 0, 0)
    assert np.isnan(score.precision_50)


def test_the_order_of_tracks_says_nothing() -> None:
    rng = np.random.default_rng(3)
    truth = [track(str(n), rng.uniform(0, 30, (5, 2))) for n in range(6)]
    labels = [track(f"l{n}", rng.uniform(0, 30, (5, 2))) for n in range(6)]
    there = evaluate(LabelSet.of(labels), LabelSet.of(truth)).overall
    back = evaluate(LabelSet.of(labels[::-1]), LabelSet.of(truth[::-1])).overall
    assert there.as_dict() == pytest.approx(back.as_dict())
