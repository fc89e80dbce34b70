"""A camera's pose from points it sees, some of them wrong (resection; LO-RANSAC, Chum et al. 2003)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from calib.clicks.bearings import Bearings, axes_across, left_jacobian
from calib.se3 import SE3, SE3Batch
from calib.types import F64, Bools

GATE = 13.8  # squared error in sigmas beyond which a point is an outlier: 99.9 % of a 2D Gaussian lie within
WIDENINGS = (10.0, 5.0, 2.5, 1.5)
COARSE = 100.0  # squared error in sigmas at which a first guess, made of three noisy points, counts half
TRIPLES, REFINED, ROUNDS = 120, 6, 20


@dataclass(frozen=True, eq=False, slots=True)
class Prior:
    """What is known of the pose beforehand.

    Attributes:
        ego_from_given_cam: the expected pose.
        sigma: (6,) standard deviations of the correction: three angles (rad), three lengths (m).
    """

    ego_from_given_cam: SE3
    sigma: F64


@dataclass(frozen=True, eq=False, slots=True)
class Sighting:
    """Points and the directions in which a camera sees them.

    Attributes:
        points: (N, 3) in the frame that the camera's pose is asked for in.
        bearings: N directions.
        sigma_px: standard deviation of a pixel, each way.
        sigma_m: standard deviation of a point, each way.
        prior: what is known of the pose beforehand.
    """

    points: F64
    bearings: Bearings
    sigma_px: float
    sigma_m: float
    prior: Prior | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Fit:
    """A pose at which the cost is least nearby.

    Attributes:
        cam_from_ego: the pose.
        squared: (N,) squared error of each point in sigmas; two degrees of freedom each.
        information: (6, 6) inverse covariance of a correction after the pose.
        cost: sum of squared errors, none counted above the gate, and of the prior.
    """

    cam_from_ego: SE3
    squared: F64
    information: F64
    cost: float

    @property
    def inliers(self) -> Bools:
        """(N,) which points agree."""
        return np.asarray(self.squared <= GATE)


def best_fits(sighting: Sighting, starts: Iterable[SE3] = ()) -> list[Fit]:
    """The poses that explain most points best, best first; several where the geometry is ambiguous.

    Args:
        sighting: what is seen.
        starts: poses `cam_from_ego` to try beside those made of three points each.
    """
    guesses = [*starts, *_promising(sighting, _guesses(sighting))]
    fits = (refine(sighting, guess) for guess in guesses)
    return _distinct(sorted((fit for fit in fits if fit is not None), key=lambda fit: fit.cost))


def refine(sighting: Sighting, cam_from_ego: SE3) -> Fit | None:
    """Gauss-Newton on the points within a gate that closes step by step; None where they leave it open."""
    for number in range(ROUNDS):
        wide = WIDENINGS[number] if number < len(WIDENINGS) else 1.0
        information, gradient, _ = _normal_equations(sighting, cam_from_ego, GATE * wide**2)
        if not np.isfinite(information).all() or np.linalg.cond(information) > 1e14:
            return None
        step = -np.linalg.solve(information, gradient)
        cam_from_ego = SE3.from_vector(step) @ cam_from_ego
        if number >= len(WIDENINGS) and float(step @ information @ step) < 1e-7:
            break
    information, _, squared = _normal_equations(sighting, cam_from_ego, GATE)
    cost = float(np.minimum(squared, GATE).sum()) + _prior_cost(sighting.prior, cam_from_ego)
    return Fit(cam_from_ego, squared, information, cost)


def _normal_equations(sighting: Sighting, cam_from_ego: SE3, gate: float) -> tuple[F64, F64, F64]:
    points_cam = cam_from_ego @ sighting.points
    errors, by_point = sighting.bearings.errors(points_cam, sighting.sigma_px, sighting.sigma_m)
    squared = np.sum(errors**2, axis=1)
    kept = squared <= gate
    jacobian = (by_point[kept] @ left_jacobian(points_cam[kept])).reshape(-1, 6)
    information, gradient = jacobian.T @ jacobian, jacobian.T @ errors[kept].reshape(-1)
    if sighting.prior is not None:
        off, by_step = _prior_error(sighting.prior, cam_from_ego)
        information, gradient = information + by_step.T @ by_step, gradient + by_step.T @ off
    return information, gradient, squared


def _prior_error(prior: Prior, cam_from_ego: SE3) -> tuple[F64, F64]:
    """(6,) how far a pose is from the expected one, in sigmas, and (6, 6) how that changes with a step."""
    cam_from_given_cam = cam_from_ego @ prior.ego_from_given_cam
    moved = left_jacobian(cam_from_given_cam.translation)
    by_step = np.vstack([np.eye(3, 6), moved]) / prior.sigma[:, None]
    off = cam_from_given_cam.vector
    return off / prior.sigma, by_step


def _prior_cost(prior: Prior | None, cam_from_ego: SE3) -> float:
    return 0.0 if prior is None else float(np.sum(_prior_error(prior, cam_from_ego)[0] ** 2))


def _guesses(sighting: Sighting) -> SE3Batch:
    """Poses of three points each (P3P), up to four a triple."""
    triples = _triples(len(sighting.points))
    rays = sighting.bearings.rays[triples]
    virtual_from_cam = _facing(rays)
    seen = rays @ virtual_from_cam.transpose(0, 2, 1)
    owners, turns, places = [], [], []
    for number in np.flatnonzero(seen[:, :, 2].min(axis=1) > 1e-3).tolist():
        plane = seen[number, :, :2] / seen[number, :, 2:]
        for turn, place in _three_point_poses(sighting.points[triples[number]], plane):
            owners.append(number)
            turns.append(turn)
            places.append(place)
    virtual_from_ego = _from_rotation_vectors(np.array(turns).reshape(-1, 3), np.array(places).reshape(-1, 3))
    cam_from_virtual = SE3Batch(virtual_from_cam[owners].transpose(0, 2, 1), np.zeros((len(owners), 3)))
    return cam_from_virtual @ virtual_from_ego


def _triples(count: int) -> np.ndarray:
    """(T, 3) all triples of a few points; of many, some at random, always the same."""
    if count <= 10:
        return np.array(list(combinations(range(count), 3)), dtype=np.intp).reshape(-1, 3)
    random = np.random.default_rng(0)
    return random.permuted(np.tile(np.arange(count), (TRIPLES, 1)), axis=1)[:, :3]


def _facing(rays: F64) -> F64:
    """(T, 3, 3) axes of pinhole cameras that see (T, 3, 3) three directions each, wherever these point.

    The third axis is the one that has the same angle to all three.
    """
    axes = np.cross(rays[:, 1] - rays[:, 0], rays[:, 2] - rays[:, 0])
    axes *= np.sign(np.sum(axes * rays[:, 0], axis=1, keepdims=True))
    lengths = np.linalg.norm(axes, axis=1, keepdims=True)
    axes = np.where(lengths > 1e-9, axes / np.maximum(lengths, 1e-9), rays[:, 0])
    return np.concatenate([axes_across(axes), axes[:, None]], axis=1)


def _three_point_poses(points: F64, plane: F64) -> Iterator[tuple[F64, F64]]:
    import cv2

    _, turns, places = cv2.solveP3P(points, plane, np.eye(3), np.empty(0), flags=cv2.SOLVEPNP_AP3P)
    for turn, place in zip(turns, places, strict=True):
        if np.isfinite(turn).all() and np.isfinite(place).all():
            yield np.asarray(turn[:, 0], dtype=np.float64), np.asarray(place[:, 0], dtype=np.float64)


def _from_rotation_vectors(vectors_rad: F64, translations: F64) -> SE3Batch:
    halves = np.linalg.norm(vectors_rad, axis=1, keepdims=True) / 2
    quaternions = np.hstack([np.cos(halves), np.sinc(halves / np.pi) / 2 * vectors_rad])
    return SE3Batch.from_quaternions_wxyz(quaternions, translations)


def _promising(sighting: Sighting, guesses: SE3Batch) -> list[SE3]:
    """The few first guesses that most points are near to, by a cost that forgives noise."""
    points_cams = sighting.points @ guesses.rotations.transpose(0, 2, 1) + guesses.translations[:, None]
    errors, _ = sighting.bearings.errors(points_cams, sighting.sigma_px, sighting.sigma_m)
    squared = np.minimum(np.sum(errors**2, axis=2), 1e12)
    order = np.argsort((squared / (squared + COARSE)).sum(axis=1), kind="stable")
    return [guesses[index] for index in order[:REFINED]]


def _distinct(fits: list[Fit]) -> list[Fit]:
    """Fits, best first, without those that are another one's pose within its noise."""
    kept: list[Fit] = []
    for fit in fits:
        steps = (_step_between(fit, other) for other in kept)
        if all(step @ other.information @ step > 36 for step, other in zip(steps, kept, strict=True)):
            kept.append(fit)
    return kept


def _step_between(fit: Fit, other: Fit) -> F64:
    return (fit.cam_from_ego @ other.cam_from_ego.inverse()).vector
