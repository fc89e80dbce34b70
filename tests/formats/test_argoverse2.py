"""Argoverse 2 read: the real log, and small ones written here, whole and damaged."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather

from formats.argoverse2 import ARGOVERSE2
from formats.errors import FormatError
from formats.images import write_rgb
from formats.registry import find_format
from fusion import Boxes, DriveLog, LabelSet
from fusion.align import points_in_ego
from fusion.overlap import count_points_in_boxes

LOG_ID = "7fab2350-7eaf-3b7e-a39d-6937a4c1bede"
START_NS, FRAME_NS = 315_966_253_000_000_000, 100_000_000
CAMERA = "ring_front_center"


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "argoverse2" / LOG_ID


@pytest.fixture(scope="module")
def log(folder: Path) -> DriveLog:
    return ARGOVERSE2.open_log(folder.parent, LOG_ID)


@pytest.fixture(scope="module")
def labels(folder: Path, log: DriveLog) -> LabelSet:
    return ARGOVERSE2.read_labels(folder, log)


def test_a_log_and_a_folder_of_logs_are_found(folder: Path, tmp_path: Path) -> None:
    assert find_format(folder) is find_format(folder.parent) is ARGOVERSE2
    assert ARGOVERSE2.log_ids(folder) == ARGOVERSE2.log_ids(folder.parent) == [LOG_ID]
    assert not ARGOVERSE2.recognises(tmp_path) and not ARGOVERSE2.recognises(tmp_path / "nothing")
    with pytest.raises(FormatError, match="no Argoverse 2 log 'other'"):
        ARGOVERSE2.open_log(folder, "other")


def test_the_real_log(log: DriveLog, labels: LabelSet) -> None:
    assert len(log) == 156 and labels.annotation_count == 11_364 and len(labels.tracks) == 114
    assert labels.timestamps_ns() == log.timestamps_ns.tolist()
    assert [len(refs) for refs in log.sweeps.values()] == [2, 2] and not log.images
    assert len(log.missing) == 2 * 154 and len(log.rig.cameras) == 9
    assert log.rig.main_lidar.name == "up_lidar"
    assert all(log.trajectory.covers(t) for t in log.timestamps_ns.tolist())


def test_boxes_hold_the_points_that_the_data_set_counted(log: DriveLog, labels: LabelSet) -> None:
    compared = 0
    for upper, lower in zip(log.sweeps["up_lidar"], log.sweeps["down_lidar"], strict=True):
        points = np.concatenate([points_in_ego(log, ref.read()) for ref in (upper, lower)])
        annotations = [annotation for _, annotation in labels.at(upper.timestamp_ns)]
        counts = count_points_in_boxes(points, Boxes.stack(a.box for a in annotations))
        told = np.array([a.attributes["num_interior_pts"] for a in annotations])
        # Half floats lie on faces now and then, and go through the frame of the LiDAR here.
        assert np.abs(counts - told).max() <= 2 and (counts == told).mean() > 0.9
        compared += len(told)
    assert compared == 162


def test_lasers_belong_to_the_lidar_that_they_are_given_to(log: DriveLog) -> None:
    """Seen from its own LiDAR a laser sweeps a cone: its elevation stays the same."""
    for refs in log.sweeps.values():
        sweep = refs[0].read()
        range_m = np.linalg.norm(sweep.points, axis=1)
        elevation_deg = np.degrees(np.arcsin(sweep.points[:, 2] / np.maximum(range_m, 1e-6)))
        near = (range_m > 4) & (range_m < 15)
        spreads = [elevation_deg[near & (sweep.ring == r)].std() for r in np.unique(sweep.ring[near])]
        assert np.median(spreads) < 0.06
        assert sweep.stamps == "start" and sweep.deskewed
        assert sweep.offset_ns.min() >= 0 and sweep.offset_ns.max() < 110_000_000


def test_moving_vehicles_drive_forwards(log: DriveLog, labels: LabelSet) -> None:
    moving = 0
    for track in labels.tracks.values():
        if track.category != "REGULAR_VEHICLE":
            continue
        first, last = (track.annotations[t] for t in (min(track.annotations), max(track.annotations)))
        poses = [log.trajectory.at(a.timestamp_ns) @ a.box.ego_from_box for a in (first, last)]
        step = poses[1].translation - poses[0].translation
        if np.linalg.norm(step) > 20:
            moving += 1
            headings = poses[0].rotation[:, 0] + poses[1].rotation[:, 0]
            assert step @ headings > 0
    assert moving >= 3


# Small logs


def written(path: Path, **columns: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    feather.write_feather(pa.table(columns), path)


def poses_of(count: int) -> dict[str, Any]:
    turns = np.zeros((4, count))
    turns[0] = 1
    return {
        "timestamp_ns": START_NS + FRAME_NS * np.arange(count),
        **dict(zip(("qw", "qx", "qy", "qz"), turns, strict=True)),
        "tx_m": np.arange(count, dtype=np.float64),
        "ty_m": np.zeros(count),
        "tz_m": np.zeros(count),
    }


def cuboids() -> dict[str, Any]:
    """Two frames of a car, one of a pedestrian."""
    return {
        "timestamp_ns": START_NS + FRAME_NS * np.array([1, 2, 2]),
        "track_uuid": ["car", "car", "walker"],
        "category": ["REGULAR_VEHICLE", "REGULAR_VEHICLE", "PEDESTRIAN"],
        "length_m": [4.0, 4.0, 0.6],
        "width_m": [2.0, 2.0, 0.5],
        "height_m": [1.5, 1.5, 1.7],
        "qw": np.full(3, np.cos(0.25)),
        "qx": np.zeros(3),
        "qy": np.zeros(3),
        "qz": np.full(3, np.sin(0.25)),
        "tx_m": [10.0, 9.0, 5.0],
        "ty_m": [1.0, 1.0, -3.0],
        "tz_m": [0.7, 0.7, 0.8],
        "num_interior_pts": [120, 130, 14],
    }


def points() -> dict[str, Any]:
    return {
        "x": np.array([10.0, 20.0, 5.5], np.float16),
        "y": np.array([1.0, -2.0, 0.0], np.float16),
        "z": np.array([0.5, 0.25, 1.0], np.float16),
        "intensity": np.array([7, 0, 255], np.uint8),
        "laser_number": np.array([0, 31, 32], np.uint8),
        "offset_ns": np.array([5, 50_000_000, 99], np.int32),
    }


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A log of two sweeps and one image; the second annotated frame has no sweep."""
    root = tmp_path / "val" / "log-a"
    places = {
        "sensor_name": [CAMERA, "down_lidar", "up_lidar"],
        "qw": [0.5, 0.0, 1.0],
        "qx": [-0.5, -1.0, 0.0],
        "qy": [0.5, 0.0, 0.0],
        "qz": [-0.5, 0.0, 0.0],
        "tx_m": [1.6, 1.3, 1.3],
        "ty_m": [0.0, 0.0, 0.0],
        "tz_m": [1.4, 1.5, 1.6],
    }
    intrinsics = {
        "sensor_name": [CAMERA],
        **{"fx_px": [90.0], "fy_px": [90.0], "cx_px": [31.5], "cy_px": [23.5]},
        **{"k1": [0.0], "k2": [0.0], "k3": [0.0], "width_px": [64], "height_px": [48]},
    }
    written(root / "calibration" / "egovehicle_SE3_sensor.feather", **places)
    written(root / "calibration" / "intrinsics.feather", **intrinsics)
    written(root / "city_SE3_egovehicle.feather", **poses_of(5))
    written(root / "annotations.feather", **cuboids())
    for frame in (1, 3):
        written(root / "sensors" / "lidar" / f"{START_NS + frame * FRAME_NS}.feather", **points())
    image = root / "sensors" / "cameras" / CAMERA / f"{START_NS + 7}.jpg"
    image.parent.mkdir(parents=True)
    write_rgb(image, np.zeros((48, 64, 3), np.uint8))
    return root


