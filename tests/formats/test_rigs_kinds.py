"""Calibration files written by hand or by OpenCV, against answers that are known."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from calib import SE3, Camera, DoubleSphere, ExtendedUnified, Fisheye, FTheta, Pinhole, Unified
from formats.errors import FormatError
from formats.rigs import find_kind, find_rig
from formats.rigs.kalibr import read_camchain
from formats.rigs.kind import LOOKING_AHEAD
from formats.rigs.ncore import read_ncore_camera
from formats.rigs.opencalib import read_opencalib
from formats.rigs.opencv import read_opencv
from formats.rigs.ros import camera_of_info, read_camera_info

MATRIX = np.array([[500.0, 0, 319.5], [0, 510, 239.5], [0, 0, 1]])
BROWN = [-0.3, 0.1, 0.001, -0.002, 0.05]
POINTS_CAM = np.random.default_rng(8).uniform((-1, -0.8, 2), (1, 0.8, 5), (50, 3))


def turned(axis: int, angle_rad: float, place: tuple[float, float, float] = (0, 0, 0)) -> SE3:
    return SE3.from_rotation_vector(np.eye(3)[axis] * angle_rad, place)


def pixels(camera: Camera, points_cam: np.ndarray = POINTS_CAM) -> np.ndarray:
    return camera.model.project(points_cam).uv_px


# ROS


INFO: dict[str, Any] = {
    "width": 640,
    "height": 480,
    "distortion_model": "plumb_bob",
    "K": MATRIX.ravel().tolist(),
    "D": BROWN,
    "R": turned(1, 0.05).rotation.ravel().tolist(),
    "P": [450.0, 0, 330, -40, 0, 450, 245, 0, 0, 0, 1, 0],
}


def test_a_raw_image_is_seen_through_k_and_d() -> None:
    expected, _ = cv2.projectPoints(POINTS_CAM, np.zeros(3), np.zeros(3), MATRIX, np.array(BROWN))
    camera = camera_of_info(INFO, "front")
    assert camera.name == "front" and camera.ego_from_sensor is LOOKING_AHEAD
    assert np.abs(pixels(camera) - expected[:, 0]).max() < 1e-9


def test_a_rectified_image_is_seen_through_r_and_p() -> None:
    """A pixel that OpenCV rectifies with K, D, R and P is where the rectified camera sees the point."""
    ego_from_cam = SE3.from_yaw(0.3, (1, 2, 3)) @ LOOKING_AHEAD
    raw = camera_of_info(INFO, "front", ego_from_cam=ego_from_cam)
    rectified = camera_of_info(INFO, "front", rectified=True, ego_from_cam=ego_from_cam)
    points_ego = ego_from_cam @ POINTS_CAM
    straight = cv2.undistortPoints(
        pixels(raw)[:, None],
        MATRIX,
        np.array(BROWN),
        R=np.reshape(INFO["R"], (3, 3)),
        P=np.reshape(INFO["P"], (3, 4))[:, :3],
        criteria=(3, 100, 1e-14),
    )[:, 0]
    seen = rectified.model.project(rectified.ego_from_sensor.inverse() @ points_ego).uv_px
    assert np.abs(seen - straight).max() < 1e-6
    assert isinstance(rectified.model, Pinhole) and rectified.model.distortion == ()
    np.testing.assert_array_equal(rectified.ego_from_sensor.translation, (1, 2, 3))


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 100), st.integers(0, 100))
@settings(max_examples=25)
def test_binning_and_region_cut_the_image_out_of_the_sensor(bx: int, by: int, x: int, y: int) -> None:
    """Pixel i of the image covers the sensor's pixels offset + b i .. offset + b i + b - 1."""
    window = {"x_offset": x, "y_offset": y, "width": 400, "height": 320}
    camera = camera_of_info({**INFO, "binning_x": bx, "binning_y": by, "roi": window}, "front")
    whole = pixels(camera_of_info(INFO, "front"))
    expected = (whole - (x + (bx - 1) / 2, y + (by - 1) / 2)) / (bx, by)
    assert np.abs(pixels(camera) - expected).max() < 1e-9
    assert (camera.model.width_px, camera.model.height_px) == (400 // bx, 320 // by)


@pytest.mark.parametrize(
    ("model", "coefficients", "kind", "length"),
    [
        ("plumb_bob", BROWN, Pinhole, 5),
        ("plumb_bob", [], Pinhole, 0),
        ("rational_polynomial", [0.1] * 8, Pinhole, 8),
        ("equidistant", [0.01, 0.002, 0, 0], Fisheye, 4),
        ("fisheye", [0.01, 0.002, 0, 0], Fisheye, 4),
    ],
)
def test_the_models_of_ros(
    tmp_path: Path, model: str, coefficients: list[float], kind: type, length: int
) -> None:
    """As camera_calibration writes it, and as a message in JSON with the small letters of ROS 2."""
    written = {
        "image_width": 640,
        "image_height": 480,
        "camera_name": "left_eye",
        "camera_matrix": {"rows": 3, "cols": 3, "data": INFO["K"]},
        "distortion_model": model,
        "distortion_coefficients": {"rows": 1, "cols": length, "data": coefficients},
        "rectification_matrix": {"rows": 3, "cols": 3, "data": INFO["R"]},
        "projection_matrix": {"rows": 3, "cols": 4, "data": INFO["P"]},
    }
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(written), encoding="utf-8")
    message = {"height": 480, "width": 640, "distortion_model": model, "d": coefficients, "k": INFO["K"]}
    (tmp_path / "b.json").write_text(json.dumps(message), encoding="utf-8")
    one, other = read_camera_info(tmp_path / "a.yaml"), read_camera_info(tmp_path / "b.json")
    assert type(one.model) is kind and len(getattr(one.model, "distortion", ())) == length
    assert one.model == other.model and (one.name, other.name) == ("left_eye", "b")
    assert find_kind(tmp_path / "a.yaml").name == find_kind(tmp_path / "b.json").name == "ros"
    assert find_rig(tmp_path / "a.yaml").cameras["left_eye"].model == one.model


