"""The learning-free detector on simulated drives with exact truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autolabel.detect import DetectConfig, PlainDetector, _kernels, _shape_kernels
from autolabel.detect.background import Background, Table
from autolabel.detect.clusters import Columns
from autolabel.detect.complete import completed
from autolabel.detect.judge import Judge
from autolabel.detect.priors import PRIORS
from autolabel.detect.shapes import NAMES, shapes_of
from autolabel.scans import Scans
from autolabel.world import LocalWorld
from calib.types import F64
from fusion.boxes import Box3D, Boxes
from fusion.labels import LabelSet
from fusion.overlap import iou_bev, points_in_boxes
from fusion.simulate import SimulationConfig, simulate, visible_only

CAR = PRIORS[0]


@pytest.fixture(scope="module")
def drive() -> tuple[Scans, LabelSet]:
    config = SimulationConfig(seed=12, seconds=1.6, rings=48, azimuth_steps=900, cameras=0, style="straight")
    log, truth = simulate(config)
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
    background, scan = Background.of(scans, config), scans.at(8)
    assert scan is not None
    moving = np.zeros(len(scan), dtype=np.bool_)
    moving[background.moving(scan, config.range_m)] = True
    driven, parked = (true_boxes(drive, 8, "car", moving=flag) for flag in (True, False))
    shares = [moving[i].mean() for i in points_in_boxes(scan.points, driven) if len(i)]
    assert not shares or np.median(shares) > 0.6
    assert np.median([moving[i].mean() for i in points_in_boxes(scan.points, parked)]) < 0.1


def test_nothing_is_left_of_the_background_in_boxes_taken_out(drive: tuple[Scans, LabelSet]) -> None:
    background = Background.of(drive[0], DetectConfig())
    parked = true_boxes(drive, 8, "car", moving=False)
    without = background.without(parked)
    assert sum(len(i) for i in points_in_boxes(background.points, parked)) > 100
    assert sum(len(i) for i in points_in_boxes(without.points, parked)) == 0
    assert (without.flags > 0).sum() < (background.flags > 0).sum()


@settings(deadline=None, max_examples=40)
@given(yaw=st.floats(0, np.pi / 2 - 0.01), length=st.floats(2.5, 8), seed=st.integers(0, 99))
def test_the_angle_of_two_sides_is_found(yaw: float, length: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    side = np.column_stack([rng.uniform(0, length, 80), np.zeros(80)])
    end = np.column_stack([np.zeros(40), rng.uniform(0, 1.8, 40)])
    xy = np.vstack([side, end]) + rng.normal(0, 0.01, (120, 2))
    turned = xy @ np.array([[np.cos(yaw), np.sin(yaw)], [-np.sin(yaw), np.cos(yaw)]])
    found, _ = _shape_kernels.best_yaw(turned, 18, 5, 0.05)
    off = (found - yaw + np.pi / 4) % (np.pi / 2) - np.pi / 4
    assert abs(np.degrees(off)) < 2


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), frames=st.integers(1, 5))
def test_the_table_counts_frames_as_a_dictionary_does(seed: int, frames: int) -> None:
    rng = np.random.default_rng(seed)
    table = Table.of(first=(np.int32, 1), last=(np.int32, 1), count=(np.int32, 1))
    known: dict[tuple[int, ...], list[int]] = {}
    for frame in range(frames):
        points = rng.uniform(-40, 40, (4000, 3)).astype(np.float32)
        points[:, 2] = 0.1
        table.make_room(len(points))
        columns = [table.columns[name] for name in ("first", "last", "count")]
        table.count += _kernels.note_occupied(points, frame, 4.0, 4.0, table.keys, *columns)
        for cell in {tuple(row) for row in np.floor(points * np.float32(4.0)).astype(int).tolist()}:
            known.setdefault(cell, []).append(frame)
    used = table.keys >= 0
    counts = sorted(len(seen) for seen in known.values())
    assert table.count == used.sum() == len(known)
    assert sorted(table.columns["count"][used].tolist()) == counts
    assert sorted(table.columns["first"][used].tolist()) == sorted(seen[0] for seen in known.values())


def block(center: tuple[float, float], size: tuple[float, float], height: float) -> F64:
    x, y = np.meshgrid(np.arange(0, size[0], 0.05), np.arange(0, size[1], 0.05))
    flat = np.column_stack([x.ravel() + center[0], y.ravel() + center[1]])
    return np.vstack([np.column_stack([flat, np.full(len(flat), z)]) for z in np.arange(0.1, height, 0.2)])


def test_columns_keep_apart_what_stands_apart_and_leave_out_what_hangs() -> None:
    hanging = block((0.5, 0.5), (1, 1), 0.6) + np.array([0, 0, 3.0])
    points = np.vstack([block((0, 0), (2, 1), 1.5), block((2.5, 0), (2, 1), 1.5), hanging])
    columns = Columns.of(points, points[:, 2])
    standing = columns.tops_m > 0
    for reach_m, expected in ((0.3, 2), (0.8, 1)):
        groups = columns.groups(standing, np.full(len(standing), reach_m))
        assert len(groups) == expected
        assert sorted(groups.order.tolist()) == sorted(set(groups.order.tolist()))
    assert columns.tops_m.max() < 2.0


def test_a_column_over_nothing_does_not_stand() -> None:
    points = block((0, 0), (1, 1), 0.6) + np.array([0, 0, 2.5])
    assert (Columns.of(points, points[:, 2]).tops_m == 0).all()


@settings(deadline=None, max_examples=40)
@given(yaw=st.floats(-3, 3), azimuth=st.floats(-3, 3), seen=st.floats(0.4, 1.0))
def test_the_seen_corner_keeps_its_place(yaw: float, azimuth: float, seen: float) -> None:
    """However little of a car's sides is seen, the corner between them stays where it is."""
    corner = np.array([12 * np.cos(azimuth), 12 * np.sin(azimuth)])
    c, s = np.cos(yaw), np.sin(yaw)
    axes = np.array([[c, s], [-s, c]])
    axes *= np.sign(axes @ corner)[:, None]  # both sides lead away from the LiDAR
    if np.abs(axes @ corner).min() < 2.0:
        return
    steps = np.linspace(0, 1, 60)[:, None]
    xy = np.vstack([corner + steps * seen * 4.6 * axes[0], corner + steps * seen * 1.9 * axes[1]])
    points = np.vstack([np.column_stack([xy, np.full(len(xy), z)]) for z in (0.3, 0.7, 1.1, 1.5)])
    columns = Columns.of(points, points[:, 2])
    groups = columns.groups(columns.tops_m > 0, np.full(len(columns.tops_m), 0.5))
    shapes = shapes_of(points, points[:, 2], groups, columns, np.zeros((1, 3)), True)
    boxes = completed(shapes, CAR, np.array([np.arctan2(*axes[0][::-1])]))
    corners = boxes.corners()[0, :, :2]
    assert np.linalg.norm(corners - corner, axis=1).min() < 0.15
    assert boxes.sizes_lwh_m[0, 0] > 3.5


