"""The main job, command by command, on real input and on a simulated drive."""

import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from fusion.labels import Source
from fusion.store import LabelStore


@pytest.fixture
def pandaset(shared_data: Path) -> Path:
    return shared_data / "pandaset" / "002"


def test_from_key_frames_to_all_frames(crosslabel, pandaset, tmp_path):
    out = tmp_path / "out"
    crosslabel("autolabel", pandaset, "--seed-labels", pandaset, "--seed-every", 7, "--out", out)
    scores = json.loads(crosslabel("evaluate", out, "--truth", pandaset, "--json"))["002"]
    assert scores["overall"]["truth"] == 1691  # 18 of 22 frames: the four given ones are left out
    assert scores["overall"]["mean_iou"] > 0.98
    assert scores["overall"]["recall_70"] > 0.99
    everything = json.loads(crosslabel("evaluate", out, "--truth", pandaset, "--json", "--all-frames"))["002"]
    assert everything["overall"]["truth"] == 2066
    assert "car" in crosslabel("evaluate", out / "002" / "labels.db", "--truth", pandaset)
    for path in (out, out / "002", out / "002" / "labels.db"):
        told = crosslabel("info", path)
        assert "Pickup Truck" in told and "interpolated" in told
    record = json.loads((out / "002" / "run.json").read_text())
    assert record["counts"]["frames"] == 22
    assert len(record["keyframes_ns"]) == 4
    assert {"versions", "config", "input_fingerprint", "timings_s"} <= set(record)


def test_the_same_input_gives_the_same_labels_and_is_not_done_twice(crosslabel, pandaset, tmp_path):
    seeds = ("--seed-labels", pandaset, "--seed-frames", "0,10,21")
    stored = []
    for name in ("a", "b"):
        crosslabel("autolabel", pandaset, *seeds, "--out", tmp_path / name)
        with sqlite3.connect(tmp_path / name / "002" / "labels.db") as database:
            stored.append("\n".join(line for line in database.iterdump() if 'INTO "annotation' in line))
    assert stored[0] == stored[1] and stored[0]
    before = (tmp_path / "a" / "002" / "labels.db").stat()
    crosslabel("autolabel", pandaset, *seeds, "--out", tmp_path / "a")
    assert (tmp_path / "a" / "002" / "labels.db").stat().st_mtime_ns == before.st_mtime_ns


def test_what_a_person_locked_stays(crosslabel, pandaset, tmp_path):
    from dataclasses import replace

    from calib import SE3
    from fusion.edits import LockAnnotations, PutAnnotations

    out = tmp_path / "out"
    seeds = ("--seed-labels", pandaset, "--seed-every", 7)
    crosslabel("autolabel", pandaset, *seeds, "--out", out)
    with LabelStore.open(out / "002" / "labels.db") as store:
        track = next(t for t in store.labels.tracks.values() if len(t.annotations) == 22)
        instant_ns = [*track.annotations][3]
        old = track.annotations[instant_ns]
        aside = SE3(old.box.ego_from_box.rotation, old.box.center + np.array([0.0, 0.5, 0.0]))
        moved = replace(old, box=replace(old.box, ego_from_box=aside), source=Source.HUMAN)
        store.apply(PutAnnotations(track.id, (moved,)), author="ann")
        store.apply(LockAnnotations(track.id, (instant_ns,)), author="ann")
    crosslabel("autolabel", pandaset, *seeds, "--out", out, "--force")
    with LabelStore.open(out / "002" / "labels.db", read_only=True) as store:
        kept = store.labels.tracks[track.id].annotations[instant_ns]
        neighbour = store.labels.tracks[track.id].annotations[[*track.annotations][2]]
    assert kept.locked and kept.source is Source.HUMAN
    assert (kept.box.center == moved.box.center).all()
    assert neighbour.source is Source.INTERPOLATED
    assert (out / "002" / "labels.previous.db").is_file()


def test_pictures_of_every_camera_and_from_above(crosslabel, pandaset, tmp_path):
    import cv2

    out = tmp_path / "pictures"
    crosslabel("render", pandaset, "--labels", pandaset, "--out", out, "--every", 21, "--points")
    names = {path.name for path in (out / "002").iterdir()}
    assert len(names) == 2 * 7 + 1 and "video.mp4" in names
    film = cv2.VideoCapture(str(out / "002" / "video.mp4"))
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) == 2
    drawn = cv2.imread(str(out / "002" / "0000_front_camera.png"))
    plain = cv2.imread(str(pandaset / "camera" / "front_camera" / "00.jpg"))
    assert drawn.shape == plain.shape and (drawn != plain).any()


