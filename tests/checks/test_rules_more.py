"""Sparse boxes, regions, boxes far from key frames, and what is said of truncation and visibility."""

from dataclasses import replace

import numpy as np
import pytest

from calib.cameras import Pinhole
from calib.rig import Camera, Rig
from calib.se3 import SE3
from fusion.boxes import Box3D, Boxes
from fusion.checks.check import asked
from fusion.checks.config import CheckConfig
from fusion.checks.facts import Facts, Scanned
from fusion.checks.finding import Finding
from fusion.checks.rules import RULES
from fusion.checks.rules.images.visibility import visible_shares
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.log import DriveLog
from fusion.trajectory import Trajectory

STEP_NS, FRAMES = 100_000_000, 70
TIMES_NS = np.arange(FRAMES, dtype=np.int64) * STEP_NS
FRONT = SE3(np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]), np.array([0.0, 0, 1.5]))
CAMERA = Camera("front", FRONT, Pinhole(500.0, 500.0, 320.0, 240.0, 640, 480))


def log_of(cameras: tuple[Camera, ...] = ()) -> DriveLog:
    return DriveLog("made", Rig.of((), cameras), Trajectory.standing(TIMES_NS), TIMES_NS)


def car(x_m: float, y_m: float = 0.0) -> Box3D:
    return Box3D.upright((x_m, y_m, 0.8), (4.4, 1.9, 1.6), 0.0)


def track_of(id: str, box_at: object, frames: range = range(FRAMES), **said: object) -> Track:
    made = [Annotation(int(TIMES_NS[k]), box_at(k), **said) for k in frames]  # type: ignore[operator]
    return Track.of(id, "car", made)


def said(rule: str, facts: Facts, **limits: float) -> list[Finding]:
    others = {one.id: {"skip": True} for one in RULES if one.id != rule}
    config = CheckConfig.model_validate({"rules": {**others, rule: {"limits": limits}}})
    return asked(facts, config)[0]


def scanned(facts: Facts, standing: np.ndarray, before: int = 0) -> Facts:
    count = len(facts)
    none = np.zeros(count, np.int64)
    return replace(
        facts,
        scanned=Scanned(
            np.ones(count, np.bool_),
            standing,
            standing,
            none + before,
            none + 100,
            np.zeros((count, 5), np.int64),
            np.full((count, 6), np.nan),
            np.full(count, np.nan),
        ),
    )


def test_a_box_with_hardly_a_point_where_others_have_many_is_sparse() -> None:
    tracks = [track_of(str(n), lambda k, n=n: car(10.0 + 5 * n), range(30)) for n in range(4)]
    facts = Facts.of(log_of(), LabelSet.of(tracks))
    right = np.round(40_000 / facts.away_m**2).astype(np.int64)
    assert said("P3", scanned(facts, right)) == []
    few = right.copy()
    few[facts.rows(2)] = 2
    (one,) = said("P3", scanned(facts, few))
    assert one.track_id == "2" and one.value < 0.05 and "in 30 frames" in one.words
    assert said("P3", scanned(facts, few, before=1000)) == []  # something stands before it


def test_a_region_is_kept_to_once_a_project_names_one() -> None:
    facts = Facts.of(log_of(), LabelSet.of([track_of("far", lambda k: car(90.0, -30.0), range(5))]))
    assert said("P12", facts) == []
    for limits in ({"farthest_m": 80.0}, {"ahead_m": 50.0}, {"beside_m": 20.0}, {"highest_m": 0.5}):
        (one,) = said("P12", facts, **limits)
        assert one.track_id == "far" and one.fix is not None
        assert one.fix.apply(facts.labels).annotation_count == 0
    assert said("P12", facts, behind_m=10.0) == []


def test_what_moves_far_from_its_key_frames_is_told() -> None:
    moving = track_of("1", lambda k: car(10.0 + 0.5 * k), source=Source.INTERPOLATED)
    keys = [replace(moving.annotations[int(TIMES_NS[k])], source=Source.HUMAN) for k in (0, FRAMES - 1)]
    parked = track_of("2", lambda k: car(20.0, 9.0), source=Source.INTERPOLATED)
    facts = Facts.of(log_of(), LabelSet.of([moving.with_annotations(keys), parked]))
    (one,) = said("T12", facts)
    assert one.track_id == "1" and one.value == pytest.approx(3.4)
    dense = [replace(a, source=Source.HUMAN) for a in list(moving.annotations.values())[::20]]
    assert said("T12", Facts.of(log_of(), LabelSet.of([moving.with_annotations(dense)]))) == []


def test_truncation_is_compared_with_the_only_camera() -> None:
    half_out = car(6.0, 4.0)
    whole = car(15.0)
    told = {"in": (whole, 0.1), "out": (half_out, 0.05), "level": (whole, 1)}
    tracks = {
        name: track_of(name, lambda k, box=box: box, range(3), attributes={"truncated": value})
        for name, (box, value) in told.items()
    }
    log = log_of((CAMERA,))
    (one,) = said("C6", Facts.of(log, LabelSet.of([tracks["in"], tracks["out"]])), most_off=0.3)
    assert one.track_id == "out" and one.value > 0.3
    assert said("C6", Facts.of(log, LabelSet.of([tracks["level"]]))) == []
    assert said("C6", Facts.of(log_of(), LabelSet.of([tracks["out"]])), most_off=0.3) == []


def test_what_other_boxes_hide_cannot_be_seen() -> None:
    told = {"near": (car(8.0), "v80-100"), "behind": (car(14.0), "v80-100"), "out": (car(-9.0), 0.9)}
    told |= {
        "beside": (car(14.0, 4.0), "v80-100"),
        "rightly": (car(20.0), "v0-40"),
        "none": (car(26.0), None),
    }
    tracks = [
        track_of(
            name, lambda k, box=box: box, range(3), attributes={} if value is None else {"visibility": value}
        )
        for name, (box, value) in told.items()
    ]
    found = said("C5", Facts.of(log_of((CAMERA,)), LabelSet.of(tracks)))
    assert sorted(one.track_id for one in found) == ["behind", "out"]
    assert all(one.value > 0.4 for one in found)
    assert said("C5", Facts.of(log_of(), LabelSet.of(tracks))) == []


def test_shares_are_those_of_rays() -> None:
    near, half_behind = car(8.0, 1.0), car(14.0, 0.0)
    asked = np.array([False, True])
    (share,) = visible_shares(Boxes.stack([near, half_behind]), asked, (CAMERA,))
    assert 0.2 < share < 0.8
    (alone,) = visible_shares(Boxes.stack([half_behind]), np.array([True]), (CAMERA,))
    assert alone == 1.0


def test_what_all_other_tracks_say_is_missed_in_one() -> None:
    tracks = [
        replace(track_of(str(n), lambda k, n=n: car(8.0 + 6 * n), range(4)), attributes={"moving": n % 2})
        for n in range(9)
    ]
    right = LabelSet.of(tracks)
    assert said("I8", Facts.of(log_of(), right)) == []
    wrong = right.with_track(replace(tracks[4], attributes={}))
    (one,) = said("I8", Facts.of(log_of(), wrong))
    assert one.track_id == "4" and "moving" in one.words
    several = [replace(track, attributes={}) for track in tracks[:4]]
    assert said("I8", Facts.of(log_of(), LabelSet.of([*several, *tracks[4:]]))) == []
