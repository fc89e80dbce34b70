"""The landscape that a refinement climbs: views, prior, clicks and boxes in one currency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calib.cameras import CameraModel
from calib.clicks.bearings import Bearings
from calib.refine.options import BoxPairs, Clicks, RefineOptions
from calib.refine.view import View, alignments, cams_from_ego
from calib.se3 import SE3
from calib.types import F64

# By how much the log likelihood rises when one view agrees by 1 better; from simulated drives.
EVIDENCE = 75.0
HUBER_SIGMAS = 2.0


@dataclass(frozen=True, eq=False, slots=True)
class Cost:
    """Log likelihood, up to a constant, of corrections of one mount.

    Attributes:
        views: of one camera.
        ego_from_given_cam: the mount that is corrected.
        options: for the prior.
        model: of the camera, for clicks and boxes.
        clicks: places known in images and scans.
        boxes: labels with image boxes.
    """

    views: Sequence[View]
    ego_from_given_cam: SE3
    options: RefineOptions
    model: CameraModel | None = None
    clicks: Clicks | None = None
    boxes: BoxPairs | None = None

    def of(self, views: Sequence[View]) -> Cost:
        """The same with other views."""
        return Cost(views, self.ego_from_given_cam, self.options, self.model, self.clicks, self.boxes)

    def __call__(self, corrections: F64) -> F64:
        """(C,) of (C, 6) corrections."""
        total = EVIDENCE * alignments(self.views, self.ego_from_given_cam, corrections).sum(axis=1)
        return np.asarray(total + self.beside(corrections), dtype=np.float64)

    def beside(self, corrections: F64) -> F64:
        """(C,) what prior, clicks and boxes say."""
        sigmas = np.array([self.options.turn_rad] * 3 + [self.options.shift_m] * 3)
        total = -0.5 * ((corrections / sigmas) ** 2).sum(axis=1)
        if self.model is not None and self.clicks is not None:
            total -= self._click_cost(corrections, self.model, self.clicks)
        if self.model is not None and self.boxes is not None:
            total -= self._box_cost(corrections, self.model, self.boxes)
        return np.asarray(total, dtype=np.float64)

    def _in_camera(self, corrections: F64, points_ego: F64) -> F64:
        """(C, N, 3) points as each corrected camera has them."""
        rotations, translations = cams_from_ego(self.ego_from_given_cam, corrections)
        return np.asarray(points_ego @ rotations.transpose(0, 2, 1) + translations[:, None])

    def _click_cost(self, corrections: F64, model: CameraModel, clicks: Clicks) -> F64:
        """Pixels that see nothing say nothing."""
        bearings = Bearings.of(model, clicks.uv_px)
        usable = bearings.usable
        points_cam = self._in_camera(corrections, clicks.points_ego[usable])
        off, _ = bearings.take(usable).errors(points_cam, clicks.sigma_px, clicks.sigma_m)
        return np.asarray(_huber(np.linalg.norm(off, axis=2)).sum(axis=1), dtype=np.float64)

    def _box_cost(self, corrections: F64, model: CameraModel, boxes: BoxPairs) -> F64:
        """Sides that the border of the image cuts off say nothing."""
        points_cam = self._in_camera(corrections, boxes.corners_ego.reshape(-1, 3))
        corners_px = model.project(points_cam.reshape(-1, 3)).uv_px.reshape(len(corrections), -1, 8, 2)
        bounds_px = np.concatenate([corners_px.min(axis=2), corners_px.max(axis=2)], axis=2)
        size_px = np.array([model.width_px, model.height_px])
        inside = np.concatenate([boxes.bounds_px[:, :2] > 1, boxes.bounds_px[:, 2:] < size_px - 2], axis=1)
        off = np.where(inside, np.abs(bounds_px - boxes.bounds_px) / boxes.sigma_px, 0.0)
        return np.asarray(_huber(off).sum(axis=(1, 2)), dtype=np.float64)


def _huber(off: F64) -> F64:
    """Half the square near zero, a line further out; what cannot be projected counts ten sigmas."""
    off = np.where(np.isfinite(off), off, 10.0)
    return np.where(off < HUBER_SIGMAS, off**2 / 2, HUBER_SIGMAS * (off - HUBER_SIGMAS / 2))
