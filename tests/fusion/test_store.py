"""The store: nothing acknowledged is ever lost, everything can be undone, every number comes back exact."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib import SE3
from fusion import Annotation, Box3D, EditError, ImageBox, LabelSet, Review, Source, Track
from fusion.compare import first_difference
from fusion.edits import (
    Edit,
    Group,
    LockAnnotations,
    PutAnnotations,
    PutImageBoxes,
    PutReview,
    PutTrack,
    RemoveTrack,
    RenameTrack,
    SetTrack,
)
from fusion.store import LabelStore
from fusion.store.changes import apply_changes, from_json
from tests.fusion.label_strategies import boxes, edits, json_values, label_sets

BOX = Box3D.upright((10, 0, 1), (4.5, 1.9, 1.6), 0.1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "labels.db"


@pytest.fixture
def labels() -> LabelSet:
    car = Track.of("car", "car", [Annotation(t, BOX) for t in (10, 20, 30)], {"colour": "red"})
    return LabelSet.of([car, Track.of("van", "van", [Annotation(10, BOX, locked=True)])])


@contextmanager
def somewhere() -> Iterator[Path]:
    """A new folder a drawn example, which tmp_path is not."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "labels.db"


def bits(box: Box3D) -> bytes:
    ego_from_box = box.ego_from_box
    return ego_from_box.rotation.tobytes() + ego_from_box.translation.tobytes() + box.size_lwh_m.tobytes()


# What is kept


@settings(max_examples=30)
@given(label_sets())
def test_whatever_is_put_in_comes_back(labels: LabelSet) -> None:
    with somewhere() as path:
        with LabelStore.create(path, "a log", labels, author="ann") as store:
            assert first_difference(store.labels, labels) is None
        with LabelStore.open(path, read_only=True) as store:
            assert (store.log_name, store.author) == ("a log", "ann")
            assert first_difference(store.labels, labels) is None


@settings(max_examples=30)
@given(st.lists(boxes(), min_size=1, max_size=20))
def test_boxes_come_back_to_the_bit(drawn: list[Box3D]) -> None:
    track = Track.of("a", "car", [Annotation(i, box) for i, box in enumerate(drawn)])
    with somewhere() as path:
        LabelStore.create(path, "log", LabelSet.of([track])).close()
        with LabelStore.open(path) as store:
            again = [a.box for a in store.labels.tracks["a"].annotations.values()]
            assert [bits(box) for box in again] == [bits(box) for box in drawn]
            store.apply(RemoveTrack("a"))
            store.undo()
            again = [a.box for a in store.labels.tracks["a"].annotations.values()]
            assert [bits(box) for box in again] == [bits(box) for box in drawn]


def test_the_sign_of_zero_and_the_side_of_pi_come_back(path: Path) -> None:
    rotation = np.diag([-1.0, -1.0, 1.0])
    rotation[1, 0] = -0.0
    box = Box3D(SE3(rotation, np.array([-0.0, 0.0, 0.0])), 1.0, 2.0, 3.0)
    assert box.yaw_rad == -np.pi
    LabelStore.create(path, "log", LabelSet.of([Track.of("a", "car", [Annotation(0, box)])])).close()
    with LabelStore.open(path) as store:
        again = store.labels.tracks["a"].annotations[0].box
        assert again.yaw_rad == -np.pi
        assert bits(again) == bits(box)


def test_what_is_read_is_as_immutable_as_what_was_made(path: Path, labels: LabelSet) -> None:
    LabelStore.create(path, "log", labels).close()
    with LabelStore.open(path) as store:
        box = store.labels.tracks["car"].annotations[10].box
        with pytest.raises(ValueError, match="read-only"):
            box.ego_from_box.translation[0] = 5.0
        with pytest.raises(TypeError):
            store.labels.tracks["car"].attributes["colour"] = "blue"  # type: ignore[index]


