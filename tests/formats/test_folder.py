"""The plain log by hand: real calibration data laid out as such, round trips, and damaged ones."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calib import SE3, Camera, Fisheye, Lidar, Pinhole, Rig, SE3Batch
from formats.errors import FormatError
from formats.folder import FOLDER, write_folder_log
from formats.folder.poses import carried_on, poses_text
from formats.folder.read import open_log
from formats.images import write_rgb
from formats.kitti_tracking import KITTI_TRACKING
from formats.pandaset import PANDASET
from formats.pointcloud import PointCloud, write_pcd
from formats.registry import find_format
from formats.rigs import write_rig
from formats.rigs.opencalib import read_opencalib
from formats.rigs.ros import read_camera_info
from fusion import DriveLog, LabelSet, Trajectory
from fusion.align import cloud_in_image, read_deskewed

MakeLog = Callable[..., tuple[DriveLog, LabelSet]]
POINTS = np.array([[5.0, 0, 0], [6, 1, 0.5], [7, -1, 1]], np.float32)
IMAGE = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)
LIDAR = Lidar("top", SE3.from_yaw(0.1, (1, 0, 2)))
CAMERA = Camera("front", SE3.identity(), Pinhole(50, 50, 31.5, 23.5, 64, 48))


def lay_out_road(source: Path, folder: Path) -> Path:
    """OpenCalib's road scene; its intrinsics tell the wrong height of the image."""
    (folder / "lidar").mkdir(parents=True)
    (folder / "camera" / "center_camera").mkdir(parents=True)
    shutil.copy(source / "0.pcd", folder / "lidar" / "0.pcd")
    shutil.copy(source / "0.png", folder / "camera" / "center_camera" / "0.png")
    write_rig(folder, read_opencalib(source, size_px=(1920, 1200)))
    return folder


def lay_out_board(source: Path, folder: Path) -> Path:
    """The checkerboard's three poses before a fisheye, with the mean of the source's own results."""
    camera = read_camera_info(source / "camera_info.yaml", name="gmsl")
    roll, pitch, yaw = -1.69539, -0.02093, -1.49289
    about_x, about_y, about_z = (
        SE3.from_rotation_vector(np.eye(3)[axis] * angle) for axis, angle in enumerate((roll, pitch, yaw))
    )
    turn = about_z @ about_y @ about_x
    lidar_from_cam = SE3(turn.rotation, np.array([0.06263, 0.00389, -0.19583]))
    (folder / "lidar" / "vlp16").mkdir(parents=True)
    (folder / "camera" / "gmsl").mkdir(parents=True)
    for number in (1, 4, 7):
        shutil.copy(source / "pcd" / f"pose{number}_full.pcd", folder / "lidar" / "vlp16" / f"{number}.pcd")
        shutil.copy(source / "images" / f"pose{number}.jpg", folder / "camera" / "gmsl" / f"{number}.jpg")
    rig = Rig.of((Lidar("vlp16", SE3.identity()),), (Camera("gmsl", lidar_from_cam, camera.model),))
    write_rig(folder, rig)
    return folder


def test_the_road_scene(shared_data: Path, tmp_path: Path) -> None:
    folder = lay_out_road(shared_data / "calib_road", tmp_path / "road")
    assert find_format(folder) is FOLDER and FOLDER.log_ids(folder) == ["road"]
    log = open_log(folder, "road")
    sweep, image = log.sweeps["top_center_lidar"][0].read(), log.images["center_camera"][0]
    assert image.read().shape == (1200, 1920, 3) and log.timestamps_ns.tolist() == [0]
    assert len(cloud_in_image(log, sweep, image).index) > 9000 and log.metadata["poses"] == "none"


