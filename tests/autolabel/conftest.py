"""Drives and objects whose motion is known exactly."""

from collections.abc import Callable

import numpy as np
import pytest

from calib.rig import Lidar, Rig
from calib.se3 import SE3, SE3Batch
from calib.types import F64, I64
from fusion.boxes import Box3D
from fusion.labels import Annotation, LabelSet, Track
from fusion.log import DriveLog
from fusion.trajectory import Trajectory

FRAME_NS = 100_000_000
START_NS = 1_600_000_000_000_000_000

MakeLog = Callable[..., DriveLog]
MakeTrack = Callable[..., Track]
Keep = Callable[[LabelSet, int], LabelSet]


@pytest.fixture(scope="session")
def make_log() -> MakeLog:
    """A car that drives a curve over some frames; `moved` puts the origin of its world elsewhere."""

    def make(frames: int = 41, moved: SE3 | None = None, backwards: bool = False) -> DriveLog:
        times_ns = START_NS + FRAME_NS * np.arange(frames, dtype=np.int64)
        seconds = np.arange(frames) / 10
        if backwards:
            seconds = seconds[::-1]
        yaws_rad = 0.1 * seconds
        places = np.column_stack([80 * np.sin(yaws_rad), 80 * (1 - np.cos(yaws_rad)), 0.02 * seconds])
        world_from_ego = SE3Batch.stack(SE3.from_yaw(y, p) for y, p in zip(yaws_rad, places, strict=True))
        if moved is not None:
            new_from_world = moved
            new_from_ego = new_from_world @ world_from_ego
            world_from_ego = new_from_ego
        rig = Rig.of((Lidar("lidar", SE3.identity()),))
        return DriveLog("curve", rig, Trajectory(times_ns, world_from_ego), times_ns)

    return make


@pytest.fixture(scope="session")
def make_track(make_log: MakeLog) -> MakeTrack:
    """A track at every frame of a log whose box stands in the world of `make_log` as given."""

    def make(
        id: str, category: str, log: DriveLog, places: F64, yaws_rad: F64, size: tuple[float, float, float]
    ) -> Track:
        trajectory = make_log(len(log)).trajectory
        annotations = []
        for t, place, yaw_rad in zip(log.timestamps_ns, places, yaws_rad, strict=True):
            world_from_box = SE3.from_yaw(float(yaw_rad), place)
            ego_from_world = trajectory.at(int(t)).inverse()
            annotations.append(Annotation(int(t), Box3D(ego_from_world @ world_from_box, *size)))
        return Track.of(id, category, annotations)

    return make


@pytest.fixture(scope="session")
def traffic(make_log: MakeLog, make_track: MakeTrack) -> LabelSet:
    """A parked car, one going straight on, one turning left, a pedestrian and a lorry that brakes."""
    log = make_log()
    seconds = np.arange(len(log)) / 10
    zeros, ones = np.zeros(len(log)), np.ones(len(log))
    turn_rad = 0.3 * seconds
    arc_m = (30 + 20 * np.sin(turn_rad), 20 * (1 - np.cos(turn_rad)))
    braked_m = 12 * seconds - 1.0 * seconds**2
    way = {
        "parked": ("Car", 10 * ones, 6 * ones, 0.4 * ones, (4.5, 1.8, 1.5)),
        "straight": ("Car", 5 + 15 * seconds, -3 * ones, zeros, (4.2, 1.8, 1.6)),
        "turning": ("Car", *arc_m, turn_rad, (4.8, 1.9, 1.4)),
        "walker": ("Pedestrian", 20 + 0 * ones, -8 + 1.4 * seconds, np.pi / 2 * ones, (0.8, 0.7, 1.8)),
        "lorry": ("Truck", 60 - braked_m, 9 * ones, np.pi * ones, (9.0, 2.5, 3.2)),
    }
    return LabelSet.of(
        make_track(id, category, log, np.column_stack([x, y, 0.5 + 0.01 * x]), yaw_rad, size)
        for id, (category, x, y, yaw_rad, size) in way.items()
    )


@pytest.fixture(scope="session")
def every() -> Keep:
    """Keeps the annotations of every n-th instant of a label set."""

    def keep(labels: LabelSet, step: int) -> LabelSet:
        kept = set(labels.timestamps_ns()[::step])
        thinned = (t.without(set(t.annotations) - kept) for t in labels.tracks.values())
        return LabelSet.of(track for track in thinned if track.annotations)

    return keep


@pytest.fixture(scope="session")
def frames_ns(make_log: MakeLog) -> I64:
    """The frames of `make_log`."""
    return make_log().timestamps_ns
