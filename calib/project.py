"""Clouds into the images of a whole rig at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calib.cameras import CameraModel
from calib.se3 import SE3
from calib.types import F64, I32, Floats, kernel_view


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
    gates = np.array(
        [
            _kernels.gate_of(model.sight, model.limit_rad, *pose)
            for model, *pose in zip(models, rotations, translations, strict=True)
        ]
    )
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
