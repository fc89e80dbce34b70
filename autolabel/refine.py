"""One object's detections to its track: all of them seen at once."""

from __future__ import annotations

import numpy as np

from autolabel.config import KindConfig, TrackingConfig
from autolabel.detections import Detections
from autolabel.headings import flipped, poses_from, steady, tilts_at, tilts_of
from autolabel.motion import Path, evenly, smoothest_path
from autolabel.world import LocalWorld, Sightings
from calib.types import F64, I64
from fusion.categories import Kind


def refine(
    seen: Detections,
    frames_ns: I64,
    kind: Kind,
    world: LocalWorld,
    habits: KindConfig,
    settings: TrackingConfig,
) -> Sightings:
    """The boxes of an object at all frames from its first to its last detection.

    One size; a smooth path; headings without flips that turn smoothly.
    """
    wanted_ns = frames_ns[(frames_ns >= seen.times_ns[0]) & (frames_ns <= seen.times_ns[-1])]
    times_s, wanted_s = world.seconds(seen.times_ns), world.seconds(wanted_ns)
    size_lwh_m = weighted_median(seen.boxes.sizes_lwh_m, seen.scores**settings.size_power)
    places = _anchored(seen, size_lwh_m, world, settings)
    sigmas_m = habits.sigma_m / np.maximum(seen.scores, 0.1)
    path = _path(times_s, places, sigmas_m, habits, settings)
    yaws_rad = _yaws(seen, times_s, path, kind, habits, settings).at(wanted_s)[0][:, 0]
    tilts = tilts_at(times_s, tilts_of(seen.boxes.dst_from_box), wanted_s)
    local_from_box = poses_from(path.at(wanted_s)[0], yaws_rad, tilts)
    return Sightings(wanted_ns, local_from_box, np.tile(size_lwh_m, (len(wanted_ns), 1)))


def _anchored(seen: Detections, size_lwh_m: F64, world: LocalWorld, settings: TrackingConfig) -> F64:
    """(N, 3) centres once every box has the same size: what faces the car, and the ground, stay in place."""
    box_from_local = seen.boxes.dst_from_box.inverse()
    cars = box_from_local @ world.local_from_ego(seen.times_ns).translations
    facing = np.clip(cars / (seen.boxes.sizes_lwh_m / 2), -1.0, 1.0)
    facing[:, 2] = -1.0
    shifts = settings.anchor * facing * (seen.boxes.sizes_lwh_m - size_lwh_m) / 2
    return seen.boxes.dst_from_box @ shifts


def weighted_median(values: F64, weights: F64) -> F64:
    """(A,) the value of each column of (N, A) below which half of the weight (N,) lies."""
    order = np.argsort(values, axis=0, kind="stable")
    heaped = np.cumsum(weights[order], axis=0)
    middle = np.argmax(heaped >= heaped[-1] / 2, axis=0)
    columns = np.arange(values.shape[1])
    return np.asarray(values[order[middle, columns], columns])


def _path(times_s: F64, places: F64, sigmas_m: F64, habits: KindConfig, settings: TrackingConfig) -> Path:
    """Smooth where it moves; where it does not, only as far from its place as the car's poses drift."""
    path = smoothest_path(times_s, places, sigmas_m, habits.acceleration)
    if is_parked(path, settings):
        return smoothest_path(times_s, places, sigmas_m, settings.drift)
    return path


def is_parked(path: Path, settings: TrackingConfig) -> bool:
    """Whether a path hardly leaves its middle."""
    away_m = np.linalg.norm((path.places - np.median(path.places, axis=0))[:, :2], axis=1)
    return bool(np.quantile(away_m, 0.9) < settings.parked_m)


def _yaws(
    seen: Detections, times_s: F64, path: Path, kind: Kind, habits: KindConfig, settings: TrackingConfig
) -> Path:
    """Headings over time, as a path in one axis."""
    velocities = path.velocities if kind.is_vehicle else np.zeros_like(path.velocities)
    yaws_rad = seen.boxes.dst_from_box.yaws_rad
    turn = habits.fastest_turn_rad_per_s
    flips = flipped(times_s, yaws_rad, seen.scores, velocities, turn, motion_weight=3.0)
    turning = settings.drift if is_parked(path, settings) and kind.is_vehicle else habits.turning
    sigmas_rad = habits.sigma_rad / np.maximum(seen.scores, 0.1)
    return smoothest_path(times_s, steady(yaws_rad, flips)[:, None], sigmas_rad, turning)


def member_scores(seen: Detections, wanted_ns: I64, world: LocalWorld, settings: TrackingConfig) -> F64:
    """(M,) scores at all frames: a detection's own; less in between, the longer nothing was seen."""
    times_s, wanted_s = world.seconds(seen.times_ns), world.seconds(wanted_ns)
    away_s = np.abs(wanted_s[:, None] - times_s[None, :]).min(axis=1)
    return np.asarray(evenly(times_s, seen.scores, wanted_s) * 0.5 ** (away_s / settings.half_life_s))
