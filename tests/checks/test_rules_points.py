"""Rules about points: every beam of the sweeps ends where it must, so that what is found is exact."""

from dataclasses import replace

import numpy as np
import pytest

from calib.se3 import SE3
from fusion.boxes import Box3D
from fusion.checks import Finding, Severity
from fusion.checks.check import check
from fusion.edits import PutTrack, apply_automatic
from fusion.labels import Annotation, LabelSet, Source, Track
from tests.checks.made_streets import (
    BUS,
    CAR,
    PERSON,
    RIGHT,
    START_NS,
    STEP_NS,
    Thing,
    box_in_ego,
    changed,
    labels_of,
    log_of,
    moved,
    only,
    sized,
    standing,
    straight,
    with_track,
)
from tests.checks.rule_cases import Case, heeds, holds, mends

SOME, EVERY = range(2, 8), range(12)
GHOST = Thing("ghost", "car", CAR, standing(11.0, -9.0))
AWAY_M = 0.3 + 0.012 * np.hypot(12.0, 1.5)
SECOND = Thing("second", "car", CAR, standing(14.0, -6.4, 0.05))
TWICE = Thing("twice", "van", CAR, standing(14.1, -5.1, 0.05))
AHEAD = (Thing("ahead", "car", CAR, straight(12.0, -1.5, 5.0)),)


def added(
    thing: Thing, frames: range = SOME, things: tuple[Thing, ...] = RIGHT, lift_m: float = 0.0
) -> LabelSet:
    boxes = {frame: moved(z=lift_m)(box_in_ego(thing, frame)) for frame in frames}
    return with_track(labels_of(things, 12), thing.id, thing.category, boxes)


def leaning(box: Box3D) -> Box3D:
    box_from_leaning = SE3.from_rotation_vector(np.array([np.radians(20.0), 0, 0]), np.zeros(3))
    ego_from_leaning = box.ego_from_box @ box_from_leaning
    return Box3D(ego_from_leaning, *box.size_lwh_m.tolist())


def sizes(name: str, count: int = 10) -> tuple[Thing, ...]:
    """A row of parked ones that are a little different."""
    return tuple(
        Thing(f"{name} {k}", name, (4.4 + 0.02 * k, 1.9, 1.6), standing(8.0 * k - 30.0, 9.0))
        for k in range(count)
    )


