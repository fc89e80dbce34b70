"""The commands about calibration, as a person types them."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calib import SE3, Rig
from formats.registry import find_format
from formats.rigs.rig_json import read_rig, write_rig
from fusion import Annotation, Box3D, DriveLog, ImageBox, LabelSet, Track
from fusion.align import points_in_ego, read_deskewed
from fusion.store import LabelStore
from scripts import cli


@pytest.fixture
def street(shared_data: Path) -> Path:
    return shared_data / "kitti_camera_lidar" / "training"


@pytest.fixture
def crosslabel(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["crosslabel", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out, said.err

    return run


def test_a_wrong_rig_is_named_and_mended(crosslabel, street, tmp_path):
    given, bad, mended = tmp_path / "given.json", tmp_path / "bad.json", tmp_path / "mended.json"
    assert crosslabel("rig", street, "--out", given)[0] == 0
    rig = read_rig(given).rig
    cameras = (replace(c, ego_from_sensor=c.ego_from_sensor.inverse()) for c in rig.cameras.values())
    write_rig(bad, Rig.of(tuple(rig.lidars.values()), tuple(cameras)))
    code, said, _ = crosslabel("doctor", street, "--rig", bad, "--out", mended, "--json")
    assert code == 1
    assert [finding["code"] for finding in json.loads(said)["findings"]] == ["inverse"]
    for name, camera in read_rig(mended).rig.cameras.items():
        assert camera.ego_from_sensor.is_close(rig.cameras[name].ego_from_sensor)


def test_calibrate_writes_what_it_accepts_and_says_how_sure_it_is(crosslabel, street, tmp_path):
    out = tmp_path / "rig.json"
    code, said, _ = crosslabel("calibrate", street, "--out", out, "--json")
    (row,) = json.loads(said)["cameras"]
    assert code == 0 and row["accepted"]
    assert max(map(abs, row["correction_deg"])) < 0.25 and max(map(abs, row["correction_m"])) < 0.05
    assert min(row["sigma_deg"]) > 0 and max(row["sigma_deg"]) < 0.2
    assert not {"clicks", "boxes in images"} & row["evidence"].keys()
    kept = read_rig(out)
    assert kept.provenance["image_02"].made_by == "crosslabel calibrate --method auto"
    assert kept.rig.cameras["image_02"].ego_from_sensor.matrix.tolist() == row["ego_from_cam"]


def test_what_cannot_be_believed_is_left_as_it_was(crosslabel, street, tmp_path):
    given, out = tmp_path / "given.json", tmp_path / "rig.json"
    crosslabel("rig", street, "--out", given)
    code, said, _ = crosslabel("calibrate", street, "--frames", 2, "--out", out)
    assert code == 1 and "left as it was" in said
    same = read_rig(out).rig.cameras["image_02"].ego_from_sensor
    assert same.is_close(read_rig(given).rig.cameras["image_02"].ego_from_sensor, atol=0)


def test_the_self_test_tells_errors_and_coverage(crosslabel, street):
    code, said, _ = crosslabel("calibrate", street, "--self-test", 1, "--json")
    row = json.loads(said)["cameras"]["image_02"]
    assert code == 0 and row["trials"] == 1
    assert row["all"]["worst_deg"] < 0.25 and row["all"]["worst_cm"] < 5


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("calibrate", "--camera", "rear"), "has no camera 'rear'; it has image_02"),
        (("drift", "--camera", "rear"), "has no camera 'rear'; it has image_02"),
        (("calibrate", "--rig", "none.json"), "none.json: no such file or folder"),
        (("calibrate", "--method", "clicks", "--clicks", "none.json"), "none.json: no such file"),
        (("calibrate", "--method", "board", "--board", "none.json"), "none.json: no such file"),
    ],
)
def test_bad_input_is_one_line(crosslabel, street, arguments, told):
    command, *rest = arguments
    code, _, said = crosslabel(command, street, *rest)
    assert code == 2 and told in said and len(said.strip().splitlines()) == 1


def test_clicks_that_say_nothing_true_are_told(crosslabel, street, tmp_path):
    clicks = tmp_path / "clicks.json"
    wrong = {"camera": "image_02", "frame": 99, "uv_px": [1, 2], "point_m": [1, 2, 3]}
    clicks.write_text(json.dumps({"clicks": [wrong]}), encoding="utf-8")
    code, _, said = crosslabel("calibrate", street, "--method", "clicks", "--clicks", clicks)
    assert code == 2 and "clicks.json" in said and "there is no frame 99; the log has 0 to 11" in said


def clicks_at(log: DriveLog, frames: range, each: int) -> dict[str, object]:
    """What a careful person would have clicked: points of the scans with the pixels where they lie."""
    sensor, rng, entries = log.rig.cameras["image_02"], np.random.default_rng(0), []
    for frame in frames:
        sweep = read_deskewed(log, log.sweep_at(int(log.timestamps_ns[frame])))
        points = sweep.points.astype(np.float64)
        seen = sensor.model.project(sensor.ego_from_sensor.inverse() @ points_in_ego(log, sweep))
        for k in rng.choice(np.flatnonzero(seen.visible & (seen.depth_m < 40)), each, replace=False):
            entry = {"camera": "image_02", "frame": frame, "uv_px": seen.uv_px[k].tolist()}
            entries.append(entry | {"point_m": points[k].tolist()})
    return {"clicks": entries}


def labels_at(log: DriveLog) -> LabelSet:
    """A parked car in every frame, in space and drawn into the image where it is seen."""
    world_from_box = log.trajectory.at(int(log.timestamps_ns[0])) @ SE3.from_yaw(0.1, (18.0, 4.0, -0.8))
    sensor, track = log.rig.cameras["image_02"], Track("parked", "Car")
    annotations, drawn = [], {}
    for frame_ns in log.timestamps_ns.tolist():
        ego_from_box = log.trajectory.at(frame_ns).inverse() @ world_from_box
        box = Box3D(ego_from_box, 4.2, 1.8, 1.5)
        annotations.append(Annotation(frame_ns, box))
        corners_px = sensor.model.project(sensor.ego_from_sensor.inverse() @ box.corners()).uv_px
        if np.isfinite(corners_px).all():
            drawn["image_02", frame_ns] = ImageBox(*corners_px.min(axis=0), *corners_px.max(axis=0))
    return LabelSet.of([replace(track.with_annotations(annotations), image_boxes=drawn)])


@pytest.fixture
def street_log(street: Path) -> DriveLog:
    source = find_format(street)
    return source.open_log(street, source.log_ids(street)[0])


def test_clicks_and_labels_count_beside_the_driving(crosslabel, street, street_log, tmp_path):
    clicks, labels = tmp_path / "clicks.json", tmp_path / "labels.db"
    clicks.write_text(json.dumps(clicks_at(street_log, range(0, 12, 3), 8)), encoding="utf-8")
    with LabelStore.create(labels, street_log.name, labels_at(street_log)):
        pass
    code, said, _ = crosslabel("calibrate", street, "--clicks", clicks, "--labels", labels, "--json")
    (row,) = json.loads(said)["cameras"]
    assert code == 0 and row["accepted"] and row["method"] == "auto"
    assert row["evidence"]["clicks"] == 32 and row["evidence"]["boxes in images"] >= 1


def test_help_that_cannot_help_is_told(crosslabel, street, street_log, tmp_path):
    labels, clicks = tmp_path / "labels.db", tmp_path / "clicks.json"
    bare = [replace(track, image_boxes={}) for track in labels_at(street_log).tracks.values()]
    with LabelStore.create(labels, street_log.name, LabelSet.of(bare)):
        pass
    code, _, said = crosslabel("calibrate", street, "--labels", labels)
    assert code == 2 and "no vehicle has a box in space and one drawn in an image of image_02" in said
    clicks.write_text('{"clicks": []}', encoding="utf-8")
    code, _, said = crosslabel("calibrate", street, "--clicks", clicks)
    assert code == 2 and "holds no clicks in images of image_02" in said


@pytest.mark.parametrize("command", ["calibrate", "doctor", "drift", "rig"])
def test_of_several_logs_one_has_to_be_named(crosslabel, shared_data, command):
    code, _, said = crosslabel(command, shared_data / "kitti_tracking" / "training")
    assert code == 2 and "name one with --log: 0000, " in said and len(said.strip().splitlines()) == 1
