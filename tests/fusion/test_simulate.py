"""The simulated drive says exactly what it shows: points, boxes and pixels agree at their own instants."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from threading import Barrier

import numpy as np
import pytest

from calib import CrosslabelError
from fusion import Box3D, Boxes, deskew
from fusion.beam import seen_ns
from fusion.overlap import iou_bev
from fusion.simulate import Drive, SimulationConfig, _kernels, simulate, visible_only
from fusion.simulate.materials import Material
from fusion.simulate.mesh import box
from fusion.simulate.scan import beam_elevations, pulses
from fusion.simulate.scene import Solid

VEHICLES = {"car", "truck", "bus", "cyclist"}


@pytest.fixture(scope="module")
def exact() -> Drive:
    """A small drive without noise or loss, long enough for everybody to move."""
    tiny = SimulationConfig.tiny()
    return Drive(
        replace(
            tiny, seconds=1.0, range_noise_m=0.0, dropout=False, azimuth_steps=900, pedestrians=8, cyclists=3
        )
    )


@pytest.fixture(scope="module")
def tiny():
    return simulate(SimulationConfig.tiny())


@pytest.fixture(scope="module")
def demo() -> Drive:
    return Drive(SimulationConfig.demo())


def off_surface(mesh, points: np.ndarray) -> float:
    """Largest distance of any of the points from the nearest triangle's plane within its edges; in float64.

    Open3D's own distance query is off by millimetres for long thin triangles.
    """
    corners = mesh.vertices[mesh.triangles]
    low, high = corners.min(axis=1) - 2e-3, corners.max(axis=1) + 2e-3
    a = corners[:, 0]
    normals = np.cross(corners[:, 1] - a, corners[:, 2] - a)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-300
    worst = 0.0
    for point in points:
        near = np.flatnonzero(((point >= low) & (point <= high)).all(axis=1))
        away = np.abs(np.einsum("ij,ij->i", normals[near], point - a[near]))
        for k in range(3):
            start, end = corners[near, k], corners[near, (k + 1) % 3]
            inward = np.cross(normals[near], end - start)
            inward /= np.linalg.norm(inward, axis=1, keepdims=True) + 1e-300
            away = np.maximum(away, -np.einsum("ij,ij->i", inward, point - start))
        worst = max(worst, float(away.min(initial=np.inf)))
    return worst


def in_world(drive: Drive, sweep) -> np.ndarray:
    """Points of a raw sweep in the world, each from where the car was at its own instant."""
    ego_from_lidar = drive.rig.lidars[sweep.lidar].ego_from_sensor
    world_from_lidar = (
        drive.trajectory.at_many(sweep.timestamp_ns + sweep.offset_ns.astype(np.int64)) @ ego_from_lidar
    )
    return world_from_lidar @ sweep.points.astype(np.float64)


def in_own_box(drive: Drive, scan, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Points that lie on an actor, in its box frame at their own instants; and these instants."""
    rows = scan.actor == index
    times_ns = scan.sweep.timestamp_ns + scan.sweep.offset_ns[rows].astype(np.int64)
    box_from_world = drive.actors[index].trajectory.at_many(times_ns).inverse()
    return box_from_world @ in_world(drive, scan.sweep)[rows], times_ns


def test_points_lie_on_the_surface_of_what_moves_at_their_own_instants(exact):
    scan = exact.scan(3)
    movers = [i for i in np.unique(scan.actor) if i >= 0 and exact.actors[i].moving]
    assert len(movers) >= 4
    assert {exact.actors[i].body.category for i in movers} >= {"car", "pedestrian", "cyclist"}
    for index in movers:
        actor = exact.actors[index]
        points, times_ns = in_own_box(exact, scan, index)
        phases = actor.phases(times_ns)
        for phase in np.unique(phases):
            assert off_surface(actor.body.meshes[phase], points[phases == phase]) < 1e-4, actor.id


