"""Labels and clouds at a camera's instant: a moving car sees what stands still where it stands."""

import numpy as np
import pytest

from calib import SE3, Camera, Lidar, Pinhole, Rig, SE3Batch
from fusion import Annotation, Box3D, DriveLog, ImageRef, Sweep, SweepRef, TimeRangeError, Track, Trajectory
from fusion.align import box_at, cam_at_shot_from_ego, cloud_in_image, points_in_ego, read_deskewed

START_NS = 1_532_402_927_647_951_000
FRAME_NS = 100_000_000
OPTICAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
MODEL = Pinhole(1266.0, 1266.0, 800.0, 450.0, 1600, 900)
EGO_FROM_CAM = SE3(OPTICAL, (1.7, 0.0, 1.5))
EGO_FROM_LIDAR = SE3.from_yaw(-np.pi / 2, (0.9, 0.0, 1.84))
WORLD_FROM_PARKED = SE3.from_yaw(0.4, (40.0, 3.0, 0.8))
SIZE_LWH_M = (4.5, 1.9, 1.6)


def exact_world_from_ego(timestamp_ns):
    """A car on a bend at 14 m/s and 0.35 rad/s."""
    t = (timestamp_ns - START_NS) / 1e9
    return SE3.from_yaw(0.35 * t, (40 * np.sin(0.35 * t), 40 * (1 - np.cos(0.35 * t)), 0.0))


def drive_log(sweeps=(), images=()):
    timestamps_ns = START_NS + np.arange(-(10**8), 15 * 10**8, 2_000_000)
    world_from_ego = SE3Batch.stack(exact_world_from_ego(int(t)) for t in timestamps_ns)
    rig = Rig.of((Lidar("top", EGO_FROM_LIDAR),), (Camera("front", EGO_FROM_CAM, MODEL),))
    frames = START_NS + FRAME_NS * np.arange(10)
    return DriveLog(
        "bend", rig, Trajectory(timestamps_ns, world_from_ego), frames, {"top": sweeps}, {"front": images}
    )


def parked_box(timestamp_ns):
    ego_from_box = exact_world_from_ego(timestamp_ns).inverse() @ WORLD_FROM_PARKED
    return Box3D(ego_from_box, *SIZE_LWH_M)


def moving_box(timestamp_ns):
    """Ahead of the car, at 8 m/s to the world's north, turning at 0.5 rad/s."""
    t = (timestamp_ns - START_NS) / 1e9
    world_from_box = SE3.from_yaw(0.5 * t, (30.0, -5.0 + 8.0 * t, 0.9))
    return Box3D(exact_world_from_ego(timestamp_ns).inverse() @ world_from_box, *SIZE_LWH_M)


def track_of(box_of, frames):
    return Track.of(
        "a", "car", [Annotation(START_NS + FRAME_NS * f, box_of(START_NS + FRAME_NS * f)) for f in frames]
    )


def shot(offset_ns):
    return ImageRef("front", START_NS + offset_ns, lambda: np.zeros((900, 1600, 3), np.uint8))


@pytest.mark.parametrize("offset_ns", [-48_000_000, 0, 13_000_000, 50_000_000])
def test_a_parked_car_is_seen_where_it_stands_at_the_instant_of_the_shot(offset_ns):
    log, image = drive_log(), shot(offset_ns)
    cam_at_shot_from_ego_at_frame = cam_at_shot_from_ego(log, image, START_NS)
    cam_at_shot_from_world = (exact_world_from_ego(image.timestamp_ns) @ EGO_FROM_CAM).inverse()
    world_from_ego = exact_world_from_ego(START_NS)
    expected = MODEL.project(cam_at_shot_from_world @ (world_from_ego @ parked_box(START_NS).corners()))
    found = MODEL.project(cam_at_shot_from_ego_at_frame @ parked_box(START_NS).corners())
    assert expected.visible.all()
    np.testing.assert_allclose(found.uv_px, expected.uv_px, rtol=0, atol=1e-3)


