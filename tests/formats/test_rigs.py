"""Real calibration files of every kind, and what `find_rig` makes of them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from calib import SE3, Camera, Fisheye, Pinhole, Rig
from formats.errors import FormatError
from formats.kitti_tracking import KITTI_TRACKING
from formats.nuscenes import NUSCENES
from formats.pointcloud import read_points
from formats.rigs import KINDS, find_kind, find_rig, read_rig, write_rig
from formats.rigs.opencalib import read_opencalib
from formats.rigs.sustech import read_sustech_rig
from fusion import DriveLog, LabelSet

AV2 = "argoverse2/7fab2350-7eaf-3b7e-a39d-6937a4c1bede"
REAL = {
    "argoverse2": AV2,
    "ros": "calib_board/camera_info.yaml",
    "opencalib": "calib_road",
    "sustechpoints": "sustechpoints",
    "kitti": "kitti_camera_lidar/training/calib/0052.txt",
}


def same_rig(one: Rig, other: Rig, atol: float = 0.0) -> bool:
    """The same sensors in the same order, places equal to `atol`, all else exactly."""
    if [*one.cameras] != [*other.cameras] or [*one.lidars] != [*other.lidars]:
        return False
    cameras = zip(one.cameras.values(), other.cameras.values(), strict=True)
    lidars = zip(one.lidars.values(), other.lidars.values(), strict=True)
    return all(
        a.ego_from_sensor.is_close(b.ego_from_sensor, atol)
        and a.model == b.model
        and (a.readout_ns, a.exposure_ns, a.readout) == (b.readout_ns, b.exposure_ns, b.readout)
        for a, b in cameras
    ) and all(
        a.ego_from_sensor.is_close(b.ego_from_sensor, atol) and a.beam_offset_ns == b.beam_offset_ns
        for a, b in lidars
    )


@pytest.mark.parametrize("name", REAL)
def test_real_files_are_recognised_and_survive_ten_times_in_ours(
    shared_data: Path, tmp_path: Path, name: str
) -> None:
    path = shared_data / REAL[name]
    assert find_kind(path).name == name
    rig = find_rig(path)
    assert same_rig(rig, find_kind(path, name).read(path))
    file = tmp_path / "rig.json"
    for _ in range(10):
        write_rig(file, rig)
        again = read_rig(file).rig
        assert same_rig(rig, again)
        rig = again


def test_every_kind_says_what_its_ego_frame_is() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert all(kind.title and kind.ego for kind in KINDS)


def test_kitti_is_what_the_reader_of_its_logs_makes(shared_data: Path) -> None:
    root = shared_data / "kitti_camera_lidar"
    assert KITTI_TRACKING.open_log is not None
    log = KITTI_TRACKING.open_log(root, "0052")
    rig = find_rig(root / "training" / "calib" / "0052.txt")
    for name, camera in log.rig.cameras.items():
        assert camera.ego_from_sensor.is_close(rig.cameras[name].ego_from_sensor)
        assert camera.model == rig.cameras[name].model


def test_argoverse_cameras_look_where_their_names_say(shared_data: Path) -> None:
    rig = find_rig(shared_data / AV2)
    assert same_rig(rig, find_rig(shared_data / AV2 / "calibration"))
    assert [*rig.lidars] == ["up_lidar", "down_lidar"] and len(rig.cameras) == 9
    yaws_deg = {"front_center": 0, "front_left": 45, "side_left": 100, "rear_left": 153, "side_right": -100}
    for name, yaw_deg in yaws_deg.items():
        x, y, _ = rig.cameras[f"ring_{name}"].ego_from_sensor.rotation[:, 2]
        assert np.degrees(np.arctan2(y, x)) == pytest.approx(yaw_deg, abs=3)
    for camera in rig.cameras.values():
        assert isinstance(camera.model, Pinhole) and camera.model.distortion == ()
        assert camera.ego_from_sensor.rotation[2, 1] < -0.98
    front = rig.cameras["ring_front_center"].model
    assert (front.width_px, front.height_px) == (1550, 2048)


def test_opencalib_keeps_the_matrix_of_its_file(shared_data: Path) -> None:
    folder = shared_data / "calib_road"
    rig = read_opencalib(folder, size_px=(1920, 1200))
    (camera,), (lidar,) = rig.cameras.values(), rig.lidars.values()
    file = next(folder.glob("*-extrinsic.json"))
    (entry,) = json.loads(file.read_text(encoding="utf-8")).values()
    cam_from_lidar = camera.ego_from_sensor.inverse() @ lidar.ego_from_sensor
    np.testing.assert_allclose(cam_from_lidar.matrix, entry["param"]["sensor_calib"]["data"], atol=2e-6)
    assert isinstance(camera.model, Pinhole) and len(camera.model.distortion) == 4
    points_cam = cam_from_lidar @ read_points(folder / "0.pcd").points
    projected = camera.model.project(points_cam)
    assert 9000 < projected.visible.sum() < 11000
    import cv2

    expected, _ = cv2.projectPoints(
        points_cam[projected.visible],
        np.zeros(3),
        np.zeros(3),
        camera.model.matrix,
        np.array(camera.model.distortion),
    )
    np.testing.assert_allclose(projected.uv_px[projected.visible], expected[:, 0], atol=1e-8)


def test_the_fisheye_of_the_board_is_that_of_opencv(shared_data: Path) -> None:
    import cv2

    camera = find_rig(shared_data / "calib_board" / "camera_info.yaml").cameras["camera_info"]
    assert isinstance(camera.model, Fisheye)
    points_cam = np.random.default_rng(3).uniform((-2, -1, 1), (2, 1, 6), (200, 3))
    matrix = np.array([[1176.93, 0, 962.275], [0, 1177.72, 612.725], [0, 0, 1.0]])
    distortion = np.array([-0.0540096, -0.0784275, 0.0959641, -0.0515253])
    expected, _ = cv2.fisheye.projectPoints(points_cam[:, None], np.zeros(3), np.zeros(3), matrix, distortion)
    projected = camera.model.project(points_cam)
    assert projected.visible.sum() > 100
    difference_px = projected.uv_px[projected.visible] - expected[projected.visible, 0]
    assert np.abs(difference_px).max() < 1e-9


def test_sustech_is_laid_by_its_front_camera(shared_data: Path) -> None:
    rig = find_rig(shared_data / "sustechpoints")
    axes = {name: camera.ego_from_sensor.rotation[:, 2] for name, camera in rig.cameras.items()}
    assert axes["front"][0] > 0.998 and abs(axes["front"][1]) < 1e-12
    assert axes["left"][1] > 0.99 and axes["right"][1] < -0.99
    ego_from_lidar = rig.lidars["lidar"].ego_from_sensor
    np.testing.assert_allclose(ego_from_lidar.rotate(np.array([0.0, -1, 0])), (1, 0, 0), atol=0.04)
    np.testing.assert_allclose(ego_from_lidar.rotation[2], (0, 0, 1), atol=1e-12)
    stated = SE3.from_yaw(np.pi / 2, (1.0, 0, 2))
    other = read_sustech_rig(shared_data / "sustechpoints", ego_from_lidar=stated)
    assert other.lidars["lidar"].ego_from_sensor is stated
    for name, camera in rig.cameras.items():
        lidar_from_cam = ego_from_lidar.inverse() @ camera.ego_from_sensor
        ego_from_cam = stated @ lidar_from_cam
        assert other.cameras[name].ego_from_sensor.is_close(ego_from_cam)


def test_what_our_writer_of_nuscenes_leaves_is_read_without_its_log(
    make_log: Callable[..., tuple[DriveLog, LabelSet]], tmp_path: Path
) -> None:
    log, labels = make_log()
    assert NUSCENES.write is not None and NUSCENES.open_log is not None
    NUSCENES.write(tmp_path / "set", [(log, labels)])
    rig, again = find_rig(tmp_path / "set"), NUSCENES.open_log(tmp_path / "set", log.name).rig
    assert sorted(rig.lidars) == ["LIDAR_BUMPER", "LIDAR_TOP"] and len(rig.cameras) == 3
    by_place = {tuple(camera.ego_from_sensor.translation): camera for camera in rig.cameras.values()}
    for camera in again.cameras.values():
        found = by_place[tuple(camera.ego_from_sensor.translation)]
        assert found.model == camera.model and found.readout_ns == camera.readout_ns
        assert found.ego_from_sensor.is_close(camera.ego_from_sensor)


def write_tables(
    folder: Path, calibrated: list[dict[str, object]], **others: list[dict[str, object]]
) -> None:
    folder.mkdir(parents=True)
    sensors = [
        {"token": "s0", "channel": "CAM_FRONT", "modality": "camera"},
        {"token": "s1", "channel": "LIDAR_TOP", "modality": "lidar"},
        {"token": "s2", "channel": "RADAR_FRONT", "modality": "radar"},
    ]
    for name, rows in {"sensor": sensors, "calibrated_sensor": calibrated, **others}.items():
        (folder / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")


# As in the first log of nuScenes mini.
FRONT = {
    "token": "c0",
    "sensor_token": "s0",
    "translation": [1.70079118954, 0.0159456324149, 1.51095763913],
    "rotation": [0.4998015430569128, -0.5030316162024876, 0.4997798114386805, -0.49737083824542755],
    "camera_intrinsic": [
        [1266.417203046554, 0.0, 816.2670197447984],
        [0.0, 1266.417203046554, 491.50706579294757],
        [0.0, 0.0, 1.0],
    ],
}
TOP = {
    "token": "c1",
    "sensor_token": "s1",
    "translation": [0.943713, 0.0, 1.84023],
    "rotation": [0.7077955119163518, -0.006492242056004365, 0.010646214713995808, -0.7063073142877817],
    "camera_intrinsic": [],
}


def test_tables_of_nuscenes_as_published(tmp_path: Path) -> None:
    write_tables(tmp_path / "v1.0-mini", [FRONT, TOP, {**FRONT, "token": "c9"}])
    rig = find_rig(tmp_path)
    camera, lidar = rig.cameras["CAM_FRONT"], rig.lidars["LIDAR_TOP"]
    assert camera.ego_from_sensor.rotation[0, 2] > 0.999
    assert lidar.ego_from_sensor.rotation[0, 1] > 0.999, "the LiDAR's y axis points ahead"
    assert (camera.model.width_px, camera.model.height_px) == (1600, 900)
    row = {"token": "d", "calibrated_sensor_token": "c0", "width": 800, "height": 450}
    write_tables(tmp_path / "other", [FRONT], sample_data=[row])
    assert find_rig(tmp_path / "other").cameras["CAM_FRONT"].model.width_px == 800


def test_tables_of_several_rigs_are_refused(tmp_path: Path) -> None:
    write_tables(tmp_path / "v1.0-mini", [FRONT, {**FRONT, "token": "c9", "translation": [1.8, 0, 1.5]}])
    with pytest.raises(FormatError, match="CAM_FRONT has several places"):
        find_rig(tmp_path)
    write_tables(tmp_path / "v1.0-test", [FRONT])
    with pytest.raises(FormatError, match="several folders of tables"):
        find_rig(tmp_path)


RAW_CAMERAS = """calib_time: 09-Jan-2012 13:57:47
corner_dist: 9.950000e-02
S_00: 1.392000e+03 5.120000e+02
K_00: 9.842439e+02 0.000000e+00 6.900000e+02 0.000000e+00 9.808141e+02 2.331966e+02 0.000000e+00 0.000000e+00 1.000000e+00
D_00: -3.728755e-01 2.037299e-01 2.219027e-03 1.383707e-03 -7.233722e-02
R_00: 1.000000e+00 0.000000e+00 0.000000e+00 0.000000e+00 1.000000e+00 0.000000e+00 0.000000e+00 0.000000e+00 1.000000e+00
T_00: 2.573699e-16 -1.059758e-16 1.614870e-16
S_rect_00: 1.242000e+03 3.750000e+02
R_rect_00: 9.999239e-01 9.837760e-03 -7.445048e-03 -9.869795e-03 9.999421e-01 -4.278459e-03 7.402527e-03 4.351614e-03 9.999631e-01
P_rect_00: 7.215377e+02 0.000000e+00 6.095593e+02 0.000000e+00 0.000000e+00 7.215377e+02 1.728540e+02 0.000000e+00 0.000000e+00 0.000000e+00 1.000000e+00 0.000000e+00
S_02: 1.392000e+03 5.120000e+02
K_02: 9.597910e+02 0.000000e+00 6.960217e+02 0.000000e+00 9.569251e+02 2.241806e+02 0.000000e+00 0.000000e+00 1.000000e+00
D_02: -3.691481e-01 1.968681e-01 1.353473e-03 5.677587e-04 -6.770705e-02
R_02: 9.999758e-01 -5.267463e-03 -4.552439e-03 5.251945e-03 9.999804e-01 -3.413835e-03 4.570332e-03 3.389843e-03 9.999838e-01
T_02: 5.956621e-02 2.900141e-04 2.577209e-03
S_rect_02: 1.242000e+03 3.750000e+02
R_rect_02: 9.998817e-01 1.511453e-02 -2.841595e-03 -1.511724e-02 9.998853e-01 -9.338510e-04 2.827154e-03 9.766976e-04 9.999955e-01
P_rect_02: 7.215377e+02 0.000000e+00 6.095593e+02 4.485728e+01 0.000000e+00 7.215377e+02 1.728540e+02 2.163791e-01 0.000000e+00 0.000000e+00 1.000000e+00 2.745884e-03
"""  # noqa: E501
RAW_LIDAR = """calib_time: 15-Mar-2012 11:37:16
R: 7.533745e-03 -9.999714e-01 -6.166020e-04 1.480249e-02 7.280733e-04 -9.998902e-01 9.998621e-01 7.523790e-03 1.480755e-02
T: -4.069766e-03 -7.631618e-02 -2.717806e-01
delta_f: 0.000000e+00 0.000000e+00
"""  # noqa: E501


def test_kitti_raw_is_the_calibration_of_its_day(shared_data: Path, tmp_path: Path) -> None:
    """KITTI's own 2011_09_26 files and the benchmark's calib.txt of that day tell of the same cameras."""
    (tmp_path / "calib_cam_to_cam.txt").write_text(RAW_CAMERAS, encoding="utf-8")
    (tmp_path / "calib_velo_to_cam.txt").write_text(RAW_LIDAR, encoding="utf-8")
    raw = find_rig(tmp_path)
    assert find_kind(tmp_path).name == "kitti_raw" and [*raw.cameras] == ["image_00", "image_02"]
    benchmark = find_rig(shared_data / REAL["kitti"])
    for name, camera in raw.cameras.items():
        assert camera.ego_from_sensor.is_close(benchmark.cameras[name].ego_from_sensor, 2e-5)
        assert camera.model == benchmark.cameras[name].model


def test_kitti_raw_images_and_rectified_ones_show_a_point_alike(tmp_path: Path) -> None:
    """cv2 rectifies the raw pixel with KITTI's own matrices; the rectified camera sees it there."""
    import cv2

    from formats.rigs.kitti import read_kitti_raw

    (tmp_path / "calib_cam_to_cam.txt").write_text(RAW_CAMERAS, encoding="utf-8")
    (tmp_path / "calib_velo_to_cam.txt").write_text(RAW_LIDAR, encoding="utf-8")
    raw = read_kitti_raw(tmp_path, rectified=False).cameras["image_02"]
    rectified = read_kitti_raw(tmp_path).cameras["image_02"]
    assert (raw.model.width_px, rectified.model.width_px) == (1392, 1242)
    points_velo = np.array([[12.0, 1.0, -0.5], [30.0, -8.0, 1.0], [8.0, 2.0, -1.2]])
    table = dict(line.split(": ", 1) for line in RAW_CAMERAS.splitlines())
    numbers = {key: np.array([float(w) for w in table[key].split()]) for key in table if key != "calib_time"}
    raw_uv = raw.model.project(raw.ego_from_sensor.inverse() @ points_velo).uv_px
    uv = cv2.undistortPointsIter if hasattr(cv2, "undistortPointsIter") else cv2.undistortPoints
    straight = uv(
        raw_uv[:, None],
        numbers["K_02"].reshape(3, 3),
        numbers["D_02"],
        R=numbers["R_rect_02"].reshape(3, 3),
        P=numbers["P_rect_02"].reshape(3, 4),
        **({"criteria": (3, 100, 1e-14)} if uv is cv2.undistortPoints else {}),
    )[:, 0]
    seen = rectified.model.project(rectified.ego_from_sensor.inverse() @ points_velo).uv_px
    assert np.abs(seen - straight).max() < 0.35, "KITTI prints its matrices with seven digits"


def test_a_path_of_no_kind(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no such file or folder"):
        find_rig(tmp_path / "none")
    with pytest.raises(FormatError, match="not a calibration that is known here"):
        find_rig(tmp_path)
    with pytest.raises(FormatError, match="there is no kind of rig 'x'"):
        find_rig(tmp_path, "x")
    (tmp_path / "a.yaml").write_text("a: 1\n", encoding="utf-8")
    with pytest.raises(FormatError, match="not a calibration"):
        find_rig(tmp_path / "a.yaml")


def test_a_sustech_scene_whose_front_camera_has_another_name(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "sustechpoints"
    for old, new in (("front", "cam_a_front"), ("left", "cam_b")):
        (tmp_path / "camera" / new).mkdir(parents=True)
        (tmp_path / "calib" / "camera").mkdir(parents=True, exist_ok=True)
        shutil.copy(
            source / "calib" / "camera" / f"{old}.json", tmp_path / "calib" / "camera" / f"{new}.json"
        )
        (tmp_path / "camera" / new / "1.jpg").symlink_to(source / "camera" / old / "000965.jpg")
    camera: Camera = find_rig(tmp_path).cameras["cam_a_front"]
    assert camera.ego_from_sensor.rotation[0, 2] > 0.998
