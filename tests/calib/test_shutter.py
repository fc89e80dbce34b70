"""Rolling shutters: every point is seen at the instant its own row is exposed, whatever the lens."""

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.optimize import brentq

from calib import SE3, CalibrationError, Camera, Fisheye, Pinhole, SE3Batch, project_cloud
from calib.cameras import Cylindrical, DoubleSphere, Equirectangular, ExtendedUnified, FTheta, Unified
from calib.shutter import CameraMotion, ShotLens, expose, project_through_shutter, shot_span_ns

OPTICAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
BENT = Pinhole(1266.0, 1250.0, 800.0, 450.0, 1600, 900, (-0.3, 0.1, 0.001, -0.001, -0.02))
ROUND = Fisheye(500.0, 500.0, 799.5, 449.5, 1600, 900, (0.012, -0.004, 0.001, -0.0002))
LENS = (300.0, 300.0, 640.0, 480.0, 1280, 960)
FAMILIES = {
    "pinhole": Pinhole(*LENS),
    "pinhole with distortion": BENT,
    "fisheye": ROUND,
    "f-theta, angle to pixels": FTheta(*LENS[2:], (0.0, 300.0, -3.0, 1.5, -4.0, 0.2)),
    "f-theta, pixels to angle": FTheta(
        *LENS[2:], px_to_angle=(0.0, 1 / 300, 1e-7, -1e-11, 2e-13), reference="px_to_angle"
    ),
    "unified": Unified(*LENS, 1.2, (-0.3, 0.1, 0.001, -0.001)),
    "extended unified": ExtendedUnified(*LENS, 0.6, 1.1),
    "double sphere": DoubleSphere(*LENS, -0.17, 0.59),
    "cylindrical": Cylindrical(*LENS),
    "equirectangular": Equirectangular(1280, 640),
}
VELOCITY_MPS, TURN_RADPS = (13.9, 0.2, -0.1), (0.05, -0.08, 0.45)
READOUT_NS = 30_000_000


def side_camera(model=BENT, readout="down", readout_ns=READOUT_NS):
    return Camera(
        "left", SE3(SE3.from_yaw(1.0).rotation @ OPTICAL, (1.5, 0.6, 1.5)), model, readout_ns, 0, readout
    )


@lru_cache(maxsize=4096)
def cam_from_ego_at_shot(camera, seconds, velocity_mps=VELOCITY_MPS, turn_radps=TURN_RADPS):
    """The twin: the matrix exponential of the car's twist, one instant at a time."""
    a, b, c = turn_radps
    twist = np.zeros((4, 4))
    twist[:3, :3], twist[:3, 3] = [[0, -c, b], [c, 0, -a], [-b, a, 0]], velocity_mps
    ego_at_shot_from_ego = SE3.nearest(expm(seconds * twist), 1e-9)
    return (ego_at_shot_from_ego @ camera.ego_from_sensor).inverse()


def seen_by_brute_force(camera, point, velocity, samples=61, **motion):
    """All (pixel, row time, whether on the image) that fit: roots between close samples, point by point."""
    first_ns, last_ns = shot_span_ns(camera)

    def project(t_ns):
        moved = point + velocity * t_ns / 1e9
        return camera.model.project((cam_from_ego_at_shot(camera, t_ns / 1e9, **motion) @ moved)[None])

    def late_ns(t_ns):
        return float(camera.row_offset_ns(project(t_ns).uv_px)[0]) - t_ns

    times_ns = np.linspace(first_ns, last_ns, samples)
    late = np.array([late_ns(t) for t in times_ns])
    found = []
    for k in np.flatnonzero(late[:-1] * late[1:] <= 0):
        t_ns = brentq(late_ns, times_ns[k], times_ns[k + 1], xtol=1e-3)
        seen = project(t_ns)
        found.append((seen.uv_px[0], t_ns, seen.visible[0]))
    return found


