"""Pairs of boxes and pairs of tracks."""

from itertools import permutations

import numpy as np
import pytest

from calib.errors import CrosslabelError
from fusion import LabelSet
from fusion.agreement import Matching, match, same_tracks
from fusion.agreement.columns import Columns
from fusion.categories import Kind
from fusion.overlap import iou_3d, iou_bev
from tests.agreement.sets import CAR, PERSON, box, crowd, moved, parked, track


def units_of(a: LabelSet, b: LabelSet, matching: Matching | None = None) -> list[tuple[str, str]]:
    first, second = Columns.of(a), Columns.of(b)
    units = match(first, second, matching)
    return [
        (first.track_ids[i] if i >= 0 else "-", second.track_ids[j] if j >= 0 else "-")
        for i, j in zip(units.a.tolist(), units.b.tolist(), strict=True)
    ]


def test_every_box_is_in_one_unit() -> None:
    a, b = crowd(1, 20, 3), crowd(1, 20, 3, 0.3)
    units = match(Columns.of(a), Columns.of(b))
    assert sorted(units.a[units.a >= 0].tolist()) == list(range(60))
    assert sorted(units.b[units.b >= 0].tolist()) == list(range(60))
    assert (units.iou[~units.paired] == 0).all()
    assert (units.iou[units.paired] >= 0.3).all()


@pytest.mark.parametrize("seed", range(6))
def test_pairs_have_the_highest_sum_of_overlap(seed: int) -> None:
    """Against every assignment there is of five boxes close together."""
    rng = np.random.default_rng(seed)
    a, b = (
        LabelSet.of(track(str(k), "car", [box(*rng.normal(0, 1.2, 2), rng.normal())]) for k in range(5))
        for _ in range(2)
    )
    first, second = Columns.of(a), Columns.of(b)
    ious = iou_bev(first.boxes, second.boxes)
    enough = np.where(ious >= 0.5, ious, 0)
    best = max(sum(enough[i, j] for i, j in enumerate(order)) for order in permutations(range(5)))
    assert match(first, second).iou.sum() == pytest.approx(best)


def test_people_need_less_overlap_than_cars() -> None:
    for category, size, paired in (("car", CAR, False), ("pedestrian", PERSON, True)):
        a = LabelSet.of([track("a", category, [box(0, size=size)])])
        b = LabelSet.of([track("b", category, [box(size[0] * 0.45, size=size)])])  # IoU 0.55 / 1.45 = 0.38
        assert (("a", "b") in units_of(a, b)) is paired
        assert ("a", "b") in units_of(a, b, Matching(by_kind={Kind.CAR: 0.35}))
        assert ("a", "b") not in units_of(a, b, Matching(large=0.4, small=0.4))


def test_overlap_of_volumes_or_from_above() -> None:
    a, b = LabelSet.of([track("a", "car", [box(0)])]), LabelSet.of([track("b", "car", [box(0, z=1.8)])])
    assert units_of(a, b) == [("a", "b")]
    assert ("a", "b") not in units_of(a, b, Matching("3d"))
    assert float(iou_3d(Columns.of(a).boxes, Columns.of(b).boxes)[0, 0]) == pytest.approx(0.2)


def test_classes_do_not_keep_boxes_apart() -> None:
    a, b = LabelSet.of([parked("a", 0, category="car")]), LabelSet.of([parked("b", 0.2, category="truck")])
    assert units_of(a, b) == [("a", "b")] * 4


def test_a_rider_is_not_the_bicycle() -> None:
    """They overlap by 0.42, which would do for two bicycles."""
    rider = LabelSet.of([track("a", "pedestrian", [box(0, size=(0.75, 0.7, 1.2))])])
    bicycle = LabelSet.of([track("b", "bicycle", [box(0, size=(1.8, 0.7, 1.1))])])
    assert ("a", "b") not in units_of(rider, bicycle)
    other = LabelSet.of([track("a", "bicycle", [box(0, size=(0.75, 0.7, 1.2))])])
    assert ("a", "b") in units_of(other, bicycle)


def test_of_two_that_overlap_alike_the_same_class_is_taken() -> None:
    a = LabelSet.of([parked("car", 0), parked("van", 0, category="van")])
    b = LabelSet.of([parked("van", 0, category="van"), parked("car", 0)])
    assert set(units_of(a, b)) == {("car", "car"), ("van", "van")}


