"""OpenLABEL: what is written is valid and comes back; files as other people write them; damaged ones."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.spatial.transform import Rotation

from calib import SE3
from formats.errors import FormatError
from formats.losses import losses
from formats.openlabel import OPENLABEL
from formats.openlabel.read import read_labels
from formats.openlabel.words import uid_of
from formats.openlabel.write import write_labels
from formats.pandaset import PANDASET
from fusion import Annotation, Box3D, DriveLog, LabelSet, Source, Track, Trajectory
from fusion.simulate import SimulationConfig, simulate
from tests.formats.conftest import labels_of, rig_of_three_cameras
from tests.fusion.label_strategies import label_sets

FRAMES_NS = [1_600_000_000_000_000_000 + 100_000_000 * k for k in range(3)]
MakeLog = Callable[..., tuple[DriveLog, LabelSet]]


def log_without_sensors(name: str = "drive") -> DriveLog:
    return DriveLog(name, rig_of_three_cameras(), Trajectory.standing(FRAMES_NS), np.array(FRAMES_NS))


def make_openlabel(folder: Path) -> None:
    """A small valid file, `<folder>/drive.json`."""
    write_labels(folder, log_without_sensors(), labels_of(FRAMES_NS))


@lru_cache(maxsize=1)
def validator() -> Any:
    schema = files("kognic.openlabel") / "schemas" / "openlabel-1-0-0.json"
    return jsonschema.Draft7Validator(json.loads(schema.read_text(encoding="utf-8")))


def valid(file: Path) -> dict[str, Any]:
    content = json.loads(file.read_text(encoding="utf-8"))
    errors = [f"{'/'.join(map(str, e.path))}: {e.message[:200]}" for e in validator().iter_errors(content)]
    assert errors == []
    return content["openlabel"]


def corners_apart_m(before: LabelSet, after: LabelSet) -> float:
    return max(
        float(np.abs(one.box.corners() - after.tracks[id].annotations[t].box.corners()).max())
        for id, track in before.tracks.items()
        for t, one in track.annotations.items()
    )


def test_everything_comes_back(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log()
    write_labels(tmp_path, log, labels)
    assert OPENLABEL.recognises(tmp_path) and OPENLABEL.log_ids(tmp_path) == ["a log"]
    assert losses(labels, read_labels(tmp_path, log)) == []
    content = valid(tmp_path / "a log.json")
    frame = content["frames"]["1"]
    assert frame["frame_properties"]["timestamp"] == log.timestamps_ns[1]
    way = frame["frame_properties"]["transforms"]["ego_to_world"]["transform_src_to_dst"]
    turn = Rotation.from_quat(way["quaternion"]).as_matrix()
    assert np.allclose(turn, log.trajectory.at(log.timestamps_ns[1]).rotation)
    assert content["coordinate_systems"]["far ahead"]["pose_wrt_parent"]["translation"] == [1.7, 0.1, 1.5]
    intrinsics = content["streams"]["ahead"]["stream_properties"]["intrinsics_pinhole"]
    assert intrinsics["camera_matrix"][:3] == [100.0, 0.0, 64.0]


@settings(max_examples=30)
@given(label_sets())
def test_whatever_can_be_labelled_comes_back(
    tmp_path_factory: pytest.TempPathFactory, labels: LabelSet
) -> None:
    file = tmp_path_factory.mktemp("ol") / "any.json"
    log = log_without_sensors()
    write_labels(file, log, labels)
    valid(file)
    after = read_labels(file, log)
    assert losses(labels, after, 1e-9) == [] and [*after.tracks] == [*labels.tracks]


def test_ten_cycles_move_no_box(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "pandaset"
    log = PANDASET.open_log(path, "002")
    labels = LabelSet.of([*PANDASET.read_labels(path, log).tracks.values()][::6])
    current = labels
    for cycle in range(10):
        write_labels(tmp_path / str(cycle), log, current)
        current = read_labels(tmp_path / str(cycle), log)
    assert losses(labels, current) == [] and corners_apart_m(labels, current) < 1e-9
    few_ns = set(log.timestamps_ns[:4].tolist())
    some = [track.without(set(track.annotations) - few_ns) for track in labels.tracks.values()]
    early = replace(log, timestamps_ns=log.timestamps_ns[:4])
    write_labels(tmp_path / "few.json", early, LabelSet.of(some))
    assert len(valid(tmp_path / "few.json")["frames"]) == 4


def test_a_simulated_drive_comes_back(tmp_path: Path) -> None:
    log, labels = simulate(replace(SimulationConfig.tiny(), seconds=0.5))
    write_labels(tmp_path / "x.json", log, labels)
    assert losses(labels, read_labels(tmp_path / "x.json", log)) == []
    before = (tmp_path / "x.json").read_bytes()
    write_labels(tmp_path / "x.json", log, labels)
    assert (tmp_path / "x.json").read_bytes() == before


def foreign(**parts: Any) -> dict[str, Any]:
    """A file as others write it: frames by number, cuboids in the system of a sensor."""
    cuboid = {"name": "shape", "val": [10, 2, 0.5, 0.1, -0.2, 0.7, 4, 2, 1.5]}
    content = {
        "metadata": {"schema_version": "1.0.0"},
        "objects": {
            "0": {"name": "car-0", "type": "Car", "object_data": {"text": [{"name": "c", "val": "red"}]}}
        },
        "frames": {
            "1": {"objects": {"0": {"object_data": {"cuboid": [cuboid], "num": [{"name": "n", "val": 3}]}}}}
        },
    }
    return {"openlabel": content | parts}


def written(folder: Path, content: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "theirs.json").write_text(json.dumps(content), encoding="utf-8")
    return folder / "theirs.json"


def test_euler_cuboids_in_frames_without_timestamps(tmp_path: Path) -> None:
    log = log_without_sensors()
    file = written(tmp_path, foreign())
    valid(file)
    (track,) = read_labels(file, log).tracks.values()
    (one,) = track.annotations.values()
    assert (track.id, track.category, dict(track.attributes)) == ("0", "Car", {"c": "red"})
    assert one.timestamp_ns == FRAMES_NS[1] and one.source is Source.IMPORTED and one.attributes == {"n": 3}
    turn = Rotation.from_euler("ZYX", (0.7, -0.2, 0.1)).as_matrix()
    assert np.allclose(one.box.ego_from_box.rotation, turn) and one.box.size_lwh_m.tolist() == [4, 2, 1.5]


@pytest.mark.parametrize("how", ["stream", "declared", "frame"])
def test_cuboids_in_the_system_of_a_sensor(tmp_path: Path, how: str) -> None:
    """Where the sensor sits is told by the log's rig, by the file, or by the file frame by frame."""
    log = log_without_sensors()
    content = foreign()
    lists = content["openlabel"]["frames"]["1"]["objects"]["0"]["object_data"]
    ego_from_sensor = SE3.from_yaw(0.4, (1.0, 2.0, 3.0))
    place = {"matrix4x4": ego_from_sensor.matrix.ravel().tolist()}
    if how == "stream":
        lists["cuboid"][0]["attributes"] = {"text": [{"name": "stream", "val": "roof"}]}
        content["openlabel"]["streams"] = {"roof": {"type": "lidar"}}
        ego_from_sensor = log.rig.lidars["roof"].ego_from_sensor
    else:
        lists["cuboid"][0]["coordinate_system"] = "top"
        systems = {"car": {"type": "local_cs", "parent": ""}, "top": {"type": "sensor_cs", "parent": "car"}}
        content["openlabel"]["coordinate_systems"] = systems
        if how == "declared":
            systems["top"]["pose_wrt_parent"] = place  # type: ignore[assignment]
        else:
            sensor_from_ego = ego_from_sensor.inverse()
            w, x, y, z = sensor_from_ego.quaternion_wxyz.tolist()
            way = {"quaternion": [x, y, z, w], "translation": sensor_from_ego.translation.tolist()}
            moving = {"a": {"src": "car", "dst": "top", "transform_src_to_dst": way}}
            content["openlabel"]["frames"]["1"]["frame_properties"] = {"transforms": moving}
    file = written(tmp_path, content)
    valid(file)
    (track,) = read_labels(file, log).tracks.values()
    assert np.allclose(track.annotations[FRAMES_NS[1]].box.center, ego_from_sensor @ np.array([10, 2, 0.5]))


