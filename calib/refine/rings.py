"""Which laser measured which point, where a scan does not say."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from calib.errors import CalibrationError
from calib.types import F64, I64, Floats

FEWEST, MOST = 8, 256
BIN_RAD = np.radians(0.01)
# Where a revolution may begin.
SEAMS_RAD = (0.0, np.pi / 2, np.pi, -np.pi / 2)


class RingsUnknownError(CalibrationError):
    """A scan whose points do not tell which laser measured them."""


def rings_of(points_lidar: Floats) -> I64:
    """(N,) number of each point's ring, counted from the lowest, for a scan that does not say.

    Points ring after ring, as KITTI keeps them, are told apart where the azimuth starts anew; in any other
    order, by lines in the histogram of elevations, which are there only while the points are as measured:
    not moved along with the car.

    Raises:
        RingsUnknownError: neither way finds rings.
    """
    points = np.asarray(points_lidar, dtype=np.float64)
    elevation_rad = np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1]))
    rings = _by_wraps(np.arctan2(points[:, 1], points[:, 0]), elevation_rad)
    rings = _by_elevation(elevation_rad) if rings is None else rings
    if rings is None:
        raise RingsUnknownError(
            "the rings of a scan cannot be told from its points: give the ring of each point"
        )
    return rings


def _by_wraps(azimuth_rad: F64, elevation_rad: F64) -> I64 | None:
    """A ring ends where the azimuth falls back by more than half of all that is seen."""
    if len(azimuth_rad) < 2 or np.median(np.abs(np.diff(azimuth_rad))) > np.radians(1.5):
        return None
    best, least_spread = None, np.inf
    for seam_rad in SEAMS_RAD:
        turned = (azimuth_rad - seam_rad) % (2 * np.pi)
        for way in (turned, 2 * np.pi - turned):
            rings = np.concatenate([[0], np.cumsum(np.diff(way) < -np.ptp(way) / 2)])
            if not FEWEST <= rings[-1] + 1 <= MOST:
                continue
            counts = np.bincount(rings)
            means = np.bincount(rings, elevation_rad) / counts
            trend = float(np.corrcoef(np.arange(len(means)), means)[0, 1])
            spread = float(np.sum((elevation_rad - means[rings]) ** 2))
            if abs(trend) > 0.9 and spread < least_spread:
                best, least_spread = (rings if trend > 0 else len(means) - 1 - rings), spread
    return None if best is None else best.astype(np.int64)


def _by_elevation(elevation_rad: F64) -> I64 | None:
    """Each line of the histogram is a ring; the borders lie where it is emptiest between two lines."""
    from scipy.ndimage import gaussian_filter1d
    from scipy.signal import find_peaks

    if len(elevation_rad) < 100:
        return None
    low = float(elevation_rad.min()) - 5 * BIN_RAD
    bins = ((elevation_rad - low) / BIN_RAD).astype(np.int64)
    density = gaussian_filter1d(np.bincount(bins, minlength=int(bins.max()) + 6).astype(np.float64), 1.5)
    enough = max(0.05 * len(elevation_rad) / MOST / 4, 2.0)
    peaks, _ = find_peaks(density, height=enough, prominence=enough, distance=5)
    if not FEWEST <= len(peaks) <= MOST:
        return None
    borders = np.array([a + np.argmin(density[a:b]) for a, b in pairwise(peaks.tolist())])
    rings = np.searchsorted(borders, bins)
    sharp = np.abs(bins - peaks[rings]) * BIN_RAD < 0.25 * np.median(np.diff(peaks)) * BIN_RAD
    return rings.astype(np.int64) if np.mean(sharp) > 0.6 else None
