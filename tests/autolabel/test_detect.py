"""The learning-free detector on simulated drives with exact truth."""

from dataclasses import replace

import numpy as np
import pytest

from autolabel.detect import DetectConfig, PlainDetector
from autolabel.detect.background import Background
from autolabel.detect.judge import STATES, Judge
from autolabel.detect.movers import Movers
from autolabel.detect.priors import PRIORS
from autolabel.detect.shapes import NAMES
from autolabel.scans import Scans
from autolabel.world import LocalWorld
from calib.types import F64
from fusion.boxes import Box3D, Boxes
from fusion.labels import LabelSet
from fusion.overlap import iou_bev, points_in_boxes
from fusion.simulate import SimulationConfig, simulate, visible_only
from tests.in_memory import in_memory


@pytest.fixture(scope="module")
def drive() -> tuple[Scans, LabelSet]:
    config = SimulationConfig(seed=12, seconds=1.6, rings=48, azimuth_steps=900, cameras=0, style="straight")
    log, truth = simulate(config)
    log = in_memory(log)
    return Scans(LocalWorld.of(log)), visible_only(log, truth)


@pytest.fixture(scope="module")
def detector() -> PlainDetector:
    return PlainDetector()


def true_boxes(drive: tuple[Scans, LabelSet], frame: int, category: str, moving: bool) -> Boxes:
    """Those of at least 30 points within 30 m, in the local world."""
    scans, truth = drive
    boxes = [
        annotation.box
        for track, annotation in truth.at(int(scans.frames_ns[frame]))
        if track.category == category
        and track.attributes["moving"] == moving
        and int(str(annotation.attributes["num_points"])) >= 30
        and np.hypot(*annotation.box.center[:2]) < 30
    ]
    return Boxes.stack(boxes).moved(scans.world.local_from_ego(scans.frames_ns[frame : frame + 1])[0])


def test_parked_cars_are_found_with_their_size_and_direction(
    drive: tuple[Scans, LabelSet], detector: PlainDetector
) -> None:
    true = true_boxes(drive, 8, "car", moving=False)
    found = detector.detect(drive[0], 8)
    best = iou_bev(true, found.boxes).max(axis=1)
    assert len(true) >= 3
    assert np.median(best) > 0.75
    assert (best > 0.5).mean() >= 0.8


def test_people_are_found_and_called_so(drive: tuple[Scans, LabelSet], detector: PlainDetector) -> None:
    near: list[bool] = []
    for frame in range(1, 16, 2):
        true = true_boxes(drive, frame, "pedestrian", moving=True)
        found = detector.detect(drive[0], frame)
        found = found.take(np.flatnonzero(found.scores >= 0.3))
        people = np.array([category == "pedestrian" for category in found.categories])
        places = found.boxes.dst_from_box.translations[people]
        away = true.dst_from_box.translations[:, None] - places[None]
        near += (np.linalg.norm(away, axis=2).min(axis=1) < 0.3).tolist()
    assert len(near) >= 10
    assert np.mean(near) >= 0.75


def test_the_same_scans_give_the_same_boxes(drive: tuple[Scans, LabelSet], detector: PlainDetector) -> None:
    first, again = detector.detect(drive[0], 3), PlainDetector().detect(drive[0], 3)
    assert first.categories == again.categories
    np.testing.assert_array_equal(first.boxes.upright(), again.boxes.upright())
    np.testing.assert_array_equal(first.scores, again.scores)
    assert (np.diff(first.scores) <= 0).all()


def test_what_drives_is_not_taken_for_background(drive: tuple[Scans, LabelSet]) -> None:
    scans, config = drive[0], DetectConfig()
    background = Background.of(scans, config)
    driven, parked = [], []
    for frame in (4, 8, 12):
        scan = scans.at(frame)
        assert scan is not None
        moving = np.zeros(len(scan), dtype=np.bool_)
        moving[background.moving(scan, config)] = True
        boxes, _ = driving_cars(drive, frame, 3)
        driven += [moving[i].mean() for i in points_in_boxes(scan.points, boxes) if len(i)]
        still = true_boxes(drive, frame, "car", moving=False)
        parked += [moving[i].mean() for i in points_in_boxes(scan.points, still) if len(i)]
    assert len(driven) >= 5 and len(parked) >= 10
    assert np.median(driven) > 0.9
    assert np.median(parked) < 0.05


def test_how_fast_things_drive_is_known(drive: tuple[Scans, LabelSet]) -> None:
    scans, config = drive[0], DetectConfig()
    movers = Movers.of(scans, Background.of(scans, config), config)
    off = []
    for frame in (4, 8, 12):
        shapes = movers.shapes.take(movers.of_frame(frame))
        boxes, mps = driving_cars(drive, frame, 5)
        for place, velocity in zip(boxes.dst_from_box.translations, mps, strict=True):
            away = np.linalg.norm(shapes.centers[:, :2] - place[:2], axis=1)
            if away.min() < 2.0:
                wrong = np.linalg.norm(shapes.moved_m[np.argmin(away)] - velocity)
                off.append(wrong / np.linalg.norm(velocity))
    assert len(off) >= 4
    assert max(off) < 0.3


