"""Findings, comments and states, without a window."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from fusion.boxes import Box3D
from fusion.edits import MergeTracks, PutTrack, RenameTrack
from fusion.labels import Annotation, LabelSet, Source, Track
from viewer.actions import by_id
from viewer.desk import Desk
from viewer.notices import notices
from viewer.review.findings import Findings
from viewer.review.reviews import REASONS, Place, State, commented, comments, state_of
from viewer.schema import Attribute, Category, Schema

DO = by_id()
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


def test_unsure_boxes_of_a_track_are_one_finding_until_somebody_has_looked() -> None:
    sure = [Annotation(t, BOX, Source.AUTO, 0.99) for t in (7, 8)]
    track = Track.of("1", "car", [*unsure((1, 2)), *unsure((3,), "far away"), *sure])
    rules = Findings(SCHEMA)
    (finding,) = rules.of(LabelSet.of([track]))
    assert (finding.track_id, finding.timestamps_ns, finding.value, finding.limit) == (
        "1",
        (1, 2, 3),
        0.5,
        0.96,
    )
    assert finding.words == "few points (2), far away (1)"
    assert finding.fix is None
    mine = track.with_annotations(unsure((1,), source=Source.HUMAN))
    mine = mine.with_annotations(replace(a, locked=True) for a in unsure((2,)))
    (less,) = rules.of(LabelSet.of([mine]))
    assert less.timestamps_ns == (3,)
    assert less.id != finding.id
    assert less.repair_s < finding.repair_s


def test_an_id_says_rule_and_place_and_stays_the_same() -> None:
    labels = LabelSet.of([Track.of("1", "car", unsure((1, 2)))])
    (first,) = Findings(SCHEMA).of(labels)
    (again,) = Findings(SCHEMA).of(LabelSet.of([Track.of("1", "car", unsure((2, 1)))]))
    (other,) = Findings(SCHEMA).of(LabelSet.of([Track.of("2", "car", unsure((1, 2)))]))
    assert first.id == again.id != other.id


def test_what_must_be_said_is_missed_and_taken_from_the_other_boxes() -> None:
    said = [Annotation(t, BOX, attributes={"posture": "sitting"}) for t in (1, 2)]
    track = Track.of("1", "person", [*said, Annotation(3, BOX)], {"role": "worker"})
    labels = LabelSet.of([track])
    (finding,) = Findings(SCHEMA).of(labels)
    assert "posture" in finding.words
    repaired = finding.fix.apply(labels)
    assert repaired.tracks["1"].annotations[3].attributes["posture"] == "sitting"
    assert Findings(SCHEMA).of(repaired) == []
    standing = [*said[1:], replace(said[0], attributes={"posture": "standing"}), Annotation(3, BOX)]
    unclear = Track.of("1", "person", standing)
    found = {one.rule: one for one in Findings(SCHEMA).of(LabelSet.of([unclear]))}
    assert set(found) == {"attribute-posture", "attribute-role"}
    assert found["attribute-posture"].fix is None
    assert found["attribute-role"].timestamps_ns == ()


def test_what_is_repaired_soonest_comes_first() -> None:
    tracks = [Track.of(str(n), "car", unsure(range(n))) for n in (5, 1, 3)]
    assert [one.track_id for one in Findings(SCHEMA).of(LabelSet.of(tracks))] == ["1", "3", "5"]


@pytest.fixture
def busy(desk: Desk) -> Desk:
    """A desk with three tracks that want a look in its first two frames."""
    times = [int(t) for t in desk.session.log.timestamps_ns[:2]]
    for n in (1, 2, 3):
        box = replace(BOX, ego_from_box=Box3D.upright((10, 4 * n, 1), (4, 2, 1), 0).ego_from_box)
        boxes = [replace(a, box=box) for a in unsure(times[: min(n, 2)])]
        desk.session.apply(PutTrack(Track.of(f"u{n}", "car", boxes)))
    return desk


def test_return_accepts_and_goes_to_the_next_and_stays_so(busy: Desk, make_desk: Callable[[], Desk]) -> None:
    review = busy.reviewing
    assert [one.track_id for one in review.findings()] == ["u1", "u2", "u3"]
    DO["review.next"].run(busy)
    assert (busy.session.selected, review.current.track_id) == ("u1", "u1")
    assert any("Return: right as it is" in line for line in notices(busy))
    DO["object.confirm"].run(busy)
    assert busy.session.selected == "u2"
    assert busy.session.store.labels.tracks["u1"].annotations[busy.session.time_ns].locked
    DO["object.confirm"].run(busy)
    assert [one.track_id for one in review.findings()] == ["u3"]
    busy.session.store.close()
    again = make_desk()
    assert [one.track_id for one in again.reviewing.findings()] == ["u3"]
    again.session.undo()
    assert [one.track_id for one in again.reviewing.findings()] == ["u2", "u3"]


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
    busy.reviewing._rules.schema = SCHEMA
    time_ns = busy.session.time_ns
    said = Annotation(time_ns + 1, BOX, attributes={"posture": "sitting"})
    track = Track.of("p", "person", [Annotation(time_ns, BOX), said], {"role": "x"})
    busy.session.apply(PutTrack(track))
    DO["review.next"].run(busy)
    assert busy.session.selected == "p"
    DO["review.fix"].run(busy)
    assert busy.session.labels.tracks["p"].annotations[time_ns].attributes["posture"] == "sitting"
    assert busy.session.selected == "u1"


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
