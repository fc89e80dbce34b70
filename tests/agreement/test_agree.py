"""Agreement of two sets that are known to differ in just one way."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.errors import CrosslabelError
from fusion import DriveLog, LabelSet, Track
from fusion.agreement import agree, cohen_kappa, krippendorff_alpha
from fusion.agreement.pictures import STYLE_A, STYLE_B, top_view
from fusion.overlap import count_points_in_boxes
from fusion.simulate import SimulationConfig, simulate
from tests.agreement.sets import box, crowd, moved, parked, track


def with_boxes(labels: LabelSet, change: object) -> LabelSet:
    tracks = []
    for one in labels.tracks.values():
        changed = [replace(a, box=change(a.box)) for a in one.annotations.values()]  # type: ignore[operator]
        tracks.append(Track.of(one.id, one.category, changed))
    return LabelSet.of(tracks)


def test_a_set_agrees_with_itself() -> None:
    labels = crowd(1, 30, 4)
    result = agree(labels, labels)
    over = result.overall
    assert (over.a, over.b, over.pairs, over.same_class, result.frames) == (120, 120, 120, 120, 4)
    assert (over.f1, over.f1_class, over.a_found, over.b_found, over.kappa, over.alpha) == (1,) * 6
    assert over.mean_iou == pytest.approx(1)
    assert over.flips == 0
    assert all(spread.p95 == pytest.approx(0, abs=1e-9) for spread in over.offsets.values())
    assert (result.identity.together, result.identity.idf1, result.identity.switches_a) == (1, 1, 0)
    assert max(one.counts.cost for one in result.tracks) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("name", "axis"), [("along_m", 0), ("across_m", 1), ("up_m", 2)])
def test_a_shift_shows_along_the_boxes_own_axes(name: str, axis: int) -> None:
    labels = crowd(2, 30, 2)
    step = np.eye(3)[axis] * 0.15
    offsets = agree(labels, with_boxes(labels, lambda one: moved(one, step))).overall.offsets
    assert offsets[name].bias == pytest.approx(0.15)
    assert offsets["center_m"].median == pytest.approx(0.15)
    others = {"along_m", "across_m", "up_m"} - {name}
    assert all(offsets[other].p95 == pytest.approx(0, abs=1e-9) for other in others)


def test_sizes_and_headings_with_their_sign_and_flips_apart() -> None:
    labels = crowd(2, 30, 2)
    wider = with_boxes(labels, lambda one: replace(moved(one, (0, 0, 0), 0.02), width_m=one.width_m + 0.1))
    offsets = agree(labels, wider).overall.offsets
    assert offsets["width_m"].bias == pytest.approx(0.1)
    assert offsets["length_m"].p95 == 0
    assert offsets["yaw_rad"].bias == pytest.approx(0.02)
    turned = agree(labels, with_boxes(labels, lambda one: moved(one, (0, 0, 0), np.pi - 0.01))).overall
    assert turned.flips == 1
    assert turned.offsets["yaw_rad"].bias == pytest.approx(-0.01)
    assert turned.mean_iou == pytest.approx(0.98, abs=0.02)


def test_half_of_the_spread_is_beyond_the_median_and_a_twentieth_beyond_the_rest() -> None:
    labels = crowd(5, 40, 5)
    noisy = crowd(5, 40, 5, 0.1)
    result = agree(labels, noisy)
    distances = result.compared.offsets.by_name["center_m"]
    spread = result.overall.offsets["center_m"]
    assert np.nanmean(distances > spread.median) == pytest.approx(0.5, abs=0.01)
    assert np.nanmean(distances > spread.p95) == pytest.approx(0.05, abs=0.01)
    assert spread.median == pytest.approx(0.1 * 1.54, rel=0.15)  # median of a length of three normal numbers


def test_missing_boxes_count_each_way() -> None:
    """A has three cars, B two of them and a person: F1 = 2 * 2 / (3 + 3)."""
    a = LabelSet.of([parked("1", 0), parked("2", 20), parked("3", 40)])
    b = LabelSet.of([parked("1", 0), parked("2", 20), parked("4", 60, category="pedestrian")])
    over = agree(a, b).overall
    assert (over.a, over.b, over.pairs) == (12, 12, 8)
    assert (over.f1, over.a_found, over.b_found) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    # Units by hand: car-car twice, car-absent and absent-person, four times each.
    by_hand = krippendorff_alpha([[1, 1, 1, 0] * 4, [1, 1, 0, 2] * 4])
    assert over.alpha == pytest.approx(by_hand)
    by_class = agree(a, b).by_class
    assert (by_class["car"].a_found, by_class["car"].b_found) == (2 / 3, 1)
    assert (by_class["pedestrian"].pairs, by_class["pedestrian"].f1) == (0, 0)
    assert np.isnan(by_class["pedestrian"].a_found)


def test_classes_of_pairs_give_kappa() -> None:
    names_a = ["car", "car", "truck", "truck", "bus", "car"]
    names_b = ["car", "truck", "truck", "truck", "bus", "car"]
    a, b = (
        LabelSet.of(parked(str(k), 12.0 * k, category=name) for k, name in enumerate(names))
        for names in (names_a, names_b)
    )
    result = agree(a, b)
    codes = {"car": 0, "truck": 1, "bus": 2}
    kappa = cohen_kappa([codes[n] for n in names_a] * 4, [codes[n] for n in names_b] * 4)
    assert result.overall.kappa == pytest.approx(kappa)
    assert (result.overall.f1, result.overall.f1_class) == pytest.approx((1, 5 / 6))
    assert result.confusion[("car", "truck")] == 4
    trucks = cohen_kappa([n == "truck" for n in names_a], [n == "truck" for n in names_b])
    assert result.by_class["truck"].kappa == pytest.approx(trucks)
    assert result.tracks[0].counts.other_class == 4


def test_sets_with_no_name_in_common_are_compared_by_kind() -> None:
    a = LabelSet.of([parked("1", 0), parked("2", 20, category="truck")])
    b = LabelSet.of(
        [replace(parked("1", 0), category="vehicle.car"), replace(parked("2", 20), category="vehicle.truck")]
    )
    result = agree(a, b)
    assert result.classes == "kind"
    assert result.overall.same_class == 8
    assert agree(a, b, classes="name").overall.same_class == 0


def test_bands_of_distance_hold_all_units() -> None:
    a, b = crowd(4, 60, 2), crowd(4, 60, 2, 0.2)
    result = agree(a, b)
    assert list(result.by_band) == ["0-20 m", "20-40 m", "40-80 m", "> 80 m"]
    for side in ("a", "b", "pairs"):
        assert sum(getattr(one, side) for one in result.by_band.values()) == getattr(result.overall, side)
    assert result.by_band["> 80 m"].a > 0
    near = agree(a, b, bands_m=(200.0,)).by_band["0-200 m"]
    assert near.as_dict() == result.overall.as_dict()


def test_identity_switches_each_way() -> None:
    """A follows one car for six frames, B calls it x, then y, then x again."""
    a = LabelSet.of([track("1", "car", [box(0)] * 6)])
    whole = track("x", "car", [box(0)] * 6)
    b = LabelSet.of([whole.without([2, 3]), track("y", "car", [box(0)] * 2, first=2)])
    together = agree(a, b).identity
    assert (together.switches_a, together.switches_b) == (2, 0)
    assert agree(b, a).identity.switches_b == 2
    assert together.partners == {"1": "x"}
    assert together.together == pytest.approx(4 / 6)
    assert together.idf1 == pytest.approx(2 * 4 / 12)


def test_the_worst_come_first() -> None:
    a = LabelSet.of([parked("good", 0), parked("lost", 20), parked("class", 40)])
    turned = track("class", "truck", [box(40), box(40), box(40), box(40, yaw_rad=np.pi)])
    b = LabelSet.of([parked("good", 0.1), turned, track("spare", "car", [box(60)], first=3)])
    result = agree(a, b)
    worst = {(one.a_id, one.b_id): one for one in result.tracks}
    assert {one.a_id for one in result.tracks[:2]} == {"lost", "class"}
    assert worst["lost", None].counts.only_a == 4
    assert (worst["class", "class"].counts.other_class, worst["class", "class"].counts.flipped) == (4, 1)
    assert worst[None, "spare"].worst_ns == 3
    assert result.frames_worst_first[0].timestamp_ns == 3
    assert result.frames_worst_first[0].counts.only_b == 1
    costs = [one.counts.cost for one in result.frames_worst_first]
    assert all(x >= y for x, y in pairwise(costs))


@given(st.integers(0, 50), st.integers(0, 12), st.integers(0, 12))
@settings(max_examples=20)
def test_swapped_sets_agree_alike(seed: int, some: int, others: int) -> None:
    a, b = crowd(seed, some, 2), crowd(seed, others, 2, 0.2)
    there, back = agree(a, b), agree(b, a)
    assert (there.overall.a, there.overall.a_found) == pytest.approx(
        (back.overall.b, back.overall.b_found), nan_ok=True
    )
    for name in ("f1", "mean_iou", "kappa", "alpha", "flips"):
        one, other = getattr(there.overall, name), getattr(back.overall, name)
        assert one == pytest.approx(other, nan_ok=True)
    assert there.identity.switches_a == back.identity.switches_b
    assert {name: one.f1 for name, one in there.by_class.items()} == pytest.approx(
        {name: one.f1 for name, one in back.by_class.items()}, nan_ok=True
    )


def test_sets_of_nothing() -> None:
    labels = crowd(1, 5, 2)
    empty = agree(LabelSet(), LabelSet())
    assert (empty.frames, empty.overall.a, empty.overall.b, empty.tracks) == (0, 0, 0, [])
    assert np.isnan(empty.overall.f1)
    alone = agree(labels, LabelSet())
    assert (alone.overall.a_found, alone.overall.f1) == (0, 0)
    assert np.isnan(alone.overall.b_found)
    assert alone.classes == "name"
    assert alone.overall.as_dict()["kappa"] is None


def test_only_the_frames_that_are_named() -> None:
    a, b = crowd(1, 6, 4), crowd(1, 6, 2)
    assert agree(a, b).overall.a_found == 0.5
    both = agree(a, b, frames_ns=[0, 1])
    assert (both.frames, both.overall.a_found) == (2, 1)


@pytest.fixture(scope="module")
def street() -> tuple[DriveLog, LabelSet]:
    return simulate(SimulationConfig(seed=101, seconds=0.3, cameras=1, azimuth_steps=600, rings=32))


def test_boxes_with_few_points_are_left_out(street: tuple[DriveLog, LabelSet]) -> None:
    log, truth = street
    result = agree(truth, truth, log=log, min_points=5)
    from fusion.agreement.columns import Columns
    from fusion.align import points_in_ego, read_deskewed

    columns, enough = Columns.of(truth), 0
    for ref in log.sweeps[log.rig.main_lidar.name]:  # type: ignore[union-attr]
        boxes = columns.boxes.take(columns.rows_at(ref.timestamp_ns))
        enough += int((count_points_in_boxes(points_in_ego(log, read_deskewed(log, ref)), boxes) >= 5).sum())
    assert 0 < enough < len(columns)
    assert result.overall.a == result.overall.pairs == enough
    with pytest.raises(CrosslabelError, match="needs the log"):
        agree(truth, truth, min_points=5)


def test_a_picture_shows_both_and_names_what_differs() -> None:
    a = LabelSet.of([parked("1", 10), parked("2", 0, 10)])
    b = LabelSet.of([parked("1", 10.2), parked("3", 0, -10)])
    picture = top_view(agree(a, b).compared, 0, size_px=400)
    assert picture.shape == (400, 400, 3)
    blue, orange = ((picture == colour).all(axis=2) for colour in (STYLE_A.colour, STYLE_B.colour))
    # Left of the car is left in the picture: only A has that box, only B the one to the right.
    assert blue[:, :200].sum() > 50
    assert orange[:, 200:].sum() > 50
    assert not orange[:, :180].any()
    calm = top_view(agree(a, a).compared, 0, size_px=400)
    assert not (calm == STYLE_A.colour).all(axis=2).any()