def test_numbers_without_a_point_are_numbers(tmp_path: Path) -> None:
    """YAML 1.1 reads 1e-5 as a text; what other programs write with it means the number."""
    text = f"width: 640\nheight: 480\ndistortion_model: plumb_bob\nD: [1e-05, -2E-3, 0, 0]\nK: {INFO['K']}\n"
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    model = read_camera_info(tmp_path / "a.yaml").model
    assert isinstance(model, Pinhole) and model.distortion == (1e-05, -2e-3, 0, 0)


# OpenCV


def stored(path: Path, **values: Any) -> Path:
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    for key, value in values.items():
        storage.write(key, value)
    storage.release()
    return path


@pytest.mark.parametrize("ending", ["yaml", "yml", "json", "xml"])
@pytest.mark.parametrize("fisheye", [0, 1])
def test_what_opencv_writes(tmp_path: Path, ending: str, fisheye: int) -> None:
    coefficients = np.array([[0.1, -0.01, 1e-3, -1e-17]] if fisheye else [BROWN])
    path = stored(
        tmp_path / f"cam.{ending}",
        calibration_time="Mon 1 Jan 2024",
        image_width=640,
        image_height=480,
        fisheye_model=fisheye,
        camera_matrix=MATRIX,
        distortion_coefficients=coefficients,
        avg_reprojection_error=0.25,
    )
    assert find_kind(path).name == "opencv"
    (camera,) = find_rig(path).cameras.values()
    zero = np.zeros(3)
    if fisheye:
        expected, _ = cv2.fisheye.projectPoints(POINTS_CAM[:, None], zero, zero, MATRIX, coefficients)
    else:
        expected, _ = cv2.projectPoints(POINTS_CAM, zero, zero, MATRIX, coefficients)
    assert np.abs(pixels(camera) - expected[:, 0]).max() < 1e-9
    assert camera.name == "cam" and (camera.model.width_px, camera.model.height_px) == (640, 480)


