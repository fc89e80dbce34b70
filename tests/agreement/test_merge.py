"""Merging: the laws that it keeps, and each rule on its own."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion import Annotation, ImageBox, LabelSet, Review, Source, Track
from fusion.agreement import Merged, Prefer, Tolerance, What, merge
from fusion.agreement.conflict import annotation_json, image_box_json, track_json
from fusion.agreement.threeway import equal_annotations, equal_boxes
from fusion.compare import first_difference
from fusion.edits import (
    Edit,
    LockAnnotations,
    PutAnnotations,
    PutImageBoxes,
    PutReview,
    PutTrack,
    RemoveAnnotations,
    RemoveReview,
    RemoveTrack,
    SetTrack,
)
from fusion.errors import EditError
from tests.agreement.sets import crowd, moved, parked, track
from tests.fusion.label_strategies import edits, label_sets

SEEN = ImageBox(10, 20, 30, 40)
SAID = Review("r", "too long", "me", "open", "1", 0)


def edited(labels: LabelSet, *changes: Edit) -> LabelSet:
    """The labels after those edits that fit."""
    for edit in changes:
        try:
            labels = edit.apply(labels)
        except EditError:
            continue
    return labels


@pytest.fixture
def base() -> LabelSet:
    one = replace(parked("1", 0), image_boxes={("front", 0): SEEN}, attributes={"colour": "red"})
    return LabelSet({"1": one, "2": parked("2", 20)}, {"r": SAID}, {"project": "x"})


def put(labels: LabelSet, instant: int = 0, step: float = 0.0, id: str = "1", **values: object) -> Edit:
    annotation = labels.tracks[id].annotations[instant]
    box = moved(annotation.box, (step, 0, 0))
    return PutAnnotations(id, (replace(annotation, box=box, **values),))  # type: ignore[arg-type]


same_world = st.tuples(label_sets(), st.lists(edits, max_size=3), st.lists(edits, max_size=3))


@given(label_sets())
@settings(max_examples=80)
def test_merged_with_itself_nothing_changes(a: LabelSet) -> None:
    anew = replace(a, tracks={id: replace(track) for id, track in a.tracks.items()})
    for one in (merge(a, a), merge(a, anew), merge(a, anew, a)):
        assert first_difference(one.labels, a) is None
        assert not one.conflicts


@given(label_sets(), label_sets(), st.lists(edits, max_size=4))
@settings(max_examples=120)
def test_changes_of_one_side_are_taken(a: LabelSet, other: LabelSet, changes: list[Edit]) -> None:
    for b in (other, edited(a, *changes)):
        for one in (merge(a, b, a), merge(b, a, a)):
            assert first_difference(one.labels, b) is None
            assert not one.conflicts


@given(same_world)
@settings(max_examples=120)
def test_sides_may_be_swapped_where_nothing_conflicts(
    world: tuple[LabelSet, list[Edit], list[Edit]],
) -> None:
    base, some, others = world
    a, b = edited(base, *some), edited(base, *others)
    exact = Tolerance(0, 0, 0, 0)
    there, back = merge(a, b, base, tolerance=exact), merge(b, a, base, tolerance=exact)
    assert bool(there.conflicts) == bool(back.conflicts)
    if not there.conflicts and not there.renamed and not there.joined:
        assert first_difference(there.labels, back.labels) is None


def held(merged: Merged, id: str, kept: Annotation) -> bool:
    """Whether a box is in the labels, or in what is recorded of a conflict."""
    found = merged.labels.tracks.get(id)
    if found is not None and equal_annotations(found.annotations.get(kept.timestamp_ns), kept):
        return True
    versions = [version for one in merged.conflicts for version in (one.versions.a, one.versions.b)]
    whole = [one for v in versions if isinstance(v, dict) for one in v.get("boxes") or []]  # type: ignore[union-attr]
    return annotation_json(kept) in [*versions, *whole]


def boxes_of(labels: LabelSet) -> Iterator[tuple[str, Annotation]]:
    return ((id, one) for id, track in labels.tracks.items() for one in track.annotations.values())


@given(same_world, st.sampled_from(Prefer), st.booleans())
@settings(max_examples=150)
def test_no_box_is_lost_without_a_conflict_or_an_ancestor_that_had_it(
    world: tuple[LabelSet, list[Edit], list[Edit]], prefer: Prefer, three_way: bool
) -> None:
    start, some, others = world
    a, b = edited(start, *some), edited(start, *others)
    base = start if three_way else LabelSet()
    merged = merge(a, b, base if three_way else None, prefer=prefer)
    ids = {**merged.joined, **merged.renamed}
    for labels, names in ((a, {}), (b, ids)):
        for id, box in boxes_of(labels):
            began = base.tracks.get(id, Track("", "")).annotations.get(box.timestamp_ns)
            if equal_annotations(began, box):
                continue
            now = merged.labels.tracks.get(names.get(id, id))
            kept = now and now.annotations.get(box.timestamp_ns)
            # Of boxes in one place the firmer stays, and attributes of both come together.
            united = kept is not None and equal_annotations(replace(kept, attributes={}), plain(box, kept))
            assert held(merged, names.get(id, id), box) or united


def plain(box: Annotation, kept: Annotation) -> Annotation:
    return replace(box, attributes={}, source=kept.source, locked=kept.locked, score=kept.score)


@given(same_world, st.sampled_from(Prefer))
@settings(max_examples=100)
def test_a_locked_box_is_only_lost_to_another_locked_box(
    world: tuple[LabelSet, list[Edit], list[Edit]], prefer: Prefer
) -> None:
    start, some, others = world
    a, b = edited(start, *some), edited(start, *others)
    merged = merge(a, b, prefer=prefer)
    ids = {**merged.joined, **merged.renamed}
    for labels, names in ((a, {}), (b, ids)):
        for id, box in boxes_of(labels):
            if box.locked:
                now = merged.labels.tracks[names.get(id, id)].annotations[box.timestamp_ns]
                assert now.locked
                assert equal_boxes(now.box, box.box) or held(merged, names.get(id, id), box)


def test_changes_of_both_sides_come_together(base: LabelSet) -> None:
    a = edited(base, put(base, 0, 0.5), SetTrack("2", category="van"), PutTrack(parked("3", 40)))
    b = edited(
        base,
        put(base, 1, 0.7),
        RemoveAnnotations("2", (3,)),
        RemoveReview("r"),
        PutImageBoxes("1", {("rear", 5): SEEN}),
        PutTrack(parked("4", 60)),
    )
    merged = merge(a, b, base)
    assert not merged.conflicts
    labels = merged.labels
    assert [labels.tracks["1"].annotations[t].box.center[0] for t in range(4)] == [0.5, 0.7, 0, 0]
    assert (labels.tracks["2"].category, list(labels.tracks["2"].annotations)) == ("van", [0, 1, 2])
    assert set(labels.tracks) == {"1", "2", "3", "4"}
    assert set(labels.tracks["1"].image_boxes) == {("front", 0), ("rear", 5)}
    assert not labels.reviews
    assert dict(merged.counts) == {"a": 5, "b": 5, "same": 5, "removed by b": 1}


def test_equal_changes_are_taken_once(base: LabelSet) -> None:
    after = edited(base, put(base, 0, 0.5), RemoveTrack("2"), PutReview(replace(SAID, state="resolved")))
    merged = merge(after, edited(after), base)
    assert not merged.conflicts
    assert first_difference(merged.labels, after) is None


def test_one_moves_a_box_the_other_says_more_of_it(base: LabelSet) -> None:
    merged = merge(
        edited(base, put(base, 0, 0.5)), edited(base, put(base, 0, attributes={"wet": True})), base
    )
    assert not merged.conflicts
    both = merged.labels.tracks["1"].annotations[0]
    assert (both.box.center[0], dict(both.attributes)) == (0.5, {"wet": True})


@pytest.mark.parametrize(("prefer", "at"), [(Prefer.A, 0.5), (Prefer.B, 0.7), (Prefer.NEWER, 0.5)])
def test_a_conflict_takes_one_and_keeps_the_other(base: LabelSet, prefer: Prefer, at: float) -> None:
    a, b = edited(base, put(base, 0, 0.5)), edited(base, put(base, 0, 0.7))
    merged = merge(a, b, base, prefer=prefer)
    (one,) = merged.conflicts
    assert merged.labels.tracks["1"].annotations[0].box.center[0] == at
    assert (one.what, one.aspect, one.place.track_id, one.place.timestamp_ns) == (What.BOX, "box", "1", 0)
    assert one.versions.a == annotation_json(a.tracks["1"].annotations[0])
    assert one.versions.b == annotation_json(b.tracks["1"].annotations[0])
    assert one.versions.base == annotation_json(base.tracks["1"].annotations[0])
    assert one.amount_m == pytest.approx(0.2)
    assert "moved by 0.20 m" in one.words


def test_a_locked_box_wins_whatever_is_preferred(base: LabelSet) -> None:
    a, b = edited(base, put(base, 0, 0.5)), edited(base, put(base, 0, 0.7, locked=True))
    for one in (merge(a, b, base), merge(b, a, base, prefer=Prefer.B), merge(a, b)):
        assert one.labels.tracks["1"].annotations[0].box.center[0] == 0.7
        assert one.labels.tracks["1"].annotations[0].locked
        assert [conflict.why for conflict in one.conflicts] == ["locked"]


def test_two_locks_that_differ_are_a_conflict_for_people(base: LabelSet) -> None:
    a, b = (edited(base, put(base, 0, step, locked=True)) for step in (0.5, 0.7))
    merged = merge(a, b, base)
    (one,) = merged.conflicts
    assert (one.taken, one.why) == ("a", "preferred")
    assert merged.labels.tracks["1"].annotations[0].box.center[0] == 0.5


def test_a_lock_on_the_same_box_is_no_conflict(base: LabelSet) -> None:
    for merged in (
        merge(edited(base, LockAnnotations("1", (0,))), base),
        merge(base, edited(base, LockAnnotations("1", (0,)))),
    ):
        assert not merged.conflicts
        assert merged.labels.tracks["1"].annotations[0].locked


def test_preferring_what_people_are_surer_of(base: LabelSet) -> None:
    a = edited(base, put(base, 0, 0.5, source=Source.AUTO), put(base, 1, 0.5))
    b = edited(base, put(base, 0, 0.7), put(base, 1, 0.7, source=Source.INTERPOLATED))
    merged = merge(a, b, base, prefer=Prefer.LOCKED)
    assert [merged.labels.tracks["1"].annotations[t].box.center[0] for t in (0, 1)] == [0.7, 0.5]
    assert [one.why for one in merged.conflicts] == ["firmer", "firmer"]


def test_a_track_one_removed_and_the_other_went_on_with(base: LabelSet) -> None:
    a, b = edited(base, RemoveTrack("1")), edited(base, put(base, 0, 0.5))
    merged = merge(a, b, base)
    (one,) = merged.conflicts
    assert (one.aspect, one.taken, one.versions.a) == ("removed", "a", None)
    assert one.versions.b == track_json(b.tracks["1"])
    assert "1" not in merged.labels.tracks
    assert "1" in merge(a, b, base, prefer=Prefer.B).labels.tracks
    locked = edited(base, put(base, 2, 0.5, locked=True))
    kept = merge(a, locked, base)
    assert list(kept.labels.tracks["1"].annotations) == [2]
    assert kept.conflicts[0].why == "locked"


def test_a_box_one_removed_and_the_other_moved(base: LabelSet) -> None:
    a, b = edited(base, RemoveAnnotations("1", (0,))), edited(base, put(base, 0, 0.5))
    merged = merge(a, b, base)
    assert [(one.aspect, one.versions.a) for one in merged.conflicts] == [("removed", None)]
    assert 0 not in merged.labels.tracks["1"].annotations
    assert 0 in merge(a, b, base, prefer=Prefer.B).labels.tracks["1"].annotations


def test_a_lock_that_one_side_gave_up_is_told(base: LabelSet) -> None:
    start = edited(base, LockAnnotations("1", (0, 1, 2)), LockAnnotations("2", (1,)))
    b = edited(start, RemoveAnnotations("1", (0,)), LockAnnotations("1", (1,), False), RemoveTrack("2"))
    merged = merge(start, b, start)
    assert not merged.conflicts
    assert set(merged.given_up) == {("1", 0), ("1", 1), ("2", 1)}


def test_classes_attributes_rectangles_and_comments_in_conflict(base: LabelSet) -> None:
    a, b = (
        edited(
            base,
            SetTrack("1", category=word, attributes={"colour": word, word: 1}),
            PutImageBoxes("1", {("front", 0): replace(SEEN, left_px=left)}),
            PutReview(replace(SAID, text=word)),
        )
        for word, left in (("van", 5), ("bus", 6))
    )
    merged = merge(replace(a, attributes={"project": "y"}), replace(b, attributes={"project": "z"}), base)
    found = {(one.what.value, one.aspect) for one in merged.conflicts}
    assert found == {
        ("track", "category"),
        ("track", "attribute colour"),
        ("rectangle", "rectangle"),
        ("review", "review"),
        ("label set", "attribute project"),
    }
    one = merged.labels.tracks["1"]
    assert (one.category, dict(one.attributes)) == ("van", {"colour": "van", "van": 1, "bus": 1})
    assert one.image_boxes["front", 0].left_px == 5
    rectangle = next(conflict for conflict in merged.conflicts if conflict.what is What.RECTANGLE)
    assert rectangle.versions.b == image_box_json(b.tracks["1"].image_boxes["front", 0])
    assert {review.text for review in merged.labels.reviews.values()} == {"van", "bus"}
    assert merged.labels.attributes["project"] == "y"


def test_without_an_ancestor_all_that_only_one_has_is_taken(base: LabelSet) -> None:
    a, b = edited(base, RemoveTrack("2")), edited(base, RemoveAnnotations("1", (0,)))
    merged = merge(a, b)
    assert not merged.conflicts
    assert first_difference(merged.labels, base) is None


def test_one_object_of_two_ids_becomes_one(base: LabelSet) -> None:
    a, b = LabelSet.of([parked("1", 0), parked("2", 20)]), LabelSet.of([parked("x", 0), parked("1", 60)])
    b = replace(b, reviews={"r": replace(SAID, track_id="x")})
    merged = merge(a, b)
    assert dict(merged.joined) == {"x": "1"}
    assert dict(merged.renamed) == {"1": "1-b"}
    assert set(merged.labels.tracks) == {"1", "2", "1-b"}
    assert merged.labels.reviews["r"].track_id == "1"
    assert not merged.conflicts
    apart = merge(a, b, by_overlap=False)
    assert set(apart.labels.tracks) == {"1", "2", "x", "1-b"}


def test_a_free_id_is_free() -> None:
    a = LabelSet.of([parked("1", 0), parked("1-b", 20)])
    b = LabelSet.of([parked("1", 60), parked("1-b2", 80)])
    assert set(merge(a, b).labels.tracks) == {"1", "1-b", "1-b2", "1-b3"}


def test_with_an_ancestor_its_ids_say_what_is_what(base: LabelSet) -> None:
    """B moved a box right out of its old place: still the same object."""
    a, b = (
        edited(base, SetTrack("2", category="van")),
        edited(base, *(put(base, t, 50.0, "2") for t in range(4))),
    )
    merged = merge(a, b, base)
    assert not merged.renamed
    assert not merged.conflicts
    assert merged.labels.tracks["2"].category == "van"
    assert merged.labels.tracks["2"].annotations[0].box.center[0] == 70


def test_an_object_that_both_added_is_one(base: LabelSet) -> None:
    a, b = edited(base, PutTrack(parked("new", 40))), edited(base, PutTrack(parked("other", 40)))
    merged = merge(a, b, base)
    assert dict(merged.joined) == {"other": "new"}
    assert not merged.conflicts


def test_tracks_that_lie_over_each_other_are_not_passed_over() -> None:
    a = LabelSet.of([track("1", "car", [parked("", 0).annotations[0].box] * 6)])
    whole = a.tracks["1"]
    b = LabelSet.of([replace(whole.without([4, 5]), id="x"), replace(whole.without([0, 1, 2, 3]), id="y")])
    merged = merge(a, b)
    assert [(one.aspect, one.versions.a, one.versions.b) for one in merged.conflicts] == [("twice", "1", "y")]
    assert set(merged.labels.tracks) == {"1", "y"}


def test_boxes_within_tolerance_are_one_place(base: LabelSet) -> None:
    a, b = edited(base, put(base, 0, 0.50)), edited(base, put(base, 0, 0.52))
    assert len(merge(a, b, base).conflicts) == 1
    within = merge(a, b, base, tolerance=Tolerance(length_m=0.05))
    assert not within.conflicts
    assert within.labels.tracks["1"].annotations[0].box.center[0] == 0.5


def test_sets_of_nothing() -> None:
    labels = crowd(1, 3, 2)
    for one in (merge(labels, LabelSet()), merge(LabelSet(), labels)):
        assert first_difference(one.labels, labels) is None
        assert not one.conflicts
    assert not merge(LabelSet(), LabelSet()).labels.tracks
    assert not merge(LabelSet(), labels, labels).labels.tracks


def test_a_thousand_boxes_in_one_frame() -> None:
    a, b = crowd(3, 1000, 1), crowd(3, 1000, 1, 0.01, "other ")
    merged = merge(a, b, tolerance=Tolerance(length_m=0.2))
    assert len(merged.joined) > 950
    assert len(merged.labels.tracks) == 2000 - len(merged.joined)
