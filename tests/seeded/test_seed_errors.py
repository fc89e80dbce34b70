"""Errors are what they say they are, and all else stays as it was."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.errors import CrosslabelError
from formats.kitti_tracking import KITTI_TRACKING
from formats.pandaset import PANDASET
from fusion.align import points_in_ego, read_deskewed
from fusion.boxes import Box3D
from fusion.compare import labels_equal
from fusion.labels import Annotation, ImageBox, LabelSet, Track
from fusion.log import DriveLog
from fusion.overlap import points_in_box
from fusion.seeded import LEVELS, ErrorKind, Level, SeedConfig, Seeded, SeededError, Survey, seed_errors

Drive = tuple[DriveLog, LabelSet]
SENSORS = (ErrorKind.DRIFT, ErrorKind.CLOCK)


def of_kind(drive: Drive, survey: Survey, kind: ErrorKind, amount: float, seed: int = 3) -> Seeded:
    """One error of one level."""
    config = SeedConfig(seed=seed, count=1, levels=(Level(kind, amount),))
    seeded = seed_errors(*drive, config, survey)
    assert len(seeded.errors) == 1, seeded.left_out
    return seeded


def boxes_of(seeded: Seeded, error: SeededError) -> list[tuple[Box3D, Box3D]]:
    """Before and after, in the frames of an error."""
    assert error.track_id is not None
    before, after = seeded.undisturbed.tracks[error.track_id], seeded.labels.tracks[error.track_id]
    return [(before.annotations[t].box, after.annotations[t].box) for t in error.timestamps_ns]


def changed_frames(seeded: Seeded) -> dict[str, set[int]]:
    """By track the frames at which its annotation differs, came or went."""
    before, after = seeded.undisturbed.tracks, seeded.labels.tracks
    found = {}
    for id in before.keys() | after.keys():
        old = before[id].annotations if id in before else {}
        new = after[id].annotations if id in after else {}
        frames = {t for t in old.keys() | new.keys() if old.get(t) is not new.get(t)}
        if frames:
            found[id] = frames
    return found


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_what_is_not_told_is_not_changed(seed: int) -> None:
    drive, survey = SHARED["drive"], SHARED["survey"]
    seeded = seed_errors(*drive, SeedConfig(seed=seed, share=0.4, most_boxes=0.3), survey)
    assert seeded.undisturbed is drive[1]
    named = {id for error in seeded.errors for id in (error.track_id, error.other_id) if id is not None}
    assert changed_frames(seeded).keys() <= named
    one_id_each = [error.track_id for error in seeded.errors if error.track_id is not None]
    assert len(one_id_each) == len(set(one_id_each))
    changed = changed_frames(seeded)
    for error in seeded.errors:
        if error.kind in (ErrorKind.CUT, ErrorKind.SWAP_FAR, ErrorKind.SWAP_NEAR, ErrorKind.LATE):
            assert error.timestamps_ns[-1] in changed[error.track_id]
        elif error.kind not in (*SENSORS, ErrorKind.CLASS_GROSS, ErrorKind.CLASS_LIKE):
            own = changed.get(error.track_id, set())
            # A wrong attribute of a track as a whole leaves its boxes alone.
            assert own == set(error.timestamps_ns) or (not own and "attribute" in error.kind)


SHARED: dict = {}


@pytest.fixture(scope="module", autouse=True)
def shared(drive: Drive, survey: Survey) -> None:
    """Hypothesis wants no fixtures of a narrower scope, so they are handed over like this."""
    SHARED.update(drive=drive, survey=survey)


def test_the_same_seed_makes_the_same_errors(drive: Drive, survey: Survey) -> None:
    config = SeedConfig(seed=5)
    one, same = seed_errors(*drive, config, survey), seed_errors(*drive, config, Survey.of(*drive))
    other = seed_errors(*drive, replace(config, seed=6), survey)
    assert one.errors == same.errors and labels_equal(one.labels, same.labels)
    assert one.errors != other.errors


def test_most_of_the_log_stays_clean(drive: Drive, survey: Survey) -> None:
    tracks, boxes = len(drive[1].tracks), drive[1].annotation_count
    for seed in range(8):
        seeded = seed_errors(*drive, SeedConfig(seed=seed), survey)
        assert 0 < len(seeded.errors) <= round(0.15 * tracks) + 1
        assert sum(len(error.timestamps_ns) for error in seeded.errors) <= 0.05 * boxes + 1


def test_errors_keep_apart(drive: Drive, survey: Survey) -> None:
    config = SeedConfig(seed=1, share=1.0, most_boxes=1.0, apart_m=8.0)
    seeded = seed_errors(*drive, config, survey)
    where: dict[int, list[tuple[int, np.ndarray]]] = {}
    for number, error in enumerate(seeded.errors):
        life = survey.lives.get(error.track_id or "")
        for t, place in zip(life.timestamps_ns, life.places_world, strict=True) if life else ():
            if int(t) in error.timestamps_ns:
                where.setdefault(int(t), []).append((number, place[:2]))
    pairs = [(a, b) for each in where.values() for a in each for b in each if a[0] < b[0]]
    assert len(pairs) > 20
    assert min(np.linalg.norm(a[1] - b[1]) for a, b in pairs) >= 8.0


@pytest.mark.parametrize("amount", [0.2, 1.0])
@pytest.mark.parametrize("kind", [ErrorKind.SHIFT_ONE, ErrorKind.SHIFT_SEVERAL])
def test_shift(drive: Drive, survey: Survey, kind: ErrorKind, amount: float) -> None:
    seeded = of_kind(drive, survey, kind, amount)
    pairs = boxes_of(seeded, seeded.errors[0])
    assert len(pairs) == (1 if kind is ErrorKind.SHIFT_ONE else 5)
    for before, after in pairs:
        way = before.ego_from_box.inverse() @ after.center
        assert sorted(np.abs(way).round(9)) == [0, 0, amount]
        assert np.array_equal(before.ego_from_box.rotation, after.ego_from_box.rotation)


def test_turn_and_flip(drive: Drive, survey: Survey) -> None:
    for kind, amount in ((ErrorKind.TURN, 20.0), (ErrorKind.FLIP_MOVING, 180.0)):
        seeded = of_kind(drive, survey, kind, amount)
        for before, after in boxes_of(seeded, seeded.errors[0]):
            before_from_after = before.ego_from_box.inverse() @ after.ego_from_box
            assert abs(before_from_after.yaw_rad) == pytest.approx(np.radians(amount))
            assert np.array_equal(before.center, after.center)


def test_what_is_flipped_moves_or_stands(drive: Drive, survey: Survey) -> None:
    log, truth = drive
    for kind, moving in ((ErrorKind.FLIP_MOVING, True), (ErrorKind.FLIP_STANDING, False)):
        for seed in range(4):
            error = of_kind(drive, survey, kind, 180.0, seed).errors[0]
            track = truth.tracks[error.track_id]
            ends = [log.trajectory.at(t) @ track.annotations[t].box.center for t in error.timestamps_ns]
            way_m = np.linalg.norm((ends[-1] - ends[0])[:2])
            assert way_m > 0.8 if moving else way_m < 0.2


@pytest.mark.parametrize("kind", [ErrorKind.SIZE_ONE, ErrorKind.SIZE_TRACK])
def test_size(drive: Drive, survey: Survey, kind: ErrorKind) -> None:
    seeded = of_kind(drive, survey, kind, 20.0)
    pairs = boxes_of(seeded, seeded.errors[0])
    whole = len(drive[1].tracks[seeded.errors[0].track_id].annotations)
    assert len(pairs) == (1 if kind is ErrorKind.SIZE_ONE else whole)
    for before, after in pairs:
        ratios = after.size_lwh_m / before.size_lwh_m
        assert abs(ratios[0] - 1) == pytest.approx(0.2) and ratios[1] == pytest.approx(ratios[0])
        assert ratios[2] == 1


def test_height(drive: Drive, survey: Survey) -> None:
    seeded = of_kind(drive, survey, ErrorKind.HEIGHT, 0.5)
    for before, after in boxes_of(seeded, seeded.errors[0]):
        assert np.abs(after.center - before.center) == pytest.approx([0, 0, 0.5], abs=0.05)


def test_missing(drive: Drive, survey: Survey) -> None:
    seeded = of_kind(drive, survey, ErrorKind.MISSING_BOX, 0.0)
    error = seeded.errors[0]
    left = seeded.labels.tracks[error.track_id].annotations
    assert error.timestamps_ns[0] not in left and min(left) < error.timestamps_ns[0] < max(left)
    seeded = of_kind(drive, survey, ErrorKind.MISSING_TRACK, 50.0)
    error = seeded.errors[0]
    assert error.track_id not in seeded.labels.tracks
    gone = drive[1].tracks[error.track_id]
    counts = []
    for t, annotation in gone.annotations.items():
        sweep = read_deskewed(drive[0], drive[0].sweep_at(t))
        counts.append(points_in_box(points_in_ego(drive[0], sweep), annotation.box).sum())
    assert np.median(counts) >= 50


def test_spurious_boxes_are_empty_or_full(drive: Drive, survey: Survey) -> None:
    log = drive[0]
    for kind, empty in ((ErrorKind.EMPTY, True), (ErrorKind.CLUTTER, False)):
        for seed in range(4):
            seeded = of_kind(drive, survey, kind, 0.0, seed)
            track = seeded.labels.tracks[seeded.errors[0].track_id]
            assert track.id not in drive[1].tracks and len(track.annotations) == 5
            places = []
            for t, annotation in track.annotations.items():
                points = points_in_ego(log, read_deskewed(log, log.sweep_at(t)))
                inside = int(points_in_box(points, annotation.box).sum())
                assert inside == 0 if empty else inside >= 10
                others = [a.box.center for other, a in drive[1].at(t) if other.id != track.id]
                assert min(np.linalg.norm((annotation.box.center - o)[:2]) for o in others) > 5
                places.append(log.trajectory.at(t) @ annotation.box.center)
            assert np.ptp(places, axis=0).max() < 1e-6


def test_duplicate(drive: Drive, survey: Survey) -> None:
    seeded = of_kind(drive, survey, ErrorKind.DUPLICATE, 0.3)
    error = seeded.errors[0]
    first, second = seeded.labels.tracks[error.other_id], seeded.labels.tracks[error.track_id]
    assert first is drive[1].tracks[first.id] and first.category == second.category
    assert tuple(second.annotations) == error.timestamps_ns
    for t, annotation in second.annotations.items():
        apart_m = np.linalg.norm(annotation.box.center - first.annotations[t].box.center)
        assert apart_m == pytest.approx(0.3)


def test_cut_and_swap_move_every_box_to_another_id(drive: Drive, survey: Survey) -> None:
    for kind in (ErrorKind.CUT, ErrorKind.SWAP_FAR, ErrorKind.SWAP_NEAR):
        amount = next(level.amount for level in LEVELS if level.kind is kind)
        seeded = of_kind(drive, survey, kind, amount)
        error = seeded.errors[0]
        ids = (error.track_id, error.other_id)
        before = [drive[1].tracks[id] for id in ids if id in drive[1].tracks]
        after = [seeded.labels.tracks[id] for id in ids]
        assert len(after) == 2 and len(before) == (1 if kind is ErrorKind.CUT else 2)
        owners = [{id(a) for track in side for a in track.annotations.values()} for side in (before, after)]
        assert owners[0] == owners[1]
        last, first = error.timestamps_ns
        whole = before[0].annotations
        assert after[0].annotations[last] is whole[last] and after[1].annotations[first] is whole[first]
        if kind is not ErrorKind.CUT:
            centers = [track.annotations[last].box.center for track in before]
            apart_m = np.linalg.norm(centers[0] - centers[1])
            assert 1.5 <= apart_m <= 8 if kind is ErrorKind.SWAP_NEAR else apart_m >= 15
            assert before[0].category == before[1].category


def test_late_boxes_are_where_the_object_was(drive: Drive, survey: Survey) -> None:
    seeded = of_kind(drive, survey, ErrorKind.LATE, 2.0)
    error, trajectory = seeded.errors[0], drive[0].trajectory
    before, after = drive[1].tracks[error.track_id].annotations, seeded.labels.tracks[error.track_id]
    frames = list(before)
    assert list(after.annotations) == frames[2:]
    for was, now in zip(frames, frames[2:], strict=False):
        there = trajectory.at(was) @ before[was].box.center
        here = trajectory.at(now) @ after.annotations[now].box.center
        assert here == pytest.approx(there, abs=1e-6)


def test_classes(drive: Drive, survey: Survey) -> None:
    for kind, pairs in (
        (ErrorKind.CLASS_LIKE, ({"car", "truck"}, {"truck", "bus"})),
        (ErrorKind.CLASS_GROSS, ({"pedestrian", "car"}, {"pedestrian", "truck"}, {"pedestrian", "bus"})),
    ):
        for seed in range(5):
            seeded = of_kind(drive, survey, kind, 0.0, seed)
            id = seeded.errors[0].track_id
            assert {seeded.labels.tracks[id].category, drive[1].tracks[id].category} in pairs


def test_attributes(drive: Drive, survey: Survey) -> None:
    seeded = of_kind(drive, survey, ErrorKind.WRONG_MOTION, 0.0)
    id = seeded.errors[0].track_id
    before, after = drive[1].tracks[id].attributes["moving"], seeded.labels.tracks[id].attributes["moving"]
    assert after is (not before)
    seeded = of_kind(drive, survey, ErrorKind.NO_ATTRIBUTE, 0.0)
    assert "moving" not in seeded.labels.tracks[seeded.errors[0].track_id].attributes


def test_a_camera_is_turned_or_its_clock_moved(drive: Drive, survey: Survey) -> None:
    log, truth = drive
    seeded = of_kind(drive, survey, ErrorKind.DRIFT, 0.5)
    camera = seeded.errors[0].camera
    assert seeded.labels.tracks == truth.tracks
    for name, sensor in seeded.log.rig.cameras.items():
        given = log.rig.cameras[name].ego_from_sensor
        off = given.inverse() @ sensor.ego_from_sensor
        angle_deg = np.degrees(np.linalg.norm(off.rotation_vector_rad))
        assert angle_deg == pytest.approx(0.5 if name == camera else 0.0, abs=1e-6)
        assert np.array_equal(sensor.ego_from_sensor.translation, given.translation)

    with_boxes = track_with_rectangle(truth, log)
    seeded = of_kind((log, with_boxes), replace(survey, labels=with_boxes), ErrorKind.CLOCK, 20.0)
    camera = seeded.errors[0].camera
    for name, refs in seeded.log.images.items():
        given_ns = {ref.timestamp_ns for ref in log.images[name]}
        late_ns = 20_000_000 * (1 if "+20" in seeded.errors[0].words else -1) * (name == camera)
        assert {ref.timestamp_ns - late_ns for ref in refs} <= given_ns
        assert len(given_ns) - len(refs) <= 1
        stamps = {t for track in seeded.labels.tracks.values() for c, t in track.image_boxes if c == name}
        assert stamps == {log.images[name][3].timestamp_ns + late_ns}


def track_with_rectangle(truth: LabelSet, log: DriveLog) -> LabelSet:
    track = next(iter(truth.tracks.values()))
    boxes = {(name, refs[3].timestamp_ns): ImageBox(1, 2, 3, 4) for name, refs in log.images.items()}
    return truth.with_track(replace(track, image_boxes=boxes))


def test_rectangles_go_with_their_boxes(drive: Drive, survey: Survey) -> None:
    log, truth = drive
    shots = [ref.timestamp_ns for ref in log.images["cam_front"]]
    rectangles = {("cam_front", t): ImageBox(1, 2, 3, 4) for t in shots}
    labels = replace(truth, tracks={id: replace(t, image_boxes=rectangles) for id, t in truth.tracks.items()})
    drive = (log, labels)
    surveyed = Survey.of(*drive)
    error_at = of_kind(drive, surveyed, ErrorKind.MISSING_BOX, 0.0)
    error = error_at.errors[0]
    assert len(error_at.labels.tracks[error.track_id].image_boxes) == len(shots) - 1
    cut = of_kind(drive, surveyed, ErrorKind.CUT, 0.0)
    parts = [cut.labels.tracks[id] for id in (cut.errors[0].track_id, cut.errors[0].other_id)]
    assert sum(len(part.image_boxes) for part in parts) == len(shots)
    seam_ns = sum(cut.errors[0].timestamps_ns) // 2
    assert all(t > seam_ns for _, t in parts[1].image_boxes)


def test_without_sweeps_what_needs_points_is_left_out(drive: Drive) -> None:
    log, truth = drive
    blind = replace(log, sweeps={}, images={})
    seeded = seed_errors(blind, truth, SeedConfig(count=1))
    kinds = {error.kind for error in seeded.errors}
    gone = {ErrorKind.MISSING_TRACK, ErrorKind.EMPTY, ErrorKind.CLUTTER, *SENSORS}
    gone |= {ErrorKind.HEIGHT, ErrorKind.LATE}
    assert not kinds & gone and {ErrorKind.SHIFT_ONE, ErrorKind.SWAP_FAR, ErrorKind.CUT} <= kinds
    for kind in gone:
        assert any(line.startswith(kind.value) for line in seeded.left_out)


def test_points_that_a_data_set_tells_stand_in_for_sweeps(drive: Drive) -> None:
    log, truth = drive
    poor = sorted(truth.tracks)[::2]

    def told(track: Track) -> Track:
        points = 2 if track.id in poor else 100
        return track.with_annotations(
            replace(a, attributes={"num_interior_pts": points}) for a in track.annotations.values()
        )

    labels = LabelSet.of(told(track) for track in truth.tracks.values())
    level = (Level(ErrorKind.SHIFT_ONE, 1.0),)
    seeded = seed_errors(replace(log, sweeps={}), labels, SeedConfig(count=30, levels=level))
    assert len(seeded.errors) > 5
    assert not {error.track_id for error in seeded.errors} & set(poor)


def test_odd_label_sets_make_no_fuss(drive: Drive) -> None:
    log, _ = drive
    late = int(log.timestamps_ns[-1]) + 10**12
    alone = Annotation(late, Box3D.upright((5, 0, 0), (4, 2, 1.5), 0.0))
    for labels in (
        LabelSet(),
        LabelSet.of([Track("nothing", "car")]),
        LabelSet.of([Track.of("late", "car", [alone])]),
        LabelSet.of([Track.of("one", "car", [replace(alone, timestamp_ns=int(log.timestamps_ns[0]))])]),
    ):
        seeded = seed_errors(replace(log, images={}), labels, SeedConfig(count=1))
        assert seeded.left_out and all(error.track_id is not None for error in seeded.errors)


def test_nonsense_is_refused() -> None:
    for change in ({"share": 0.0}, {"most_boxes": 2.0}, {"run": 0}, {"count": 0}, {"seed": -1}):
        with pytest.raises(CrosslabelError, match="cannot be seeded"):
            SeedConfig(**change)


def test_real_labels(shared_data: Path) -> None:
    """PandaSet, and a sequence of KITTI's labels without scans and poses."""
    log = PANDASET.open_log(shared_data / "pandaset", "002")
    labels = PANDASET.read_labels(shared_data / "pandaset", log)
    part = replace(log, timestamps_ns=log.timestamps_ns[:10])
    seeded = seed_errors(part, labels, SeedConfig(count=1))
    assert len(seeded.errors) >= 40
    folder = shared_data / "kitti_tracking"
    log = KITTI_TRACKING.open_log(folder, "0004")
    labels = KITTI_TRACKING.read_labels(folder, log)
    seeded = seed_errors(log, labels, SeedConfig(count=1))
    kinds = {error.kind for error in seeded.errors}
    assert {ErrorKind.SHIFT_ONE, ErrorKind.CUT, ErrorKind.SIZE_TRACK, ErrorKind.DUPLICATE} <= kinds
    assert not kinds & {ErrorKind.MISSING_TRACK, ErrorKind.FLIP_MOVING, ErrorKind.CLOCK}
