"""How well views agree under turns of their camera, and which turn suits them best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calib.refine.view import View, alignments
from calib.se3 import SE3
from calib.types import F64

LEVELS_RAD = np.radians([-1.5, -1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0, 1.5])
STEPS_RAD = np.radians([[0.2, 0.2, 0.4], [0.1, 0.1, 0.2]])
MOST_CLIMBS = 12
# In units of the rise; set on simulated drives with seeds under 100.
NOISE, MOST_NOISE = 0.01, 5.0
TRUSTED_FRAMES = 5
SCENE_RAD = np.radians(0.02)


def _grid(levels: F64) -> F64:
    return np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)


TURNS_RAD = _grid(LEVELS_RAD)
STILL = len(TURNS_RAD) // 2
SMALLEST_RAD = float(LEVELS_RAD[LEVELS_RAD > 0].min())
SMALLEST = tuple(
    int(np.abs(TURNS_RAD - sign * SMALLEST_RAD * axis).sum(axis=1).argmin())
    for axis in np.eye(3)
    for sign in (-1, 1)
)
CUBE = _grid(np.array([-1.0, 0.0, 1.0]))


@dataclass(frozen=True, eq=False, slots=True)
class Turn:
    """A turn of a camera that suits some views best.

    Attributes:
        turn_rad: (3,) rotation vector of `cam_from_given_cam`: pitch, yaw, roll.
        covariance: (3, 3) of it, rad squared; infinite where the views do not determine it.
    """

    turn_rad: F64
    covariance: F64

    @property
    def sigma_rad(self) -> F64:
        """(3,) standard deviations."""
        return np.sqrt(np.diag(self.covariance))


def turned(ego_from_given_cam: SE3, turn_rad: F64) -> SE3:
    """The mount after a turn of the camera about its own centre."""
    cam_from_given_cam = SE3.from_rotation_vector(turn_rad)
    return ego_from_given_cam @ cam_from_given_cam.inverse()


def turn_scores(views: Sequence[View], ego_from_given_cam: SE3, turns_rad: F64) -> F64:
    """(T, V) how well each view agrees under each of (T, 3) turns."""
    return alignments(views, ego_from_given_cam, np.column_stack([turns_rad, np.zeros_like(turns_rad)]))


def rise_of(scores: F64) -> F64:
    """(V,) by how much the best of (T, V) scores stands out: near zero where nothing agrees with anything."""
    return np.asarray(scores.max(axis=0) - np.median(scores, axis=0))


def noise_of(scores: F64) -> float:
    """By how much one frame's score must differ for odds of e to one, from the scatter of (T, V) scores.

    In a Gaussian log likelihood the variance of a difference is twice its mean. Few frames are helped by
    what simulated drives show.
    """
    loss = (scores[STILL] - scores[list(SMALLEST)]).reshape(3, 2, -1).mean(axis=1)
    seen = loss.var(axis=1, ddof=1) / (2 * np.maximum(loss.mean(axis=1), 1e-9))
    usual, count = NOISE * float(np.median(rise_of(scores))), loss.shape[1]
    mixed = (count * np.minimum(seen.max(), MOST_NOISE * usual) + TRUSTED_FRAMES * usual) / (
        count + TRUSTED_FRAMES
    )
    return float(max(mixed, usual))


def best_turn(views: Sequence[View], ego_from_given_cam: SE3, start_rad: F64, noise: float) -> Turn:
    """Climbs from a turn to the one under which all views together agree best.

    The covariance is the sandwich of an M-estimator: how the slopes of single views scatter, mixed with what
    they are expected to, seen through the curvature of the summit.

    Args:
        views: of one camera.
        ego_from_given_cam: the mount that is turned.
        start_rad: (3,) where to begin; the summit must not be further than about half a degree.
        noise: by how much a score must differ for odds of e to one.
    """
    center_rad = np.asarray(start_rad, dtype=np.float64)
    scores, steps_rad = np.empty((len(CUBE), len(views))), STEPS_RAD[0]
    for steps_rad in STEPS_RAD:
        for _ in range(MOST_CLIMBS):
            scores = turn_scores(views, ego_from_given_cam, center_rad + CUBE * steps_rad)
            best = int(scores.mean(axis=1).argmax())
            if best == len(CUBE) // 2:
                break
            center_rad = center_rad + CUBE[best] * steps_rad
    slopes, curvature = _paraboloid(scores)
    if np.linalg.eigvalsh(curvature).max() >= -1e-9:
        return Turn(center_rad, np.full((3, 3), np.inf))
    offset = np.clip(-np.linalg.solve(curvature, slopes.mean(axis=0)), -1, 1)
    spread = _slope_covariance(slopes, curvature, noise)
    flat = np.linalg.inv(curvature)
    covariance = steps_rad[:, None] * (flat @ spread @ flat / len(views)) * steps_rad
    return Turn(center_rad + offset * steps_rad, covariance + SCENE_RAD**2 * np.eye(3))


def _paraboloid(scores: F64) -> tuple[F64, F64]:
    """(V, 3) slopes of each view and (3, 3) mean curvature over a cube of (27, V) scores, a step each way."""
    x, y, z = CUBE.T
    columns = np.column_stack([np.ones(len(CUBE)), CUBE, CUBE**2, x * y, x * z, y * z])
    fit = np.linalg.pinv(columns) @ scores
    mean = fit.mean(axis=1)
    xx, yy, zz, xy, xz, yz = 2 * mean[4], 2 * mean[5], 2 * mean[6], mean[7], mean[8], mean[9]
    return fit[1:4].T, np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])


def _slope_covariance(slopes: F64, curvature: F64, noise: float) -> F64:
    """(3, 3) covariance of the slopes of single views; few views are helped by what is expected."""
    off = slopes - slopes.mean(axis=0)
    expected = TRUSTED_FRAMES * noise * -curvature
    return np.asarray((off.T @ off + expected) / (len(slopes) - 1 + TRUSTED_FRAMES))
