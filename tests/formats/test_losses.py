"""What is lost is counted; what is not lost is never said to be."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings

from calib import SE3
from formats.losses import Part, losses
from fusion import Annotation, Box3D, ImageBox, LabelSet, Review, Source, Track
from tests.fusion.label_strategies import label_sets

BOX = Box3D.upright((10, 2, 0.5), (4, 2, 1.5), 0.3)
SEEN = ImageBox(1.0, 2.0, 30.0, 40.0, Source.HUMAN, 0.5, {"truncated": True})
WHOLE = LabelSet(
    {
        "a": Track(
            "a",
            "car",
            {t: Annotation(t, BOX, Source.AUTO, 0.75, True, {"colour": "red"}) for t in (0, 5)},
            {("front", 3): SEEN},
            {"doors": 4},
        ),
        "b": Track.of("b", "bus", [Annotation(0, Box3D.upright((-10, 2, 0.5), (9, 3, 3), 0))]),
    },
    {"r": Review("r", "too far left", "me", track_id="a")},
    {"city": "Bonn"},
)


@given(label_sets())
@settings(max_examples=60)
def test_nothing_is_lost_of_what_comes_back(labels: LabelSet) -> None:
    assert losses(labels, labels) == []


@given(label_sets())
@settings(max_examples=60)
def test_of_what_does_not_come_back_everything_is_lost(labels: LabelSet) -> None:
    lost = {loss.part: loss.count for loss in losses(labels, LabelSet())}
    assert lost.get(Part.IDS, 0) == len(labels.tracks)
    assert lost.get(Part.BOXES, 0) == labels.annotation_count
    assert lost.get(Part.REVIEWS, 0) == len(labels.reviews)


def each(change: Callable[[Annotation], Annotation]) -> Callable[[LabelSet], LabelSet]:
    def changed(labels: LabelSet) -> LabelSet:
        track = labels.tracks["a"]
        return labels.with_track(track.with_annotations(map(change, track.annotations.values())))

    return changed


def track(**fields: object) -> Callable[[LabelSet], LabelSet]:
    return lambda labels: labels.with_track(replace(labels.tracks["a"], **fields))


def renamed(labels: LabelSet) -> LabelSet:
    return LabelSet(
        {str(k): replace(track, id=str(k)) for k, track in enumerate(labels.tracks.values())},
        labels.reviews,
        labels.attributes,
    )


CHANGES = {
    "renamed": (renamed, {Part.IDS: 2}),
    "reclassed": (track(category="van"), {Part.CATEGORIES: 1}),
    "track attributes": (track(attributes={}), {Part.ATTRIBUTES: 1}),
    "image boxes": (track(image_boxes={}), {Part.IMAGE_BOXES: 1}),
    "image box moved": (
        track(image_boxes={("front", 3): replace(SEEN, left_px=1.1)}),
        {Part.IMAGE_BOXES: 1},
    ),
    "one box": (
        lambda labels: labels.with_track(labels.tracks["a"].without([5])),
        {Part.BOXES: 1},
    ),
    "sunk": (
        each(lambda a: replace(a, box=replace(a.box, ego_from_box=SE3.from_yaw(0.3, (10, 2, 0.499))))),
        {Part.PLACES: 2},
    ),
    "source": (each(lambda a: replace(a, source=Source.IMPORTED)), {Part.SOURCES: 2}),
    "score": (each(lambda a: replace(a, score=None)), {Part.SCORES: 2}),
    "lock": (each(lambda a: replace(a, locked=False)), {Part.LOCKS: 2}),
    "attribute": (each(lambda a: replace(a, attributes={})), {Part.ATTRIBUTES: 2}),
    "review": (lambda labels: replace(labels, reviews={}), {Part.REVIEWS: 1}),
    "set attributes": (lambda labels: replace(labels, attributes={}), {Part.ATTRIBUTES: 1}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_loss_is_counted_under_its_part_alone(name: str) -> None:
    change, expected = CHANGES[name]
    found = losses(WHOLE, change(WHOLE))
    assert {loss.part: loss.count for loss in found} == expected
    assert all(loss.first and loss.count <= loss.of for loss in found)


def test_more_than_was_there_is_no_loss() -> None:
    more = each(lambda a: replace(a, attributes={**a.attributes, "visibility": "full"}))(WHOLE)
    assert losses(WHOLE, more.with_track(Track("c", "tree"))) == []


def test_declared_decimals_are_let_go() -> None:
    near = each(lambda a: replace(a, box=replace(a.box, length_m=4.0004)))(WHOLE)
    assert losses(WHOLE, near, within_m=1e-3) == []
    assert [loss.part for loss in losses(WHOLE, near)] == [Part.PLACES]
