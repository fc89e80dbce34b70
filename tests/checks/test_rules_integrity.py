"""Rules about what labels say at all: classes, attributes, places, instants, sides."""

from dataclasses import replace

import pytest

from fusion.boxes import Box3D
from fusion.checks.check import check
from fusion.checks.config import CheckConfig
from fusion.checks.finding import Severity
from fusion.labels import Annotation, LabelSet, Track
from tests.checks.made_streets import (
    RIGHT,
    START_NS,
    STEP_NS,
    box_in_ego,
    changed,
    found,
    labels_of,
    log_of,
    moved,
    only,
)
from tests.checks.rule_cases import Case, heeds, holds, mends


def turned_sides(box: Box3D) -> Box3D:
    return replace(box, length_m=box.width_m, width_m=box.length_m)


def between_frames(labels: LabelSet) -> LabelSet:
    bend = next(thing for thing in RIGHT if thing.id == "bend")
    odd = [Annotation(START_NS + round(k * STEP_NS), box_in_ego(bend, k)) for k in (3.5, 4.5)]
    return labels.with_track(labels.tracks["bend"].with_annotations(odd))


CASES = (
    Case(
        "I4", lambda labels: changed(labels, "bend", [3, 4], moved(x=700.0)), "bend",
        "m from the car in 2 frames", 712.0, "farthest_m", {"farthest_m": 800.0}, (3, 4), mended=True,
        within=2.0,
    ),
    Case(
        "I7", lambda labels: changed(labels, "parked", range(12), turned_sides), "parked",
        "wider (4.50 m) than long (1.90 m)", 4.5 / 1.9, "least_share", {"least_share": 3.0},
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


def test_boxes_between_frames_are_told_and_hurt_no_other_rule() -> None:
    log, right = log_of(RIGHT, sweeps=False), labels_of(RIGHT)
    wrong = between_frames(right)
    (one,) = found(log, wrong, "I5")
    assert (one.track_id, one.timestamps_ns) == ("bend", (START_NS + 350_000_000, START_NS + 450_000_000))
    assert one.words == "at instants that are no frames of the log: 2 of its boxes" and one.fix is None
    assert {one.rule for one in check(log, wrong).findings} == {"I5"}


def test_a_track_without_boxes_is_told_and_breaks_nothing() -> None:
    log = log_of(RIGHT)
    labels = labels_of(RIGHT).with_track(Track("nothing", "car"))
    (one,) = check(log, labels).findings
    assert (one.rule, one.track_id, one.severity) == ("I6", "nothing", Severity.INFO)
    (one,) = check(log, LabelSet.of([Track("nothing", "car")])).findings
    assert one.rule == "I6"


def asking(**schema: object) -> CheckConfig:
    return CheckConfig.model_validate({"labels": schema})


def test_a_project_names_its_classes() -> None:
    log, labels = log_of(RIGHT, sweeps=False), labels_of(RIGHT)
    assert check(log, labels, asking(classes=["car", "pedestrian", "bus"])).findings == ()
    (one,) = check(log, labels, asking(classes=["car", "pedestrian"])).findings
    assert (one.rule, one.track_id, one.severity) == ("I2", "bus", Severity.MANDATORY)
    assert one.words == "'bus' is no class of the project"


def said(labels: LabelSet, id: str, frames: range, **attributes: str) -> LabelSet:
    track = labels.tracks[id]
    put = [replace(track.annotations[START_NS + STEP_NS * frame], attributes=attributes) for frame in frames]
    return labels.with_track(track.with_annotations(put))


def test_a_project_asks_for_attributes_of_tracks_and_boxes() -> None:
    log, labels = log_of(RIGHT, sweeps=False), labels_of(RIGHT)
    asked = asking(attributes={"colour": {"classes": ["car"], "values": ["red", "blue"]}})
    assert {one.track_id for one in check(log, labels, asked).findings} == {"parked", "bend", "braking"}
    for id in ("parked", "bend", "braking"):
        labels = labels.with_track(replace(labels.tracks[id], attributes={"colour": "red"}))
    assert check(log, labels, asked).findings == ()
    green = labels.with_track(replace(labels.tracks["bend"], attributes={"colour": "green"}))
    (one,) = check(log, green, asked).findings
    assert one.words == "colour is 'green', which the project does not know"
    of_boxes = asking(attributes={"sits": {"of": "box", "classes": ["bus"]}})
    partly = said(labels, "bus", range(9), sits="yes")
    (one,) = check(log, partly, of_boxes).findings
    assert one.words == "sits is not said in 3 frames"
    assert [(t - START_NS) // STEP_NS for t in one.timestamps_ns] == [9, 10, 11]
    assert check(log, said(labels, "bus", range(12), sits="no"), of_boxes).findings == ()


def test_what_nearly_all_others_say_is_missed() -> None:
    log, labels = log_of(RIGHT, sweeps=False), labels_of(RIGHT)
    for id in ("parked", "bend", "braking"):
        labels = said(labels, id, range(12), visible="yes")
    assert check(log, labels, only("I8")).findings == ()
    silent = said(labels, "bend", range(5, 6))
    (one,) = check(log, silent, only("I8")).findings
    assert (one.track_id, one.words) == ("bend", "visible is not said in 1 frame")
    assert check(log, silent, only("I8", limits={"share": 0.99})).findings == ()
    assert check(log, said(labels, "bend", range(2, 9)), only("I8")).findings == ()


def test_boxes_of_one_instant_count_once() -> None:
    box = labels_of(RIGHT).tracks["bend"].annotations[START_NS].box
    track = Track.of("1", "car", [Annotation(START_NS, box), Annotation(START_NS, moved(x=1)(box))])
    assert check(log_of(RIGHT, sweeps=False), LabelSet.of([track]), only("T11")).findings == ()
