"""Labels and clouds at a camera's instant: a moving car sees what stands still where it stands."""

from dataclasses import replace

import numpy as np
import pytest

from calib import SE3, Camera, Lidar, Pinhole, Rig, SE3Batch
from calib.shutter import expose
from fusion import Annotation, Box3D, DriveLog, ImageRef, Sweep, SweepRef, TimeRangeError, Track, Trajectory
from fusion.align import (
    box_at,
    cam_at_shot_from_ego,
    cloud_in_image,
    lens_of_shot,
    motion_in_shot,
    points_in_ego,
    read_deskewed,
    velocity_at,
)
from fusion.boxes import UNIT_CORNERS
from fusion.simulate import Drive, SimulationConfig

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


@pytest.fixture(scope="module", params=["down", "left"])
def rolling(request) -> Drive:
    """A drive through a bend, seen through rolling shutters, with exact scans."""
    config = replace(
        SimulationConfig.tiny(),
        seed=101,
        seconds=1.6,
        ego_speed_mps=14.0,
        azimuth_steps=600,
        range_noise_m=0.0,
        dropout=False,
        cameras=3,
        image_size_px=(960, 540),
        readout_ms=30.0,
        readout=request.param,
    )
    return Drive(config)


def busiest_frames(drive):
    """The frames at which the car drives fastest and at which it turns most."""
    step_ns = 20_000_000
    before = drive.trajectory.at_many(drive.timestamps_ns)
    after = drive.trajectory.at_many(drive.timestamps_ns + step_ns)
    way_m = np.linalg.norm(after.translations - before.translations, axis=1)
    turn_rad = np.abs((after.yaws_rad - before.yaws_rad + np.pi) % (2 * np.pi) - np.pi)
    return {int(np.argmax(way_m)), int(np.argmax(turn_rad))}


def test_static_points_land_where_the_simulator_says_through_deskew_and_rolling_shutter(rolling):
    log, ego_from_lidar = rolling.log(), rolling.rig.lidars["lidar_top"].ego_from_sensor
    rng, checked = np.random.default_rng(0), 0
    for frame in busiest_frames(rolling):
        scan = rolling.scan(frame)
        raw = scan.sweep
        still = np.array([i < 0 or not rolling.actors[i].moving for i in scan.actor])
        for name in log.images:
            image = log.images[name][frame]
            seen = cloud_in_image(log, raw, image)
            ignoring = cam_at_shot_from_ego(log, image, raw.timestamp_ns) @ points_in_ego(log, raw)
            naive = log.rig.cameras[name].model.project(ignoring).uv_px
            costs = []
            for k in rng.choice(len(seen.index), 25, replace=False):
                i = int(seen.index[k])
                if not still[i]:
                    continue
                measured_ns = raw.timestamp_ns + int(raw.offset_ns[i])
                world_from_lidar = rolling.trajectory.at(measured_ns) @ ego_from_lidar
                (true,) = rolling.sightings(name, frame, world_from_lidar @ raw.points[i].astype(np.float64))
                np.testing.assert_allclose(seen.uv_px[k], true.uv_px, rtol=0, atol=0.01)
                assert abs(image.timestamp_ns + int(seen.row_ns[k]) - true.timestamp_ns) <= 2_000
                costs.append(np.linalg.norm(naive[i] - true.uv_px))
                checked += 1
            assert np.median(costs) > 0.3
    assert checked > 40


def test_the_pixels_of_a_rolling_shutter_show_what_lies_on_them_when_their_row_is_exposed(rolling):
    """Both ways agree: where a pixel's ray ends is projected back to the pixel, standing or moving."""
    name, frame = "cam_front_left", max(busiest_frames(rolling))
    log, picture = rolling.log(), rolling.picture(name, frame)
    camera, image = log.rig.cameras[name], log.images[name][frame]
    motion = motion_in_shot(log, image, image.timestamp_ns)
    rng = np.random.default_rng(1)
    world_from_ego = rolling.trajectory.at(image.timestamp_ns)
    for moving in (False, True):
        actors = [k for k, actor in enumerate(rolling.actors) if actor.moving]
        on = np.isin(picture.actor, actors) if moving else (picture.actor < 0) & np.isfinite(picture.range_m)
        v, u = np.nonzero(on)
        picked = rng.choice(len(v), min(200, len(v)), replace=False)
        uv_px = np.column_stack([u, v])[picked].astype(np.float64)
        rays = camera.model.ray(uv_px) * picture.range_m[v, u][picked, None]
        offsets_ns = np.round(camera.row_offset_ns(uv_px)).astype(np.int64)
        world_from_cams = rolling.trajectory.at_many(image.timestamp_ns + offsets_ns) @ camera.ego_from_sensor
        places = world_from_cams @ rays
        velocity = np.zeros((len(places), 3))
        for k in np.flatnonzero(moving * np.ones(len(places))):
            actor, at_row_ns = (
                rolling.actors[picture.actor[v, u][picked[k]]],
                image.timestamp_ns + offsets_ns[k],
            )
            box_from_world = actor.world_from_box(int(at_row_ns)).inverse()
            now = actor.world_from_box(image.timestamp_ns) @ (box_from_world @ places[k])
            velocity[k] = (places[k] - now) / (offsets_ns[k] / 1e9)
            places[k] = now
        ego_from_world = world_from_ego.inverse()
        found = expose(ego_from_world @ places, camera, motion, ego_from_world.rotate(velocity))
        assert len(uv_px) > 20
        np.testing.assert_allclose(found.uv_px, uv_px, rtol=0, atol=0.01)