def test_tracks_come_back_in_the_order_in_which_they_came(path: Path) -> None:
    names = ["z", "a", "m", "b"]
    with LabelStore.create(path, "log", LabelSet.of([Track(n, "car") for n in names])) as store:
        store.apply(SetTrack("m", "bus"))
        store.apply(PutTrack(Track("c", "car")))
    with LabelStore.open(path) as store:
        assert list(store.labels.tracks) == [*names, "c"]


@settings(max_examples=50)
@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_any_json_is_an_attribute(attributes: dict[str, object]) -> None:
    track = Track.of("a", "car", [Annotation(0, BOX, attributes=attributes)], attributes)  # type: ignore[arg-type]
    with somewhere() as path:
        LabelStore.create(path, "log", LabelSet.of([track])).close()
        with LabelStore.open(path, read_only=True) as store:
            again = store.labels.tracks["a"]
            assert again.attributes == attributes
            assert again.annotations[0].attributes == attributes


UNKEPT = {
    "NaN": Track("x", "car", attributes={"a": float("nan")}),
    "infinity in a list": Track("x", "car", attributes={"a": [1.0, float("inf")]}),
    "a tuple": Track("x", "car", attributes={"a": (1, 2)}),  # type: ignore[dict-item]
    "a number as a key": Track("x", "car", attributes={1: 2}),  # type: ignore[dict-item]
    "an array": Track("x", "car", attributes={"a": np.zeros(2)}),  # type: ignore[dict-item]
    "half a character": Track("x", "car", attributes={"a": "\ud800"}),
    "half a character as an id": Track("\ud800", "car"),
    "half a character as a category": Track("x", "\ud800"),
    "a score that is none": Track.of("x", "car", [Annotation(0, BOX, score=float("nan"))]),
    "too late an instant": Track.of("x", "car", [Annotation(2**63, BOX)]),
    "half a nanosecond": Track.of("x", "car", [Annotation(0.5, BOX)]),  # type: ignore[arg-type]
    "an annotation under another instant": Track("x", "car", {5: Annotation(6, BOX)}),
    "a side that is none": Track("x", "car", image_boxes={("F", 1): ImageBox(0, 0, float("nan"), 1)}),
    "half a character as a camera": Track("x", "car", image_boxes={("\ud800", 1): ImageBox(0, 0, 1, 1)}),
}


@pytest.mark.parametrize("track", UNKEPT.values(), ids=UNKEPT.keys())
def test_what_cannot_be_kept_is_refused_and_changes_nothing(
    path: Path, labels: LabelSet, track: Track
) -> None:
    with LabelStore.create(path, "log", labels) as store:
        with pytest.raises(EditError):
            store.apply(Group((RemoveTrack("car"), PutTrack(track)), "both or none"))
        assert first_difference(store.labels, labels) is None
        assert store.history() == []
    with pytest.raises(EditError):
        LabelStore.create(path.with_name("other.db"), "log", LabelSet.of([track]))
    assert sorted(file.name for file in path.parent.iterdir()) == ["labels.db"]


def test_numpy_numbers_are_numbers(path: Path) -> None:
    at = Annotation(np.int64(5), BOX, score=np.float32(0.5), locked=np.bool_(True))  # type: ignore[arg-type]
    with LabelStore.create(path, "log", LabelSet.of([Track.of("a", "car", [at])])) as store:
        again = store.labels.tracks["a"].annotations[5]
    assert (again.timestamp_ns, again.score, again.locked) == (5, 0.5, True)


# Undo, redo and the journal


@settings(max_examples=40)
@given(label_sets(), st.lists(edits, max_size=6), st.booleans())
def test_n_edits_and_n_undos_give_the_same_and_redo_replays(
    labels: LabelSet, drawn: list[Edit], automatic: bool
) -> None:
    with somewhere() as path:
        states = [labels]
        with LabelStore.create(path, "log", labels) as store:
            for edit in drawn:
                before = len(store.history())
                try:
                    store.apply(edit, automatic=automatic)
                except EditError:
                    assert first_difference(store.labels, states[-1]) is None
                if len(store.history()) > before:
                    states.append(store.labels)
                assert first_difference(store.labels, states[-1]) is None
        for state in reversed(states[:-1]):
            with LabelStore.open(path) as store:  # undo lives on disk, not in the process
                assert first_difference(store.undo(), state) is None
        with LabelStore.open(path) as store:
            assert store.undo_title is None
            assert first_difference(store.labels, labels) is None
            for state in states[1:]:
                assert first_difference(store.redo(), state) is None
            assert store.redo_title is None
        with LabelStore.open(path, read_only=True) as store:
            assert first_difference(store.labels, states[-1]) is None


