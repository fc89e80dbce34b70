"""When the beam passes what, and what follows for boxes and images."""

import numpy as np
import pytest

from calib import SE3, Camera, Lidar, Pinhole, Rig, SE3Batch
from formats.registry import find_format
from fusion import Annotation, Box3D, Boxes, DriveLog, ImageRef, Sweep, SweepRef, Track, Trajectory
from fusion.align import box_at, points_in_ego, read_deskewed
from fusion.beam import beam_offset_ns, beam_table, image_of_frame, measure_beam, seen_ns, view_offset_ns
from fusion.overlap import points_in_boxes

PERIOD_NS = 100_000_000
CAMERA_YAW_RAD = np.radians(150.0)


def clockwise_from_behind_ns(azimuths_rad):
    return np.round((np.pi - azimuths_rad) % (2 * np.pi) / (2 * np.pi) * PERIOD_NS)


def ring(count=7200, radius_m=20.0):
    """One level ring of points, each with its time, around a LiDAR that turns clockwise from behind."""
    azimuths_rad = np.linspace(-np.pi, np.pi, count, endpoint=False) + 1e-4
    points = radius_m * np.stack([np.cos(azimuths_rad), np.sin(azimuths_rad), 0 * azimuths_rad], axis=1)
    return points, clockwise_from_behind_ns(azimuths_rad).astype(np.int32)


def log_of(lidar: Lidar, sweep: Sweep, frames: int = 5, images=()) -> DriveLog:
    times_ns = np.arange(frames, dtype=np.int64) * PERIOD_NS
    forward_from_cam = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])
    ego_from_cam = SE3(SE3.from_yaw(CAMERA_YAW_RAD).rotation @ forward_from_cam, np.zeros(3))
    camera = Camera("back", ego_from_cam, Pinhole(500, 500, 320, 240, 640, 480))
    trajectory = Trajectory(
        np.array([-PERIOD_NS, frames * PERIOD_NS]),
        SE3Batch(np.tile(np.eye(3), (2, 1, 1)), np.zeros((2, 3))),
    )
    sweeps = {lidar.name: [SweepRef(lidar.name, int(t), lambda: sweep) for t in times_ns]}
    return DriveLog("log", Rig.of((lidar,), (camera,)), trajectory, times_ns, sweeps, {"back": images})


@pytest.mark.parametrize("mount_yaw_rad", [0.0, -np.pi / 2, 2.5])
def test_the_table_is_measured_whatever_the_mount(mount_yaw_rad):
    points, offset_ns = ring()
    ego_from_lidar = SE3.from_yaw(mount_yaw_rad, (1.0, 0.0, 1.8))
    points_lidar = points @ ego_from_lidar.rotation
    log = log_of(Lidar("top", ego_from_lidar), Sweep("top", 0, points_lidar, offset_ns=offset_ns))
    assert len(beam_table(log)) == 180
    azimuths_rad = np.linspace(-3.0, 3.0, 50)
    circle = np.stack([np.cos(azimuths_rad), np.sin(azimuths_rad), 0 * azimuths_rad], axis=1)
    places = np.array([1.0, 0, 0]) + 30 * circle
    error_ns = np.abs(beam_offset_ns(log, places) - clockwise_from_behind_ns(azimuths_rad))
    assert error_ns.max() < 0.6 * PERIOD_NS / 180


def test_what_the_rig_says_comes_first_and_reads_nothing():
    def broken() -> Sweep:
        raise AssertionError("a sweep was read")

    lidar = Lidar("top", SE3.identity(), (1, 2, 3, 4))
    log = log_of(lidar, Sweep("top", 0, np.zeros((0, 3))))
    refs = tuple(SweepRef("top", ref.timestamp_ns, broken) for ref in log.sweeps["top"])
    log = DriveLog("log", log.rig, log.trajectory, log.timestamps_ns, {"top": refs})
    assert beam_table(log) == (1, 2, 3, 4)
    places = np.array([[1.0, 1, 0], [-1, 1, 0], [-1, -1, 0], [1, -1, 0]])
    assert beam_offset_ns(log, places).tolist() == [1, 2, 3, 4]


