"""Labels alone into a data set of nuScenes that is there."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calib.errors import CrosslabelError
from formats.convert import convert
from formats.errors import FormatError
from formats.losses import Part, losses
from formats.nuscenes import NUSCENES
from formats.nuscenes.relabel import REWRITTEN, labels_into
from formats.validate import validate
from fusion import Annotation, Box3D, DriveLog, LabelSet, Review, Track
from tests.formats.nuscenes_more import VERSION, make_nuscenes_with_more

Pair = tuple[DriveLog, LabelSet]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made") / "data"
    make_nuscenes_with_more(root)
    return root


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "data"))


def opened(root: Path, number: int = 0) -> Pair:
    log = NUSCENES.open_log(root, NUSCENES.log_ids(root)[number])
    return log, NUSCENES.read_labels(root, log)


def content(root: Path) -> dict[str, bytes]:
    return {str(f.relative_to(root)): f.read_bytes() for f in root.rglob("*") if f.is_file()}


def table(root: Path, name: str, version: str = VERSION) -> list[dict[str, Any]]:
    return json.loads((root / version / f"{name}.json").read_text(encoding="utf-8"))


def better(log: DriveLog, labels: LabelSet) -> LabelSet:
    """Every box a little elsewhere, one object gone, a new one, a review, and words of our own."""
    samples_ns = labels.timestamps_ns()
    first, *rest = labels.tracks.values()
    moved = [
        replace(
            track,
            attributes={"colour": "süß"},
            annotations={
                t: replace(a, locked=True, box=Box3D(a.box.ego_from_box, *(a.box.size_lwh_m * 1.01)))
                for t, a in track.annotations.items()
            },
        )
        for track in rest
    ]
    box = Box3D.upright((12.0, -3.0, 0.9), (4.0, 1.8, 1.6), 0.3)
    new = Track.of("new/1", "Pickup Truck", [Annotation(t, box, score=0.5) for t in samples_ns])
    ghost = Track.of("nobody", "Car", [])
    tracks = {track.id: track for track in (*moved, new, ghost)}
    assert first.id not in tracks and len(moved) > 1
    return LabelSet(tracks, {"r": Review("r", "a van?", "me")}, {"guideline": 7})


def one_box(id: str, category: str, labels: LabelSet) -> Track:
    box = Box3D.upright((5, 0, 1), (1, 1, 1), 0)
    return Track.of(id, category, [Annotation(labels.timestamps_ns()[0], box)])


def tokens_of_objects(root: Path) -> list[set[str]]:
    return [{row["token"] for row in table(root, name)} for name in ("instance", "sample_annotation")]


def test_labels_come_back_and_all_else_stays(data: Path) -> None:
    log, labels = opened(data)
    before, given = content(data), better(log, labels)
    NUSCENES.write_labels(data, log, given)
    after = content(data)
    assert before.keys() == after.keys()
    changed = {name for name in before if before[name] != after[name]}
    assert (
        changed <= {f"{VERSION}/{name}.json" for name in REWRITTEN} and f"{VERSION}/instance.json" in changed
    )
    back, again = opened(data)
    assert losses(given, again, 1e-9) == [] and again.tracks.keys() == given.tracks.keys()
    assert back.timestamps_ns.tolist() == log.timestamps_ns.tolist()
    assert [fault for fault in validate(NUSCENES, data) if fault.rule.id != "NUS21"] == []


def test_words_keep_their_tokens_and_numbers(data: Path) -> None:
    log, labels = opened(data)
    before = table(data, "category")
    drone = one_box("d", "vehicle.drone", labels)
    NUSCENES.write_labels(data, log, better(log, labels).with_track(drone))
    assert table(data, "category") == before
    named = {row["token"]: row["name"] for row in before}
    rows = {row["crosslabel"]["id"]: row for row in table(data, "instance")}
    assert named[rows["new/1"]["category_token"]] == "vehicle.car"
    assert opened(data)[1].tracks["d"].category == "vehicle.drone"


def test_a_class_that_is_not_there_gets_the_next_number(data: Path) -> None:
    path = data / VERSION / "category.json"
    rows = [row for row in table(data, "category") if row["name"] != "animal"]
    path.write_text(json.dumps(rows))
    log, labels = opened(data)
    dog = one_box("dog", "animal", labels)
    NUSCENES.write_labels(data, log, labels.with_track(dog))
    after = table(data, "category")
    assert after[: len(rows)] == rows and len(after) == len(rows) + 1
    assert (after[-1]["name"], after[-1]["index"]) == ("animal", 1 + max(row["index"] for row in rows))


def test_what_was_there_keeps_its_tokens(data: Path) -> None:
    log, labels = opened(data)
    tokens = tokens_of_objects(data)
    for _ in range(10):
        NUSCENES.write_labels(data, log, labels)
        log, labels = opened(data)
    assert tokens == [
        {row["token"] for row in table(data, name)} for name in ("instance", "sample_annotation")
    ]
    assert losses(opened(data)[1], labels, 1e-9) == []


def test_only_its_own_scene_changes(data: Path, tmp_path: Path) -> None:
    log, labels = opened(data)
    NUSCENES.write(tmp_path / "two", [(log, labels), (replace(log, name="other"), labels)], version=VERSION)
    kept = {name: table(tmp_path / "two", name) for name in ("instance", "sample_annotation", "scene")}
    other = opened(tmp_path / "two", 1)
    NUSCENES.write_labels(tmp_path / "two", log, LabelSet())
    assert opened(tmp_path / "two")[1].tracks == {}
    assert losses(other[1], opened(tmp_path / "two", 1)[1], 0) == []
    for name in ("instance", "sample_annotation"):
        rows = table(tmp_path / "two", name)
        assert len(rows) == len(kept[name]) / 2 and all(row in kept[name] for row in rows)
    assert table(tmp_path / "two", "scene")[1] == kept["scene"][1]


def test_boxes_stand_on_the_points_of_the_data_set(data: Path) -> None:
    """Whatever way the log says that the car took, and though its clock counts nanoseconds."""
    log, labels = opened(data)
    shift = np.array([100.0, 0, 0])
    poses = log.trajectory.world_from_ego
    moved = replace(poses, translations=poses.translations + shift)
    elsewhere = replace(log, trajectory=replace(log.trajectory, world_from_ego=moved))

    def later(annotation: Annotation) -> Annotation:
        return replace(annotation, timestamp_ns=annotation.timestamp_ns + 789)

    given = LabelSet.of(
        Track.of(track.id, track.category, map(later, track.annotations.values()))
        for track in labels.tracks.values()
    )
    places = {row["token"]: row["translation"] for row in table(data, "sample_annotation")}
    NUSCENES.write_labels(data, elsewhere, given)
    for row in table(data, "sample_annotation"):
        assert np.abs(np.subtract(row["translation"], places[row["token"]])).max() < 1e-9


def test_boxes_between_samples_have_no_place_and_that_is_said(data: Path) -> None:
    log, labels = opened(data)
    every = LabelSet.of(
        Track.of(track.id, track.category, [replace(first, timestamp_ns=int(t)) for t in log.timestamps_ns])
        for track in labels.tracks.values()
        for first in [next(iter(track.annotations.values()))]
    )
    (one,) = convert(NUSCENES, data, lambda: iter([(log, every)]), sensors=False)
    assert one.losses is not None and [loss.part for loss in one.losses] == [Part.BOXES]
    assert opened(data)[1].timestamps_ns() == labels.timestamps_ns()


def forgetful(path: Path, log: DriveLog) -> LabelSet:
    labels = NUSCENES.read_labels(path, log)
    return LabelSet.of(replace(track, category="?") for track in labels.tracks.values())


def failing(how: str, log: DriveLog, labels: LabelSet) -> list[Pair]:
    track = next(iter(labels.tracks.values()))
    box = next(iter(track.annotations.values()))
    wrong = {
        "no scene": (replace(log, name="nowhere"), labels),
        "no frame": (log, labels.with_track(track.with_annotations([replace(box, timestamp_ns=5)]))),
        "no number": (log, labels.with_track(replace(track, attributes={"x": float("nan")}))),
        "twice": (log, labels),
    }
    return [(log, labels), wrong[how]] if how == "twice" else [wrong[how]]


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("no scene", "there is no scene 'nowhere'"),
        ("no frame", "5 ns, which is no frame"),
        ("no number", r"data/v1\.0-mini/instance\.json"),
        ("twice", "is given twice"),
    ],
)
def test_after_an_error_all_is_as_it_was(data: Path, how: str, says: str) -> None:
    log, labels = opened(data)
    before = content(data.parent)
    with pytest.raises(FormatError, match=says) as caught, labels_into(data, failing(how, log, labels)):
        pytest.fail("nothing to read back")
    assert ".part" not in str(caught.value)
    assert content(data.parent) == before


def test_a_loss_that_is_not_declared_changes_nothing(data: Path) -> None:
    pair, before = opened(data), content(data.parent)
    with pytest.raises(FormatError, match="would lose categories"):
        convert(replace(NUSCENES, read_labels=forgetful), data, lambda: iter([pair]), sensors=False)
    assert content(data.parent) == before
    convert(replace(NUSCENES, read_labels=forgetful), data, lambda: iter([pair]), sensors=False, lossy=True)


def test_there_must_be_a_data_set(make_log: Callable[..., Pair], tmp_path: Path) -> None:
    log, labels = make_log(frames=2)
    with pytest.raises(CrosslabelError, match="holds no nuScenes tables"):
        NUSCENES.write_labels(tmp_path / "none", log, labels)
    assert [*tmp_path.iterdir()] == []


def test_what_a_crash_left_is_no_second_version(data: Path) -> None:
    shutil.copytree(data / VERSION, data / f".{VERSION}.0a1b2c3d.part")
    opened(data)
