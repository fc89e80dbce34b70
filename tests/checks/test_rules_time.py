"""Rules about boxes before and after each other: silent on right ways, and found where they are wrong."""

from dataclasses import replace

import numpy as np
import pytest

from fusion.checks import Finding
from fusion.checks.check import check
from fusion.compare import first_difference
from fusion.edits import SplitTrack, apply_automatic
from fusion.labels import LabelSet, Track
from tests.checks.made_streets import (
    CAR,
    PERSON,
    RIGHT,
    START_NS,
    STEP_NS,
    Thing,
    box_in_ego,
    changed,
    found,
    labels_of,
    log_of,
    moved,
    round_a_bend,
    sized,
    spinning,
    straight,
    with_track,
)
from tests.checks.rule_cases import FRAMES, Case, heeds, holds, mends

EVERY = range(FRAMES)


def added(thing: Thing, frames: range = EVERY) -> LabelSet:
    boxes = {frame: box_in_ego(thing, frame) for frame in frames}
    return with_track(labels_of(RIGHT, FRAMES), thing.id, thing.category, boxes)


def said(labels: LabelSet, id: str, **attributes: str) -> LabelSet:
    return labels.with_track(replace(labels.tracks[id], attributes=attributes))


def without(labels: LabelSet, id: str, *frames: int) -> LabelSet:
    return labels.with_track(labels.tracks[id].without(START_NS + STEP_NS * k for k in frames))


def split(labels: LabelSet, id: str, frame: int) -> LabelSet:
    return SplitTrack(id, START_NS + frame * STEP_NS, f"{id}-2").apply(labels)


def exchanged(labels: LabelSet, one: str, other: str, frame: int) -> LabelSet:
    """Two tracks that change their ids."""
    a, b, since = labels.tracks[one], labels.tracks[other], START_NS + frame * STEP_NS

    def mixed(first: Track, second: Track) -> Track:
        early = [x for t, x in first.annotations.items() if t < since]
        return Track.of(
            first.id, first.category, early + [x for t, x in second.annotations.items() if t >= since]
        )

    return labels.with_track(mixed(a, b)).with_track(mixed(b, a))


def wandering(labels: LabelSet) -> LabelSet:
    for k in EVERY:
        labels = changed(labels, "parked", [k], moved(0.3 * np.cos(2.4 * k), 0.3 * np.sin(2.4 * k)))
    return labels


RUNNER = Thing("runner", "pedestrian", PERSON, straight(5.0, -12.0, 9.0))
RACER = Thing("racer", "car", CAR, straight(5.0, -12.0, 25.0, brakes_mps2=18.0))
PASSER = Thing("passer", "pedestrian", PERSON, straight(12.0, -12.0, 1.0))

