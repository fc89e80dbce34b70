"""What changed: every kind of change is found, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.errors import CrosslabelError
from fusion import Annotation, ImageBox, LabelSet, Review, Source
from fusion.agreement import Deed, Difference, Tolerance, What, diff
from fusion.compare import labels_equal
from fusion.edits import (
    Edit,
    LockAnnotations,
    PutAnnotations,
    PutImageBoxes,
    PutReview,
    PutTrack,
    RemoveAnnotations,
    RemoveImageBoxes,
    RemoveReview,
    RemoveTrack,
    SetTrack,
)
from fusion.errors import EditError
from fusion.store import LabelStore
from tests.agreement.sets import crowd, moved, parked
from tests.fusion.label_strategies import edits, label_sets

SEEN = ImageBox(10, 20, 30, 40)
SAID = Review("r", "too long", "me", "open", "1", 0)


@pytest.fixture
def labels() -> LabelSet:
    one = replace(parked("1", 0), image_boxes={("front", 0): SEEN}, attributes={"colour": "red"})
    return LabelSet({"1": one, "2": parked("2", 20)}, {"r": SAID}, {"project": "x"})


def changed(labels: LabelSet, instant: int = 0, **values: object) -> PutAnnotations:
    return PutAnnotations("1", (replace(labels.tracks["1"].annotations[instant], **values),))  # type: ignore[arg-type]


def only(labels: LabelSet, edit: Edit) -> Difference:
    (one,) = diff(labels, edit.apply(labels)).differences
    return one


def test_boxes_that_moved_turned_and_grew(labels: LabelSet) -> None:
    box = labels.tracks["1"].annotations[0].box
    step = (0.3, 0.4, 0.0)
    one = only(labels, changed(labels, box=replace(moved(box, step, 0.2), height_m=box.height_m + 0.05)))
    assert (one.what, one.deed, one.a_id, one.timestamp_ns) == (What.BOX, Deed.CHANGED, "1", 0)
    assert one.amount("centre") == pytest.approx(0.5)
    assert one.amount("heading") == pytest.approx(0.2)
    assert one.amount("size") == pytest.approx(0.05)
    assert one.aspects[0].after == pytest.approx([0.3, 0.4, 0.8])


def test_a_small_turn_is_not_lost_in_rounding(labels: LabelSet) -> None:
    box = labels.tracks["1"].annotations[0].box
    assert only(labels, changed(labels, box=moved(box, (0, 0, 0), 3e-6))).amount("heading") == pytest.approx(
        3e-6
    )
    assert only(labels, changed(labels, box=moved(box, (0, 0, 0), np.pi))).amount("heading") == pytest.approx(
        np.pi
    )


@pytest.mark.parametrize(
    ("values", "name", "before", "after"),
    [
        ({"locked": True}, "locked", False, True),
        ({"source": Source.AUTO}, "source", "human", "auto"),
        ({"score": 0.5}, "score", None, 0.5),
        ({"attributes": {"occluded": True}}, "attribute occluded", None, True),
    ],
)
def test_what_is_said_of_a_box(
    labels: LabelSet, values: dict[str, object], name: str, before: object, after: object
) -> None:
    (aspect,) = only(labels, changed(labels, **values)).aspects
    assert (aspect.name, aspect.before, aspect.after) == (name, before, after)


@pytest.mark.parametrize(
    ("edit", "what", "deed"),
    [
        (RemoveTrack("2"), What.TRACK, Deed.REMOVED),
        (PutTrack(parked("3", 40)), What.TRACK, Deed.ADDED),
        (SetTrack("1", category="van"), What.TRACK, Deed.CHANGED),
        (SetTrack("1", attributes={"colour": "blue"}), What.TRACK, Deed.CHANGED),
        (RemoveAnnotations("1", (2,)), What.BOX, Deed.REMOVED),
        (PutAnnotations("1", (Annotation(9, parked("", 0).annotations[0].box),)), What.BOX, Deed.ADDED),
        (LockAnnotations("1", (1,)), What.BOX, Deed.CHANGED),
        (PutImageBoxes("1", {("rear", 5): SEEN}), What.RECTANGLE, Deed.ADDED),
        (PutImageBoxes("1", {("front", 0): replace(SEEN, left_px=8)}), What.RECTANGLE, Deed.CHANGED),
        (RemoveImageBoxes("1", (("front", 0),)), What.RECTANGLE, Deed.REMOVED),
        (RemoveReview("r"), What.REVIEW, Deed.REMOVED),
        (PutReview(Review("s", "look", "you")), What.REVIEW, Deed.ADDED),
        (PutReview(replace(SAID, state="resolved")), What.REVIEW, Deed.CHANGED),
    ],
)
def test_every_kind_of_change_is_one_difference(labels: LabelSet, edit: Edit, what: What, deed: Deed) -> None:
    one = only(labels, edit)
    assert (one.what, one.deed) == (what, deed)
    assert diff(labels, edit.apply(labels)).counts() == {f"{what.value} {deed.value}": 1}


def test_the_other_way_round_the_added_is_the_removed(labels: LabelSet) -> None:
    after = PutTrack(parked("3", 40)).apply(RemoveAnnotations("1", (2,)).apply(labels))
    assert diff(after, labels).counts() == {"track removed": 1, "box added": 1}


def test_a_track_of_another_id_is_the_same_and_its_reviews_follow(labels: LabelSet) -> None:
    renamed = replace(
        labels,
        tracks={"x": replace(labels.tracks["1"], id="x"), "2": labels.tracks["2"]},
        reviews={"r": replace(SAID, track_id="x")},
    )
    result = diff(labels, renamed)
    (one,) = result.differences
    assert (one.a_id, one.b_id, one.aspects[0].name) == ("1", "x", "id")
    assert dict(result.same.by_overlap) == {"x": "1"}


def test_a_box_that_jumped_is_moved_and_not_another(labels: LabelSet) -> None:
    box = labels.tracks["2"].annotations[0].box
    annotations = [replace(a, box=moved(box, (30, 0, 0))) for a in labels.tracks["2"].annotations.values()]
    result = diff(labels, PutAnnotations("2", tuple(annotations)).apply(labels))
    assert result.counts() == {"box changed": 4}
    assert result.amounts("centre") == pytest.approx([30] * 4)


def test_what_is_within_tolerance_is_no_difference(labels: LabelSet) -> None:
    box = labels.tracks["1"].annotations[0].box
    edit = changed(labels, box=moved(box, (0.02, 0, 0), 0.01), score=None)
    after = PutImageBoxes("1", {("front", 0): replace(SEEN, left_px=9.5)}).apply(edit.apply(labels))
    assert not diff(labels, after).equal
    assert diff(labels, after, tolerance=Tolerance(0.05, 0.02, 1.0)).equal
    assert diff(labels, after, tolerance=Tolerance(0.05, 0.005, 1.0)).counts() == {"box changed": 1}


def test_true_is_not_one(labels: LabelSet) -> None:
    one, true = (changed(labels, attributes={"x": value}).apply(labels) for value in (1, True))
    assert diff(one, true).counts() == {"box changed": 1}


@given(label_sets())
@settings(max_examples=60)
def test_nothing_differs_from_itself(drawn: LabelSet) -> None:
    assert diff(drawn, drawn).equal
    anew = replace(drawn, tracks={id: replace(track) for id, track in drawn.tracks.items()})
    assert diff(drawn, anew).equal


@given(label_sets(), st.lists(edits, min_size=1, max_size=3))
@settings(max_examples=150)
def test_labels_are_equal_where_nothing_differs(drawn: LabelSet, changes: list[Edit]) -> None:
    after = drawn
    for edit in changes:
        try:
            after = edit.apply(after)
        except EditError:
            continue
    none = Tolerance(0, 0, 0, 0)
    assert diff(drawn, after, tolerance=none).equal == labels_equal(drawn, after)


def test_who_made_it_so(labels: LabelSet, tmp_path: object) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "b.db"
    with LabelStore.create(path, "log", labels, "anna") as store:
        store.apply(changed(labels, 1, locked=True), "ben")
        store.apply(changed(labels, 2, score=0.25, source=Source.AUTO), "machine", automatic=True)
        store.apply(RemoveTrack("2"), "cleo")
        store.apply(PutReview(Review("s", "look", "dora")), "dora")
        store.apply(changed(labels, 1, locked=True, score=0.5), "ben")
        store.apply(LockAnnotations("1", (3,)), "undone")
        store.undo()
        result = diff(labels, store.labels, history_b=store.last_edits())
    by = {(one.what, one.timestamp_ns): one.made_b for one in result.differences}
    made = {place: (one.source, one.author) for place, one in by.items() if one is not None}
    assert made == {
        (What.BOX, 1): (Source.HUMAN, "ben"),
        (What.BOX, 2): (Source.AUTO, "machine"),
        (What.TRACK, None): (None, "cleo"),
        (What.REVIEW, None): (None, "dora"),
    }
    first, last = by[What.BOX, 1], by[What.REVIEW, None]
    assert first is not None
    assert last is not None
    assert (first.time_ns or 0) > (last.time_ns or 0) > 0


def test_a_thousand_boxes_in_one_frame() -> None:
    a, b = crowd(3, 1000, 1), crowd(3, 1000, 1, 0.01, "other ")
    result = diff(a, b)
    assert len(result.same.by_overlap) > 950
    assert result.counts()["box changed"] == len(result.same.by_overlap)


def test_sets_of_nothing() -> None:
    labels = crowd(1, 3, 2)
    assert diff(LabelSet(), LabelSet()).equal
    assert diff(LabelSet(), labels).counts() == {"track added": 3}
    assert diff(labels, LabelSet()).counts() == {"track removed": 3}


@pytest.mark.parametrize("value", [-1.0, np.nan])
def test_tolerances_that_cannot_be(value: float) -> None:
    with pytest.raises(CrosslabelError, match="tolerance"):
        Tolerance(length_m=value)