CASES = (
    Case(
        "P1", lambda _: added(GHOST, SOME, AHEAD, lift_m=0.1), "ghost",
        "empty in 6 frames, though about", 0, "least_points", {"least_beams": 1e6}, tuple(SOME),
        mended=True, things=AHEAD, sweeps=True,
    ),
    Case(
        "P2", lambda _: added(Thing("far", "pedestrian", PERSON, standing(70.0, -20.0))), "far",
        "never more than 0 points in it", 0, "least_points", {"least_points": 0}, tuple(SOME), sweeps=True,
    ),
    Case(
        "P4", lambda labels: changed(labels, "ahead", SOME, sized(length=1.4)), "ahead",
        "back is 0.90 m off the points in 6 frames", 0.9, 0.378, {"gap_m": 1.0}, tuple(SOME),
        within=0.001, things=AHEAD, sweeps=True,
    ),
    Case(
        "P5", lambda labels: changed(labels, "ahead", SOME, moved(x=0.25)), "ahead",
        "points right outside of its back in 6 frames", None, "share", {"least_points": 1e6}, tuple(SOME),
        things=AHEAD, sweeps=True,
    ),
    Case(
        "P6", lambda labels: changed(labels, "ahead", SOME, moved(z=0.7)), "ahead",
        "above the ground in 6 frames", 0.68, AWAY_M, {"near_m": 1.0}, tuple(SOME), mended=True, within=0.06,
        things=AHEAD, sweeps=True,
    ),
    Case(
        "P6", lambda labels: changed(labels, "ahead", SOME, moved(z=-0.7)), "ahead",
        "into the ground in 6 frames", -0.7, AWAY_M, {"near_m": 1.0}, tuple(SOME), mended=True, within=0.15,
        things=AHEAD, sweeps=True,
    ),
    Case(
        "P7", lambda labels: changed(labels, "parked", [3], leaning), "parked",
        "leans by 20 degrees in 1 frame", 20.0, "tilt_deg", {"tilt_deg": 21.0}, (3,),
    ),
    Case(
        "P8", lambda labels: changed(labels, "parked", [3], sized(height=2.5)), "parked",
        "a car with a height of 4.00 m: more than 3.4 m", 4.0, "max_height_m", {"max_height_m": 5.0},
    ),
    Case(
        "P8", lambda labels: changed(labels, "walking", [3], sized(height=0.2)), "walking",
        "a pedestrian with a height of 0.35 m: less than 0.6 m", 0.35, "min_height_m", {"min_height_m": 0.3},
    ),
    Case(
        "P9", lambda labels: changed(labels, "car 3", EVERY, sized(length=1.4)), "car 3",
        "length of 6.24 m; car here mostly 4.51 m", None, "deviations", {"least_share": 0.5},
        things=sizes("car"),
    ),
    Case(
        "P10", lambda _: added(SECOND), "parked", "26 % of it lie in car second in 6 frames",
        0.26, "share", {"share": 0.3}, tuple(SOME), within=0.001,
    ),
    Case(
        "P11", lambda _: added(TWICE), "twice", "the same object as car parked in 6 frames",
        0.926, 0.5, {"share": 0.95}, tuple(SOME), mended=True, within=0.01,
    ),
    Case(
        "P13", lambda _: added(replace(GHOST, id="road"), SOME, AHEAD, lift_m=-0.05), "road",
        "100 % of its points are ground", 1.0, "share", {"range_m": 2.0}, tuple(SOME), things=AHEAD,
        sweeps=True,
    ),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_is_found_where_it_is(case: Case) -> None:
    holds(case)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_its_repair_makes_it_silent_and_leaves_locked_boxes(case: Case) -> None:
    mends(case)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_projects_change_it(case: Case) -> None:
    heeds(case)


def test_right_boxes_are_silent() -> None:
    """All rules at once, over a street in which things hide each other."""
    checked = check(log_of(RIGHT), labels_of(RIGHT))
    assert checked.findings == (), [(one.rule, one.track_id, one.words) for one in checked.findings]
    assert {"P14", "P15"} <= set(checked.skipped) and not {"P1", "P4", "P5"} & set(checked.skipped)


def test_a_box_that_is_hidden_may_be_empty() -> None:
    hidden = Thing("hidden", "car", CAR, standing(26.0, 6.5))
    wall = Thing("wall", "truck", (12.0, 2.5, 3.5), standing(18.0, 4.0, 0.3))
    labels = changed(labels_of((wall, hidden)), "hidden", EVERY, moved(z=0.1))
    assert check(log_of((wall,)), labels, only("P1")).findings == ()
    (one,) = check(log_of(()), labels.without_track("wall"), only("P1")).findings
    assert one.track_id == "hidden"


def test_noise_of_points_on_tight_faces_hides_nothing() -> None:
    """Half of them lie outside by some centimetres; the beams still did not end before the box."""
    log = log_of(AHEAD)
    (refs,) = log.sweeps.values()
    rng = np.random.default_rng(0)

    def noisy(k: int):
        sweep = refs[k].read()
        points = sweep.points + rng.normal(0, 0.02, sweep.points.shape).astype(np.float32)
        return lambda: replace(sweep, points=points)

    noisy_log = replace(
        log, sweeps={"lidar": tuple(replace(ref, load=noisy(k)) for k, ref in enumerate(refs))}
    )
    right = labels_of(AHEAD)
    assert check(noisy_log, right).findings == ()
    hidden_face = changed(right, "ahead", EVERY, lambda box: moved(x=0.6)(sized(length=1.28)(box)))
    assert check(noisy_log, hidden_face, only("P4")).findings == ()
    long = changed(right, "ahead", EVERY, sized(length=1.4))
    (one,) = check(noisy_log, long, only("P4")).findings
    assert one.words.startswith("back is 0.8") and len(one.timestamps_ns) == 12


def claimed(thing: Thing, frames: range, score: float = 0.9, points: int = 100) -> LabelSet:
    made = [
        Annotation(
            START_NS + STEP_NS * k, box_in_ego(thing, k), Source.AUTO, score, attributes={"points": points}
        )
        for k in frames
    ]
    return LabelSet.of([Track.of(thing.id, thing.category, made)])


NEW = Thing("1", "car", CAR, standing(18.0, -12.0))


def missing(candidates: LabelSet, labels: LabelSet | None = None, **changes: object) -> list[Finding]:
    log = log_of((*RIGHT, NEW), sweeps=False)
    return list(
        check(log, labels or labels_of(RIGHT), only("P14", **changes), candidates=candidates).findings
    )


def test_an_object_that_nobody_labelled_is_found_and_put_in() -> None:
    (one,) = missing(claimed(NEW, range(2, 9)))
    assert one.track_id is None and one.severity is Severity.WARNING
    assert one.words == "an unlabelled car with up to 100 points in 7 frames"
    nearest = START_NS + 8 * STEP_NS
    assert one.timestamps_ns[0] == nearest and len(one.timestamps_ns) == 7
    assert one.place == pytest.approx((14.0, -12.0, 0.8))
    assert isinstance(one.fix, PutTrack)
    mended = apply_automatic(labels_of(RIGHT), one.fix)
    assert missing(claimed(NEW, range(2, 9)), mended) == []
    assert mended.tracks[one.fix.track.id].annotations[nearest].source is Source.AUTO


@pytest.mark.parametrize(
    "candidates",
    [
        claimed(NEW, range(2, 4)),
        claimed(NEW, range(2, 9), score=0.4),
        claimed(NEW, range(2, 9), points=10),
        claimed(Thing("1", "car", CAR, standing(75.0, 9.0)), range(2, 9)),
        claimed(Thing("1", "car", CAR, standing(14.0, -6.0)), range(2, 9)),
        LabelSet(),
        LabelSet.of([Track("1", "car")]),
    ],
    ids=["two frames", "unlikely", "few points", "far", "labelled", "nothing", "no boxes"],
)
def test_what_is_no_missing_object(candidates: LabelSet) -> None:
    assert missing(candidates) == []


def test_projects_say_which_missing_objects_matter() -> None:
    candidates = claimed(NEW, range(2, 9))
    assert missing(candidates, classes={"car": {"least_points": 200}}) == []
    assert missing(candidates, classes={"car": {"range_m": 5}}) == []
    assert missing(candidates, limits={"least_score": 0.95}) == []
    assert len(missing(candidates, classes={"truck": {"least_points": 200}})) == 1
    assert missing(candidates, skip=True) == []


def test_a_box_that_nothing_else_sees_is_told() -> None:
    log, labels = log_of(AHEAD), labels_of(AHEAD)
    elsewhere = claimed(Thing("1", "car", CAR, standing(20.0, 12.0)), EVERY)
    (one,) = check(log, labels, only("P15"), candidates=elsewhere).findings
    assert (one.track_id, one.fix) == ("ahead", None) and "nothing else takes it for an object" in one.words
    assert check(log, labels, only("P15"), candidates=claimed(AHEAD[0], EVERY)).findings == ()
    eased = only("P15", classes={"car": {"range_m": 3.0}})
    assert check(log, labels, eased, candidates=elsewhere).findings == ()


def test_what_belongs_together_may_overlap() -> None:
    rider = (
        Thing("bike", "bicycle", (1.8, 0.6, 1.2), standing(10.0, 5.0)),
        Thing("rider", "pedestrian", PERSON, standing(10.0, 5.0)),
        Thing("bus", "bus", BUS, standing(30.0, 5.0)),
    )
    checked = check(log_of(rider, sweeps=False), labels_of(rider))
    assert not {one.rule for one in checked.findings} & {"P10", "P11"}
