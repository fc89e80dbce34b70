"""What may be chosen about a refinement, and what it can be helped with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.errors import CalibrationError
from calib.types import F64, Floats, frozen


@dataclass(frozen=True, slots=True)
class RefineOptions:
    """How far a mount may be off, and what is asked of the answer.

    Attributes:
        turn_rad: how far the given mount may be turned about each axis.
        shift_m: how far it may be shifted along each axis; also the standard deviation of the prior.
        rotation_only: whether the given place is kept.
        fewest_views: what fewer views say is not believed.
        sure_rad: an answer is accepted if, at 95 %, its rotation is known to this.
        sure_m: the same for its place.
        least_share: least share of perturbations that must agree worse than the answer.
    """

    turn_rad: float = float(np.radians(1.0))
    shift_m: float = 0.10
    rotation_only: bool = False
    fewest_views: int = 6
    sure_rad: float = float(np.radians(0.25))
    sure_m: float = 0.05
    least_share: float = 0.95

    def __post_init__(self) -> None:
        numbers = (self.turn_rad, self.shift_m, self.sure_rad, self.sure_m)
        if not np.isfinite(numbers).all() or min(numbers) <= 0 or self.fewest_views < 2:
            raise CalibrationError(f"a mount cannot be refined with these options: {self}")


@dataclass(frozen=True, eq=False, slots=True)
class Clicks:
    """Places that a person found both in images and in scans.

    Attributes:
        uv_px: (N, 2) where in the image.
        points_ego: (N, 3) the same places in the ego frame of that image's instant.
        sigma_px: how exact a pixel is, standard deviation each way.
        sigma_m: how exact a point is, standard deviation each way.
    """

    uv_px: F64
    points_ego: F64
    sigma_px: float = 2.0
    sigma_m: float = 0.03

    def __post_init__(self) -> None:
        object.__setattr__(self, "uv_px", _checked(self.uv_px, (2,), "clicks"))
        object.__setattr__(self, "points_ego", _checked(self.points_ego, (3,), "clicks"))
        if len(self.uv_px) != len(self.points_ego):
            raise CalibrationError("clicks need as many pixels as points")


@dataclass(frozen=True, eq=False, slots=True)
class BoxPairs:
    """Labelled boxes with the boxes drawn around the same things in images.

    Attributes:
        corners_ego: (N, 8, 3) in the ego frame of that image's instant.
        bounds_px: (N, 4) left, top, right, bottom.
        sigma_px: how well the image boxes fit.
    """

    corners_ego: F64
    bounds_px: F64
    sigma_px: float = 3.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "corners_ego", _checked(self.corners_ego, (8, 3), "boxes"))
        object.__setattr__(self, "bounds_px", _checked(self.bounds_px, (4,), "boxes"))
        if len(self.corners_ego) != len(self.bounds_px):
            raise CalibrationError("boxes need as many image boxes as corners")


def _checked(values: Floats, tail: tuple[int, ...], what: str) -> F64:
    checked = frozen(values, np.float64)
    if checked.shape != (len(checked), *tail):
        raise CalibrationError(f"{what} need shape (N, {', '.join(map(str, tail))}), not {checked.shape}")
    if not np.isfinite(checked).all():
        raise CalibrationError(f"{what} hold a number that is not finite")
    return checked
