"""Clouds into the images of a whole rig at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calib.cameras import CameraModel
from calib.se3 import SE3
from calib.types import F32, F64, I32, Floats, kernel_view

# Of a sum of four products of float32 numbers, rounded coefficients included; three times what it can be.
ROUNDING = 1e-6


@dataclass(frozen=True, eq=False, slots=True)
class VisiblePoints:
    """The points of a cloud that one camera's field of view holds.

    Attributes:
        index: (M,) int32, which points of the cloud.
        uv_px: (M, 2) float64 pixels.
        depth_m: (M,) float64, distance along the optical axis.
    """

    index: I32
    uv_px: F64
    depth_m: F64


def project_cloud(
    points: Floats, models: Sequence[CameraModel], cams_from_points: Sequence[SE3]
) -> list[VisiblePoints]:
    """Projects one cloud into several cameras in one compiled pass.

    Blocks of consecutive points that lie outside of a camera's sight are skipped, so a cloud in the order
    in which a LiDAR measured it is faster than a shuffled one.

    Args:
        points: (N, 3) in any one frame; float32 is read as it is, everything else as float64.
        models: a model for each camera.
        cams_from_points: for each camera, its frame from the frame of the points.

    Returns:
        For each camera the points it would see if nothing hid them, in the order of the cloud.
    """
    from calib import _kernels
    from calib.cameras import _kernels as camera_kernels

    cloud = kernel_view(points, 3, np.float32 if points.dtype == np.float32 else np.float64)
    count = len(models)
    if count == 0:
        return []
    rotations = np.array([transform.rotation for transform in cams_from_points]).reshape(count, 3, 3)
    translations = np.array([transform.translation for transform in cams_from_points]).reshape(count, 3)
    rows = np.array([model.row for model in models]).reshape(count, -1)
    gates = _gates(models, rotations, translations)
    candidates = np.empty((-(-len(cloud) // camera_kernels.BLOCK), count), dtype=np.int64)
    _kernels.count_candidates(cloud, gates, candidates)
    ends = np.cumsum(candidates.sum(axis=0))
    starts, total = [0, *ends[:-1].tolist()], int(ends[-1])
    index, uv_px, depth_m = np.empty(total, dtype=np.int32), np.empty((total, 2)), np.empty(total)
    camera_kernels.project_cloud(
        cloud, rotations, translations, rows, candidates, ends, index, uv_px, depth_m
    )
    return [
        VisiblePoints(index[start:end], uv_px[start:end], depth_m[start:end])
        for start, end in zip(starts, ends.tolist(), strict=True)
    ]


def _gates(models: Sequence[CameraModel], rotations: F64, translations: F64) -> F32:
    """(C, 4, 4) gates: for a point in sight, |row 0| and |row 1| of gate @ (x, y, z, 1) are at most row 2.

    The first two rows measure sideways and up in units of the half field of view, the third is the depth,
    with the rounding errors of float32 added; entry (3, 0) is what they grow by with a point's coordinates.
    A camera that sees further than a right angle has a gate of its own: a cone around its axis, as wide as
    z = cos(limit) * |x, y, z|; a sum of coordinates stands in for the length.
    """
    bounds = np.array([model.sight for model in models]).reshape(-1, 2, 2)
    half = (bounds[:, :, 1] - bounds[:, :, 0]) / 2
    middle = np.where(np.isfinite(half)[:, :, None], bounds, 0.0).mean(axis=2)
    gates = np.zeros((len(bounds), 4, 4))
    poses = np.concatenate([rotations, translations[:, :, None]], axis=2)
    gates[:, :2] = (poses[:, :2] - middle[:, :, None] * poses[:, 2:]) / half[:, :, None]
    gates[:, 2] = poses[:, 2]
    behind = np.maximum(-np.cos([model.limit_rad for model in models]), 0.0)
    behind[np.isfinite(half).all(axis=1)] = 0.0
    slack = behind + ROUNDING * (1 + ((1 + np.abs(middle)) / half).max(axis=1))
    gates[:, 2, 3] += slack * np.abs(translations).sum(axis=1)
    gates[:, 3, 0] = slack
    return gates.astype(np.float32)