@pytest.mark.parametrize("readout", ["down", "up", "right", "left"])
@pytest.mark.parametrize("model", [BENT, ROUND], ids=["pinhole", "fisheye"])
def test_every_point_is_seen_when_brute_force_says(model, readout):
    camera = side_camera(model, readout)
    motion = CameraMotion.constant_twist(camera, SE3.identity(), VELOCITY_MPS, TURN_RADPS)
    rng = np.random.default_rng(3)
    points = rng.normal(size=(4_000, 3)) * (15, 15, 4)
    points = points[np.linalg.norm(points - camera.ego_from_sensor.translation, axis=1) > 2.0]
    velocities = rng.normal(size=points.shape) * 4
    seen = project_through_shutter(points, camera, motion, velocities)
    everywhere = expose(points, camera, motion, velocities)
    np.testing.assert_array_equal(seen.index, np.flatnonzero(everywhere.visible))
    some = np.concatenate([seen.index[:: len(seen.index) // 15], rng.choice(len(points), 15)])
    for i in some:
        found = seen_by_brute_force(camera, points[i], velocities[i], samples=9)
        assert sum(on_image for *_, on_image in found) == everywhere.visible[i]
        for uv_px, t_ns, _ in found:
            np.testing.assert_allclose(everywhere.uv_px[i], uv_px, rtol=0, atol=1e-4)
            assert abs(everywhere.row_ns[i] - t_ns) < 5


def between_poses(points, motion, times_ns):
    """The numpy twin of a motion: points in the camera's frame, mixed from the poses about their instants."""
    poses = motion.cams_from_points
    at = (times_ns - motion.first_ns) / motion.step_ns
    n = np.clip(at.astype(int), 0, len(poses) - 2)
    before, after = (
        np.einsum("nij,nj->ni", poses.rotations[k], points) + poses.translations[k] for k in (n, n + 1)
    )
    return before + (at - n)[:, None] * (after - before)


@pytest.mark.parametrize("readout", ["down", "left"])
@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_sees_what_its_numpy_twin_sees(name, readout):
    """At many instants: what is yet to be read at one and has been read at the next is seen between."""
    camera = side_camera(FAMILIES[name], readout)
    motion = CameraMotion.constant_twist(camera, SE3.identity(), VELOCITY_MPS, TURN_RADPS)
    rng = np.random.default_rng(4)
    rays = rng.normal(size=(3_000, 3))
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    points = camera.ego_from_sensor.translation + rays * rng.uniform(3, 60, (3_000, 1))
    velocity = np.array([2.0, -1.0, 0.5])
    seen = project_through_shutter(points, camera, motion, velocity)

    def look(k, times_ns):
        moved = points[k] + velocity * times_ns[:, None] / 1e9
        found = camera.model.project(between_poses(moved, motion, times_ns))
        return found, camera.row_offset_ns(found.uv_px) - times_ns

    exact, late_ns = look(seen.index, seen.row_ns.astype(np.float64))
    assert len(seen.index) > 50
    assert exact.visible.mean() > 0.99  # but for a border on which a nanosecond decides
    assert np.abs(late_ns).max() < 2
    np.testing.assert_allclose(seen.uv_px, exact.uv_px, rtol=0, atol=1e-4)
    np.testing.assert_allclose(seen.depth_m, exact.depth_m, rtol=0, atol=1e-6)
    instants_ns, everything = np.linspace(*shot_span_ns(camera), 65), np.arange(len(points))
    looks = [look(everything, np.full(len(points), t)) for t in instants_ns]
    late, inside = np.array([late for _, late in looks]), np.array([found.visible for found, _ in looks])
    read = (late[:-1] > 0) & (late[1:] <= 0) & inside[:-1] & inside[1:]
    np.testing.assert_array_equal(np.setdiff1d(np.flatnonzero(read.any(axis=0)), seen.index), [])


def test_what_comes_out_does_not_depend_on_what_is_projected_with_it():
    camera = side_camera()
    motion = CameraMotion.constant_twist(camera, SE3.identity(), VELOCITY_MPS, TURN_RADPS)
    points = np.random.default_rng(6).normal(size=(2_000, 3)) * (15, 15, 4)
    together, some = expose(points, camera, motion), np.arange(3, 2_000, 7)
    alone = expose(points[some], camera, motion)
    for field in ("uv_px", "depth_m", "visible", "row_ns"):
        np.testing.assert_array_equal(getattr(together, field)[some], getattr(alone, field))


def test_ignoring_the_shutter_would_be_pixels_off():
    camera = side_camera()
    motion = CameraMotion.constant_twist(camera, SE3.identity(), VELOCITY_MPS, TURN_RADPS)
    points = camera.ego_from_sensor @ (10 * BENT.ray(np.array([[800.0, 100.0], [800.0, 850.0]])))
    still = BENT.project(motion.cam_from_points() @ points).uv_px
    assert np.linalg.norm(expose(points, camera, motion).uv_px - still, axis=1).min() > 5


@settings(max_examples=20)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(BENT, "down"), (BENT, "left"), (ROUND, "up"), (ROUND, "right")]),
    st.integers(1, 60_000_000),
    st.floats(-3, 3),
)
def test_a_point_is_where_its_row_sees_it_and_none_is_lost_on_the_way(seed, how, readout_ns, turn_radps):
    camera = side_camera(*how, readout_ns)
    motion = CameraMotion.constant_twist(
        camera, SE3.from_yaw(0.3, (5, 1, 0)), (30, 0, 0), (0, 0.1, turn_radps)
    )
    rng = np.random.default_rng(seed)
    points = (rng.normal(size=(400, 3)) * (20, 20, 4)).astype(np.float32)
    velocity = rng.normal(size=3) * 5
    all_of_them = expose(points, camera, motion, velocity)
    seen = project_through_shutter(points, camera, motion, velocity)
    np.testing.assert_array_equal(seen.index, np.flatnonzero(all_of_them.visible))
    np.testing.assert_allclose(camera.row_offset_ns(seen.uv_px), seen.row_ns, rtol=0, atol=2)
    for i, uv_px, row_ns in list(zip(seen.index, seen.uv_px, seen.row_ns, strict=True))[:10]:
        now = cam_from_ego_at_shot(camera, row_ns / 1e9, (30, 0, 0), (0, 0.1, turn_radps)) @ SE3.from_yaw(
            0.3, (5, 1, 0)
        )
        exact = camera.model.project((now @ (points[i] + velocity * row_ns / 1e9))[None])
        np.testing.assert_allclose(uv_px, exact.uv_px[0], rtol=0, atol=5e-3)


