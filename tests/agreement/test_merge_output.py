"""The file that a merge makes: its record, its comments, its history."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fusion import LabelSet, Review, Source, StoreError
from fusion.agreement import Given, Prefer, diff, merge, recorded, write_merged
from fusion.agreement.record import AUTHOR, PINNED_PER_TRACK, content_hash
from fusion.compare import first_difference
from fusion.edits import LockAnnotations, PutAnnotations, PutTrack, RemoveTrack, SetTrack
from fusion.store import LabelStore
from tests.agreement.sets import crowd, moved, parked

Change = Callable[[LabelStore], object]


def shifted(labels: LabelSet, id: str, instants: range, step: float) -> PutAnnotations:
    found = (labels.tracks[id].annotations[t] for t in instants)
    return PutAnnotations(
        id, tuple(replace(a, box=moved(a.box, (step, 0, 0)), source=Source.AUTO) for a in found)
    )


@pytest.fixture
def base() -> LabelSet:
    return LabelSet.of([parked("1", 0, frames=20), parked("2", 20), parked("3", 40)])


def given(folder: Path, name: str, labels: LabelSet, *changes: Change) -> Given:
    """A file of labels that people have worked on."""
    with LabelStore.create(folder / name, "log", labels, name[0]) as store:
        for change in changes:
            change(store)
        return Given(name, store.labels, store.author, store.last_edits())


def test_the_hash_is_of_what_labels_say_and_not_of_the_file(base: LabelSet) -> None:
    backwards = LabelSet(dict(reversed(base.tracks.items())))
    assert content_hash(base) == content_hash(backwards)
    assert content_hash(base) != content_hash(SetTrack("1", "van").apply(base))
    assert content_hash(base) != content_hash(replace(base, attributes={"x": 1}))
    assert len(content_hash(LabelSet())) == 64


def test_the_record_holds_what_the_labels_do_not(base: LabelSet) -> None:
    a, b = (shifted(base, "1", range(2), step).apply(base) for step in (0.5, 0.7))
    merged = merge(a, b, base)
    labels = recorded(merged, Given("a.db", a, "anna"), Given("b.db", b), Given("c.db", base), Prefer.A)
    record = json.loads(json.dumps(labels.attributes["merge"]))
    assert record["a"] == {"file": "a.db", "author": "anna", "sha256": content_hash(a)}
    assert record["base"]["sha256"] == content_hash(base)
    assert record["boxes"] == {"same": 26, "conflict": 2}
    assert [one["b"]["center_m"][0] for one in record["conflicts"]] == [0.7, 0.7]
    assert "earlier" not in record
    pinned = {(one.track_id, one.timestamp_ns): one for one in labels.reviews.values()}
    assert set(pinned) == {("1", 0), ("1", 1)}
    assert all((one.author, one.state) == (AUTHOR, "open") for one in pinned.values())
    assert "Taken: a.db (preferred). b.db has a box at 0.70 0.00 0.80 m" in pinned["1", 0].text


def test_many_conflicts_of_a_track_make_few_comments_on_the_worst(base: LabelSet) -> None:
    a = shifted(base, "1", range(20), 0.1).apply(base)
    b = shifted(shifted(base, "1", range(20), 0.2).apply(base), "1", range(7, 8), 3.0).apply(a)
    labels = recorded(merge(a, b, base), Given("a", a), Given("b", b), None, Prefer.A)
    comments = list(labels.reviews.values())
    assert len(comments) == 1
    b = shifted(base, "1", range(20), 0.2).apply(base)
    b = shifted(b, "1", range(7, 8), 3.0).apply(b)
    labels = recorded(merge(a, b, base), Given("a", a), Given("b", b), None, Prefer.A)
    comments = list(labels.reviews.values())
    assert len(comments) == PINNED_PER_TRACK
    assert comments[0].timestamp_ns == 7
    assert "10 more boxes of this track differ" in comments[0].text


def test_records_of_earlier_merges_are_handed_on(base: LabelSet) -> None:
    a, b = (shifted(base, "1", range(1), step).apply(base) for step in (0.5, 0.7))
    first = recorded(merge(a, b, base), Given("a", a), Given("b", b), Given("c", base), Prefer.A)
    again = merge(first, SetTrack("2", "van").apply(base), base)
    assert not again.conflicts
    labels = recorded(again, Given("first", first), Given("d", base), None, Prefer.A)
    assert labels.attributes["merge"]["earlier"] == [first.attributes["merge"]]  # type: ignore[index,call-overload]
    assert set(labels.reviews) == set(first.reviews)


def test_the_newer_edit_is_taken(base: LabelSet, tmp_path: Path) -> None:
    a = given(
        tmp_path,
        "a.db",
        base,
        lambda store: store.apply(shifted(base, "1", range(2), 0.5)),
    )
    b = given(
        tmp_path,
        "b.db",
        base,
        lambda store: store.apply(shifted(base, "1", range(2), 0.7)),
    )
    with LabelStore.open(tmp_path / "a.db") as store:
        store.apply(shifted(base, "1", range(1), 0.6))
        a = Given("a.db", store.labels, store.author, store.last_edits())
    merged = merge(a.labels, b.labels, base, prefer=Prefer.NEWER, history_a=a.history, history_b=b.history)
    assert [merged.labels.tracks["1"].annotations[t].box.center[0] for t in (0, 1)] == [0.6, 0.7]
    assert [(one.taken, one.why) for one in merged.conflicts] == [("a", "newer"), ("b", "newer")]


def test_the_newer_edit_of_a_track_of_another_id_is_found(base: LabelSet, tmp_path: Path) -> None:
    other = LabelSet.of([parked("x", 0)])
    a = given(tmp_path, "a.db", LabelSet.of([parked("1", 0)]))
    b = given(tmp_path, "b.db", other, lambda store: store.apply(shifted(other, "x", range(1), 0.3), "ben"))
    merged = merge(a.labels, b.labels, prefer=Prefer.NEWER, history_a=a.history, history_b=b.history)
    assert merged.labels.tracks["1"].annotations[0].box.center[0] == 0.3


def test_the_history_says_who_brought_what(base: LabelSet, tmp_path: Path) -> None:
    def carol(store: LabelStore) -> object:
        return store.apply(shifted(base, "1", range(1), 0.5), "carol")

    def dave(store: LabelStore) -> object:
        return store.apply(LockAnnotations("2", (0,)), "dave")

    def erin(store: LabelStore) -> object:
        store.apply(RemoveTrack("3"), "erin")
        return store.apply(PutTrack(parked("4", 60)), "erin")

    a, b = given(tmp_path, "a.db", base, carol, dave), given(tmp_path, "b.db", base, erin)
    start = Given("base.db", base)
    merged = merge(a.labels, b.labels, base)
    said = write_merged(tmp_path / "new" / "out.db", "log", merged, a, b, start)
    with LabelStore.open(tmp_path / "new" / "out.db") as store:
        assert (store.log_name, store.author) == ("log", "a")
        assert first_difference(store.labels, said) is None
        assert first_difference(replace(store.labels, attributes={}), merged.labels) is None
        assert [(entry.author, entry.title) for entry in store.history()] == [
            ("carol", "Labels of a.db"),
            ("dave", "Labels of a.db"),
            ("erin", "Merge b.db"),
        ]
        result = diff(base, replace(store.labels, attributes={}), history_b=store.last_edits())
        made = {(one.a_id or one.b_id): one.made_b and one.made_b.author for one in result.differences}
        assert made == {"1": "carol", "2": "dave", "3": "erin", "4": "erin"}
        store.undo()
        assert set(store.labels.tracks) == {"1", "2", "3"}
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["out.db"]


def test_a_box_in_a_track_of_someone_else_arrives_with_it(tmp_path: Path) -> None:
    whole, late = parked("1", 0), parked("1", 0).annotations[3]

    def build(store: LabelStore) -> object:
        store.apply(PutTrack(whole.without([3])), "carol")
        store.apply(PutAnnotations("1", (late,)), "dave")
        return store.apply(SetTrack("1", "van"), "erin")

    a = given(tmp_path, "a.db", LabelSet(), build)
    merged = merge(a.labels, LabelSet())
    write_merged(tmp_path / "out.db", "log", merged, a, Given("b.db", LabelSet()))
    with LabelStore.open(tmp_path / "out.db", read_only=True) as store:
        assert first_difference(replace(store.labels, attributes={}), a.labels) is None
        authors = {key[1:]: entry.author for (_, key), entry in store.last_edits().items()}
        assert authors[()] == "erin"
        assert authors[(0,)] == "carol"


def test_nothing_is_overwritten_unasked(base: LabelSet, tmp_path: Path) -> None:
    one = Given("a.db", base)
    merged = merge(base, base)
    path = tmp_path / "out.db"
    write_merged(path, "log", merged, one, one)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="--force"):
        write_merged(path, "log", merged, one, one)
    assert path.read_bytes() == before
    with LabelStore.open(path), pytest.raises(StoreError, match="open for writing elsewhere"):
        write_merged(path, "log", merged, one, one, force=True)
    van = merge(SetTrack("1", "van").apply(base), base)
    write_merged(path, "log", van, one, one, force=True)
    with LabelStore.open(path, read_only=True) as store:
        assert store.labels.tracks["1"].category == "van"
    letter = tmp_path / "letter.txt"
    letter.write_text("dear all", encoding="utf-8")
    with pytest.raises(StoreError, match="not a file of labels"):
        write_merged(letter, "log", merged, one, one, force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["letter.txt", "out.db"]


def test_what_cannot_be_written_leaves_nothing(base: LabelSet, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    one = Given("a.db", base)
    with pytest.raises(StoreError, match="file"):
        write_merged(tmp_path / "file" / "out.db", "log", merge(base, base), one, one)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_reviews_and_attributes_go_into_the_file(base: LabelSet, tmp_path: Path) -> None:
    a = replace(base, reviews={"r": Review("r", "look", "anna")}, attributes={"project": "x"})
    b = replace(crowd(7, 3, 2, prefix="n"), attributes={"season": "winter"})
    merged = merge(a, b)
    write_merged(tmp_path / "out.db", "log", merged, Given("a", a), Given("b", b))
    with LabelStore.open(tmp_path / "out.db", read_only=True) as store:
        assert store.labels.reviews["r"].text == "look"
        said = {name: value for name, value in store.labels.attributes.items() if name != "merge"}
        assert said == {"project": "x", "season": "winter"}


def test_notes_of_automation_go_along(base: LabelSet, tmp_path: Path) -> None:
    one, other = Given("a", base, model_run={"version": 1}), Given("b", base, model_run={"version": 2})
    write_merged(tmp_path / "out.db", "log", merge(base, base), one, other)
    with LabelStore.open(tmp_path / "out.db", read_only=True) as store:
        assert dict(store.model_run or {}) == {"version": 2}
