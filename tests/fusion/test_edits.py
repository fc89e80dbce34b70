"""Edits: what each does, where it does not fit, and that machines leave alone what people locked."""

from dataclasses import FrozenInstanceError, replace
from typing import get_args

import pytest
from hypothesis import assume, given, settings

from fusion import Annotation, Box3D, EditError, ImageBox, LabelSet, Review, Track
from fusion.compare import first_difference
from fusion.edits import (
    Edit,
    Group,
    LockAnnotations,
    MergeTracks,
    PutAnnotations,
    PutImageBoxes,
    PutReview,
    PutTrack,
    RemoveAnnotations,
    RemoveImageBoxes,
    RemoveReview,
    RemoveTrack,
    RenameTrack,
    SetTrack,
    SplitTrack,
    apply_automatic,
)
from tests.fusion.label_strategies import edits, label_sets

BOX = Box3D.upright((10, 0, 1), (4.5, 1.9, 1.6), 0.1)
OTHER_BOX = Box3D.upright((11, 0, 1), (4.5, 1.9, 1.6), 0.1)


def at(timestamp_ns: int, **kwargs: object) -> Annotation:
    return Annotation(timestamp_ns, BOX, **kwargs)  # type: ignore[arg-type]


def rectangle(left_px: float = 0.0) -> ImageBox:
    return ImageBox(left_px, 0.0, left_px + 10, 10.0)


@pytest.fixture
def labels() -> LabelSet:
    car = Track.of("car", "vehicle.car", [at(10), at(20), at(30)], {"colour": "red"})
    return LabelSet(
        {
            "car": replace(car, image_boxes={("FRONT", 9): rectangle(), ("FRONT", 29): rectangle(5)}),
            "van": Track.of("van", "vehicle.van", [at(30, locked=True), at(40)]),
        },
        {"r": Review("r", "too long", "ann", track_id="car", timestamp_ns=30)},
    )


def instants(labels: LabelSet, track_id: str) -> list[int]:
    return list(labels.tracks[track_id].annotations)


def test_put_track_adds_and_replaces(labels: LabelSet) -> None:
    bike = Track.of("bike", "bicycle", [at(10)])
    after = PutTrack(bike).apply(labels)
    assert after.tracks["bike"] is bike
    assert list(PutTrack(replace(bike, id="car")).apply(labels).tracks) == ["car", "van"]


def test_remove_track(labels: LabelSet) -> None:
    after = RemoveTrack("car").apply(labels)
    assert list(after.tracks) == ["van"]
    assert after.reviews["r"].track_id == "car"


def test_set_track_changes_what_is_given_and_nothing_else(labels: LabelSet) -> None:
    after = SetTrack("car", category="vehicle.truck").apply(labels).tracks["car"]
    assert after.category == "vehicle.truck"
    assert after.attributes == {"colour": "red"}
    after = SetTrack("car", attributes={"parked": True}).apply(labels).tracks["car"]
    assert (after.category, after.attributes) == ("vehicle.car", {"parked": True})
    assert after.annotations == labels.tracks["car"].annotations


def test_rename_keeps_the_place_and_takes_reviews_along(labels: LabelSet) -> None:
    after = RenameTrack("car", "taxi").apply(labels)
    assert [(id, track.id) for id, track in after.tracks.items()] == [("taxi", "taxi"), ("van", "van")]
    assert after.reviews["r"].track_id == "taxi"


def test_merge_prefers_the_kept_track_except_for_locks(labels: LabelSet) -> None:
    after = MergeTracks("car", "van").apply(labels)
    merged = after.tracks["car"]
    assert list(after.tracks) == ["car"]
    assert list(merged.annotations) == [10, 20, 30, 40]
    assert merged.annotations[30] is labels.tracks["van"].annotations[30]
    assert merged.category == "vehicle.car"
    both_locked = LockAnnotations("car", (30,)).apply(labels)
    merged = MergeTracks("car", "van").apply(both_locked).tracks["car"]
    assert merged.annotations[30] is both_locked.tracks["car"].annotations[30]


def test_merge_takes_reviews_along(labels: LabelSet) -> None:
    assert MergeTracks("van", "car").apply(labels).reviews["r"].track_id == "van"


