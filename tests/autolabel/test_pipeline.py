"""The whole way on a simulated street: one box, nothing, poses that jump, input that says little."""

from dataclasses import replace

import numpy as np
import pytest

from autolabel import Config, Given, label, propose
from autolabel.pipeline import applied
from calib.errors import CrosslabelError
from calib.se3 import SE3Batch
from fusion.compare import labels_equal
from fusion.evaluate import evaluate
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.log import DriveLog
from fusion.simulate import SimulationConfig, simulate
from fusion.simulate.visible import visible_only
from fusion.trajectory import Trajectory
from tests.in_memory import in_memory

SEED_FRAME = 10


@pytest.fixture(scope="module")
def street() -> tuple[DriveLog, LabelSet]:
    """Two seconds, and what can be seen in them."""
    log, truth = simulate(
        SimulationConfig(seed=31, seconds=2.0, cameras=1, image_size_px=(64, 36), azimuth_steps=1000)
    )
    log = in_memory(log)
    return log, visible_only(log, truth)


def at_frame(truth: LabelSet, log: DriveLog, frame: int) -> LabelSet:
    kept = int(log.timestamps_ns[frame])
    thinned = (track.without(t for t in track.annotations if t != kept) for track in truth.tracks.values())
    return LabelSet.of(track for track in thinned if track.annotations)


def seen_again(truth: LabelSet, keys: LabelSet) -> LabelSet:
    return LabelSet.of(track for track in truth.tracks.values() if track.id in keys.tracks)


@pytest.fixture(scope="module")
def from_one_box(street) -> tuple[LabelSet, LabelSet]:
    log, truth = street
    keys = at_frame(truth, log, SEED_FRAME)
    return keys, applied(keys, propose(log, keyframes=keys))


def test_one_box_of_each_object_is_followed_through_all_frames(street, from_one_box) -> None:
    log, truth = street
    keys, labels = from_one_box
    scores = evaluate(
        labels, seen_again(truth, keys), log, leave_out_ns=keys.timestamps_ns(), min_points=5
    ).overall
    assert scores.truth > 400
    # Measured 0.90 and 0.83: what stands is right to the bit, people in a crowd get lost.
    assert scores.recall_50 > 0.87
    assert scores.recall_70 > 0.8
    assert scores.id_switches == 0


def test_following_beats_leaving_the_boxes_where_they_are(street, from_one_box) -> None:
    log, truth = street
    keys, labels = from_one_box
    moving = {track.id for track in truth.tracks.values() if track.attributes.get("moving")}
    there = LabelSet.of(track for track in seen_again(truth, keys).tracks.values() if track.id in moving)
    boxes = LabelSet.of(track for track in labels.tracks.values() if track.id in moving)
    left = []
    for track in keys.tracks.values():
        (given,) = track.annotations.values()
        world_from_box = log.trajectory.at(given.timestamp_ns) @ given.box.ego_from_box
        moved = []
        for t in log.timestamps_ns.tolist():
            ego_from_world = log.trajectory.at(t).inverse()
            moved.append(Annotation(t, replace(given.box, ego_from_box=ego_from_world @ world_from_box)))
        left.append(Track.of(track.id, track.category, moved))
    out = keys.timestamps_ns()
    ours = evaluate(boxes, there, log, leave_out_ns=out, min_points=5).overall
    copied = LabelSet.of(track for track in left if track.id in moving)
    naive = evaluate(copied, there, log, leave_out_ns=out, min_points=5).overall
    assert ours.recall_50 > naive.recall_50 + 0.3


def test_what_was_given_is_the_same_object_afterwards(from_one_box) -> None:
    keys, labels = from_one_box
    for track in keys.tracks.values():
        for t, annotation in track.annotations.items():
            assert labels.tracks[track.id].annotations[t] is annotation


def test_a_jump_of_the_poses_costs_nothing(street, from_one_box) -> None:
    log, _ = street
    keys, labels = from_one_box
    poses = log.trajectory.world_from_ego
    at = int(np.searchsorted(log.trajectory.timestamps_ns, log.timestamps_ns[5]))
    places = poses.translations.copy()
    places[at - 2 : at + 3, 1] += 1.2
    bent = replace(
        log, trajectory=Trajectory(log.trajectory.timestamps_ns, SE3Batch(poses.rotations, places))
    )
    proposal = label(bent, Given(keyframes=keys), Config(rectangles=False))
    assert proposal.ego is not None
    assert proposal.ego.needs_repair
    again = applied(keys, proposal.edits)
    instants = log.timestamps_ns.tolist()
    scores = evaluate(again, labels, frames=instants).overall
    assert scores.recall_70 > 0.97


def test_out_of_nothing_come_cars_and_people(street) -> None:
    log, truth = street
    config = Config(rectangles=False)
    proposal = label(log, Given(), config)
    labels = applied(LabelSet(), proposal.edits)
    likely = LabelSet.of(track for track in labels.tracks.values() if track.attributes["score"] >= 0.3)
    scores = evaluate(likely, truth, log, min_points=20, max_range_m=40).overall
    assert scores.truth > 100
    assert scores.recall_50 > 0.5
    assert scores.precision_50 > 0.5
    assert all(
        annotation.source in (Source.AUTO, Source.INTERPOLATED)
        for track in labels.tracks.values()
        for annotation in track.annotations.values()
    )
    assert labels_equal(applied(LabelSet(), label(log, Given(), config).edits), labels)


def test_objects_have_rectangles_in_images_unless_nobody_wants_them(street, from_one_box) -> None:
    log, _ = street
    keys, labels = from_one_box
    assert any(track.image_boxes for track in labels.tracks.values())
    without = applied(keys, propose(log, keyframes=keys, config=Config(rectangles=False)))
    assert not any(track.image_boxes for track in without.tracks.values())


def test_nothing_given_and_nothing_to_search_is_an_error(street) -> None:
    log, _ = street
    with pytest.raises(CrosslabelError, match="no sweeps to find objects in"):
        propose(replace(log, sweeps={}))


def test_a_log_with_holes_is_labelled_all_the_same(street) -> None:
    log, truth = street
    holey = replace(log, sweeps={name: refs[::2] for name, refs in log.sweeps.items()})
    keys = at_frame(truth, log, SEED_FRAME)
    labels = applied(keys, propose(holey, keyframes=keys, config=Config(rectangles=False)))
    scores = evaluate(
        labels, seen_again(truth, keys), log, leave_out_ns=keys.timestamps_ns(), min_points=5
    ).overall
    assert scores.recall_50 > 0.8
