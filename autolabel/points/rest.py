"""Whether objects stand still: what moves away leaves an empty place behind."""

from __future__ import annotations

import numpy as np

from autolabel.points.config import PointsConfig
from autolabel.points.follow import Sights
from autolabel.points.index import PointBank
from autolabel.points.neighbours import rivals_near
from autolabel.points.seeds import Seeds
from autolabel.points.shapes import Shapes
from calib.types import F64, I64, Bools
from fusion.categories import Kind

PARKED_M, WALKED_M, LEAST_FRAMES = 0.4, 0.3, 3
ENOUGH = 4.0
WELL_SEEN, SLIDES = 40, 0.25
LEAST_SHARE = 0.25
JERK_M = 0.15
# Where the two places overlap, each has points of the other.
EMPTY, EMPTY_APART = 0.6, 0.25
NEVER_MOVE = frozenset({Kind.CONE, Kind.BARRIER})


def at_rest(bank: PointBank, seeds: Seeds, sights: Sights, started: Bools, config: PointsConfig) -> Bools:
    """(K,) which objects stand still.

    An object moved if it was found elsewhere and its first place was seen to be empty meanwhile. A place
    is seen where rays end in it or go on behind it; where something stands before it, it may hold anything,
    and those that moved when they were known (`started`), or were seen to leave without a jerk, are taken to
    move, the others to stand.
    """
    away = _away(seeds, sights, started)
    started = started | _leaving(seeds, sights, away)
    moved = np.flatnonzero(away.sum(axis=1) >= np.where(started, 2, LEAST_FRAMES))
    rest = np.ones(len(seeds), dtype=bool)
    if len(moved) == 0:
        return rest
    rays, fits = _at_first_places(bank, seeds, sights, away, moved, config)
    for k in moved.tolist():
        empty, visible = _left(bank, seeds, sights, rays[k], fits[k], away[k], k)
        told = empty if started[k] else empty & visible
        least = max(2 if started[k] else LEAST_FRAMES, LEAST_SHARE * len(told))
        rest[k] = told.sum() < least
    return rest


def _away(seeds: Seeds, sights: Sights, started: Bools) -> Bools:
    """(K, F) where each was found clearly off its first place."""
    away_m = np.linalg.norm(sights.poses[:, :, :2] - seeds.poses[:, None, :2], axis=2)
    away_m = np.where(sights.found, away_m, 0.0)
    far_m = np.quantile(away_m, 0.95, axis=1)
    least_m = np.array([PARKED_M if kind.is_vehicle else WALKED_M for kind in seeds.kinds])
    # A few points may slide along a surface.
    few = _typical(sights) < WELL_SEEN
    least_m = np.where(few, np.maximum(least_m, SLIDES * seeds.sizes_lwh_m[:, 0]), least_m)
    away = away_m > np.maximum(least_m, 0.5 * far_m)[:, None]
    away[[kind in NEVER_MOVE for kind in seeds.kinds]] = False
    return np.asarray(away)


def _leaving(seeds: Seeds, sights: Sights, away: Bools) -> Bools:
    """(K,) which objects were well seen all the way from their first places to where they are away.

    What is taken for another that comes past takes a jump, or has many more or fewer points at once.
    """
    leaving = np.zeros(len(seeds), dtype=bool)
    for k in np.flatnonzero(_typical(sights) >= WELL_SEEN).tolist():
        seed, there = int(seeds.frames[k]), np.flatnonzero(away[k])
        for side in (there[there > seed], there[there < seed][::-1]):
            if len(side) >= LEAST_FRAMES:
                way = np.arange(seed, side[0] + np.sign(side[0] - seed), np.sign(side[0] - seed))
                leaving[k] |= _smooth(sights, k, way)
    return leaving


def _smooth(sights: Sights, k: int, way: I64) -> bool:
    """Whether an object was found in every frame of a way, without a jerk."""
    places, inside = sights.poses[k, way, :2], sights.inside[k, way[1:]]
    jerks_m = np.linalg.norm(np.diff(places, n=2, axis=0), axis=1)
    few = inside.min(initial=np.inf) < WELL_SEEN / 2
    return bool(sights.found[k, way[1:]].all() and not few and jerks_m.max(initial=0.0) < JERK_M)


