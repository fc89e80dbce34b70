"""Where objects should be next: a Kalman filter over many objects at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autolabel.points.config import SurfaceConfig
from calib.types import F64, I64

TIGHTEST_M, EASY_MPS, SLOWEST_RAD = 3.0, 3.0, 0.01
STRAIGHTENS_S = 1.0


@dataclass(eq=False, slots=True)
class States:
    """x, y, yaw, their rates, and how sure these are, of K objects.

    Attributes:
        means: (K, 6) metres, radians and a second.
        covariances: (K, 6, 6).
        acceleration: (K,) white noise, m/s^2 in a root second.
        turning: (K,) of the heading, rad/s^2 in a root second.
        slips_mps: (K,) how fast each moves across its heading; 0 where it moves in any direction.
    """

    means: F64
    covariances: F64
    acceleration: F64
    turning: F64
    slips_mps: F64

    @classmethod
    def of(cls, surfaces: list[SurfaceConfig]) -> States:
        """Unknown states."""
        count = len(surfaces)
        return cls(
            np.zeros((count, 6)),
            np.tile(np.eye(6), (count, 1, 1)),
            np.array([s.acceleration for s in surfaces]),
            np.array([s.turning for s in surfaces]),
            np.array([s.slip_mps for s in surfaces]),
        )

    def start(self, which: I64, poses: F64, velocities: F64, sigmas_mps: F64) -> None:
        """Sets some at (N, 3) sure poses with (N, 2) less sure velocities."""
        self.means[which] = np.hstack([poses, velocities, np.zeros((len(which), 1))])
        self.covariances[which] = np.diag([1e-4, 1e-4, 1e-4, 0, 0, 0.04])
        self.covariances[which, 3, 3] = self.covariances[which, 4, 4] = sigmas_mps**2

    def predict(self, which: I64, spans_s: F64) -> None:
        """Moves some on, back where the span is negative; the velocity of what rolls turns with it."""
        states, rolls = self.means[which], self.slips_mps[which] > 0
        tightest = np.hypot(states[:, 3], states[:, 4]) / TIGHTEST_M + SLOWEST_RAD
        states[:, 5] = np.where(rolls, np.clip(states[:, 5], -tightest, tightest), states[:, 5])
        states[:, 5] *= np.exp(-np.abs(spans_s) / STRAIGHTENS_S)
        turns = states[:, 5] * spans_s
        half = 0.5 * turns * rolls
        middle = _turned(states[:, 3:5], half)
        moves = np.tile(np.eye(6), (len(which), 1, 1))
        moves[:, 0, 3] = moves[:, 1, 4] = moves[:, 2, 5] = spans_s
        across = np.column_stack([-middle[:, 1], middle[:, 0]]) * (spans_s * rolls)[:, None]
        moves[:, :2, 5], moves[:, 3:5, 5] = 0.5 * spans_s[:, None] * across, across
        states[:, :2] += spans_s[:, None] * middle
        states[:, 2] += turns
        states[:, 3:5] = _turned(middle, half)
        covariances = moves @ self.covariances[which] @ moves.transpose(0, 2, 1)
        # What rolls cannot turn where it stands.
        speeds = np.hypot(states[:, 3], states[:, 4])
        freedom = np.where(rolls, np.clip(speeds / EASY_MPS, 0.05, 1.0), 1.0)
        noises = (self.acceleration[which], self.acceleration[which], self.turning[which] * freedom)
        for axis, noise in enumerate(noises):
            weight = noise**2 * np.abs(spans_s)
            covariances[:, axis, axis] += weight * spans_s**2 / 3
            covariances[:, axis, axis + 3] += weight * spans_s / 2
            covariances[:, axis + 3, axis] += weight * spans_s / 2
            covariances[:, axis + 3, axis + 3] += weight
        self.means[which], self.covariances[which] = states, covariances

    def off(self, which: I64, seen: F64, noise: F64) -> F64:
        """(N,) squared deviation of (N, 3) poses with (N, 3, 3) covariances from where some should be."""
        away = wrapped(seen - self.means[which, :3])
        total = self.covariances[which][:, :3, :3] + noise
        return np.asarray(np.einsum("ki,ki->k", away, np.linalg.solve(total, away[:, :, None])[:, :, 0]))

    def update(self, which: I64, seen: F64, noise: F64) -> None:
        """Corrects some by (N, 3) poses with (N, 3, 3) covariances, and by how little they slip."""
        covariances = self.covariances[which]
        total = covariances[:, :3, :3] + noise
        gains = np.linalg.solve(total, covariances[:, :3, :]).transpose(0, 2, 1)
        away = wrapped(seen - self.means[which, :3])
        states = self.means[which] + np.einsum("kij,kj->ki", gains, away)
        covariances = covariances - gains @ covariances[:, :3, :]
        self.means[which], self.covariances[which] = _rolled(states, covariances, self.slips_mps[which])

    def spreads(self, which: I64) -> F64:
        """(N, 2) deviations of the place along and across the heading."""
        c, s = np.cos(self.means[which, 2]), np.sin(self.means[which, 2])
        xx, xy, yy = (self.covariances[which, i, j] for i, j in ((0, 0), (0, 1), (1, 1)))
        along, across = c * c * xx + 2 * c * s * xy + s * s * yy, s * s * xx - 2 * c * s * xy + c * c * yy
        return np.asarray(np.sqrt(np.maximum(np.column_stack([along, across]), 0.0)))


def wrapped(poses: F64) -> F64:
    """(N, 3) differences of x, y, yaw, the last less than half a turn."""
    poses = poses.copy()
    poses[:, 2] = (poses[:, 2] + np.pi) % (2 * np.pi) - np.pi
    return poses


def _turned(vectors: F64, angles_rad: F64) -> F64:
    c, s = np.cos(angles_rad), np.sin(angles_rad)
    return np.column_stack([c * vectors[:, 0] - s * vectors[:, 1], s * vectors[:, 0] + c * vectors[:, 1]])


def _rolled(states: F64, covariances: F64, slips_mps: F64) -> tuple[F64, F64]:
    """What rolls moves along its heading."""
    c, s = np.cos(states[:, 2]), np.sin(states[:, 2])
    slopes = np.zeros_like(states)
    slopes[:, 2], slopes[:, 3], slopes[:, 4] = -(c * states[:, 3] + s * states[:, 4]), -s, c
    slips = -s * states[:, 3] + c * states[:, 4]
    columns = np.einsum("kij,kj->ki", covariances, slopes)
    gains = columns / (np.einsum("ki,ki->k", slopes, columns) + slips_mps**2 + 1e-12)[:, None]
    gains *= (slips_mps > 0)[:, None]
    covariances = covariances - gains[:, :, None] * columns[:, None, :]
    covariances = 0.5 * (covariances + covariances.transpose(0, 2, 1))
    return states - gains * slips[:, None], covariances
