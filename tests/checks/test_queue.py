"""Identity of findings, and the order in which they are worth a look."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.se3 import SE3
from fusion.checks import Finding, Severity
from fusion.checks.check import check
from fusion.checks.queue import queue
from fusion.labels import LabelSet, Review
from fusion.log import DriveLog
from tests.checks.made_streets import (
    PERSON,
    RIGHT,
    Thing,
    changed,
    labels_of,
    log_of,
    moved,
    sized,
    standing,
)


def spoilt() -> LabelSet:
    labels = changed(labels_of(RIGHT), "parked", [4, 5], sized(length=1.2))
    labels = changed(labels, "bend", [6], moved(x=1.0, yaw_deg=20))
    return changed(labels, "braking", range(12), moved(yaw_deg=180))


@cache
def street() -> DriveLog:
    return log_of(RIGHT)


def told(labels: LabelSet, log: DriveLog | None = None) -> list[Finding]:
    return list(check(log or street(), labels).findings)


def alike(findings: list[Finding]) -> dict[str, tuple[object, ...]]:
    return {
        one.id: (one.rule, one.words, one.timestamps_ns, round(one.value or 0, 6), one.limit is None)
        for one in findings
    }


def test_the_order_of_tracks_says_nothing() -> None:
    labels = spoilt()
    there = told(labels)
    assert {one.rule for one in there} >= {"T1", "T2", "T4", "T11"}
    back = LabelSet(dict(reversed(labels.tracks.items())))
    assert alike(told(back)) == alike(there)
    assert [item.track_id for item in queue(told(back))] == [item.track_id for item in queue(there)]


def test_the_place_of_the_world_says_nothing() -> None:
    """A data set may put its origin anywhere."""
    labels = spoilt()
    far = SE3.from_yaw(2.1, np.array([5000.0, -3000.0, 120.0]))
    tilted = SE3.from_rotation_vector(np.array([0.03, -0.02, -1.0]), np.array([10.0, 0, 0]))
    there = alike(told(labels, log_of(RIGHT, sweeps=False)))
    for world in (far, tilted):
        log = log_of(RIGHT, world_from_street=world, sweeps=False)
        assert alike(told(labels, log)) == there


def test_ids_stay_when_other_tracks_change() -> None:
    labels, log = spoilt(), log_of(RIGHT, sweeps=False)
    there = {one.id for one in told(labels, log) if one.track_id == "parked"}
    others = changed(labels.without_track("walking"), "bus", [2], moved(y=1.0))
    others = others.with_track(replace(others.tracks["turning"], category="person"))
    assert {one.id for one in told(others, log) if one.track_id == "parked"} == there
    worse = changed(labels, "parked", [4, 5], sized(length=1.1))
    assert {one.id for one in told(worse, log) if one.track_id == "parked"} == there


def test_what_was_accepted_is_hidden() -> None:
    labels, log = spoilt(), log_of(RIGHT, sweeps=False)
    one = next(one for one in told(labels, log) if one.rule == "T4")
    for state, hidden in (("accepted", True), ("open", False), ("rejected", False)):
        reviews = {one.id: Review(one.id, "it does back up", "me", state, one.track_id)}
        checked = check(log, replace(labels, reviews=reviews))
        assert (one.id in {other.id for other in checked.findings}) is not hidden
        assert (one.id in {other.id for other in checked.accepted}) is hidden


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    track = draw(st.sampled_from([None, "1", "2", "3"]))
    place = None if track else (draw(st.floats(-50, 50)), 0.0, 0.0)
    return Finding(
        draw(st.sampled_from(["P1", "T2", "I4"])),
        draw(st.sampled_from(list(Severity))),
        "words",
        draw(st.floats(0, 30)),
        track,
        (draw(st.integers(0, 3)),),
        chance=draw(st.floats(0, 1)),
        place=place,
    )


@settings(max_examples=60)
@given(st.lists(findings(), max_size=12, unique_by=lambda one: one.id), st.randoms())
def test_the_queue_is_the_same_in_every_order(some: list[Finding], random: object) -> None:
    items = queue(some)
    mixed = list(some)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert [(i.findings, i.saved_s) for i in queue(mixed)] == [(i.findings, i.saved_s) for i in items]
    assert sorted(one.id for item in items for one in item.findings) == sorted(one.id for one in some)
    assert [item.saved_s for item in items] == sorted((item.saved_s for item in items), reverse=True)
    ids = [item.track_id for item in items if item.track_id is not None]
    assert len(ids) == len(set(ids))
    for item in items:
        assert item.severity.rank == min(one.severity.rank for one in item.findings)
        assert max(one.chance for one in item.findings) <= item.chance + 1e-12 <= 1 + 1e-9
        assert item.repair_s == pytest.approx(sum(one.repair_s for one in item.findings))


def test_what_is_grave_and_sure_comes_first() -> None:
    def one(track: str, severity: Severity, chance: float) -> Finding:
        return Finding("P1", severity, "", 5.0, track, (0,), chance=chance)

    grave, likely, hardly = (
        one("a", Severity.MANDATORY, 0.9),
        one("b", Severity.WARNING, 0.9),
        one("c", Severity.INFO, 0.1),
    )
    assert [item.track_id for item in queue([hardly, likely, grave])] == ["a", "b", "c"]
    two = [one("c", Severity.WARNING, 0.6), replace(one("c", Severity.WARNING, 0.6), rule="P4")]
    assert queue([*two, one("d", Severity.WARNING, 0.7)])[0].track_id == "c"
    assert queue([]) == []


def test_ids_tell_findings_apart() -> None:
    person = Thing("p", "pedestrian", PERSON, standing(5, 5))
    labels = changed(labels_of((person,)), "p", [6], moved(x=2))
    all_ids = [one.id for one in check(log_of((person,), sweeps=False), labels).findings]
    assert len(all_ids) == len(set(all_ids)) > 0
    assert all(id.startswith("finding-") for id in all_ids)
