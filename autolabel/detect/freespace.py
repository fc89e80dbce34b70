"""Where beams passed through: nothing stood there then."""

from __future__ import annotations

import numpy as np

from autolabel.detect.config import DetectConfig
from autolabel.scans import Scan
from calib.types import F64, I32, I64, kernel_view

COLUMNS, ROWS = 600, 56
LOWEST_RAD, HIGHEST_RAD = np.radians(-35.0), np.radians(12.0)
LOOKED_SHARE = 0.02
SLACK_M = 0.8


def count_free(scan: Scan, places: F64, config: DetectConfig, free: I32, met: I32) -> None:
    """Adds one to `free` for each of (M, 3) places that a scan sees through, to `met` where it does not.

    A direction in which a scan has no points at all is free as well: the beams there meet the ground, the
    sky, or something high, all of them left out of scans.
    """
    from autolabel.detect import _view_kernels

    ego_from_local = scan.local_from_ego.inverse()
    per_rad = np.array([COLUMNS / (2 * np.pi), ROWS / (HIGHEST_RAD - LOWEST_RAD)])
    nearest = np.empty((ROWS, COLUMNS))
    view = (np.ascontiguousarray(ego_from_local.rotation), scan.origin, per_rad, LOWEST_RAD, nearest)
    heights_m = kernel_view(scan.above_m, 1, np.float32)[:, 0]
    _view_kernels.draw_panorama(kernel_view(scan.points, 3, np.float32), heights_m, config.lowest_m, *view)
    looked = np.isfinite(nearest).mean(axis=1) > LOOKED_SHARE
    seen = kernel_view(places, 3, np.float64)
    _view_kernels.count_free(seen, *view, looked, config.range_m, SLACK_M, free, met)


def spaced(frames: int, most: int) -> I64:
    """At most so many frames, evenly spread."""
    return np.unique(np.linspace(0, frames - 1, min(frames, most)).round().astype(np.int64))