CASES = (
    Case(
        "T1", lambda labels: changed(labels, "parked", [4, 5], sized(length=1.2)), "parked",
        "length of 5.40 m in 2 frames, mostly 4.50 m", 0.2, "share", {"share": 0.3}, (4, 5), mended=True,
    ),
    Case(
        "T2", lambda labels: changed(labels, "bend", [6], moved(yaw_deg=25)), "bend",
        "heading leaps by 25 degrees", 25.0, "turn_deg", {"turn_deg": 30.0}, (6,), within=0.5,
    ),
    Case(
        "T4", lambda labels: changed(labels, "braking", EVERY, moved(yaw_deg=180)), "braking",
        "drives backwards in 12 frames", 180.0, "off_deg", {"off_deg": 190.0}, mended=True, within=0.5,
    ),
    Case(
        "T4", lambda labels: changed(labels, "bend", EVERY, moved(yaw_deg=-40)), "bend",
        "points 40 degrees off its way", 40.0, "off_deg", {"speed_mps": 9.0}, within=1.0,
    ),
    Case(
        "T5", lambda _: added(RUNNER), "runner", "goes at 9.0 m/s", 9.0, "most_mps", {"most_mps": 10.0},
        within=0.01,
    ),
    Case(
        "T5", lambda _: added(RACER), "racer", "brakes with 18 m/s²", 18.0, "most_mps2", {"most_mps2": 20.0},
        tuple(range(1, 11)), within=0.2,
    ),
    Case(
        "T6", lambda labels: changed(labels, "braking", EVERY, moved(yaw_deg=16)), "braking",
        "slips sideways at 2.", 2.4, None, {"slip_mps": 3.0}, within=0.2,
    ),
    Case(
        "T7", wandering, "parked", "stands, but its boxes lie 0.3", 0.3, "spread_m", {"spread_m": 0.5},
        within=0.02,
    ),
    Case(
        "T8", lambda labels: said(labels, "braking", activity="parked"), "braking",
        "is called standing and goes at", None, "fast_mps", {"fast_mps": 10.0},
    ),
    Case(
        "T8", lambda labels: said(labels, "parked", activity="moving"), "parked",
        "is called moving and stands", 0.0, "slow_mps", {"slow_mps": -1.0}, within=1e-3,
    ),
    Case(
        "T9", lambda labels: without(labels, "bend", 4, 5), "bend", "not labelled in 2 frames between others",
        2.0, 0.0, {"longest_frames": 1}, (4, 5), mended=True,
    ),
    Case(
        "T10", lambda labels: split(labels, "bend", 6), "bend", "goes on as car bend-2 after 0.1 s",
        0.0, 1.1, {"longest_s": 0.05}, (5,), mended=True, within=0.1,
    ),
    Case(
        "T11", lambda labels: changed(labels, "bend", [6], moved(x=1.0)), "bend",
        "ahead of its way in 1 frame", 1.0, "least_m", {"least_m": 2.0}, (6,), within=0.05,
    ),
    Case(
        "T13", lambda _: added(PASSER, range(5, 7)), "passer", "is there in 2 frames only", 2, "least_frames",
        {"range_m": 1.0}, (5, 6),
    ),
    Case(
        "T14", lambda labels: exchanged(labels, "bend", "braking", 6), "bend",
        "changes places with car braking", None, "distance_m", {"distance_m": 50.0}, (5, 6),
    ),
    Case(
        "T15", lambda labels: changed(labels, "parked", range(10, 16), moved(y=0.5)), "parked",
        "0.50 m to the left of the boxes before in 6 frames", 0.5, "least_m", {"least_m": 0.6},
        tuple(range(10, 16)), within=0.01, length=30,
    ),
    Case(
        "T15", lambda labels: changed(labels, "bend", range(10, 14), moved(x=0.5)), "bend",
        "ahead of the boxes before in 4 frames", 0.5, None, {"least_m": 0.6}, tuple(range(10, 14)),
        within=0.05, length=30,
    ),
    Case(
        "T16", lambda labels: changed(labels, "bend", range(10, 16), moved(yaw_deg=15)), "bend",
        "headings step by 15 degrees in 6 frames", 15.0, "least_deg", {"least_deg": 20.0}, tuple(range(10,
        16)),
        within=0.1, length=30,
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


def test_right_ways_are_silent() -> None:
    """Bends, hard braking, starting, a person who turns on the spot, a car that backs up."""
    things = (
        Thing("tight", "car", CAR, round_a_bend(5, 3, 5.0, 7.0)),
        Thing("fast", "car", CAR, straight(5, -4, 33.0, 0.02)),
        Thing("hard", "truck", (8.0, 2.5, 3.0), straight(40, 18, 15.0, np.pi, brakes_mps2=7.0)),
        Thing("starting", "car", CAR, straight(30, -8, 0.0, 2.0, brakes_mps2=-3.0)),
        Thing("backing", "car", CAR, straight(15, -30, -1.2, 0.4)),
        Thing("spin", "pedestrian", PERSON, spinning(7, 25, 4.0)),
        Thing("bike", "bicycle", (1.8, 0.6, 1.7), round_a_bend(9, -20, 4.0, 6.0)),
    )
    for frames in (2, 3, 5, 21):
        checked = check(log_of(things, frames, sweeps=False), labels_of(things, frames))
        assert checked.findings == (), [(one.rule, one.track_id, one.words) for one in checked.findings]


def test_gaps_are_closed_along_the_way() -> None:
    case = next(case for case in CASES if case.rule == "T9")
    (one,) = case.found()
    assert one.fix is not None
    made = apply_automatic(case.wrong, one.fix).tracks["bend"]
    for frame in (4, 5):
        there, right = (
            labels.annotations[START_NS + frame * STEP_NS].box for labels in (made, case.right.tracks["bend"])
        )
        assert np.linalg.norm(there.center - right.center) < 0.06
        assert there.yaw_rad == pytest.approx(right.yaw_rad, abs=0.01)


def test_a_merged_track_is_the_one_that_was_split() -> None:
    case = next(case for case in CASES if case.rule == "T10")
    (one,) = case.found()
    assert one.fix is not None and one.other_id == "bend-2"
    assert first_difference(apply_automatic(case.wrong, one.fix), case.right, 1e-9) is None


def test_without_poses_nothing_is_said_of_speed() -> None:
    things = (Thing("flipped", "car", CAR, straight(20, 5, 9.0)),)
    log, labels = log_of(things, sweeps=False), labels_of(things)
    flipped = changed(labels, "flipped", EVERY, moved(yaw_deg=180))
    assert [one.rule for one in found(log, flipped, "T4")] == ["T4"]
    still = replace(log, trajectory=type(log.trajectory).standing(log.timestamps_ns))
    checked = check(still, flipped)
    assert {"T4", "T5", "T6", "T7", "T8"} <= set(checked.skipped)
    assert checked.skipped["T4"] == "needs the car's poses"


def rules_of(findings: tuple[Finding, ...]) -> set[str]:
    return {one.rule for one in findings}


def test_a_leap_is_told_once_of_the_box_that_leaps() -> None:
    labels = changed(labels_of(RIGHT, FRAMES), "parked", [6], moved(x=1.5))
    checked = check(log_of(RIGHT, FRAMES, sweeps=False), labels)
    assert {one.track_id for one in checked.findings} == {"parked"}
    assert "T11" in rules_of(checked.findings) and "T15" not in rules_of(checked.findings)
    (leap,) = (one for one in checked.findings if one.rule == "T11")
    assert leap.timestamps_ns == (START_NS + 6 * STEP_NS,)
