"""Rules about images: what rectangles that do not come from the boxes say of boxes and cameras."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.se3 import SE3Batch
from fusion.categories import kind_of
from fusion.checks import Severity
from fusion.checks.blame.pairs import overlaps
from fusion.checks.check import check
from fusion.checks.config import CheckConfig
from fusion.checks.evidence import Evidence, evidence_in
from fusion.checks.facts import Facts
from fusion.checks.facts.pictured import Pictured
from fusion.checks.rules import RULES
from fusion.edits import SetTrack, apply_automatic
from fusion.labels import LabelSet, Source
from fusion.log import DriveLog
from fusion.trajectory import Trajectory
from tests.blame.conftest import Scene, exact
from tests.checks.made_pictures import FRAMES, drawn, pictured, says, scene_of
from tests.checks.made_streets import START_NS, STEP_NS, changed, moved, sized

OF_IMAGES = ("C1", "C2", "C3", "C4", "K2")
EVERY = range(FRAMES)
STILL = SE3Batch(np.tile(np.eye(3), (8, 1, 1)), np.zeros((8, 3)))


@dataclass(frozen=True)
class Wrong:
    """Labels, or what images show, that one rule about images has to find.

    Attributes:
        rule: that has to.
        id: of the track.
        says: part of the words.
        spoil: makes the labels wrong.
        eased: limits with which it is allowed.
        unseen: whether the images show nothing of it instead.
        frames: in which; all of the track's where None.
    """

    rule: str
    id: str
    says: str
    spoil: Callable[[LabelSet], LabelSet]
    eased: dict[str, float]
    unseen: bool = False
    frames: tuple[int, ...] = tuple(EVERY)

    @cached_property
    def labels(self) -> LabelSet:
        return self.spoil(scene_of().labels)

    @cached_property
    def evidence(self) -> list[Evidence]:
        scene = scene_of()
        return exact(scene.log, scene.labels.without_track(self.id)) if self.unseen else scene.evidence

    @cached_property
    def facts(self) -> Facts:
        return pictured(scene_of().log, self.labels, self.evidence)

    def __str__(self) -> str:
        return f"{self.rule} {self.id} {self.says}".replace(" ", "-")


def shifted(id: str, frames: range, left_m: float) -> Callable[[LabelSet], LabelSet]:
    return lambda labels: changed(labels, id, frames, moved(y=left_m))


def as_high(id: str, times: float) -> Callable[[LabelSet], LabelSet]:
    return lambda labels: changed(labels, id, EVERY, sized(height=times))


def named(id: str, category: str) -> Callable[[LabelSet], LabelSet]:
    return lambda labels: labels.with_track(replace(labels.tracks[id], category=category))


def as_it_is(labels: LabelSet) -> LabelSet:
    return labels


CASES = (
    Wrong(
        "C1", "right 13", "the box stands 52 px beside its object in 2 cameras: it should move 0.59 m to its",
        shifted("right 13", range(9, 10), 0.6), {"sigmas": 1e3}, frames=(9,),
    ),
    Wrong(
        "C1", "left 22", "the whole track (20 boxes) stands 66 px beside its object in 2 cameras",
        shifted("left 22", EVERY, 0.8), {"least_m": 1.0},
    ),
    Wrong(
        "C1", "walker", "it should move 0.58 m to its right",
        shifted("walker", range(9, 10), 0.6), {"most_px": 30.0}, frames=(9,),
    ),
    Wrong(
        "C2", "left 22", "not seen in 25 of 25 images that should show it", as_it_is, {"least_px": 500},
        unseen=True,
    ),
    Wrong("C2", "waiting", "not seen in 7 of 7 images", as_it_is, {"least_images": 8}, unseen=True),
    Wrong("C3", "left 22", "25 of 25 images show a car", named("left 22", "bus"), {"share": 1.1}),
    Wrong("C3", "waiting", "images show a pedestrian", named("waiting", "car"), {"least_px": 200}),
    Wrong("C4", "left 22", "28 % higher than its object in 24", as_high("left 22", 1.3), {"ratio": 1.5}),
    Wrong("C4", "right 13", "22 % lower than its object in", as_high("right 13", 0.74), {"ratio": 1.5}),
)  # fmt: skip


@pytest.mark.parametrize("noise_px", [0.0, 1.5])
def test_boxes_that_fit_their_rectangles_are_silent(noise_px: float) -> None:
    scene = scene_of()
    facts = pictured(scene.log, scene.labels, scene.noisy(noise_px))
    assert [one for rule in OF_IMAGES for one in says(facts, rule)] == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_is_found_where_it_is(case: Wrong) -> None:
    (one,) = says(case.facts, case.rule)
    assert (one.rule, one.track_id) == (case.rule, case.id) and case.says in one.words
    assert [(t - START_NS) // STEP_NS for t in one.timestamps_ns] == list(case.frames)
    assert one.value is not None and one.limit is not None and one.value > one.limit
    assert 0 < one.chance <= 1 and one.repair_s > 0


@pytest.mark.parametrize("case", CASES, ids=str)
def test_projects_change_it(case: Wrong) -> None:
    category = case.labels.tracks[case.id].category
    assert says(case.facts, case.rule, limits=case.eased) == []
    assert says(case.facts, case.rule, classes={category: case.eased}) == []
    assert says(case.facts, case.rule, classes={kind_of(category).value: case.eased}) == []
    assert len(says(case.facts, case.rule, classes={"unicorn": case.eased})) == 1
    assert [one.severity for one in says(case.facts, case.rule, severity="mandatory")] == [Severity.MANDATORY]
    assert says(case.facts, case.rule, skip=True) == []


@pytest.mark.parametrize("noise_px", [0.0, 1.0])
def test_a_moved_box_hurts_neither_other_tracks_nor_cameras(noise_px: float) -> None:
    scene = scene_of()
    labels = changed(scene.labels, "right 13", [9], moved(y=0.6))
    facts = pictured(scene.log, labels, scene.noisy(noise_px, seed=3))
    assert [(one.rule, one.track_id) for rule in OF_IMAGES for one in says(facts, rule)] == [
        ("C1", "right 13")
    ]


def test_a_class_is_set_right_by_what_the_images_show() -> None:
    scene = scene_of()
    wrong = named("left 22", "bus")(scene.labels)
    (one,) = says(pictured(scene.log, wrong, scene.evidence), "C3")
    assert one.fix == SetTrack("left 22", "car")
    mended = apply_automatic(wrong, one.fix)
    assert mended.tracks["left 22"].category == "car"
    assert says(pictured(scene.log, mended, scene.evidence), "C3") == []


def test_a_class_that_no_label_has_is_told_and_not_put_in() -> None:
    """The words of a network need not be those of the project."""
    scene = scene_of()
    (one,) = says(pictured(scene.log, named("truck", "car")(scene.labels), scene.evidence), "C3")
    assert one.words == "20 of 20 images show a truck" and one.fix is None


def test_names_of_one_kind_are_one_class() -> None:
    scene = scene_of()
    labels = named("left 22", "Vehicle - Car")(scene.labels)
    assert says(pictured(scene.log, labels, scene.evidence), "C3") == []


def test_what_hardly_any_beam_met_may_be_missed_by_images() -> None:
    scene = scene_of(8, sweeps=True)
    unseen = exact(scene.log, scene.labels.without_track("left 22"))

    def found(**limits: float) -> list[str | None]:
        off = {rule.id: {"skip": True} for rule in RULES if rule.id != "C2"}
        config = CheckConfig.model_validate({"rules": {**off, "C2": {"limits": limits}}})
        checked = check(scene.log, scene.labels, config, evidence=unseen)
        return [one.track_id for one in checked.findings]

    assert found() == ["left 22"]
    assert found(least_points=1e6) == []


@pytest.mark.parametrize("turn_deg", [(0.5, 0.0, 0.0), (0.0, -0.5, 0.0)])
def test_a_camera_that_is_turned_is_told_and_no_box(turn_deg: tuple[float, float, float]) -> None:
    scene = scene_of()
    facts = pictured(scene.turned("cam_front", turn_deg), scene.labels, scene.evidence)
    (one,) = (one for rule in OF_IMAGES for one in says(facts, rule))
    assert (one.rule, one.camera, one.track_id) == ("K2", "cam_front", None)
    assert "turned by 0.5" in one.words or "turned by 0.4" in one.words
    assert "(calibration)" in one.words and "(clock)" not in one.words


@pytest.mark.parametrize("late_ms", [-40.0, 40.0])
def test_a_camera_whose_clock_is_off_is_told_and_no_box(late_ms: float) -> None:
    scene = scene_of()
    facts = pictured(scene.log, scene.labels, scene.late(scene.evidence, ("cam_front",), late_ms))
    (one,) = (one for rule in OF_IMAGES for one in says(facts, rule))
    assert (one.rule, one.camera) == ("K2", "cam_front")
    assert ("later" if late_ms > 0 else "earlier") in one.words and "(clock)" in one.words


def reasons(log: DriveLog, labels: LabelSet, evidence: list[Evidence]) -> dict[str, str]:
    skipped = check(log, labels, evidence=evidence).skipped
    return {rule: skipped[rule] for rule in OF_IMAGES if rule in skipped}


def test_without_evidence_or_poses_they_are_not_asked_and_say_why() -> None:
    scene = scene_of(8)
    rectangles = "rectangles in the images that do not come from the boxes"
    assert reasons(scene.log, scene.labels, []) == dict.fromkeys(OF_IMAGES, f"needs {rectangles}")
    assert reasons(scene.log, scene.labels, scene.evidence) == {}
    still = replace(scene.log, trajectory=Trajectory(scene.log.timestamps_ns, STILL))
    said = reasons(still, scene.labels, scene.evidence)
    assert set(said) == set(OF_IMAGES) and all("the car's poses" in why for why in said.values())


def test_evidence_of_other_cameras_and_times_says_nothing() -> None:
    scene = scene_of(8)
    elsewhere = [
        replace(scene.evidence[0], camera="cam_roof"),
        replace(scene.evidence[0], timestamp_ns=START_NS - 10 * STEP_NS),
    ]
    facts = pictured(scene.log, scene.labels, elsewhere)
    assert facts.pictured is not None and len(facts.pictured.views) == 0
    assert [one for rule in OF_IMAGES for one in says(facts, rule)] == []


@pytest.mark.parametrize("source", [Source.AUTO, Source.INTERPOLATED])
def test_rectangles_that_were_computed_from_boxes_are_no_evidence(source: Source) -> None:
    scene = scene_of(8)
    labels = drawn(scene, source, 40.0)
    assert evidence_in(labels) == []
    checked = check(scene.log, labels)
    assert checked.facts.pictured is None and {"C1", "K2"} <= set(checked.skipped)


@pytest.mark.parametrize("source", [Source.HUMAN, Source.IMPORTED])
def test_rectangles_that_people_drew_are_evidence_of_their_own_track(source: Source) -> None:
    scene = scene_of()
    right = check(scene.log, drawn(scene, source))
    assert not {one.rule for one in right.findings} & set(OF_IMAGES)
    labels = changed(drawn(scene, source), "right 13", [9], moved(y=0.6))
    (one,) = (one for one in check(scene.log, labels).findings if one.rule in OF_IMAGES)
    assert (one.rule, one.track_id) == ("C1", "right 13")
    pictured_ = right.facts.pictured
    assert pictured_ is not None
    assert sum(map(len, pictured_.evidence)) == sum(map(len, scene.evidence))


def rectangles(seed: int, count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(-50, 50, (count, 2, 2))
    return np.hstack([corners.min(axis=1), corners.max(axis=1)])


def iou_by_hand(a: np.ndarray, b: np.ndarray) -> float:
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    shared = wide * high if wide > 0 and high > 0 else 0.0
    area_a, area_b = ((some[2] - some[0]) * (some[3] - some[1]) for some in (a, b))
    return float(shared / (area_a + area_b - shared))


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 6), st.floats(0.1, 30), st.floats(-99, 99))
def test_overlaps_keep_to_their_laws(seed: int, a: int, b: int, scale: float, away_px: float) -> None:
    one, other = rectangles(seed, a), rectangles(seed + 1, b)
    shares = overlaps(one, other)
    by_hand = [[iou_by_hand(x, y) for y in other] for x in one]
    np.testing.assert_allclose(shares, by_hand, atol=1e-12)
    np.testing.assert_allclose(shares.T, overlaps(other, one))
    np.testing.assert_allclose(shares, overlaps(one * scale + away_px, other * scale + away_px), atol=1e-9)
    np.testing.assert_allclose(np.diag(overlaps(one, one)), 1.0)


def seen_by_hand(scene: Scene, labels: LabelSet, found: Pictured) -> list[tuple[float, float, str]]:
    tracks, told = list(labels.tracks.values()), []
    for image, track, ltrb_px in zip(
        found.views.images, found.views.tracks, found.views.ltrb_px, strict=True
    ):
        here = found.evidence[image]
        shares = [iou_by_hand(ltrb_px, seen) for seen in here.ltrb_px]
        kind = kind_of(tracks[track].category)
        own = max(
            (s for s, name in zip(shares, here.categories, strict=True) if kind_of(name) is kind), default=0
        )
        best = max(shares, default=0.0)
        told.append((own, best, here.categories[shares.index(best)] if best > own else ""))
    return told


def test_views_are_compared_with_the_best_rectangle_of_any_and_of_their_own_kind() -> None:
    scene = scene_of(8)
    rng = np.random.default_rng(2)
    names = np.array(["car", "truck", "pedestrian"])
    evidence = [
        replace(told, categories=tuple(rng.choice(names, len(told)).tolist())) for told in scene.noisy(6.0)
    ]
    found = Pictured.of(scene.log, scene.labels, evidence)
    own, best, other = zip(*seen_by_hand(scene, scene.labels, found), strict=True)
    np.testing.assert_allclose(found.own_iou, own, atol=1e-12)
    np.testing.assert_allclose(found.any_iou, best, atol=1e-12)
    assert found.other == other and len(set(other)) == 4


def test_a_rectangle_that_is_no_number_hides_no_other() -> None:
    scene = scene_of(8)
    evidence = [
        replace(
            told,
            ltrb_px=np.vstack([told.ltrb_px, np.full((1, 4), np.nan)]),
            categories=(*told.categories, "car"),
            scores=None,
        )
        for told in scene.evidence
    ]
    right = Pictured.of(scene.log, scene.labels, scene.evidence)
    found = Pictured.of(scene.log, scene.labels, evidence)
    np.testing.assert_array_equal(found.any_iou, right.any_iou)
    np.testing.assert_array_equal(found.own_iou, right.own_iou)
    assert found.other == right.other
