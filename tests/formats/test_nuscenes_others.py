"""Data sets in the layout of nuScenes that we did not write, real and hostile ones."""

import json
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calib import SE3
from calib.errors import CrosslabelError
from formats.errors import FormatError
from formats.mmdet3d import MMDET3D
from formats.nuscenes import NUSCENES
from formats.nuscenes import tables as tables_module
from fusion import Source
from fusion.align import cam_at_shot_from_ego, cloud_in_image
from fusion.boxes import Boxes
from fusion.overlap import count_points_in_boxes

CLASSES = (
    "vehicle.car",
    "vehicle.truck",
    "vehicle.trailer",
    "vehicle.bus.rigid",
    "vehicle.construction",
    "vehicle.bicycle",
    "vehicle.motorcycle",
    "human.pedestrian.adult",
    "movable_object.trafficcone",
    "movable_object.barrier",
)


def row(token: str, **fields: Any) -> dict[str, Any]:
    return {"token": token, **fields}


def placed(token: str, dst_from_src: SE3, **fields: Any) -> dict[str, Any]:
    place, rotation = dst_from_src.translation.tolist(), dst_from_src.quaternion_wxyz.tolist()
    return row(token, translation=place, rotation=rotation, **fields)


def rigid(matrix: Any) -> SE3:
    return SE3.nearest(matrix, 1e-5)


