"""Views of a log: the right edges, at the right instant, from the right frames."""

from dataclasses import replace

import numpy as np
import pytest

from calib import SE3, CalibrationError, Rig, SE3Batch
from calib.refine import alignment, refine
from formats.registry import find_format
from fusion import Trajectory
from fusion.simulate import SimulationConfig, simulate
from fusion.sweep import deskew
from fusion.views import as_measured, spread_frames, sweep_edges, view_at, views_of

CONFIG = SimulationConfig(
    seed=12, seconds=1.0, sweep_hz=5.0, cameras=2, image_size_px=(480, 270), rings=40, azimuth_steps=900
)


@pytest.fixture(scope="module")
def log():
    return simulate(CONFIG)[0]


def test_undoing_the_deskewing_gives_the_points_as_measured(log):
    sweep, ego_from_lidar = log.sweep_at(int(log.timestamps_ns[1])).read(), log.rig.main_lidar.ego_from_sensor
    still = deskew(sweep, ego_from_lidar, log.trajectory)
    assert np.abs(still.points - sweep.points).max() > 0.3
    back = as_measured(still, ego_from_lidar, log)
    assert np.abs(back - sweep.points).max() < 0.01
    raw, undone = sweep_edges(log, sweep), sweep_edges(log, still)
    assert abs(len(raw) - len(undone)) < 0.02 * len(raw)


def test_edges_are_where_they_are_at_the_instant_of_the_image(log):
    sensor = log.rig.cameras["cam_front"]
    view = view_at(log, "cam_front", int(log.timestamps_ns[2]))
    assert len(view) > 300
    here = alignment([view], sensor.ego_from_sensor)
    for turn_deg in (-0.6, 0.6):
        off = sensor.ego_from_sensor @ SE3.from_rotation_vector([0, np.radians(turn_deg), 0])
        assert alignment([view], off) < here - 0.03
    stands = replace(log, trajectory=Trajectory.standing([log.trajectory.start_ns, log.trajectory.end_ns]))
    assert alignment([view_at(stands, "cam_front", int(log.timestamps_ns[2]))], sensor.ego_from_sensor) < here


def test_through_a_rolling_shutter_every_edge_is_where_its_own_row_saw_it():
    log = simulate(replace(CONFIG, readout_ms=30.0, ego_speed_mps=14.0, style="straight"))[0]
    camera, frames = log.rig.cameras["cam_front_left"], [1, 2, 3]
    rig = Rig.of((log.rig.main_lidar,), (replace(camera, readout_ns=0),))
    rolling, at_once = (views_of(each, camera.name, frames) for each in (log, replace(log, rig=rig)))
    for a, b in zip(rolling, at_once, strict=True):
        apart_m = np.linalg.norm(a.points_ego - b.points_ego, axis=0)
        assert 0.07 < apart_m.max() < 0.11, "half a readout at 6.6 m/s"
        assert np.quantile(apart_m, 0.1) < 0.01, "rows in the middle stay"
    mount = camera.ego_from_sensor
    assert alignment(rolling, mount) > alignment(at_once, mount) + 0.003


def test_frames_are_spread_over_the_way_not_over_the_time():
    times_ns = np.arange(100, dtype=np.int64) * 100_000_000
    ahead_m = np.where(np.arange(100) < 80, 0.0, (np.arange(100) - 80) * 1.0)
    places = np.column_stack([ahead_m, np.zeros(100), np.zeros(100)])
    trajectory = Trajectory(times_ns, SE3Batch(np.tile(np.eye(3), (100, 1, 1)), places))
    log = type("Log", (), {"timestamps_ns": times_ns, "trajectory": trajectory})()
    frames = spread_frames(log, 10)
    assert len(frames) == 10
    assert frames[0] == 0
    assert frames[-1] == 99
    assert (frames >= 80).sum() >= 8


def test_a_frame_without_an_image_is_replaced_or_left_out(log):
    images = dict(log.images)
    images["cam_front"] = images["cam_front"][1:3]
    sparse = type(log)(log.name, log.rig, log.trajectory, log.timestamps_ns, dict(log.sweeps), images)
    assert view_at(sparse, "cam_front", int(log.timestamps_ns[4])) is None
    assert len(views_of(sparse, "cam_front", frames=[1, 2, 4])) == 2
    assert len(views_of(sparse, "cam_front", count=2)) == 2
    with pytest.raises(CalibrationError, match="no camera 'cam_none'"):
        views_of(log, "cam_none")


def test_real_frames_lead_back_to_the_shipped_mount(shared_data):
    path = shared_data / "kitti_camera_lidar" / "training"
    found = find_format(path)
    log = found.open_log(path, found.log_ids(path)[0])
    ego_from_cam = log.rig.cameras["image_02"].ego_from_sensor
    views = views_of(log, "image_02")
    assert len(views) == 12
    start = SE3.from_rotation_vector(np.radians([0.8, -0.7, 0.9]), (0.08, -0.06, 0.09))
    answer = refine(views, ego_from_cam @ start, seed=3)
    found_cam_from_cam = answer.ego_from_cam.inverse() @ ego_from_cam
    assert answer.accepted, answer.reason
    assert np.degrees(np.linalg.norm(found_cam_from_cam.rotation_vector_rad)) < 0.2
    assert np.linalg.norm(found_cam_from_cam.translation) < 0.04