def test_what_the_judge_says_adds_up_to_its_score() -> None:
    judge, features = Judge.built_in(), np.random.default_rng(1).uniform(0, 3, (5, len(NAMES)))
    scores = judge.scores(features)
    assert scores.shape == (5, len(PRIORS))
    for k, prior in enumerate(PRIORS):
        odds = judge.biases[k] + sum(judge.explain(features[2], prior).values())
        assert scores[2, k] == pytest.approx(1 / (1 + np.exp(-odds)))


def test_boxes_do_not_lie_on_top_of_each_other(
    drive: tuple[Scans, LabelSet], detector: PlainDetector
) -> None:
    found = detector.detect(drive[0], 5)
    ious = iou_bev(found.boxes, found.boxes)
    np.fill_diagonal(ious, 0)
    assert ious.max() < 0.6


def test_a_box_is_upright_and_of_positive_size(
    drive: tuple[Scans, LabelSet], detector: PlainDetector
) -> None:
    found = detector.detect(drive[0], 5)
    assert (found.boxes.sizes_lwh_m > 0.2).all()
    assert np.allclose(found.boxes.dst_from_box.rotations[:, 2, 2], 1)
    assert all(isinstance(box, Box3D) for box in _listed(found.boxes))


def _listed(boxes: Boxes) -> list[Box3D]:
    return [
        Box3D(p, *(float(v) for v in s)) for p, s in zip(boxes.dst_from_box, boxes.sizes_lwh_m, strict=True)
    ]