def test_without_times_of_points_everything_belongs_to_the_frame():
    log = log_of(Lidar("top", SE3.identity()), Sweep("top", 0, ring()[0]))
    assert beam_table(log) == ()
    assert beam_offset_ns(log, np.ones((3, 3))).tolist() == [0, 0, 0]


def test_empty_sectors_take_the_nearest_value():
    points, offset_ns = ring()
    front = np.abs(np.arctan2(points[:, 1], points[:, 0])) < 0.5
    table = np.array(measure_beam(Sweep("top", 0, points[front], offset_ns=offset_ns[front]), points[front]))
    assert len(table) == 180
    assert offset_ns[front].min() <= table.min() and table.max() <= offset_ns[front].max()
    assert measure_beam(Sweep("top", 0, np.zeros((0, 3)), offset_ns=np.zeros(0)), np.zeros((0, 3))) == ()


def test_a_moving_object_is_found_at_any_instant():
    """10 m/s sideways behind the car; boxes drawn where the beam met it: any other instant is exact."""
    points, offset_ns = ring()
    log = log_of(Lidar("top", SE3.identity()), Sweep("top", 0, points, offset_ns=offset_ns))

    def place(time_s):
        return np.array([-15.0, 8.0 + 10.0 * time_s, 1.0])

    annotations = []
    for frame_ns in log.timestamps_ns.tolist():
        offset = 0.0
        for _ in range(5):
            offset = float(beam_offset_ns(log, place((frame_ns + offset) / 1e9)[None])[0])
        box = Box3D.upright(place((frame_ns + offset) / 1e9), (4, 2, 1.5), np.pi / 2)
        annotations.append(Annotation(frame_ns, box))
    track = Track.of("1", "car", annotations)
    assert (np.diff(seen_ns(log, track)) > 0).all()
    for time_ns in (40_000_000, 123_456_789, 300_000_000):
        box = box_at(log, track, time_ns)
        assert box is not None
        np.testing.assert_allclose(box.center, place(time_ns / 1e9), atol=1e-9)
    assert box_at(log, track, 900_000_000) is None


def test_the_image_of_a_frame_is_the_one_of_its_revolution():
    points, offset_ns = ring()
    lidar, sweep = Lidar("top", SE3.identity()), Sweep("top", 0, points, offset_ns=offset_ns - PERIOD_NS)
    empty = np.zeros((480, 640, 3), np.uint8)
    images = [ImageRef("back", t, lambda: empty) for t in (-92_000_000, 8_000_000)]
    log = log_of(lidar, sweep, images=images)
    assert abs(view_offset_ns(log, "back") - (30 / 360 * PERIOD_NS - PERIOD_NS)) < 0.6 * PERIOD_NS / 180
    assert image_of_frame(log, "back", 0) is log.images["back"][0]
    assert image_of_frame(log, "back", PERIOD_NS) is log.images["back"][1]
    assert image_of_frame(log, "back", 4 * PERIOD_NS) is None


def test_boxes_of_pandaset_belong_to_the_times_of_their_points(shared_data):
    path = shared_data / "pandaset" / "002"
    pandaset = find_format(path)
    log = pandaset.open_log(path, "002")
    labels = pandaset.read_labels(path, log)
    frame_ns = int(log.timestamps_ns[10])
    sweep = read_deskewed(log, log.sweep_at(frame_ns))
    boxes = Boxes.stack(annotation.box for _, annotation in labels.at(frame_ns))
    offsets_ns = beam_offset_ns(log, boxes.dst_from_box.translations)
    inside = points_in_boxes(points_in_ego(log, sweep), boxes)
    late_ms = [
        abs(float(np.median(sweep.offset_ns[rows])) - offset) / 1e6
        for rows, offset in zip(inside, offsets_ns, strict=True)
        if len(rows) > 5
    ]
    assert len(late_ms) > 50
    assert np.median(late_ms) < 0.5
    assert max(late_ms) < 6
