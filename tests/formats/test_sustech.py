"""SUSTechPOINTS read: its real example, and labels and scenes that are damaged."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from calib import SE3
from formats.errors import FormatError
from formats.registry import find_format
from formats.sustech import SUSTECHPOINTS
from formats.sustech.labels import read_labels
from formats.sustech.scene import open_log
from fusion import DriveLog, LabelSet
from fusion.align import cloud_in_image, points_in_ego

FRAMES_NS = [96_500_000_000, 97_000_000_000, 97_500_000_000]


@pytest.fixture(scope="module")
def scene(shared_data: Path) -> tuple[DriveLog, LabelSet]:
    path = shared_data / "sustechpoints"
    assert find_format(path) is SUSTECHPOINTS and SUSTECHPOINTS.log_ids(path) == ["sustechpoints"]
    log = open_log(path, "sustechpoints")
    return log, read_labels(path, log)


def inside(points: np.ndarray, ego_from_box: SE3, size_lwh_m: np.ndarray, grown_m: float = 0.0) -> np.ndarray:
    points_box = ego_from_box.inverse() @ points
    return (np.abs(points_box) <= size_lwh_m / 2 + grown_m).all(axis=1)


def test_the_log_of_three_frames(scene: tuple[DriveLog, LabelSet]) -> None:
    log, labels = scene
    assert log.timestamps_ns.tolist() == FRAMES_NS and not log.missing
    assert [len(log.images[name]) for name in ("front", "left", "right")] == [3, 3, 3]
    sweep = log.sweeps["lidar"][1].read()
    assert len(sweep) == 66899 and sweep.ring is not None and sweep.offset_ns is None
    assert log.images["left"][0].read().shape == (1536, 2048, 3)
    assert log.trajectory.covers(FRAMES_NS[0] - 200_000_000)
    assert labels.annotation_count == 68 and len(labels.tracks["8"].annotations) == 3
    assert {t.category for t in labels.tracks.values()} == {
        "Car",
        "Pedestrian",
        "Rider",
        "Truck",
        "Motor",
        "Bus",
    }


def test_boxes_sit_on_their_points(scene: tuple[DriveLog, LabelSet]) -> None:
    """Every box holds points, few lie just outside, and boxes that are turned hold fewer."""
    log, labels = scene
    held, around, turned, across = 0, 0, 0, 0
    for t in FRAMES_NS:
        ref = log.sweep_at(t)
        assert ref is not None
        points = points_in_ego(log, ref.read()).astype(np.float64)
        for track, annotation in labels.at(t):
            ego_from_box, size_lwh_m = annotation.box.ego_from_box, annotation.box.size_lwh_m
            own = inside(points, ego_from_box, size_lwh_m)
            assert own.sum() >= 5, (t, track.id)
            at_its_middle = np.abs((ego_from_box.inverse() @ points)[:, 2]) < 0.3 * size_lwh_m[2]
            beside = inside(points, ego_from_box, size_lwh_m, 0.3) & ~own & at_its_middle
            held, around = held + own.sum(), around + beside.sum()
            turned += inside(points, ego_from_box @ SE3.from_yaw(0.3), size_lwh_m).sum()
            across += inside(points, ego_from_box @ SE3.from_yaw(np.pi / 2), size_lwh_m).sum()
    assert around < 0.1 * held and turned < 0.87 * held and across < 0.55 * held


def test_boxes_stand_upright_on_the_road_ahead(scene: tuple[DriveLog, LabelSet]) -> None:
    """The ego frame is x forward, y left, z up: the cars ahead are seen by the front camera, at x > 0."""
    log, labels = scene
    camera = log.rig.cameras["front"]
    seen = 0
    for t in FRAMES_NS:
        for _, annotation in labels.at(t):
            center = annotation.box.center
            assert annotation.box.ego_from_box.rotation[2, 2] > 0.99
            if camera.model.project(camera.ego_from_sensor.inverse() @ center[None]).visible[0]:
                assert center[0] > 0
                seen += 1
    assert seen > 20


@pytest.mark.parametrize("camera", ["front", "left", "right"])
def test_what_a_box_holds_is_seen_within_its_outline(scene: tuple[DriveLog, LabelSet], camera: str) -> None:
    log, labels = scene
    sweep, image = log.sweeps["lidar"][1].read(), log.images[camera][1]
    visible = cloud_in_image(log, sweep, image)
    points = points_in_ego(log, sweep).astype(np.float64)
    model, cam_from_ego = log.rig.cameras[camera].model, log.rig.cameras[camera].ego_from_sensor.inverse()
    checked = 0
    for _, annotation in labels.at(FRAMES_NS[1]):
        corners = model.project(cam_from_ego @ annotation.box.corners())
        if not corners.visible.all():
            continue
        held = inside(points, annotation.box.ego_from_box, annotation.box.size_lwh_m)[visible.index]
        uv_px = visible.uv_px[held]
        assert len(uv_px) and (uv_px > corners.uv_px.min(axis=0) - 1).all()
        assert (uv_px < corners.uv_px.max(axis=0) + 1).all()
        checked += 1
    assert checked >= 2


def test_turns_are_about_x_then_y_then_z_of_the_turned_box(tmp_path: Path, shared_data: Path) -> None:
    turns = (0.1, -0.2, 0.7)
    folder = small(shared_data, tmp_path, [box(rotation=dict(zip("xyz", turns, strict=True)))])
    log = open_log(folder, folder.name, ego_from_lidar=SE3.from_yaw(0.5, (1, 2, 3)))
    (annotation,) = read_labels(folder, log).tracks["a"].annotations.values()
    lidar_from_ego = log.rig.lidars["lidar"].ego_from_sensor.inverse()
    lidar_from_box = lidar_from_ego @ annotation.box.ego_from_box
    np.testing.assert_allclose(
        lidar_from_box.rotation, Rotation.from_euler("XYZ", turns).as_matrix(), atol=1e-12
    )
    np.testing.assert_allclose(lidar_from_box.translation, (4, 5, 1), atol=1e-12)
    assert annotation.box.size_lwh_m.tolist() == [4.5, 1.8, 1.6]


def box(**others: Any) -> dict[str, Any]:
    numbers = {
        "position": {"x": 4, "y": 5, "z": 1},
        "scale": {"x": 4.5, "y": 1.8, "z": 1.6},
        "rotation": {"x": 0, "y": 0, "z": 0},
    }
    return {"psr": numbers | others, "obj_type": "Car", "obj_id": "a"}


def small(shared_data: Path, folder: Path, labels: Any, frame: str = "000007") -> Path:
    """A scene of one frame with the front camera."""
    source = shared_data / "sustechpoints"
    for part in ("calib/camera", "camera/front", "lidar", "label"):
        (folder / part).mkdir(parents=True)
    shutil.copy(source / "calib/camera/front.json", folder / "calib/camera/front.json")
    (folder / f"camera/front/{frame}.jpg").symlink_to(source / "camera/front/000965.jpg")
    (folder / f"lidar/{frame}.pcd").symlink_to(source / "lidar/000965.pcd")
    (folder / f"label/{frame}.json").write_text(json.dumps(labels), encoding="utf-8")
    return folder


def test_what_else_a_label_says_survives(shared_data: Path, tmp_path: Path) -> None:
    """Later versions write a table with `objs`, ids that are numbers, and attributes."""
    objs = [
        {**box(), "obj_id": 7, "obj_attr": "door_open", "annotator": "x"},
        {**box(), "obj_id": ""},
        {key: value for key, value in box().items() if key == "psr"},
    ]
    folder = small(shared_data, tmp_path / "s", {"scene": "s", "frame": "000007", "objs": objs}, "1651.25")
    log = open_log(folder, "s")
    labels = read_labels(folder, log)
    assert log.timestamps_ns.tolist() == [1_651_250_000_000]
    assert {id: track.category for id, track in labels.tracks.items()} == {
        "7": "Car",
        "1651.25/1": "Car",
        "1651.25/2": "Unknown",
    }
    (annotation,) = labels.tracks["7"].annotations.values()
    assert dict(annotation.attributes) == {"obj_attr": "door_open", "annotator": "x"}


def test_an_object_whose_type_changes_keeps_its_first_category(shared_data: Path, tmp_path: Path) -> None:
    folder = small(shared_data, tmp_path / "s", [box()])
    (folder / "label/000009.json").write_text(json.dumps([{**box(), "obj_type": "Van"}]), encoding="utf-8")
    log = open_log(folder, "s")
    track = read_labels(folder, log).tracks["a"]
    assert track.category == "Car" and [*track.annotations] == [700_000_000, 900_000_000]
    assert track.annotations[900_000_000].attributes["obj_type"] == "Van"
    assert {missing.sensor for missing in log.missing} == {"lidar", "front"}


def test_a_folder_of_scenes(shared_data: Path, tmp_path: Path) -> None:
    for name in ("b", "a"):
        small(shared_data, tmp_path / name, [])
    assert find_format(tmp_path) is SUSTECHPOINTS and SUSTECHPOINTS.log_ids(tmp_path) == ["a", "b"]
    assert len(open_log(tmp_path, "a")) == 1
    with pytest.raises(FormatError, match="holds no scene 'c'"):
        open_log(tmp_path, "c")


Damage = Callable[[Path], object]


def labels_of(content: str) -> Damage:
    return lambda folder: (folder / "label/000007.json").write_text(content, encoding="utf-8")


def calibration_of(change: Callable[[dict[str, Any]], object]) -> Damage:
    def damage(folder: Path) -> None:
        file = folder / "calib/camera/front.json"
        content = json.loads(file.read_text(encoding="utf-8"))
        change(content)
        file.unlink()
        file.write_text(json.dumps(content), encoding="utf-8")

    return damage


CASES: dict[str, tuple[Damage, str]] = {
    "no json": (labels_of("{"), "line 1"),
    "a number": (labels_of("7"), "must be a list"),
    "no psr": (labels_of('[{"obj_id": "a"}]'), "0: without the key 'psr'"),
    "no z": (labels_of(json.dumps([box(position={"x": 1, "y": 2})])), "0.psr.position: without the key 'z'"),
    "a word": (
        labels_of(json.dumps([box(position={"x": "1", "y": 2, "z": 3})])),
        "0.psr.position.x: must be a",
    ),
    "no size": (labels_of(json.dumps([box(scale={"x": 1, "y": 0, "z": 1})])), "0.psr: the size of a box"),
    "negative size": (
        labels_of(json.dumps([box(scale={"x": -1, "y": 1, "z": 1})])),
        "0.psr: the size of a box",
    ),
    "far away": (labels_of(json.dumps([box(position={"x": 1e300, "y": 2, "z": 3})])), "this far away"),
    "NaN": (labels_of('[{"psr": {"position": {"x": NaN}}}]'), "a finite number is needed"),
    "twice": (labels_of(json.dumps([box(), box()])), "'a' stands twice in this frame"),
    "id of a list": (labels_of(json.dumps([{**box(), "obj_id": []}])), "an id is a text"),
    "type of a number": (labels_of(json.dumps([{**box(), "obj_type": 3}])), "obj_type: must be a text"),
    "no extrinsic": (calibration_of(lambda c: c.pop("extrinsic")), "without the key 'extrinsic'"),
    "short extrinsic": (calibration_of(lambda c: c["extrinsic"].pop()), "needs 16 or 12 numbers, not 15"),
    "stretched extrinsic": (calibration_of(lambda c: c["extrinsic"].__setitem__(0, 3)), "stretches space"),
    "words for intrinsic": (calibration_of(lambda c: c.update(intrinsic="f")), "intrinsic: must be a list"),
    "no image": (lambda folder: (folder / "camera/front/000007.jpg").unlink(), "no image tells the size"),
    "a name": (
        lambda folder: (folder / "label/last.json").write_text("[]"),
        "the name of a frame is a number",
    ),
    "two names of one instant": (
        lambda folder: (folder / "label/7.json").write_text("[]"),
        "two names of frames mean one instant",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_damaged_scenes(shared_data: Path, tmp_path: Path, case: str) -> None:
    folder = small(shared_data, tmp_path / "s", [box()])
    damage, said = CASES[case]
    damage(folder)
    with pytest.raises(FormatError) as raised:
        read_labels(folder, open_log(folder, "s"))
    message = str(raised.value)
    assert said in message and str(folder) in message and "\n" not in message
