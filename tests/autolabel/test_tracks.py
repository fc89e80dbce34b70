"""Detections to tracks: exact objects seen with noise, gaps, doubles, flips and false alarms."""

from dataclasses import replace

import numpy as np

from autolabel import Config, track_detections
from calib.se3 import SE3
from fusion.evaluate import evaluate
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.trajectory import Trajectory


def tracked(log, detections: LabelSet, config: Config | None = None) -> LabelSet:
    return LabelSet.of(edit.track for edit in track_detections(log, detections, config))


def detections_of(truth: LabelSet, seed: int = 0, noise_m: float = 0.1, drop: float = 0.0, flip: float = 0.0):
    """Every annotation as a track of its own, jittered, some left out, some the wrong way round."""
    rng = np.random.default_rng(seed)
    found = []
    for track in truth.tracks.values():
        for annotation in track.annotations.values():
            ego_from_box = annotation.box.ego_from_box
            place = ego_from_box.translation + rng.normal(0, noise_m, 3)
            turn_rad = rng.normal(0, 0.03) + np.pi * (rng.random() < flip)
            size = annotation.box.size_lwh_m * rng.normal(1, 0.03, 3)
            score = float(rng.uniform(0.9, 1.0))
            ego_from_seen = SE3(ego_from_box.rotation, place) @ SE3.from_yaw(turn_rad)
            box = replace(
                annotation.box,
                ego_from_box=ego_from_seen,
                length_m=size[0],
                width_m=size[1],
                height_m=size[2],
            )
            seen = Annotation(annotation.timestamp_ns, box, Source.AUTO, score)
            if rng.random() >= drop:
                found.append(Track.of(f"d{len(found)}", track.category, [seen]))
    return LabelSet.of([found[i] for i in rng.permutation(len(found))])


def test_every_object_becomes_one_track(make_log, traffic) -> None:
    labels = tracked(make_log(), detections_of(traffic))
    score = evaluate(labels, traffic).overall
    assert len(labels.tracks) == len(traffic.tracks)
    assert score.id_switches == 0
    assert (score.recall_50, score.precision_50) == (1, 1)
    assert {t.category for t in labels.tracks.values()} == {"Car", "Pedestrian", "Truck"}


def test_tracks_are_nearer_to_the_truth_than_their_detections(make_log, traffic) -> None:
    detections = detections_of(traffic)
    before, after = (
        evaluate(detections, traffic).overall,
        evaluate(tracked(make_log(), detections), traffic).overall,
    )
    assert after.center_m < 0.7 * before.center_m
    assert after.mean_iou > before.mean_iou + 0.1


def test_missing_detections_are_filled_and_marked(make_log, traffic) -> None:
    labels = tracked(make_log(), detections_of(traffic, drop=0.3))
    assert evaluate(labels, traffic).overall.id_switches == 0
    for track in labels.tracks.values():
        spans = np.diff(list(track.annotations))
        assert (spans == spans[0]).all()
        assert {a.source for a in track.annotations.values()} == {Source.AUTO, Source.INTERPOLATED}


def test_what_is_filled_in_is_less_sure(make_log, traffic) -> None:
    for track in tracked(make_log(), detections_of(traffic, drop=0.3)).tracks.values():
        scores = {
            source: [a.score for a in track.annotations.values() if a.source is source]
            for source in (Source.AUTO, Source.INTERPOLATED)
        }
        assert max(scores[Source.INTERPOLATED]) < np.median(scores[Source.AUTO])


def test_flipped_headings_are_outvoted(make_log, traffic) -> None:
    assert evaluate(tracked(make_log(), detections_of(traffic, flip=0.3)), traffic).overall.flips == 0


def test_a_moving_vehicle_faces_its_motion_even_if_most_detections_do_not(make_log, traffic) -> None:
    moving = LabelSet.of([traffic.tracks["straight"]])
    labels = tracked(make_log(), detections_of(moving, flip=0.7))
    assert evaluate(labels, moving).overall.flips == 0


def test_one_size_a_track(make_log, traffic) -> None:
    for track in tracked(make_log(), detections_of(traffic)).tracks.values():
        assert len({tuple(a.box.size_lwh_m) for a in track.annotations.values()}) == 1


def test_doubles_are_suppressed(make_log, traffic) -> None:
    detections = detections_of(traffic)
    second = [
        replace(
            t, id=f"again-{t.id}", annotations={n: replace(a, score=0.86) for n, a in t.annotations.items()}
        )
        for t in detections_of(traffic, seed=1).tracks.values()
    ]
    labels = tracked(make_log(), LabelSet.of([*detections.tracks.values(), *second]))
    assert len(labels.tracks) == len(traffic.tracks)