def test_a_thousand_boxes_in_one_frame() -> None:
    a, b = crowd(3, 1000, 1), crowd(3, 1000, 1, 0.02)
    pairs = units_of(a, b)
    assert sum(one == other for one, other in pairs) > 990


@pytest.mark.parametrize("limit", [0.0, -0.1, 1.1, np.nan])
def test_limits_that_cannot_be(limit: float) -> None:
    with pytest.raises(CrosslabelError, match="least IoU"):
        Matching(large=limit)
    with pytest.raises(CrosslabelError, match="least IoU"):
        Matching(by_kind={Kind.BUS: limit})


def test_tracks_of_one_id_are_one_object() -> None:
    a, b = LabelSet.of([parked("1", 0), parked("2", 20)]), LabelSet.of([parked("1", 0.5), parked("2", 20)])
    same = same_tracks(a, b)
    assert same.by_id == {"1", "2"}
    assert not same.by_overlap
    assert not same.apart


def test_tracks_of_other_ids_are_paired_by_overlap() -> None:
    a = LabelSet.of([parked("1", 0), parked("2", 20), parked("3", 40)])
    b = LabelSet.of([parked("x", 20.2), parked("2", 0.2), parked("z", 60)])
    same = same_tracks(a, b)
    assert dict(same.by_overlap) == {"x": "2", "2": "1"}
    assert [same.partner(id) for id in ("x", "2", "z")] == ["2", "1", None]
    off = same_tracks(a, b, by_overlap=False)
    assert (off.by_id, dict(off.by_overlap)) == ({"2"}, {})


def test_an_id_in_doubt_stands_where_nothing_else_is_found_or_not() -> None:
    a, b = LabelSet.of([parked("1", 0)]), LabelSet.of([parked("1", 30)])
    assert same_tracks(a, b).by_id == {"1"}
    assert same_tracks(a, b, trust_ids=False).apart == {"1"}
    assert same_tracks(a, b, trust_ids=False, known={"1"}).by_id == {"1"}


def test_an_id_that_hardly_touches_gives_way_to_a_partner_that_fits() -> None:
    """Two people have numbered a row of parked cars in different orders."""
    a = LabelSet.of(parked(str(k), 3.9 * k) for k in range(5))
    b = LabelSet.of(parked(str((k + 1) % 5), 3.9 * k + 0.1) for k in range(5))
    assert dict(same_tracks(a, b).by_overlap) == {str((k + 1) % 5): str(k) for k in range(5)}
    assert same_tracks(a, b, by_overlap=False).by_id == {str(k) for k in range(5)}


def test_an_id_that_touches_stands_where_nothing_fits() -> None:
    a, b = LabelSet.of([parked("1", 0)]), LabelSet.of([parked("1", 3.5)])
    assert same_tracks(a, b, trust_ids=False).by_id == {"1"}


def test_where_no_frame_tells_the_class_does() -> None:
    early = LabelSet.of([track("1", "car", [box(0)] * 3)])
    for category, one in (("car", True), ("truck", True), ("pedestrian", False)):
        late = LabelSet.of([track("1", category, [box(0)] * 3, first=3)])
        assert ("1" in same_tracks(early, late, trust_ids=False).by_id) is one


def test_overlap_has_to_last() -> None:
    """A car that passes another is not that one: they overlap in two of five frames."""
    still = LabelSet.of([track("1", "car", [box(0)] * 5)])
    passing = LabelSet.of([track("x", "car", [box(x) for x in (0, 0.5, 4, 8, 12)])])
    assert not same_tracks(still, passing).by_overlap
    staying = LabelSet.of([track("x", "car", [box(x) for x in (0, 0.5, 0.6, 8, 12)])])
    assert dict(same_tracks(still, staying).by_overlap) == {"x": "1"}


def test_a_piece_of_a_track_is_said_to_lie_over_it() -> None:
    a = LabelSet.of([track("1", "car", [box(0)] * 6)])
    b = LabelSet.of([track("x", "car", [box(0)] * 4), track("y", "car", [box(0)] * 2, first=4)])
    same = same_tracks(a, b)
    assert dict(same.by_overlap) == {"x": "1"}
    assert same.over == {("1", "y")}


def test_tiny_boxes_far_away_are_where_they_are() -> None:
    tiny = track("1", "car", [box(1e6, 1e6, size=(1e-3, 1e-3, 1e-3))])
    a, b = LabelSet.of([tiny]), LabelSet.of([track("1", "car", [moved(tiny.annotations[0].box, (0, 0, 0))])])
    assert same_tracks(a, b, trust_ids=False).by_id == {"1"}
