"""What is measured of boxes: the kernels against plain numpy, and one pass over the sweeps against two."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autolabel.candidates import candidates_of
from calib.se3 import SE3, SE3Batch
from fusion.boxes import Box3D, Boxes
from fusion.checks.check import check
from fusion.checks.facts import Facts, Looks, Motion, _kernels
from fusion.checks.facts.motion import SEAM_ROWS
from fusion.checks.facts.scans import look
from fusion.checks.facts.shared import Shared
from fusion.ground import Ground
from fusion.overlap import iou_3d
from tests.checks import fact_twins
from tests.checks.made_streets import RIGHT, START_NS, STEP_NS, labels_of, log_of

ORIGIN = np.array([0.9, 0.1, 1.8])


def scene(seed: int, count: int, tilt_rad: float = 0.1) -> tuple[np.ndarray, np.ndarray, Boxes]:
    """Points anywhere, many of them about boxes that may lie in each other, and some about the sensor."""
    rng = np.random.default_rng(seed)
    turns = np.column_stack([rng.uniform(-tilt_rad, tilt_rad, (count, 2)), rng.uniform(-4, 4, count)])
    places = rng.uniform([-25, -25, -0.5], [25, 25, 2], (count, 3))
    poses = [SE3.from_rotation_vector(turn, place) for turn, place in zip(turns, places, strict=True)]
    boxes = Boxes(SE3Batch.stack(poses), rng.uniform(0.3, 6, (count, 3)) * [1, 0.5, 0.5])
    about = places[rng.integers(0, count, 3000)] + rng.normal(0, 1.5, (3000, 3))
    points = np.concatenate([rng.uniform([-40, -40, -1], [40, 40, 4], (3000, 3)), about]).astype(np.float32)
    above = points[:, 2] + rng.normal(0.2, 0.2, len(points))
    above[rng.random(len(points)) < 0.1] = np.nan
    points[rng.random(len(points)) < 0.01] = np.nan
    points[rng.random(len(points)) < 0.01, 0] = np.inf
    return points, above, boxes


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_sweeps_say_what_plain_numpy_says(seed: int, count: int) -> None:
    points, above, boxes = scene(seed, count)
    counts, reach, ground = look(points, above, ORIGIN, boxes)
    expected = fact_twins.look(points, above, ORIGIN, boxes)
    np.testing.assert_array_equal(counts, expected[0])
    np.testing.assert_allclose(reach, expected[1], atol=1e-9)
    np.testing.assert_allclose(ground, expected[2], atol=1e-9)


def test_a_box_about_the_sensor_and_one_over_everything() -> None:
    points, above, _ = scene(1, 1)
    boxes = Boxes.stack([Box3D.upright(ORIGIN, (3, 3, 3), 0.3), Box3D.upright((0, 0, 0), (500, 500, 90), 0)])
    counts, _, _ = look(points, above, ORIGIN, boxes)
    np.testing.assert_array_equal(counts, fact_twins.look(points, above, ORIGIN, boxes)[0])
    assert counts[1, 0] == np.isfinite(points).all(axis=1).sum()


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(4, 20), st.integers(0, 2))
def test_ways_are_fitted_as_by_least_squares(seed: int, count: int, degree: int) -> None:
    rng = np.random.default_rng(seed)
    dt = np.sort(rng.uniform(-0.5, 0.5, count)) + np.arange(count) * 1e-2
    values = rng.normal(0, 1, (count, 3))
    weights = rng.uniform(0.5, 3, count)
    found = _kernels.fit_way(dt, values, weights, degree, 0.5)
    np.testing.assert_allclose(
        found, fact_twins.fit_way(dt, values, weights, degree, 0.5), atol=1e-4, rtol=1e-4
    )


def motion_of(places: np.ndarray, yaws: np.ndarray, times_ns: np.ndarray) -> Motion:
    poses = SE3Batch.stack(SE3.from_yaw(yaw, place) for yaw, place in zip(yaws, places, strict=True))
    world = Boxes(poses, np.tile([4.0, 2.0, 1.5], (len(places), 1)))
    return Motion.of(np.array([0, len(places)]), times_ns, world, np.ones(len(places), dtype=bool))


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.integers(4, 24))
def test_seams_are_told_as_by_straight_lines(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    times_ns = START_NS + np.cumsum(rng.integers(50, 150, count)) * 1_000_000
    places = np.cumsum(rng.normal(0.5, 0.3, (count, 3)), axis=0)
    yaws = rng.uniform(-3, 3, count)
    motion = motion_of(places, yaws, times_ns)
    times_s = (times_ns - times_ns[0]) / 1e9
    assert np.isnan(motion.step_m[[0, 1, count - 1]]).all()
    for i in range(2, count - 1):
        step = fact_twins.seam(times_s, places, i, SEAM_ROWS)
        told = motion.step_m[i]
        along = np.cos(yaws[i]) * step[0] + np.sin(yaws[i]) * step[1]
        across = -np.sin(yaws[i]) * step[0] + np.cos(yaws[i]) * step[1]
        np.testing.assert_allclose(told, [along, across, step[2]], atol=1e-8)


@settings(max_examples=20)
@given(st.floats(-20, 20), st.floats(-8, 8), st.floats(-4, 4), st.integers(6, 30))
def test_even_ways_are_told_exactly(speed: float, brakes: float, yaw: float, count: int) -> None:
    """A straight way with an even change of speed: nothing is off, and speed is what it is."""
    t = 0.1 * np.arange(count)
    gone = speed * t + brakes * t * t / 2
    places = np.column_stack([np.cos(yaw) * gone, np.sin(yaw) * gone, 0 * gone])
    motion = motion_of(places, np.full(count, yaw), START_NS + STEP_NS * np.arange(count))
    inner = motion.others >= 6
    inner[[0, -1]] = False
    middle = slice(5, -5)
    assert np.abs(motion.apart_m[inner]).max(initial=0) < 1e-3
    assert (np.linalg.norm(motion.apart_m, axis=1) < motion.spread_m).all()
    assert np.abs(motion.turned_rad).max() < 1e-6
    np.testing.assert_allclose(motion.speed_mps[middle], np.abs(speed + brakes * t)[middle], atol=1e-3)


@pytest.mark.parametrize("turn_rps", [-3.0, 0.4, 3.0])
def test_even_turns_are_no_leaps_not_even_at_the_ends(turn_rps: float) -> None:
    t = 0.1 * np.arange(15)
    motion = motion_of(np.zeros((15, 3)), turn_rps * t, START_NS + STEP_NS * np.arange(15))
    assert np.abs(motion.turned_rad).max() < np.radians(3)
    np.testing.assert_allclose(motion.turn_rps, turn_rps, rtol=1e-6)
    leaping = motion_of(np.zeros((15, 3)), np.eye(15)[0] * 0.7, START_NS + STEP_NS * np.arange(15))
    assert leaping.turned_rad[0] == pytest.approx(0.7, abs=0.05)


def test_half_a_turn_is_half_a_turn_on_either_side_of_the_cut() -> None:
    yaws = np.full(9, np.pi - 0.01)
    yaws[[2, 5]] -= 2 * np.pi - 0.02
    motion = motion_of(np.zeros((9, 3)), yaws, START_NS + STEP_NS * np.arange(9))
    assert np.abs(motion.turned_rad).max() < 0.03
    yaws[4] -= np.pi
    motion = motion_of(np.zeros((9, 3)), yaws, START_NS + STEP_NS * np.arange(9))
    assert abs(motion.turned_rad[4]) == pytest.approx(np.pi, abs=0.03)


def test_rows_of_a_frame_and_episodes() -> None:
    facts = Facts.of(log_of(RIGHT, sweeps=False), labels_of(RIGHT))
    assert all(len(rows) == len(RIGHT) for rows in facts.by_frame.values()) and len(facts.by_frame) == 12
    assert all((facts.frames[rows] == frame).all() for frame, rows in facts.by_frame.items())
    wrong = np.zeros(len(facts), dtype=bool)
    wrong[[0, 3, 8, 11, 12]] = True
    assert [rows.tolist() for rows in facts.episodes(wrong)] == [[0, 3], [8, 11], [12]]
    assert [rows.tolist() for rows in facts.episodes(wrong & False)] == []


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.integers(0, 12))
def test_what_lies_in_each_other_is_found_in_its_frame(seed: int, count: int) -> None:
    boxes = scene(seed, 24, tilt_rad=0.0)[2].take(np.arange(2 * count))
    boxes = Boxes.concatenate([boxes, Boxes.stack([Box3D.upright((0, 0, 0), (1e200, 1e200, 1), 0)])])
    frames = [np.arange(0, 2 * count + 1, 2), np.arange(1, 2 * count + 1, 2)]
    shared, ious = Shared.of(boxes, frames), iou_3d(boxes, boxes)
    with np.errstate(over="ignore"):
        volumes = boxes.sizes_lwh_m.prod(axis=1)
    expected = {
        (int(a), int(b)): ious[a, b]
        * (volumes[a] + volumes[b])
        / (1 + ious[a, b])
        / min(volumes[a], volumes[b])
        for rows in frames
        for a in rows
        for b in rows
        if a < b and ious[a, b] > 0 and np.isfinite(volumes[[a, b]]).all()
    }
    assert dict(zip(map(tuple, shared.rows.tolist()), shared.shares, strict=True)) == pytest.approx(expected)


def test_a_sweep_that_the_search_has_read_is_not_read_again() -> None:
    log, truth = log_of(RIGHT, 6), labels_of(RIGHT, 6)
    shared = check(log, truth, candidates=lambda see: candidates_of(log, watcher=see))
    facts = Facts.of(log, truth)
    looks, seen = Looks(log, facts.by_frame, facts.boxes), []
    candidates_of(
        log, watcher=lambda lidar, frame_ns, *more: (seen.append(frame_ns), looks.see(lidar, frame_ns, *more))
    )
    assert seen == log.timestamps_ns.tolist()
    looks._log = None  # type: ignore[assignment]
    told, alone = looks.rest(), check(log, truth).facts.scanned
    assert alone is not None and shared.facts.scanned is not None
    for name in ("there", "inside", "standing", "before", "through", "around", "reach_m", "ground_m"):
        np.testing.assert_array_equal(getattr(told, name), getattr(alone, name))
        np.testing.assert_array_equal(getattr(shared.facts.scanned, name), getattr(alone, name))


def test_what_is_shown_twice_or_of_no_use_changes_nothing() -> None:
    log, labels = log_of(RIGHT, frames=3), labels_of(RIGHT, 3)
    facts = Facts.of(log, labels)
    looks = Looks(log, facts.by_frame, facts.boxes)
    points = log.sweeps["lidar"][1].read().points + np.float32([0, 0, 1.8])
    above_m = Ground.under(points)[1]
    for frame_ns in (START_NS + STEP_NS, START_NS + STEP_NS, START_NS + 5):
        looks.see("lidar", frame_ns, points, above_m)
    once = looks.rest()
    np.testing.assert_array_equal(once.inside, check(log, labels).facts.scanned.inside)  # type: ignore[union-attr]
