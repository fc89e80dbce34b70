"""Which detection is whose: exact assignment, passes that agree, links over gaps."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from autolabel.detections import Detections, detections_by_kind
from autolabel.track import TrackConfig, chains_of
from autolabel.track.columns import Columns
from autolabel.track.passes import backward, forward
from autolabel.world import LocalWorld
from calib.se3 import SE3, SE3Batch
from fusion.boxes import Boxes
from fusion.categories import Kind
from fusion.labels import LabelSet

CAR, WALKER = (4.4, 1.8, 1.5), (0.7, 0.7, 1.75)


def seen(log, objects, size=CAR, scores=None, seed=0, noise_m=0.05) -> tuple[Detections, np.ndarray]:
    """Detections of objects given as (F, 3) arrays of x, y, yaw in the local world, NaN where unseen."""
    rng = np.random.default_rng(seed)
    rows = [
        (int(t), track[f] + rng.normal(0, [noise_m, noise_m, 0.02]), number)
        for f, t in enumerate(log.timestamps_ns)
        for number, track in enumerate(objects)
        if np.isfinite(track[f]).all()
    ]
    poses = SE3Batch.stack(SE3.from_yaw(p[2], [p[0], p[1], 0.8]) for _, p, _ in rows)
    given_scores = np.full(len(rows), 0.95) if scores is None else np.asarray(scores)
    found = Detections(
        np.array([t for t, _, _ in rows]),
        Boxes(poses, np.tile(size, (len(rows), 1))),
        given_scores,
        ("Car",) * len(rows),
    )
    return found, np.array([number for _, _, number in rows])


def chains(log, found, kind=Kind.CAR, **changes) -> list[np.ndarray]:
    return chains_of(
        found, log.timestamps_ns, kind, LocalWorld.of(log), TrackConfig().model_copy(update=changes)
    )


def straight(log, start, speed_mps, yaw_rad=0.0) -> np.ndarray:
    away = speed_mps * (log.timestamps_ns - log.timestamps_ns[0]) / 1e9
    return np.column_stack(
        [
            start[0] + away * np.cos(yaw_rad),
            start[1] + away * np.sin(yaw_rad),
            np.full(len(log), yaw_rad),
        ]
    )


@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_the_assignment_has_the_largest_sum(rows, columns, seed) -> None:
    from autolabel.track import _assign_kernels

    rng = np.random.default_rng(seed)
    gains = np.maximum(rng.uniform(-1, 2, (rows, columns)), 0)
    column_of = np.empty(rows, np.int64)
    _assign_kernels.assign(gains, column_of)
    taken = column_of[column_of >= 0]
    assert len(set(taken.tolist())) == len(taken)
    total = gains[np.nonzero(column_of >= 0)[0], taken].sum()
    assert total == pytest.approx(gains[linear_sum_assignment(gains, maximize=True)].sum())


def test_of_overlapping_boxes_of_one_instant_the_first_stays() -> None:
    from autolabel.track import _kernels

    boxes = np.array([[x, 0, 0, *CAR, 0.0] for x in (0.0, 0.5, 9.0, 9.4)])
    keep = np.ones(4, dtype=np.bool_)
    _kernels.drop_doubles(np.array([0, 0, 0, 1]), boxes, 0.3, keep)
    assert keep.tolist() == [True, False, True, True]


def test_every_detection_is_in_one_chain(make_log, traffic) -> None:
    log = make_log()
    world = LocalWorld.of(log)
    for kind, found in detections_by_kind(traffic, world).items():
        members = np.concatenate(chains_of(found, log.timestamps_ns, kind, world, TrackConfig()))
        assert sorted(members.tolist()) == list(range(len(found)))


def test_cars_that_pass_each_other_stay_themselves(make_log) -> None:
    log = make_log()
    there, back = straight(log, (0, 0), 12.0), straight(log, (48, 2.6), -12.0)
    found, whose = seen(log, [there, back])
    assert [set(whose[chain].tolist()) for chain in chains(log, found)] == [{0}, {1}]


def test_parked_cars_side_by_side_all_around(make_log) -> None:
    log = make_log()
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    objects = [straight(log, (15 * np.cos(a), 15 * np.sin(a)), 0.0, float(a)) for a in angles]
    found, whose = seen(log, objects, noise_m=0.15)
    assert [len(set(whose[chain].tolist())) for chain in chains(log, found)] == [1] * 12


@pytest.mark.parametrize("speed_mps", [0.0, 8.0, 20.0])
def test_an_occlusion_of_two_seconds_is_bridged(make_log, speed_mps) -> None:
    log = make_log()
    track = straight(log, (5, 4), speed_mps)
    track[12:32] = np.nan
    found, _ = seen(log, [track])
    assert len(chains(log, found)) == 1


def test_a_turn_behind_a_truck_is_bridged(make_log) -> None:
    log = make_log()
    seconds = (log.timestamps_ns - log.timestamps_ns[0]) / 1e9
    turn = 0.35 * seconds
    track = np.column_stack([20 * np.sin(turn), 20 * (1 - np.cos(turn)), turn])
    track[16:26] = np.nan
    found, _ = seen(log, [track])
    assert len(chains(log, found)) == 1


def test_one_that_leaves_is_not_another_that_comes(make_log) -> None:
    log = make_log()
    gone, comes = straight(log, (5, 4), 10.0), straight(log, (80, 30), -10.0)
    gone[15:], comes[:20] = np.nan, np.nan
    found, _ = seen(log, [gone, comes])
    assert len(chains(log, found)) == 2


@pytest.mark.parametrize(("aside_m", "count"), [(3.0, 1), (-3.0, 1), (0.3, 2)])
def test_nothing_goes_on_through_the_car_itself(make_log, aside_m, count) -> None:
    """What fell behind beside the car is one object; what would have to pass through it is two."""
    log = make_log()
    local_from_ego = LocalWorld.of(log).local_from_ego(log.timestamps_ns)
    ahead_m = np.linspace(8, -8, len(log))
    offsets = np.column_stack([ahead_m, np.full(len(log), aside_m), np.zeros(len(log))])
    places = np.einsum("nij,nj->ni", local_from_ego.rotations, offsets) + local_from_ego.translations
    track = np.column_stack([places[:, :2], local_from_ego.yaws_rad])
    track[14:28] = np.nan
    found, _ = seen(log, [track])
    assert len(chains(log, found)) == count


def test_people_that_cross(make_log) -> None:
    log = make_log()
    a, b = straight(log, (10, -3), 1.5, np.pi / 2), straight(log, (10.9, 3), 1.5, -np.pi / 2)
    found, whose = seen(log, [a, b], size=WALKER)
    got = chains(log, found, Kind.PEDESTRIAN)
    assert [len(set(whose[chain].tolist())) for chain in got] == [1, 1]


def test_flipped_and_uncertain_headings_do_not_tear(make_log) -> None:
    log = make_log()
    track = straight(log, (0, 3), 9.0)
    rng = np.random.default_rng(3)
    track[:, 2] += np.pi * (rng.random(len(log)) < 0.4) + rng.normal(0, 0.3, len(log))
    found, _ = seen(log, [track])
    assert len(chains(log, found)) == 1


def test_clutter_takes_nothing_from_an_object(make_log) -> None:
    log = make_log()
    rng = np.random.default_rng(5)
    strays = []
    for f in rng.integers(0, len(log), 60):
        stray = np.full((len(log), 3), np.nan)
        stray[f] = [*rng.uniform(-40, 40, 2), rng.uniform(-3, 3)]
        strays.append(stray)
    found, whose = seen(log, [straight(log, (-20, 3), 10.0), *strays])
    longest = max(chains(log, found), key=len)
    assert (whose[longest] == 0).all()
    assert len(longest) == len(log)


def test_both_directions_of_time_tell_the_same_of_clear_traffic(make_log) -> None:
    log = make_log()
    world = LocalWorld.of(log)
    found, _ = seen(log, [straight(log, (0, 0), 12.0), straight(log, (48, 4), -12.0)])
    rules = TrackConfig()
    columns = Columns.of(found, log.timestamps_ns, world, rules.gait(Kind.CAR), rules)
    following, preceding = forward(columns, rules), backward(columns, rules)
    linked = np.nonzero(following >= 0)[0]
    assert len(linked) == len(found) - 2
    assert (preceding[following[linked]] == linked).all()


def test_times_rise_in_every_chain(make_log) -> None:
    log = make_log()
    rng = np.random.default_rng(8)
    objects = [straight(log, rng.uniform(-20, 20, 2), rng.uniform(0, 9)) for _ in range(15)]
    for track in objects:
        track[rng.random(len(log)) < 0.4] = np.nan
    found, _ = seen(log, objects, noise_m=0.3)
    for chain in chains(log, found):
        assert all(a < b for a, b in pairwise(found.times_ns[chain].tolist()))


def test_nothing_gives_nothing(make_log) -> None:
    log = make_log()
    world = LocalWorld.of(log)
    assert detections_by_kind(LabelSet(), world) == {}
    found, _ = seen(log, [straight(log, (0, 0), 1.0)])
    assert chains(log, found.take(np.zeros(0, dtype=np.int64))) == []
