"""Putting a refinement to the test: disturb a mount that is known, and see whether it is found again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calib.refine.estimate import refine
from calib.refine.options import RefineOptions
from calib.refine.view import View
from calib.se3 import SE3
from calib.types import F64


@dataclass(frozen=True, eq=False, slots=True)
class Trial:
    """One disturbance, and what became of it.

    Attributes:
        accepted: whether the answer was believed.
        reason: why, or why not.
        start: (6,) the disturbance: turns in rad and shifts in m, in camera axes.
        error: (6,) the same of the answer against the known mount, believed or not.
        sigma: (6,) what the answer says of its own error; NaN where it says nothing.
    """

    accepted: bool
    reason: str
    start: F64
    error: F64
    sigma: F64

    @property
    def error_rad(self) -> float:
        """Angle between the answer and the known mount."""
        return float(np.linalg.norm(self.error[:3]))

    @property
    def error_m(self) -> float:
        """Distance between the answer and the known place."""
        return float(np.linalg.norm(self.error[3:]))


def trial(
    views: Sequence[View], ego_from_known_cam: SE3, options: RefineOptions | None = None, seed: int = 0
) -> Trial:
    """Starts a refinement from a random disturbance, even within what the options say on each axis."""
    options = options or RefineOptions()
    reach = np.array([options.turn_rad] * 3 + [0.0 if options.rotation_only else options.shift_m] * 3)
    start = np.random.default_rng((seed, 1)).uniform(-reach, reach)
    known_cam_from_cam = SE3.from_vector(start)
    found = refine(views, ego_from_known_cam @ known_cam_from_cam, options, seed)
    known_cam_from_found_cam = ego_from_known_cam.inverse() @ found.ego_from_found_cam
    return Trial(found.accepted, found.reason, start, known_cam_from_found_cam.vector, found.sigma)


def coverage(trials: Sequence[Trial], level: float, known_sigma: F64 | float = 0.0) -> float:
    """Share of all numbers of accepted trials that lie within their own interval at this level; NaN if none.

    Args:
        trials: of any number.
        level: such as 0.95.
        known_sigma: (6,) how well the known mount itself is known.
    """
    from scipy.stats import norm

    told = [trial for trial in trials if trial.accepted]
    if not told:
        return float("nan")
    wide = norm.ppf(0.5 + level / 2)
    within = [np.abs(t.error) <= wide * np.hypot(t.sigma, known_sigma) for t in told]
    return float(np.mean(within))