def test_points_on_what_stands_still_lie_on_it_once_deskewed(exact):
    ego_from_lidar = exact.rig.lidars["lidar_top"].ego_from_sensor
    for frame in (0, 5):
        scan = exact.scan(frame)
        still = np.array([i < 0 or not exact.actors[i].moving for i in scan.actor])
        sweep = deskew(scan.sweep.keep(still), ego_from_lidar, exact.trajectory)
        world_from_lidar = exact.trajectory.at(sweep.timestamp_ns) @ ego_from_lidar
        points = world_from_lidar @ sweep.points.astype(np.float64)
        assert len(points) > 5000
        picked = np.random.default_rng(frame).choice(len(points), 250, replace=False)
        assert off_surface(exact.scene.ground.mesh, points[picked]) < 2e-4


def test_without_deskewing_the_points_are_off_by_the_cars_own_motion(exact):
    scan = exact.scan(5)
    ego_from_lidar = exact.rig.lidars["lidar_top"].ego_from_sensor
    world_from_lidar = exact.trajectory.at(scan.sweep.timestamp_ns) @ ego_from_lidar
    raw = world_from_lidar @ scan.sweep.points.astype(np.float64)
    off = np.linalg.norm(raw - in_world(exact, scan.sweep), axis=1)
    assert 0.5 < off.max() < 1.5


def test_boxes_hold_exactly_the_points_on_their_objects(exact):
    scan = exact.scan(4)
    for index in np.unique(scan.actor[scan.actor >= 0]):
        points, _ = in_own_box(exact, scan, index)
        half = exact.actors[index].body.size_lwh_m / 2
        assert (np.abs(points) <= half + 1e-4).all(), exact.actors[index].id


def test_boxes_are_tight(exact):
    for actor in exact.actors:
        corners = np.concatenate([mesh.vertices for mesh in actor.body.meshes])
        np.testing.assert_allclose(corners.max(axis=0), actor.body.size_lwh_m / 2, atol=1e-9)
        np.testing.assert_allclose(corners.min(axis=0), -actor.body.size_lwh_m / 2, atol=1e-9)


def test_labels_are_where_the_actors_are(exact):
    labels = exact.labels()
    by_id = {actor.id: actor for actor in exact.actors}
    assert labels.timestamps_ns() == exact.log().timestamps_ns.tolist()
    for frame, timestamp_ns in enumerate(labels.timestamps_ns()):
        world_from_ego = exact.trajectory.at(timestamp_ns)
        for track, annotation in labels.at(timestamp_ns):
            actor = by_id[track.id]
            world_from_box = world_from_ego @ annotation.box.ego_from_box
            seen_ns = int(exact.seen_ns(actor)[frame])
            assert world_from_box.is_close(actor.world_from_box(seen_ns), atol=1e-9)


def test_boxes_sit_on_the_points_of_what_moves(exact):
    """The median time of an object's points is when its box says the beam passes, to a few degrees."""
    checked = 0
    for frame in (2, 7):
        scan = exact.scan(frame)
        for index, actor in enumerate(exact.actors):
            hit = scan.actor == index
            if actor.moving and hit.sum() >= 30:
                measured_ns = scan.sweep.timestamp_ns + int(np.median(scan.sweep.offset_ns[hit]))
                assert abs(measured_ns - int(exact.seen_ns(actor)[frame])) < 8_000_000
                checked += 1
    assert checked >= 4


def test_the_rig_knows_when_the_beam_passes(exact):
    log = exact.log()
    for track in exact.labels().tracks.values():
        actor = next(actor for actor in exact.actors if actor.id == track.id)
        frames = [log.timestamps_ns.tolist().index(t) for t in track.annotations]
        late_ns = np.abs(seen_ns(log, track) - exact.seen_ns(actor)[frames])
        assert np.minimum(late_ns, exact.config.period_ns - late_ns).max() < 400_000


