"""Small logs for the tests of formats."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from calib import SE3, Camera, Fisheye, Lidar, Pinhole, Rig, SE3Batch
from formats.images import write_rgb
from fusion import (
    Annotation,
    Box3D,
    DriveLog,
    ImageBox,
    ImageRef,
    LabelSet,
    MissingFrame,
    Review,
    Source,
    Sweep,
    SweepRef,
    Track,
    Trajectory,
)

MakeLog = Callable[..., tuple[DriveLog, LabelSet]]
START_NS = 1_600_000_000_123_456_789
FRAME_NS = 100_000_000


def looking(yaw_rad: float, place: tuple[float, float, float]) -> SE3:
    """A camera that looks along a yaw of the car."""
    ego_from_turned = SE3.from_yaw(yaw_rad, place)
    turned_from_cam = SE3(np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]), np.zeros(3))
    return ego_from_turned @ turned_from_cam


def curved_way(frames: int) -> Trajectory:
    """A car on a bend, posed at 50 Hz from a little before the first frame to a little after the last."""
    times_ns = START_NS - FRAME_NS + np.arange(0, (frames + 1) * FRAME_NS + 1, 20_000_000)
    seconds = (times_ns - START_NS) / 1e9
    yaws_rad = 0.3 * seconds + 1.0
    places = np.column_stack(
        [1400 + 30 * np.sin(0.3 * seconds), -650 - 30 * np.cos(0.3 * seconds), 5 + 0.1 * seconds]
    )
    return Trajectory(times_ns, SE3Batch.stack(map(SE3.from_yaw, yaws_rad, places)))


def rig_of_three_cameras() -> Rig:
    return Rig.of(
        (
            Lidar("roof", SE3.from_yaw(-np.pi / 2, (0.9, 0.0, 1.8))),
            Lidar("bumper", SE3.from_yaw(0.02, (3.5, 0.0, 0.5))),
        ),
        (
            Camera(
                "left side",
                looking(1.8, (1.0, 0.5, 1.5)),
                Fisheye(60, 60, 63.5, 39.5, 128, 80, (0.1, 0, 0, 0)),
            ),
            Camera("ahead", looking(0.0, (1.7, 0.0, 1.5)), Pinhole(100, 101, 64, 40.5, 128, 80)),
            Camera(
                "far ahead",
                looking(0.01, (1.7, 0.1, 1.5)),
                Pinhole(300, 300, 64, 40, 128, 80, (-0.1, 0.01, 0, 0)),
                7,
            ),
        ),
    )


def sweep_of(lidar: str, timestamp_ns: int, scale: float) -> Sweep:
    random = np.random.default_rng([timestamp_ns % 2**32, len(lidar)])
    points = random.uniform((-30, -30, -2), (30, 30, 2), (3000, 3))
    offset_ns = np.linspace(-80_000_000, 0, len(points)) if lidar == "roof" else None
    intensity = random.uniform(0, scale, len(points)) if lidar == "roof" else None
    ring = np.arange(len(points)) % 16
    return Sweep(lidar, timestamp_ns, points, intensity, ring, offset_ns, "end", deskewed=offset_ns is None)


def image_of(timestamp_ns: int) -> np.ndarray:
    return np.random.default_rng(timestamp_ns % 2**32).integers(0, 255, (80, 128, 3), dtype=np.uint8)


def labels_of(frames_ns: list[int]) -> LabelSet:
    """A car with every kind of field, a pedestrian that comes late, and an object without boxes."""
    car = [
        Annotation(
            t,
            Box3D.upright((8 + 0.5 * i, 1.0, 0.8), (4.2, 1.8, 1.6), 0.1 * i),
            Source.AUTO if i else Source.HUMAN,
            score=0.5 + 0.01 * i if i else None,
            locked=i == 0,
            attributes={"object_motion": "Moving", "note": "süß", "parts": [1, None, {"a": 2.5}]},
        )
        for i, t in enumerate(frames_ns)
    ]
    tilted = SE3.from_quaternion_wxyz((0.9, 0.05, -0.02, 0.4), (-6, 5, 0.9))
    walker = [Annotation(t, Box3D(tilted, 0.7, 0.6, 1.8)) for t in frames_ns[2:]]
    boxes = {("ahead", frames_ns[0] - 5): ImageBox(1.5, 2, 30, 40.25, Source.AUTO, 0.9, {"seen": True})}
    return LabelSet(
        {
            "car/1": Track.of("car/1", "Pickup Truck", car, {"colour": "red"}),
            "walker": Track.of("walker", "Pedestrian", walker),
            "ghost": Track("ghost", "Car", image_boxes=boxes),
        },
        {"r1": Review("r1", "is this a van?", "me", track_id="car/1", timestamp_ns=frames_ns[0])},
        {"guideline": 7},
    )


@pytest.fixture
def make_log(tmp_path_factory: pytest.TempPathFactory) -> MakeLog:
    """Makes a small log of two LiDARs and three cameras on a bend, with labels."""

    def make(name: str = "a log", frames: int = 6, scale: float = 1.0) -> tuple[DriveLog, LabelSet]:
        folder = tmp_path_factory.mktemp("images")
        rig = rig_of_three_cameras()
        frames_ns = [START_NS + i * FRAME_NS for i in range(frames)]
        sweeps = {
            lidar: tuple(
                SweepRef(lidar, t - late, partial(sweep_of, lidar, t - late, scale)) for t in frames_ns
            )
            for lidar, late in (("roof", 0), ("bumper", 13_000_001))
        }
        images = {}
        for camera, late, ending in (
            ("left side", 70_000_000, ".jpg"),
            ("ahead", 50_000_000, ".png"),
            ("far ahead", 1, ""),
        ):
            refs = []
            for index, t in enumerate(frames_ns):
                path = folder / f"{camera}{index}{ending}" if ending else None
                if path:
                    write_rgb(path, image_of(t))
                refs.append(ImageRef(camera, t - late, partial(image_of, t), path))
            images[camera] = tuple(refs)
        missing = (MissingFrame("ahead", START_NS + 5, "lens covered"),)
        metadata = {"licence": "none", "location": "here"}
        log = DriveLog(name, rig, curved_way(frames), np.array(frames_ns), sweeps, images, missing, metadata)
        return log, labels_of(frames_ns)

    return make
