"""What the car's poses say against what the scans say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autolabel.ego.config import EgoConfig
from autolabel.ego.odometry import Track
from autolabel.ego.screws import screws_of
from calib.se3 import SE3Batch
from calib.types import F64, I64, Bools

STEP_SIGMA_M, STEP_SIGMA_RAD, STEP_SHARE = 0.004, 0.0004, 0.001
OVERCONFIDENCE = 3.0
UNKNOWN_M, UNKNOWN_RAD = 1.0, 0.1
OUTER_FRAMES = 3


@dataclass(frozen=True, eq=False, slots=True)
class Drift:
    """How two ways between the same frames differ.

    Attributes:
        first: (W,) frame at which a stretch begins.
        last: (W,) frame at which it ends.
        way_m: (W,) how long it is.
        apart: (W, 6) turn (rad) and way (m) that the given end lies from the measured one.
        drifts: (W,) whether that is more than it should.
    """

    first: I64
    last: I64
    way_m: F64
    apart: F64
    drifts: Bools

    @classmethod
    def none(cls) -> Drift:
        """Of a car whose way is not compared."""
        frames = np.zeros(0, dtype=np.int64)
        return cls(frames, frames, np.zeros(0), np.zeros((0, 6)), np.zeros(0, dtype=bool))


def off_neighbours(world_from_ego: SE3Batch, track: Track, neighbours: int) -> F64:
    """(K, 6) how each pose lies off the place at which the poses around it and the scans put it.

    What those before and those after it agree on, so that nothing beside a step is off; each side says its
    median, so that up to half of them may be wrong. A drift that goes on is not held against a pose.
    Turn (rad) and way (m) in the car's axes; NaN where the scans say nothing.
    """
    trend = _trend(world_from_ego, track, neighbours)
    early = _off_side(world_from_ego, track, range(-neighbours, 0), trend)
    late = _off_side(world_from_ego, track, range(1, neighbours + 1), trend)
    alike = np.sign(early) == np.sign(late)
    agreed = np.where(alike, np.sign(early) * np.minimum(np.abs(early), np.abs(late)), 0.0)
    return np.where(np.isnan(early), late, np.where(np.isnan(late), early, agreed))


def _trend(world_from_ego: SE3Batch, track: Track, neighbours: int) -> F64:
    """(K, 6) how much further the poses part from the scans in each frame, the median of those around."""
    count = len(track.frames_ns)
    steps = np.full((count, 6), np.nan)
    steps[1:] = apart(world_from_ego, track.start_from_ego, np.arange(count - 1), np.arange(1, count))
    steps[1:][~(track.sure[1:] & track.sure[:-1])] = np.nan
    wide = np.pad(steps, ((neighbours, neighbours), (0, 0)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(wide, 2 * neighbours + 1, axis=0)
    trend = np.zeros((count, 6))
    known = np.isfinite(windows[:, 0]).sum(axis=1) >= neighbours
    trend[known] = np.nanmedian(windows[known], axis=2)
    return trend


def _off_side(world_from_ego: SE3Batch, track: Track, shifts: range, trend: F64) -> F64:
    """(K, 6) how poses lie off what the frames at some distances say."""
    count = len(track.frames_ns)
    rows = np.full((len(shifts), count, 6), np.nan)
    for row, shift in enumerate(shifts):
        frames = np.arange(max(0, -shift), min(count, count - shift))
        if len(frames):
            off = apart(world_from_ego, track.start_from_ego, frames + shift, frames)
            rows[row, frames] = off + shift * trend[frames]
            rows[row, frames[~track.sure[frames + shift]]] = np.nan
    rows[:, ~track.sure] = np.nan
    known = np.isfinite(rows[..., 0]).any(axis=0)
    found = np.full((count, 6), np.nan)
    found[known] = np.nanmedian(rows[:, known], axis=0)
    return found


def apart(world_from_ego: SE3Batch, start_from_ego: SE3Batch, early: I64, late: I64) -> F64:
    """(N, 6) how the given late poses lie off those that follow from the early ones and the scans."""
    ego_at_early_from_ego_at_late = start_from_ego.take(early).inverse() @ start_from_ego.take(late)
    world_from_ego_at_early = world_from_ego.take(early)
    world_from_ego_at_late = world_from_ego_at_early @ ego_at_early_from_ego_at_late
    return screws_of(world_from_ego_at_late.inverse() @ world_from_ego.take(late))


def step_sigmas(track: Track) -> F64:
    """(K, 6) how well each scan is laid on those before it: turn (rad) and way (m) in the car's axes."""
    sigmas = np.tile(np.repeat([UNKNOWN_RAD, UNKNOWN_M], 3), (len(track.frames_ns), 1))
    places = track.start_from_ego.translations
    steps_m = np.linalg.norm(np.diff(places, axis=0, prepend=places[:1]), axis=1)
    least = np.repeat([STEP_SIGMA_RAD, STEP_SIGMA_M], 3) ** 2
    for k in np.flatnonzero(track.sure):
        axes = np.kron(np.eye(2), track.start_from_ego.rotations[k])
        information = axes.T @ track.information[k] @ axes
        covariance = np.linalg.inv(information + np.diag(np.repeat([1 / UNKNOWN_RAD, 1 / UNKNOWN_M], 3) ** 2))
        found = OVERCONFIDENCE**2 * np.diag(covariance) + least
        found[3:] += (STEP_SHARE * steps_m[k]) ** 2
        sigmas[k] = np.minimum(np.sqrt(found), sigmas[k])
    laid = np.flatnonzero(track.sure)
    if len(laid) > 1:  # nothing lay before the first scan: the second is laid on it
        sigmas[laid[0]] = sigmas[laid[1]]
    return sigmas