def test_from_detections_to_tracks_in_kittis_format(crosslabel, shared_data, tmp_path):
    kitti = shared_data / "kitti_tracking"
    given = ("--detections", kitti / "detections", "--poses", kitti / "poses_orbslam3")
    logs = ("--log", "0011", "--log", "0017")
    crosslabel("autolabel", kitti / "training", *given, *logs, "--out", tmp_path / "out")
    scores = json.loads(
        crosslabel("evaluate", tmp_path / "out", "--truth", kitti / "training", *logs, "--json")
    )
    assert set(scores) == {"0011", "0017"}
    assert scores["0011"]["by_kind"]["car"]["recall_50"] > 0.8
    given = ("--labels", tmp_path / "out", "--format", "kitti_tracking", *logs)
    crosslabel("convert", kitti / "training", tmp_path / "results", *given)
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == ["0011.txt", "0017.txt"]
    for line in (tmp_path / "results" / "0011.txt").read_text().splitlines():
        assert len(line.split()) == 18


@pytest.mark.slow
def test_every_format_that_is_written_whole_takes_what_the_command_gives(crosslabel, tmp_path):
    from formats.registry import FORMATS

    crosslabel("demo", "--out", tmp_path / "demo", "--size", "tiny", "--seconds", "0.3")
    drive, labels = tmp_path / "demo" / "drive", tmp_path / "demo" / "labels"
    whole = [format.name for format in FORMATS if format.write and format.open_log]
    assert {"folder", "nuscenes", "kitti_tracking", "kitti_object", "argoverse2"} <= set(whole)
    for name in whole:
        crosslabel("convert", drive, tmp_path / name, "--labels", labels, "--format", name, "--sensors")
        told = json.loads(crosslabel("info", tmp_path / name, "--json"))
        assert told["format"] == name
        assert told["logs"][0]["frames"] >= 4
        assert told["logs"][0]["classes"]


def test_info_tells_what_is_there(crosslabel, pandaset):
    told = json.loads(crosslabel("info", pandaset, "--json"))
    assert told["format"] == "pandaset"
    log = told["logs"][0]
    assert log["frames"] == 22 and len(log["sensors"]) == 8
    assert log["classes"]["Car"] == {"tracks": 70, "boxes": 1540, "median_lwh_m": [4.48, 1.93, 1.67]}
    assert log["missing"] == []
    table = crosslabel("info", pandaset)
    assert "front_left_camera" in table and "Pickup Truck" in table


def test_the_demo_goes_the_whole_way(crosslabel, tmp_path):
    out = tmp_path / "demo"
    printed = crosslabel("demo", "--out", out, "--seconds", 1, "--size", "tiny")
    assert "mean IoU" in printed
    assert list((out / "labels").glob("*/labels.db"))
    assert (out / "nuscenes").is_dir()
    assert list((out / "pictures").glob("*/0010_cam_front.png"))
    told = json.loads(crosslabel("info", out / "nuscenes", "--json"))
    assert told["logs"][0]["classes"]


def test_one_labelled_frame_is_enough_and_a_page_says_how(crosslabel, pandaset, tmp_path):
    """A car that drives by at 13 m/s."""
    out, car = tmp_path / "out", "f0b32b02-58aa-44e9-8616-2c58fe16c2c9"
    seeds = ("--seed-labels", pandaset, "--seed-frames", 11)
    crosslabel("autolabel", pandaset, *seeds, "--out", out, "--explain", car)
    page = (out / "002" / f"track-{car}.html").read_text()
    assert "followed by its points from one given box" in page.lower()
    assert page.count("data:image/") >= 8
    with LabelStore.open(out / "002" / "labels.db", read_only=True) as store:
        track = store.labels.tracks[car]
    assert len(track.annotations) == 22
    assert track.image_boxes
    scores = json.loads(crosslabel("evaluate", out, "--truth", pandaset, "--json"))["002"]
    assert scores["overall"]["recall_50"] > 0.85
    assert "parked things stay" in json.loads((out / "002" / "run.json").read_text())["ego"][0]
    crosslabel("autolabel", pandaset, *seeds, "--out", out, "--explain", car)


def test_settings_come_from_a_file(crosslabel, pandaset, tmp_path):
    settings = tmp_path / "settings.yaml"
    settings.write_text("rectangles: false\nuse_points: false\n")
    seeds = ("--seed-labels", pandaset, "--seed-every", 7)
    crosslabel(
        "autolabel", pandaset, *seeds, "--out", tmp_path / "out", "--config", settings, "--trust-poses"
    )
    record = json.loads((tmp_path / "out" / "002" / "run.json").read_text())
    assert record["config"]["use_points"] is False
    assert record["ego"] is None
