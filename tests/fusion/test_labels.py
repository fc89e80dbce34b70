"""Labels: immutable values, in order of time; and when two sets of them claim the same."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from calib import SE3
from fusion import Annotation, Box3D, ImageBox, LabelSet, Review, Source, Track
from fusion.compare import first_difference, labels_equal

BOX = Box3D.upright((10, 0, 1), (4.5, 1.9, 1.6), 0.1)


def at(timestamp_ns: int, **kwargs: object) -> Annotation:
    return Annotation(timestamp_ns, BOX, **kwargs)  # type: ignore[arg-type]


@pytest.fixture
def labels() -> LabelSet:
    car = Track.of("car", "car", [at(20), at(10)])
    return LabelSet.of([car, Track.of("van", "van", [at(20), at(30)])])


# Tracks


def test_annotations_of_a_track_are_in_order_of_time() -> None:
    track = Track.of("a", "car", [at(30), at(10), at(20)])
    assert list(track.annotations) == [10, 20, 30]
    assert list(track.with_annotations([at(40), at(5)]).annotations) == [5, 10, 20, 30, 40]
    assert list(Track("a", "car", {7: at(7), 3: at(3)}).annotations) == [3, 7]


def test_of_two_annotations_at_one_instant_the_later_counts() -> None:
    first, second = at(10), at(10, source=Source.AUTO)
    assert Track.of("a", "car", [first, second]).annotations[10] is second
    assert Track.of("a", "car", [second]).with_annotations([second, first]).annotations[10] is first


def test_without_takes_out_what_is_there() -> None:
    track = Track.of("a", "car", [at(10), at(20)])
    assert list(track.without([10, 999]).annotations) == [20]
    assert list(track.without([]).annotations) == [10, 20]
    assert list(track.annotations) == [10, 20]


def test_an_empty_track_holds_nothing() -> None:
    track = Track.of("a", "car", [])
    assert len(track.annotations) == 0
    assert len(track.image_boxes) == 0


# Immutability


def test_nothing_can_be_changed(labels: LabelSet) -> None:
    track = labels.tracks["car"]
    with pytest.raises(FrozenInstanceError):
        track.category = "bus"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        track.annotations[10].locked = True  # type: ignore[misc]
    with pytest.raises(TypeError):
        track.annotations[10] = at(10)  # type: ignore[index]
    with pytest.raises(TypeError):
        labels.tracks["x"] = track  # type: ignore[index]
    with pytest.raises(TypeError):
        labels.attributes["x"] = 1  # type: ignore[index]
    with pytest.raises(TypeError):
        track.image_boxes["F", 1] = ImageBox(0, 0, 1, 1)  # type: ignore[index]


def test_what_was_put_in_can_change_without_the_labels() -> None:
    attributes = {"a": 1}
    annotations = {10: at(10)}
    tracks = {"a": Track("a", "car", annotations, attributes=attributes)}
    labels = LabelSet(tracks, attributes=attributes)
    attributes["a"] = 2
    annotations[20] = at(20)
    tracks.clear()
    assert list(labels.tracks) == ["a"]
    assert labels.attributes == {"a": 1}
    assert labels.tracks["a"].attributes == {"a": 1}
    assert list(labels.tracks["a"].annotations) == [10]


def test_what_an_edit_leaves_alone_stays_the_same_object(labels: LabelSet) -> None:
    after = labels.with_track(replace(labels.tracks["car"], category="bus"))
    assert after.tracks["van"] is labels.tracks["van"]
    assert after.tracks["car"].annotations is labels.tracks["car"].annotations
    grown = labels.tracks["car"].with_annotations([at(30)])
    assert grown.annotations[10] is labels.tracks["car"].annotations[10]


# Sets


def test_a_set_counts_annotations_and_lists_instants(labels: LabelSet) -> None:
    assert labels.annotation_count == 4
    assert labels.timestamps_ns() == [10, 20, 30]
    assert LabelSet().annotation_count == 0
    assert LabelSet().timestamps_ns() == []


def test_what_is_there_at_an_instant(labels: LabelSet) -> None:
    assert [(track.id, a.timestamp_ns) for track, a in labels.at(20)] == [("car", 20), ("van", 20)]
    assert [track.id for track, _ in labels.at(30)] == ["van"]
    assert list(labels.at(15)) == []


def test_tracks_are_put_in_and_taken_out(labels: LabelSet) -> None:
    bus = Track("bus", "bus")
    assert list(labels.with_track(bus).tracks) == ["car", "van", "bus"]
    assert list(labels.with_track(Track("car", "bus")).tracks) == ["car", "van"]
    assert list(labels.without_track("car").tracks) == ["van"]
    assert list(labels.without_track("nobody").tracks) == ["car", "van"]
    assert list(labels.tracks) == ["car", "van"]


# Comparison


def variations() -> dict[str, LabelSet]:
    """One set and what differs from it in a single thing."""
    moved = Box3D(SE3(BOX.ego_from_box.rotation, BOX.center + np.array([0, 0, 1e-6])), *BOX.size_lwh_m)
    turned = Box3D.upright(BOX.center, BOX.size_lwh_m, 0.1 + 1e-6)
    grown = replace(BOX, width_m=BOX.width_m + 1e-6)
    rectangle = ImageBox(0, 0, 10, 10, score=0.5)
    track = Track("a", "car", {1: at(1, score=0.5), 2: at(2)}, {("F", 1): rectangle}, {"x": 1})

    def put(annotation: Annotation) -> LabelSet:
        return LabelSet.of([track.with_annotations([annotation])])

    def see(box: ImageBox) -> LabelSet:
        return LabelSet.of([replace(track, image_boxes={("F", 1): box})])

    return {
        "base": LabelSet.of([track]),
        "moved": put(Annotation(1, moved, score=0.5)),
        "turned": put(Annotation(1, turned, score=0.5)),
        "grown": put(Annotation(1, grown, score=0.5)),
        "score": put(at(1, score=0.5 + 1e-6)),
        "no score": put(at(1)),
        "source": put(at(1, score=0.5, source=Source.AUTO)),
        "locked": put(at(1, score=0.5, locked=True)),
        "annotation attributes": put(at(1, score=0.5, attributes={"x": 1})),
        "another instant": LabelSet.of([track.without([2]).with_annotations([at(3)])]),
        "one instant less": LabelSet.of([track.without([2])]),
        "category": LabelSet.of([replace(track, category="bus")]),
        "track attributes": LabelSet.of([replace(track, attributes={"x": 2})]),
        "id": LabelSet.of([replace(track, id="b")]),
        "filed under another id": LabelSet({"a": replace(track, id="b")}),
        "one track more": LabelSet.of([track, Track("b", "car")]),
        "no rectangle": LabelSet.of([replace(track, image_boxes={})]),
        "another image": LabelSet.of([replace(track, image_boxes={("F", 2): rectangle})]),
        "rectangle moved": see(replace(rectangle, left_px=1e-6)),
        "rectangle source": see(replace(rectangle, source=Source.AUTO)),
        "rectangle score": see(replace(rectangle, score=None)),
        "review": LabelSet({"a": track}, {"r": Review("r", "look", "ann")}),
        "attributes": LabelSet({"a": track}, attributes={"x": 1}),
    }


@pytest.mark.parametrize("what", variations().keys())
def test_any_single_difference_is_seen(what: str) -> None:
    base, other = variations()["base"], variations()[what]
    assert labels_equal(base, other) == labels_equal(other, base) == (what == "base")
    assert (first_difference(base, other) is None) == (what == "base")


def test_numbers_may_differ_by_the_tolerance() -> None:
    found = variations()
    close = {what for what, labels in found.items() if labels_equal(found["base"], labels, atol=2e-6)}
    assert close == {"base", "moved", "turned", "grown", "score", "rectangle moved"}


def test_the_order_of_tracks_says_nothing() -> None:
    a, b = Track("a", "car"), Track("b", "car")
    assert labels_equal(LabelSet.of([a, b]), LabelSet.of([b, a]))


def test_a_difference_names_its_place() -> None:
    found = variations()
    assert "track a" in str(first_difference(found["base"], found["moved"]))
    assert "'3'" in str(first_difference(found["base"], found["another instant"]))
    np.testing.assert_equal(first_difference(found["base"], found["review"]), "reviews differ")
