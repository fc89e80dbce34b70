"""A street without a simulator: what stands and drives in it, three cameras, exact rectangles."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from calib import SE3, Pinhole, Rig
from calib.rig import Camera, Lidar
from calib.se3 import SE3Batch
from fusion.boxes import Box3D
from fusion.checks.blame import views_of
from fusion.checks.evidence import Evidence
from fusion.labels import Annotation, LabelSet, Track
from fusion.log import DriveLog, ImageRef
from fusion.trajectory import Trajectory

PERIOD_NS, FRAMES, SPEED_MPS = 100_000_000, 50, 9.0
# From x right, y down, z ahead to x ahead, y left, z up.
LEVEL_FROM_CAM = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


def camera(name: str, yaw_deg: float, left_m: float) -> Camera:
    """A pinhole on the car's roof that looks to a side."""
    ego_from_level = SE3.from_yaw(np.radians(yaw_deg), (1.5, left_m, 1.6))
    level_from_cam = SE3(LEVEL_FROM_CAM, np.zeros(3))
    model = Pinhole(width_px=1280, height_px=720, fx_px=800.0, fy_px=800.0, cx_px=639.5, cy_px=359.5)
    return Camera(name, ego_from_level @ level_from_cam, model)


def unread() -> np.ndarray:
    raise AssertionError("no image is read")


@dataclass(frozen=True)
class Scene:
    """A log, its boxes, and what its images show."""

    log: DriveLog
    labels: LabelSet
    evidence: list[Evidence]

    def noisy(self, noise_px: float, seed: int = 0) -> list[Evidence]:
        rng = np.random.default_rng(seed)
        return [
            replace(told, ltrb_px=told.ltrb_px + rng.normal(size=told.ltrb_px.shape) * noise_px)
            for told in self.evidence
        ]

    def turned(self, name: str, turn_deg: tuple[float, float, float]) -> DriveLog:
        """The log whose rig is wrong: the true camera is the given one turned by this much."""
        sensor = self.log.rig.cameras[name]
        cam_from_given_cam = SE3.from_rotation_vector(np.radians(turn_deg))
        wrong = replace(sensor, ego_from_sensor=sensor.ego_from_sensor @ cam_from_given_cam)
        cameras = {**self.log.rig.cameras, name: wrong}
        return replace(self.log, rig=Rig.of(tuple(self.log.rig.lidars.values()), tuple(cameras.values())))

    def late(self, evidence: list[Evidence], names: tuple[str, ...], late_ms: float) -> list[Evidence]:
        late_ns = round(1e6 * late_ms)
        return [
            replace(told, timestamp_ns=told.timestamp_ns + late_ns) if told.camera in names else told
            for told in evidence
        ]


def cars(rng: np.random.Generator) -> list[tuple[str, np.ndarray, float, np.ndarray]]:
    """Category, place, heading and velocity of what stands and drives in the street."""
    parked = [
        ("car", np.array([x, side * rng.uniform(4.0, 6.0), 0.8]), 0.0, np.zeros(3))
        for side in (-1, 1)
        for x in np.arange(0.0, 90.0, 9.0) + rng.uniform(-1, 1, 10)
    ]
    oncoming = [("truck", np.array([x, 1.5, 1.4]), np.pi, np.array([-7.0, 0, 0])) for x in (60.0, 95.0)]
    people = [
        ("pedestrian", np.array([x, side * 8.5, 0.85]), 0.3, np.array([1.2 * side, 0.0, 0.0]))
        for side, x in ((1, 20.0), (-1, 35.0), (1, 50.0), (-1, 66.0))
    ]
    return [*parked, *oncoming, *people]


SIZES = {"car": (4.5, 1.85, 1.6), "truck": (8.0, 2.5, 2.8), "pedestrian": (0.6, 0.7, 1.7)}


@pytest.fixture(scope="session")
def make_scene() -> Callable[..., Scene]:
    def make(speed_mps: float = SPEED_MPS, only: int | None = None, away_m: float = 0.0) -> Scene:
        rng = np.random.default_rng(1)
        times_ns = PERIOD_NS * np.arange(-2, FRAMES + 2)
        places = np.column_stack([speed_mps * times_ns / 1e9, np.zeros((len(times_ns), 2))])
        trajectory = Trajectory(times_ns, SE3Batch(np.tile(np.eye(3), (len(times_ns), 1, 1)), places))
        cameras = (
            camera("cam_front", 0.0, 0.0),
            camera("cam_left", 60.0, 0.5),
            camera("cam_right", -60.0, -0.5),
        )
        rig = Rig.of((Lidar("lidar", SE3.identity()),), cameras)
        frames_ns = PERIOD_NS * np.arange(FRAMES)
        images = {c.name: tuple(ImageRef(c.name, int(t), unread) for t in frames_ns) for c in cameras}
        tracks = []
        for number, (category, place, yaw_rad, mps) in enumerate(cars(rng)[:only]):
            placed = place + np.array([away_m, 0.0, 0.0])
            annotations = [
                Annotation(
                    int(t),
                    Box3D.upright(
                        placed + (t / 1e9) * (mps - np.array([speed_mps, 0.0, 0.0])), SIZES[category], yaw_rad
                    ),
                )
                for t in frames_ns
            ]
            tracks.append(Track.of(f"{category}-{number}", category, annotations))
        log = DriveLog("street", rig, trajectory, frames_ns, {}, images)
        labels = LabelSet.of(tracks)
        return Scene(log, labels, exact(log, labels))

    return make


def exact(log: DriveLog, labels: LabelSet) -> list[Evidence]:
    """The rectangles that the right boxes have through the right cameras."""
    tracks = list(labels.tracks.values())
    everything = np.array([[0.0, 0.0, 1.0, 1.0]])
    blank = [
        Evidence(name, ref.timestamp_ns, everything, ("car",))
        for name in log.images
        for ref in log.images[name]
    ]
    views = views_of(log, labels, blank)
    found = []
    for number, told in enumerate(blank):
        rows = np.flatnonzero(views.images == number)
        names = tuple(tracks[track].category for track in views.tracks[rows].tolist())
        found.append(Evidence(told.camera, told.timestamp_ns, views.ltrb_px[rows], names))
    return found


@pytest.fixture(scope="session")
def scene(make_scene: Callable[..., Scene]) -> Scene:
    return make_scene()