def test_split_cuts_halfway_for_images_and_reviews(labels: LabelSet) -> None:
    early, whole = Review("e", "early", "ann", "open", "car", 20), Review("w", "whole", "ann", "open", "car")
    reviewed = Group((PutReview(early), PutReview(whole)), "reviews").apply(labels)
    after = SplitTrack("car", 30, "second").apply(reviewed)
    assert instants(after, "car") == [10, 20]
    assert instants(after, "second") == [30]
    assert list(after.tracks["car"].image_boxes) == [("FRONT", 9)]
    assert list(after.tracks["second"].image_boxes) == [("FRONT", 29)]
    assert {id: review.track_id for id, review in after.reviews.items()} == {
        "r": "second",
        "e": "car",
        "w": "car",
    }
    assert after.tracks["second"].category == "vehicle.car"
    assert SplitTrack("car", 11, "second").apply(labels).tracks["second"].attributes == {"colour": "red"}


def test_split_then_merge_gives_the_same_labels(labels: LabelSet) -> None:
    again = Group((SplitTrack("car", 20, "x"), MergeTracks("car", "x")), "there and back").apply(labels)
    assert first_difference(again, labels) is None


def test_put_annotations_replaces_and_keeps_time_order(labels: LabelSet) -> None:
    moved = Annotation(20, OTHER_BOX)
    after = PutAnnotations("car", (at(50), moved, at(15))).apply(labels)
    assert instants(after, "car") == [10, 15, 20, 30, 50]
    assert after.tracks["car"].annotations[20] is moved
    assert instants(labels, "car") == [10, 20, 30]


def test_removing_everything_removes_the_track(labels: LabelSet) -> None:
    assert instants(RemoveAnnotations("car", (20, 10)).apply(labels), "car") == [30]
    assert "van" not in RemoveAnnotations("van", (30, 40)).apply(labels).tracks
    seen_only = RemoveAnnotations("car", (10, 20, 30)).apply(labels)
    assert instants(seen_only, "car") == []
    keys = (("FRONT", 9), ("FRONT", 29))
    assert "car" not in RemoveImageBoxes("car", keys).apply(seen_only).tracks
    assert instants(RemoveImageBoxes("car", keys).apply(labels), "car") == [10, 20, 30]


def test_lock_and_unlock(labels: LabelSet) -> None:
    locked = LockAnnotations("car", (10, 20)).apply(labels)
    assert [a.locked for a in locked.tracks["car"].annotations.values()] == [True, True, False]
    unlocked = LockAnnotations("car", (10, 20), locked=False).apply(locked)
    assert first_difference(unlocked, labels) is None


def test_image_boxes_and_reviews_are_put_and_removed(labels: LabelSet) -> None:
    after = PutImageBoxes("van", {("BACK", 7): rectangle()}).apply(labels)
    assert after.tracks["van"].image_boxes == {("BACK", 7): rectangle()}
    review = Review("r2", "missing car", "bob")
    after = PutReview(review).apply(labels)
    assert after.reviews["r2"] is review
    assert first_difference(RemoveReview("r2").apply(after), labels) is None