@pytest.mark.parametrize("camera", ["cam_front", "cam_front_left"])
def test_every_pixel_of_an_object_lies_in_its_box_at_the_cameras_instant(exact, camera):
    import cv2

    frame = 2
    picture, time_ns = exact.picture(camera, frame), exact.exposure_ns(camera, frame)
    sensor = exact.rig.cameras[camera]
    ego_from_cam = sensor.ego_from_sensor
    world_from_cam = exact.trajectory.at(time_ns) @ ego_from_cam
    shown = np.unique(picture.actor[picture.actor >= 0])
    assert len(shown) >= 3
    for index in shown:
        v, u = np.nonzero(picture.actor == index)
        uv_px = np.column_stack([u, v]).astype(np.float64)
        box_from_world = exact.actors[index].world_from_box(time_ns).inverse()
        box_from_cam = box_from_world @ world_from_cam
        half = exact.actors[index].body.size_lwh_m / 2
        points = box_from_cam @ (picture.range_m[v, u, None] * sensor.model.ray(uv_px))
        assert (np.abs(points) <= half + 1e-3).all(), exact.actors[index].id
        corners_cam = box_from_cam.inverse() @ (half * np.array(np.meshgrid(*[[-1, 1]] * 3)).reshape(3, -1).T)
        if sensor.model.distortion or corners_cam[:, 2].min() < 0.5:
            continue  # bent edges leave the hull of the corners
        hull = cv2.convexHull(sensor.model.project(corners_cam).uv_px.astype(np.float32))
        inside = [cv2.pointPolygonTest(hull, (float(a), float(b)), True) for a, b in uv_px]
        assert min(inside) > -0.02, exact.actors[index].id


def test_cameras_fire_as_the_beam_crosses_their_axes():
    config = replace(SimulationConfig.tiny(), cameras=6)
    drive = Drive(config)
    lidar = drive.rig.lidars["lidar_top"].ego_from_sensor
    directions, _, offset_ns = pulses(config, lidar.yaw_rad)
    forward = lidar.rotate(directions)
    azimuth = np.arctan2(forward[:, 1], forward[:, 0])
    shots = [drive.exposure_ns(name, 1) - int(drive.timestamps_ns[1]) for name in drive.rig.cameras]
    assert len(set(shots)) == 6
    for (name, camera), shot_ns in zip(drive.rig.cameras.items(), shots, strict=True):
        axis = camera.ego_from_sensor.rotation[:, 2]
        beam = azimuth[np.argmin(np.abs(offset_ns - shot_ns))]
        turn = (beam - np.arctan2(axis[1], axis[0]) + np.pi) % (2 * np.pi) - np.pi
        assert abs(turn) < np.radians(2.5), name


def test_the_same_frame_always_reads_the_same(tiny):
    config = SimulationConfig.tiny()
    (one, labels_one), (two, labels_two) = tiny, simulate(config)
    last = two.sweeps["lidar_top"][-1].read()
    assert two.images["cam_front"][1].read().tobytes() == one.images["cam_front"][1].read().tobytes()
    first_of_two, first_of_one = two.sweeps["lidar_top"][0].read(), one.sweeps["lidar_top"][0].read()
    again = one.sweeps["lidar_top"][-1].read()
    for a, b in ((last, again), (first_of_two, first_of_one)):
        assert a.points.tobytes() == b.points.tobytes()
        assert a.intensity.tobytes() == b.intensity.tobytes()
    for id, track in labels_one.tracks.items():
        for t, annotation in track.annotations.items():
            other = labels_two.tracks[id].annotations[t].box
            assert annotation.box.corners().tobytes() == other.corners().tobytes()


def test_another_process_reads_the_same_sweep(tiny):
    script = (
        "from hashlib import sha256; from fusion.simulate import SimulationConfig, simulate;"
        "log, _ = simulate(SimulationConfig.tiny());"
        "print(sha256(log.sweeps['lidar_top'][2].read().points.tobytes()).hexdigest())"
    )
    elsewhere = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    log, _ = tiny
    here = sha256(log.sweeps["lidar_top"][2].read().points.tobytes()).hexdigest()
    assert elsewhere.stdout.strip() == here