def read_everything(path: Path) -> tuple[DriveLog, LabelSet]:
    log = ARGOVERSE2.open_log(path, path.name)
    labels = ARGOVERSE2.read_labels(path, log)
    for refs in (*log.sweeps.values(), *log.images.values()):
        for ref in refs:
            ref.read()
    return log, labels


def test_a_small_log(small: Path) -> None:
    log, labels = read_everything(small)
    assert log.name == "log-a" and ARGOVERSE2.log_ids(small.parent) == ["log-a"]
    assert ((log.timestamps_ns - START_NS) / FRAME_NS).tolist() == [1, 2, 3]
    assert [(m.sensor, m.timestamp_ns) for m in log.missing] == [
        (name, START_NS + 2 * FRAME_NS) for name in ("up_lidar", "down_lidar")
    ]
    upper, lower = (log.sweeps[name][0].read() for name in ("up_lidar", "down_lidar"))
    assert points_in_ego(log, upper).tolist() == pytest.approx(
        np.array([[10, 1, 0.5], [20, -2, 0.25]]), abs=1e-5
    )
    assert lower.points[0] == pytest.approx([4.2, 0.0, 0.5], abs=1e-5)  # it hangs upside down
    assert lower.ring.tolist() == [32] and lower.intensity.tolist() == [255] and upper.offset_ns[1] == 5e7
    assert log.images[CAMERA][0].timestamp_ns == START_NS + 7
    car = labels.tracks["car"].annotations[START_NS + FRAME_NS]
    assert car.box.yaw_rad == pytest.approx(0.5) and car.box.size_lwh_m.tolist() == [4.0, 2.0, 1.5]
    assert dict(car.attributes) == {"num_interior_pts": 120} and car.score is None
    assert labels.tracks["walker"].category == "PEDESTRIAN"


