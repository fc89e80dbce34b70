"""From the boxes of one object to its motion at all instants."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from autolabel.detections import Detections
from autolabel.reconstruct.config import ReconstructConfig, habits_of
from autolabel.reconstruct.evidence import Evidence
from autolabel.reconstruct.headings import flipped, steady, towards, wrapped
from autolabel.reconstruct.measure import anchored, of_detections, of_keys
from autolabel.reconstruct.path import follow, followed, in_axes, is_place, offsets_at
from autolabel.reconstruct.sizes import size_of
from autolabel.smoother import Measurements, Motion, smooth
from autolabel.smoother.motion import bracket
from autolabel.world import LocalWorld, Sightings
from calib.types import F64, I64
from fusion.categories import Kind

NEAR_S = 0.25
MOST_OFF_RAD = 0.8
WHIRL_RAD_PER_S = 6.0


@dataclass(frozen=True, eq=False, slots=True)
class Trace:
    """The motion of one object.

    Attributes:
        times_ns: (K,) frames, and instants of evidence between them, rising.
        motion: at the instants at which the beam met the object in them.
        size_lwh_m: (3,).
        parked: whether it stands still.
        seen: all that it rests on.
    """

    times_ns: I64
    motion: Motion
    size_lwh_m: F64
    parked: bool
    seen: Measurements


@dataclass(frozen=True, eq=False, slots=True)
class Told:
    """What the boxes of an object say of its motion, whatever else does.

    Attributes:
        times_ns: (K,) as of `Trace`.
        times_s: (K,) when the beam met it.
        size_lwh_m: (3,).
        given: by people.
        detected: put right by what was given.
    """

    times_ns: I64
    times_s: F64
    size_lwh_m: F64
    given: Measurements
    detected: Measurements


def told_by(
    evidence: Evidence, frames_ns: I64, kind: Kind, world: LocalWorld, settings: ReconstructConfig
) -> Told:
    """What boxes say, at frames and wherever there is evidence."""
    keys, found = evidence.keys, evidence.detections
    size_lwh_m = size_of(evidence)
    times_ns = np.unique(np.concatenate([frames_ns, evidence.seen_ns]))
    cars = world.local_from_ego(found.times_ns).translations
    places = anchored(found.boxes, cars, size_lwh_m, settings.anchor)
    all_ns = np.concatenate([keys.times_ns, found.times_ns])
    all_places = np.vstack([keys.local_from_box.translations, places])
    times_s = beam_times_s(times_ns, all_ns, all_places, world)
    keys_s, found_s = (times_s[np.searchsorted(times_ns, ns)] for ns in (keys.times_ns, found.times_ns))
    key_yaws_rad = _key_yaws(keys_s, keys, kind, settings)
    given = of_keys(keys_s, keys.local_from_box.translations, key_yaws_rad, settings)
    yaws_rad = _found_yaws(found_s, places, found, kind, settings)
    detected = of_detections(found_s, places, yaws_rad, found.scores, kind, settings)
    if len(keys_s) and len(found_s):
        detected = _facing(detected, given, kind, settings)
        detected = _beside(detected, given, kind, settings)
    return Told(times_ns, times_s, size_lwh_m, given, detected)


def traced(told: Told, kind: Kind, settings: ReconstructConfig, extra: Measurements | None = None) -> Trace:
    """The most likely motion.

    `extra` are measurements at instants of the result of an earlier call, such as those of points.
    """
    sources = [told.given, told.detected] if extra is None else [told.given, told.detected, extra]
    seen = Measurements.merged(sources)
    motion, parked = followed(seen, told.times_s, kind, settings)
    return Trace(told.times_ns, _through(motion, told.given), told.size_lwh_m, parked, seen)


def trace(
    evidence: Evidence, frames_ns: I64, kind: Kind, world: LocalWorld, settings: ReconstructConfig
) -> Trace:
    """The most likely motion that boxes alone tell."""
    return traced(told_by(evidence, frames_ns, kind, world, settings), kind, settings)


def _through(motion: Motion, given: Measurements) -> Motion:
    """The motion led exactly through given boxes; what they lie beside it is carried over evenly."""
    if len(given) == 0:
        return motion
    there = motion.at(given.times_s)
    off = np.column_stack([given.places - there.places, wrapped(given.yaws_rad - there.yaws_rad)])
    carried = np.column_stack([np.interp(motion.times_s, given.times_s, column) for column in off.T])
    return replace(motion, places=motion.places + carried[:, :3], yaws_rad=motion.yaws_rad + carried[:, 3])


def beam_times_s(times_ns: I64, known_ns: I64, known_places: F64, world: LocalWorld) -> F64:
    """(K,) seconds at which the beam meets an object in each frame, strictly rising."""
    order = np.argsort(known_ns, kind="stable")
    before, after, fraction = bracket(world.seconds(known_ns[order]), world.seconds(times_ns))
    known = known_places[order]
    about = known[before] + fraction[:, None] * (known[after] - known[before])
    times_s = world.seen_s(times_ns, about)
    steps = 1e-3 * np.arange(len(times_s))
    return np.asarray(np.maximum.accumulate(times_s - steps) + steps)


def _key_yaws(times_s: F64, keys: Sightings, kind: Kind, settings: ReconstructConfig) -> F64:
    """Headings of given boxes with flips undone: most of them are right."""
    yaws_rad, count = keys.local_from_box.yaws_rad, len(times_s)
    velocities = np.zeros((count, 3))
    if kind.is_vehicle and count > 1:
        velocities = _free(times_s, keys.local_from_box.translations, np.full(count, 0.05), kind)
    turn = settings.fastest_turn_rad_per_s if kind.is_vehicle else WHIRL_RAD_PER_S
    flips = flipped(times_s, yaws_rad, np.ones(count), velocities, turn, motion_weight=0.9)
    return steady(yaws_rad, flips)


def _found_yaws(times_s: F64, places: F64, found: Detections, kind: Kind, settings: ReconstructConfig) -> F64:
    """Headings of detections of an object that nobody gave a box of, with flips undone."""
    yaws_rad = found.boxes.dst_from_box.yaws_rad
    velocities = np.zeros_like(places)
    if kind.is_vehicle and len(times_s) > 1:
        velocities = _free(times_s, places, np.full(len(times_s), 0.3), kind)
    turn = settings.fastest_turn_rad_per_s if kind.is_vehicle else WHIRL_RAD_PER_S
    flips = flipped(times_s, yaws_rad, found.scores, velocities, turn, motion_weight=3.0)
    return steady(yaws_rad, flips)


def _free(times_s: F64, places: F64, sigmas_m: F64, kind: Kind) -> F64:
    """(N, 3) velocities of something that moves in any direction, whatever it faces."""
    seen = Measurements.of(times_s, places, np.zeros(len(times_s)), sigmas_m, 1e3)
    return smooth(seen, times_s, replace(habits_of(kind), slip_mps=None)).velocities


def _facing(
    detected: Measurements, given: Measurements, kind: Kind, settings: ReconstructConfig
) -> Measurements:
    """Detections turned by half where that brings them nearer to the path through what was given.

    The heading of one that lies across the path even so counts for nothing.
    """
    places = detected.take(is_place(detected))
    before, after, fraction = bracket(given.times_s, places.times_s)
    along_keys = given.yaws_rad[before] + fraction * (given.yaws_rad[after] - given.yaws_rad[before])
    sources = [given, replace(places, yaws_rad=along_keys)]
    path = follow(Measurements.merged(sources), np.unique(detected.times_s), kind, settings)
    way = path.at(detected.times_s).yaws_rad
    off = wrapped(towards(detected.yaws_rad, way) - way)
    across = np.abs(off) > MOST_OFF_RAD
    information = detected.information.copy()
    information[across, 2, 2] = 0.0
    return replace(detected, yaws_rad=way + np.where(across, 0.0, off), information=information)


def _beside(
    detected: Measurements, given: Measurements, kind: Kind, settings: ReconstructConfig
) -> Measurements:
    """Detections put right by what they are off the given boxes next to them."""
    alone = follow(detected, given.times_s, kind, settings)
    off = in_axes((given.places - alone.places)[:, :2], given.yaws_rad)
    found = np.column_stack(
        [off, (given.places - alone.places)[:, 2], wrapped(given.yaws_rad - alone.yaws_rad)]
    )
    nearest_s = np.abs(given.times_s[:, None] - detected.times_s).min(axis=1)
    near = nearest_s < NEAR_S
    if not near.any():
        return detected
    trust = np.diagonal(alone.covariances, axis1=1, axis2=2)[near, :2].sum(axis=1) / (
        2 * settings.offset_m**2
    )
    shifts = offsets_at(given.times_s[near], found[near], trust, detected.times_s, settings)
    shifts = np.clip(shifts, -1.0, 1.0)
    c, s = np.cos(detected.yaws_rad), np.sin(detected.yaws_rad)
    places = detected.places.copy()
    places[:, 0] += c * shifts[:, 0] - s * shifts[:, 1]
    places[:, 1] += s * shifts[:, 0] + c * shifts[:, 1]
    places[:, 2] += shifts[:, 2]
    return replace(detected, places=places, yaws_rad=detected.yaws_rad + shifts[:, 3])