def test_a_stereo_pair_of_opencv(tmp_path: Path) -> None:
    second_from_first = turned(1, 0.1, (-0.12, 0.001, 0.002))
    path = stored(
        tmp_path / "stereo.yml",
        M1=MATRIX,
        D1=np.zeros((1, 5)),
        M2=MATRIX + np.diag([5.0, 5, 0]),
        D2=np.array([BROWN]),
        R=second_from_first.rotation,
        T=second_from_first.translation.reshape(3, 1),
        image_size=np.array([[640.0, 480.0]]),
    )
    first, second = read_opencv(
        path, ego_from_cam=SE3.from_yaw(0.2, (1, 0, 1)) @ LOOKING_AHEAD
    ).cameras.values()
    cam2_from_cam1 = second.ego_from_sensor.inverse() @ first.ego_from_sensor
    assert cam2_from_cam1.is_close(second_from_first, 1e-12)
    assert second.model == Pinhole(505, 515, 319.5, 239.5, 640, 480, tuple(BROWN))


@pytest.mark.parametrize(
    ("matrix", "coefficients"), [("K", "D"), ("cameraMatrix", "distCoeffs"), ("M", "dist_coeffs")]
)
def test_the_usual_names_of_opencv(tmp_path: Path, matrix: str, coefficients: str) -> None:
    path = stored(tmp_path / "a.json", **{matrix: MATRIX, coefficients: np.array(BROWN[:4])})
    with pytest.raises(FormatError, match="does not tell the size of its images"):
        read_opencv(path)
    (camera,) = read_opencv(path, size_px=(640, 480)).cameras.values()
    assert camera.model == Pinhole(500, 510, 319.5, 239.5, 640, 480, tuple(BROWN[:4]))


# Kalibr


def camchain(path: Path, *entries: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump({f"cam{k}": entry for k, entry in enumerate(entries)}), encoding="utf-8")
    return path


def entry(kind: str = "pinhole", lens: str = "none", **others: Any) -> dict[str, Any]:
    numbers = {
        "pinhole": [500.0, 510, 319.5, 239.5],
        "omni": [0.8, 500, 510, 319.5, 239.5],
        "ds": [-0.2, 0.59, 317, 316, 319.5, 239.5],
        "eucm": [0.6, 1.1, 317, 316, 319.5, 239.5],
    }[kind]
    coefficients = {"none": [], "radtan": [-0.28, 0.07, 9e-4, 1e-4], "equidistant": [0.01, 0.05, -0.04, 0.01]}
    return {
        "camera_model": kind,
        "intrinsics": numbers,
        "distortion_model": lens,
        "distortion_coeffs": coefficients.get(lens, [0.5]),
        "resolution": [640, 480],
        "rostopic": f"/cam/{kind}",
        **others,
    }


def double_sphere(points: np.ndarray, xi: float, alpha: float, *lengths: float) -> np.ndarray:
    """Usenko et al. 2018, equations 40 to 42."""
    x, y, z = points.T
    d1 = np.sqrt(x * x + y * y + z * z)
    d2 = np.sqrt(x * x + y * y + (xi * d1 + z) ** 2)
    bottom = alpha * d2 + (1 - alpha) * (xi * d1 + z)
    return np.column_stack([lengths[0] * x / bottom + lengths[2], lengths[1] * y / bottom + lengths[3]])


def extended(points: np.ndarray, alpha: float, beta: float, *lengths: float) -> np.ndarray:
    """Khomutenko et al. 2016, equation 3."""
    x, y, z = points.T
    bottom = alpha * np.sqrt(beta * (x * x + y * y) + z * z) + (1 - alpha) * z
    return np.column_stack([lengths[0] * x / bottom + lengths[2], lengths[1] * y / bottom + lengths[3]])