def test_opening_reads_no_points(small: Path) -> None:
    for path in (small / "sensors" / "lidar").iterdir():
        path.write_bytes(b"not read")
    log = ARGOVERSE2.open_log(small, "log-a")
    with pytest.raises(FormatError, match="not a Feather table"):
        log.sweeps["up_lidar"][0].read()


def test_sensors_or_labels_may_be_missing(small: Path) -> None:
    shutil.rmtree(small / "sensors")
    log, labels = read_everything(small)
    assert len(log) == 2 and not log.sweeps and not log.images and log.missing == ()
    assert labels.annotation_count == 3
    (small / "annotations.feather").unlink()
    with pytest.raises(FormatError, match="neither sweeps nor annotations"):
        ARGOVERSE2.open_log(small, "log-a")
    written(small / "sensors" / "lidar" / f"{START_NS}.feather", **points())
    log, labels = read_everything(small)
    assert len(log) == 1 and labels == LabelSet()


def test_a_class_that_changes_and_columns_that_nobody_knows_are_kept(small: Path) -> None:
    table = cuboids()
    table["category"] = ["REGULAR_VEHICLE", "BOX_TRUCK", "PEDESTRIAN"]
    table["note"] = ["here", None, "süß"]
    table["speed"] = [1.5, float("nan"), 0.0]
    table["shape"] = [[1, 2], [3], []]
    written(small / "annotations.feather", **table)
    car = read_everything(small)[1].tracks["car"]
    assert car.category == "REGULAR_VEHICLE"
    first, second = car.annotations.values()
    assert dict(first.attributes) == {"num_interior_pts": 120, "note": "here", "speed": 1.5}
    assert dict(second.attributes) == {"num_interior_pts": 130, "category": "BOX_TRUCK"}


def test_labels_of_another_log_are_refused(small: Path) -> None:
    log, _ = read_everything(small)
    other = small.parent / "log-b"
    shutil.copytree(small, other)
    with pytest.raises(FormatError, match="no Argoverse 2 log 'log-a'"):
        ARGOVERSE2.read_labels(other, log)
    table = cuboids()
    table["timestamp_ns"] = table["timestamp_ns"] + 3
    written(small / "annotations.feather", **table)
    with pytest.raises(FormatError, match=r"row 0: .* is no frame of the log log-a"):
        ARGOVERSE2.read_labels(small, log)


Damage = Callable[[Path], None]


def table_with(make: Callable[[], dict[str, Any]], **columns: Any) -> Damage:
    """The table with other columns; without those that are None."""

    def damage(file: Path) -> None:
        changed = {**make(), **columns}
        written(file, **{name: column for name, column in changed.items() if column is not None})

    return damage


def content(replacement: bytes) -> Damage:
    return lambda file: file.write_bytes(replacement)