def test_threads_that_read_at_once_read_what_one_thread_reads():
    config = replace(SimulationConfig.tiny(), cameras=3, pedestrians=8)
    alone, shared = Drive(config), Drive(config)
    wanted = [(camera, frame) for frame in (0, 2) for camera in alone.rig.cameras]
    start = Barrier(2)

    def read(turn: int) -> list[tuple[bytes, ...]]:
        start.wait()  # both meet a world in which nothing has been cast yet
        found = []
        for camera, frame in wanted[:: 1 - 2 * turn]:
            picture, sweep = shared.picture(camera, frame), shared.scan(frame).sweep
            found.append((picture.rgb.tobytes(), picture.actor.tobytes(), sweep.points.tobytes()))
        return found[:: 1 - 2 * turn]

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(read, (0, 1))
    expected = []
    for camera, frame in wanted:
        picture, sweep = alone.picture(camera, frame), alone.scan(frame).sweep
        expected.append((picture.rgb.tobytes(), picture.actor.tobytes(), sweep.points.tobytes()))
    assert one == expected and two == expected


def test_another_seed_is_another_world(tiny):
    one, two = tiny[0], simulate(replace(SimulationConfig.tiny(), seed=8))[0]
    assert (
        one.sweeps["lidar_top"][0].read().points.tobytes()
        != two.sweeps["lidar_top"][0].read().points.tobytes()
    )


def test_vehicles_head_where_their_rear_axles_go(demo):
    turned_rad = 0.0
    for actor in demo.actors:
        if actor.body.category not in VEHICLES or not actor.moving:
            continue
        poses = actor.trajectory.world_from_ego
        axle = poses @ np.tile([-actor.body.pivot_m, 0.0, 0.0], (len(poses), 1))
        way = np.diff(axle[:, :2], axis=0)
        moved = np.linalg.norm(way, axis=1) > 0.01
        middle = (np.unwrap(poses.yaws_rad)[1:] + np.unwrap(poses.yaws_rad)[:-1]) / 2
        off = (np.arctan2(way[:, 1], way[:, 0]) - middle + np.pi) % (2 * np.pi) - np.pi
        assert np.abs(off[moved]).max(initial=0.0) < np.radians(0.1), actor.id
        turned_rad = max(turned_rad, float(np.ptp(np.unwrap(poses.yaws_rad))))
    assert turned_rad > np.radians(60), "somebody turns at the crossing"


def test_the_car_itself_never_slides_sideways(demo):
    poses = demo.trajectory.world_from_ego
    way = np.diff(poses.translations, axis=0)
    aside = np.einsum("ni,ni->n", way, poses.rotations[1:, :, 1])
    assert np.abs(aside).max() < 2e-4
    assert np.linalg.norm(way, axis=1).sum() > 40


def test_no_two_objects_overlap(exact, demo):
    for drive in (exact, demo):
        for timestamp_ns in drive.timestamps_ns[::4].tolist():
            ego_from_world = drive.trajectory.at(timestamp_ns).inverse()
            boxes = [
                Box3D(ego_from_world @ actor.world_from_box(timestamp_ns), *actor.body.size_lwh_m.tolist())
                for actor in drive.actors
            ]
            boxes.append(Box3D.upright((1.35, 0, 0.8), (4.6, 1.9, 1.6), 0.0))  # the car itself
            shared = iou_bev(Boxes.stack(boxes), Boxes.stack(boxes))
            np.fill_diagonal(shared, 0.0)
            assert shared.max() == 0.0