def driving_cars(drive: tuple[Scans, LabelSet], frame: int, least_mps: float) -> tuple[Boxes, F64]:
    """Cars of at least 30 points within 30 m that drive so fast, and (N, 2) how fast, in the local world."""
    scans, truth = drive
    before_ns, now_ns, after_ns = scans.frames_ns[frame - 1 : frame + 2].tolist()
    before, now, after = scans.world.local_from_ego(scans.frames_ns[frame - 1 : frame + 2])
    boxes, speeds = [], []
    for track, annotation in truth.at(now_ns):
        first, last = (track.annotations.get(ns) for ns in (before_ns, after_ns))
        enough = int(str(annotation.attributes["num_points"])) >= 30
        near = np.hypot(*annotation.box.center[:2]) < 30
        if track.category == "car" and enough and near and first and last:
            way = after @ last.box.center - before @ first.box.center
            mps = way[:2] / ((after_ns - before_ns) / 1e9)
            if np.linalg.norm(mps) > least_mps:
                boxes.append(annotation.box)
                speeds.append(mps)
    return Boxes.stack(boxes).moved(now), np.array(speeds).reshape(-1, 2)


def test_scans_that_are_missing_are_stepped_over(drive: tuple[Scans, LabelSet]) -> None:
    log = drive[0].world.log
    fewer = {lidar: [ref for k, ref in enumerate(refs) if k % 4 != 2] for lidar, refs in log.sweeps.items()}
    scans, config = Scans(LocalWorld.of(replace(log, sweeps=fewer))), DetectConfig()
    assert scans.at(2) is None
    detector = PlainDetector()
    assert len(detector.detect(scans, 2)) == 0
    assert len(detector.detect(scans, 3)) >= 5
    movers = Movers.of(scans, Background.of(scans, config), config)
    lived_s = movers.shapes.features[:, NAMES.index("lived_s")]
    assert lived_s.max() > 1.0  # on both sides of several gaps


def test_a_drive_without_scans_has_nothing(drive: tuple[Scans, LabelSet]) -> None:
    log = drive[0].world.log
    scans = Scans(LocalWorld.of(replace(log, sweeps={lidar: [] for lidar in log.sweeps})))
    assert len(PlainDetector().detect(scans, 0)) == 0


def test_nothing_is_left_of_the_background_in_boxes_taken_out(drive: tuple[Scans, LabelSet]) -> None:
    background = Background.of(drive[0], DetectConfig())
    parked = true_boxes(drive, 8, "car", moving=False)
    without = background.without(parked)
    assert sum(len(i) for i in points_in_boxes(background.points, parked)) > 100
    assert sum(len(i) for i in points_in_boxes(without.points, parked)) == 0
    assert (without.flags > 0).sum() < (background.flags > 0).sum()


def test_what_the_judge_says_adds_up_to_its_score() -> None:
    judge, features = Judge.built_in(), np.random.default_rng(1).uniform(0, 3, (6, len(NAMES)))
    moving = np.array([True, False] * 3)
    scores = judge.scores(features, moving)
    assert scores.shape == (6, len(PRIORS))
    for row, state in ((2, 1), (3, 0)):
        for k, prior in enumerate(PRIORS):
            odds = judge.odds[state][k].bias + sum(judge.explain(features[row], bool(state), prior).values())
            assert scores[row, k] == pytest.approx(1 / (1 + np.exp(-odds)))
    assert len(STATES) == len(judge.odds) == 2


def test_boxes_do_not_lie_on_top_of_each_other(
    drive: tuple[Scans, LabelSet], detector: PlainDetector
) -> None:
    found = detector.detect(drive[0], 5)
    assert len(found) >= 10
    ious = iou_bev(found.boxes, found.boxes)
    np.fill_diagonal(ious, 0)
    assert ious.max() < 0.6


def test_a_box_is_upright_and_of_positive_size(
    drive: tuple[Scans, LabelSet], detector: PlainDetector
) -> None:
    found = detector.detect(drive[0], 5)
    assert len(found) >= 10
    assert (found.boxes.sizes_lwh_m > 0.2).all()
    assert np.allclose(found.boxes.dst_from_box.rotations[:, 2, 2], 1)
    assert all(isinstance(box, Box3D) for box in _listed(found.boxes))


def _listed(boxes: Boxes) -> list[Box3D]:
    return [
        Box3D(p, *(float(v) for v in s)) for p, s in zip(boxes.dst_from_box, boxes.sizes_lwh_m, strict=True)
    ]