def test_the_board_before_a_fisheye(shared_data: Path, tmp_path: Path) -> None:
    """The points of the board that the source cut out of each scan fall on the board in the image."""
    from formats.pointcloud import read_points

    source = shared_data / "calib_board"
    folder = lay_out_board(source, tmp_path / "board")
    log = open_log(folder, "board")
    assert log.timestamps_ns.tolist() == [100_000_000, 400_000_000, 700_000_000] and not log.missing
    camera = log.rig.cameras["gmsl"]
    assert isinstance(camera.model, Fisheye)
    import cv2

    for number, image in zip((1, 4, 7), log.images["gmsl"], strict=True):
        grey = cv2.cvtColor(image.read(), cv2.COLOR_RGB2GRAY)
        found, corners = cv2.findChessboardCornersSB(grey, (7, 5))
        target = read_points(source / "pcd" / f"pose{number}_target.pcd").points
        seen = camera.model.project(camera.ego_from_sensor.inverse() @ target)
        assert seen.visible.all()
        if found:
            middle_px = corners.reshape(-1, 2).mean(axis=0)
            assert np.linalg.norm(np.median(seen.uv_px, axis=0) - middle_px) < 60


def same_readings(one: DriveLog, other: DriveLog) -> None:
    """The same sweeps and images at the same instants, bit by bit."""
    assert [*one.sweeps] == [*other.sweeps] and [*one.images] == [*other.images]
    for name, refs in one.sweeps.items():
        assert [ref.timestamp_ns for ref in refs] == [ref.timestamp_ns for ref in other.sweeps[name]]
        for before, after in zip(refs, other.sweeps[name], strict=True):
            a, b = before.read(), after.read()
            assert a.points.tobytes() == b.points.tobytes() and (a.stamps, a.deskewed) == (
                b.stamps,
                b.deskewed,
            )
            for column in ("intensity", "ring", "offset_ns"):
                x, y = getattr(a, column), getattr(b, column)
                assert (x is None) == (y is None) and (x is None or x.tobytes() == y.tobytes())
    for name, images in one.images.items():
        assert [ref.timestamp_ns for ref in images] == [ref.timestamp_ns for ref in other.images[name]]
        for shot, again in zip(images, other.images[name], strict=True):
            assert again.path is not None
            if shot.path is None:
                np.testing.assert_array_equal(shot.read(), again.read())
            else:
                assert shot.path.read_bytes() == again.path.read_bytes()