def test_boxes_stand_on_the_ground(demo):
    from fusion.simulate.street import KERB_HEIGHT_M, terrain

    for actor in demo.actors:
        for time_ns in demo.timestamps_ns[::20]:
            place = actor.world_from_box(int(time_ns)).translation
            foot = place[2] - actor.body.size_lwh_m[2] / 2 - float(terrain(place[:2]))
            assert -1e-6 <= foot <= KERB_HEIGHT_M + 1e-6


def test_a_street_has_everybody_in_it(demo):
    labels = demo.labels()
    assert {track.category for track in labels.tracks.values()} == {
        "car",
        "truck",
        "bus",
        "pedestrian",
        "cyclist",
    }
    moving = [track for track in labels.tracks.values() if track.attributes["moving"]]
    assert len(moving) > 15 and len(labels.tracks) - len(moving) > 20


def test_the_red_light_stops_the_car():
    drive = Drive(replace(SimulationConfig.full(), pedestrians=0, parked=0.0, cyclists=0))
    speed = np.linalg.norm(np.diff(drive.trajectory.world_from_ego.translations, axis=0), axis=1) / 0.01
    assert speed[:50].min() > 5
    assert speed.min() < 0.05
    assert speed[-100:].min() > 3


def test_visible_only_keeps_what_the_lidar_meets(exact):
    log, labels = exact.log(), exact.labels()
    seen = visible_only(log, labels)
    assert 0 < len(seen.tracks) < len(labels.tracks)
    ids = np.array([actor.id for actor in exact.actors])
    true_counts = [
        {ids[i]: int((s.actor == i).sum()) for i in np.unique(s.actor[s.actor >= 0])}
        for s in map(exact.scan, range(10))
    ]
    met = {id for counts in true_counts for id, count in counts.items() if count >= 3}
    assert met & set(labels.tracks) <= set(seen.tracks)
    for track in seen.tracks.values():
        assert sum(counts.get(track.id, 0) for counts in true_counts) > 0 or "pedestrian" in track.id
        for t, annotation in track.annotations.items():
            true = true_counts[labels.timestamps_ns().index(t)].get(track.id, 0)
            assert annotation.attributes["num_points"] >= 0.9 * true


def test_noise_is_as_large_as_asked_for(exact):
    noisy = Drive(replace(exact.config, range_noise_m=0.03))
    scan = noisy.scan(2)
    off = np.linalg.norm(scan.sweep.points, axis=1) - scan.true_range_m
    assert 0.028 < off.std() < 0.032 and abs(off.mean()) < 0.002


def test_far_and_dark_returns_get_lost(exact):
    lossy = Drive(replace(exact.config, dropout=True))
    lost = 1 - len(lossy.scan(2).sweep) / len(exact.scan(2).sweep)
    assert 0.02 < lost < 0.5


def test_a_sweep_is_one_revolution_as_a_sensor_gives_it(exact):
    sweep = exact.scan(1).sweep
    assert sweep.stamps == "start" and not sweep.deskewed
    assert sweep.offset_ns.min() >= 0 and sweep.offset_ns.max() <= exact.config.period_ns
    assert (np.diff(sweep.offset_ns) >= 0).all()
    assert sweep.ring.min() >= 0 and sweep.ring.max() == exact.config.rings - 1
    assert sweep.intensity.min() >= 1 and sweep.intensity.max() <= 255
    assert abs(exact.rig.main_lidar.ego_from_sensor.yaw_rad) > 1.0
    rows = sweep.ring == 5
    elevation = np.arcsin(sweep.points[rows, 2] / np.linalg.norm(sweep.points[rows], axis=1))
    np.testing.assert_allclose(elevation, beam_elevations(exact.config.rings)[5], atol=1e-5)


def test_the_beams_are_densest_about_the_horizon():
    gaps = np.diff(beam_elevations(64))
    assert (gaps > 0).all()
    assert gaps[32] < 0.5 * gaps[0] and gaps[32] < 0.5 * gaps[-1]