@settings(max_examples=40)
@given(label_sets(), st.lists(st.sampled_from(["undo", "redo", "reopen"]) | edits, max_size=12))
def test_the_journal_says_it_all(labels: LabelSet, steps: list[object]) -> None:
    """A plain list of states as the model; replaying the journal on the first state gives the last."""
    done, undone = [labels], []
    with somewhere() as path:
        store = LabelStore.create(path, "log", labels)
        for step in steps:
            if step == "reopen":
                store.close()
                store = LabelStore.open(path)
            elif step == "undo":
                if len(done) == 1:
                    with pytest.raises(EditError, match="nothing to undo"):
                        store.undo()
                    continue
                undone.append(done.pop())
                store.undo()
            elif step == "redo":
                if not undone:
                    with pytest.raises(EditError, match="nothing to redo"):
                        store.redo()
                    continue
                done.append(undone.pop())
                store.redo()
            else:
                try:
                    after = step.apply(store.labels)  # type: ignore[attr-defined]
                except EditError:
                    continue
                before = len(store.history())
                store.apply(step)  # type: ignore[arg-type]
                if len(store.history()) > before:
                    done.append(after)
                    undone.clear()
            assert first_difference(store.labels, done[-1]) is None
            assert sum(not entry.undone for entry in store.history()) == len(done) - 1
        store.close()
        replayed = labels
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute(
                "SELECT seq, kind, target, changes FROM journal ORDER BY seq"
            ).fetchall()
        written = {seq: from_json(changes) for seq, _, _, changes in rows}
        for seq, kind, target, _ in rows:
            changes = written[seq if kind == "edit" else target]
            if kind == "undo":
                changes = [change.undone() for change in changes]
            replayed = apply_changes(replayed, changes)
        assert first_difference(replayed, done[-1]) is None


def test_history_tells_who_did_what_when(path: Path, labels: LabelSet) -> None:
    with LabelStore.create(path, "log", labels, author="ann") as store:
        store.apply(SetTrack("car", "bus"))
        store.apply(SetTrack("car", "truck"), author="tracker", automatic=True)
        store.undo(author="bob")
        store.apply(RemoveTrack("car"), author="bob")
        entries = store.history()
        assert [(e.author, e.automatic, e.undone) for e in entries] == [
            ("ann", False, False),
            ("tracker", True, True),
            ("bob", False, False),
        ]
        assert [e.title for e in entries][2] == "Remove track car"
        assert [(e.kind, e.author) for e in store.journal()][2] == ("undo", "bob")
        times = [e.time_ns for e in store.journal()]
        assert times == sorted(times)
        assert len({e.uuid for e in store.journal()}) == 4
        assert store.undo_title == "Remove track car"
        assert store.redo_title is None
        with pytest.raises(EditError, match="nothing to redo"):
            store.redo()
        known = store.history()
    with LabelStore.open(path, read_only=True) as store:
        assert store.history() == known


def test_an_edit_that_changes_nothing_leaves_no_trace(path: Path, labels: LabelSet) -> None:
    with LabelStore.create(path, "log", labels) as store:
        calls: list[frozenset[str]] = []
        store.subscribe(calls.append)
        store.apply(SetTrack("car", "car"))
        store.apply(PutAnnotations("car", (Annotation(10, BOX),)))
        store.apply(LockAnnotations("van", (10,)))
        store.apply(RemoveTrack("van"), automatic=True)
        assert store.history() == []
        assert calls == []


