"""Small rigid motions as six numbers that can be scaled, added and weighed."""

from __future__ import annotations

import numpy as np

from calib.se3 import SE3, SE3Batch
from calib.types import F64

SMALL_RAD = 1e-4


def screws(vectors: F64) -> SE3Batch:
    """Motions of constant turn and velocity: the exponential map of SE(3).

    Args:
        vectors: (N, 6) turns (rad) and ways (m).
    """
    turns, ways = vectors[:, :3], vectors[:, 3:]
    angle = np.linalg.norm(turns, axis=1)[:, None]
    quaternions = np.hstack([np.cos(angle / 2), np.sinc(angle / (2 * np.pi)) / 2 * turns])
    small = angle < SMALL_RAD
    safe = np.where(small, 1.0, angle)
    second = np.where(small, 0.5, (1 - np.cos(safe)) / safe**2)
    third = np.where(small, 1 / 6, (safe - np.sin(safe)) / safe**3)
    across = _cross(turns, ways)
    return SE3Batch.from_quaternions_wxyz(quaternions, ways + second * across + third * _cross(turns, across))


def screws_of(motions: SE3Batch) -> F64:
    """(N, 6) turns (rad) and ways (m) of motions: the inverse of `screws`, for turns below half a circle."""
    quaternions = motions.quaternions_wxyz
    sine = np.linalg.norm(quaternions[:, 1:], axis=1)[:, None]
    angle = 2 * np.arctan2(sine, quaternions[:, :1])
    small = angle < SMALL_RAD
    turns = quaternions[:, 1:] * np.where(sine > 0, angle / np.where(sine > 0, sine, 1.0), 2.0)
    safe = np.where(small, 1.0, angle)
    third = np.where(small, 1 / 12, (1 - safe * np.sin(safe) / (2 * (1 - np.cos(safe)))) / safe**2)
    across = _cross(turns, motions.translations)
    return np.hstack([turns, motions.translations - across / 2 + third * _cross(turns, across)])


def screw(vector: F64) -> SE3:
    """One motion from six numbers."""
    return screws(vector[None])[0]


def screw_of(motion: SE3) -> F64:
    """(6,) turn and way of one motion."""
    return np.asarray(screws_of(SE3Batch.stack([motion]))[0])


def _cross(some: F64, others: F64) -> F64:
    """(N, 3) products of rows: numpy's own takes ten times as long for few rows."""
    a, b, c = some.T
    x, y, z = others.T
    return np.stack([b * z - c * y, c * x - a * z, a * y - b * x], axis=1)