def unified(points: np.ndarray, xi: float, *lengths: float) -> np.ndarray:
    """Mei and Rives 2007: onto the unit sphere, then from xi behind its centre."""
    x, y, z = (points / np.linalg.norm(points, axis=1, keepdims=True)).T
    return np.column_stack([lengths[0] * x / (z + xi) + lengths[2], lengths[1] * y / (z + xi) + lengths[3]])


@pytest.mark.parametrize(
    ("kind", "lens", "model"),
    [
        ("pinhole", "none", Pinhole),
        ("pinhole", "radtan", Pinhole),
        ("pinhole", "equidistant", Fisheye),
        ("omni", "none", Unified),
        ("omni", "radtan", Unified),
        ("ds", "none", DoubleSphere),
        ("eucm", "none", ExtendedUnified),
    ],
)
def test_the_models_of_kalibr(tmp_path: Path, kind: str, lens: str, model: type) -> None:
    written = entry(kind, lens)
    path = camchain(tmp_path / "camchain.yaml", written)
    assert find_kind(path).name == "kalibr"
    camera = find_rig(path).cameras["cam0"]
    numbers, zero = written["intrinsics"], np.zeros(3)
    formulas = {"ds": double_sphere, "eucm": extended, "omni": unified}
    assert type(camera.model) is model
    if kind == "omni" and lens == "radtan":
        on_plane = unified(POINTS_CAM, numbers[0], 1, 1, 0, 0)
        lifted = np.column_stack([on_plane, np.ones(len(on_plane))])
        expected = cv2.projectPoints(lifted, zero, zero, MATRIX, np.array(written["distortion_coeffs"]))[0][
            :, 0
        ]
    elif kind in formulas:
        expected = formulas[kind](POINTS_CAM, *numbers)
    elif lens == "equidistant":
        given = np.array(written["distortion_coeffs"])
        expected = cv2.fisheye.projectPoints(POINTS_CAM[:, None], zero, zero, MATRIX, given)[0][:, 0]
    else:
        given = np.array(written["distortion_coeffs"] or [0.0] * 4)
        expected = cv2.projectPoints(POINTS_CAM, zero, zero, MATRIX, given)[0][:, 0]
    assert np.abs(pixels(camera) - expected).max() < 1e-9


def test_a_chain_of_three_cameras_and_what_they_are_mounted_on(tmp_path: Path) -> None:
    cam1_from_cam0, cam2_from_cam1 = turned(1, 0.5, (-0.3, 0, 0.1)), turned(0, -0.2, (0, 0.2, 0))
    cam0_from_imu, cam1_from_lidar = turned(2, 1.2, (0.1, 0.2, 0.3)), turned(1, -1.5, (0, 1, 0))
    links = [
        {"T_cam_imu": cam0_from_imu.matrix.tolist(), "timeshift_cam_imu": 0.01},
        {"T_cn_cnm1": cam1_from_cam0.matrix.tolist()},
        {"T_cn_cnm1": cam2_from_cam1.matrix.tolist()},
    ]
    cam2_from_cam0 = cam2_from_cam1 @ cam1_from_cam0

    def places(*others: dict[str, Any], **options: SE3) -> list[SE3]:
        merged = [link | other for link, other in zip(links, others or ({}, {}, {}), strict=True)]
        path = camchain(tmp_path / "c.yaml", *[entry(**link) for link in merged])
        return [camera.ego_from_sensor for camera in read_camchain(path, **options).cameras.values()]

    imu_from_cams = places()
    assert imu_from_cams[0].is_close(cam0_from_imu.inverse(), 1e-9)
    assert (imu_from_cams[2].inverse() @ imu_from_cams[0]).is_close(cam2_from_cam0, 1e-9)
    lidar_from_cams = places({}, {"T_cam_lidar": cam1_from_lidar.matrix.tolist()}, {})
    assert lidar_from_cams[1].is_close(cam1_from_lidar.inverse(), 1e-9)
    backwards = places({}, {"T_lidar_cam": cam1_from_lidar.inverse().matrix.tolist()}, {})
    assert backwards[0].is_close(lidar_from_cams[0], 1e-9)
    stated = SE3.from_yaw(0.4, (1, 2, 3))
    moved = places(ego_from_reference=stated)
    assert all(a.is_close(stated @ b, 1e-9) for a, b in zip(moved, imu_from_cams, strict=True))
    rig = read_camchain(camchain(tmp_path / "d.yaml", entry(T_cam_lidar=cam1_from_lidar.matrix.tolist())))
    assert rig.lidars["lidar"].ego_from_sensor.is_close(SE3.identity(), 1e-9)
    alone = read_camchain(camchain(tmp_path / "e.yaml", entry()))
    assert alone.cameras["cam0"].ego_from_sensor.is_close(LOOKING_AHEAD)


