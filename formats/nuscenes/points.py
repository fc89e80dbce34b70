"""Point files: little-endian float32 x, y, z, intensity, ring."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from calib.types import F32, frozen
from formats.errors import FormatError
from formats.files import read_bytes
from fusion.sweep import Sweep

COLUMNS = 5
POINT_BYTES = 4 * COLUMNS
MOST_RINGS = 1 << 16
FULL_INTENSITY = 255.0


def intensity_scale(sweep: Sweep) -> float:
    """What takes a sensor's intensity to 0..255: 255 where it stays within 0..1, else 1."""
    if sweep.intensity is None:
        return 1.0
    largest = np.nanmax(sweep.intensity, initial=0.0)
    return FULL_INTENSITY if 0 < largest <= 1 else 1.0


def write_points(path: Path, sweep: Sweep, scale: float) -> None:
    """Writes a deskewed sweep; columns that were not measured are zero."""
    with path.open("wb") as stream:
        stream.write(point_rows(sweep, scale).data)


def point_rows(sweep: Sweep, scale: float) -> F32:
    """(N, 5) float32 as they are written."""
    from formats.nuscenes import _kernels

    table = np.empty((len(sweep), COLUMNS), dtype=np.float32)
    intensity = frozen([], np.float32) if sweep.intensity is None else sweep.intensity
    ring = frozen([], np.int32) if sweep.ring is None else sweep.ring
    _kernels.lay_out(sweep.points, intensity, float(scale), ring, table)
    return table.astype("<f4", copy=False)


def measured_columns(sweep: Sweep) -> list[str]:
    """Which of the columns that may be absent hold a measurement."""
    return [name for name in ("intensity", "ring") if getattr(sweep, name) is not None]


def read_points(
    path: Path,
    lidar: str,
    timestamp_ns: int,
    scale: float,
    measured: frozenset[str],
    stamps: Literal["start", "end"],
) -> Sweep:
    """Reads a point file.

    Raises:
        FormatError: missing, or its size is no whole number of points.
    """
    content = read_bytes(path)
    if len(content) % POINT_BYTES:
        raise FormatError(path, "", f"{len(content)} bytes are no whole number of points of {POINT_BYTES}")
    table: F32 = np.frombuffer(content, dtype="<f4").reshape(-1, COLUMNS)
    with np.errstate(invalid="ignore"):  # of what is no number, which others write too
        intensity = (table[:, 3].astype(np.float64) / scale).astype(np.float32)
        rings = np.nan_to_num(table[:, 4])
    if np.abs(rings).max(initial=0) > MOST_RINGS:
        raise FormatError(path, "", f"a point of ring {np.abs(rings).max():.3g}")
    return Sweep(
        lidar,
        timestamp_ns,
        table[:, :3],
        intensity if "intensity" in measured else None,
        rings.astype(np.int32) if "ring" in measured else None,
        stamps=stamps,
    )
