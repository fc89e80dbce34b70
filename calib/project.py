"""Clouds into the images of a whole rig at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calib.cameras import CameraModel
from calib.se3 import SE3
from calib.types import F64, I32, Floats


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

    Args:
        points: (N, 3) in any one frame.
        models: a model for each camera.
        cams_from_points: for each camera, its frame from the frame of the points.

    Returns:
        For each camera the points it would see if nothing hid them, in the order of the cloud.
    """
    from calib import _kernels

    cloud = np.ascontiguousarray(points, dtype=np.float32).reshape(-1, 3)
    count = len(models)
    rotations = np.array([t.rotation for t in cams_from_points]).reshape(count, 3, 3)
    translations = np.array([t.translation for t in cams_from_points]).reshape(count, 3)
    rows = np.array([model.row for model in models]).reshape(count, -1)
    index = np.empty((count, len(cloud)), dtype=np.int32)
    uv_px, depth_m = np.empty((count, len(cloud), 2)), np.empty((count, len(cloud)))
    counts = np.empty(count, dtype=np.int64)
    _kernels.project_cloud(cloud, rotations, translations, rows, index, uv_px, depth_m, counts)
    return [VisiblePoints(index[c, :n], uv_px[c, :n], depth_m[c, :n]) for c, n in enumerate(counts)]
