"""Drives through one street are laid on each other, and only what still stands there is carried over."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from autolabel.trips import Verdict, align, label_across, share
from autolabel.trips.pictures import FromAbove
from autolabel.trips.told import changes, told
from calib import SE3, SE3Batch
from fusion import Boxes, DriveLog, Sweep, SweepRef, Trajectory
from fusion.edits import PutAnnotations, PutTrack, apply_automatic
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.overlap import iou_3d, iou_3d_paired
from fusion.simulate import Drive, SimulationConfig, visible_only
from fusion.simulate.actors import clock
from fusion.simulate.footprints import Occupancy
from fusion.simulate.trips import DAY_NS, Outing, random_streams
from tests.in_memory import in_memory

Disturb = Callable[[DriveLog, float, float], DriveLog]


def street(trip: int, seed: int = 21, **changes) -> SimulationConfig:
    base = SimulationConfig(f"trip {trip}", seed, trip, 1.5, rings=48, azimuth_steps=600, cameras=0)
    return replace(
        base, vehicles=6, pedestrians=8, cyclists=2, street_margin_m=70.0, label_range_m=50.0, **changes
    )


def with_sweeps(log: DriveLog, sweeps: list[Sweep]) -> DriveLog:
    refs = tuple(SweepRef(sweep.lidar, sweep.timestamp_ns, lambda sweep=sweep: sweep) for sweep in sweeps)
    return replace(log, sweeps={"lidar_top": refs})


def disturbed(log: DriveLog, off_m: float, off_deg: float) -> DriveLog:
    """Poses off by a shift and a turn about the middle of the way, and drifting by 1 % of it."""
    given = log.trajectory.world_from_ego
    middle = given.translations[len(given) // 2]
    bad_from_world = [SE3.from_yaw(np.radians(off_deg + 0.2 * k / len(given))) for k in range(len(given))]
    shift = off_m * np.array([0.6, 0.8, 0.0])
    bad_from_ego = []
    for turn, pose in zip(bad_from_world, given, strict=True):
        way_m = np.linalg.norm(pose.translation - given[0].translation)
        place = turn.rotation @ (pose.translation - middle) + middle + shift + [0.01 * way_m, 0, 0.4]
        bad_from_ego.append(SE3(turn.rotation @ pose.rotation, place))
    return replace(log, trajectory=Trajectory(log.trajectory.timestamps_ns, SE3Batch.stack(bad_from_ego)))


def off(found: Trajectory, truth: Trajectory, frames_ns: np.ndarray) -> tuple[float, float]:
    """Worst distance (m) and turn (deg)."""
    apart = truth.at_many(frames_ns).inverse() @ found.at_many(frames_ns)
    turns = [np.degrees(np.linalg.norm(motion.rotation_vector_rad)) for motion in apart]
    return float(np.linalg.norm(apart.translations, axis=1).max()), max(turns)


@dataclass(frozen=True, eq=False)
class Twice:
    """Two trips: what is true, and the second with bad poses."""

    drives: tuple[Drive, Drive]
    first: DriveLog
    second: DriveLog
    bad: DriveLog
    labels: tuple[LabelSet, LabelSet]

    @property
    def same(self) -> dict[str, str]:
        """Ids of what stands in both, by that of the first trip."""
        places = [
            {a.id: a.trajectory.world_from_ego[0].translation for a in drive.actors if not a.moving}
            for drive in self.drives
        ]
        return {
            a: b for a, p in places[0].items() for b, q in places[1].items() if np.abs(p - q).max() < 1e-6
        }


@pytest.fixture(scope="module")
def twice() -> Twice:
    drives = (Drive(street(0)), Drive(street(1)))
    first, second = (in_memory(drive.log()) for drive in drives)
    labels = [
        visible_only(log, drive.labels(), 5) for log, drive in zip((first, second), drives, strict=True)
    ]
    return Twice(drives, first, second, disturbed(second, 2.0, 3.0), (labels[0], labels[1]))


@pytest.fixture(scope="module")
def laid(twice):
    return align([twice.first, twice.bad])


def test_the_first_trip_is_what_a_drive_was_without_trips():
    config = street(0)
    assert Outing.of(config) == Outing(config.ego_speed_mps, 0.0, 0.0, 0)
    streams = [np.random.default_rng((config.seed, 0, k)) for k in range(4)]
    for found, expected in zip(random_streams(config), streams, strict=True):
        assert found.random() == expected.random()


def test_another_trip_finds_the_street_and_most_who_park_there_but_other_traffic(twice):
    first, second = twice.drives
    walls = [drive._furniture.vertices.tobytes() for drive in twice.drives]
    assert walls[0] == walls[1]
    assert second.timestamps_ns[0] - first.timestamps_ns[0] == DAY_NS
    parked = [a for a in first.actors if not a.moving and a.body.category != "pedestrian"]
    stayed = [id for id in twice.same if not id.startswith("pedestrian")]
    assert 0.5 < len(stayed) / len(parked) < 0.95
    ways = [drive.trajectory.world_from_ego.translations for drive in twice.drives]
    assert np.linalg.norm(ways[0][0] - ways[1][0]) > 0.2
    movers = [
        {tuple(a.trajectory.world_from_ego[0].translation) for a in d.actors if a.moving}
        for d in twice.drives
    ]
    assert not movers[0] & movers[1]


def test_nothing_runs_into_anything_on_another_trip(twice):
    second = twice.drives[1]
    ground = Occupancy.over(clock(second.config.seconds, second.start_ns))
    for actor in second.actors:
        if actor.body.category != "pedestrian":
            assert ground.add(actor, 0.0), actor.id


def test_another_trip_is_the_same_whenever_it_is_driven(twice):
    again = Drive(street(1))
    assert again.scan(3).sweep.points.tobytes() == twice.second.sweeps["lidar_top"][3].read().points.tobytes()
    assert again.trajectory.world_from_ego.translations.tobytes() == (
        twice.second.trajectory.world_from_ego.translations.tobytes()
    )


def test_trips_metres_apart_are_laid_on_each_other(twice, laid):
    assert off(twice.bad.trajectory, twice.second.trajectory, twice.second.timestamps_ns)[0] > 2.0
    way_m, turn_deg = off(laid.trips[1].trajectory, twice.second.trajectory, twice.second.timestamps_ns)
    assert way_m < 0.03 and turn_deg < 0.1
    assert laid.trips[1].meets and laid.trips[1].on_others.all()
    assert laid.trips[0].trajectory is twice.first.trajectory
    assert "moved by" in str(laid) and laid.trips[1].moved_m == pytest.approx(2.04, abs=0.1)
    (span,) = laid.trips[1].stretches_ns
    assert span == (twice.second.timestamps_ns[0], twice.second.timestamps_ns[-1])


def test_poses_as_bad_as_between_houses_are_survived(twice):
    bad = disturbed(twice.second, 10.0, -5.0)
    found = align([twice.first, bad]).trips[1].trajectory
    way_m, turn_deg = off(found, twice.second.trajectory, twice.second.timestamps_ns)
    assert way_m < 0.03 and turn_deg < 0.1


def test_the_same_trips_are_laid_the_same(twice, laid):
    again = align([twice.first, twice.bad])
    for one, other in zip(laid.trips, again.trips, strict=True):
        a, b = one.trajectory.world_from_ego, other.trajectory.world_from_ego
        assert a.translations.tobytes() == b.translations.tobytes()
        assert a.rotations.tobytes() == b.rotations.tobytes()


def test_a_trip_through_another_street_comes_back_as_it_is(twice):
    stranger = in_memory(Drive(street(0, seed=33, style="straight")).log())
    alignment = align([twice.first, stranger])
    assert alignment.trips[1].trajectory is stranger.trajectory
    assert not alignment.trips[0].meets and not alignment.trips[1].meets
    assert "meets none" in str(alignment.trips[1]) and alignment.trips[1].stretches_ns == ()
    labels = LabelSet.of(list(twice.labels[0].tracks.values()))
    shared = share([(twice.first, labels), (stranger, LabelSet())], alignment)
    assert shared.edits == ((), ()) and shared.findings == ()


def test_a_car_that_comes_by_again_finds_itself(twice):
    """The first trip and, a minute later, the second with bad poses, as one log."""
    late_ns = int(twice.first.timestamps_ns[-1]) + 60_000_000_000 - int(twice.second.timestamps_ns[0])

    def joined(second: Trajectory) -> Trajectory:
        a, b = twice.first.trajectory, second
        poses = [
            np.concatenate(p)
            for p in zip(
                *((t.world_from_ego.rotations, t.world_from_ego.translations) for t in (a, b)), strict=True
            )
        ]
        return Trajectory(np.concatenate([a.timestamps_ns, b.timestamps_ns + late_ns]), SE3Batch(*poses))

    bad = disturbed(twice.second, 1.0, 1.0)
    # The way between, which is not in the log, is long: so the car is taken around the block.
    sweeps = [ref.read() for ref in twice.first.sweeps["lidar_top"]]
    sweeps += [
        replace(sweep, timestamp_ns=sweep.timestamp_ns + late_ns)
        for sweep in (ref.read() for ref in twice.second.sweeps["lidar_top"])
    ]
    frames_ns = np.array([sweep.timestamp_ns for sweep in sweeps])
    log = with_sweeps(
        replace(twice.first, timestamps_ns=frames_ns, trajectory=around(joined(bad.trajectory))), sweeps
    )
    (trip,) = align([log]).trips
    assert trip.loops and not trip.meets
    count = len(twice.first.timestamps_ns)
    truth = joined(twice.second.trajectory)
    assert off(trip.trajectory, truth, frames_ns[:count])[0] < 1e-6
    assert off(trip.trajectory, truth, frames_ns[count:])[0] < 0.05


def around(trajectory: Trajectory) -> Trajectory:
    """With poses far away put into the longest pause."""
    times_ns, poses = trajectory.timestamps_ns, trajectory.world_from_ego
    k = int(np.argmax(np.diff(times_ns))) + 1
    far = poses.translations[k - 1] + np.array([[60.0, 80.0, 0.0], [-40.0, 80.0, 0.0]])
    between_ns = times_ns[k - 1] + np.array([20_000_000_000, 40_000_000_000])
    places = np.insert(poses.translations, k, far, axis=0)
    rotations = np.insert(poses.rotations, k, poses.rotations[[k, k]], axis=0)
    return Trajectory(np.insert(times_ns, k, between_ns), SE3Batch(rotations, places))


def test_trips_without_scans_and_no_trips_at_all(twice):
    assert align([]).trips == ()
    blind = replace(twice.bad, sweeps={})
    alignment = align([twice.first, blind])
    assert alignment.trips[1].trajectory is blind.trajectory and not alignment.trips[1].meets
    assert align([blind, twice.first]).trips[1].trajectory is twice.first.trajectory


def carried(shared, trip: int) -> dict[str, Track]:
    return {edit.track.id: edit.track for edit in shared.edits[trip] if isinstance(edit, PutTrack)}


def test_what_stands_is_carried_over_and_nothing_is_invented(twice, laid):
    shared = share([(twice.first, twice.labels[0]), (twice.bad, LabelSet())], laid)
    put, truth = carried(shared, 1), twice.labels[1]
    assert len(put) >= 4 and not carried(shared, 0)
    ious = []
    for track in put.values():
        assert not track.id.startswith("pedestrian")
        for t, annotation in track.annotations.items():
            assert annotation.source is Source.AUTO and 0 < annotation.score <= 1 and not annotation.locked
            there = Boxes.stack(a.box for _, a in truth.at(t))
            ious.append(float(iou_3d(Boxes.stack([annotation.box]), there).max()))
    assert min(ious) > 0.7 and np.mean(np.array(ious) > 0.9) > 0.97
    wanted = {
        (a, t)
        for a, b in twice.same.items()
        if a in twice.labels[0].tracks and b in truth.tracks and not a.startswith("pedestrian")
        for t, s in truth.tracks[b].annotations.items()
        if s.attributes["num_points"] >= 20
    }
    found = {(id, t) for id, track in put.items() for t in track.annotations}
    assert len(wanted & found) / len(wanted) > 0.95


def test_who_has_left_is_said_to_be_gone(twice, laid):
    shared = share([(twice.first, twice.labels[0]), (twice.bad, LabelSet())], laid)
    left = {a.id for a in twice.drives[0].actors if not a.moving and a.id not in twice.same} - {
        id for id in twice.labels[0].tracks if id.startswith("pedestrian")
    }
    verdicts = {f.track_id: f for f in shared.findings}
    looked = [verdicts[id] for id in left if id in verdicts and verdicts[id].verdict is not Verdict.UNSEEN]
    assert looked and all(f.changed for f in looked)
    assert not left & set(carried(shared, 1))


def shifted(labels: LabelSet, ids: set[str], by_m: float, **changes) -> LabelSet:
    """Labels of some tracks, every box moved to its own left."""
    tracks = []
    for id in sorted(ids):
        track = labels.tracks[id]
        box_from_bad = SE3(np.eye(3), np.array([0.0, by_m, 0.0]))
        moved = [
            replace(
                a,
                box=replace(a.box, ego_from_box=a.box.ego_from_box @ box_from_bad),
                source=Source.AUTO,
                **changes,
            )
            for a in track.annotations.values()
        ]
        tracks.append(replace(track, annotations={a.timestamp_ns: a for a in moved}))
    return LabelSet.of(tracks)


@pytest.fixture(scope="module")
def well_seen(twice) -> dict[str, str]:
    """What stands in both trips and is seen well in both."""

    def points(labels: LabelSet, id: str) -> int:
        return max(
            (int(a.attributes["num_points"]) for a in labels.tracks[id].annotations.values()), default=0
        )

    both = {
        a: b
        for a, b in twice.same.items()
        if not a.startswith("pedestrian") and a in twice.labels[0].tracks and b in twice.labels[1].tracks
    }
    return {a: b for a, b in both.items() if min(points(twice.labels[0], a), points(twice.labels[1], b)) > 60}


def test_what_both_trips_have_labelled_gets_one_box(twice, laid, well_seen):
    given = (
        shifted(twice.labels[0], {*well_seen}, 0.2),
        shifted(twice.labels[1], {*well_seen.values()}, -0.2),
    )
    shared = share([(twice.first, given[0]), (twice.bad, given[1])], laid)
    edits = [e for some in shared.edits for e in some if isinstance(e, PutAnnotations)]
    assert len(edits) == 2 * len(well_seen) and not carried(shared, 0) and not carried(shared, 1)
    for labels, truth, some in zip(given, twice.labels, shared.edits, strict=True):
        for edit in some:
            before, after = labels.tracks[edit.track_id], apply_automatic(labels, edit).tracks[edit.track_id]
            for t, annotation in truth.tracks[edit.track_id].annotations.items():
                true = Boxes.stack([annotation.box])
                ious = [
                    float(iou_3d_paired(Boxes.stack([s.annotations[t].box]), true)[0])
                    for s in (before, after)
                ]
                assert ious[1] > ious[0]


def test_what_a_person_drew_or_locked_stays_and_decides(twice, laid, well_seen):
    for firmness in ({"source": Source.HUMAN}, {"locked": True}):
        firm = {
            id: replace(t, annotations={k: replace(a, **firmness) for k, a in t.annotations.items()})
            for id, t in twice.labels[0].tracks.items()
            if id in well_seen
        }
        given = shifted(twice.labels[1], {*well_seen.values()}, 0.4)
        shared = share([(twice.first, LabelSet.of(firm.values())), (twice.bad, given)], laid)
        for edit in shared.edits[0]:
            assert isinstance(edit, PutAnnotations)
            assert not {a.timestamp_ns for a in edit.annotations} & set(firm[edit.track_id].annotations)
        assert shared.edits[1]
        for edit in shared.edits[1]:
            for annotation in edit.annotations:
                true = twice.labels[1].tracks[edit.track_id].annotations.get(annotation.timestamp_ns)
                if true is not None:
                    pair = [Boxes.stack([a.box]) for a in (annotation, true)]
                    assert iou_3d_paired(*pair)[0] > 0.9


def test_nothing_is_put_into_what_another_label_holds(twice, laid, well_seen):
    id, other = next(iter(well_seen.items()))
    only = LabelSet.of([twice.labels[0].tracks[id]])
    plain = carried(share([(twice.first, only), (twice.bad, LabelSet())], laid), 1)[id]
    taken_ns = [*plain.annotations][::2]
    held = [twice.labels[1].tracks[other].annotations[t] for t in taken_ns]
    # A short-lived track that moves: it is not the same thing, yet it stands there.
    away = Annotation(
        int(twice.bad.timestamps_ns[-1]), replace(held[0].box, ego_from_box=SE3.from_yaw(0.0, (40, 0, 1)))
    )
    holder = Track.of("holder", "van", [*held[:-1], away] if len(held) > 1 else held)
    shared = share([(twice.first, only), (twice.bad, LabelSet.of([holder]))], laid)
    put = carried(shared, 1).get(id)
    kept = set() if put is None else set(put.annotations)
    assert not kept & {a.timestamp_ns for a in held[:-1]}


def test_ids_that_are_taken_are_not_used_twice(twice, laid, well_seen):
    id, other = next(iter(well_seen.items()))
    only = LabelSet.of([twice.labels[0].tracks[id]])
    stranger = Track.of(
        id,
        "car",
        [
            Annotation(
                int(twice.bad.timestamps_ns[0]),
                replace(
                    next(iter(twice.labels[1].tracks[other].annotations.values())).box,
                    ego_from_box=SE3.from_yaw(0.0, (0, 90, 0)),
                ),
            )
        ],
    )
    put = carried(share([(twice.first, only), (twice.bad, LabelSet.of([stranger]))], laid), 1)
    assert set(put) == {f"{id}-2"}


def test_one_call_does_it_all_and_pictures_show_it(twice, laid):
    across = label_across([(twice.first, twice.labels[0]), (twice.bad, LabelSet())])
    assert across.alignment.trips[1].meets and carried(across.shared, 1)
    logs, findings = (twice.first, twice.bad), across.shared.findings
    labels = (twice.labels[0], LabelSet.of(carried(across.shared, 1).values()))
    above = FromAbove.of(logs, across.alignment)
    before, after = above.trips(found=False), above.trips(found=True)
    assert before.shape == after.shape and before.dtype == np.uint8

    def dark(picture: np.ndarray) -> float:
        """Where all trips saw something: the colours of two mixed are darker than either."""
        return float((picture.max(axis=2) < 110).mean())

    assert dark(after) > 1.3 * dark(before)
    things = above.things(labels, findings, changes(logs, findings))
    assert things.shape == after.shape
    colours = {tuple(c) for c in things.reshape(-1, 3).tolist()}
    assert {(20, 150, 60), (210, 20, 40)} <= colours  # carried over, gone


def test_a_trip_is_told_in_words_and_figures(twice, laid):
    shared = share([(twice.first, twice.labels[0]), (twice.bad, LabelSet())], laid)
    logs = (twice.first, twice.bad)
    changed = changes(logs, shared.findings)
    assert {change.kind for change in changed} <= {"gone", "replaced"} and changed
    assert {c.kind for c in changes(logs[::-1], shared.findings)} == {c.kind for c in changed}
    said = told(laid.trips[1], shared.edits[1], shared.findings, changed)
    assert [one["track"] for one in said["carried"]] == [*carried(shared, 1)]
    assert {one["from"] for one in said["carried"]} == {"trip 0"}
    assert said["alignment"]["meets"] and said["alignment"]["residual_m"] < 0.02
    assert said["changes"] == []
    assert len(told(laid.trips[0], (), shared.findings, changed)["changes"]) == len(changed)


def test_what_nobody_is_sure_of_is_not_carried_over(twice, laid, well_seen):
    tracks = [twice.labels[0].tracks[id] for id in well_seen]

    def scored(track: Track, score: float) -> Track:
        made = {t: replace(a, source=Source.AUTO, score=score) for t, a in track.annotations.items()}
        return replace(track, annotations=made)

    for score, expected in ((0.2, set()), (0.8, {*well_seen})):
        given = LabelSet.of(scored(track, score) for track in tracks)
        assert {*carried(share([(twice.first, given), (twice.bad, LabelSet())], laid), 1)} == expected
