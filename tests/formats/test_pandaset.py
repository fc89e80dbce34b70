"""PandaSet read: the real sequence, held against its own files."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calib import SE3
from formats.errors import FormatError
from formats.pandaset import PANDASET
from formats.pickles import read_frame
from formats.registry import find_format
from fusion import Boxes, DriveLog, LabelSet
from fusion.align import cam_at_shot_from_ego, cloud_in_image, points_in_ego
from fusion.categories import kind_of
from fusion.overlap import points_in_boxes

CAR, PICKUP = 13, 14


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "pandaset" / "002"


@pytest.fixture(scope="module")
def log(folder: Path) -> DriveLog:
    return PANDASET.open_log(folder.parent, "002")


@pytest.fixture(scope="module")
def labels(folder: Path, log: DriveLog) -> LabelSet:
    return PANDASET.read_labels(folder, log)


def test_a_sequence_and_a_folder_of_sequences_are_found(folder: Path, tmp_path: Path) -> None:
    assert find_format(folder) is find_format(folder.parent) is PANDASET
    assert PANDASET.log_ids(folder) == PANDASET.log_ids(folder.parent) == ["002"]
    assert not PANDASET.recognises(tmp_path)
    with pytest.raises(FormatError, match="no PandaSet sequence '003'"):
        PANDASET.open_log(folder, "003")


def test_opening_reads_no_points(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> None:
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr("formats.pandaset.pandaset.read_frame", fail)
    log = PANDASET.open_log(folder, "002")
    assert len(log) == 22 and log.missing == ()
    with pytest.raises(AssertionError, match=r"00\.pkl\.gz was read"):
        log.sweeps["pandar64"][0].read()


def test_points_are_those_of_the_file(folder: Path, log: DriveLog) -> None:
    table = read_frame(folder / "lidar" / "03.pkl.gz")
    world = np.column_stack([table[axis] for axis in "xyz"])
    for device, name in enumerate(("pandar64", "pandar_gt")):
        sweep = log.sweeps[name][3].read()
        own = table["d"] == device
        world_from_ego = log.trajectory.at(sweep.timestamp_ns)
        assert np.abs(world_from_ego @ points_in_ego(log, sweep) - world[own]).max() < 1e-4
        assert np.array_equal(sweep.intensity, table["i"][own].astype(np.float32))
        seconds = sweep.timestamp_ns / 1e9 + sweep.offset_ns / 1e9
        assert np.abs(seconds - table["t"][own]).max() < 1e-6
        assert sweep.stamps == "end" and sweep.deskewed


def test_times_are_exact_to_the_microsecond(folder: Path, log: DriveLog) -> None:
    text = (folder / "lidar" / "timestamps.json").read_text(encoding="utf-8")
    seconds = text.strip("[] \n").split(", ")
    assert [f"{t / 1e9:.6f}".rstrip("0") for t in log.timestamps_ns] == [s.rstrip("0") for s in seconds]
    assert not (log.timestamps_ns % 1000).any()


def test_the_ego_frame_looks_ahead(log: DriveLog) -> None:
    way = log.trajectory.at(int(log.timestamps_ns[0])).inverse() @ log.trajectory.world_from_ego.translations
    assert way[-1, 0] > 4 and abs(way[-1, 1]) < 0.2
    axes = {name: camera.ego_from_sensor.rotation[:, 2] for name, camera in log.rig.cameras.items()}
    assert axes["front_camera"][0] > 0.99 and axes["back_camera"][0] < -0.99
    assert axes["left_camera"][1] > 0.9 and axes["right_camera"][1] < -0.9
    assert next(iter(log.rig.cameras)) == "front_camera"


def test_every_image_is_where_its_own_pose_says(folder: Path, log: DriveLog) -> None:
    """One place a camera explains all 132 poses to a centimetre and a twelfth of a degree."""
    for name, refs in log.images.items():
        rows = json.loads((folder / "camera" / name / "poses.json").read_text(encoding="utf-8"))
        ego_from_cam = log.rig.cameras[name].ego_from_sensor
        for row, ref in zip(rows, refs, strict=True):
            world_from_cam = SE3.from_quaternion_wxyz(
                [row["heading"][k] for k in "wxyz"], [row["position"][k] for k in "xyz"]
            )
            cam_from_ego = ego_from_cam.inverse()
            cam_from_world = cam_from_ego @ log.trajectory.at(ref.timestamp_ns).inverse()
            off = cam_from_world @ world_from_cam
            assert np.linalg.norm(off.translation) < 0.0115
            assert np.degrees(np.arccos(min(1.0, (np.trace(off.rotation) - 1) / 2))) < 0.09


def test_the_trajectory_reaches_back_to_the_first_image(log: DriveLog) -> None:
    shots_ns = [ref.timestamp_ns for refs in log.images.values() for ref in refs]
    assert log.trajectory.start_ns == min(shots_ns) < log.timestamps_ns[0]
    assert all(log.trajectory.covers(t) for t in [*shots_ns, *log.timestamps_ns.tolist()])
    steps_m = np.linalg.norm(np.diff(log.trajectory.world_from_ego.translations, axis=0), axis=1)
    assert steps_m[0] < steps_m[1] < steps_m[2]  # the car gathers speed evenly from before the first sweep on


def test_images_are_lazy_and_of_the_size_of_the_model(log: DriveLog) -> None:
    assert log.images["back_camera"][21].read().shape == (1080, 1920, 3)


def inside_any(points: np.ndarray, labels: LabelSet, timestamp_ns: int, words: tuple[str, ...]) -> np.ndarray:
    boxes = Boxes.stack(a.box for track, a in labels.at(timestamp_ns) if track.category in words)
    wider = Boxes(boxes.dst_from_box, boxes.sizes_lwh_m + 0.2)
    inside = np.zeros(len(points), dtype=bool)
    inside[np.concatenate(points_in_boxes(points, wider))] = True
    return inside


@pytest.mark.parametrize("frame", [0, 13])
def test_boxes_stand_on_the_points_of_cars(folder: Path, log: DriveLog, labels: LabelSet, frame: int) -> None:
    """The data set also names the class of every point, independently of the boxes."""
    t = int(log.timestamps_ns[frame])
    classes = read_frame(folder / "annotations" / "semseg" / f"{frame:02d}.pkl.gz")["class"]
    devices = read_frame(folder / "lidar" / f"{frame:02d}.pkl.gz")["d"]
    points = points_in_ego(log, log.sweeps["pandar64"][frame].read())
    is_car = np.isin(classes[devices == 0], (CAR, PICKUP))
    inside = inside_any(points, labels, t, ("Car", "Pickup Truck"))
    assert inside[is_car].mean() > 0.97
    assert is_car[inside].mean() > 0.9


def test_moving_objects_drive_forwards(log: DriveLog, labels: LabelSet) -> None:
    moving = 0
    world_from_ego = {t: log.trajectory.at(t) for t in log.timestamps_ns.tolist()}
    for track in labels.tracks.values():
        places = {t: world_from_ego[t] @ a.box.ego_from_box for t, a in track.annotations.items()}
        first, last = places[min(places)], places[max(places)]
        step = last.translation - first.translation
        if np.linalg.norm(step) > 3:
            moving += 1
            assert step @ last.rotation[:, 0] > 0.9 * np.linalg.norm(step)
            box = track.annotations[min(places)].box
            assert box.length_m > box.width_m or not kind_of(track.category).is_vehicle
    assert moving > 15


def test_each_object_stands_once(log: DriveLog, labels: LabelSet) -> None:
    for t in log.timestamps_ns.tolist():
        boxes = [(track.category, annotation.box) for track, annotation in labels.at(t)]
        for index, (category, box) in enumerate(boxes):
            for other_category, other in boxes[:index]:
                apart_m = np.linalg.norm((box.center - other.center)[:2])
                assert apart_m > 0.4 or category != other_category
    assert len(labels.tracks) == 94 and labels.annotation_count == 2066


def test_what_else_a_cuboid_says_is_kept(labels: LabelSet) -> None:
    car = labels.tracks["f4089e55-8e66-44a6-ac72-59bf5ef7efa7"]
    assert car.category == "Car"
    assert dict(next(iter(car.annotations.values())).attributes) == {
        "stationary": False,
        "camera_used": 1,
        "object_motion": "Moving",
        "sibling_id": "f4089e55-8e66-44a6-ac72-59bf5ef7efa7",
        "sensor_id": 0,
    }
    walkers = [track for track in labels.tracks.values() if track.category.startswith("Pedestrian")]
    said = {key for track in walkers for a in track.annotations.values() for key in a.attributes}
    assert {"pedestrian_behavior", "pedestrian_age", "camera_used", "stationary"} <= said


def test_boxes_do_not_hang_on_the_trajectory_of_the_log(
    folder: Path, log: DriveLog, labels: LabelSet
) -> None:
    world_from_ego = SE3.from_yaw(1.0, (5, 6, 7)) @ log.trajectory.world_from_ego
    moved = replace(log, trajectory=replace(log.trajectory, world_from_ego=world_from_ego))
    again = PANDASET.read_labels(folder, moved)
    for id, track in labels.tracks.items():
        for t, annotation in track.annotations.items():
            assert annotation.box.ego_from_box.is_close(again.tracks[id].annotations[t].box.ego_from_box)


def test_points_of_the_road_fall_on_the_road(log: DriveLog) -> None:
    """Points just in front of the car lie in the lower half of the front image, at their depth."""
    t = int(log.timestamps_ns[10])
    sweep, image = log.sweep_at(t).read(), log.image_near("front_camera", t)
    seen = cloud_in_image(log, sweep, image)
    ahead = points_in_ego(log, sweep)[seen.index]
    road = (np.abs(ahead[:, 2]) < 0.3) & (ahead[:, 0] < 30)
    assert road.sum() > 300 and (seen.uv_px[road, 1] > 540).all()
    cam_from_ego = cam_at_shot_from_ego(log, image, t)
    assert np.allclose((cam_from_ego @ ahead)[:, 2], seen.depth_m, atol=1e-3)


@pytest.fixture
def three_frames(folder: Path, tmp_path: Path) -> Iterator[Path]:
    yield cut(folder, tmp_path / "040", 3)


def cut(folder: Path, target: Path, frames: int) -> Path:
    """The first frames of the sequence with its front camera."""
    for part in ("lidar", "camera/front_camera", "annotations/cuboids"):
        (target / part).mkdir(parents=True)
        for file in (folder / part).iterdir():
            if file.suffix == ".json":
                rows = json.loads(file.read_text(encoding="utf-8"))
                kept = rows[:frames] if isinstance(rows, list) else rows
                (target / part / file.name).write_text(json.dumps(kept), encoding="utf-8")
            elif int(file.name[:2]) < frames:
                shutil.copy(file, target / part / file.name)
    return target


def test_missing_frames_are_known_and_skipped(three_frames: Path) -> None:
    for name in ("lidar/01.pkl.gz", "camera/front_camera/02.jpg", "annotations/cuboids/00.pkl.gz"):
        (three_frames / name).unlink()
    log = PANDASET.open_log(three_frames, "040")
    t = log.timestamps_ns.tolist()
    shot_ns = t[2] - 49_821_000
    assert [(gap.sensor, gap.timestamp_ns) for gap in log.missing] == [
        ("pandar64", t[1]),
        ("pandar_gt", t[1]),
        ("cuboids", t[0]),
        ("front_camera", pytest.approx(shot_ns, abs=5_000)),
    ]
    assert log.missing[0].reason == "no file lidar/01.pkl.gz"
    assert [ref.timestamp_ns for ref in log.sweeps["pandar64"]] == [t[0], t[2]]
    assert len(log.images["front_camera"]) == 2
    assert log.sweep_at(t[1]) is None
    assert PANDASET.read_labels(three_frames, log).timestamps_ns() == t[1:]


def test_labels_without_points_are_a_log(three_frames: Path) -> None:
    for file in (three_frames / "lidar").glob("*.gz"):
        file.unlink()
    log = PANDASET.open_log(three_frames, "040")
    assert log.sweeps["pandar64"] == () and len(log) == 3
    assert PANDASET.read_labels(three_frames, log).annotation_count > 200


def test_a_single_frame_opens_without_the_cameras_that_cannot_be_placed(folder: Path, tmp_path: Path) -> None:
    single = cut(folder, tmp_path / "041", 1)
    log = PANDASET.open_log(single, "041")
    assert len(log) == 1 and not log.rig.cameras
    assert len(log.sweeps["pandar64"][0].read()) > 100_000


def test_a_lone_cuboid_of_the_forward_lidar_counts_for_its_sibling(
    three_frames: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In frame 1 the spinning LiDAR's cuboid is taken away: the other one must step in, on its track."""
    spinning, forward = "f4089e55-8e66-44a6-ac72-59bf5ef7efa7", "4b449099-a295-4493-8477-fe58d5883cf5"

    def without(path: Path) -> dict[str, np.ndarray]:
        table = read_frame(path)
        kept = np.full(len(table["uuid"]), True) if path.name[:2] != "01" else table["uuid"] != spinning
        return {name: column[kept] for name, column in table.items()}

    log = PANDASET.open_log(three_frames, "040")
    before = PANDASET.read_labels(three_frames, log)
    monkeypatch.setattr("formats.pandaset.cuboids.read_frame", without)
    after = PANDASET.read_labels(three_frames, log)
    assert forward not in before.tracks and forward not in after.tracks
    sensors = [a.attributes["sensor_id"] for a in after.tracks[spinning].annotations.values()]
    assert sensors == [0, 1, 0]