@pytest.mark.parametrize(
    "edit",
    [
        RemoveTrack("nobody"),
        SetTrack("nobody", "x"),
        RenameTrack("nobody", "x"),
        RenameTrack("car", "van"),
        MergeTracks("car", "nobody"),
        MergeTracks("nobody", "car"),
        MergeTracks("car", "car"),
        SplitTrack("nobody", 20, "x"),
        SplitTrack("car", 20, "van"),
        SplitTrack("car", 10, "x"),
        SplitTrack("car", 31, "x"),
        PutAnnotations("nobody", (at(10),)),
        PutAnnotations("car", (at(10), at(10))),
        RemoveAnnotations("car", (10, 11)),
        LockAnnotations("car", (11,)),
        PutImageBoxes("nobody", {}),
        RemoveImageBoxes("car", (("FRONT", 10),)),
        RemoveReview("nobody"),
        Group((RemoveTrack("car"), RemoveTrack("car")), "twice"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused(labels: LabelSet, edit: Edit) -> None:
    with pytest.raises(EditError):
        edit.apply(labels)
    assert instants(labels, "car") == [10, 20, 30]


def test_every_edit_is_frozen_and_has_a_title(labels: LabelSet) -> None:
    examples: list[Edit] = [
        PutTrack(labels.tracks["car"]),
        RemoveTrack("car"),
        SetTrack("car", "x"),
        RenameTrack("car", "x"),
        MergeTracks("car", "van"),
        SplitTrack("car", 20, "x"),
        PutAnnotations("car", (at(10),)),
        RemoveAnnotations("car", (10, 20)),
        LockAnnotations("car", (10,)),
        PutImageBoxes("car", {("FRONT", 1): rectangle()}),
        RemoveImageBoxes("car", (("FRONT", 9),)),
        PutReview(labels.reviews["r"]),
        RemoveReview("r"),
        Group((), "nothing"),
    ]
    assert {type(edit) for edit in examples} == set(get_args(Edit))
    assert len({edit.title for edit in examples}) == len(examples)
    for edit in examples:
        assert 0 < len(edit.title) <= 60
        with pytest.raises(FrozenInstanceError):
            setattr(edit, next(iter(edit.__slots__)), None)


def test_titles_count(labels: LabelSet) -> None:
    assert PutAnnotations("car", (at(10),)).title == "Put a box of track car"
    assert RemoveAnnotations("car", (10, 20)).title == "Remove 2 boxes of track car"
    assert LockAnnotations("car", (10,), False).title == "Unlock a box of track car"


def test_automation_keeps_a_locked_box_and_changes_the_rest(labels: LabelSet) -> None:
    put = PutAnnotations("van", (Annotation(30, OTHER_BOX), Annotation(40, OTHER_BOX)))
    after = apply_automatic(labels, put).tracks["van"].annotations
    assert after[30] is labels.tracks["van"].annotations[30]
    assert after[40].box is OTHER_BOX


def test_automation_cannot_remove_a_track_that_holds_a_lock(labels: LabelSet) -> None:
    assert list(apply_automatic(labels, RemoveTrack("car")).tracks) == ["van"]
    assert instants(apply_automatic(labels, RemoveTrack("van")), "van") == [30]


def test_automation_cannot_relabel_a_track_that_holds_a_lock(labels: LabelSet) -> None:
    after = apply_automatic(labels, SetTrack("van", "bus", {"a": 1}))
    assert first_difference(after, labels) is None


def test_automation_that_moves_a_locked_box_doubles_nothing(labels: LabelSet) -> None:
    after = apply_automatic(labels, MergeTracks("car", "van"))
    assert instants(after, "van") == [30]
    assert instants(after, "car") == [10, 20, 40]
    renamed = apply_automatic(LockAnnotations("van", (40,)).apply(labels), RenameTrack("van", "bus"))
    assert list(renamed.tracks) == ["car", "van"]


def test_automation_cannot_unlock(labels: LabelSet) -> None:
    after = apply_automatic(labels, LockAnnotations("van", (30,), locked=False))
    assert first_difference(after, labels) is None


@settings(max_examples=80)
@given(label_sets(), edits)
def test_locked_annotations_survive_every_automatic_edit(labels: LabelSet, edit: Edit) -> None:
    try:
        after = apply_automatic(labels, edit)
    except EditError:
        assume(False)
    for track in labels.tracks.values():
        locked = {t: a for t, a in track.annotations.items() if a.locked}
        if locked:
            kept = after.tracks[track.id]
            assert (kept.category, dict(kept.attributes)) == (track.category, dict(track.attributes))
            assert all(kept.annotations[t] is a for t, a in locked.items())
    places = [id(a) for track in after.tracks.values() for a in track.annotations.values() if a.locked]
    before = {id(a) for track in labels.tracks.values() for a in track.annotations.values() if a.locked}
    assert all(places.count(known) == 1 for known in before)


@settings(max_examples=50)
@given(label_sets(), edits)
def test_an_edit_changes_nothing_that_it_is_given(labels: LabelSet, edit: Edit) -> None:
    tracks, reviews = dict(labels.tracks), dict(labels.reviews)
    inside = {id: dict(track.annotations) for id, track in tracks.items()}
    try:
        after = edit.apply(labels)
    except EditError:
        pass
    else:
        assert all(track.id == id for id, track in after.tracks.items())
        assert all(list(t.annotations) == sorted(t.annotations) for t in after.tracks.values())
    assert dict(labels.tracks) == tracks
    assert dict(labels.reviews) == reviews
    assert {id: dict(track.annotations) for id, track in labels.tracks.items()} == inside
