"""Channels, classes, attributes, visibility and undistorted images of a nuScenes export."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from calib import SE3, Camera, DoubleSphere, Equirectangular, Fisheye, Lidar, Pinhole, Rig
from formats.nuscenes import NUSCENES
from formats.nuscenes.categories import ATTRIBUTES, CATEGORIES, nuscenes_attribute, nuscenes_category
from formats.nuscenes.images import source_pixels
from formats.nuscenes.sensors import channels_of
from formats.nuscenes.visibility import visibility_tokens
from fusion import Box3D
from fusion.boxes import Boxes

PLAIN = Pinhole(100, 100, 64, 40, 128, 80)


def camera(name: str, yaw_deg: float, down_deg: float = 0.0) -> Camera:
    yaw_rad, down_rad = np.radians(yaw_deg), np.radians(down_deg)
    ahead = np.array(
        [np.cos(yaw_rad) * np.cos(down_rad), np.sin(yaw_rad) * np.cos(down_rad), -np.sin(down_rad)]
    )
    right = np.array([np.sin(yaw_rad), -np.cos(yaw_rad), 0.0])
    ego_from_cam = SE3(np.column_stack([right, np.cross(ahead, right), ahead]), np.zeros(3))
    return Camera(name, ego_from_cam, PLAIN)


@pytest.mark.parametrize(
    ("cameras", "channels"),
    [
        ([("a", 0), ("b", 178), ("c", -100)], ["CAM_FRONT", "CAM_BACK", "CAM_BACK_RIGHT"]),
        ([("left", 90), ("front left", 45)], ["CAM_BACK_LEFT", "CAM_FRONT_LEFT"]),
        ([("wide", 3), ("tele", 0)], ["CAM_WIDE", "CAM_FRONT"]),
        ([("image_02", 0), ("image_03", 0)], ["CAM_FRONT", "CAM_IMAGE_03"]),
        ([("CAM_FRONT", 170), ("x", 0)], ["CAM_FRONT", "CAM_X"]),
        ([("cam front", 0), ("CAM_X", 1), ("x", 2)], ["CAM_FRONT", "CAM_X", "CAM_X_2"]),
    ],
)
def test_cameras_get_the_channel_they_look_along(cameras: list, channels: list[str]) -> None:
    rig = Rig.of((), tuple(camera(name, yaw) for name, yaw in cameras))
    assert [*channels_of(rig).values()] == channels


def test_a_camera_that_looks_down_gets_a_channel_of_its_own() -> None:
    assert channels_of(Rig.of((), (camera("bird", 0, 80),))) == {("camera", "bird"): "CAM_BIRD"}


def test_the_main_lidar_is_on_top() -> None:
    rig = Rig.of(tuple(Lidar(name, SE3.identity()) for name in ("roof", "LIDAR_TOP", "side")))
    assert [*channels_of(rig).values()] == ["LIDAR_TOP", "LIDAR_TOP_2", "LIDAR_SIDE"]


@pytest.mark.parametrize(
    ("category", "name"),
    [
        ("vehicle.bus.bendy", "vehicle.bus.bendy"),
        ("Car", "vehicle.car"),
        ("Van", "vehicle.car"),
        ("Cyclist", "vehicle.bicycle"),
        ("Person_sitting", "human.pedestrian.adult"),
        ("Pickup Truck", "vehicle.car"),
        ("Semi-truck", "vehicle.truck"),
        ("Other Vehicle - Construction Vehicle", "vehicle.construction"),
        ("Pylons", "movable_object.trafficcone"),
        ("Temporary Construction Barriers", "movable_object.barrier"),
        ("CONSTRUCTION_CONE", "movable_object.trafficcone"),
        ("VEHICULAR_TRAILER", "vehicle.trailer"),
        ("WHEELCHAIR", "human.pedestrian.wheelchair"),
        ("", "static.other"),
        ("Rolling Containers", "movable_object.pushable_pullable"),
    ],
)
def test_classes(category: str, name: str) -> None:
    assert nuscenes_category(category) == name and name in CATEGORIES


@pytest.mark.parametrize(
    ("category", "attributes", "name"),
    [
        ("Car", {"object_motion": "Parked"}, "vehicle.parked"),
        ("Car", {"moving": True}, "vehicle.moving"),
        ("Car", {"moving": False}, "vehicle.parked"),
        ("Car", {}, None),
        ("Car", {"attribute": "vehicle.stopped", "moving": True}, "vehicle.stopped"),
        ("Car", {"attribute": "cycle.with_rider"}, None),
        ("Motorcycle", {"rider_status": "Without Rider", "object_motion": "Parked"}, "cycle.without_rider"),
        ("Bicycle", {"object_motion": "Moving"}, None),
        ("Cyclist", {}, "cycle.with_rider"),
        ("Pedestrian", {"pedestrian_behavior": "Walking"}, "pedestrian.moving"),
        ("Pedestrian", {"pedestrian_behavior": "Sitting"}, "pedestrian.sitting_lying_down"),
        ("Person_sitting", {}, "pedestrian.sitting_lying_down"),
        ("Cones", {"moving": True}, None),
    ],
)
def test_attributes(category: str, attributes: dict, name: str | None) -> None:
    assert nuscenes_attribute(category, attributes) == name
    assert name is None or name in ATTRIBUTES


def test_visibility_is_what_cameras_see(make_log) -> None:
    log, _ = make_log()
    frame_ns = int(log.timestamps_ns[1])
    image = log.images["ahead"][1]
    ahead = Box3D.upright((10, 0, 1.5), (4, 2, 1.5), 0.3)
    behind = Box3D.upright((-10, 0, 1.5), (4, 2, 1.5), 0.3)
    half = Box3D.upright((10, 5.6, 1.5), (0.5, 6, 1.5), 0.0)
    boxes = Boxes.stack([ahead, behind, half])
    nothing = np.empty((0, 3), np.float32)
    assert visibility_tokens(log, frame_ns, boxes, [image], nothing) == ["4", "1", "2"]
    assert visibility_tokens(log, frame_ns, boxes, [], nothing) == ["", "", ""]
    sides = np.linspace(-3, 3, 80)
    wall = np.stack(np.meshgrid([6.0], sides, sides), axis=-1).reshape(-1, 3).astype(np.float32)
    assert visibility_tokens(log, frame_ns, boxes, [image], wall)[0] == "1"
    own = (ahead.ego_from_box @ np.random.default_rng(0).uniform(-0.5, 0.5, (5000, 3))).astype(np.float32)
    assert visibility_tokens(log, frame_ns, boxes, [image], own)[0] == "4"


@pytest.mark.parametrize(
    "model",
    [
        Pinhole(100, 101, 64, 40.5, 128, 80, (-0.2, 0.05, 0.001, -0.002, 0.0)),
        Fisheye(70, 71, 63.5, 39.5, 128, 80, (0.05, -0.01, 0.0, 0.0)),
        DoubleSphere(70, 71, 63.5, 39.5, 128, 80, -0.2, 0.6),
        Equirectangular(256, 128),
    ],
)
def test_undistorted_images_show_points_where_a_pinhole_does(model) -> None:
    plain = model.plain
    columns, rows = source_pixels(model, plain)
    points = np.random.default_rng(1).uniform((-3, -2, 5), (3, 2, 9), (200, 3))
    shown = plain.project(points)
    corner = (model.width_px - 2, model.height_px - 2)
    inner = shown.visible & np.all((shown.uv_px > 1) & (shown.uv_px < corner), axis=1)
    u, v = shown.uv_px[inner].T
    left, top = np.floor(u).astype(int), np.floor(v).astype(int)
    for taken, table in zip(model.project(points[inner]).uv_px.T, (columns, rows), strict=True):
        across = table[top, left] * (1 - u % 1) + table[top, left + 1] * (u % 1)
        below = table[top + 1, left] * (1 - u % 1) + table[top + 1, left + 1] * (u % 1)
        assert inner.sum() > 50
        assert np.abs(across * (1 - v % 1) + below * (v % 1) - taken).max() < 0.02


def test_an_export_for_others_holds_no_distortion(make_log, tmp_path: Path) -> None:
    log, labels = make_log(frames=2)
    white = np.full((80, 128, 3), 255, np.uint8)
    refs = tuple(replace(ref, load=partial(np.copy, white)) for ref in log.images["far ahead"])
    log = replace(log, images={**log.images, "far ahead": refs})
    NUSCENES.write(tmp_path / "out", [(log, labels)])
    back = NUSCENES.open_log(tmp_path / "out", log.name)
    for name, sensor in back.rig.cameras.items():
        assert sensor.model == log.rig.cameras[name].model.plain
        assert sensor.ego_from_sensor.is_close(log.rig.cameras[name].ego_from_sensor, 1e-15)
    assert {ref.path.suffix for ref in back.images["far ahead"]} == {".jpg"}
    assert back.images["far ahead"][0].read()[40, 64].tolist() == [255, 255, 255]
    assert back.images["ahead"][0].path.read_bytes() == log.images["ahead"][0].path.read_bytes()


def test_someone_elses_changes_count(make_log, tmp_path: Path) -> None:
    """Another tool moves a box and changes its class and attribute: extra fields do not undo that."""
    log, labels = make_log(frames=2)
    NUSCENES.write(tmp_path / "out", [(log, labels)])
    folder = tmp_path / "out" / "v1.0-crosslabel"
    tables = {
        name: json.loads((folder / f"{name}.json").read_text()) for name in ("instance", "sample_annotation")
    }
    named = {
        row["name"]: row["token"]
        for name in ("category", "attribute")
        for row in json.loads((folder / f"{name}.json").read_text())
    }
    tables["instance"][0]["category_token"] = named["vehicle.truck"]
    tables["sample_annotation"][0]["attribute_tokens"] = [named["vehicle.parked"]]
    tables["sample_annotation"][0]["translation"][2] += 1
    for name, rows in tables.items():
        (folder / f"{name}.json").write_text(json.dumps(rows, indent=1))
    track = NUSCENES.read_labels(tmp_path / "out", NUSCENES.open_log(tmp_path / "out", log.name)).tracks[
        "car/1"
    ]
    first, second = track.annotations.values()
    assert track.category == "vehicle.truck"
    assert first.attributes["attribute"] == "vehicle.parked" and "attribute" not in second.attributes
    assert first.box.center[2] == pytest.approx(1.8)


def test_someone_elses_trajectory_counts(make_log, tmp_path: Path) -> None:
    log, labels = make_log(frames=3)
    NUSCENES.write(tmp_path / "out", [(log, labels)])
    path = tmp_path / "out" / "v1.0-crosslabel" / "ego_pose.json"
    rows = json.loads(path.read_text())
    for row in rows:
        if "scene_token" not in row["crosslabel"]:
            row["translation"][0] += 1.0
    path.write_text(json.dumps(rows))
    back = NUSCENES.open_log(tmp_path / "out", log.name)
    frame_ns = int(log.timestamps_ns[1])
    moved_m = back.trajectory.at(frame_ns).translation - log.trajectory.at(frame_ns).translation
    assert np.abs(moved_m - (1, 0, 0)).max() < 1e-9