def _typical(sights: Sights) -> F64:
    """(K,) points in the box in the frames in which each was found."""
    counts = np.where(sights.found, sights.inside, 0.0).sum(axis=1)
    return np.asarray(counts / np.maximum(sights.found.sum(axis=1), 1))


def _at_first_places(
    bank: PointBank, seeds: Seeds, sights: Sights, away: Bools, moved: I64, config: PointsConfig
) -> tuple[F64, F64]:
    """(K, F, 3) rays that end in the first place of each, go through it, or end before it; and (K, F, 2) how
    many points fit what the first frame shows of it, at its first place and where it was found.
    """
    from autolabel.points import _kernels, _ray_kernels

    halves = np.ascontiguousarray(seeds.sizes_lwh_m / 2)
    rays, counts = np.zeros((len(seeds), len(bank), 3)), np.zeros((len(seeds), 3))
    fits, both = np.zeros((len(seeds), len(bank), 2)), np.zeros((len(seeds), 2))
    shapes = first_shapes(bank, seeds, config)
    for index in bank:
        frame = index.scan.frame
        which = moved[away[moved, frame] | (seeds.frames[moved] == frame)]
        if len(which) == 0:
            continue
        there = np.where(sights.found[:, frame, None], sights.poses[:, frame], 1e9)
        rivals = rivals_near(seeds.poses, there, halves)
        _ray_kernels.count_all_rays(
            index.points, index.fan, which, seeds.poses, halves, rivals, there, counts
        )
        rays[which, frame] = counts[which]
        for column, poses in enumerate((seeds.poses, there)):
            mine = both[:, column]
            _kernels.count_fits(index.points, index.fan, which, poses, halves, shapes.arrays, mine)
        fits[which, frame] = both[which]
    return rays, fits


def first_shapes(bank: PointBank, seeds: Seeds, config: PointsConfig) -> Shapes:
    """The surfaces as the frames show them in which the objects are known."""
    surfaces = seeds.surfaces(config)
    shapes = Shapes.of_boxes(seeds.sizes_lwh_m, surfaces)
    most, still = np.array([s.most_points for s in surfaces]), np.zeros((len(seeds), 2))
    for frame in np.unique(seeds.frames).tolist():
        index = bank.at(frame)
        if index is not None:
            mine = np.flatnonzero(seeds.frames == frame)
            shapes.add(index, seeds.poses, still, mine, most)
    shapes.finish(np.arange(len(seeds)))
    return shapes


def _left(
    bank: PointBank, seeds: Seeds, sights: Sights, rays: F64, fits: F64, away: Bools, k: int
) -> tuple[Bools, Bools]:
    """In the frames in which an object is believed elsewhere: whether its first place lacks its points, and
    whether rays would have met it there.
    """
    frames, seed = np.flatnonzero(away), int(seeds.frames[k])
    far_m = np.linalg.norm(sights.poses[k, frames, :2] - seeds.poses[k, :2], axis=1)
    apart = far_m > np.linalg.norm(seeds.sizes_lwh_m[k, :2])
    empty = fits[frames, 0] < np.where(apart, EMPTY_APART, EMPTY) * fits[frames, 1]
    scans = bank.scans
    origins = scans.world.local_from_ego(scans.frames_ns).translations
    first_m = np.maximum(np.linalg.norm(origins - seeds.poses[k, :3], axis=1), 2.0)
    there_m = np.maximum(np.linalg.norm(origins - sights.poses[k, :, :3], axis=1), 2.0)
    # How many rays would meet it, by how near it is; of what was hidden, as many as met what was followed.
    nearer = (first_m[seed] / first_m[frames]) ** 2
    own, before = rays[seed, 0], rays[seed, 2]
    if own < ENOUGH:
        own, before = float(np.median((sights.inside[k] * there_m**2)[frames])) / first_m[seed] ** 2, 0.0
    hidden = np.clip((rays[frames, 2] - before * nearer) / np.maximum(own * nearer, 1e-9), 0.0, 1.0)
    return empty, (own * nearer >= ENOUGH) & (hidden < 0.5)
