"""Several drives through one place in one frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from autolabel.ego.screws import screws_of
from autolabel.trips.alignment import AlignedTrip, Alignment
from autolabel.trips.config import AlignConfig
from autolabel.trips.meet import Met, StandingMap, meet
from autolabel.trips.passage import Passage
from autolabel.trips.poses import agreed, closed
from autolabel.world import LocalWorld
from calib.se3 import SE3Batch
from calib.types import F64, Bools
from fusion.log import DriveLog
from fusion.trajectory import Trajectory

BEYOND_M = 300.0


def align(logs: Sequence[DriveLog], config: AlignConfig | None = None) -> Alignment:
    """Lays trips through one place on the first of them, whose poses stay as they are.

    The scans of a trip are matched with all that earlier trips saw; its poses become those that agree best
    with these matches and with their own steps. A trip that meets no other comes back as it is.
    """
    config = config or AlignConfig()
    if not logs:
        return Alignment(())
    local_from_world = LocalWorld.of(logs[0]).local_from_world
    read = [Passage.of(log, local_from_world, config) for log in logs]
    passages = [replace(passage, given_from_ego=closed(passage, config)) for passage in read]
    map = _map_for(passages, config)
    map.add(passages[0], passages[0].given_from_ego)
    found: dict[int, tuple[SE3Batch, Met]] = {}
    left = [k for k in range(1, len(logs)) if len(passages[k].stations)]
    progress = True
    while left and progress:
        progress = False
        for k in _nearest_first(passages, left, map):
            laid = _joined(passages[k], map, config)
            if laid is not None:
                found[k] = laid
                map.add(passages[k], laid[0])
                left.remove(k)
                progress = True
                break
    places = [laid[0].translations for laid in found.values()]
    met = [found[k][1] if k in found else None for k in range(len(logs))]
    met[0] = _overlap(passages[0], places, config)
    poses = [found[k][0] if k in found else passage.given_from_ego for k, passage in enumerate(passages)]
    return Alignment(tuple(_trip(*row) for row in zip(logs, read, passages, poses, met, strict=True)))


def _map_for(passages: list[Passage], config: AlignConfig) -> StandingMap:
    """An empty map that reaches beyond the first trip as far as others may."""
    places = passages[0].given_from_ego.translations
    if len(places) == 0:
        return StandingMap.between(np.zeros(2), np.zeros(2), config)
    low, high = places.min(axis=0) - BEYOND_M, places.max(axis=0) + BEYOND_M
    everywhere = np.concatenate([p.given_from_ego.translations for p in passages])
    near = everywhere[((everywhere >= low) & (everywhere <= high))[:, :2].all(axis=1)]
    margin = config.search.reach_m
    return StandingMap.between(near.min(axis=0) - margin, near.max(axis=0) + margin, config)


def _nearest_first(passages: list[Passage], left: list[int], map: StandingMap) -> list[int]:
    """Trips by how much of their way is near the map."""

    def near(k: int) -> float:
        return float((map.distance_m(passages[k].given_from_ego.translations) < map.config.near_m).sum())

    return sorted(left, key=lambda k: (-near(k), k))


def _joined(passage: Passage, map: StandingMap, config: AlignConfig) -> tuple[SE3Batch, Met] | None:
    """A trip's poses on the map; None where it does not meet it."""
    met = meet(passage, map)
    if met.sure.sum() < min(config.least_stations, len(passage.stations)):
        return None
    if float(np.median(met.agreement[met.sure])) < config.least_trip_agreement:
        return None
    return agreed(passage, met, config), met


def _overlap(first: Passage, places: list[F64], config: AlignConfig) -> Met | None:
    """Where the first trip drove where others did, as their places say; None where it nowhere did."""
    from scipy.spatial import cKDTree

    if not places or len(first.stations) == 0:
        return None
    tree = cKDTree(np.concatenate(places)[:, :2])
    near: Bools = np.asarray(tree.query(first.given_from_ego.translations[:, :2])[0] < config.near_m)
    count = len(near)
    return Met(first.given_from_ego, np.zeros((count, 6, 6)), np.full(count, np.nan), near)


def _trip(log: DriveLog, read: Passage, passage: Passage, poses: SE3Batch, met: Met | None) -> AlignedTrip:
    """A trip whose stations have got new poses."""
    count, loops = len(read.stations), passage.given_from_ego is not read.given_from_ego
    sure = np.zeros(count, dtype=bool) if met is None else met.sure
    off = np.full((count, 6), np.nan)
    if met is not None and met.information.any():
        off = screws_of(met.map_from_ego.inverse() @ poses)
        off[~sure] = np.nan
    moved = poses is not read.given_from_ego
    ways_m = np.linalg.norm(read.given_from_ego.translations - poses.translations, axis=1)
    return AlignedTrip(
        log.name,
        _amended(log.trajectory, read, poses) if moved else log.trajectory,
        met is not None,
        loops,
        read.frames_ns,
        sure,
        np.linalg.norm(off[:, 3:], axis=1),
        np.degrees(np.linalg.norm(off[:, :3], axis=1)),
        np.full(count, np.nan) if met is None else np.where(sure, met.agreement, np.nan),
        float(np.median(ways_m)) if count else 0.0,
    )


def _amended(given: Trajectory, read: Passage, poses: SE3Batch) -> Trajectory:
    """All poses of a trajectory, corrected as those of the stations around them."""
    frames_ns = read.frames_ns
    ego_at_given_from_ego = read.given_from_ego.inverse() @ poses
    amends = Trajectory(frames_ns, ego_at_given_from_ego)
    times_ns = np.union1d(given.timestamps_ns, frames_ns)
    ego_at_given_from_ego = amends.at_many(np.clip(times_ns, amends.start_ns, amends.end_ns))
    world_from_ego_at_given = given.at_many(times_ns)
    return Trajectory(times_ns, world_from_ego_at_given @ ego_at_given_from_ego)