def test_a_fisheye_sees_too(exact):
    drive = Drive(replace(SimulationConfig.tiny(), fisheye=True, cameras=1))
    image = drive.log().images["cam_front"][0].read()
    assert image.dtype == np.uint8 and image.shape == (108, 192, 3)
    assert image.std() > 20


def test_the_log_is_lazy_and_the_trajectory_covers_it(demo):
    log = demo.log()
    assert len(log) == 80 and set(log.images) == set(log.rig.cameras) and len(log.rig.cameras) == 6
    last_ns = int(log.timestamps_ns[-1]) + demo.config.period_ns
    first_ns = min(refs[0].timestamp_ns for refs in log.images.values())
    assert log.trajectory.covers(first_ns) and log.trajectory.covers(last_ns)
    assert (np.diff(log.trajectory.timestamps_ns) == 10_000_000).all()


@pytest.mark.parametrize("spread", [0.02, 0.6, 3.0])
def test_rays_near_a_mover_are_found_whatever_bounds_them(spread):
    rng = np.random.default_rng(3)
    ways = np.array([1.0, 0.2, -0.1]) + spread * rng.normal(size=(1000, 3))
    origins = rng.normal(scale=0.5, size=(1000, 3))
    rays = np.concatenate([origins, ways / np.linalg.norm(ways, axis=1, keepdims=True)], axis=1)
    ends_m = rng.uniform(0, 40, 1000).astype(np.float32)
    bounds, room = np.empty((-(-1000 // _kernels.BUNDLE), 8)), np.empty(1000, np.int64)
    _kernels.bundles(rays, bounds)
    found = 0
    for center in rng.uniform(-20, 20, (200, 3)):
        off = center - origins
        along = np.einsum("ij,ij->i", off, rays[:, 3:])
        aside = np.linalg.norm(off - along[:, None] * rays[:, 3:], axis=1)
        inside = np.linalg.norm(off, axis=1) < 2.5
        near = np.flatnonzero((inside | ((along > 0) & (aside < 2.5))) & (along - 2.5 < ends_m))
        count = _kernels.rays_near(rays, bounds, ends_m, center, 2.5, room)
        assert room[:count].tolist() == near.tolist()
        found += count
    assert found > 300


def test_a_picture_costs_little(demo):
    demo.picture("cam_front", 2)  # compiles, and builds what is needed once
    start = time.process_time()
    demo.picture("cam_front", 3)
    assert time.process_time() - start < 1.8  # about 0.6 on an idle machine


def test_an_empty_street_can_be_seen():
    nobody = replace(SimulationConfig.tiny(), vehicles=0, pedestrians=0, cyclists=0, parked=0.0)
    drive = Drive(nobody)
    assert drive.actors == () and (drive.scan(0).actor == -1).all()
    assert drive.picture("cam_front", 0).rgb.std() > 20


def test_tiny_is_fast():
    Drive(SimulationConfig.tiny()).scan(0)  # compiles and loads what is needed once
    start = time.process_time()
    log, _ = simulate(SimulationConfig.tiny())
    for ref in log.sweeps["lidar_top"]:
        ref.read()
    assert time.process_time() - start < 3.0


@pytest.mark.parametrize("wrong", [{"seconds": 0}, {"cameras": 7}, {"style": "spiral"}, {"rings": -1}])
def test_a_config_that_cannot_be_is_refused(wrong):
    with pytest.raises(CrosslabelError):
        SimulationConfig(**wrong)


def test_more_things_than_open3d_can_hold_at_once() -> None:
    """Its scenes take keys of the process, which has 1,024: several drives held at once need more."""
    solids = [Solid(box((1 + k, -1, -1), (2 + k, 1, 1), Material.GROUND, (0, 0, 0))) for k in range(1100)]
    ray = np.array([[0.0, 0, 0, 1, 0, 0]])
    assert [solid.cast(ray)[0][0] for solid in solids] == [1 + k for k in range(1100)]
    assert solids[0].cast(ray)[0][0] == 1, "the first, whose scene was given up"