def test_sharing_one_pose_between_lidar_and_camera_would_be_pixels_off():
    image = shot(50_000_000)
    compensated = MODEL.project(
        cam_at_shot_from_ego(drive_log(), image, START_NS) @ parked_box(START_NS).corners()
    )
    shared = MODEL.project(EGO_FROM_CAM.inverse() @ parked_box(START_NS).corners())
    assert np.abs(compensated.uv_px - shared.uv_px).max() > 10


def assert_same_box(found, expected, atol):
    assert found is not None
    assert found.ego_from_box.is_close(expected.ego_from_box, atol=atol)
    np.testing.assert_array_equal(found.size_lwh_m, expected.size_lwh_m)


@pytest.mark.parametrize("offset_ns", [0, 30_000_000, 99_999_999, 100_000_000, 250_000_000, 400_000_000])
def test_between_annotations_a_parked_car_stays_where_it_is(offset_ns):
    found = box_at(drive_log(), track_of(parked_box, (0, 1, 4)), START_NS + offset_ns)
    assert_same_box(found, parked_box(START_NS + offset_ns), atol=1e-5)


@pytest.mark.parametrize("offset_ns", [-90_000_000, 20_000_000, 150_000_000, 210_000_000, 340_000_000])
def test_between_and_just_beyond_annotations_a_moving_car_moves_evenly(offset_ns):
    found = box_at(drive_log(), track_of(moving_box, (0, 1, 2, 3)), START_NS + offset_ns)
    assert_same_box(found, moving_box(START_NS + offset_ns), atol=1e-4)


def test_far_from_every_annotation_there_is_no_box():
    log = drive_log()
    assert box_at(log, track_of(moving_box, (2,)), START_NS + 450_000_000) is None
    assert box_at(log, track_of(moving_box, (2, 3)), START_NS - 50_000_000) is None
    assert box_at(log, track_of(moving_box, (0, 9)), START_NS + 450_000_000) is None
    assert box_at(log, Track.of("b", "car", []), START_NS) is None


def test_outside_of_the_trajectory_is_an_error():
    with pytest.raises(TimeRangeError):
        cam_at_shot_from_ego(drive_log(), shot(10**10), START_NS)


def test_a_cloud_measured_while_driving_lands_on_the_wall_in_the_image():
    rng = np.random.default_rng(0)
    wall_world = np.column_stack([np.full(3_000, 45.0), rng.uniform(-8, 8, 3_000), rng.uniform(0, 5, 3_000)])
    offset_ns = np.sort(rng.integers(0, FRAME_NS, 3_000)).astype(np.int32)
    points_lidar = np.array(
        [
            (exact_world_from_ego(START_NS + int(late_ns)) @ EGO_FROM_LIDAR).inverse() @ point
            for late_ns, point in zip(offset_ns, wall_world, strict=True)
        ]
    )
    raw = Sweep("top", START_NS, points_lidar.astype(np.float32), offset_ns=offset_ns, deskewed=False)
    log, image = drive_log((SweepRef("top", START_NS, lambda: raw),)), shot(61_000_000)
    sweep = read_deskewed(log, log.sweeps["top"][0])
    np.testing.assert_allclose(
        exact_world_from_ego(START_NS) @ points_in_ego(log, sweep), wall_world, rtol=0, atol=1e-3
    )
    cam_at_shot_from_world = (exact_world_from_ego(image.timestamp_ns) @ EGO_FROM_CAM).inverse()
    expected = MODEL.project(cam_at_shot_from_world @ wall_world)
    seen = cloud_in_image(log, sweep, image)
    np.testing.assert_array_equal(seen.index, np.flatnonzero(expected.visible))
    np.testing.assert_allclose(seen.uv_px, expected.uv_px[expected.visible], rtol=0, atol=0.05)
    assert len(seen.index) > 1_000