def test_a_global_shutter_sees_everything_at_once():
    camera = side_camera(readout_ns=0)
    motion = CameraMotion.constant_twist(camera, SE3.identity(), VELOCITY_MPS, TURN_RADPS)
    points = np.random.default_rng(0).normal(size=(3_000, 3)) * 20
    seen = project_through_shutter(points, camera, motion)
    still = project_cloud(points, [BENT], [camera.ego_from_sensor.inverse()])[0]
    np.testing.assert_array_equal(seen.index, still.index)
    np.testing.assert_allclose(seen.uv_px, still.uv_px, rtol=0, atol=1e-9)
    np.testing.assert_allclose(seen.depth_m, still.depth_m, rtol=0, atol=1e-12)
    assert (seen.row_ns == 0).all()


def test_a_camera_at_rest_sees_as_at_once_and_says_when():
    camera = side_camera()
    points = np.random.default_rng(1).normal(size=(3_000, 3)) * 20
    seen = project_through_shutter(points, camera, CameraMotion.at_rest(camera.ego_from_sensor.inverse()))
    still = project_cloud(points, [BENT], [camera.ego_from_sensor.inverse()])[0]
    np.testing.assert_array_equal(seen.index, still.index)
    np.testing.assert_allclose(seen.uv_px, still.uv_px, rtol=0, atol=1e-9)
    assert np.ptp(seen.row_ns) > 0.9 * READOUT_NS


def test_turning_on_the_spot_moves_a_camera_on_its_lever_arm():
    camera = side_camera()
    motion = CameraMotion.constant_twist(camera, SE3.identity(), (0, 0, 0), (0, 0, 2.0))
    point = camera.ego_from_sensor @ (3 * BENT.ray(np.array([[300.0, 820.0]])))
    velocity = np.zeros(3)
    ((uv_px, _, _),) = seen_by_brute_force(
        camera, point[0], velocity, velocity_mps=(0, 0, 0), turn_radps=(0, 0, 2.0)
    )
    np.testing.assert_allclose(expose(point, camera, motion).uv_px[0], uv_px, rtol=0, atol=2e-4)
    no_lever = Camera("mid", SE3(camera.ego_from_sensor.rotation, np.zeros(3)), BENT, READOUT_NS)
    turning = CameraMotion.constant_twist(no_lever, SE3.identity(), (0, 0, 0), (0, 0, 2.0))
    without = expose(point - camera.ego_from_sensor.translation, no_lever, turning)
    assert np.linalg.norm(without.uv_px[0] - uv_px) > 3


def test_what_no_row_sees_is_given_as_the_nearest_border_sees_it():
    camera = side_camera()
    motion = CameraMotion.constant_twist(camera, SE3.identity(), VELOCITY_MPS, TURN_RADPS)
    rays = BENT.ray(np.array([[800.0, 5.0], [800.0, 895.0]]))
    rays[:, 1] *= 1.2  # above and below the image
    seen = expose(camera.ego_from_sensor @ (10 * rays), camera, motion)
    assert not seen.visible.any()
    assert seen.row_ns.tolist() == list(shot_span_ns(camera))
    assert seen.uv_px[0, 1] < -0.5 and seen.uv_px[1, 1] > 899.5
    behind = expose(camera.ego_from_sensor @ np.array([[0.0, 0.0, -5.0], [np.nan, 0.0, 1.0]]), camera, motion)
    assert not behind.visible.any()


