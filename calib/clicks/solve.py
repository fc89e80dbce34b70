"""A camera's pose from pairs of a pixel and a point that a person has clicked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calib.cameras import CameraModel
from calib.clicks.bearings import Bearings
from calib.clicks.resection import Fit, Prior, Sighting, best_fits
from calib.errors import CalibrationError
from calib.estimate import PoseEstimate, Uncertainty
from calib.se3 import SE3
from calib.types import F64, Bools, Floats

FEWEST = 4
LEAST_SHARE = 0.5  # of the pairs that must agree
RIVAL_COST = 12.0  # a second pose explains the pairs as well if its cost is less than this above the best
TRUST = 8.0  # the given noise counts as much as this many degrees of freedom of the residuals
LIMIT_RAD, LIMIT_M = np.radians(1.5), 0.75


@dataclass(frozen=True, slots=True)
class Click:
    """One thing seen twice: a pixel and the point of the cloud that belongs to it.

    Attributes:
        uv_px: where it is in the image.
        point_ego: where it is in the ego frame, metres, at the instant of the image.
        label: what a person calls it.
    """

    uv_px: tuple[float, float]
    point_ego: tuple[float, float, float]
    label: str = ""


def stacked(clicks: Sequence[Click]) -> tuple[F64, F64]:
    """(N, 3) points of the ego frame and (N, 2) pixels of some clicks."""
    points = np.array([click.point_ego for click in clicks], dtype=np.float64).reshape(-1, 3)
    return points, np.array([click.uv_px for click in clicks], dtype=np.float64).reshape(-1, 2)


def solve_clicks(
    points_ego: Floats,
    uv_px: Floats,
    model: CameraModel,
    ego_from_given_cam: SE3 | None = None,
    *,
    sigma_px: float = 2.0,
    sigma_m: float = 0.03,
    prior_sigma: ArrayLike | None = None,
) -> PoseEstimate:
    """Finds where a camera sits from things that were clicked in its image and in the cloud.

    Poses of three pairs each are ranked by how many pairs they explain, the best are refined on the pairs
    that agree (LO-RANSAC), each pair weighted by its own noise: what is near suffers from the point, what
    is far from the pixel. The covariance is that of the noise given, scaled by how large the residuals are.

    Args:
        points_ego: (N, 3) metres, at the instant of the image.
        uv_px: (N, 2) their pixels.
        model: how the camera sees.
        ego_from_given_cam: a pose to start from; it does not bind the result.
        sigma_px: how exact a click in the image is, standard deviation each way.
        sigma_m: how exact a point is, standard deviation each way.
        prior_sigma: (6,) makes the given pose bind: how far it may be off, as standard deviations of its
            correction in camera axes: pitch, yaw, roll (rad), x, y, z (m). Then fewer than four pairs do.

    Returns:
        The pose and its uncertainty, or why there is none.

    Raises:
        CalibrationError: shapes that do not fit, noise that is not positive, a prior without a given pose.
    """
    points, pixels = np.asarray(points_ego, dtype=np.float64), np.asarray(uv_px, dtype=np.float64)
    _require_shapes(points, pixels, sigma_px, sigma_m)
    prior = _prior(ego_from_given_cam, prior_sigma)
    bearings = Bearings.of(model, pixels)
    usable = bearings.usable & np.isfinite(points).all(axis=1)
    sighting = Sighting(points[usable], bearings.take(usable), sigma_px, sigma_m, prior)
    refusal = _too_little(sighting)
    if refusal:
        return _nothing(len(points), refusal)
    starts = [] if ego_from_given_cam is None else [ego_from_given_cam.inverse()]
    fits = best_fits(sighting, starts)
    if not fits:
        return _nothing(len(points), "no pose explains the pairs: the points may all lie in one place")
    return _judged(fits, sighting, points, pixels, model, usable)


def _require_shapes(points: F64, pixels: F64, sigma_px: float, sigma_m: float) -> None:
    if points.ndim != 2 or points.shape[1:] != (3,) or pixels.shape != (len(points), 2):
        raise CalibrationError(f"pairs need shapes (N, 3) and (N, 2), not {points.shape} and {pixels.shape}")
    if not (np.isfinite([sigma_px, sigma_m]).all() and sigma_px > 0 and sigma_m >= 0):
        raise CalibrationError(f"noise must be positive, not {sigma_px} px and {sigma_m} m")


def _prior(ego_from_given_cam: SE3 | None, prior_sigma: ArrayLike | None) -> Prior | None:
    if prior_sigma is None:
        return None
    sigma = np.asarray(prior_sigma, dtype=np.float64)
    if ego_from_given_cam is None or sigma.shape != (6,) or not (sigma > 0).all():
        raise CalibrationError("a prior needs a given pose and six positive standard deviations")
    return Prior(ego_from_given_cam, sigma)


def _too_little(sighting: Sighting) -> str:
    """Why pairs cannot tell a pose, whatever their numbers; empty if they may."""
    count = len(sighting.points)
    if sighting.prior is not None:
        return "" if count else "no pair can be used"
    if count < FEWEST:
        return f"{count} usable pairs; a pose needs at least {FEWEST}"
    spread = np.linalg.svd(sighting.points - sighting.points.mean(axis=0), compute_uv=False) / np.sqrt(count)
    if spread[0] < max(3 * sighting.sigma_m, 1e-6):
        return "the points all lie in one place"
    if spread[1] < max(2 * sighting.sigma_m, 1e-3 * spread[0]):
        return "the points lie on one line; add some beside it"
    return ""


def _judged(
    fits: list[Fit], sighting: Sighting, points: F64, pixels: F64, model: CameraModel, usable: Bools
) -> PoseEstimate:
    best = fits[0]
    ego_from_cam, uncertainty = best.cam_from_ego.inverse(), Uncertainty(_covariance(best, sighting))
    inliers = np.zeros(len(points), dtype=np.bool_)
    inliers[usable] = best.inliers
    residuals = np.full((len(points), 2), np.nan)
    residuals[usable] = pixels[usable] - model.project(best.cam_from_ego @ points[usable]).uv_px
    refusal = _refusal(fits, sighting, uncertainty, len(points))
    return PoseEstimate(
        ego_from_cam,
        uncertainty,
        residuals,
        inliers,
        "refused" if refusal else "accepted",
        refusal or f"{inliers.sum()} of {len(points)} pairs agree",
    )


def _covariance(fit: Fit, sighting: Sighting) -> F64:
    """The inverse information, scaled by the residuals where they outweigh the trust in the noise given."""
    known = 0 if sighting.prior is None else 6
    freedom = max(2 * int(fit.inliers.sum()) + known - 6, 0)
    scale = (TRUST + float(fit.squared[fit.inliers].sum())) / (TRUST + freedom)
    return np.asarray(np.linalg.inv(fit.information) * scale)


def _refusal(fits: list[Fit], sighting: Sighting, uncertainty: Uncertainty, given: int) -> str:
    agreeing = int(fits[0].inliers.sum())
    fewest = 1 if sighting.prior is not None else FEWEST
    if agreeing < max(fewest, LEAST_SHARE * given):
        return f"only {agreeing} of {given} pairs agree: wrong pairs, or clicks less exact than said"
    if len(fits) > 1 and fits[1].cost < fits[0].cost + RIVAL_COST:
        return (
            "two different poses explain the pairs about equally well; add points that are not on one plane"
        )
    weak = uncertainty.weak_directions(LIMIT_RAD, LIMIT_M)
    if weak:
        return f"the points see too little: {weak[0]}; spread them over the image and in depth"
    return ""


def _nothing(count: int, reason: str) -> PoseEstimate:
    return PoseEstimate(
        None, None, np.full((count, 2), np.nan), np.zeros(count, dtype=np.bool_), "refused", reason
    )
