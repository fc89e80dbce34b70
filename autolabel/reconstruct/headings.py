"""Which way an object faces: headings, tilts, and flips by half a turn."""

from __future__ import annotations

import numpy as np

from autolabel.smoother.motion import bracket
from calib.quaternion import matrices_from_quaternions, slerp
from calib.se3 import SE3Batch
from calib.types import F64, Bools

MOVING_MPS = 2.0


def wrapped(angles_rad: F64) -> F64:
    """Angles in [-pi, pi)."""
    return np.asarray((angles_rad + np.pi) % (2 * np.pi) - np.pi)


def flipped(
    times_s: F64,
    yaws_rad: F64,
    weights: F64,
    velocities: F64,
    fastest_turn_rad_per_s: float,
    motion_weight: float,
) -> Bools:
    """(N,) which headings of one object are the wrong way round.

    Neighbours disagree where turning from one to the other the short way is faster than the object can
    turn and the other way round is nearer. The heavier party is right: each heading votes with its
    weight, which grows by `motion_weight` where the object moves along it and falls where against it.
    Below 1, motion decides between parties but never against headings that all agree.
    """
    turns_rad = np.abs(wrapped(np.diff(yaws_rad)))
    torn = (turns_rad > np.pi / 2) & (turns_rad > fastest_turn_rad_per_s * np.diff(times_s))
    others = np.concatenate([[0], np.cumsum(torn) % 2]).astype(np.bool_)
    ahead_mps = np.cos(yaws_rad) * velocities[:, 0] + np.sin(yaws_rad) * velocities[:, 1]
    along = np.where(np.abs(ahead_mps) > MOVING_MPS, np.sign(ahead_mps), 0.0)
    votes = np.where(others, -1.0, 1.0) * weights * (1.0 + motion_weight * along)
    return others if votes.sum() >= 0 else ~others


def steady(yaws_rad: F64, flips: Bools) -> F64:
    """(N,) headings with flips undone, each the short way from the one before."""
    return np.unwrap(np.where(flips, yaws_rad + np.pi, yaws_rad))


def towards(yaws_rad: F64, wanted_rad: F64) -> F64:
    """(N,) headings, each turned by half where that brings it nearer to the one wanted."""
    return np.where(np.abs(wrapped(yaws_rad - wanted_rad)) > np.pi / 2, yaws_rad + np.pi, yaws_rad)


def tilts_of(poses: SE3Batch) -> F64:
    """(N, 4) quaternions of what is left of the rotations once their headings are taken out."""
    return turned(poses.rotations, poses.translations, -poses.yaws_rad).quaternions_wxyz


def tilts_at(times_s: F64, tilts: F64, wanted_s: F64) -> F64:
    """(M, 4) tilts between those of neighbouring instants, and those of the ends beyond."""
    before, after, fraction = bracket(times_s, wanted_s)
    return slerp(tilts[before], tilts[after], fraction)


def poses_from(places: F64, yaws_rad: F64, tilts: F64) -> SE3Batch:
    """Boxes at places with headings and tilts."""
    return turned(matrices_from_quaternions(tilts), places, yaws_rad)


def turned(rotations: F64, places: F64, angles_rad: F64) -> SE3Batch:
    """Boxes at places, each turned by an angle about z."""
    c, s = np.cos(angles_rad)[:, None], np.sin(angles_rad)[:, None]
    x, y = rotations[:, 0], rotations[:, 1]
    return SE3Batch(np.stack([c * x - s * y, s * x + c * y, rotations[:, 2]], axis=1), places)