def test_where_an_image_overtakes_its_readout_an_odd_number_of_rows_shows_a_point():
    camera = side_camera(readout="left", readout_ns=60_000_000)
    motion = CameraMotion.constant_twist(camera, SE3.identity(), (14, 0, 0), (0, 0, 0))
    rng = np.random.default_rng(5)
    rays = BENT.ray(rng.uniform((0, 0), (1599, 899), (40, 2)))
    points = camera.ego_from_sensor @ (rays * rng.uniform(0.4, 1.2, (40, 1)))
    ours, counts = expose(points, camera, motion), set()
    for i, point in enumerate(points):
        found = seen_by_brute_force(
            camera, point, np.zeros(3), 31, velocity_mps=(14, 0, 0), turn_radps=(0, 0, 0)
        )
        counts.add(len(found))
        if ours.visible[i]:
            assert min(np.abs(ours.uv_px[i] - uv_px).max() for uv_px, *_ in found) < 1e-3
        else:
            assert len(found) % 2 == 0 or not all(on_image for *_, on_image in found)
    assert counts >= {0, 1, 2}


def test_a_lens_of_a_shot_projects_what_moves():
    camera = side_camera()
    motion = CameraMotion.constant_twist(camera, SE3.identity(), VELOCITY_MPS, TURN_RADPS)
    lens = ShotLens(camera, motion.of_points_in(camera.ego_from_sensor))
    points_cam, velocity_cam = (
        12 * BENT.ray(np.array([[200.0, 100.0], [900.0, 700.0]])),
        np.array([3.0, 0.1, 8.0]),
    )
    ego_from_cam = camera.ego_from_sensor
    expected = expose(ego_from_cam @ points_cam, camera, motion, ego_from_cam.rotate(velocity_cam))
    np.testing.assert_allclose(
        lens.project(points_cam, velocity_cam).uv_px, expected.uv_px, rtol=0, atol=1e-6
    )
    assert np.abs(lens.project(points_cam).uv_px - expected.uv_px).max() > 1


@pytest.mark.parametrize(
    ("readout", "first", "last"), [("down", -1, 1), ("up", 1, -1), ("right", -1, 1), ("left", 1, -1)]
)
def test_the_timestamp_is_that_of_the_middle_and_half_a_readout_lies_on_either_side(readout, first, last):
    camera = side_camera(readout=readout)
    corners_px = np.array([[0.0, 0.0], [799.5, 449.5], [1599.0, 899.0]])
    np.testing.assert_allclose(camera.row_offset_ns(corners_px), np.array([first, 0, last]) * READOUT_NS / 2)


def test_a_trigger_is_when_the_first_row_begins():
    camera = Camera("a", SE3.identity(), BENT, readout_ns=20_000_000, exposure_ns=4_000_000)
    middle_of_first_row_ns = camera.timestamp_of_trigger_ns(1_000) + camera.row_offset_ns(np.zeros((1, 2)))[0]
    assert middle_of_first_row_ns == 1_000 + 2_000_000
    assert Camera("b", SE3.identity(), BENT).timestamp_of_trigger_ns(1_000) == 1_000


@pytest.mark.parametrize("wrong", [{"readout_ns": -1}, {"exposure_ns": -1}, {"readout": "sideways"}])
def test_a_shutter_that_cannot_be_is_refused(wrong):
    with pytest.raises(CalibrationError):
        Camera("a", SE3.identity(), BENT, **wrong)


def test_a_motion_needs_two_poses():
    with pytest.raises(CalibrationError):
        CameraMotion(0.0, 1e6, SE3Batch.stack([SE3.identity()]))
    with pytest.raises(CalibrationError):
        CameraMotion(0.0, 0.0, SE3Batch.stack([SE3.identity()] * 2))


def test_no_points_are_no_problem():
    camera = side_camera()
    motion = CameraMotion.at_rest(SE3.identity())
    assert len(project_through_shutter(np.zeros((0, 3), np.float32), camera, motion).index) == 0
    assert len(expose(np.zeros((0, 3)), camera, motion).uv_px) == 0
