"""The parts that tell box, calibration and clock apart."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib import Rig
from calib.errors import CrosslabelError
from fusion.categories import Kind
from fusion.checks.blame import Culprit, views_of
from fusion.checks.blame.decide import decide
from fusion.checks.blame.matched import noise_of
from fusion.checks.blame.pairs import overlaps, paired
from fusion.checks.blame.regress import Problem, fit
from fusion.checks.blame.shapes import outline
from fusion.checks.evidence import Evidence, evidence_in
from fusion.labels import ImageBox, LabelSet, Source, Track

MILLISECOND, DEGREE = 1e-3, float(np.radians(1.0))


def test_evidence_holds_what_people_drew_and_not_what_was_projected() -> None:
    drawn = {("cam", 5): ImageBox(1, 2, 30, 40), ("cam", 6): ImageBox(0, 0, 9, 9, Source.AUTO)}
    given_too = {("cam", 5): ImageBox(50, 2, 80, 40, Source.IMPORTED)}
    tracks = [Track("a", "car", image_boxes=drawn), Track("b", "van", image_boxes=given_too)]
    (told,) = evidence_in(LabelSet.of(tracks))
    assert (told.camera, told.timestamp_ns, told.track_ids) == ("cam", 5, ("a", "b"))
    assert told.categories == ("car", "van")
    np.testing.assert_array_equal(told.ltrb_px, [[1, 2, 30, 40], [50, 2, 80, 40]])
    assert told.scores.tolist() == [1.0, 1.0]


def test_edges_on_the_border_are_cut() -> None:
    told = Evidence("cam", 0, np.array([[0.0, 20, 99, 30], [10, 0, 40, 49]]), ("car", "car"))
    assert told.cut(100, 50).tolist() == [[True, False, True, False], [False, True, False, True]]


def test_columns_must_agree() -> None:
    with pytest.raises(CrosslabelError, match="differ in number"):
        Evidence("cam", 0, np.zeros((2, 4)), ("car",))


def rectangles(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 600, (count, 2))
    return np.hstack([low, low + rng.uniform(20, 120, (count, 2))])


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 1000))
@settings(max_examples=40)
def test_pairs_hold_each_rectangle_once_whatever_the_order(count, more, seed) -> None:
    shown, others = rectangles(count, seed), rectangles(more, seed + 1)
    seen = np.concatenate([shown + 2.0, others])
    names = ["car"] * (count + more)
    rows, columns = paired(shown, names[:count], seen, names, np.ones(len(seen)))
    assert len({*rows.tolist()}) == len(rows) == len(columns) == len({*columns.tolist()})
    order = np.random.default_rng(seed).permutation(len(seen))
    rows_too, columns_too = paired(shown, names[:count], seen[order], names, np.ones(len(seen)))
    first = dict(zip(rows.tolist(), columns.tolist(), strict=True))
    assert first == dict(zip(rows_too.tolist(), order[columns_too].tolist(), strict=True))


def test_people_are_not_paired_with_cars_and_doubtful_ones_with_nothing() -> None:
    one = np.array([[0.0, 0, 50, 50]])
    assert len(paired(one, ["car"], one, ["pedestrian"], np.ones(1))[0]) == 0
    assert len(paired(one, ["car"], one, ["car"], np.array([0.1]))[0]) == 0
    assert len(paired(one, ["car"], one, ["truck"], np.ones(1))[0]) == 1


def test_what_does_not_touch_is_paired_only_where_it_is_near_and_of_one_size() -> None:
    person = np.array([[100.0, 100, 130, 180]])
    names = ["pedestrian"]
    assert len(paired(person, names, person + np.array([40, 0, 40, 0]), names, np.ones(1))[0]) == 1
    assert len(paired(person, names, person + np.array([80, 0, 80, 0]), names, np.ones(1))[0]) == 0
    assert len(paired(person, names, person + np.array([40, 0, 40, 60]), names, np.ones(1))[0]) == 0


def test_rectangles_that_are_none_overlap_nothing() -> None:
    none = np.full((1, 4), np.nan)
    assert overlaps(none, none).tolist() == [[0.0]]
    assert len(paired(none, ["car"], none, ["car"], np.ones(1))[0]) == 0


@pytest.mark.parametrize("kind", list(Kind))
def test_outlines_lie_in_their_boxes_and_are_alike_on_both_sides(kind) -> None:
    places = outline(kind)
    assert places.shape == (32, 3)
    assert np.abs(places).max() <= 0.5
    sides = {tuple(np.round(place, 6)) for place in places}
    assert {(x, -y, z) for x, y, z in sides} == sides


def both(log, labels, evidence, other_log, other_evidence):
    """Two sets of views, of the same objects in the same images."""
    one, two = views_of(log, labels, evidence), views_of(other_log, labels, other_evidence)
    keys = [list(zip(v.images.tolist(), v.tracks.tolist(), strict=True)) for v in (one, two)]
    common = sorted({*keys[0]} & {*keys[1]})
    rows = [np.array([{key: row for row, key in enumerate(k)}[key] for key in common]) for k in keys]
    return one.take(rows[0]), two.take(rows[1])


@pytest.mark.parametrize("what", ["time", "pitch", "yaw", "roll"])
def test_derivatives_say_where_rectangles_go(scene, what) -> None:
    log, evidence = scene.log, scene.evidence
    if what == "time":
        log_too, evidence_too = log, scene.late(evidence, tuple(log.rig.cameras), 4.0)
    else:
        turn_deg = 0.2 * np.eye(3)[("pitch", "yaw", "roll").index(what)]
        cameras = [scene.turned(name, tuple(turn_deg)).rig.cameras[name] for name in log.rig.cameras]
        log_too = replace(log, rig=Rig.of(tuple(log.rig.lidars.values()), tuple(cameras)))
        evidence_too = evidence
    one, two = both(log, scene.labels, evidence, log_too, evidence_too)
    known = one.derivatives
    # The given camera is turned against the true one, so what it projects goes the other way.
    said = known.time * 4 * MILLISECOND if what == "time" else -known.turn @ np.radians(turn_deg)
    sure = one.free & two.free
    moved_px = (two.ltrb_px - one.ltrb_px)[sure]
    assert np.abs(moved_px).max() > 1.0
    # Of two places that touch an edge at once, either may be taken.
    near = np.abs(said[sure] - moved_px) < 0.05 + 0.03 * np.abs(moved_px)
    assert np.mean(near) > 0.8
    assert (said[sure] @ moved_px) / (moved_px @ moved_px) == pytest.approx(1.0, abs=0.03)


def test_views_are_told_of_images_without_rectangles_and_of_some_cameras(scene) -> None:
    nothing = [Evidence(told.camera, told.timestamp_ns, np.empty((0, 4)), ()) for told in scene.evidence]
    every = views_of(scene.log, scene.labels, nothing)
    assert len(every) == len(views_of(scene.log, scene.labels, scene.evidence)) > 100
    some = views_of(scene.log, scene.labels, nothing, cameras=("cam_left", "cam_roof"))
    assert len(some) == np.sum(every.cameras == 1)
    assert {nothing[image].camera for image in some.images.tolist()} == {"cam_left"}


def problem(seed: int, groups: int = 20, each: int = 30, shift: float = 0.0) -> tuple[Problem, np.ndarray]:
    """Two common numbers and one effect a group."""
    rng = np.random.default_rng(seed)
    true = np.array([3.0, -2.0])
    of = np.repeat(np.arange(groups), each)
    common, own = rng.normal(size=(groups * each, 2)), np.ones((groups * each, 1))
    effects = rng.normal(size=groups) * 0.5
    residuals = common @ true + effects[of] + rng.normal(size=len(of)) + shift
    kinds, spreads = np.zeros(1, np.int64), np.array([[0.05, 3.0]])
    return Problem(residuals, common, own, of, np.full(2, 1e-6), kinds, spreads), true


def test_the_common_numbers_are_found_as_well_as_said() -> None:
    """Over many problems the errors are what the covariances say."""
    errors, scatters = [], []
    for seed in range(40):
        posed, true = problem(seed)
        found = fit(posed)
        errors.append(found.values - true)
        scatters.append(np.diag(found.scatter))
    assert np.std(errors) == pytest.approx(np.sqrt(np.mean(scatters)), rel=0.25)
    assert found.spread[0] == pytest.approx(0.5, abs=0.2)


def test_a_fifth_of_wild_observations_changes_little() -> None:
    posed, true = problem(3)
    wild = np.array(posed.residuals)
    wild[::5] += 50.0
    np.testing.assert_allclose(fit(replace(posed, residuals=wild)).values, true, atol=0.2)


def test_one_group_that_is_far_out_keeps_its_effect_to_itself() -> None:
    posed, true = problem(4)
    far = np.where(posed.groups == 7, posed.residuals + 12.0, posed.residuals)
    found = fit(replace(posed, residuals=far))
    np.testing.assert_allclose(found.values, true, atol=0.2)
    assert found.effects[7, 0] == pytest.approx(12.0, abs=1.6)


@given(st.integers(0, 100), st.permutations(range(8)))
@settings(max_examples=10)
def test_the_order_of_groups_does_not_matter(seed, order) -> None:
    posed, _ = problem(seed, groups=8)
    places = np.concatenate([np.flatnonzero(posed.groups == group) for group in order])
    shuffled = replace(
        posed,
        residuals=posed.residuals[places],
        common=posed.common[places],
        own=posed.own[places],
        groups=np.repeat(np.arange(8), 30),
    )
    one, two = fit(posed), fit(shuffled)
    np.testing.assert_allclose(one.values, two.values, atol=1e-8)
    np.testing.assert_allclose(one.scatter, two.scatter, atol=1e-8)


def test_noise_is_told_as_pixels_and_share() -> None:
    rng = np.random.default_rng(0)
    sizes_px = rng.uniform(10, 400, 20000)
    even_px, share = noise_of(rng.normal(size=20000) * np.hypot(2.0, 0.04 * sizes_px), sizes_px)
    assert even_px == pytest.approx(2.0, abs=0.3)
    assert share == pytest.approx(0.04, abs=0.005)


def covariance(turn_deg: float, time_ms: float, correlation: float = 0.0) -> np.ndarray:
    """(4, 4) with the yaw and the clock correlated."""
    sigmas = np.array([*[turn_deg * DEGREE] * 3, time_ms * MILLISECOND])
    ties = np.eye(4)
    ties[1, 3] = ties[3, 1] = correlation
    return np.outer(sigmas, sigmas) * ties


@pytest.mark.parametrize(
    ("yaw_deg", "late_ms", "culprit"),
    [
        (0.0, 0.0, Culprit.NONE),
        (0.12, 0.0, Culprit.NONE),
        (0.0, 9.0, Culprit.NONE),
        (0.4, 0.0, Culprit.CALIBRATION),
        (0.4, 5.0, Culprit.CALIBRATION),
        (0.0, -25.0, Culprit.CLOCK),
        (0.5, 40.0, Culprit.BOTH),
    ],
)
def test_what_is_decided_where_all_is_known_well(yaw_deg, late_ms, culprit) -> None:
    values = np.array([0.0, yaw_deg * DEGREE, 0.0, late_ms * MILLISECOND])
    assert decide(values, covariance(0.03, 2.0), 20).culprit is culprit


def test_what_cannot_be_told_apart_is_not_decided() -> None:
    """A turn and a wrong clock that do the same to everything seen; half of each is what a fit says."""
    values = np.array([0.0, 0.3 * DEGREE, 0.0, 30.0 * MILLISECOND])
    found = decide(values, covariance(0.3, 30.0, -0.98), 20)
    assert found.culprit is Culprit.UNDECIDED
    assert found.alike


def test_few_objects_or_wide_doubts_decide_nothing() -> None:
    values = np.array([0.0, 1.0 * DEGREE, 0.0, 0.0])
    assert decide(values, covariance(0.03, 2.0), 3).culprit is Culprit.UNDECIDED
    assert decide(np.zeros(4), covariance(0.5, 2.0), 20).culprit is Culprit.UNDECIDED
