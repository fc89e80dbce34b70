"""T4 written: its tables by its own rules, and read back as nuScenes."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formats.errors import FormatError
from formats.losses import losses
from formats.nuscenes import NUSCENES
from formats.t4 import T4
from fusion import Boxes, DriveLog, LabelSet, Source, Track
from fusion.course import Course
from fusion.overlap import count_points_in_boxes
from fusion.simulate import SimulationConfig, simulate

MakeLog = Callable[..., tuple[DriveLog, LabelSet]]
Tables = dict[str, list[dict[str, Any]]]
TABLES = {
    *("attribute", "calibrated_sensor", "category", "ego_pose", "instance", "log", "map", "sample"),
    *("sample_annotation", "sample_data", "scene", "sensor", "visibility"),
}
REFERENCES = {
    ("scene", "log_token"): "log",
    ("scene", "first_sample_token"): "sample",
    ("scene", "last_sample_token"): "sample",
    ("sample", "scene_token"): "scene",
    ("sample_data", "sample_token"): "sample",
    ("sample_data", "ego_pose_token"): "ego_pose",
    ("sample_data", "calibrated_sensor_token"): "calibrated_sensor",
    ("calibrated_sensor", "sensor_token"): "sensor",
    ("instance", "category_token"): "category",
    ("instance", "first_annotation_token"): "sample_annotation",
    ("instance", "last_annotation_token"): "sample_annotation",
    ("sample_annotation", "sample_token"): "sample",
    ("sample_annotation", "instance_token"): "instance",
    ("sample_annotation", "visibility_token"): "visibility",
}


def tables_of(folder: Path) -> Tables:
    return {p.stem: json.loads(p.read_text(encoding="utf-8")) for p in (folder / "annotation").glob("*.json")}


def written(root: Path, log: DriveLog, labels: LabelSet) -> Tables:
    T4.write(root, [(log, labels)])
    (folder,) = root.iterdir()
    return tables_of(folder)


def test_every_reference_leads_somewhere(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log(name="night/drive")
    tables = written(tmp_path / "out", log, labels)
    folder = tmp_path / "out" / "night-drive"
    assert tables.keys() == TABLES and len(tables["scene"]) == 1 and len(tables["sample"]) == len(log)
    tokens = {name: [row["token"] for row in rows] for name, rows in tables.items()}
    for name, listed in tokens.items():
        assert len(set(listed)) == len(listed), name
    for (table, field), target in REFERENCES.items():
        assert {row[field] for row in tables[table]} <= set(tokens[target]), (table, field)
    for table in ("sample", "sample_data", "sample_annotation"):
        by_token = {row["token"]: row for row in tables[table]}
        for row in tables[table]:
            assert not row["next"] or by_token[row["next"]]["prev"] == row["token"]
            assert not row["prev"] or by_token[row["prev"]]["next"] == row["token"]
    for row in tables["sample_data"]:
        assert (folder / row["filename"]).is_file() and row["filename"].startswith("data/")
    assert (folder / tables["map"][0]["filename"]).is_file()
    assert len(tables["log"][0]["data_captured"].split("-")) == 6


def test_sensors_are_those_of_t4(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log()
    tables = written(tmp_path / "out", log, labels)
    channels = {row["token"]: row["channel"] for row in tables["sensor"]}
    assert sorted(channels.values()) == ["CAM_BACK_LEFT", "CAM_FAR_AHEAD", "CAM_FRONT", "LIDAR_CONCAT"]
    calibrated = {channels[row["sensor_token"]]: row for row in tables["calibrated_sensor"]}
    lidar = calibrated["LIDAR_CONCAT"]
    assert (lidar["translation"], lidar["rotation"]) == ([0, 0, 0], [1, 0, 0, 0])
    assert lidar["camera_intrinsic"] == lidar["camera_distortion"] == []
    assert calibrated["CAM_FAR_AHEAD"]["camera_distortion"] == [-0.1, 0.01, 0, 0, 0]
    assert calibrated["CAM_BACK_LEFT"]["camera_distortion"] == [0] * 5
    kinds = {row["filename"].split("/")[1]: row["fileformat"] for row in tables["sample_data"]}
    assert kinds["LIDAR_CONCAT"] == "pcd.bin" and kinds["CAM_BACK_LEFT"] == "jpg"
    points = np.fromfile(tmp_path / "out" / log.name / "data/LIDAR_CONCAT/00000.pcd.bin", "<f4")
    assert len(points.reshape(-1, 5)) == 6000 and (points.reshape(-1, 5)[:, 4] == -1).all()


def test_who_made_a_box_is_said(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log()
    tables = written(tmp_path / "out", log, labels)
    names = {row["token"]: row["instance_name"] for row in tables["instance"]}
    assert sorted(names.values()) == ["a log::car/1", "a log::walker"]
    seconds = {row["token"]: index for index, row in enumerate(tables["sample"])}
    frames_ns = log.timestamps_ns.tolist()
    compared = 0
    for row in tables["sample_annotation"]:
        track = labels.tracks[names[row["instance_token"]].split("::")[1]]
        one = track.annotations[frames_ns[seconds[row["sample_token"]]]]
        assert row["automatic_annotation"] == (one.source is Source.AUTO)
        if row["automatic_annotation"]:
            model = {"name": "crosslabel", "score": one.score, "uncertainty": None}
            assert row["autolabel_metadata"] == [model]
            compared += 1
        else:
            assert row["autolabel_metadata"] is None
        known, _, velocity_mps = Course.of(log, track).at([one.timestamp_ns])
        assert known[0] and row["velocity"] == pytest.approx(velocity_mps[0])
    assert compared == 5
    levels = {row["level"] for row in tables["visibility"]}
    assert levels == {"full", "most", "partial", "none", "unavailable"}


def in_microseconds(labels: LabelSet) -> LabelSet:
    return LabelSet.of(
        Track.of(
            track.id,
            track.category,
            [replace(a, timestamp_ns=t // 1000 * 1000) for t, a in track.annotations.items()],
        )
        for track in labels.tracks.values()
        if track.annotations
    )


@pytest.mark.parametrize("kind", ["made", "simulated"])
def test_boxes_and_points_come_back_as_nuscenes(make_log: MakeLog, tmp_path: Path, kind: str) -> None:
    log, labels = make_log() if kind == "made" else simulate(replace(SimulationConfig.tiny(), seconds=0.4))
    T4.write(tmp_path / "out", [(log, labels)])
    (folder,) = (tmp_path / "out").iterdir()
    back = NUSCENES.open_log(folder, log.name)
    again = NUSCENES.read_labels(folder, back)
    assert {loss.part for loss in losses(in_microseconds(labels), again, 1e-9)} <= T4.drops
    assert again.annotation_count == labels.annotation_count
    rows = {row["token"]: row for row in tables_of(folder)["sample_annotation"]}
    assert sum(row["num_lidar_pts"] for row in rows.values()) > 0
    for timestamp_ns in (int(t) // 1000 * 1000 for t in log.timestamps_ns):
        ref = back.sweep_at(timestamp_ns, "LIDAR_CONCAT")
        here = [annotation for _, annotation in again.at(timestamp_ns)]
        assert ref is not None
        if here:
            counts = count_points_in_boxes(ref.read().points, Boxes.stack(a.box for a in here))
            told = [a.attributes["num_lidar_pts"] for a in here]
            assert np.abs(counts - told).max() <= 1


def test_what_t4_has_no_place_for_lies_beside(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log()
    T4.write(tmp_path / "out", [(log, labels)])
    beside = json.loads((tmp_path / "out" / log.name / "crosslabel" / "labels.json").read_text())
    assert [track["id"] for track in beside["tracks"]] == ["car/1", "walker", "ghost"]
    assert beside["tracks"][0]["annotations"][0]["locked"] is True and beside["reviews"][0]["id"] == "r1"


def test_same_input_gives_the_same_bytes(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log(frames=2)
    sums = []
    for name in ("one", "two"):
        T4.write(tmp_path / name, [(log, labels)])
        files = sorted(p for p in (tmp_path / name).rglob("*") if p.is_file())
        sums.append([hashlib.sha256(p.read_bytes()).hexdigest() for p in files])
    assert sums[0] == sums[1] and len(sums[0]) > 20


def test_labels_without_a_frame_are_refused(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log()
    with pytest.raises(FormatError, match="no frame of the log"):
        T4.write(tmp_path / "out", [(replace(log, timestamps_ns=log.timestamps_ns[:2]), labels)])
    assert not (tmp_path / "out").exists()
