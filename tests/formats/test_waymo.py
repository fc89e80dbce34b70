"""Waymo Open v2 read: a segment made after the public schemas, whole and damaged. No real file is here."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from formats.errors import FormatError
from formats.waymo import WAYMO
from formats.waymo.component import Component
from fusion import DriveLog, LabelSet
from fusion.align import points_in_ego
from tests.formats import waymo_segment as made
from tests.formats.damage import survive

LABELLED = ("lidar_box", "camera_box", "camera_to_lidar_box_association")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made.make_waymo(tmp_path / "training")
    return tmp_path / "training"


def read_everything(path: Path) -> tuple[DriveLog, LabelSet]:
    log = WAYMO.open_log(path, made.SEGMENT)
    labels = WAYMO.read_labels(path, log)
    for refs in (*log.sweeps.values(), *log.images.values()):
        for ref in refs:
            ref.read()
    return log, labels


def test_a_split_and_a_folder_of_splits_are_found(folder: Path, tmp_path: Path) -> None:
    assert WAYMO.recognises(folder) and WAYMO.recognises(tmp_path)
    assert WAYMO.log_ids(folder) == WAYMO.log_ids(tmp_path) == [made.SEGMENT]
    assert not WAYMO.recognises(tmp_path / "nothing") and not WAYMO.recognises(folder / "lidar")
    for name in ("other", "", "../training"):
        with pytest.raises(FormatError, match="holds no segment"):
            WAYMO.open_log(folder, name)


def test_the_log(folder: Path) -> None:
    log, labels = read_everything(folder)
    assert len(log) == made.FRAMES and log.missing == ()
    assert [*log.rig.lidars] == ["LIDAR_TOP", "LIDAR_FRONT"]
    assert [*log.rig.cameras] == ["CAM_FRONT", "CAM_SIDE_LEFT"]
    assert log.metadata["location"] == "location_sf" and log.metadata["weather"] == "sunny"
    assert [len(refs) for refs in log.sweeps.values()] == [made.FRAMES] * 2
    assert labels.annotation_count == 2 * made.FRAMES and set(labels.tracks) >= {made.CAR, made.WALKER}
    assert log.timestamps_ns[0] == made.START_US * 1000


def test_points_stand_still_in_the_world(folder: Path) -> None:
    """The wall is where it is, whatever way the car drove while the beam went around."""
    log, _ = read_everything(folder)
    center = made.TRUTH.world_from_ego(0).translation
    for name, refs in log.sweeps.items():
        for ref in refs:
            sweep = ref.read()
            points = log.trajectory.at(ref.timestamp_ns) @ points_in_ego(log, sweep).astype(np.float64)
            away_m = np.linalg.norm((points - center)[:, :2], axis=1)
            assert np.abs(away_m - made.WALL_M).max() < 2e-3, name
            assert len(sweep) > 5000 and sweep.deskewed and sweep.stamps == "start"
            assert sweep.intensity is not None and sweep.ring is not None
            assert 0 <= sweep.ring.min() <= sweep.ring.max() == made.BEAMS - 1


def test_beams_point_where_their_row_says(folder: Path) -> None:
    log, _ = read_everything(folder)
    sweep = log.sweeps["LIDAR_FRONT"][0].read()
    elevation = np.arctan2(sweep.points[:, 2], np.linalg.norm(sweep.points[:, :2], axis=1))
    assert np.abs(elevation - made.inclinations(2)[::-1][sweep.ring]).max() < 1e-6
    first = sweep.points[sweep.ring == 0][0] @ np.diag([1, 1, 0])
    ego_azimuth = np.arctan2(*log.rig.lidars["LIDAR_FRONT"].ego_from_sensor.rotate(first)[1::-1])
    assert ego_azimuth == pytest.approx(np.pi - np.pi / made.COLUMNS, abs=1e-6)


def test_a_camera_looks_ahead_and_reads_out_sideways(folder: Path) -> None:
    log, _ = read_everything(folder)
    camera = log.rig.cameras["CAM_FRONT"]
    assert camera.ego_from_sensor.rotate(np.array([0.0, 0, 1])) == pytest.approx([1, 0, 0])
    assert camera.ego_from_sensor.rotate(np.array([1.0, 0, 0])) == pytest.approx([0, -1, 0])
    assert camera.readout == "right" and log.rig.cameras["CAM_SIDE_LEFT"].readout == "down"
    assert abs(camera.readout_ns - 45_000_000) < 1000 and abs(camera.exposure_ns - 4_000_000) < 1000
    assert (camera.model.cx_px, camera.model.cy_px) == (96.0, 63.75)  # type: ignore[attr-defined]
    for frame, image in enumerate(log.images["CAM_FRONT"]):
        middle_s = made.trigger_s(frame, 1) + (made.SHUTTER_S + made.READOUT_S) / 2
        assert abs(image.timestamp_ns - middle_s * 1e9) < 1000
        assert log.trajectory.covers(image.timestamp_ns)
        assert np.abs(image.read().astype(int) - made.picture(frame, 1)).max() <= 4


def test_the_trajectory_is_that_of_frames_and_images(folder: Path) -> None:
    log, _ = read_everything(folder)
    assert len(log.trajectory.timestamps_ns) == made.FRAMES * 3 + 2
    for image in log.images["CAM_SIDE_LEFT"]:
        truth = made.TRUTH.world_from_ego(image.timestamp_ns / 1e9 - made.START_US / 1e6)
        assert log.trajectory.at(image.timestamp_ns).is_close(truth, 1e-3)


def test_labels_in_space_and_in_images(folder: Path) -> None:
    log, labels = read_everything(folder)
    car, walker = (labels.tracks[id].annotations[int(log.timestamps_ns[1])] for id in (made.CAR, made.WALKER))
    assert (labels.tracks[made.CAR].category, labels.tracks[made.WALKER].category) == (
        "VEHICLE",
        "PEDESTRIAN",
    )
    assert car.box.center.tolist() == [11.0, 2.0, 0.8] and car.box.size_lwh_m.tolist() == [4.5, 2.0, 1.6]
    assert car.box.yaw_rad == pytest.approx(0.35)
    assert car.attributes["speed"] == [0.0, 1.0, 2.0] and car.attributes["num_lidar_points_in_box"] == 8
    assert "difficulty_level.detection" not in car.attributes and "speed" not in walker.attributes
    assert walker.attributes["difficulty_level.tracking"] == 2
    first = log.images["CAM_FRONT"][0].timestamp_ns
    drawn = labels.tracks[made.WALKER].image_boxes["CAM_FRONT", first]
    assert (drawn.left_px, drawn.top_px, drawn.right_px, drawn.bottom_px) == (25, 10, 35, 30)
    assert drawn.attributes == {"camera_object_id": made.DRAWN}
    assert labels.tracks["nobody"].category == "CYCLIST" and not labels.tracks["nobody"].annotations


def test_components_may_be_missing(folder: Path) -> None:
    for name in ("stats", "camera_to_lidar_box_association", "lidar_box", "camera_box", "lidar_pose"):
        (folder / name / f"{made.SEGMENT}.parquet").unlink()
    log, labels = read_everything(folder)
    assert labels == LabelSet() and len(log.sweeps) == 2
    for name in ("camera_image", "lidar"):
        (folder / name / f"{made.SEGMENT}.parquet").unlink()
    log, _ = read_everything(folder)
    assert not log.sweeps and not log.images and len(log) == made.FRAMES


def test_a_row_is_read_without_the_others(folder: Path) -> None:
    file = folder / "camera_image" / f"{made.SEGMENT}.parquet"
    table = Component(file, "CameraImageComponent")
    columns = ["key.frame_timestamp_micros", "key.camera_name"]
    whole = parquet.read_table(file, columns=columns).to_pylist()
    for number, row in enumerate(whole):
        assert {name: value.as_py() for name, value in table.row(number, columns).items()} == row
    with pytest.raises(FormatError, match="has changed"):
        table.row(len(whole), columns)


Damage = Callable[[dict[str, Any]], None]
IMAGE, LIDAR = "[CameraImageComponent]", "[LiDARComponent].range_image_return1"


def put(column: str, values: Any) -> Damage:
    return lambda columns: columns.__setitem__(column, values)


def without(column: str) -> Damage:
    return lambda columns: columns.pop(column)


SHAPES = pa.list_(pa.int32(), 3)
BOX = "[LiDARBoxComponent]"
DAMAGE: dict[str, tuple[str, Damage, str]] = {
    "no pose": ("vehicle_pose", without("[VehiclePoseComponent].world_from_vehicle.transform"), "without"),
    "poses of words": (
        "vehicle_pose",
        put("[VehiclePoseComponent].world_from_vehicle.transform", [["a"]] * made.FRAMES),
        "numbers",
    ),
    "a pose that stretches": (
        "vehicle_pose",
        put("[VehiclePoseComponent].world_from_vehicle.transform", [[2.0] * 16] * made.FRAMES),
        "row 0",
    ),
    "frames twice": ("vehicle_pose", put("key.frame_timestamp_micros", [made.START_US] * 4), "one pose"),
    "frames of no time": ("vehicle_pose", put("key.frame_timestamp_micros", [2**60] * 4), "a time that"),
    "a LiDAR 9": ("lidar", put("key.laser_name", pa.array([9] * 8, pa.int8())), "there is no sensor 9"),
    "two sweeps": ("lidar", put("key.laser_name", pa.array([1] * 8, pa.int8())), "a second sweep"),
    "a huge image": ("lidar", put(f"{LIDAR}.shape", pa.array([[2**30] * 3] * 8, SHAPES)), "of shape"),
    "a negative image": ("lidar", put(f"{LIDAR}.shape", pa.array([[-1, -4, 1]] * 8, SHAPES)), "of shape"),
    "a wrong shape": ("lidar", put(f"{LIDAR}.shape", pa.array([[16, 360, 5]] * 8, SHAPES)), "numbers for"),
    "too few beams": (
        "lidar_calibration",
        put("[LiDARCalibrationComponent].beam_inclination.values", [[0.1, 0.2], None]),
        "2 inclinations",
    ),
    "a lens of nothing": (
        "camera_calibration",
        put("[CameraCalibrationComponent].intrinsic.f_u", [0.0, 1.0]),
        "focal lengths",
    ),
    "an image without end": (
        "camera_calibration",
        put("[CameraCalibrationComponent].width", [2**31 - 1] * 2),
        "an image cannot be",
    ),
    "no jpeg": ("camera_image", put(f"{IMAGE}.image", pa.array([b"no"] * 8)), "not an image"),
    "an empty image": (
        "camera_image",
        put(f"{IMAGE}.image", pa.array([None] * 8, pa.binary())),
        "without an",
    ),
    "times of NaN": (
        "camera_image",
        put(f"{IMAGE}.rolling_shutter_params.camera_trigger_time", [float("nan")] * 8),
        "not finite",
    ),
    "a flat box": ("lidar_box", put(f"{BOX}.box.size.z", [0.0] * 8), "row 0: the size"),
    "a box of no type": ("lidar_box", put(f"{BOX}.type", pa.array([77] * 8, pa.int8())), "no type 77"),
    "a box twice": ("lidar_box", put("key.laser_object_id", [made.CAR] * 8), "a second box"),
    "a box far off": ("lidar_box", put(f"{BOX}.box.center.x", [1e300] * 8), "cannot be"),
    "a box at no frame": ("lidar_box", put("key.frame_timestamp_micros", [5] * 8), "is no frame"),
    "a box of a gap": ("lidar_box", put(f"{BOX}.box.heading", pa.array([None] * 8, pa.float64())), "empty"),
    "ids of numbers": ("camera_box", put("key.camera_object_id", [1, 2]), "must be texts"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged(folder: Path, case: str) -> None:
    name, damage, said = DAMAGE[case]
    columns = made.components()[name]
    damage(columns)
    file = folder / name / f"{made.SEGMENT}.parquet"
    parquet.write_table(pa.table(columns), file)
    with pytest.raises(FormatError) as raised:
        read_everything(folder)
    message = str(raised.value)
    assert str(file) in message and said in message and "\n" not in message and len(message) < 600


def test_random_damage(folder: Path) -> None:
    files = sorted(folder.rglob("*.parquet"))
    told, done = survive(files, lambda: read_everything(folder), each=15)
    assert told > 50 and told + done == 15 * len(files)