def test_stray_detections_make_no_track(make_log, traffic) -> None:
    log = make_log()
    first = next(iter(traffic.tracks["parked"].annotations.values()))
    strays = [
        Track.of(f"s{n}", "Car", [replace(first, timestamp_ns=int(t), box=first.box, score=0.95)])
        for n, t in enumerate(log.timestamps_ns[[3, 30]])
    ]
    assert tracked(log, LabelSet.of(strays)).tracks == {}


def test_weak_detections_go_on_with_a_track_but_a_few_of_them_are_no_object(make_log, traffic) -> None:
    log = make_log()
    weak = LabelSet.of(
        replace(t, annotations={n: replace(a, score=0.1) for n, a in t.annotations.items()})
        for t in detections_of(LabelSet.of([traffic.tracks["parked"]])).tracks.values()
    )
    early = int(log.timestamps_ns[2])
    few = LabelSet.of(t for t in weak.tracks.values() if min(t.annotations) < early)
    assert tracked(log, few).tracks == {}
    late = int(log.timestamps_ns[10])
    mixed = LabelSet.of(
        t
        if min(t.annotations) > late
        else replace(t, annotations={n: replace(a, score=0.95) for n, a in t.annotations.items()})
        for t in weak.tracks.values()
    )
    (track,) = tracked(log, mixed).tracks.values()
    assert len(track.annotations) == len(log)


def test_what_a_surer_track_of_another_kind_sees_too_is_no_track(make_log, traffic) -> None:
    log, lorry = make_log(), LabelSet.of([traffic.tracks["lorry"]])
    cars = [
        Track.of(f"again-{t.id}", "Car", [replace(a, score=0.6) for a in t.annotations.values()])
        for t in detections_of(lorry, seed=1).tracks.values()
    ]
    alone = tracked(log, LabelSet.of(cars))
    both = tracked(log, LabelSet.of([*detections_of(lorry).tracks.values(), *cars]))
    assert [t.category for t in alone.tracks.values()] == ["Car"]
    assert [t.category for t in both.tracks.values()] == ["Truck"]


def test_names_count_up_by_appearance(make_log, traffic) -> None:
    log = make_log()
    late = traffic.with_track(traffic.tracks["parked"].without(log.timestamps_ns[:20].tolist()))
    tracks = list(tracked(log, detections_of(late)).tracks.values())
    assert [t.id for t in tracks] == ["1", "2", "3", "4", "5"]
    starts = [min(t.annotations) for t in tracks]
    assert starts == sorted(starts)


def test_the_order_of_the_detections_says_nothing(make_log, traffic) -> None:
    detections = detections_of(traffic)
    backwards = LabelSet.of(list(detections.tracks.values())[::-1])
    first, second = (track_detections(make_log(), d) for d in (detections, backwards))
    assert repr(first) == repr(second)
    assert [bytes_of(edit.track) for edit in first] == [bytes_of(edit.track) for edit in second]


def bytes_of(track: Track) -> bytes:
    return b"".join(a.box.ego_from_box.matrix.tobytes() for a in track.annotations.values())


def test_nothing_depends_on_the_origin_of_the_world(make_log, traffic) -> None:
    turned = SE3.from_quaternion_wxyz([0.8, 0.1, -0.2, 0.5], [5e5, -4e6, 300.0])
    detections = detections_of(traffic, drop=0.2)
    here, there = tracked(make_log(), detections), tracked(make_log(moved=turned), detections)
    for a, b in zip(here.tracks.values(), there.tracks.values(), strict=True):
        for t, annotation in a.annotations.items():
            ego_from_box = annotation.box.ego_from_box
            assert ego_from_box.is_close(b.annotations[t].box.ego_from_box, atol=1e-6)


def test_a_log_without_poses(make_log, traffic) -> None:
    log = make_log()
    standing = replace(log, trajectory=Trajectory.standing(log.timestamps_ns))
    score = evaluate(tracked(standing, detections_of(traffic)), traffic).overall
    assert score.id_switches == 0
    assert score.recall_50 > 0.95


def test_little_or_no_input(make_log, traffic) -> None:
    assert track_detections(make_log(), LabelSet()) == ()
    one = make_log(1)
    assert track_detections(one, detections_of(traffic)) == ()
    assert track_detections(make_log(), LabelSet.of([Track.of("1", "Car", [])])) == ()


def test_detections_at_instants_without_a_pose_are_left_out(make_log, traffic) -> None:
    log = make_log()
    known = log.trajectory.world_from_ego.take(slice(0, 31))
    short = replace(log, trajectory=Trajectory(log.timestamps_ns[:31], known))
    last = max(max(t.annotations) for t in tracked(short, detections_of(traffic)).tracks.values())
    assert last == log.timestamps_ns[30]
