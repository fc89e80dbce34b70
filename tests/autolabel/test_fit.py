"""One box fitted to points: what was seen decides, what was not comes from what is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autolabel.fit import Cloud, Guess, Usual, fit_again, fit_new, ready, usual_of, usual_size
from autolabel.fit.ground import ground_below
from autolabel.fit.height import top_of
from calib.se3 import SE3
from fusion.boxes import Box3D, Boxes
from fusion.overlap import iou_3d

LIDAR = np.array([0.0, 0.0, 1.8])
CAR = usual_of("car")


def seen(box: Box3D, random: np.random.Generator, spacing_m: float = 0.15) -> np.ndarray:
    """Points on the sides and the roof that the LiDAR sees, from 15 cm above the ground on, with noise."""
    half = box.size_lwh_m / 2
    lidar = box.ego_from_box.inverse() @ LIDAR
    faces = []
    for axis in range(3):
        if axis == 2 or abs(lidar[axis]) > half[axis]:
            across = [np.arange(-half[k], half[k], spacing_m) for k in range(3) if k != axis]
            a, b = (values.ravel() for values in np.meshgrid(*across))
            side = np.full(
                len(a), np.copysign(half[axis] - 0.08, lidar[axis]) if axis < 2 else half[2] - 0.03
            )
            faces.append(np.insert(np.column_stack([a, b]), axis, side, axis=1))
    points = np.concatenate(faces)
    points = points[points[:, 2] > -half[2] + 0.15] + random.normal(0, 0.02, (1, 3))
    return box.ego_from_box @ (points + random.normal(0, 0.02, points.shape))


def street(random: np.random.Generator, around: Box3D, slope: float = 0.0) -> np.ndarray:
    """Ground all around a box, not below it."""
    places = around.center[:2] + random.uniform(-9, 9, (4000, 2))
    local = around.ego_from_box.inverse() @ np.column_stack([places, np.zeros(len(places))])
    free = (np.abs(local[:, :2]) > around.size_lwh_m[:2] / 2).any(axis=1)
    heights = slope * places[free, 0] + random.normal(0, 0.01, free.sum())
    return np.column_stack([places[free], heights])


def car_at(x: float, y: float, yaw_rad: float, size=(4.5, 1.9, 1.6), ground_m: float = 0.0) -> Box3D:
    return Box3D.upright([x, y, ground_m + size[2] / 2], size, yaw_rad)


def scene(box: Box3D, seed: int = 0, slope: float = 0.0, *more: np.ndarray) -> Cloud:
    random = np.random.default_rng(seed)
    return Cloud(np.concatenate([seen(box, random), street(random, box, slope), *more]), LIDAR)


def ends(box: Box3D, off: np.ndarray | float = 0.0) -> np.ndarray:
    half = np.array([box.length_m / 2, 0, 0])
    return (box.ego_from_box @ np.array([-half, half]))[:, :2] + off


def overlap(one: Box3D | None, other: Box3D) -> float:
    assert one is not None
    return float(iou_3d(Boxes.stack([one]), Boxes.stack([other]))[0, 0])


@settings(max_examples=25)
@given(
    st.floats(-np.pi, np.pi),
    st.floats(-np.pi, np.pi),
    st.floats(8.0, 35.0),
    st.integers(0, 10_000),
)
def test_a_sloppy_arrow_becomes_a_good_box(place_rad, yaw_rad, away_m, seed) -> None:
    true = car_at(away_m * np.cos(place_rad), away_m * np.sin(place_rad), yaw_rad)
    off = np.clip(np.random.default_rng(seed).normal(0, 0.25, (2, 2)), -0.5, 0.5)
    made = fit_new(scene(true, seed), *ends(true, off), CAR)
    assert overlap(made, true) > 0.7
    assert np.cos(made.yaw_rad - yaw_rad) > np.cos(np.radians(12))


@settings(max_examples=20)
@given(st.floats(-np.pi, np.pi), st.sampled_from([-1, 1]), st.integers(0, 10_000))
def test_a_box_that_is_off_is_put_right(way_rad, turn, seed) -> None:
    true = car_at(14.0, 6.0, 0.7)
    box_from_off = SE3.from_yaw(
        turn * np.radians(10), np.array([np.cos(way_rad), np.sin(way_rad), 0.1]) * 0.3
    )
    given_box = Box3D(true.ego_from_box @ box_from_off, 4.5 * 1.1, 1.9 * 0.9, 1.6 * 1.1)
    cloud = scene(true, seed)
    fitted = fit_again(given_box, cloud, CAR)
    assert overlap(fitted, true) > max(0.72, overlap(given_box, true))


@settings(max_examples=10)
@given(st.floats(-np.pi, np.pi), st.floats(-30, 30), st.floats(-30, 30))
def test_the_fit_turns_and_moves_with_the_scene(turn_rad, x, y) -> None:
    true = car_at(12.0, 5.0, 0.4)
    cloud, (tail, front) = scene(true), ends(true, 0.2)
    new_from_old = SE3.from_yaw(turn_rad, np.array([x, y, 0.0]))
    elsewhere = Cloud(new_from_old @ cloud.points, new_from_old @ LIDAR)
    ends_there = new_from_old @ np.column_stack([[tail, front], np.zeros(2)])
    here, there = fit_new(cloud, tail, front, CAR), fit_new(elsewhere, *ends_there, CAR)
    moved = Box3D(new_from_old @ here.ego_from_box, *here.size_lwh_m)
    assert overlap(there, moved) > 0.93


def test_a_known_size_is_kept_and_only_the_place_is_fitted() -> None:
    true = car_at(15.0, -4.0, 2.0, (5.4, 2.1, 1.9))
    given_box = Box3D(true.ego_from_box @ SE3.from_yaw(0.1, np.array([0.3, -0.2, 0.2])), *true.size_lwh_m)
    fitted = fit_again(given_box, scene(true), CAR.of_size(true.size_lwh_m, 1e-4))
    np.testing.assert_allclose(fitted.size_lwh_m, true.size_lwh_m, atol=2e-3)
    assert overlap(fitted, true) > 0.85


def test_what_stands_beside_and_hangs_above_is_left_out() -> None:
    true = car_at(14.0, 5.0, 0.3)
    alone = fit_new(scene(true), *ends(true), CAR)
    random = np.random.default_rng(3)
    # A wall along the far side, half a metre away, and the crown of a tree a metre above the roof.
    wall = true.ego_from_box @ np.column_stack(
        [random.uniform(-4, 4, 400), np.full(400, 1.5), random.uniform(-0.7, 1.5, 400)]
    )
    crown = true.ego_from_box @ (random.uniform(-1, 1, (400, 3)) * [2, 1, 0.3] + [0, 0, 2.2])
    crowded = fit_new(scene(true, 0, 0.0, wall, crown), *ends(true), CAR)
    assert overlap(alone, true) > 0.75
    assert overlap(crowded, true) > 0.7
    assert crowded.height_m < 2.0


@pytest.mark.parametrize("slope", [-0.08, 0.0, 0.08])
def test_it_stands_on_the_ground_of_a_slope(slope) -> None:
    ground_m = slope * 18.0
    true = car_at(18.0, 4.0, 1.5, ground_m=ground_m)
    made = fit_new(scene(true, 1, slope), *ends(true), CAR)
    assert made.center[2] - made.height_m / 2 == pytest.approx(ground_m, abs=0.1)


def test_the_ground_is_below_what_hides_it_and_above_reflections() -> None:
    random = np.random.default_rng(0)
    floor = np.column_stack([random.uniform(-5, 5, (300, 2)), random.normal(0, 0.01, 300)])
    hedge = np.column_stack([random.uniform(-5, 5, (900, 2)), random.uniform(0.5, 1.5, 900)])
    mirrored = np.array([[1.0, 1.0, -2.0], [2.0, 2.5, -1.5]])
    plane = ground_below(np.concatenate([floor, hedge, mirrored]), np.array([2.3, 0.9]))
    assert plane.at(np.zeros((1, 2)))[0] == pytest.approx(0.0, abs=0.05)
    assert ground_below(np.zeros((0, 3)), np.array([2.3, 0.9])) is None


def test_what_hangs_above_does_not_make_a_truck_higher() -> None:
    truck = usual_of("truck")
    own = np.linspace(0.2, 3.4, 60)
    assert top_of(own, truck, 10.0) == pytest.approx(3.4, abs=0.1)
    assert top_of(np.append(own, [4.4, 4.5, 4.6]), truck, 10.0) == pytest.approx(3.4, abs=0.1)
    assert top_of(np.append(own, [3.7, 4.0, 4.3]), truck, 10.0) == pytest.approx(4.3, abs=0.1)


def test_a_rider_lies_along_the_wheels() -> None:
    random = np.random.default_rng(0)
    true = Box3D.upright([8.0, 6.0, 0.9], [1.75, 0.6, 1.8], 1.0)
    wheels = np.column_stack(
        [random.uniform(-0.85, 0.85, 150), random.normal(0, 0.04, 150), random.uniform(-0.75, -0.1, 150)]
    )
    rider = random.normal([0, 0, 0.4], [0.2, 0.15, 0.25], (150, 3))
    points = true.ego_from_box @ np.concatenate([wheels, rider])
    cloud = Cloud(np.concatenate([points, street(random, true)]), LIDAR)
    turned = Box3D(true.ego_from_box @ SE3.from_yaw(np.radians(12)), *true.size_lwh_m)
    fitted = fit_again(turned, cloud, usual_of("cyclist"))
    assert abs(fitted.yaw_rad - 1.0) < np.radians(5)


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((0, 3)),
        np.zeros((2, 3)),
        np.full((50, 3), np.nan),
        np.full((50, 3), np.inf),
        np.random.default_rng(0).normal(0, 1e5, (50, 3)),
        np.column_stack([np.random.default_rng(0).uniform(-9, 9, (500, 2)), np.zeros(500)]),
    ],
)
def test_where_nothing_stands_there_is_no_box(points) -> None:
    cloud = Cloud(points, LIDAR)
    assert fit_new(cloud, np.array([3.0, 0.0]), np.array([7.0, 0.0]), CAR) is None
    assert fit_again(car_at(5.0, 0.0, 0.0), cloud, CAR) is None


def test_things_of_which_nothing_is_known_are_as_long_as_drawn() -> None:
    true = Box3D.upright([9.0, 3.0, 0.6], [2.4, 1.2, 1.2], 0.5)
    made = fit_new(scene(true), *ends(true), usual_of("thing"))
    assert overlap(made, true) > 0.5
    assert not usual_size("thing").any()


def test_an_arrow_through_a_person_says_where_and_which_way_but_not_how_long() -> None:
    person = usual_of("pedestrian")
    short = Guess.drawn(np.array([4.6, 0.0]), np.array([5.4, 0.0]), person)
    long = Guess.drawn(np.array([3.0, 0.0]), np.array([7.0, 0.0]), person)
    assert short.usual is long.usual is person
    assert long.turn_rad < short.turn_rad
    drawn = Guess.drawn(np.array([3.0, 0.0]), np.array([8.5, 0.0]), CAR)
    assert CAR.size_lwh_m[0] < drawn.usual.size_lwh_m[0] < 5.5


def test_a_class_learns_from_its_boxes() -> None:
    boxes = [car_at(0, 0, 0, (5.2, 2.05, 1.95))] * 20
    learned = CAR.learned(boxes)
    np.testing.assert_allclose(learned.size_lwh_m, [5.2, 2.05, 1.95], atol=0.12)
    assert (learned.spread_m[[0, 2]] < CAR.spread_m[[0, 2]]).all()
    assert CAR.learned([]) is CAR
    wild = CAR.learned([car_at(0, 0, 0, (length, 1.9, 1.6)) for length in (3.0, 4.0, 5.0, 6.0, 7.0)])
    assert wild.spread_m[0] > CAR.spread_m[0]


def test_the_classes_of_data_sets_have_a_size() -> None:
    for name in (
        "Car",
        "vehicle.car",
        "Pickup Truck",
        "Pedestrian with Object",
        "Cyclist",
        "BICYCLE",
        "Cones",
    ):
        usual = usual_of(name)
        assert isinstance(usual, Usual)
        assert (usual.size_lwh_m > 0).all()
    ready()
