"""Findings, comments and states, without a window."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fusion.boxes import Box3D
from fusion.checks import Finding
from fusion.checks.config import CheckConfig, RuleConfig
from fusion.checks.rules import RULES
from fusion.edits import MergeTracks, PutAnnotations, PutTrack, RemoveTrack, RenameTrack
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.log import DriveLog
from viewer.actions import by_id
from viewer.desk import Desk
from viewer.notices import notices
from viewer.review.findings import Standing, ask
from viewer.review.reviews import REASONS, Place, State, commented, comments, state_of
from viewer.scene.shown import Shown
from viewer.schema import Attribute, Category, Schema

DO = by_id()
Street = tuple[DriveLog, LabelSet]
BOX = Box3D.upright((10, 0, 1), (4.5, 1.9, 1.6), 0.1)
SCHEMA = Schema(
    categories=(
        Category(name="car"),
        Category(
            name="person",
            attributes=(
                Attribute(name="posture", values=("standing", "sitting"), required=True),
                Attribute(name="role", of="track", required=True),
                Attribute(name="mood"),
            ),
        ),
    )
)


def unsure(times, why: str = "few points", source: Source = Source.AUTO) -> list[Annotation]:
    return [Annotation(t, BOX, source, 0.5, attributes={"look": why, "confidence": 0.5}) for t in times]


def told(
    log: DriveLog, labels: LabelSet, before: Standing | None = None, schema: Schema = SCHEMA
) -> Standing:
    """What the rules say of labels."""
    return ask(before or Standing(), log, labels, None, CheckConfig(labels=schema.asked))


def by_rule(log: DriveLog, labels: LabelSet, rule: str) -> list[Finding]:
    return [one for one in told(log, labels).ranked if one.rule == rule]


def answered(desk: Desk) -> None:
    """Waits until the rules have answered."""
    end = time.monotonic() + 20
    desk.reviewing.checking.on = True
    desk.reviewing.checking.noticed()
    while desk.reviewing.checking.busy:
        assert time.monotonic() < end, "the rules never answered"
        time.sleep(0.01)


def listed(desk: Desk) -> list[str | None]:
    """The tracks of the findings about automation being unsure."""
    return [one.track_id for one in desk.reviewing.findings() if one.rule == "I9"]


def test_unsure_boxes_of_a_track_are_one_finding_until_somebody_has_looked(street: Street) -> None:
    sure = [Annotation(t, BOX, Source.AUTO, 0.99) for t in (7, 8)]
    track = Track.of("1", "car", [*unsure((1, 2)), *unsure((3,), "far away"), *sure])
    (finding,) = by_rule(street[0], LabelSet.of([track]), "I9")
    assert (finding.track_id, finding.timestamps_ns) == ("1", (1, 2, 3))
    assert finding.words == "few points (2), far away (1)"
    assert finding.fix is None
    mine = track.with_annotations(unsure((1,), source=Source.HUMAN))
    mine = mine.with_annotations(replace(a, locked=True) for a in unsure((2,)))
    (less,) = by_rule(street[0], LabelSet.of([mine]), "I9")
    assert less.timestamps_ns == (3,)
    assert less.id != finding.id
    assert less.repair_s < finding.repair_s


def test_what_must_be_said_is_missed_and_taken_from_the_other_boxes(street: Street) -> None:
    said = [Annotation(t, BOX, attributes={"posture": "sitting"}) for t in (1, 2)]
    track = Track.of("1", "person", [*said, Annotation(3, BOX)], {"role": "worker"})
    labels = LabelSet.of([track])
    (finding,) = by_rule(street[0], labels, "I3")
    assert "posture" in finding.words
    repaired = finding.fix.apply(labels)
    assert repaired.tracks["1"].annotations[3].attributes["posture"] == "sitting"
    assert by_rule(street[0], repaired, "I3") == []
    standing = [*said[1:], replace(said[0], attributes={"posture": "standing"}), Annotation(3, BOX)]
    found = {
        one.about: one for one in by_rule(street[0], LabelSet.of([Track.of("1", "person", standing)]), "I3")
    }
    assert set(found) == {"posture", "role"}
    assert found["posture"].fix is None
    nothing = by_rule(street[0], LabelSet.of([Track.of("1", "person", [Annotation(1, BOX)])]), "I3")
    assert len({one.id for one in nothing}) == 2  # at the same box, and yet one may be accepted alone


def test_classes_share_an_attribute() -> None:
    asked = Schema(
        categories=tuple(
            Category(name=name, attributes=(Attribute(name="light", values=values, required=True),))
            for name, values in (("car", ("on", "off")), ("bus", ("on", "broken")))
        )
    ).asked
    assert asked.classes == ("car", "bus")
    assert asked.attributes["light"].classes == ("car", "bus")
    assert asked.attributes["light"].values == ("on", "off", "broken")


def test_asked_again_of_what_changed_they_say_what_they_would_say_of_everything(street: Street) -> None:
    log, truth = street
    standing, labels = told(log, truth, schema=Schema.of(truth)), truth
    ids = sorted(id for id, track in truth.tracks.items() if len(track.annotations) >= 4)
    for number, id in enumerate(ids[:4]):
        a = list(labels.tracks[id].annotations.values())[2]
        far = replace(a.box.ego_from_box, translation=a.box.center + np.array([2.0 + number, 2.0, 0.0]))
        labels = PutAnnotations(id, (replace(a, box=replace(a.box, ego_from_box=far)),)).apply(labels)
        standing = told(log, labels, standing, Schema.of(truth))
    labels = RemoveTrack(ids[0]).apply(labels)
    standing = told(log, labels, standing, Schema.of(truth))
    afresh = told(log, labels, schema=Schema.of(truth))
    assert standing.ids == afresh.ids
    assert [one.words for one in standing.ranked] == [one.words for one in afresh.ranked]
    assert {one.rule for one in afresh.ranked} >= {"T11"}
    assert standing.problems == ()


def only(desk: Desk, *rules: str, schema: Schema | None = None) -> Desk:
    """Asks no other rules."""
    off = {rule.id: RuleConfig(skip=True) for rule in RULES if rule.id not in rules}
    asked = (schema or desk.schema).asked
    desk.reviewing.checking.config = CheckConfig(rules=off, labels=asked)
    return desk


@pytest.fixture
def busy(desk: Desk) -> Desk:
    """A desk with three tracks that want a look in its first two frames."""
    times = [int(t) for t in desk.session.log.timestamps_ns[:2]]
    for n in (1, 2, 3):
        box = replace(BOX, ego_from_box=Box3D.upright((10, 4 * n, 1), (4, 2, 1), 0).ego_from_box)
        boxes = [replace(a, box=box) for a in unsure(times[: min(n, 2)])]
        desk.session.apply(PutTrack(Track.of(f"u{n}", "car", boxes)))
    answered(only(desk, "I9"))
    return desk


def test_return_accepts_and_goes_to_the_next_and_stays_so(busy: Desk, make_desk: Callable[[], Desk]) -> None:
    review = busy.reviewing
    assert listed(busy) == ["u1", "u2", "u3"]
    DO["review.next"].run(busy)
    assert (busy.session.selected, review.current.track_id) == ("u1", "u1")
    assert any("Return: right as it is" in line for line in notices(busy))
    DO["object.confirm"].run(busy)
    assert busy.session.selected == "u2"
    assert busy.session.store.labels.tracks["u1"].annotations[busy.session.time_ns].locked
    DO["object.confirm"].run(busy)
    assert listed(busy) == ["u3"]
    answered(busy)
    assert listed(busy) == ["u3"]
    busy.session.store.close()
    again = only(make_desk(), "I9")
    answered(again)
    assert listed(again) == ["u3"]
    again.session.undo()
    answered(again)
    assert listed(again) == ["u2", "u3"]


def test_away_from_the_finding_return_confirms_the_box_alone(busy: Desk) -> None:
    DO["review.previous"].run(busy)
    assert busy.reviewing.current.track_id == "u3"
    busy.session.select("u1")
    assert busy.reviewing.current is None
    DO["object.confirm"].run(busy)
    assert busy.session.annotation.locked
    assert busy.session.store.labels.reviews == {}
    DO["review.fix"].run(busy)  # no rule knows how


def test_a_fix_repairs_and_goes_on(busy: Desk) -> None:
    time_ns = busy.session.time_ns
    said = Annotation(time_ns + 1, BOX, attributes={"posture": "sitting"})
    track = Track.of("p", "person", [Annotation(time_ns, BOX), said], {"role": "x"})
    busy.session.apply(PutTrack(track))
    answered(only(busy, "I3", "I9", schema=SCHEMA))
    DO["review.next"].run(busy)
    assert busy.session.selected == "p"
    DO["review.fix"].run(busy)
    assert busy.session.labels.tracks["p"].annotations[time_ns].attributes["posture"] == "sitting"
    assert busy.session.selected == "u1"


def test_an_edit_takes_away_at_once_what_was_said_of_the_box_and_nothing_else(busy: Desk) -> None:
    DO["review.next"].run(busy)
    DO["review.next"].run(busy)
    assert busy.reviewing.current.track_id == "u2"
    box = busy.session.annotation.box
    busy.session.put_box(replace(box, length_m=5.0))
    assert listed(busy) == ["u1", "u3"]
    assert busy.reviewing.current is None
    assert not busy.reviewing.fix()
    DO["review.next"].run(busy)  # to what came after it
    assert busy.reviewing.current.track_id == "u3"
    answered(busy)
    assert listed(busy) == ["u1", "u2", "u3"]  # its other box still wants a look
    assert busy.reviewing.current.track_id == "u3"


def test_an_object_that_is_missing_is_gone_to_shown_and_added(desk: Desk) -> None:
    session, truth = desk.session, desk.session.labels
    gone = truth.tracks["car-004"]  # near, and seen by itself
    session.apply(RemoveTrack(gone.id))
    answered(only(desk, "P14"))
    assert desk.reviewing.findings() == []  # nobody has looked at the sweeps
    desk.reviewing.checking.check(slow=False)
    answered(desk)
    review = desk.reviewing
    found = [one for one in review.findings() if _reaches(one, gone)]
    assert found, [one.words for one in review.findings()]
    review.go_to(found[0])
    assert session.selected is None
    assert review.proposed() is not None
    assert np.linalg.norm(np.array(desk.panes.orbit.target) - review.proposed().center) < 1e-6
    looks = Shown(desk)
    assert [look.ghost for look in looks.looks()].count(True) == 1
    looks.close()
    assert "Ctrl+Return repairs it" in review.words()
    count = len(session.labels.tracks)
    DO["review.fix"].run(desk)
    assert len(session.labels.tracks) == count + 1
    assert found[0] not in review.findings()
    answered(desk)
    assert not any(_reaches(one, gone) for one in review.findings())
    session.undo()
    answered(desk)
    assert any(_reaches(one, gone) for one in review.findings())


def _reaches(one: Finding, track: Track) -> bool:
    there = track.annotations.get(one.timestamps_ns[0])
    return (
        there is not None
        and one.place is not None
        and bool(np.linalg.norm(there.box.center[:2] - np.array(one.place[:2])) < 4.0)
    )


def test_what_sweeps_say_is_measured_again_where_a_box_was_moved(desk: Desk) -> None:
    checking, session = only(desk, "P1").reviewing.checking, desk.session
    checking.check(slow=False)
    answered(desk)
    assert checking.complete
    track = next(track for track, _ in session.present() if track.category == "car")
    before = dict(checking._measured.looks)
    session.select(track.id)
    box = session.annotation.box
    up = replace(box.ego_from_box, translation=np.array([6.0, 0.0, 1.0]))
    session.put_box(replace(box, ego_from_box=up))
    answered(desk)
    after = checking._measured.looks
    assert [frame for frame in after if after[frame] is not before[frame]] == [session.frame]
    session.undo()
    answered(desk)
    assert not [one for one in desk.reviewing.findings() if one.track_id == track.id]


def test_states_are_kept_undone_and_follow_their_track(busy: Desk, make_desk: Callable[[], Desk]) -> None:
    review = busy.reviewing
    busy.session.select("u1")
    DO["review.labelled"].run(busy)
    busy.session.select(None)
    DO["review.reviewed"].run(busy)
    frame = Place(None, busy.session.time_ns)
    assert (review.state(Place("u1")), review.state(frame)) == (State.LABELLED, State.REVIEWED)
    assert review.state(Place("u2")) is State.TO_DO
    asked = []
    review.ask = lambda title, offered: asked.append((title, offered)) or "wrong heading"
    busy.session.select("u1")
    DO["review.rejected"].run(busy)
    assert asked == [("Why is it rejected?", REASONS)]
    busy.session.apply(RenameTrack("u1", "v1"))
    busy.session.store.close()
    again = make_desk()
    assert again.reviewing.state(Place("v1")) is State.REJECTED
    assert [r.text for r in again.session.labels.reviews.values() if r.track_id == "v1"] == ["wrong heading"]
    for _ in range(2):
        again.session.undo()
    assert again.reviewing.state(Place("u1")) is State.LABELLED
    again.session.select("u1")
    DO["review.todo"].run(again)
    assert again.reviewing.state(Place("u1")) is State.TO_DO
    history = len(again.session.store.history())
    DO["review.todo"].run(again)
    assert len(again.session.store.history()) == history


def test_refusing_to_say_why_changes_nothing(busy: Desk) -> None:
    busy.session.select("u1")
    busy.reviewing.ask = lambda title, offered: None
    DO["review.rejected"].run(busy)
    DO["review.comment"].run(busy)
    assert busy.session.labels.reviews == {}


def test_of_two_states_of_joined_tracks_the_one_counts_that_asks_for_more(busy: Desk) -> None:
    review = busy.reviewing
    review.ask = lambda title, offered: "wrong class"
    review.put_state(State.REVIEWED, Place("u1"))
    busy.session.apply(PutTrack(Track.of("late", "car", [Annotation(busy.session.time_ns + 1, BOX)])))
    review.put_state(State.REJECTED, Place("late"))
    busy.session.apply(MergeTracks("u1", "late"))
    assert state_of(busy.session.labels, Place("u1")) is State.REJECTED
    review.put_state(State.REVIEWED, Place("u1"))
    assert state_of(busy.session.labels, Place("u1")) is State.REVIEWED


def test_comments_are_pinned_to_box_track_and_frame(busy: Desk) -> None:
    session, review = busy.session, busy.reviewing
    texts = iter(["the box", "the track", "the frame"])
    review.ask = lambda title, offered: f"{title}: {next(texts)}"
    session.select("u1")
    DO["review.comment"].run(busy)
    session.go_to(2)
    DO["review.comment"].run(busy)
    session.select(None)
    DO["review.comment"].run(busy)
    first, third = (int(t) for t in session.log.timestamps_ns[[0, 2]])
    assert [(c.text, c.track_id, c.timestamp_ns) for c in comments(session.labels)] == [
        ("A comment on the box: the box", "u1", first),
        ("A comment on the track: the track", "u1", None),
        ("A comment on the frame: the frame", None, third),
    ]
    assert commented(session.labels, first) == {"u1"}
    review.resolve(next(comments(session.labels)))
    assert [c.text[-5:] for c in review.comments()] == ["frame", "track", "e box"]
    review.show(Place(None, third))
    assert session.frame == 2
    assert [c.author for c in review.comments()] == ["me"] * 3