def test_a_small_edit_writes_only_what_changed(path: Path, labels: LabelSet) -> None:
    with LabelStore.create(path, "log", labels) as store:
        store.apply(PutAnnotations("car", (Annotation(20, BOX, source=Source.AUTO),)))
    with closing(sqlite3.connect(path)) as connection:
        ((changes,),) = connection.execute("SELECT changes FROM journal").fetchall()
    assert changes.count('"annotation"') == 1
    assert '"track"' not in changes


def test_the_journal_can_only_grow(path: Path, labels: LabelSet) -> None:
    with LabelStore.create(path, "log", labels) as store:
        store.apply(RemoveTrack("car"))
    with closing(sqlite3.connect(path)) as connection:
        for statement in ("DELETE FROM journal", "UPDATE journal SET author = 'nobody'"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)


def test_automatic_edits_leave_locks_alone(path: Path, labels: LabelSet) -> None:
    moved = Annotation(10, Box3D.upright((0, 0, 0), (1, 1, 1), 0), source=Source.AUTO)
    with LabelStore.create(path, "log", labels) as store:
        store.apply(
            Group((PutAnnotations("van", (moved,)), PutAnnotations("car", (moved,))), "x"), automatic=True
        )
        assert bits(store.labels.tracks["van"].annotations[10].box) == bits(BOX)
        assert store.labels.tracks["car"].annotations[10].source is Source.AUTO


# Listeners


def test_listeners_hear_which_tracks_were_touched(path: Path, labels: LabelSet) -> None:
    heard: list[frozenset[str]] = []
    with LabelStore.create(path, "log", labels) as store:
        unsubscribe = store.subscribe(heard.append)
        store.apply(RenameTrack("car", "taxi"))
        store.apply(PutImageBoxes("van", {("F", 1): ImageBox(0, 0, 1, 1)}))
        store.apply(PutReview(Review("r", "look", "ann")))
        store.apply(PutReview(Review("r", "look", "ann", track_id="van")))
        store.undo()
        store.redo()
        unsubscribe()
        unsubscribe()
        store.apply(RemoveTrack("taxi"))
    assert heard == [{"car", "taxi"}, {"van"}, set(), {"van"}, {"van"}, {"van"}]


def test_a_listener_sees_the_new_labels_and_may_leave(path: Path, labels: LabelSet) -> None:
    seen: list[str] = []
    with LabelStore.create(path, "log", labels) as store:

        def once(touched: frozenset[str]) -> None:
            seen.append(store.labels.tracks["car"].category)
            unsubscribe()

        unsubscribe = store.subscribe(once)
        later: list[frozenset[str]] = []
        store.subscribe(later.append)
        store.apply(SetTrack("car", "bus"))
        store.apply(SetTrack("car", "truck"))
    assert seen == ["bus"]
    assert later == [{"car"}, {"car"}]


# Notes and copies


def test_model_runs_are_noted(path: Path) -> None:
    with LabelStore.create(path, "log") as store:
        assert store.model_run is None
        store.record_model_run({"version": "1.0", "config": {"π": 3}})
        store.record_model_run({"version": "1.1"})
        with pytest.raises(EditError):
            store.record_model_run({"loss": float("nan")})
    with LabelStore.open(path, read_only=True) as store:
        assert store.model_run == {"version": "1.1"}


def test_a_copy_has_the_labels_and_the_history(path: Path, labels: LabelSet) -> None:
    copy = path.with_name("copy.db")
    with LabelStore.create(path, "log", labels, author="ann") as store:
        store.apply(RemoveTrack("car"))
        store.save_copy(copy)
        store.apply(RemoveTrack("van"))
    with LabelStore.open(copy) as store:
        assert (store.log_name, store.author) == ("log", "ann")
        assert list(store.labels.tracks) == ["van"]
        assert first_difference(store.undo(), labels) is None
        with pytest.raises(Exception, match="there already"):
            store.save_copy(path)
    with LabelStore.open(path) as store:
        assert len(store.labels.tracks) == 0
        store.save_copy(path.with_name("reader.db"))
    assert sorted(p.name for p in path.parent.iterdir()) == ["copy.db", "labels.db", "reader.db"]