def real_tables(info: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The tables that one real key frame comes from, and a radar."""
    world_from_ego, ego_from_lidar = rigid(info["ego2global"]), rigid(info["lidar_points"]["lidar2ego"])
    files = {"LIDAR_TOP": info["lidar_points"]["lidar_path"]}
    files |= {name: image["img_path"] for name, image in info["images"].items()}
    files["RADAR_FRONT"] = "n015__RADAR_FRONT__1532402927664178.pcd"
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in tables_module.TABLES}
    time_us = round(info["timestamp"] * 1e6)
    for channel, file in files.items():
        kind = {"L": "lidar", "C": "camera", "R": "radar"}[channel[0]]
        tables["sensor"].append(row(f"s{channel}", channel=channel, modality=kind))
        world_from_ego_at_shot, ego_from_sensor = world_from_ego, ego_from_lidar
        image = info["images"].get(channel, {})
        if image:
            ego_from_sensor = ego_from_cam = rigid(image["cam2ego"])
            cam_at_shot_from_lidar = rigid(image["lidar2cam"])
            ego_from_ego_at_shot = ego_from_lidar @ cam_at_shot_from_lidar.inverse() @ ego_from_cam.inverse()
            world_from_ego_at_shot = world_from_ego @ ego_from_ego_at_shot
        calibration = placed(
            f"c{channel}",
            ego_from_sensor,
            sensor_token=f"s{channel}",
            camera_intrinsic=image.get("cam2img", []),
        )
        tables["calibrated_sensor"].append(calibration)
        own_us = int(file.split("__")[2].split(".")[0])
        tables["ego_pose"].append(placed(f"d{channel}", world_from_ego_at_shot, timestamp=own_us))
        tables["sample_data"].append(
            row(
                f"d{channel}",
                sample_token="sample",
                ego_pose_token=f"d{channel}",
                calibrated_sensor_token=f"c{channel}",
                timestamp=own_us,
                fileformat="jpg" if image else "pcd",
                is_key_frame=True,
                height=900 if image else 0,
                width=1600 if image else 0,
                filename=f"samples/{channel}/{file}",
                prev="",
                next="",
            )
        )
    for number, entry in enumerate(info["instances"]):
        *place, length, width, height, yaw = entry["bbox_3d"]
        lidar_from_box = SE3.from_yaw(yaw, place)
        tilted = world_from_ego @ ego_from_lidar @ lidar_from_box
        # The info file has lost that boxes of nuScenes stand upright in the world, not on the LiDAR.
        world_from_box = SE3.from_yaw(tilted.yaw_rad, tilted.translation)
        tables["instance"].append(row(f"i{number}", category_token=CLASSES[entry["bbox_label_3d"]]))
        tables["sample_annotation"].append(
            placed(
                f"a{number}",
                world_from_box,
                sample_token="sample",
                instance_token=f"i{number}",
                size=[float(width), float(length), float(height)],
                attribute_tokens=["moving"] if number == 0 else [],
                visibility_token="4",
                num_lidar_pts=int(entry["num_lidar_pts"]),
                num_radar_pts=int(entry["num_radar_pts"]),
                prev="",
                next="",
                automatic_annotation=False,
            )
        )
    tables["category"] = [row(name, name=name, description="") for name in CLASSES]
    tables["attribute"] = [row("moving", name="pedestrian.moving", description="")]
    tables["visibility"] = [row("4", level="v80-100", description="")]
    tables["sample"] = [row("sample", timestamp=time_us, scene_token="scene", prev="", next="")]
    tables["scene"] = [row("scene", name="scene-0061", description="Parked truck", log_token="log")]
    tables["log"] = [
        row("log", logfile="n015", vehicle="n015", date_captured="2018-07-24", location="singapore")
    ]
    return tables


@pytest.fixture(scope="module")
def real(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    source, root = shared_data / "nuscenes_one_sample", tmp_path_factory.mktemp("nuscenes")
    with next(source.glob("*.pkl")).open("rb") as stream:
        info = pickle.load(stream)["data_list"][0]
    for file in source.glob("n015*__*"):
        folder = root / "samples" / file.name.split("__")[1]
        folder.mkdir(parents=True)
        shutil.copy(file, folder)
    (root / "v1.0-mini").mkdir()
    for name, rows in real_tables(info).items():
        (root / "v1.0-mini" / f"{name}.json").write_text(json.dumps(rows, indent=0))
    return root, info


def test_a_real_key_frame(real: tuple[Path, dict[str, Any]]) -> None:
    root, info = real
    assert NUSCENES.recognises(root) and NUSCENES.log_ids(root) == ["scene-0061"]
    log = NUSCENES.open_log(root, "scene-0061")
    labels = NUSCENES.read_labels(root, log)
    frame_ns = 1532402927647951000
    assert log.timestamps_ns.tolist() == [frame_ns] and log.missing == ()
    assert log.metadata["location"] == "singapore" and log.metadata["sensors_left_aside"] == "RADAR_FRONT"
    sweep = log.sweeps["LIDAR_TOP"][0].read()
    assert len(sweep) == 34688 and sweep.stamps == "end"
    assert sweep.ring[:33].tolist() == [*range(32), 0] and sweep.intensity.max() == 255
    boxes = Boxes.stack(annotation.box for _, annotation in labels.at(frame_ns))
    lidar_from_ego = log.rig.lidars["LIDAR_TOP"].ego_from_sensor.inverse()
    counts = count_points_in_boxes(sweep.points, boxes.moved(lidar_from_ego))
    assert len(counts) == 69
    assert counts.tolist() == [entry["num_lidar_pts"] for entry in info["instances"]]
    annotation = labels.tracks["i0"].annotations[frame_ns]
    assert annotation.source == Source.IMPORTED and labels.tracks["i0"].category == "human.pedestrian.adult"
    assert annotation.attributes == {
        "num_lidar_pts": 1,
        "num_radar_pts": 0,
        "automatic_annotation": False,
        "attribute": "pedestrian.moving",
        "visibility": "v80-100",
    }


def test_a_real_cloud_falls_where_nuscenes_says(real: tuple[Path, dict[str, Any]]) -> None:
    root, info = real
    log = NUSCENES.open_log(root, "scene-0061")
    sweep = log.sweeps["LIDAR_TOP"][0].read()
    for name, image in info["images"].items():
        ref = log.images[name][0]
        assert ref.read().shape == (900, 1600, 3)
        found = cloud_in_image(log, sweep, ref)
        points_cam = rigid(image["lidar2cam"]) @ sweep.points[found.index]
        pixels = points_cam @ np.array(image["cam2img"]).T
        assert len(found.index) > 2000
        assert np.abs(pixels[:, :2] / pixels[:, 2:] - found.uv_px).max() < 0.05
        cam_from_ego = cam_at_shot_from_ego(log, ref, int(log.timestamps_ns[0]))
        assert 0.0 < np.linalg.norm(cam_from_ego.translation) < 4


def test_a_real_key_frame_survives_export(real: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    root, info = real
    log = NUSCENES.open_log(root, "scene-0061")
    labels = NUSCENES.read_labels(root, log)
    NUSCENES.write(tmp_path / "out", [(log, labels)])
    back = NUSCENES.open_log(tmp_path / "out", "scene-0061")
    again = NUSCENES.read_labels(tmp_path / "out", back)
    assert again.tracks.keys() == labels.tracks.keys()
    rows = json.loads((tmp_path / "out" / "v1.0-crosslabel" / "sample_annotation.json").read_text())
    assert [r["num_lidar_pts"] for r in rows] == [entry["num_lidar_pts"] for entry in info["instances"]]
    assert [r["num_radar_pts"] for r in rows] == [entry["num_radar_pts"] for entry in info["instances"]]
    assert {r["visibility_token"] for r in rows} == {"4"}
    source = next((root / "samples" / "LIDAR_TOP").iterdir())
    assert back.sweeps["LIDAR_TOP"][0].path.read_bytes() == source.read_bytes()


def test_extra_fields_are_not_needed(make_log, tmp_path: Path) -> None:
    """Without them the poses of the readings are the trajectory, and channels are the names."""
    log, labels = make_log(name="scene-1", frames=7)
    NUSCENES.write(tmp_path / "out", [(log, labels)], keyframe_every=3)
    for path in (tmp_path / "out" / "v1.0-crosslabel").glob("*.json"):
        rows = json.loads(path.read_text())
        for entry in rows if isinstance(rows, list) else []:
            entry.pop("crosslabel", None)
        path.write_text(json.dumps(rows, indent=2))
    back = NUSCENES.open_log(tmp_path / "out", "scene-1")
    again = NUSCENES.read_labels(tmp_path / "out", back)
    assert back.timestamps_ns.tolist() == [t // 1000 * 1000 for t in log.timestamps_ns.tolist()]
    assert [*back.rig.lidars] == ["LIDAR_TOP", "LIDAR_BUMPER"]
    assert again.timestamps_ns() == back.timestamps_ns.tolist()[::3]
    theirs = next(track for track in again.tracks.values() if track.category == "vehicle.car")
    for ours, other in zip(
        [a for t, a in labels.tracks["car/1"].annotations.items() if t in log.timestamps_ns[::3]],
        theirs.annotations.values(),
        strict=True,
    ):
        assert np.abs(ours.box.corners() - other.box.corners()).max() < 1e-9


@pytest.fixture
def hostile(make_log, tmp_path: Path) -> Callable[..., str]:
    """Breaks one table of a good data set and says what reading it ends with."""

    def read(table: str, change: Callable[[str], str]) -> str:
        log, labels = make_log(name="scene-1", frames=3)
        root = tmp_path / f"out{len([*tmp_path.iterdir()])}"
        NUSCENES.write(root, [(log, labels)])
        path = root / "v1.0-crosslabel" / f"{table}.json"
        text = path.read_text()
        changed = change(text)
        assert changed != text
        path.write_text(changed)
        with pytest.raises(FormatError) as caught:
            NUSCENES.read_labels(root, NUSCENES.open_log(root, "scene-1"))
        assert f"{table}.json" in str(caught.value) and "\n" not in str(caught.value)
        return str(caught.value)

    return read


def altered(field: str, value: Any, number: int = 0) -> Callable[[str], str]:
    def change(text: str) -> str:
        rows = json.loads(text)
        assert field in rows[number]
        rows[number][field] = value
        return json.dumps(rows)

    return change


@pytest.mark.parametrize(
    ("table", "field", "value", "says"),
    [
        ("sample", "scene_token", "nowhere", "'nowhere' is in no row of scene.json"),
        ("sample", "timestamp", "soon", "must be a whole number"),
        ("sample_data", "sample_token", "nowhere", "'nowhere' is in no row of sample.json"),
        ("sample_data", "ego_pose_token", "nowhere", "'nowhere' is in no row of ego_pose.json"),
        ("sample_data", "calibrated_sensor_token", "nowhere", "no row of calibrated_sensor.json"),
        ("sample_data", "filename", "../../secrets", "leads out of the data set"),
        ("sample_data", "filename", "/etc/passwd", "leads out of the data set"),
        ("sample_data", "filename", 7, "must be a text"),
        ("calibrated_sensor", "sensor_token", "nowhere", "no row of sensor.json"),
        ("calibrated_sensor", "rotation", [0, 0, 0, 0], "norm zero"),
        ("calibrated_sensor", "translation", [1, 2], "must be 3 numbers"),
        ("calibrated_sensor", "crosslabel", [], "must be an object"),
        ("ego_pose", "rotation", [1, 0, 0], "must be 4 numbers"),
        ("sample_annotation", "sample_token", "nowhere", "no row of sample.json"),
        ("sample_annotation", "instance_token", "nowhere", "no row of instance.json"),
        ("sample_annotation", "attribute_tokens", ["nowhere"], "no row of attribute.json"),
        ("sample_annotation", "size", [0, 1, 1], "positive"),
        ("sample_annotation", "size", [1, 1], "must be 3 numbers"),
        ("sample_annotation", "rotation", [True, 0, 0, 0], "must be 4 numbers"),
        ("sample_annotation", "crosslabel", {"source": "nobody"}, "'nobody' is not a valid Source"),
        ("instance", "category_token", "nowhere", "no row of category.json"),
        ("instance", "token", None, "must be a text"),
    ],
)
def test_a_broken_field_is_named(hostile, table: str, field: str, value: Any, says: str) -> None:
    number = 3 if table == "calibrated_sensor" and field == "translation" else 0
    assert says in hostile(table, altered(field, value, number))


@pytest.mark.parametrize("table", ["scene", "sample_data", "ego_pose", "sample_annotation"])
def test_a_table_that_is_cut_short_is_named(hostile, table: str) -> None:
    assert "row" in hostile(table, lambda text: text[: len(text) * 2 // 3])


@pytest.mark.parametrize(
    "text", ["", "{}", "nonsense", "[1, 2]", "[" * 100_000, '[{"token": "a"', '[{"token": "a", "x": NaN}]']
)
def test_a_table_that_is_none_is_named(hostile, text: str) -> None:
    hostile("sample_data", lambda _: text)


def test_a_pose_that_is_no_number_is_named(hostile) -> None:
    message = hostile("ego_pose", lambda text: text.replace('"translation": [', '"translation": [NaN, ', 1))
    assert "NaN" in message and "row 0" in message


def test_a_pose_at_infinity_is_named(hostile) -> None:
    message = hostile("ego_pose", lambda text: text.replace('"translation": [', '"translation": [1e999, ', 1))
    assert "must be 3 numbers" in message
    assert "not finite" in hostile("ego_pose", infinitely_far)


def infinitely_far(text: str) -> str:
    rows = json.loads(text)
    rows[0]["translation"][0] = "far"
    return json.dumps(rows).replace('"far"', "-1e999")


def test_two_data_sets_in_one_folder_must_be_told_apart(make_log, tmp_path: Path) -> None:
    log, labels = make_log(frames=2)
    NUSCENES.write(tmp_path / "out", [(log, labels)])
    shutil.copytree(tmp_path / "out" / "v1.0-crosslabel", tmp_path / "out" / "v1.0-mini")
    with pytest.raises(FormatError, match="several versions"):
        NUSCENES.log_ids(tmp_path / "out")
    assert NUSCENES.log_ids(tmp_path / "out" / "v1.0-mini") == [log.name]
    with pytest.raises(FormatError, match="there is no scene 'b'"):
        NUSCENES.open_log(tmp_path / "out" / "v1.0-mini", "b")
    assert not NUSCENES.recognises(tmp_path)
    with pytest.raises(FormatError, match="holds no nuScenes tables"):
        NUSCENES.log_ids(tmp_path)


def test_a_point_file_that_is_cut_short_is_named(make_log, tmp_path: Path) -> None:
    log, labels = make_log(frames=2)
    NUSCENES.write(tmp_path / "out", [(log, labels)])
    ref = NUSCENES.open_log(tmp_path / "out", log.name).sweeps["roof"][0]
    ref.path.write_bytes(ref.path.read_bytes()[:-3])
    with pytest.raises(FormatError, match=r"LIDAR_TOP.*no whole number of points"):
        ref.read()


def broken_log(make_log, how: str):
    log, labels = make_log()
    if how == "no image":
        log.images["ahead"][4].path.unlink()
    elif how == "no png":
        log.images["ahead"][4].path.write_bytes(b"\x89PNG no")
    elif how == "no frame":
        track = labels.tracks["walker"]
        stray = replace(next(iter(track.annotations.values())), timestamp_ns=5)
        labels = labels.with_track(track.with_annotations([stray]))
    elif how == "not finite":
        track = labels.tracks["walker"]
        labels = labels.with_track(replace(track, attributes={"x": float("nan")}))
    return log, labels


@pytest.mark.parametrize("how", ["no image", "no png", "no frame", "not finite"])
def test_a_write_that_fails_leaves_nothing(make_log, tmp_path: Path, how: str) -> None:
    pairs = [make_log(name="first", frames=2), broken_log(make_log, how)]
    with pytest.raises(FormatError):
        NUSCENES.write(tmp_path / "out", pairs)
    assert [*tmp_path.iterdir()] == []


def test_what_is_there_is_not_overwritten(make_log, tmp_path: Path) -> None:
    log, labels = make_log(frames=2)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(FormatError, match="is there already"):
        NUSCENES.write(tmp_path / "out", [(log, labels)])
    (tmp_path / "file").write_text("a file")
    with pytest.raises(FormatError):
        NUSCENES.write(tmp_path / "file" / "out", [(log, labels)])
    assert {p.name for p in tmp_path.iterdir()} == {"out", "file"}


def test_arguments_that_cannot_be(make_log, tmp_path: Path) -> None:
    log, labels = make_log(frames=2)
    for options in ({"keyframe_every": 0}, {"version": "../x"}, {"version": "maps"}, {"version": ""}):
        with pytest.raises(FormatError):
            NUSCENES.write(tmp_path / "out", [(log, labels)], **options)
    for pairs in ([], [(log, labels), (log, labels)]):
        with pytest.raises(FormatError):
            NUSCENES.write(tmp_path / "out", pairs)
    nowhere = replace(log, timestamps_ns=np.array([5]))
    with pytest.raises(CrosslabelError, match="no frame within its trajectory"):
        NUSCENES.write(tmp_path / "out", [(nowhere, labels)])
    assert [*tmp_path.iterdir()] == []


def test_rows_are_found_across_pieces_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables_module, "CHUNK", 16)
    rows = [{"token": str(n), "name": "ß" * n, "list": [n, {"a": '}"'}]} for n in range(40)]
    for indent in (None, 0, 4):
        path = tmp_path / "t.json"
        path.write_text("\ufeff" + json.dumps(rows, indent=indent, ensure_ascii=False), encoding="utf-8")
        found = [*tables_module.rows(path)]
        assert [r.fields for _, r in found] == rows
        assert [r.fields for r in tables_module.read_spans(path, [span for span, _ in found][::-1])] == rows[
            ::-1
        ]


def test_written_as_mmdetection3d_has_it_says_the_same(
    real: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    root, info = real
    log = NUSCENES.open_log(root, "scene-0061")
    MMDET3D.write(tmp_path / "out", [(log, NUSCENES.read_labels(root, log))])
    (back,) = pickle.loads((tmp_path / "out" / "infos_train.pkl").read_bytes())["data_list"]
    assert back["timestamp"] == info["timestamp"]
    assert np.abs(np.subtract(back["ego2global"], info["ego2global"])).max() < 1e-3
    places = [entry["lidar_points"]["lidar2ego"] for entry in (back, info)]
    assert np.abs(np.subtract(*places)).max() < 1e-6
    for camera, image in info["images"].items():
        for key in ("cam2img", "cam2ego", "lidar2cam"):
            apart = np.subtract(back["images"][camera][key], image[key])
            assert np.abs(apart).max() < 2e-3, (camera, key)
    assert len(back["instances"]) == len(info["instances"]) == 69
    for ours, theirs in zip(back["instances"], info["instances"], strict=True):
        apart = np.subtract(ours["bbox_3d"], theirs["bbox_3d"])
        apart[6] = (apart[6] + np.pi) % (2 * np.pi) - np.pi
        assert np.abs(apart[:6]).max() < 1e-9 and ours["num_lidar_pts"] == theirs["num_lidar_pts"]
        # The LiDAR leans by 1.4 degrees, and of a box that leans there are several ways to tell the yaw.
        assert abs(apart[6]) < 1e-3
    points = (tmp_path / "out" / back["lidar_points"]["lidar_path"]).read_bytes()
    theirs_file = log.sweeps["LIDAR_TOP"][0].path
    assert theirs_file is not None
    apart_m = np.subtract(np.frombuffer(points, "<f4"), np.frombuffer(theirs_file.read_bytes(), "<f4"))
    assert np.abs(apart_m).max() < 1e-5
