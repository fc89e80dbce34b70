"""The parts of the doctor on arrays: every mistake undone exactly, scores that tell right from wrong."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from calib import SE3, Camera, Fisheye, Lidar, Pinhole, Rig
from calib.doctor.angles import ORDERS, degrees_taken_for_radians
from calib.doctor.candidates import camera_candidates, geometry_of, signature
from calib.doctor.degrees import degrees_candidates
from calib.doctor.diagnose import diagnose
from calib.doctor.lenses import lens_mistakes
from calib.doctor.mounts import mount_mistakes
from calib.doctor.sanity import check_rig
from calib.doctor.score import score
from calib.doctor.shot import shot_of
from calib.doctor.turns import right_angle_turns
from calib.refine.ringless import edges_around, height_of_centre_m
from tests.benchmarks.doctor import MISTAKES

LENS = Pinhole(700.0, 705.0, 470.0, 280.0, 960, 540)
MOUNT = SE3(
    Rotation.from_euler("xyz", (-91.0, 1.2, -60.0), degrees=True).as_matrix(), np.array([1.3, 0.4, 1.6])
)
CAMERA = Camera("cam_front", MOUNT, LENS)
LIDAR = Lidar("lidar_top", SE3.from_yaw(np.radians(-89.0), (0.9, 0.0, 1.9)))
OTHER = replace(CAMERA, name="cam_back", ego_from_sensor=SE3.from_yaw(np.pi) @ MOUNT)
RIG = Rig.of((LIDAR,), (CAMERA, OTHER))
ENUMERATED = [
    m
    for m in MISTAKES
    if not m.of_lidar
    and m.code
    not in (
        "angles_in_degrees",
        "size_exchanged",
        "fisheye_read_as_pinhole",
        "distortion_sign",
        "image_cropped",
    )
]


@pytest.mark.parametrize("mistake", ENUMERATED, ids=lambda m: m.name)
def test_among_the_candidates_is_the_rig_without_the_mistake(mistake):
    wrong = mistake.change(RIG, "cam_front")
    lidar = wrong.main_lidar
    candidates = camera_candidates(wrong.cameras["cam_front"], lidar, wrong.cameras, (960, 540))
    right = signature(geometry_of(CAMERA, LIDAR))
    codes = [
        twin.code
        for candidate in candidates
        for twin in (candidate, *candidate.same)
        if np.abs(signature(candidate.geometry) - right).max() <= 1
    ]
    assert mistake.code in codes


@pytest.mark.parametrize("order", ORDERS)
@settings(max_examples=15)
@given(yaw=st.floats(-180, 180), pitch=st.floats(1, 10), roll=st.floats(0.5, 3))
def test_degrees_taken_for_radians_are_among_those_tried(order, yaw, pitch, roll):
    level = Rotation.from_matrix([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])
    right = (
        Rotation.from_euler("z", yaw, degrees=True)
        * level
        * Rotation.from_euler("xz", (pitch, roll), degrees=True)
    )
    angles_deg = right.as_euler(order, degrees=True)
    wrong = Rotation.from_euler(order, angles_deg).as_matrix()
    meant = degrees_taken_for_radians(wrong, np.array([0.0, 0, 1]), of_camera=True)
    off = np.abs(meant.rotations - right.as_matrix()).max(axis=(1, 2))
    assert off.min() < 1e-6


def test_there_are_23_turns_by_right_angles_and_all_differ():
    turns = right_angle_turns()
    assert len({t.rotation.round().tobytes() for t in turns}) == 23


def test_a_mistake_in_a_mount_is_undone_by_a_candidate_of_its_code():
    codes = {m.code for m in mount_mistakes(MOUNT, "ego", "cam", optical=True)}
    assert {
        "inverse",
        "rotation_transposed",
        "translation_of_inverse",
        "camera_axes",
        "quaternion_order",
    } <= codes


def test_fisheye_coefficients_in_a_pinhole_are_tried_as_a_fisheye():
    fisheye = Fisheye(400.0, 400.0, 479.0, 270.0, 960, 540, (0.03, -0.01, 0.002, 0.0))
    read_wrong = Pinhole(400.0, 400.0, 479.0, 270.0, 960, 540, fisheye.distortion)
    assert fisheye in [
        m.model for m in lens_mistakes(read_wrong, (960, 540)) if m.code == "fisheye_read_as_pinhole"
    ]


def test_a_room_has_no_edges_and_a_pole_in_it_has_two_sides():
    azimuth, elevation = np.meshgrid(
        np.radians(np.arange(0, 360, 0.2) + 0.1), np.radians(np.arange(-15, 15, 0.8))
    )
    rays = np.stack([np.cos(azimuth), np.sin(azimuth), np.tan(elevation)], axis=-1).reshape(-1, 3)
    range_m = np.full(len(rays), 20.0)
    assert len(edges_around(rays * range_m[:, None])) == 0
    pole = np.abs(np.degrees(azimuth).ravel() - 90) < 1.0
    range_m[pole] = 8.0
    edges = edges_around(rays * range_m[:, None])
    found_deg = np.degrees(np.arctan2(edges.points[:, 1], edges.points[:, 0]))
    assert len(edges) > 50
    assert np.abs(np.abs(found_deg - 90) - 1.0).max() < 0.3


def test_a_cloud_shifted_up_from_the_ground_is_still_seen_from_its_centre():
    rng = np.random.default_rng(1)
    azimuth, elevation = np.meshgrid(np.radians(np.arange(0, 360, 0.2)), np.radians(np.arange(-24, 15, 0.4)))
    directions = np.stack(
        [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)], -1
    )
    rays = directions.reshape(-1, 3) * rng.choice([6.0, 12.0, 30.0], (len(directions.reshape(-1, 3)), 1))
    assert height_of_centre_m(rays) == 0.0
    assert 1.2 <= height_of_centre_m(rays + np.array([0, 0, 1.8])) <= 2.4


def textured(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """An image of bright boxes, and points on their upright borders at 10 to 30 m, in camera axes."""
    image = np.full((540, 960, 3), 60, np.uint8)
    points = []
    for _ in range(14):
        left, top = int(rng.integers(20, 860)), int(rng.integers(100, 400))
        right, bottom = left + int(rng.integers(20, 90)), top + int(rng.integers(60, 130))
        image[top:bottom, left:right] = int(rng.integers(110, 250))
        depth_m = rng.uniform(8, 30)
        for u in (left - 0.5, right - 0.5):
            rows = np.arange(top, bottom, 3.0)
            pixels = np.column_stack([np.full(len(rows), u), rows])
            points.append(LENS.ray(pixels) * depth_m)
    return image, np.concatenate(points)


@pytest.fixture(scope="module")
def shots():
    from calib.refine.edges import Edges

    made = []
    for seed in range(3):
        image, points_cam = textured(np.random.default_rng(seed))
        lidar_from_cam = LIDAR.ego_from_sensor.inverse() @ MOUNT
        across = lidar_from_cam.rotate(np.tile([1.0, 0, 0], (len(points_cam), 1)))
        edges = Edges(
            lidar_from_cam @ points_cam, across, np.ones(len(points_cam)), np.arange(len(points_cam))
        )
        made.append(shot_of(edges, SE3.identity(), image))
    return made


def test_the_right_rig_scores_and_a_rig_three_degrees_off_does_not(shots):
    right = geometry_of(CAMERA, LIDAR)
    off = replace(right, ego_from_cam=MOUNT @ SE3.from_rotation_vector((0.0, np.radians(3.0), 0.0)))
    assert score(shots, right).rise > 0.1
    assert score(shots, off).rise < 0.3 * score(shots, right).rise


def test_nothing_is_said_of_the_right_rig(shots):
    assert diagnose(Rig.of((LIDAR,), (CAMERA,)), {"cam_front": shots}) == []


def test_the_inverse_is_named_and_mended(shots):
    rig = Rig.of((LIDAR,), (replace(CAMERA, ego_from_sensor=MOUNT.inverse()),))
    (finding,) = diagnose(rig, {"cam_front": shots})
    assert finding.code == "inverse" and finding.severity == "wrong"
    assert "cam_from_ego" in finding.message
    assert finding.mended(rig).cameras["cam_front"].ego_from_sensor.is_close(MOUNT)


def test_of_degrees_taken_for_radians_no_mount_is_proposed_twice(shots):
    angles = Rotation.from_matrix(MOUNT.rotation).as_euler("xyz", degrees=True)
    wrong = SE3(Rotation.from_euler("xyz", angles).as_matrix(), MOUNT.translation)
    given = geometry_of(
        replace(CAMERA, ego_from_sensor=wrong), replace(LIDAR, ego_from_sensor=SE3.identity())
    )
    found = [signature(candidate.geometry) for candidate in degrees_candidates(shots, given)]
    assert len(found) > 3
    assert min(np.abs(a - b).max() for k, a in enumerate(found) for b in found[:k]) > 1


@pytest.mark.parametrize(
    ("camera", "code"),
    [
        (
            replace(CAMERA, ego_from_sensor=SE3(MOUNT.rotation, MOUNT.translation * 1000)),
            "camera_far_from_lidar",
        ),
        (replace(CAMERA, model=replace(LENS, fx_px=7.0)), "field_of_view_absurd"),
        (replace(CAMERA, model=replace(LENS, cx_px=1500.0)), "principal_point_off"),
        (replace(CAMERA, model=replace(LENS, distortion=(-0.9, 0.1, 0.0, 0.0))), "distortion_folds"),
        (replace(CAMERA, model=replace(LENS, cx_px=480.0, cy_px=270.0)), "pixel_corner"),
        (replace(OTHER, ego_from_sensor=MOUNT), "cameras_coincide"),
    ],
)
def test_what_cannot_well_be_is_said_without_images(camera, code):
    cameras = {c.name: c for c in (CAMERA, OTHER)} | {camera.name: camera}
    assert [f.code for f in check_rig(Rig.of((LIDAR,), tuple(cameras.values())))] == [code]


def test_a_rig_that_can_well_be_is_left_alone():
    assert check_rig(RIG) == []