@pytest.mark.parametrize("stamp", [FRAMES_NS[2] // 1000, FRAMES_NS[2] / 1e9, str(FRAMES_NS[2] / 1e9)])
def test_timestamps_in_other_units(tmp_path: Path, stamp: float | str) -> None:
    content = foreign()
    content["openlabel"]["frames"]["1"]["frame_properties"] = {"timestamp": stamp}
    (track,) = read_labels(written(tmp_path, content), log_without_sensors()).tracks.values()
    assert [*track.annotations] == [FRAMES_NS[2]]


def test_a_cuboid_for_good_stands_in_all_frames_of_its_object(tmp_path: Path) -> None:
    content = foreign(frames={str(n): {} for n in range(3)})
    entry = content["openlabel"]["objects"]["0"]
    entry["object_data"]["cuboid"] = [{"name": "s", "val": [1, 2, 3, 0, 0, 0, 1, 4, 2, 1.5]}]
    entry["frame_intervals"] = [{"frame_start": 1, "frame_end": 2}]
    (track,) = read_labels(written(tmp_path, content), log_without_sensors()).tracks.values()
    assert [*track.annotations] == FRAMES_NS[1:]


def test_names_that_attributes_of_others_share_with_ours(tmp_path: Path) -> None:
    """A source that is none of ours is an attribute, and is written as one again."""
    content, log = foreign(), log_without_sensors()
    said = {"text": [{"name": "source", "val": "lidar"}], "num": [{"name": "score", "val": 57}]}
    content["openlabel"]["frames"]["1"]["objects"]["0"]["object_data"]["cuboid"][0]["attributes"] = said
    labels = read_labels(written(tmp_path, content), log)
    (one,) = labels.tracks["0"].annotations.values()
    assert dict(one.attributes) == {"n": 3, "source": "lidar", "score": 57} and one.score is None
    write_labels(tmp_path / "again.json", log, labels)
    assert losses(labels, read_labels(tmp_path / "again.json", log)) == []


def test_what_is_none_is_not_taken_for_one(tmp_path: Path, shared_data: Path) -> None:
    (tmp_path / "a.json").write_text('{"objects": []}', encoding="utf-8")
    (tmp_path / "b.json").write_bytes(b"\xff\xfe")
    (tmp_path / "c.json").mkdir()
    assert not OPENLABEL.recognises(tmp_path) and not OPENLABEL.recognises(tmp_path / "none")
    for folder in shared_data.iterdir():
        assert not OPENLABEL.recognises(folder), folder


def test_intervals_that_overlap_and_too_many_boxes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = foreign(frames={str(n): {} for n in range(3)})
    entry = content["openlabel"]["objects"]["0"]
    entry["object_data"]["cuboid"] = [{"name": "s", "val": [1, 2, 3, 0, 0, 0, 1, 4, 2, 1.5]}]
    ends = [(2, 2), (0, 0), (0, 0), (2, 7)]
    entry["frame_intervals"] = [{"frame_start": a, "frame_end": b} for a, b in ends]
    file = written(tmp_path, content)
    (track,) = read_labels(file, log_without_sensors()).tracks.values()
    assert [*track.annotations] == [FRAMES_NS[0], FRAMES_NS[2]]
    monkeypatch.setattr("formats.openlabel.read.MOST_STANDING", 1)
    with pytest.raises(FormatError, match="more than 1 boxes"):
        read_labels(file, log_without_sensors())


def test_two_tracks_of_one_key_are_refused(tmp_path: Path) -> None:
    other = "22222222-0000-5000-8000-000000000000"
    box = Box3D.upright((1, 2, 3), (4, 2, 1.5), 0.3)
    tracks = [Track.of(id, "car", [Annotation(FRAMES_NS[0], box)]) for id in ("a", uid_of("a"), other)]
    with pytest.raises(FormatError, match="another track has the key"):
        write_labels(tmp_path, log_without_sensors(), LabelSet.of(tracks))
    assert list(tmp_path.iterdir()) == []