def test_cameras_of_a_chain_that_share_only_the_inertial_unit(tmp_path: Path) -> None:
    cam_from_imu = [turned(1, 0.5, (-0.3, 0, 0.1)), turned(0, -0.2, (0, 0.2, 0))]
    path = camchain(tmp_path / "c.yaml", *[entry(T_cam_imu=t.matrix.tolist()) for t in cam_from_imu])
    for camera, transform in zip(read_camchain(path).cameras.values(), cam_from_imu, strict=True):
        assert camera.ego_from_sensor.is_close(transform.inverse(), 1e-9)


# NVIDIA


def ncore(path: Path, kind: str, **parameters: Any) -> Path:
    common = {"resolution": [1920, 1080], "shutter_type": "ROLLING_TOP_TO_BOTTOM"}
    content = {"camera_model_type": kind, "camera_model_parameters": common | parameters}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


LENS = {
    "principal_point": [959.5, 539.5],
    "reference_poly": "ANGLE_TO_PIXELDIST",
    "angle_to_pixeldist_poly": [0.0, 900.0, 5.0, -30.0, 0.0, 0.0],
    "pixeldist_to_angle_poly": [0.0, 1 / 900, 0.0, 0.0, 0.0, 0.0],
    "max_angle": 1.2,
    "linear_cde": [1.001, 0.002, -0.003],
}


def test_f_theta_keeps_its_centre_and_the_opencv_models_of_ncore_lose_half_a_pixel(tmp_path: Path) -> None:
    """A camera whose axis meets the middle of the image, in NCore's two ways of saying so."""
    ahead = np.array([[0.0, 0, 5]])
    ftheta = read_ncore_camera(ncore(tmp_path / "front.json", "ftheta", **LENS), readout_ns=30_000_000)
    np.testing.assert_allclose(pixels(ftheta, ahead), [[959.5, 539.5]])
    assert (ftheta.readout, ftheta.readout_ns, ftheta.name) == ("down", 30_000_000, "front")
    ideal = {"principal_point": [960.0, 540.0], "focal_length": [900.0, 901.0]}
    brown = {
        "radial_coeffs": [0.1, 0.02, 0.003, 0.04, 0.005, 0.0006],
        "tangential_coeffs": [1e-3, 2e-3],
        "thin_prism_coeffs": [1e-4, 2e-4, 3e-4, 4e-4],
    }
    kinds = {
        "ideal-pinhole": {},
        "opencv-pinhole": brown,
        "opencv-fisheye": {"radial_coeffs": [0.01, 0, 0, 0], "max_angle": 1.2},
    }
    for kind, others in kinds.items():
        camera = read_ncore_camera(ncore(tmp_path / "a.json", kind, **ideal, **others))
        np.testing.assert_allclose(pixels(camera, ahead), [[959.5, 539.5]])
    camera = read_ncore_camera(ncore(tmp_path / "a.json", "opencv-pinhole", **ideal, **brown))
    matrix = np.array([[900.0, 0, 959.5], [0, 901, 539.5], [0, 0, 1]])
    given = np.array([0.1, 0.02, 1e-3, 2e-3, 0.003, 0.04, 0.005, 0.0006, 1e-4, 2e-4, 3e-4, 4e-4])
    expected, _ = cv2.projectPoints(POINTS_CAM, np.zeros(3), np.zeros(3), matrix, given)
    assert np.abs(pixels(camera) - expected[:, 0]).max() < 1e-9


