"""What a calibration found: a camera's place, how sure it is, and whether to believe it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from calib.se3 import SE3
from calib.types import F64

ANGLES = (
    "pitch (turn about the camera's x axis)",
    "yaw (turn about the camera's y axis)",
    "roll (turn about the camera's z axis)",
)
PLACES = ("sideways (camera x)", "up and down (camera y)", "along the view (camera z)")

Verdict = Literal["accepted", "refused"]


@dataclass(frozen=True, eq=False, slots=True)
class Uncertainty:
    """How well a camera's place is known.

    Attributes:
        covariance: (6, 6) of a small correction after the result, in camera axes: rotation vector (rad),
            then translation (m).
    """

    covariance: F64

    @property
    def sigma(self) -> F64:
        """(6,) standard deviations: pitch, yaw, roll (rad), then along the camera's x, y and z (m)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def sigma_rad(self) -> F64:
        """(3,) standard deviations of pitch, yaw and roll."""
        return self.sigma[:3]

    @property
    def sigma_m(self) -> F64:
        """(3,) standard deviations of the camera's place along its own x, y and z."""
        return self.sigma[3:]

    @property
    def rotation_rad(self) -> float:
        """Root mean square of the angle by which the result may be off."""
        return float(np.sqrt(np.trace(self.covariance[:3, :3])))

    @property
    def place_m(self) -> float:
        """Root mean square of the distance by which the camera's place may be off."""
        return float(np.sqrt(np.trace(self.covariance[3:, 3:])))

    def weak_directions(self, limit_rad: float, limit_m: float) -> tuple[str, ...]:
        """What is known worse than these limits, worst first, in words; empty if nothing is."""
        angles = zip(
            self.sigma_rad / limit_rad, ANGLES, np.degrees(self.sigma_rad), ("deg",) * 3, strict=True
        )
        places = zip(self.sigma_m / limit_m, PLACES, self.sigma_m * 100, ("cm",) * 3, strict=True)
        worst_first = sorted([*angles, *places], key=lambda entry: -entry[0])
        return tuple(
            f"{name} is known to {sigma:.2g} {unit} only"
            for excess, name, sigma, unit in worst_first
            if excess > 1
        )


@dataclass(frozen=True, eq=False, slots=True)
class PoseEstimate:
    """A camera's pose from points that were clicked in the image and in the cloud.

    Attributes:
        ego_from_cam: the pose; None where the input allows none.
        uncertainty: of the pose; None where there is none.
        residuals_px: (N, 2) pixel minus projected point; NaN where a point has no pixel.
        inliers: (N,) which pairs agree with the pose.
        verdict: whether the pose may be used.
        reason: why, in a sentence.
    """

    ego_from_cam: SE3 | None
    uncertainty: Uncertainty | None
    residuals_px: F64
    inliers: np.ndarray
    verdict: Verdict
    reason: str

    @property
    def accepted(self) -> bool:
        """Whether the pose may be used."""
        return self.verdict == "accepted"
