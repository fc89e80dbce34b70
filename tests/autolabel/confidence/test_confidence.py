"""How sure labels are: of true boxes, of shifted ones, with and without scans."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from autolabel.confidence import CONFIDENCE, LOOK, ConfidenceConfig, wanting_a_look, with_confidence
from autolabel.confidence.model import PARTS, Model
from autolabel.confidence.reasons import DEFAULTS, HEADING, WORDS
from autolabel.pipeline import applied
from autolabel.scans import Scans
from autolabel.traced import Traced
from autolabel.world import LocalWorld
from calib.se3 import SE3
from fusion.boxes import Box3D
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.log import DriveLog
from fusion.simulate import SimulationConfig, simulate, visible_only
from tests.in_memory import in_memory

KEY = 4
Drive = tuple[DriveLog, LabelSet]


@pytest.fixture(scope="module")
def drive() -> Drive:
    log, truth = simulate(
        SimulationConfig(seconds=1.0, azimuth_steps=900, cameras=0, vehicles=6, pedestrians=8, cyclists=2)
    )
    log = in_memory(log)
    return log, visible_only(log, truth, min_points=40)


@pytest.fixture(scope="module")
def scans(drive: Drive) -> Scans:
    return Scans(LocalWorld.of(drive[0]))


def moved(box: Box3D, along_m: float, turned_rad: float) -> Box3D:
    ego_from_box = box.ego_from_box @ SE3.from_yaw(turned_rad, (along_m, 0.0, 0.0))
    return replace(box, ego_from_box=ego_from_box)


def traced_of(drive: Drive, along_m: float = 0.0, turned_rad: float = 0.0) -> list[Traced]:
    """Tracks of which one frame is given, and the others were made: true ones, or moved."""
    log, truth = drive
    key_ns, made = int(log.timestamps_ns[KEY]), []
    for track in truth.tracks.values():
        if len(track.annotations) < len(log) or key_ns not in track.annotations:
            continue
        given = replace(track, annotations={key_ns: track.annotations[key_ns]})
        rest = tuple(
            Annotation(a.timestamp_ns, moved(a.box, along_m, turned_rad), Source.INTERPOLATED)
            for a in track.annotations.values()
            if a.timestamp_ns != key_ns
        )
        made.append(Traced(given, rest, None, ()))
    assert len(made) >= 10
    return made


def scores(traced: Sequence[Traced]) -> np.ndarray:
    found = [annotation.attributes[CONFIDENCE] for one in traced for annotation in one.made]
    return np.array(found, dtype=np.float64)


def test_true_boxes_are_surer_than_shifted_and_turned_ones(drive: Drive, scans: Scans) -> None:
    right, shifted, turned = (
        with_confidence(traced_of(drive, *off), scans) for off in ((0, 0), (0.5, 0), (0, 0.4))
    )
    assert np.median(scores(right)) > 0.95
    assert max(np.median(scores(shifted)), np.median(scores(turned))) < 0.8
    flagged, made = wanting_a_look(right)
    assert made == len(scores(right)) and flagged < 0.25 * made
    for wrong in (shifted, turned):
        flagged, made = wanting_a_look(wrong)
        assert flagged > 0.6 * made
    reasons = [a.attributes.get(LOOK) for one in turned for a in one.made]
    assert max(set(reasons), key=reasons.count) == HEADING


def test_a_flag_stands_where_the_chance_is_low_and_says_why(drive: Drive, scans: Scans) -> None:
    words = set(DEFAULTS.values()) | {w for part in WORDS.values() for w in part.values()}
    for least in (0.5, 0.95):
        found = with_confidence(traced_of(drive, 0.3), scans, ConfidenceConfig(least=least))
        for annotation in (a for one in found for a in one.made):
            chance = annotation.attributes[CONFIDENCE]
            assert 0 <= chance <= 1
            assert (LOOK in annotation.attributes) == (chance < least)
            assert annotation.attributes.get(LOOK, DEFAULTS["place"]) in words


def test_the_same_twice_and_poses_and_what_was_given_untouched(drive: Drive, scans: Scans) -> None:
    before = traced_of(drive, 0.2)
    first, second = with_confidence(before, scans), with_confidence(before, scans)
    for old, one, two in zip(before, first, second, strict=True):
        assert one.made == two.made and one.attributes == two.attributes
        assert one.track is old.track
        assert [a.box for a in one.made] == [a.box for a in old.made]


def test_an_old_flag_goes_where_it_is_not_wanted_any_more(drive: Drive, scans: Scans) -> None:
    old = {LOOK: "few points", "colour": "red"}
    traced = [
        replace(
            one,
            track=replace(one.track, attributes=old),
            made=tuple(replace(a, attributes=old) for a in one.made),
        )
        for one in traced_of(drive)
    ]
    found = with_confidence(traced, scans, ConfidenceConfig(least=0.0))
    assert wanting_a_look(found)[0] == 0
    for one in found:
        assert one.attributes is not None and one.attributes["colour"] == "red" and LOOK not in one.attributes


def test_tracks_that_were_there_and_new_ones_carry_what_is_held_of_them(drive: Drive, scans: Scans) -> None:
    traced = traced_of(drive)
    new = [replace(one, track=Track(f"new {k}", one.track.category)) for k, one in enumerate(traced)]
    labels = LabelSet.of(one.track for one in traced)
    found = with_confidence([*traced, *new], scans)
    after = applied(labels, (edit for one in found for edit in one.edits()))
    for one in found:
        track = after.tracks[one.track.id]
        average = np.mean([a.attributes[CONFIDENCE] for a in one.made])
        assert track.attributes["confidence"] == pytest.approx(average, abs=1e-3)
        for timestamp_ns, annotation in one.track.annotations.items():
            assert track.annotations[timestamp_ns] is annotation


def test_without_scans_boxes_far_from_what_was_given_are_less_sure(drive: Drive) -> None:
    log = replace(drive[0], sweeps={})
    found = with_confidence(traced_of(drive), Scans(LocalWorld.of(log)))
    assert np.isfinite(scores(found)).all()
    assert len(np.unique(scores(found))) > 1


def test_nothing_comes_of_nothing(scans: Scans) -> None:
    assert with_confidence([], scans) == []
    empty = Traced(Track("1", "car"), (), None, ())
    (same,) = with_confidence([empty], scans)
    assert same.made == () and wanting_a_look([same]) == (0, 0)


def test_the_table_knows_every_source() -> None:
    tables = Model.built_in().tables
    for origin in ("given", "found"):
        for scanned in ("", " without scans"):
            for sort in ("person", "moving", "standing"):
                parts = set(tables[f"{origin}{scanned}, {sort}"])
                assert parts == (set(PARTS) if origin == "found" else {"heading", "place"})
