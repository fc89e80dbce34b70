"""The poses of a trip that agree best with where its scans lie and with its own steps."""

from __future__ import annotations

import numpy as np

from autolabel.ego.graph import fused
from autolabel.ego.screws import screws_of
from autolabel.trips.config import AlignConfig
from autolabel.trips.meet import Met, StandingMap, meet
from autolabel.trips.passage import Passage
from calib.se3 import SE3Batch
from calib.types import F64

WEIGHING = 4
FIRM = 1e-5


def agreed(passage: Passage, met: Met, config: AlignConfig) -> SE3Batch:
    """One pose a station, in the frame of the map that its scans were laid on.

    A pose graph of the given steps and the places of the scans. A scan that lies away from where its
    neighbours put it counts less (Geman and McClure's weights).
    """
    given = passage.given_from_ego
    ego_from_ego_at_next = given.take(slice(None, -1)).inverse() @ given.take(slice(1, None))
    steps_m = np.diff(passage.along_m)[:, None]
    turn_rad = np.radians(config.step_deg + config.drift_deg_per_m * steps_m)
    way_m = config.step_m + config.drift_share * steps_m
    step_sigmas = np.hstack([np.repeat(turn_rad, 3, axis=1), np.repeat(way_m, 3, axis=1)])
    sigmas = _sigmas(met, config)
    widths = np.ones(len(given))
    found = met.map_from_ego
    for _ in range(WEIGHING):
        found = fused(met.map_from_ego, ego_from_ego_at_next, step_sigmas, sigmas * widths[:, None])
        off = screws_of(met.map_from_ego.inverse() @ found)
        far = np.where(met.sure, np.linalg.norm(off / np.where(met.sure[:, None], sigmas, 1), axis=1), 0)
        widths = 1 + (far / np.sqrt(6) / config.outlier_sigmas) ** 2
    return found


def _sigmas(met: Met, config: AlignConfig) -> F64:
    """(K, 6) how well each scan lies on the map, in the car's axes; inf where it does not."""
    count = len(met.sure)
    floors = np.repeat([np.radians(config.sigma_deg), config.sigma_m], 3)
    sigmas = np.full((count, 6), np.inf)
    for k in np.flatnonzero(met.sure):
        if not met.information[k].any():
            sigmas[k] = FIRM
            continue
        spread = np.linalg.inv(met.information[k] + 1e-6 * np.eye(6))
        turn = met.map_from_ego[int(k)].rotation.T
        variances = [np.diag(turn @ block @ turn.T) for block in (spread[:3, :3], spread[3:, 3:])]
        sigmas[k] = np.sqrt(np.concatenate(variances) + floors**2)
    return sigmas


def closed(passage: Passage, config: AlignConfig) -> SE3Batch:
    """The poses of a trip that comes by a place again, made such that it is the same place.

    The scans of the later visit are laid on what the earlier one saw, whose poses stay; the way between
    bends evenly. A trip that comes by no place twice keeps its poses, to the bit.
    """
    given, along_m = passage.given_from_ego, passage.along_m
    early, late = _visits(given, along_m, config)
    if len(early) == 0:
        return given
    places = given.translations
    map = StandingMap.between(places.min(axis=0), places.max(axis=0), config)
    map.add(passage.part(early), given.take(early))
    met = meet(passage.part(late), map)
    if met.sure.sum() < config.least_stations:
        return given
    if float(np.median(met.agreement[met.sure])) < config.least_trip_agreement:
        return given
    rows = np.arange(len(given))
    laid = {int(k): met.map_from_ego[n] for n, k in enumerate(late) if met.sure[n]}
    start = SE3Batch.stack(laid.get(int(k), given[int(k)]) for k in rows)
    whole = Met(start, np.zeros((len(rows), 6, 6)), np.zeros(len(rows)), np.isin(rows, [*early, *laid]))
    whole.information[late] = met.information
    return agreed(passage, whole, config)


def _visits(given: SE3Batch, along_m: F64, config: AlignConfig) -> tuple[np.ndarray, np.ndarray]:
    """Stations up to the end of the first visit of a place, and those from the beginning of the second on."""
    places = given.translations[:, :2]
    apart_m = np.linalg.norm(places[:, None] - places[None], axis=2)
    again = (along_m[:, None] - along_m[None] > config.loop_m) & (apart_m < config.loop_near_m)
    if not again.any():
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
    late = np.flatnonzero(again.any(axis=1))
    last_early = int(np.flatnonzero(again[late].any(axis=0)).max())
    first_late = max(int(late[0]), min(last_early + 1, len(given) - 1))
    return np.arange(min(last_early + 1, first_late)), np.arange(first_late, int(late[-1]) + 1)
