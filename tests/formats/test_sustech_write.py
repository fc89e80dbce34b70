"""SUSTechPOINTS written: the real scene over and over, any labels, any log."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from formats.errors import FormatError
from formats.losses import losses
from formats.registry import find_format
from formats.sustech import SUSTECHPOINTS
from formats.sustech.labels import read_labels
from formats.sustech.scene import open_log
from formats.sustech.write import write
from formats.sustech.write_labels import write_labels
from fusion import Annotation, Box3D, DriveLog, LabelSet, Track
from fusion.align import points_in_ego, read_deskewed
from tests.formats.damage import survive
from tests.formats.small import small_log
from tests.formats.test_openlabel import log_without_sensors
from tests.fusion.label_strategies import label_sets

MakeLog = Callable[..., tuple[DriveLog, LabelSet]]


def held(labels: LabelSet) -> LabelSet:
    """What SUSTechPOINTS can hold: instants from 0 on, boxes on this side of 100 km."""
    tracks = [
        replace(
            track,
            annotations={
                t: a for t, a in track.annotations.items() if t >= 0 and np.abs(a.box.center).max() < 1e5
            },
        )
        for track in labels.tracks.values()
    ]
    return replace(labels, tracks={track.id: track for track in tracks})


def make_sustechpoints(folder: Path) -> None:
    """A small valid scene, `<folder>/drive`."""
    write(folder, [small_log(2)])


def test_ten_cycles_of_the_real_scene(shared_data: Path, tmp_path: Path) -> None:
    """No digit of a box that counts changes; points, images and calibration stay what they are."""
    log = open_log(shared_data / "sustechpoints", "sustechpoints")
    first = read_labels(shared_data / "sustechpoints", log)
    current = (log, first)
    for cycle in range(10):
        write(tmp_path / str(cycle), [current])
        assert find_format(tmp_path / str(cycle)) is SUSTECHPOINTS
        back = open_log(tmp_path / str(cycle), "sustechpoints")
        current = (back, read_labels(tmp_path / str(cycle), back))
    assert losses(first, current[1]) == []
    last = tmp_path / "9" / "sustechpoints"
    ours = json.loads((last / "label" / "000965.json").read_text(encoding="utf-8"))
    theirs = json.loads((shared_data / "sustechpoints/label/000965.json").read_text(encoding="utf-8"))
    for one, other in zip(sorted(ours, key=key_of), sorted(theirs, key=key_of), strict=True):
        assert one["obj_type"] == other["obj_type"] and one["obj_id"] == other["obj_id"]
        for part, axes in other["psr"].items():
            turn = 2 * np.pi if part == "rotation" else np.inf
            assert all(
                abs((one["psr"][part][axis] - value + 1) % turn - 1) < 1e-11 for axis, value in axes.items()
            ), (one, other)
    image = "camera/left/000970.jpg"
    assert (last / image).read_bytes() == (shared_data / "sustechpoints" / image).read_bytes()
    assert np.array_equal(current[0].sweeps["lidar"][2].read().points, log.sweeps["lidar"][2].read().points)
    for name, camera in log.rig.cameras.items():
        again = current[0].rig.cameras[name]
        assert again.model == camera.model and again.ego_from_sensor.is_close(camera.ego_from_sensor, 1e-12)


def key_of(entry: dict[str, str]) -> str:
    return entry["obj_id"]


@settings(max_examples=30)
@given(label_sets())
def test_whatever_can_be_labelled_comes_back(
    tmp_path_factory: pytest.TempPathFactory, drawn: LabelSet
) -> None:
    labels, log = held(drawn), log_without_sensors()
    folder = tmp_path_factory.mktemp("sustech")
    write_labels(folder, log, labels)
    (folder / log.name / "label").mkdir(exist_ok=True)
    (folder / log.name / "label" / "000003.json").write_text("[]", encoding="utf-8")
    assert losses(labels, read_labels(folder, log)) == []


def test_any_log_comes_back(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log()
    write(tmp_path / "out", [(log, labels)])
    assert SUSTECHPOINTS.recognises(tmp_path / "out") and SUSTECHPOINTS.log_ids(tmp_path / "out") == ["a log"]
    back = open_log(tmp_path / "out", "a log")
    assert back.timestamps_ns.tolist() == log.timestamps_ns.tolist()
    assert losses(labels, read_labels(tmp_path / "out", back)) == []
    for t in log.timestamps_ns.tolist():
        ref, again = log.sweep_at(t), back.sweep_at(t)
        assert ref is not None and again is not None
        points = points_in_ego(log, read_deskewed(log, ref))
        assert np.abs(points_in_ego(back, again.read()) - points).max() < 1e-4
    ahead = back.rig.cameras["ahead"]
    assert ahead.model == log.rig.cameras["ahead"].model
    assert ahead.ego_from_sensor.is_close(log.rig.cameras["ahead"].ego_from_sensor)
    assert back.rig.cameras["left side"].model == log.rig.cameras["left side"].model.plain
    again_too = tmp_path / "again"
    write(again_too, [(log, labels)])
    for file in sorted((tmp_path / "out").rglob("*.*")):
        if file.is_file():
            assert file.read_bytes() == (again_too / file.relative_to(tmp_path / "out")).read_bytes()


def test_a_type_given_in_the_program_counts(tmp_path: Path) -> None:
    """A person who renames all boxes of an object in SUSTechPOINTS has renamed the track."""
    log = log_without_sensors()
    box = Box3D.upright((1, 2, 3), (4, 2, 1.5), 0.3)
    labels = LabelSet.of([Track.of("7", "Car", [Annotation(t, box) for t in (0, 100_000_000)])])
    write_labels(tmp_path, log, labels)
    for file in (tmp_path / "drive" / "label").iterdir():
        file.write_text(file.read_text(encoding="utf-8").replace('"Car"', '"Van"'), encoding="utf-8")
    track = read_labels(tmp_path, log).tracks["7"]
    assert track.category == "Van" and not any(a.attributes for a in track.annotations.values())


def test_names_that_lead_elsewhere_are_refused(tmp_path: Path) -> None:
    for name in ("../x", "a/b", "/x", ""):
        with pytest.raises(FormatError):
            write_labels(tmp_path / "out", log_without_sensors(name), LabelSet())
    early = LabelSet.of([Track.of("a", "b", [Annotation(-1, Box3D.upright((1, 2, 3), (1, 1, 1), 0))])])
    with pytest.raises(FormatError, match="cannot be the name of a frame"):
        write_labels(tmp_path / "out", log_without_sensors(), early)
    assert not (tmp_path / "x").exists()


def test_random_damage(tmp_path: Path) -> None:
    make_sustechpoints(tmp_path / "out")
    scene = tmp_path / "out" / "drive"
    labelled = sorted((scene / "label").iterdir())

    def read() -> None:
        read_labels(tmp_path / "out", open_log(tmp_path / "out", "drive"))

    for file in (labelled[0], scene / "crosslabel.json", scene / "calib" / "camera" / "ahead.json"):
        told, done = survive([file], read, 120)
        assert told > 20 and done > 0, file
    scan = next((scene / "lidar").iterdir())
    back = open_log(tmp_path / "out", "drive")
    survive([scan], partial(back.sweeps["lidar"][0].read), 120)


def test_boxes_that_could_not_be_read_again_are_not_written(tmp_path: Path) -> None:
    far = Track.of("a", "b", [Annotation(0, Box3D.upright((6e5, 2, 3), (1, 1, 1), 0))])
    with pytest.raises(FormatError, match="more than 500000 m away"):
        write_labels(tmp_path / "out", log_without_sensors(), LabelSet.of([far]))
