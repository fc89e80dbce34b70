"""The parts that trips are laid on each other with, on things that are known exactly."""

import numpy as np
import pytest

from autolabel.trips import _kernels
from autolabel.trips.above import Above
from autolabel.trips.config import SearchConfig
from autolabel.trips.search import guesses
from autolabel.trips.things import mean_box, thinned
from autolabel.trips.view import COLUMNS, LOWEST_RAD, PER_RAD, ROWS
from calib import SE3, SE3Batch

UNKNOWN, MET, FREE, HIDDEN = 0, 1, 2, 3


def wall() -> np.ndarray:
    """A wall ten metres ahead, three metres to both sides."""
    y, z = np.meshgrid(np.arange(-3, 3, 0.03), np.arange(-1, 2, 0.03))
    return np.column_stack([np.full(y.size, 10.0), y.ravel(), z.ravel()])


def judged(places, origins) -> list[int]:
    middle, nearest = np.zeros(3), np.empty((ROWS, COLUMNS))
    _kernels.draw(wall(), middle, np.asarray(origins, float), LOWEST_RAD, PER_RAD, nearest)
    verdicts = np.empty(len(places), dtype=np.int64)
    view = (middle, np.asarray(origins, float), LOWEST_RAD, PER_RAD, nearest)
    _kernels.judge(np.asarray(places, float), *view, 0.15, 60.0, verdicts)
    return verdicts.tolist()


def test_a_place_is_free_before_a_wall_there_on_it_and_hidden_behind_it():
    places = [(5, 0, 0), (9.7, 0.5, 0.2), (10, 0, 0), (10.1, 2, 0.5), (15, 0, 0), (0, 5, 0), (90, 0, 0)]
    assert judged(places, [(0, 0, 0)]) == [FREE, FREE, MET, MET, HIDDEN, UNKNOWN, UNKNOWN]


def test_beams_go_out_from_where_the_lidar_was_when_it_looked_there():
    """Seen from 3 m to the left, the edge of the wall hides a place that lies open from the middle."""
    place = [(14.0, -4.4, 0.0)]
    assert judged(place, [(0, 0, 0)]) == [UNKNOWN]
    assert judged(place, np.tile([(0, 3.0, 0)], (360, 1))) == [HIDDEN]


def test_a_plan_from_above_knows_the_lowest_and_the_highest():
    rng = np.random.default_rng(1)
    points = rng.uniform((-1, -2, 0), (11, 9, 5), (4000, 3)).astype(np.float32)
    plan = Above.around(np.zeros(2), np.array([10.0, 7.0]), 1.0)
    plan.add(points[:2000])
    plan.add(points[2000:])
    for x, y in ((0, 0), (3, 5), (9, 6)):
        here = points[(np.floor(points[:, :2]) == (x, y)).all(axis=1), 2]
        assert plan.lows_m[x, y] == here.min() and plan.highs_m[x, y] == here.max()
    assert plan.seen[:10, :7].all()
    assert plan.at(plan.seen, np.array([[2.5, 3.5, 0], [-5.0, 0, 0], [200.0, 3, 0]])).tolist() == [
        True,
        False,
        False,
    ]
    assert not plan.empty().seen.any()


@pytest.mark.parametrize(
    ("shift", "turn_deg"), [((6.3, -7.1, 1.2), 4.0), ((-1.5, 0.4, -0.6), -2.0), ((0, 0, 0), 0.0)]
)
def test_a_stretch_is_found_from_above_however_it_is_shifted(shift, turn_deg):
    rng = np.random.default_rng(3)
    ground = np.column_stack([rng.uniform(-60, 60, (30_000, 2)), np.zeros(30_000)])
    posts = rng.uniform(-45, 45, (50, 2))
    things = [np.column_stack([p + rng.uniform(-0.6, 0.6, (80, 2)), rng.uniform(0, 3, 80)]) for p in posts]
    points = np.concatenate([ground, *things])
    plan = Above.around(np.full(2, -70.0), np.full(2, 70.0), 0.5)
    plan.add(points.astype(np.float32))
    map_from_given = SE3.from_yaw(np.radians(turn_deg), shift)
    given = (map_from_given.inverse() @ points).astype(np.float32)
    middle_given = map_from_given.inverse() @ np.zeros(3)
    best = guesses(plan, given, middle_given, SearchConfig())[0]
    apart = map_from_given.inverse() @ best.map_from_given
    assert np.linalg.norm(best.map_from_given @ middle_given) < 0.6
    assert abs(np.degrees(apart.yaw_rad)) < 1.1 and best.score > 0.6


def test_nothing_is_guessed_where_nobody_was():
    plan = Above.around(np.zeros(2), np.full(2, 20.0), 0.5)
    assert guesses(plan, np.ones((10, 3), np.float32), np.zeros(3), SearchConfig()) == []


def test_boxes_that_face_opposite_ways_have_a_mean_that_faces_as_the_heaviest():
    poses = SE3Batch.stack(SE3.from_yaw(yaw, (x, 0, 1)) for yaw, x in ((0.1, 1.0), (np.pi + 0.3, 3.0)))
    sizes = np.array([[4.0, 2.0, 1.0], [5.0, 2.0, 2.0]])
    pose, size = mean_box(poses, sizes, np.array([3.0, 1.0]))
    assert pose.yaw_rad == pytest.approx(0.15)
    assert pose.translation == pytest.approx([1.5, 0, 1]) and size == pytest.approx([4.25, 2, 1.25])
    assert mean_box(poses, sizes, np.array([0.0, 1.0]))[0].yaw_rad == pytest.approx(0.3 - np.pi)


def test_one_point_is_left_of_each_cell():
    assert thinned([], 0.1).shape == (0, 3)
    points = np.array([[0.01, 0, 0], [0.03, 0, 0], [0.5, 0, 0]])
    assert thinned([points[:1], points[1:]], 0.1) == pytest.approx(np.array([[0.02, 0, 0], [0.5, 0, 0]]))
