"""From one box of each object to its whole way: followed, smoothed, aligned again to all that was seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autolabel.points.config import PointsConfig
from autolabel.points.follow import (
    SEED_WEIGHT,
    Follower,
    Sights,
    align_frame,
    as_measured,
    is_found,
)
from autolabel.points.index import BeamTimes, PointBank
from autolabel.points.rest import at_rest
from autolabel.points.seeds import Seeds
from autolabel.points.shapes import Shapes
from autolabel.points.starts import find_starts
from autolabel.reconstruct.config import habits_of
from autolabel.scans import Scans
from autolabel.smoother import Measurements, Motion, smooth
from calib.types import F64, I64, Bools

HEIGHT_SIGMA_M, SEED_SIGMA_M, SEED_SIGMA_RAD = 0.08, 0.03, 0.02
ROUNDS = 2


@dataclass(frozen=True, eq=False, slots=True)
class Ways:
    """Where K objects were in F frames.

    Attributes:
        poses: (K, F, 4) x, y, z, yaw in the local world.
        velocities: (K, F, 2).
        times_s: (K, F).
        parked: (K,) bool.
        sights: what they rest on.
        seen: (K, 2) first and last frame in which each was found.
    """

    poses: F64
    velocities: F64
    times_s: F64
    parked: Bools
    sights: Sights
    seen: I64


def trace(scans: Scans, seeds: Seeds, config: PointsConfig | None = None) -> Ways:
    """Follows every object from its one box through all frames, both ways."""
    config = config or PointsConfig()
    sights = Sights.empty(len(seeds), len(scans))
    if len(seeds) == 0:
        return smoothed(scans, seeds, sights, np.zeros(0, dtype=bool))
    bank = PointBank(scans)
    starts = find_starts(bank, seeds, config)
    first, last = int(seeds.frames.min()), int(seeds.frames.max())
    for frames in (range(first, len(scans)), range(last, -1, -1)):
        Follower(bank, seeds, config, starts.velocities, starts.sigmas).run(frames, sights)
    parked = at_rest(bank, seeds, sights, starts.moving, config)
    ways = smoothed(scans, seeds, sights, parked)
    for _ in range(ROUNDS):
        ways = smoothed(scans, seeds, realigned(bank, seeds, ways, config), parked)
    return ways


def smoothed(scans: Scans, seeds: Seeds, sights: Sights, parked: Bools) -> Ways:
    """The most likely way of each object through what was seen of it; what is parked keeps its box."""
    count, frames = sights.found.shape
    poses, velocities = np.repeat(seeds.poses[:, None], frames, axis=1), np.zeros((count, frames, 2))
    beam, seen = BeamTimes.of(scans), np.zeros((count, 2), dtype=np.int64)
    times_s = beam.seen_s(poses)
    for k in range(count):
        if not parked[k]:
            way = _way(scans, seeds, sights, beam, k)
            poses[k], times_s[k] = np.column_stack([way.places, way.yaws_rad]), way.times_s
            velocities[k] = way.velocities[:, :2]
        found = np.flatnonzero(sights.found[k])
        seen[k] = [min([*found[:1], seeds.frames[k]]), max([*found[-1:], seeds.frames[k]])]
    return Ways(poses, velocities, times_s, parked, sights, seen)


def _way(scans: Scans, seeds: Seeds, sights: Sights, beam: BeamTimes, k: int) -> Motion:
    """The motion of one object at the instants at which the beam passes it in all frames."""
    measurements = _measurements(scans, seeds, sights, k)
    motion = smooth(measurements, np.unique(measurements.times_s), habits_of(seeds.kinds[k]))
    at_s = scans.world.seconds(scans.frames_ns)
    for _ in range(2):
        at_s = beam.seen_s(motion.at(at_s).places[None])[0]
    return motion.at(at_s)


def _measurements(scans: Scans, seeds: Seeds, sights: Sights, k: int) -> Measurements:
    """What was seen of one object, and the box that was given of it."""
    frame, found = int(seeds.frames[k]), sights.found[k]
    heights_m = np.full(int(found.sum()), HEIGHT_SIGMA_M)
    rows = sights.poses[k, found]
    seen = Measurements(
        sights.times_s[k, found],
        rows[:, :3],
        rows[:, 3],
        sights.information[k, found],
        heights_m,
        np.zeros(len(rows), dtype=bool),
    )
    given = seeds.poses[k : k + 1]
    time_s = scans.world.seen_s(scans.frames_ns[frame : frame + 1], given[:, :3])
    key = Measurements.of(time_s, given[:, :3], given[:, 3], SEED_SIGMA_M, SEED_SIGMA_RAD, firm=True)
    return Measurements.merged([seen, key])


def realigned(bank: PointBank, seeds: Seeds, ways: Ways, config: PointsConfig) -> Sights:
    """Aligns every frame again, to the surface that all frames show along the ways."""
    shapes = _aggregated(bank, seeds, ways, config)
    sights = Sights.empty(len(seeds), len(bank))
    sights.times_s[:], sights.poses[:] = ways.times_s, ways.poses
    weights = np.full(len(seeds), 1 / HEIGHT_SIGMA_M**2)
    for index in bank:
        frame = index.scan.frame
        on = np.flatnonzero((ways.seen[:, 0] <= frame) & (frame <= ways.seen[:, 1]))
        on = on[seeds.frames[on] != frame]
        if len(on) == 0:
            continue
        poses = np.ascontiguousarray(ways.poses[:, frame])
        spreads = np.zeros((len(seeds), 2))
        aligned, hessians, fits = align_frame(
            index,
            poses,
            ways.velocities[:, frame],
            ways.times_s[:, frame],
            spreads,
            weights,
            on,
            shapes,
            seeds,
            config,
        )
        _, noise = as_measured(aligned[on], hessians[on], weights[on], seeds, on, config)
        known = is_found(fits[on], config)
        found = on[known]
        sights.poses[found, frame] = aligned[found]
        sights.information[found, frame] = np.linalg.inv(noise[known])
        sights.fits[on, frame], sights.found[found, frame] = fits[on], True
    return sights


def _aggregated(bank: PointBank, seeds: Seeds, ways: Ways, config: PointsConfig) -> Shapes:
    surfaces = seeds.surfaces(config)
    shapes = Shapes.of_boxes(seeds.sizes_lwh_m, surfaces)
    most = np.array([s.most_points for s in surfaces])
    everything = np.arange(len(seeds))
    for index in bank:
        frame = index.scan.frame
        own = ways.sights.found[:, frame] | (seeds.frames == frame)
        if own.any():
            poses, velocities = ways.poses[:, frame], ways.velocities[:, frame]
            given = own & (seeds.frames == frame)
            times_s = ways.times_s[:, frame]
            shapes.add(index, poses, velocities, everything[own & ~given], most, times_s=times_s)
            shapes.add(index, seeds.poses, velocities, everything[given], most, SEED_WEIGHT, times_s)
    shapes.finish(everything)
    return shapes
