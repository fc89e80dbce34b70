"""Pixels as directions: what a click says of a pose, for every camera model alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.cameras import CameraModel
from calib.types import F64, Bools, Floats

STEP_PX = 0.25


@dataclass(frozen=True, eq=False, slots=True)
class Bearings:
    """Directions in which pixels look, each with its own tangent plane.

    An error is measured on the plane that touches the unit sphere at the direction (gnomonic), so that
    nothing breaks at the border of an image, beyond a right angle or where a lens model folds back.

    Attributes:
        rays: (N, 3) unit directions in the camera frame; NaN where the pixel sees nothing.
        tangents: (N, 2, 3) orthonormal axes of the tangent planes.
        per_px: (N, 2, 2) how far one pixel right and one pixel down go on the plane.
    """

    rays: F64
    tangents: F64
    per_px: F64

    @classmethod
    def of(cls, model: CameraModel, uv_px: Floats) -> Bearings:
        """Of (N, 2) pixels."""
        pixels = np.asarray(uv_px, dtype=np.float64).reshape(-1, 2)
        rays = model.ray(pixels)
        tangents = axes_across(rays)
        columns = []
        for step in np.eye(2) * STEP_PX:
            ahead, behind = model.ray(pixels + step), model.ray(pixels - step)
            columns.append(
                (_on_plane(tangents, rays, ahead) - _on_plane(tangents, rays, behind)) / (2 * STEP_PX)
            )
        return cls(rays, tangents, np.stack(columns, axis=2))

    def __len__(self) -> int:
        return len(self.rays)

    @property
    def usable(self) -> Bools:
        """(N,) whether the model tells a direction and its error."""
        return np.asarray(np.isfinite(self.rays).all(axis=1) & np.isfinite(self.per_px).all(axis=(1, 2)))

    def take(self, indices: np.ndarray) -> Bearings:
        """Those at some indices or under a mask."""
        return Bearings(self.rays[indices], self.tangents[indices], self.per_px[indices])

    def errors(self, points_cam: F64, sigma_px: float, sigma_m: float) -> tuple[F64, F64]:
        """How far (..., N, 3) points are from their bearings, in units of the expected noise.

        Args:
            points_cam: points in the camera frame.
            sigma_px: standard deviation of a pixel, each way.
            sigma_m: standard deviation of a point, each way.

        Returns:
            (..., N, 2) errors, infinite more than a right angle away, and (..., N, 2, 3) Jacobians by point.
        """
        along = np.einsum("...ni,ni->...n", points_cam, self.rays)
        ahead = along > 1e-9
        depth = np.where(ahead, along, 1.0)[..., None]
        errors = np.einsum("...ni,nki->...nk", points_cam, self.tangents) / depth
        jacobians = (self.tangents - errors[..., None] * self.rays[:, None]) / depth[..., None]
        spread = sigma_px**2 * self.per_px @ self.per_px.transpose(0, 2, 1)
        spread = spread + (sigma_m / depth[..., None]) ** 2 * np.eye(2)
        whiten = _inverse_root(spread)
        errors = np.where(ahead[..., None], errors, np.inf)
        with np.errstate(invalid="ignore"):
            return np.einsum("...kl,...l->...k", whiten, errors), whiten @ jacobians


def left_jacobian(points: F64) -> F64:
    """(..., 3, 6) how points move with a small rotation vector and translation applied after them."""
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    zero, one = np.zeros_like(x), np.ones_like(x)
    moved = np.stack(
        [zero, z, -y, one, zero, zero, -z, zero, x, zero, one, zero, y, -x, zero, zero, zero, one], -1
    )
    return moved.reshape(*points.shape[:-1], 3, 6)


def axes_across(rays: F64) -> F64:
    """(N, 2, 3) two axes across each of (N, 3) unit directions, right-handed with it; the first is level."""
    aside = np.where(np.abs(rays[:, 1:2]) < 0.9, (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
    first = np.cross(aside, rays)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return np.stack([first, np.cross(rays, first)], axis=1)


def _on_plane(tangents: F64, rays: F64, others: F64) -> F64:
    flat: F64 = np.einsum("ni,nki->nk", others, tangents) / np.einsum("ni,ni->n", others, rays)[:, None]
    return flat


def _inverse_root(spread: F64) -> F64:
    """W with W.T @ W the inverse of each (2, 2) covariance: the inverse of its Cholesky factor."""
    a = np.sqrt(spread[..., 0, 0])
    b = spread[..., 1, 0] / a
    c = np.sqrt(spread[..., 1, 1] - b * b)
    root = np.zeros(np.broadcast_shapes(spread.shape))
    root[..., 0, 0], root[..., 1, 1], root[..., 1, 0] = 1 / a, 1 / c, -b / (a * c)
    return root