def test_f_theta_is_ncores_formula(tmp_path: Path) -> None:
    path = ncore(tmp_path / "front.json", "ftheta", **LENS)
    assert find_kind(path).name == "ncore"
    (camera,) = find_rig(path).cameras.values()
    assert isinstance(camera.model, FTheta)
    across = np.hypot(POINTS_CAM[:, 0], POINTS_CAM[:, 1])
    theta = np.arctan2(across, POINTS_CAM[:, 2])
    distance = 900 * theta + 5 * theta**2 - 30 * theta**3
    direction = POINTS_CAM[:, :2] / across[:, None]
    linear = np.array([[1.001, 0.002], [-0.003, 1.0]])
    expected = (distance[:, None] * direction) @ linear.T + np.array([959.5, 539.5])
    assert np.abs(pixels(camera) - expected).max() < 1e-9
    backwards = read_ncore_camera(
        ncore(
            tmp_path / "b.json",
            "ftheta",
            **{**LENS, "reference_poly": "PIXELDIST_TO_ANGLE", "linear_cde": [0, 0, 0]},
        )
    )
    straight = theta[:, None] * 900 * direction + (959.5, 539.5)
    assert np.abs(pixels(backwards) - straight).max() < 1e-6


# OpenCalib


def test_sensors_of_opencalib_that_only_a_way_round_places(tmp_path: Path) -> None:
    top_from_side, cam_from_side = SE3.from_yaw(0.3, (1, 0, 0.5)), turned(0, 1.3, (0.1, 0.2, 0.3))
    size = {"img_dist_w": 640, "img_dist_h": 480}
    lens = {"cam_K": {"data": MATRIX.tolist()}, "cam_dist": {"data": [BROWN[:4]]}}

    def write(name: str, kind: str, sensor: str, target: str, param: dict[str, Any]) -> None:
        fields = {"sensor_name": sensor, "target_sensor_name": target, "param_type": kind, "param": param}
        (tmp_path / f"{name}-{kind}.json").write_text(json.dumps({name: fields}), encoding="utf-8")

    write("cam", "intrinsic", "cam", "cam", size | lens)
    for src, dst, dst_from_src in (
        ("side_lidar", "cam", cam_from_side),
        ("side_lidar", "a_lidar", top_from_side),
    ):
        write(
            f"{src}-to-{dst}", "extrinsic", src, dst, {"sensor_calib": {"data": dst_from_src.matrix.tolist()}}
        )
    assert find_kind(tmp_path).name == "opencalib"
    rig = find_rig(tmp_path)
    assert [*rig.lidars] == ["a_lidar", "side_lidar"]
    assert rig.lidars["side_lidar"].ego_from_sensor.is_close(top_from_side, 1e-12)
    side_from_cam = cam_from_side.inverse()
    assert rig.cameras["cam"].ego_from_sensor.is_close(top_from_side @ side_from_cam, 1e-9)
    fisheye = read_opencalib(tmp_path, fisheye=True).cameras["cam"].model
    assert isinstance(fisheye, Fisheye) and fisheye.distortion == tuple(BROWN[:4])
    (tmp_path / "side_lidar-to-cam-extrinsic.json").unlink()
    with pytest.raises(FormatError, match="no file tells where the camera 'cam' sits"):
        find_rig(tmp_path)
