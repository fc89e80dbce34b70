"""Scans: x, y, z and intensity of each point as float32."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calib.types import F32
from formats.errors import FormatError
from formats.files import read_bytes, write_bytes
from formats.kitti.metadata import LIDAR
from formats.kitti.view import Frame
from fusion.align import points_in_ego, read_deskewed
from fusion.log import DriveLog
from fusion.sweep import Sweep

RECORD_BYTES = 16


def read_scan(path: Path, timestamp_ns: int) -> Sweep:
    """A scan; it holds no times of its points, so it stays as it was measured.

    Raises:
        FormatError: missing, cut short, or a number that is not finite.
    """
    content = read_bytes(path)
    if len(content) % RECORD_BYTES:
        raise FormatError(path, f"byte {len(content)}", f"cut short: {RECORD_BYTES} bytes make a point")
    rows = np.frombuffer(content, dtype="<f4").reshape(-1, 4)
    if not np.isfinite(rows).all():
        first = int(np.argmin(np.isfinite(rows).all(axis=1)))
        raise FormatError(path, f"point {first}", "a number that is not finite")
    return Sweep(LIDAR, timestamp_ns, rows[:, :3], intensity=rows[:, 3], deskewed=False)


def write_scan(path: Path, log: DriveLog, frame: Frame) -> None:
    """Writes the scan of a frame at the instant for which the frame is written, if there is one.

    Raises:
        FormatError: it cannot be read or written.
    """
    scan = _scan(log, frame)
    if scan is not None:
        write_bytes(path, scan.astype("<f4").tobytes())


def _scan(log: DriveLog, frame: Frame) -> F32 | None:
    """(N, 4) float32 x, y, z, intensity at the frame's instant."""
    ref = log.sweep_at(frame.timestamp_ns)
    if ref is None:
        return None
    sweep = read_deskewed(log, ref)
    points_ego_at_shot = frame.ego_at_shot_from_ego @ points_in_ego(log, sweep)
    intensity = np.zeros(len(sweep)) if sweep.intensity is None else sweep.intensity
    return np.column_stack([points_ego_at_shot, intensity]).astype(np.float32)
