"""Cameras that are turned or late are told from each other and from cameras that are right."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fusion.checks.blame import Culprit, judge, views_of
from fusion.checks.evidence import Evidence
from fusion.labels import LabelSet

NAMES = ("cam_front", "cam_left", "cam_right")


def judged(log, labels, evidence):
    return judge(log, labels, evidence, views_of(log, labels, evidence))


def test_nothing_is_named_where_nothing_is_wrong(scene) -> None:
    found = judged(scene.log, scene.labels, scene.noisy(1.5))
    assert {name: blame.culprit for name, blame in found.cameras.items()} == dict.fromkeys(
        NAMES, Culprit.NONE
    )
    assert found.boxes == ()
    assert all("agrees" in blame.words for blame in found.cameras.values())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("axis", range(3))
def test_a_turn_is_found_to_a_fraction_of_it(scene, name, axis) -> None:
    turn_deg = tuple(0.4 * np.eye(3)[axis])
    blame = judged(scene.turned(name, turn_deg), scene.labels, scene.noisy(1.0, seed=axis)).cameras
    assert blame[name].culprit is Culprit.CALIBRATION
    np.testing.assert_allclose(np.degrees(blame[name].rotation_rad), turn_deg, atol=0.1)
    assert all(blame[other].culprit is Culprit.NONE for other in NAMES if other != name)
    assert blame[name].cam_from_given_cam.rotation_vector_rad @ blame[name].rotation_rad > 0


@pytest.mark.parametrize("late_ms", [-20.0, 20.0, 40.0])
def test_a_wrong_clock_is_found(scene, late_ms) -> None:
    evidence = scene.late(scene.noisy(1.0), ("cam_left",), late_ms)
    blame = judged(scene.log, scene.labels, evidence).cameras
    assert blame["cam_left"].culprit is Culprit.CLOCK
    assert blame["cam_left"].offset_ns / 1e6 == pytest.approx(-late_ms, abs=5.0)
    assert ("later" if late_ms > 0 else "earlier") in blame["cam_left"].words
    assert blame["cam_front"].culprit is blame["cam_right"].culprit is Culprit.NONE


def test_clocks_that_are_all_off_alike_are_one_clock(scene) -> None:
    blame = judged(scene.log, scene.labels, scene.late(scene.noisy(1.0), NAMES, 30.0)).cameras
    assert {one.culprit for one in blame.values()} == {Culprit.CLOCK}
    assert all("LiDAR's clock" in one.words for one in blame.values())


def test_both_at_once(scene) -> None:
    evidence = scene.late(scene.noisy(0.5), ("cam_right",), 50.0)
    log = scene.turned("cam_right", (0.0, 0.0, 1.5))
    blame = judged(log, scene.labels, evidence).cameras["cam_right"]
    assert blame.culprit is Culprit.BOTH
    assert "(calibration)" in blame.words
    assert "(clock)" in blame.words


def test_whoever_stands_still_cannot_tell_the_time(make_scene) -> None:
    still = make_scene(speed_mps=0.0)
    keep = {id: track for id, track in still.labels.tracks.items() if id.startswith("car")}
    labels, evidence = LabelSet(keep), still.noisy(1.0)
    blame = judged(still.log, labels, still.late(evidence, ("cam_front",), 40.0)).cameras["cam_front"]
    assert blame.culprit is not Culprit.CLOCK
    assert blame.offset_sigma_ns > 15e6


def test_wrong_rectangles_and_missing_ones_do_no_harm(scene) -> None:
    rng, evidence = np.random.default_rng(5), []
    for told in scene.noisy(1.0):
        ltrb_px = np.array(told.ltrb_px)
        wrong = rng.random(len(told)) < 0.15
        ltrb_px[wrong] += rng.normal(size=(int(wrong.sum()), 4)) * 60
        kept = np.flatnonzero(rng.random(len(told)) < 0.8)
        names = tuple(told.categories[row] for row in kept)
        evidence.append(Evidence(told.camera, told.timestamp_ns, ltrb_px[kept], names))
    blame = judged(scene.turned("cam_front", (0.0, 0.4, 0.0)), scene.labels, evidence).cameras
    assert blame["cam_front"].culprit is Culprit.CALIBRATION
    assert blame["cam_left"].culprit is blame["cam_right"].culprit is Culprit.NONE


def test_what_is_expected_follows_the_camera_that_is_named(scene) -> None:
    """Other rules judge boxes by what is left."""
    found = judged(scene.turned("cam_front", (0.0, 0.5, 0.0)), scene.labels, scene.noisy(1.0))
    mine = (found.pairs.views.cameras == 0)[:, None] & found.pairs.usable
    before = np.abs(found.pairs.residuals_px[mine])
    after = np.abs(found.residuals_px[mine])
    assert np.median(before) > 5.0
    assert np.median(after) < 1.5


@pytest.mark.parametrize("only", [0, 1, 2])
def test_few_objects_say_nothing(make_scene: Callable, only) -> None:
    few = make_scene(only=only)
    blame = judged(few.turned("cam_right", (0.0, 0.5, 0.0)), few.labels, few.evidence).cameras
    assert {one.culprit for one in blame.values()} == {Culprit.UNDECIDED}
    assert all("cannot say" in one.words for one in blame.values())


def test_what_is_far_away_tells_no_clock(make_scene) -> None:
    far = make_scene(away_m=400.0)
    blame = judged(far.log, far.labels, far.late(far.evidence, NAMES, 40.0)).cameras
    assert all(one.culprit in (Culprit.UNDECIDED, Culprit.NONE) for one in blame.values())


def test_no_evidence_no_labels_strange_evidence(scene) -> None:
    assert len(judged(scene.log, scene.labels, []).pairs) == 0
    assert len(judged(scene.log, LabelSet(), scene.evidence).pairs) == 0
    rectangle = np.array([[0.0, 0.0, 50.0, 50.0]])
    strange = [
        Evidence("cam_roof", 0, rectangle, ("car",)),
        Evidence("cam_front", 10**18, rectangle, ("car",)),
    ]
    nothing = judged(scene.log, scene.labels, strange)
    assert {one.culprit for one in nothing.cameras.values()} == {Culprit.UNDECIDED}


def test_numbers_that_are_none_are_passed_over(scene) -> None:
    evidence = []
    for told in scene.noisy(1.0):
        ltrb_px = np.array(told.ltrb_px)
        ltrb_px[::3] = np.nan
        evidence.append(replace(told, ltrb_px=ltrb_px))
    blame = judged(scene.turned("cam_front", (0.0, 0.5, 0.0)), scene.labels, evidence).cameras
    assert blame["cam_front"].culprit is Culprit.CALIBRATION
    assert all(np.isfinite(one.rotation_sigma_rad).all() for one in blame.values())


def test_ids_join_what_overlap_would_not(scene) -> None:
    """A camera turned by so much that no rectangle meets its own."""
    tracks = list(scene.labels.tracks.values())
    views = views_of(scene.log, scene.labels, scene.evidence)
    named = []
    for number, told in enumerate(scene.evidence):
        rows = np.flatnonzero(views.images == number)
        named.append(replace(told, track_ids=tuple(tracks[track].id for track in views.tracks[rows])))
    turned = scene.turned("cam_front", (0.0, 6.0, 0.0))
    blame = judged(turned, scene.labels, named).cameras["cam_front"]
    assert blame.culprit is Culprit.CALIBRATION
    assert np.degrees(blame.rotation_rad[1]) > 3.0


def test_the_order_of_the_evidence_does_not_matter(scene) -> None:
    evidence = scene.noisy(1.0)
    turned = scene.turned("cam_left", (0.3, 0.0, 0.0))
    straight = judged(turned, scene.labels, evidence).cameras["cam_left"]
    back = judged(turned, scene.labels, evidence[::-1]).cameras["cam_left"]
    np.testing.assert_allclose(straight.rotation_rad, back.rotation_rad, atol=1e-9)
    assert straight.words == back.words
