"""One estimator for every source: exact objects, given now and then, detected with errors, seen in points."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from autolabel import propose
from autolabel.reconstruct.belonging import Known, claimed
from autolabel.reconstruct.complete import chains_by_kind
from autolabel.reconstruct.config import ReconstructConfig
from autolabel.reconstruct.ends import Signs, stretches, there
from autolabel.reconstruct.estimate import reconstruct
from autolabel.reconstruct.evidence import Evidence, PointReport
from autolabel.reconstruct.keyframes import all_detections, may_be
from autolabel.reconstruct.measure import anchored
from autolabel.reconstruct.scope import Scope
from autolabel.smoother import Measurements, Motion
from autolabel.track import TrackConfig
from autolabel.world import LocalWorld, Sightings
from calib.se3 import SE3, SE3Batch
from fusion.boxes import Boxes
from fusion.categories import Kind
from fusion.evaluate import evaluate
from fusion.labels import Annotation, LabelSet, Source, Track

SETTINGS = ReconstructConfig()


def filled(log, keys: LabelSet, detections: LabelSet | None = None) -> LabelSet:
    labels = keys
    for edit in propose(log, keyframes=keys, detections=detections):
        labels = edit.apply(labels)
    return labels


def errors_m(labels: LabelSet, truth: LabelSet, id: str) -> np.ndarray:
    there = labels.tracks[id].annotations
    return np.array(
        [
            np.linalg.norm(there[t].box.center - a.box.center)
            for t, a in truth.tracks[id].annotations.items()
            if t in there
        ]
    )


def detected(
    truth: LabelSet,
    seed: int = 0,
    noise_m: float = 0.1,
    along_m: float = 0.0,
    flip: float = 0.0,
    shorter: float = 0.0,
    only: Iterable[int] | None = None,
) -> LabelSet:
    """Every annotation as a detection of its own, with errors."""
    rng, found = np.random.default_rng(seed), []
    wanted = None if only is None else set(only)
    for track in truth.tracks.values():
        for t, annotation in track.annotations.items():
            if wanted is not None and t not in wanted:
                continue
            box = annotation.box
            ego_from_box = box.ego_from_box
            place = ego_from_box @ np.array([along_m, 0.0, 0.0]) + rng.normal(0, noise_m, 3)
            turn_rad = rng.normal(0, 0.03) + np.pi * (rng.random() < flip)
            ego_from_seen = SE3(ego_from_box.rotation, place) @ SE3.from_yaw(turn_rad)
            seen = replace(box, ego_from_box=ego_from_seen, length_m=box.length_m - shorter)
            score = float(rng.uniform(0.95, 1.0))
            found.append(
                Track.of(f"d{len(found)}", track.category, [Annotation(t, seen, Source.AUTO, score)])
            )
    return LabelSet.of(found)


def test_steady_motion_between_key_frames_is_exact(make_log, traffic, every) -> None:
    labels = filled(make_log(), every(traffic, 10))
    assert errors_m(labels, traffic, "parked").max() < 1e-6
    assert errors_m(labels, traffic, "straight").max() < 1e-3
    assert errors_m(labels, traffic, "walker").max() < 1e-3


def test_detections_tell_what_happens_between_far_key_frames(make_log, traffic, every) -> None:
    log, keys = make_log(), every(traffic, 40)
    alone, helped = filled(log, keys), filled(log, keys, detected(traffic))
    for id in ("turning", "lorry"):
        assert errors_m(helped, traffic, id).mean() < 0.5 * errors_m(alone, traffic, id).mean()
        assert errors_m(helped, traffic, id).mean() < 0.12


def test_a_path_through_detections_is_nearer_than_they_are(make_log, traffic, every) -> None:
    labels = filled(make_log(), every(traffic, 20), detected(traffic, noise_m=0.2))
    for id in traffic.tracks:
        assert errors_m(labels, traffic, id).mean() < 0.15, id


def test_a_detector_that_is_always_off_the_same_way_is_put_right_by_the_key_frames(
    make_log, traffic, every
) -> None:
    labels = filled(make_log(), every(traffic, 20), detected(traffic, noise_m=0.03, along_m=0.2))
    for id in ("straight", "turning", "parked"):
        assert errors_m(labels, traffic, id).mean() < 0.1, id


def test_headings_of_detections_the_wrong_way_round_turn_nothing(make_log, traffic, every) -> None:
    labels = filled(make_log(), every(traffic, 20), detected(traffic, flip=0.4))
    score = evaluate(labels, traffic).overall
    assert score.flips == 0
    assert score.yaw_rad < 0.03


def test_what_was_given_stays_the_same_object_and_has_one_size(make_log, traffic, every) -> None:
    keys = every(traffic, 10)
    labels = filled(make_log(), keys, detected(traffic))
    for id, track in keys.tracks.items():
        for t, annotation in track.annotations.items():
            assert labels.tracks[id].annotations[t] is annotation
        assert len({tuple(a.box.size_lwh_m) for a in labels.tracks[id].annotations.values()}) == 1


def test_the_same_input_gives_the_same_bytes_wherever_the_world_begins(make_log, traffic, every) -> None:
    turned = SE3.from_quaternion_wxyz([0.8, 0.1, -0.2, 0.5], [5e5, -4e6, 300.0])
    keys, found = every(traffic, 20), detected(traffic)
    first, again, moved = (
        filled(log, keys, found) for log in (make_log(), make_log(), make_log(moved=turned))
    )
    for id, track in first.tracks.items():
        for t, annotation in track.annotations.items():
            same, there = again.tracks[id].annotations[t].box, moved.tracks[id].annotations[t].box
            assert annotation.box.ego_from_box.matrix.tobytes() == same.ego_from_box.matrix.tobytes()
            assert annotation.box.ego_from_box.is_close(there.ego_from_box, atol=1e-5)


def test_a_box_goes_on_beyond_the_last_key_frame_as_far_as_it_is_detected(make_log, traffic) -> None:
    log = make_log()
    times = log.timestamps_ns.tolist()
    shown = traffic.tracks["straight"].without(times[28:])
    keys = LabelSet.of(
        [
            shown.without(set(times) - {times[0], times[20]}),
            traffic.tracks["parked"].without(set(times) - {times[0], times[20], times[40]}),
        ]
    )
    track = filled(log, keys, detected(LabelSet.of([shown]))).tracks["straight"]
    assert max(track.annotations) in times[27:32]
    assert errors_m(LabelSet.of([track]), LabelSet.of([shown]), "straight").max() < 0.3


def test_an_object_is_not_carried_over_a_labelled_frame_without_it(make_log, traffic) -> None:
    log = make_log()
    times = log.timestamps_ns.tolist()
    keys = LabelSet.of(
        [
            traffic.tracks["straight"].without(set(times) - {times[0], times[40]}),
            traffic.tracks["parked"].without(set(times) - {times[0], times[20], times[40]}),
        ]
    )
    labels = filled(log, keys, detected(traffic))
    assert times[20] not in labels.tracks["straight"].annotations
    assert times[10] in labels.tracks["parked"].annotations


def test_frames_an_object_may_be_in() -> None:
    frames, labelled = np.arange(10), np.array([2, 5, 8])
    assert may_be(np.array([2]), labelled, frames).tolist() == [0, 1, 2, 3, 4]
    assert may_be(np.array([5]), labelled, frames).tolist() == [3, 4, 5, 6, 7]
    assert may_be(np.array([8]), labelled, frames).tolist() == [6, 7, 8, 9]
    assert may_be(np.array([2, 8]), labelled, frames).tolist() == [0, 1, 2, 3, 4, 6, 7, 8, 9]


def test_no_detection_serves_two_objects(make_log, make_track) -> None:
    """Two cars side by side, detected a little to the left of where they are."""
    log = make_log()
    seconds, zeros = np.arange(len(log)) / 10, np.zeros(len(log))
    cars = [
        make_track(id, "Car", log, np.column_stack([8 * seconds, y + zeros, zeros]), zeros, (4.2, 1.8, 1.5))
        for id, y in (("left", 2.0), ("right", -0.2))
    ]
    world = LocalWorld.of(log)
    found = all_detections(detected(LabelSet.of(cars), noise_m=0.15), world)
    keys = log.timestamps_ns[[0, 40]]
    objects = [
        Known(
            Kind.CAR,
            Evidence(
                Sightings.of((car.annotations[int(t)] for t in keys), world), found.take(np.zeros(0, int))
            ),
            log.timestamps_ns,
        )
        for car in cars
    ]
    chains = chains_by_kind(found, world, TrackConfig())
    left, right = claimed(objects, found, chains, keys, world, SETTINGS)
    assert not set(left.tolist()) & set(right.tolist())
    assert min(len(left), len(right)) >= 39
    assert (found.boxes.dst_from_box.translations[left, 1] > 0.9).all()


class Points:
    """Points that tell exactly where an object is."""

    def __init__(self, truth: Sightings) -> None:
        self.truth, self.counted = truth, []

    def measure(self, path: Sightings, motion: Motion, wanted, *, rays, support) -> PointReport:
        self.counted.append((rays, support))
        rows = np.nonzero(np.isin(path.times_ns, self.truth.times_ns))[0]
        there = np.searchsorted(self.truth.times_ns, path.times_ns[rows])
        poses = self.truth.local_from_box.take(there)
        seen = Measurements.of(motion.times_s[rows], poses.translations, poses.yaws_rad, 0.02, 0.01)
        support = np.zeros(len(path), np.int64)
        support[rows] = 100
        return PointReport(rows, seen, support, np.zeros(len(path)))


def test_points_draw_the_path_to_them(make_log, traffic) -> None:
    log = make_log()
    world = LocalWorld.of(log)
    lorry = traffic.tracks["lorry"]
    truth = Sightings.of(lorry.annotations.values(), world)
    seed = Sightings.of([lorry.annotations[int(log.timestamps_ns[0])]], world)
    nothing = all_detections(LabelSet(), world)
    points = Points(truth)
    evidence = Evidence(seed, nothing, points, log.timestamps_ns[:1])
    scope = Scope.of(seed, np.zeros(0), world)
    whole = reconstruct(evidence, log.timestamps_ns, Kind.TRUCK, world, SETTINGS, replace_range(scope))
    assert points.counted == [(False, False), (True, True)]
    assert len(whole.sightings) == len(log)
    off = whole.sightings.local_from_box.translations - truth.local_from_box.translations
    assert np.linalg.norm(off, axis=1).max() < 0.05


def replace_range(scope: Scope) -> Scope:
    return replace(scope, farthest_m=1e3)


def test_without_key_frames_one_size_from_the_surest_and_the_seen_corner_stays(make_log, traffic) -> None:
    log = make_log()
    world = LocalWorld.of(log)
    parked = LabelSet.of([traffic.tracks["parked"]])
    found = all_detections(detected(parked, noise_m=0.05), world)
    whole = reconstruct(
        Evidence(Sightings.of([], world), found),
        log.timestamps_ns,
        Kind.CAR,
        world,
        SETTINGS,
        replace_range(Scope.of(Sightings.of([], world), np.zeros(0), world)),
    )
    truth = Sightings.of(traffic.tracks["parked"].annotations.values(), world)
    assert len(whole.sightings) == len(log)
    assert np.ptp(whole.sightings.sizes_lwh_m, axis=0).max() == 0
    off = whole.sightings.local_from_box.translations - truth.local_from_box.translations
    assert np.linalg.norm(off, axis=1).max() < 0.1


def test_a_box_that_grows_keeps_what_faces_the_car() -> None:
    local_from_box = SE3Batch(np.eye(3)[None], np.array([[10.0, 0.0, 1.0]]))
    small = Boxes(local_from_box, np.array([[4.0, 2.0, 1.5]]))
    center = anchored(small, np.zeros((1, 3)), np.array([5.0, 2.0, 1.7]), 1.0)
    np.testing.assert_allclose(center, [[10.5, 0.0, 1.1]])


def signs_of(count, detected_at, **more):
    """An object that is given at the first instant, and detected at some others."""
    detected_there = np.isin(np.arange(count), detected_at)
    plain = {
        "given": np.arange(count) == 0,
        "detected": detected_there,
        "doubt": np.where(detected_there, 0.01, 1.0),
        "dense": np.zeros(count),
        "fading": np.zeros(count),
        "absence": np.zeros(count),
        "edge": np.zeros(count, bool),
        "inside": np.ones(count, bool),
        "blocked": np.zeros(count, bool),
        "since_s": np.zeros(count),
        "points": np.full(count, -1),
        "crossed": np.zeros(count),
        "roams": False,
    }
    return Signs(**(plain | more))


@pytest.mark.parametrize("detections, last", [((1, 2, 3), 3), ((1, 2, 4), 4), ((), 3)])
def test_the_end_is_where_it_pays_no_longer(detections, last) -> None:
    signs = signs_of(12, detections, absence=np.linspace(0.3, 1, 12))
    kept = there(signs, [np.arange(12)], SETTINGS.presence, 10.0)
    assert np.nonzero(kept)[0].tolist() == list(range(last + 1))


def test_nothing_was_where_the_car_drove() -> None:
    """What stands behind the car now did not stand there when the car came by, however sure it is."""
    blocked = np.isin(np.arange(12), (7, 8))
    kept = there(signs_of(12, range(12), blocked=blocked), [np.arange(12)], SETTINGS.presence, 10.0)
    assert np.nonzero(kept)[0].tolist() == list(range(7))


def test_what_only_a_detector_found_is_held_for_a_while_and_longer_where_it_stands() -> None:
    count, last = 400, []
    since_s = np.arange(count) / 10
    for roams in (True, False):
        signs = signs_of(count, (0,), given=np.zeros(count, bool), since_s=since_s, roams=roams)
        kept = there(signs, [np.arange(count)], SETTINGS.alone, 10.0)
        last.append(int(np.nonzero(kept)[0][-1]))
    assert 10 <= last[0] <= 10 * SETTINGS.roaming_reach_s < last[1]


def test_stretches_end_at_frames_that_are_out() -> None:
    times = np.array([0, 1, 2, 4, 5])
    parts = stretches(times, times, np.arange(7))
    assert [part.tolist() for part in parts] == [[0, 1, 2], [3, 4]]


def test_little_or_no_input(make_log, traffic) -> None:
    assert propose(make_log(), keyframes=LabelSet()) == ()
    assert propose(make_log(), keyframes=LabelSet.of([Track.of("1", "Car", [])])) == ()
    assert propose(make_log(), keyframes=LabelSet(), detections=detected(traffic)) == ()
