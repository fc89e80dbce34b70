"""Streets of boxes on level ground, with sweeps whose every beam is known exactly."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np

from calib.rig import Lidar, Rig
from calib.se3 import SE3, SE3Batch
from fusion.boxes import Box3D
from fusion.checks import Finding
from fusion.checks.check import check
from fusion.checks.config import CheckConfig
from fusion.checks.rules import RULES
from fusion.edits import LockAnnotations
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.log import DriveLog, SweepRef
from fusion.sweep import Sweep
from fusion.trajectory import Trajectory

START_NS, STEP_NS = 1_700_000_000_000_000_000, 100_000_000
SPEED_MPS, FARTHEST_M = 5.0, 80.0
EGO_FROM_LIDAR = SE3(np.eye(3), np.array([0.0, 0.0, 1.8]))
# Where a thing is at a time: x, y and yaw in the street.
Way = Callable[[float], tuple[float, float, float]]
CAR, BUS, PERSON = (4.5, 1.9, 1.6), (11.0, 2.6, 3.1), (0.6, 0.7, 1.75)


@dataclass(frozen=True)
class Thing:
    """What stands or moves in a street."""

    id: str
    category: str
    size_lwh_m: tuple[float, float, float]
    way: Way


def standing(x: float, y: float, yaw_rad: float = 0.0) -> Way:
    return lambda _: (x, y, yaw_rad)


def straight(x: float, y: float, speed_mps: float, yaw_rad: float = 0.0, brakes_mps2: float = 0.0) -> Way:
    def way(t: float) -> tuple[float, float, float]:
        gone = speed_mps * t - brakes_mps2 * t * t / 2
        return x + gone * np.cos(yaw_rad), y + gone * np.sin(yaw_rad), yaw_rad

    return way


def round_a_bend(x: float, y: float, speed_mps: float, radius_m: float) -> Way:
    """To the left, about a place to the left of where it begins."""

    def way(t: float) -> tuple[float, float, float]:
        angle = speed_mps * t / radius_m
        return x + radius_m * np.sin(angle), y + radius_m * (1 - np.cos(angle)), angle

    return way


def spinning(x: float, y: float, turn_rps: float) -> Way:
    return lambda t: (x, y, turn_rps * t)


RIGHT = (
    Thing("parked", "car", CAR, standing(14.0, -5.0, 0.05)),
    Thing("bend", "car", CAR, round_a_bend(10.0, 6.0, 8.0, 25.0)),
    Thing("braking", "car", CAR, straight(22.0, 0.0, 9.0, brakes_mps2=5.0)),
    Thing("turning", "pedestrian", PERSON, spinning(7.0, 4.5, 2.0)),
    Thing("walking", "pedestrian", PERSON, straight(8.0, -9.0, 1.4, 0.3)),
    Thing("bus", "bus", BUS, straight(40.0, 6.5, 8.0, np.pi)),
)


def log_of(
    things: Iterable[Thing],
    frames: int = 12,
    world_from_street: SE3 | None = None,
    sweeps: bool = True,
    lidar: Lidar | None = None,
) -> DriveLog:
    """A car that drives ahead through things that stand on level ground."""
    times_ns = START_NS + STEP_NS * np.arange(frames, dtype=np.int64)
    listed, move = tuple(things), world_from_street or SE3.identity()
    street_from_ego = _street_from_ego(frames)
    lidar = lidar or Lidar("lidar", EGO_FROM_LIDAR)

    @cache
    def read(frame: int) -> Sweep:
        points = cast([box_in_ego(thing, frame) for thing in listed])
        return Sweep(lidar.name, int(times_ns[frame]), points)

    refs = tuple(SweepRef(lidar.name, int(t), partial(read, k)) for k, t in enumerate(times_ns))
    return DriveLog(
        name="made",
        rig=Rig.of((lidar,), ()),
        trajectory=Trajectory(times_ns, move @ street_from_ego),
        timestamps_ns=times_ns,
        sweeps={lidar.name: refs} if sweeps else {},
    )


def _street_from_ego(frames: int) -> SE3Batch:
    ahead = SPEED_MPS * STEP_NS / 1e9 * np.arange(frames)
    return SE3Batch(np.tile(np.eye(3), (frames, 1, 1)), np.column_stack([ahead, np.zeros((frames, 2))]))


def box_in_ego(thing: Thing, frame: float) -> Box3D:
    x, y, yaw_rad = thing.way(frame * STEP_NS / 1e9)
    ahead_m = SPEED_MPS * frame * STEP_NS / 1e9
    return Box3D.upright((x - ahead_m, y, thing.size_lwh_m[2] / 2), thing.size_lwh_m, yaw_rad)


def labels_of(things: Iterable[Thing], frames: int = 12) -> LabelSet:
    """Where they are, exactly."""
    return LabelSet.of(
        Track.of(
            thing.id,
            thing.category,
            [Annotation(START_NS + k * STEP_NS, box_in_ego(thing, k)) for k in range(frames)],
        )
        for thing in things
    )


def cast(boxes: list[Box3D], step_deg: float = 0.5) -> np.ndarray:
    """(N, 3) where beams of a LiDAR end: at the nearest box, or on the ground."""
    azimuths = np.radians(np.arange(-180, 180, step_deg))
    slopes = np.radians(np.concatenate([np.arange(-24, -6, 1.0), np.arange(-6, 4, 0.25)]))
    turns, tilts = (grid.ravel() for grid in np.meshgrid(azimuths, slopes))
    rays = np.column_stack([np.cos(tilts) * np.cos(turns), np.cos(tilts) * np.sin(turns), np.sin(tilts)])
    origin = EGO_FROM_LIDAR.translation
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(rays[:, 2] < 0, -origin[2] / rays[:, 2], np.inf)
        for box in boxes:
            reach = np.minimum(reach, _entry(box, origin, rays))
    seen = reach < FARTHEST_M
    return (rays[seen] * reach[seen, None]).astype(np.float32)


def _entry(box: Box3D, origin: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """How far along each ray a box begins; infinite for those that pass it."""
    box_from_ego = box.ego_from_box.inverse()
    eye, ways = box_from_ego @ origin, rays @ box_from_ego.rotation.T
    # A hair within, so that rounding puts no point outside.
    half = box.size_lwh_m / 2 - 1e-4
    one, other = (-half - eye) / ways, (half - eye) / ways
    enters, leaves = np.minimum(one, other).max(axis=1), np.maximum(one, other).min(axis=1)
    return np.where((enters <= leaves) & (enters > 0), enters, np.inf)


def only(rule: str, **changes: object) -> CheckConfig:
    """One rule, with what a project changes about it."""
    off: dict[str, object] = {one.id: {"skip": True} for one in RULES if one.id != rule}
    return CheckConfig.model_validate({"rules": {**off, rule: changes}})


def found(log: DriveLog, labels: LabelSet, rule: str, **changes: object) -> list[Finding]:
    return list(check(log, labels, only(rule, **changes)).findings)


def changed(labels: LabelSet, id: str, frames: Iterable[int], how: Callable[[Box3D], Box3D]) -> LabelSet:
    """Labels in which some boxes of a track are others."""
    track = labels.tracks[id]
    times_ns = [START_NS + STEP_NS * frame for frame in frames]
    put = [replace(track.annotations[t], box=how(track.annotations[t].box)) for t in times_ns]
    return labels.with_track(track.with_annotations(put))


def moved(x: float = 0.0, y: float = 0.0, z: float = 0.0, yaw_deg: float = 0.0) -> Callable[[Box3D], Box3D]:
    """Along the box's own axes, then turned about its own middle."""

    def how(box: Box3D) -> Box3D:
        box_from_moved = SE3.from_yaw(np.radians(yaw_deg), np.array([x, y, z]))
        ego_from_moved = box.ego_from_box @ box_from_moved
        return Box3D(ego_from_moved, *box.size_lwh_m.tolist())

    return how


def sized(length: float = 1.0, width: float = 1.0, height: float = 1.0) -> Callable[[Box3D], Box3D]:
    """Times its own size, its bottom where it was."""

    def how(box: Box3D) -> Box3D:
        place = box.center + np.array([0.0, 0.0, (height - 1) * box.height_m / 2])
        size = box.length_m * length, box.width_m * width, box.height_m * height
        return Box3D(SE3(box.ego_from_box.rotation, place), *size)

    return how


def locked(labels: LabelSet, id: str) -> LabelSet:
    return LockAnnotations(id, tuple(labels.tracks[id].annotations), True).apply(labels)


def with_track(labels: LabelSet, id: str, category: str, boxes: dict[int, Box3D]) -> LabelSet:
    """One object more."""
    made = [Annotation(START_NS + STEP_NS * frame, box, Source.HUMAN) for frame, box in boxes.items()]
    return labels.with_track(Track.of(id, category, made))
