"""What a refinement says, how sure it is, and why it says no."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.cameras import CameraModel
from calib.se3 import SE3
from calib.types import F64, frozen

# How far away things are for which a turn and a shift of the camera matter alike.
MIDDLE_M = 20.0
NAMES = ("pitch", "yaw", "roll", "sideways place", "height", "place along the view")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a correction and against it.

    Attributes:
        views: how many were used.
        edges: how many edges of scans fall into their images.
        score_given: mean nearness of edges under the given mount, 0 to 1.
        score_found: the same under the corrected one.
        held_out: by how much each half of the views agrees better under what the other half says.
        split_rad: angle between what the two halves say.
        split_m: distance between the places that they say.
        share: of perturbations of the corrected mount, how many agree worse.
        margin: over the best of these, in standard errors of the mean over views.
    """

    views: int
    edges: int
    score_given: float
    score_found: float
    held_out: tuple[float, float]
    split_rad: float
    split_m: float
    share: float
    margin: float


@dataclass(frozen=True, eq=False, slots=True)
class Refinement:
    """The answer of a refinement; without acceptance the mount is the given one.

    Attributes:
        accepted: whether the correction is believed.
        reason: why, or why not, in words.
        ego_from_cam: the mount to use.
        ego_from_given_cam: the mount that was given.
        ego_from_found_cam: what the search found, believed or not.
        correction: (6,) rotation vector in rad and translation in m of `found_cam_from_given_cam`.
        covariance: (6, 6) of the correction, in camera axes.
        evidence: what speaks for it and against it; None where there was nothing to search in.
    """

    accepted: bool
    reason: str
    ego_from_cam: SE3
    ego_from_given_cam: SE3
    ego_from_found_cam: SE3
    correction: F64
    covariance: F64
    evidence: Evidence | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "correction", frozen(self.correction, np.float64))
        object.__setattr__(self, "covariance", frozen(self.covariance, np.float64))

    @property
    def sigma(self) -> F64:
        """(6,) standard deviations: pitch, yaw, roll in rad, then right, down, forward in m."""
        return np.asarray(np.sqrt(np.diag(self.covariance)), dtype=np.float64)

    def half_width(self, level: float = 0.95) -> F64:
        """(6,) half widths of the intervals that hold each number at this level."""
        return half_width(self.covariance, level)

    @property
    def weakest(self) -> str:
        """The direction that is known least, in words."""
        scale = np.array([MIDDLE_M] * 3 + [1.0] * 3)
        values, axes = np.linalg.eigh(self.covariance * np.outer(scale, scale))
        if values[-1] <= 0:
            return "nothing is uncertain"
        shares = axes[:, -1] ** 2
        main, second = np.argsort(shares)[::-1][:2]
        if shares[second] < 0.1:
            return NAMES[main]
        return f"{NAMES[main]} traded with {NAMES[second]}"

    def pixels(self, model: CameraModel, distance_m: float) -> float:
        """Standard deviation in pixels of where things at a distance fall, over the whole image."""
        return pixel_spread(self.covariance, model, distance_m)


def half_width(covariance: F64, level: float) -> F64:
    """(6,) half widths of normal intervals."""
    from scipy.stats import norm

    return np.asarray(norm.ppf(0.5 + level / 2) * np.sqrt(np.diag(covariance)), dtype=np.float64)


def pixel_spread(covariance: F64, model: CameraModel, distance_m: float) -> float:
    """Root mean square over a grid of pixels of how far things at a distance move, in pixels."""
    across = np.linspace(0.1, 0.9, 5) * (model.width_px - 1)
    down = np.linspace(0.1, 0.9, 5) * (model.height_px - 1)
    rays = model.ray(np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2))
    points_cam = rays[np.isfinite(rays).all(axis=1)] * distance_m
    base, turn_rad, shift_m = model.project(points_cam).uv_px, 1e-4, 1e-3
    turned = [SE3.from_rotation_vector(turn_rad * axis) @ points_cam for axis in np.eye(3)]
    shifted = [points_cam + shift_m * axis for axis in np.eye(3)]
    moved = np.stack([model.project(points).uv_px - base for points in (*turned, *shifted)], axis=-1)
    jacobians = moved / ([turn_rad] * 3 + [shift_m] * 3)
    squares = np.einsum("nij,jk,nik->n", jacobians, covariance, jacobians)
    return float(np.sqrt(np.nanmean(squares)))