def test_a_log_and_its_labels_survive_three_times(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log("a log")
    first, first_labels = log, labels
    for cycle in range(3):
        path = tmp_path / str(cycle)
        assert FOLDER.write is not None and FOLDER.read_labels is not None
        FOLDER.write(path, [(log, labels)])
        assert find_format(path) is FOLDER and FOLDER.log_ids(path) == ["a log"]
        log = open_log(path, "a log")
        labels = FOLDER.read_labels(path, log)
    same_readings(first, log)
    assert log.timestamps_ns.tolist() == first.timestamps_ns.tolist()
    assert (labels.reviews, labels.attributes) == (first_labels.reviews, first_labels.attributes)
    assert [*labels.tracks] == [*first_labels.tracks]
    for id, track in first_labels.tracks.items():
        again = labels.tracks[id]
        assert (again.category, again.image_boxes) == (track.category, track.image_boxes)
        for t, annotation in track.annotations.items():
            assert again.annotations[t].box.ego_from_box.is_close(annotation.box.ego_from_box, 1e-12)
            assert again.annotations[t].attributes == annotation.attributes
    for name, camera in first.rig.cameras.items():
        assert log.rig.cameras[name].model == camera.model
        assert (log.rig.cameras[name].ego_from_sensor.rotation == camera.ego_from_sensor.rotation).all()
    for t in (*log.timestamps_ns.tolist(), *first.trajectory.timestamps_ns.tolist()):
        assert log.trajectory.at(t).is_close(first.trajectory.at(t), 1e-12)
    assert log.metadata["licence"] == "none" and log.metadata["poses"] == "poses.csv"
    first_sweep = log.sweeps["roof"][0]
    assert read_deskewed(log, first_sweep).deskewed


def test_real_kitti_frames_as_a_plain_log(shared_data: Path, tmp_path: Path) -> None:
    assert KITTI_TRACKING.open_log is not None
    log = KITTI_TRACKING.open_log(shared_data / "kitti_camera_lidar", "0052")
    few = DriveLog(
        "0052",
        log.rig,
        log.trajectory,
        log.timestamps_ns[:2],
        {"velodyne": log.sweeps["velodyne"][:2]},
        {"image_02": log.images["image_02"][:2]},
        metadata=log.metadata,
    )
    write_folder_log(tmp_path / "0052", few)
    again = open_log(tmp_path / "0052", "0052")
    same_readings(few, again)
    assert not (tmp_path / "0052" / "poses.csv").exists() and again.metadata["poses"] == "none"


def test_real_pandaset_frames_keep_their_times_poses_and_cameras(shared_data: Path, tmp_path: Path) -> None:
    assert PANDASET.open_log is not None
    log = PANDASET.open_log(shared_data / "pandaset", "002")
    few = replace(
        log,
        timestamps_ns=log.timestamps_ns[:1],
        sweeps={name: refs[:1] for name, refs in log.sweeps.items()},
        images={name: refs[:1] for name, refs in log.images.items()},
        missing=(),
    )
    write_folder_log(tmp_path / "002", few)
    again = open_log(tmp_path / "002", "002")
    same_readings(few, again)
    assert again.sweeps["pandar64"][0].read().offset_ns is not None
    for t in log.trajectory.timestamps_ns.tolist():
        assert again.trajectory.at(t).is_close(log.trajectory.at(t), 1e-9)
    for name, camera in log.rig.cameras.items():
        other = again.rig.cameras[name]
        assert other.model == camera.model
        assert (other.ego_from_sensor.matrix == camera.ego_from_sensor.matrix).all()


def by_hand(folder: Path, stems: tuple[str, ...] = ("0", "1", "2")) -> Path:
    """A LiDAR and a camera whose files carry these names."""
    folder.mkdir(parents=True, exist_ok=True)
    write_rig(folder, Rig.of((LIDAR,), (CAMERA,)))
    for stem in stems:
        write_pcd(
            folder / "lidar" / f"{stem}.pcd", PointCloud(POINTS, offset_ns=np.array([0, 5, 9], np.int32))
        )
        write_rgb(folder / "camera" / "front" / f"{stem}.png", IMAGE)
    return folder


def test_numbers_of_frames_and_timestamps(tmp_path: Path) -> None:
    frames = open_log(by_hand(tmp_path / "a"), "a")
    assert frames.timestamps_ns.tolist() == [0, 100_000_000, 200_000_000]
    assert frames.sweeps["top"][0].read().offset_ns is None, "frames have no clock"
    (tmp_path / "a" / "log.json").write_text('{"frame_rate_hz": 20, "name": "other"}', encoding="utf-8")
    assert open_log(tmp_path / "a", "other").timestamps_ns.tolist() == [0, 50_000_000, 100_000_000]
    stamped = open_log(by_hand(tmp_path / "b", ("1600000000000000007", "1600000000100000009")), "b")
    assert stamped.timestamps_ns.tolist() == [1600000000000000007, 1600000000100000009]
    offset_ns = stamped.sweeps["top"][0].read().offset_ns
    assert offset_ns is not None and offset_ns.tolist() == [0, 5, 9]
    assert stamped.image_near("front", 1600000000100000009, 0) is not None
    same = open_log(by_hand(tmp_path / "c", ("000007", "000010")), "c")
    assert same.timestamps_ns.tolist() == [700_000_000, 1_000_000_000]


def test_points_in_other_formats_and_in_folders_of_their_lidars(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    write_rig_of_two(folder)
    for name in ("top", "side"):
        (folder / "lidar" / name).mkdir(parents=True)
    np.savez(folder / "lidar" / "top" / "0.npz", points=POINTS)
    np.column_stack([POINTS, POINTS[:, 0]]).astype("<f4").tofile(folder / "lidar" / "side" / "0.bin")
    log = open_log(folder, "a")
    for name in ("top", "side"):
        np.testing.assert_array_equal(log.sweeps[name][0].read().points, POINTS)


def write_rig_of_two(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_rig(folder, Rig.of((LIDAR, Lidar("side", SE3.identity())), (CAMERA,)))


def test_a_sensor_that_lacks_a_frame(tmp_path: Path) -> None:
    folder = by_hand(tmp_path / "a")
    (folder / "camera" / "front" / "1.png").unlink()
    (missing,) = open_log(folder, "a").missing
    assert (missing.sensor, missing.timestamp_ns) == ("front", 100_000_000)


def poses_file(folder: Path, *rows: str, head: str = "timestamp_ns,qw,qx,qy,qz,x,y,z") -> None:
    (folder / "poses.csv").write_text("\n".join([head, *rows, ""]), encoding="utf-8")


def test_poses_by_hand(tmp_path: Path) -> None:
    """Ten metres a second along x: carried on beyond the last frame, whose points are measured later."""
    folder = by_hand(tmp_path / "a")
    poses_file(folder, *[f"{k * 100_000_000},1,0,0,0,{k},0,0" for k in range(3)])
    trajectory = open_log(folder, "a").trajectory
    np.testing.assert_allclose(trajectory.at(150_000_000).translation, (1.5, 0, 0))
    np.testing.assert_allclose(trajectory.at(400_000_000).translation, (4, 0, 0))
    np.testing.assert_allclose(trajectory.at(-200_000_000).translation, (-2, 0, 0))
    poses_file(folder, *[f"{k},0,{k},0,1,0,0,0" for k in range(3)], head="x,y,frame,z,qw,qx,qy,qz")
    np.testing.assert_allclose(open_log(folder, "a").trajectory.at(150_000_000).translation, (1.5, 0, 0))


def test_a_bend_is_carried_on_as_a_bend() -> None:
    times_ns = np.arange(3) * 100_000_000
    yaws_rad = 0.05 * np.arange(3)
    bend = Trajectory(times_ns, SE3Batch.stack([SE3.from_yaw(yaw, (0, yaw, 0)) for yaw in yaws_rad]))
    further = carried_on(bend, 0, 200_000_000)
    assert further.at(400_000_000).is_close(SE3.from_yaw(0.2, (0, 0.2, 0)), 1e-12)
    assert further.at(-200_000_000).is_close(SE3.from_yaw(-0.1, (0, -0.1, 0)), 1e-12)
    again = carried_on(further, 0, 200_000_000)
    assert again.timestamps_ns.tolist() == further.timestamps_ns.tolist()
    assert poses_text(again) == poses_text(further)


Damage = Callable[[Path], object]


def renamed(old: str, new: str) -> Damage:
    return lambda folder: (folder / old).rename(folder / new)


def log_json(text: str) -> Damage:
    return lambda folder: (folder / "log.json").write_text(text, encoding="utf-8")


def poses_rows(*rows: str, head: str = "timestamp_ns,qw,qx,qy,qz,x,y,z") -> Damage:
    return lambda folder: poses_file(folder, *rows, head=head)


DAMAGE: dict[str, tuple[Damage, str]] = {
    "name of a word": (
        renamed("lidar/1.pcd", "lidar/last.pcd"),
        "its timestamp in ns or its number of a frame",
    ),
    "name too long": (renamed("lidar/1.pcd", "lidar/99999999999999999999.pcd"), "its timestamp in ns"),
    "mixed names": (renamed("camera/front/1.png", "camera/front/1600000000000.png"), "named by timestamp"),
    "two of one instant": (
        lambda folder: shutil.copy(folder / "lidar/1.pcd", folder / "lidar/01.pcd"),
        "of the same instant as 01.pcd",
    ),
    "unknown camera": (renamed("camera/front", "camera/back"), "no sensor of this name, but front"),
    "two lidars for one folder": (write_rig_of_two, "has 2 LiDARs"),
    "no files": (
        lambda folder: shutil.rmtree(folder / "lidar") or shutil.rmtree(folder / "camera/front"),
        "holds",
    ),
    "settings of another kind": (log_json('{"rate": 5}'), "rate: there is no such setting"),
    "no rate": (log_json('{"frame_rate_hz": 0}'), "no rate that a sensor has"),
    "settings of words": (
        log_json('{"sweeps": {"top": {"stamps": "middle"}}}'),
        "must be one of 'start', 'end'",
    ),
    "settings cut short": (log_json('{"name": "a'), "line 1"),
    "poses of nothing": (poses_rows(head=""), "must name the columns"),
    "poses without x": (poses_rows(head="timestamp_ns,qw,qx,qy,qz,y,z"), "must name the columns"),
    "no poses": (poses_rows(), "at least one"),
    "poses of words": (poses_rows("0,1,0,0,0,a,0,0"), "line 2: must hold eight numbers"),
    "short pose": (poses_rows("0,1,0,0,0,0,0"), "line 2: must hold eight numbers"),
    "pose of zeros": (poses_rows("0,0,0,0,0,0,0,0"), "a quaternion of length 1"),
    "pose of NaN": (poses_rows("0,1,0,0,0,nan,0,0"), "finite numbers"),
    "pose before time": (poses_rows("-5,1,0,0,0,0,0,0"), "'-5' is no timestamp_ns"),
    "pose after time": (poses_rows("99999999999999999999,1,0,0,0,0,0,0"), "is no timestamp_ns"),
    "poses back in time": (poses_rows("9,1,0,0,0,0,0,0", "8,1,0,0,0,0,0,0"), "must rise"),
    "poses too short": (
        poses_rows("0,1,0,0,0,0,0,0", "150000000,1,0,0,0,0,0,0"),
        "no pose for the frame at 2000",
    ),
    "points cut short": (
        lambda folder: (folder / "lidar/1.pcd").write_bytes((folder / "lidar/1.pcd").read_bytes()[:-1]),
        "cut short",
    ),
    "image of another size": (
        lambda folder: write_rgb(folder / "camera/front/1.png", IMAGE[:20]),
        "its camera has 64x48",
    ),
    "rig of a future": (
        lambda folder: (folder / "rig.json").write_text('{"crosslabel_rig": 9}'),
        "version 9, this program reads 1",
    ),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged_logs(tmp_path: Path, case: str) -> None:
    folder = by_hand(tmp_path / "a")
    damage, said = DAMAGE[case]
    damage(folder)
    with pytest.raises(FormatError) as raised:
        log = open_log(folder, "a")
        for sensor in (log.sweeps, log.images):
            for refs in sensor.values():
                for ref in refs:
                    ref.read()
    message = str(raised.value)
    assert said in message and str(folder) in message and "\n" not in message


def test_logs_that_share_a_name(tmp_path: Path) -> None:
    for name in ("a", "b"):
        by_hand(tmp_path / name)
        (tmp_path / name / "log.json").write_text(json.dumps({"name": "same"}), encoding="utf-8")
    with pytest.raises(FormatError, match="two logs are called 'same'"):
        FOLDER.log_ids(tmp_path)


@pytest.mark.parametrize("name", ["../out", "a/b", ".hidden", "/abs"])
def test_a_sensor_whose_name_is_no_name_of_a_folder(make_log: MakeLog, tmp_path: Path, name: str) -> None:
    log, _ = make_log(frames=3)
    lidar = Lidar(name, SE3.identity())
    sweeps = {name: tuple(replace(ref, lidar=name) for ref in log.sweeps["roof"])}
    strange = DriveLog("x", Rig.of((lidar,)), log.trajectory, log.timestamps_ns, sweeps)
    with pytest.raises(FormatError):
        write_folder_log(tmp_path / "out", strange)
    assert [*tmp_path.iterdir()] == []


def test_nothing_is_written_over(make_log: MakeLog, tmp_path: Path) -> None:
    log, _ = make_log(frames=3)
    (tmp_path / "note").write_text("mine")
    with pytest.raises(FormatError, match="is there already"):
        write_folder_log(tmp_path, log)
    assert (tmp_path / "note").read_text() == "mine"
