"""Key frames to all frames: exact motion, laws, locks, and input that says little."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from autolabel import Config, propose
from autolabel.reconstruct.config import ReconstructConfig
from calib.se3 import SE3
from fusion.boxes import Box3D
from fusion.edits import Edit, PutAnnotations
from fusion.evaluate import evaluate
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.log import DriveLog
from fusion.trajectory import Trajectory


def propagate(log: DriveLog, keys: LabelSet, config: Config | None = None, progress=None) -> tuple[Edit, ...]:
    return propose(log, keyframes=keys, config=config, progress=progress)


def applied(labels: LabelSet, edits: tuple[Edit, ...]) -> LabelSet:
    for edit in edits:
        labels = edit.apply(labels)
    return labels


def filled(log, keys: LabelSet, config: Config | None = None) -> LabelSet:
    return applied(keys, propagate(log, keys, config))


def center_errors_m(labels: LabelSet, truth: LabelSet) -> dict[str, float]:
    errors = {}
    for id, track in truth.tracks.items():
        there = labels.tracks[id].annotations
        errors[id] = max(
            float(np.linalg.norm(there[t].box.center - a.box.center)) for t, a in track.annotations.items()
        )
    return errors


def test_constant_velocity_and_standing_still_are_exact(make_log, traffic, every) -> None:
    labels = filled(make_log(), every(traffic, 10))
    errors_m = center_errors_m(labels, traffic)
    assert errors_m["parked"] < 1e-9
    assert errors_m["straight"] < 1e-4
    assert errors_m["walker"] < 1e-4


def test_turning_and_braking_are_followed(make_log, traffic, every) -> None:
    """A straight line between the key frames would be 0.22 m off the curve and 0.25 m off the braking."""
    errors_m = center_errors_m(filled(make_log(), every(traffic, 10)), traffic)
    assert errors_m["turning"] < 0.11
    assert errors_m["lorry"] < 0.12


def test_headings_and_sizes_between_key_frames(make_log, traffic, every) -> None:
    score = evaluate(filled(make_log(), every(traffic, 10)), traffic).overall
    assert score.yaw_rad < 1e-3
    assert score.flips == 0
    assert score.size_m < 1e-12
    assert score.recall_70 == 1


def test_every_frame_between_is_filled_and_says_so(make_log, traffic, every) -> None:
    keys = every(traffic, 10)
    labels = filled(make_log(), keys)
    for id, track in labels.tracks.items():
        assert list(track.annotations) == list(traffic.tracks[id].annotations)
        for t, annotation in track.annotations.items():
            given = t in keys.tracks[id].annotations
            assert annotation.source is (Source.HUMAN if given else Source.INTERPOLATED)
            assert given or 0 < annotation.score < 1


def test_scores_fall_with_the_distance_from_key_frames(make_log, traffic, every) -> None:
    track = filled(make_log(), every(traffic, 20)).tracks["straight"]
    scores = [annotation.score for annotation in track.annotations.values()]
    assert scores[1] > scores[10] < scores[19]
    assert all(near >= far for near, far in pairwise(scores[1:11]))


def test_given_annotations_are_the_same_objects_afterwards(make_log, traffic, every) -> None:
    keys = every(traffic, 7)
    labels = filled(make_log(), keys)
    for id, track in keys.tracks.items():
        for t, annotation in track.annotations.items():
            assert labels.tracks[id].annotations[t] is annotation


def test_the_same_input_gives_the_same_bytes(make_log, traffic, every) -> None:
    first, second = (propagate(make_log(), every(traffic, 9)) for _ in range(2))
    assert repr(first) == repr(second)
    for a, b in zip(boxes_of(first), boxes_of(second), strict=True):
        assert a.ego_from_box.matrix.tobytes() == b.ego_from_box.matrix.tobytes()


def boxes_of(edits: tuple[Edit, ...]) -> list[Box3D]:
    puts = [edit for edit in edits if isinstance(edit, PutAnnotations)]
    return [annotation.box for edit in puts for annotation in edit.annotations]


def test_nothing_depends_on_the_origin_of_the_world(make_log, traffic, every) -> None:
    turned = SE3.from_quaternion_wxyz([0.8, 0.1, -0.2, 0.5], [5e5, -4e6, 300.0])
    keys = every(traffic, 10)
    here, there = propagate(make_log(), keys), propagate(make_log(moved=turned), keys)
    for a, b in zip(boxes_of(here), boxes_of(there), strict=True):
        assert a.ego_from_box.is_close(b.ego_from_box, atol=1e-6)


def test_time_may_run_backwards(make_log, traffic, every) -> None:
    """The same drive from its last frame to its first gives the same places."""
    log, keys = make_log(), every(traffic, 10)
    mirror = int(log.timestamps_ns[0] + log.timestamps_ns[-1])
    forward = filled(log, keys)
    backward = filled(make_log(backwards=True), reversed_in_time(keys, mirror))
    errors_m = center_errors_m(reversed_in_time(backward, mirror), forward)
    assert max(errors_m.values()) < 1e-3


def reversed_in_time(labels: LabelSet, mirror_ns: int) -> LabelSet:
    return LabelSet.of(
        Track.of(
            track.id,
            track.category,
            [replace(a, timestamp_ns=mirror_ns - t) for t, a in track.annotations.items()],
        )
        for track in labels.tracks.values()
    )


def test_a_second_run_changes_nothing_and_follows_a_correction(make_log, traffic, every) -> None:
    log = make_log()
    labels = filled(log, every(traffic, 10))
    again = filled(log, labels)
    assert max(center_errors_m(again, labels).values()) == 0
    t = int(log.timestamps_ns[15])
    moved = replace(labels.tracks["straight"].annotations[t], source=Source.HUMAN, box=shifted(labels, t))
    corrected = filled(log, labels.with_track(labels.tracks["straight"].with_annotations([moved])))
    near = corrected.tracks["straight"].annotations[int(log.timestamps_ns[14])]
    before = labels.tracks["straight"].annotations[int(log.timestamps_ns[14])]
    assert 0.1 < np.linalg.norm(near.box.center - before.box.center) < 1.0


def shifted(labels: LabelSet, t: int) -> Box3D:
    box = labels.tracks["straight"].annotations[t].box
    ego_from_box = box.ego_from_box
    return replace(
        box, ego_from_box=SE3(ego_from_box.rotation, ego_from_box.translation + np.array([0.0, 0.5, 0.0]))
    )


def test_what_is_no_longer_reached_is_taken_away(make_log, traffic, every) -> None:
    log = make_log()
    keys = every(traffic, 10)
    labels = filled(log, keys)
    late = [
        t
        for t, a in labels.tracks["parked"].annotations.items()
        if t > log.timestamps_ns[10] and a.source is Source.HUMAN
    ]
    cut = labels.with_track(labels.tracks["parked"].without(late))
    track = filled(log, cut).tracks["parked"]
    assert max(track.annotations) < log.timestamps_ns[20]
    assert len(track.annotations) < len(labels.tracks["parked"].annotations)


def test_a_locked_annotation_is_a_key_frame_whatever_made_it(make_log, traffic, every) -> None:
    log = make_log()
    labels = filled(log, every(traffic, 10))
    t = int(log.timestamps_ns[15])
    locked = replace(labels.tracks["straight"].annotations[t], locked=True, box=shifted(labels, t))
    given = labels.with_track(labels.tracks["straight"].with_annotations([locked]))
    assert filled(log, given).tracks["straight"].annotations[t] is locked


@pytest.mark.parametrize("category", ["Car", "Truck"])
def test_a_key_frame_the_wrong_way_round_does_not_spin_the_vehicle(
    make_log, traffic, every, category
) -> None:
    log, keys = make_log(), every(traffic, 10)
    track = replace(keys.tracks["straight"], category=category)
    t = int(log.timestamps_ns[20])
    box = track.annotations[t].box
    ego_from_box = box.ego_from_box
    turned = replace(track.annotations[t], box=replace(box, ego_from_box=ego_from_box @ SE3.from_yaw(np.pi)))
    labels = filled(log, LabelSet.of([track.with_annotations([turned])]))
    others = labels.with_track(labels.tracks["straight"].without([t]))
    score = evaluate(others, LabelSet.of([replace(traffic.tracks["straight"], category=category)])).overall
    assert labels.tracks["straight"].annotations[t] is turned
    assert score.flips == 0
    assert score.yaw_rad < 1e-3


def test_a_vehicle_that_is_always_labelled_backwards_is_left_so(make_log, traffic, every) -> None:
    log, keys = make_log(), every(traffic, 10)
    track = keys.tracks["straight"]
    half_turn = SE3.from_yaw(np.pi)
    turned = [
        replace(a, box=replace(a.box, ego_from_box=a.box.ego_from_box @ half_turn))
        for a in track.annotations.values()
    ]
    labels = filled(log, LabelSet.of([track.with_annotations(turned)]))
    assert evaluate(labels, LabelSet.of([traffic.tracks["straight"]])).overall.flips == 1


def test_yaw_goes_the_short_way_across_the_seam(make_log, make_track) -> None:
    log = make_log(11)
    yaws_rad = np.linspace(np.pi - 0.2, np.pi + 0.2, 11)
    track = make_track("1", "Pedestrian", log, np.tile([12.0, 3.0, 0.0], (11, 1)), yaws_rad, (0.8, 0.8, 1.7))
    ends = LabelSet.of([track.without(log.timestamps_ns[1:-1].tolist())])
    assert evaluate(filled(log, ends), LabelSet.of([track])).overall.yaw_rad < 1e-9


def test_beyond_the_last_key_frame_it_goes_on_for_a_while(make_log, traffic, every) -> None:
    log = make_log()
    keys = every(traffic, 10)
    gone = keys.tracks["straight"].without(log.timestamps_ns[30:].tolist())
    track = filled(log, LabelSet.of([gone])).tracks["straight"]
    end_ns = max(track.annotations)
    assert log.timestamps_ns[22] <= end_ns <= log.timestamps_ns[30]
    last = track.annotations[end_ns]
    truth = traffic.tracks["straight"].annotations[end_ns]
    assert np.linalg.norm(last.box.center - truth.box.center) < 1e-3
    assert last.score < track.annotations[int(log.timestamps_ns[21])].score


def test_it_ends_before_a_key_frame_without_the_object(make_log, traffic, every) -> None:
    log, keys = make_log(), every(traffic, 10)
    without = keys.with_track(keys.tracks["straight"].without(log.timestamps_ns[30:].tolist()))
    track = filled(log, without).tracks["straight"]
    assert log.timestamps_ns[20] < max(track.annotations) < log.timestamps_ns[30]


def test_a_long_gap_is_not_bridged(make_log, traffic) -> None:
    log = make_log()
    config = Config(reconstruct=ReconstructConfig(longest_gap_s=1.0))
    ends = traffic.tracks["straight"].without(log.timestamps_ns[1:-1].tolist())
    there = filled(log, LabelSet.of([ends]), config).tracks["straight"].annotations
    assert not set(log.timestamps_ns[12:-12].tolist()) & set(there)


def test_one_key_frame_alone_goes_for_about_a_second_where_nothing_tells_how_far(make_log, traffic) -> None:
    log = make_log()
    single = traffic.tracks["parked"].without(log.timestamps_ns[1:].tolist())
    there = filled(log, LabelSet.of([single])).tracks["parked"].annotations
    assert log.timestamps_ns[3] < max(there) < log.timestamps_ns[15]


def test_one_key_frame_among_others_stands_still_for_a_while(make_log, traffic, every) -> None:
    log, keys = make_log(), every(traffic, 10)
    single = keys.tracks["parked"].without(log.timestamps_ns[1:].tolist())
    track = filled(log, keys.with_track(single)).tracks["parked"]
    count = len(track.annotations)
    assert list(track.annotations) == log.timestamps_ns[:count].tolist()
    assert 2 < count < 10
    cut = LabelSet.of([traffic.tracks["parked"].without(log.timestamps_ns[count:].tolist())])
    assert max(center_errors_m(LabelSet.of([track]), cut).values()) < 1e-9


def test_nothing_in_nothing_out(make_log) -> None:
    assert propagate(make_log(), LabelSet()) == ()
    assert propagate(make_log(), LabelSet.of([Track.of("1", "Car", [])])) == ()


def test_a_log_of_one_frame(make_log, traffic) -> None:
    log = make_log(1)
    keys = LabelSet.of(
        t.without(set(t.annotations) - {int(log.timestamps_ns[0])}) for t in traffic.tracks.values()
    )
    assert propagate(log, keys) == ()


def test_frames_and_key_frames_outside_of_the_trajectory_are_left_alone(make_log, traffic, every) -> None:
    log = make_log()
    known = log.trajectory.world_from_ego.take(slice(0, 31))
    short = replace(log, trajectory=Trajectory(log.timestamps_ns[:31], known))
    labels = filled(short, every(traffic, 10))
    track = labels.tracks["straight"]
    assert (
        max(t for t, a in track.annotations.items() if a.source is Source.INTERPOLATED)
        <= log.timestamps_ns[30]
    )
    assert int(log.timestamps_ns[40]) in track.annotations


def test_a_key_frame_between_two_frames_is_used(make_log, traffic) -> None:
    log = make_log()
    track = traffic.tracks["parked"]
    first, last = int(log.timestamps_ns[0]), int(log.timestamps_ns[-1])
    sparse: DriveLog = replace(log, timestamps_ns=log.timestamps_ns[5::10])
    keys = LabelSet.of([Track.of("parked", "Car", [track.annotations[first], track.annotations[last]])])
    new = set(filled(sparse, keys).tracks["parked"].annotations) - {first, last}
    assert new == set(sparse.timestamps_ns.tolist())


def test_progress_is_told(make_log, traffic, every) -> None:
    told: list[tuple[str, int, int]] = []
    propagate(make_log(), every(traffic, 10), progress=lambda *step: told.append(step))
    assert told == [("reconstruct", n, 5) for n in range(5)] + [("reconstruct", 5, 5)]


def test_detected_and_imported_boxes_are_given_too(make_log, traffic, every) -> None:
    keys = every(traffic, 10)
    track = keys.tracks["parked"]
    auto: list[Annotation] = [replace(a, source=Source.AUTO) for a in track.annotations.values()]
    labels = filled(make_log(), LabelSet.of([track.with_annotations(auto)]))
    assert sum(a.source is Source.AUTO for a in labels.tracks["parked"].annotations.values()) == len(auto)