def jumped(off: F64, sigmas: F64, config: EgoConfig) -> Bools:
    """(K,) which poses lie further off than they may and than the scans leave open."""
    clear = np.where(np.abs(off) > config.sigmas * sigmas, np.nan_to_num(off), 0.0)
    far = np.linalg.norm(clear[:, 3:], axis=1) > config.jump_m
    turned = np.linalg.norm(clear[:, :3], axis=1) > np.radians(config.jump_deg)
    return np.asarray(far | turned)


def drift_of(world_from_ego: SE3Batch, track: Track, trusted: Bools, config: EgoConfig) -> Drift:
    """How the trusted poses part from the scans over stretches of some length, or over the whole way."""
    frames = np.flatnonzero(trusted)
    places = track.start_from_ego.translations
    along_m = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(places, axis=0), axis=1))])
    along_m = along_m[frames]
    ends = np.searchsorted(along_m, along_m + config.drift_over_m)
    starts = np.flatnonzero(ends < len(frames))
    if len(starts) == 0 and len(frames) > 2 * OUTER_FRAMES:
        starts, ends = np.array([0]), np.array([len(frames) - 1])
    else:
        ends = ends[starts]
    first, last = frames[starts], frames[ends]
    way_m = along_m[ends] - along_m[starts]
    parted = _between(world_from_ego, track, frames, starts, ends)
    floors_deg = np.array([config.tilt_floor_deg, config.tilt_floor_deg, config.turn_floor_deg])
    limits_rad = np.radians(floors_deg + config.turn_deg_per_100m / 100 * way_m[:, None])
    far = np.linalg.norm(parted[:, 3:], axis=1) > config.drift_floor_m + config.drift_share * way_m
    return Drift(first, last, way_m, parted, far | (np.abs(parted[:, :3]) > limits_rad).any(axis=1))


def _between(world_from_ego: SE3Batch, track: Track, frames: I64, starts: I64, ends: I64) -> F64:
    """(W, 6) medians of how stretches between frames near their ends differ."""
    found = []
    for early in range(OUTER_FRAMES):
        for late in range(OUTER_FRAMES):
            a = frames[np.minimum(starts + early, len(frames) - 1)]
            b = frames[np.maximum(ends - late, 0)]
            found.append(apart(world_from_ego, track.start_from_ego, a, b))
    return np.asarray(np.median(found, axis=0)).reshape(-1, 6)
