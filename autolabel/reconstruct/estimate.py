"""One estimator for every source: what is known of an object to its boxes at all frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autolabel.reconstruct.config import ReconstructConfig
from autolabel.reconstruct.ends import Signs, stretches, there
from autolabel.reconstruct.evidence import Evidence, PointReport
from autolabel.reconstruct.headings import tilts_at, tilts_of, turned
from autolabel.reconstruct.scope import Scope
from autolabel.reconstruct.trace import Trace, told_by, traced
from autolabel.smoother import Motion
from autolabel.world import LocalWorld, Sightings
from calib.quaternion import matrices_from_quaternions
from calib.types import F64, I64, Bools
from fusion.categories import Kind
from fusion.stages import stage

POINT_ROUNDS = 2
# In so many frames a path is put about right by every other one; the last round looks at all.
MANY = 20


@dataclass(frozen=True, eq=False, slots=True)
class Reconstruction:
    """One object at all frames in which it is held to be.

    Attributes:
        sightings: its boxes.
        motion: the same, with velocities and covariances.
        parked: whether it stands still.
        detected: (N,) whether a detection stands behind the box.
        scores: (N,) in 0..1.
    """

    sightings: Sightings
    motion: Motion
    parked: bool
    detected: Bools
    scores: F64


def reconstruct(
    evidence: Evidence,
    frames_ns: I64,
    kind: Kind,
    world: LocalWorld,
    settings: ReconstructConfig,
    scope: Scope,
) -> Reconstruction:
    """The motion, the size and the ends of one object.

    Args:
        evidence: what is known of it, at least one box.
        frames_ns: rising, the frames in which it may be.
        kind: what it is.
        world: of the log.
        settings: see there.
        scope: where objects are labelled.
    """
    frames_ns = _in_reach(frames_ns, evidence, settings)
    told = told_by(evidence, frames_ns, kind, world, settings)
    path, leanings = traced(told, kind, settings), _leanings(evidence, told.times_ns, world)
    presence = settings.presence if len(evidence.keys) else settings.alone
    report: PointReport | None = None
    for round in range(POINT_ROUNDS if evidence.points is not None else 0):
        assert evidence.points is not None
        last = round + 1 == POINT_ROUNDS
        about = _boxes(path, leanings)
        wanted = scope.shares(about) > 0
        if not (path.parked or len(evidence.keys)):
            wanted &= _key_s(path, evidence) <= settings.roaming_reach_s
        if not last and wanted.sum() > MANY:
            wanted[1::2] = False
        with stage("points"):
            report = evidence.points.measure(
                about,
                path.motion,
                wanted,
                rays=last,
                support=last and presence.least_points is not None,
            )
        path = traced(told, kind, settings, report.measurements)
    sightings = _boxes(path, leanings)
    shares, blocked = scope.shares(sightings), scope.on_the_car(sightings)
    signs = Signs.of(path, evidence, shares, blocked, report)
    every_ns = np.union1d(world.log.timestamps_ns, evidence.seen_ns)
    parts = stretches(np.union1d(frames_ns, evidence.seen_ns), path.times_ns, every_ns)
    kept = there(signs, parts, presence, settings.longest_gap_s)
    kept &= np.isin(path.times_ns, frames_ns)
    scores = np.asarray(0.5 ** (_key_s(path, evidence) / settings.half_life_s))
    rows = np.nonzero(kept)[0]
    return Reconstruction(
        Sightings(path.times_ns[rows], sightings.local_from_box.take(rows), sightings.sizes_lwh_m[rows]),
        path.motion.at(path.motion.times_s[rows]) if len(rows) else path.motion,
        path.parked,
        np.isin(path.times_ns[rows], evidence.detections.times_ns),
        scores[rows],
    )


def _in_reach(frames_ns: I64, evidence: Evidence, settings: ReconstructConfig) -> I64:
    """The frames that are not too far from all that is known: a long drive costs an object no more."""
    reach_s = settings.key_reach_s if len(evidence.keys) else settings.reach_s
    seen_ns, reach_ns = evidence.seen_ns, round(1e9 * reach_s)
    near = (frames_ns >= seen_ns.min() - reach_ns) & (frames_ns <= seen_ns.max() + reach_ns)
    return np.asarray(frames_ns[near])


def boxes_along(path: Trace, evidence: Evidence, world: LocalWorld) -> Sightings:
    """The boxes of a path: its poses, tilted as the given boxes next to them, or as detections are."""
    return _boxes(path, _leanings(evidence, path.times_ns, world))


def _leanings(evidence: Evidence, times_ns: I64, world: LocalWorld) -> F64:
    """(K, 3, 3) how boxes are tilted at instants, whatever they face."""
    source_ns, poses = evidence.keys.times_ns, evidence.keys.local_from_box
    if len(source_ns) == 0:
        source_ns, poses = evidence.detections.times_ns, evidence.detections.boxes.dst_from_box
    tilts = tilts_at(world.seconds(source_ns), tilts_of(poses), world.seconds(times_ns))
    return matrices_from_quaternions(tilts)


def _boxes(path: Trace, leanings: F64) -> Sightings:
    local_from_box = turned(leanings, path.motion.places, path.motion.yaws_rad)
    return Sightings(path.times_ns, local_from_box, np.tile(path.size_lwh_m, (len(path.times_ns), 1)))


def _key_s(path: Trace, evidence: Evidence) -> F64:
    """(K,) seconds to the nearest given box; to the nearest detection where none is given."""
    keys_ns = evidence.keys.times_ns if len(evidence.keys) else evidence.detections.times_ns
    return np.asarray(np.abs(path.times_ns[:, None] - keys_ns).min(axis=1) / 1e9)