def gliding_box(timestamp_ns):
    """Ahead of the car, at 8 m/s to the world's north."""
    world_from_box = SE3.from_yaw(0.3, (30.0, -5.0 + 8.0 * (timestamp_ns - START_NS) / 1e9, 0.9))
    return Box3D(exact_world_from_ego(timestamp_ns).inverse() @ world_from_box, *SIZE_LWH_M)


def test_a_box_that_moves_is_drawn_where_its_rows_see_it():
    camera = Camera("front", EGO_FROM_CAM, MODEL, readout_ns=40_000_000)
    log = drive_log()
    log = replace(log, rig=Rig.of((Lidar("top", EGO_FROM_LIDAR),), (camera,)))
    track, image = track_of(gliding_box, (0, 1, 2, 3)), shot(150_000_000)
    t = image.timestamp_ns
    velocity = velocity_at(log, track, t)
    np.testing.assert_allclose(exact_world_from_ego(t).rotate(velocity), (0.0, 8.0, 0.0), atol=1e-2)
    cam_from_ego, box = cam_at_shot_from_ego(log, image, t), box_at(log, track, t)
    corners_cam = cam_from_ego @ box.corners()
    found = lens_of_shot(log, image).project(corners_cam, cam_from_ego.rotate(velocity))
    for corner, uv_px, row_ns in zip(UNIT_CORNERS, found.uv_px, found.row_ns, strict=True):
        now = t + int(row_ns)
        cam_from_box = EGO_FROM_CAM.inverse() @ gliding_box(now).ego_from_box
        exact = MODEL.project((cam_from_box @ (corner * SIZE_LWH_M))[None])
        np.testing.assert_allclose(uv_px, exact.uv_px[0], rtol=0, atol=0.01)
    without = MODEL.project(corners_cam).uv_px
    assert np.linalg.norm(without - found.uv_px, axis=1).max() > 0.5


def test_at_the_end_of_a_trajectory_the_camera_goes_on():
    camera = Camera("front", EGO_FROM_CAM, MODEL, readout_ns=40_000_000)
    log = replace(drive_log(), rig=Rig.of((Lidar("top", EGO_FROM_LIDAR),), (camera,)))
    end_ns = log.trajectory.end_ns
    last = ImageRef("front", end_ns, lambda: np.zeros((900, 1600, 3), np.uint8))
    motion = motion_in_shot(log, last, end_ns)
    points = np.array([[20.0, 3, 1], [20, -3, 0.2], [15, 0, 2.5]])
    found = expose(points, camera, motion)
    assert found.visible.all()
    for point, uv_px, row_ns in zip(points, found.uv_px, found.row_ns, strict=True):
        ego_at_row_from_ego = exact_world_from_ego(end_ns + int(row_ns)).inverse() @ exact_world_from_ego(
            end_ns
        )
        exact = MODEL.project((EGO_FROM_CAM.inverse() @ (ego_at_row_from_ego @ point))[None])
        np.testing.assert_allclose(uv_px, exact.uv_px[0], rtol=0, atol=0.1)
    with pytest.raises(TimeRangeError):
        motion_in_shot(log, replace(last, timestamp_ns=end_ns + 1), end_ns)


def test_a_trajectory_of_one_pose_is_a_camera_at_rest():
    camera = Camera("front", EGO_FROM_CAM, MODEL, readout_ns=40_000_000)
    log = replace(
        drive_log(),
        rig=Rig.of((Lidar("top", EGO_FROM_LIDAR),), (camera,)),
        trajectory=Trajectory.standing([START_NS]),
    )
    sweep = Sweep("top", START_NS, np.array([[0.0, 20.0, 0.0]], np.float32))
    seen = cloud_in_image(log, sweep, shot(0))
    still = cloud_in_image(replace(log, rig=drive_log().rig), sweep, shot(0))
    np.testing.assert_allclose(seen.uv_px, still.uv_px, atol=1e-9)
    assert len(seen.index) == 1