def shortened(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def five_poses() -> dict[str, Any]:
    return poses_of(5)


POSES, BOXES = "city_SE3_egovehicle.feather", "annotations.feather"
SWEEP = f"sensors/lidar/{START_NS + FRAME_NS}.feather"
NAN = float("nan")
DAMAGE = {
    "poses of nothing": (POSES, content(b""), "not a Feather table"),
    "poses cut short": (POSES, shortened, "not a Feather table"),
    "poses in no order": (POSES, table_with(five_poses, timestamp_ns=[1, 2, 2, 3, 4]), "must rise"),
    "no poses": (POSES, table_with(lambda: poses_of(0)), "at least one"),
    "poses without qz": (POSES, table_with(five_poses, qz=None), "without the column 'qz'"),
    "poses with NaN": (POSES, table_with(five_poses, tx_m=[0, 1, NAN, 3, 4]), "tx_m, row 2: a number"),
    "a turn of no length": (POSES, table_with(five_poses, qw=[1.0, 1, 0, 1, 1]), "row 2: a quaternion"),
    "times of floats": (POSES, table_with(five_poses, timestamp_ns=np.arange(5.0)), "whole numbers"),
    "boxes of text": (BOXES, content(b"ARROW1 or so"), "not a Feather table"),
    "boxes without ids": (BOXES, table_with(cuboids, track_uuid=None), "without the column 'track_uuid'"),
    "an empty class": (BOXES, table_with(cuboids, category=["a", None, "b"]), "category: 1 of 3 rows"),
    "classes of numbers": (BOXES, table_with(cuboids, category=[1, 2, 3]), "must be texts"),
    "a flat box": (BOXES, table_with(cuboids, height_m=[1.5, 0.0, 1]), "row 1: the size"),
    "an endless box": (BOXES, table_with(cuboids, length_m=[4, 4, np.inf]), "length_m, row 2"),
    "a box with NaN": (BOXES, table_with(cuboids, ty_m=[NAN, 0, 0]), "ty_m, row 0"),
    "a box turned by nothing": (BOXES, table_with(cuboids, qw=np.zeros(3), qz=np.zeros(3)), "row 0: a quat"),
    "a box twice": (BOXES, table_with(cuboids, track_uuid=["car"] * 3), "row 2: a second cuboid of car"),
    "sizes of words": (BOXES, table_with(cuboids, width_m=["a", "b", "c"]), "width_m: must be numbers"),
    "an enormous time": (
        BOXES,
        table_with(cuboids, timestamp_ns=np.full(3, 2**64 - 1, np.uint64)),
        "too large",
    ),
    "a sweep cut short": (SWEEP, shortened, "not a Feather table"),
    "a sweep without z": (SWEEP, table_with(points, z=None), "without the column 'z'"),
    "points with NaN": (SWEEP, table_with(points, x=np.array([NAN, 1, 2], np.float16)), "x, row 0"),
    "a 65th laser": (SWEEP, table_with(points, laser_number=[0, 64, 1]), "a laser that neither"),
    "a late point": (SWEEP, table_with(points, offset_ns=[0, 2**31 - 1, 1]), "more than a second"),
    "points of words": (SWEEP, table_with(points, y=["a", "b", "c"]), "y: must be numbers"),
    "an image of nothing": (f"sensors/cameras/{CAMERA}/{START_NS + 7}.jpg", content(b""), "image"),
    "a sweep of no time": ("sensors/lidar/first.feather", content(b""), "not named after a time"),
    "an image of no time": (f"sensors/cameras/{CAMERA}/-5.jpg", content(b""), "not named after a time"),
    "no lens": ("calibration/intrinsics.feather", content(b"x"), "not a Feather table"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged(small: Path, case: str) -> None:
    name, damage, said = DAMAGE[case]
    damage(small / name)
    with pytest.raises(FormatError) as raised:
        read_everything(small)
    message = str(raised.value)
    assert message.startswith(str(small / name)) and said in message
    assert "\n" not in message and len(message) < 600


def test_without_the_lower_lidar_nothing_is_guessed(small: Path) -> None:
    file = small / "calibration" / "egovehicle_SE3_sensor.feather"
    table = feather.read_table(file).to_pydict()
    table["sensor_name"][1] = "side_lidar"
    written(file, **table)
    with pytest.raises(FormatError, match="without the place of down_lidar"):
        ARGOVERSE2.open_log(small, "log-a")
