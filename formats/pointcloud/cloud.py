"""What a file of points says, whatever its format and its names for things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from calib.types import F32, I32, I64
from formats.errors import FormatError

Column = np.ndarray[Any, np.dtype[Any]]
Columns = Mapping[str, Column]

INTENSITIES = ("intensity", "i", "reflectivity", "reflectance", "intensities", "scalar_intensity")
RINGS = ("ring", "laser_number", "laser_id", "channel", "line", "scalar_ring")
TIMES = ("offset_ns", "t", "time", "timestamp", "time_stamp", "offset_time", "time_offset", "gps_time")
MOST_RINGS = 4096
LONGEST_SWEEP_NS = 1_000_000_000
UNITS_NS = (1_000_000_000, 1_000_000, 1_000, 1)
# A clock counts from 1970 in seconds, ms, us or ns: its values tell which (until the year 5138).
CLOCK_FROM = 1e8
FARTHEST = 4e18


@dataclass(frozen=True, eq=False, slots=True)
class PointCloud:
    """The points of one file, in the frame of its sensor.

    Attributes:
        points: (N, 3) float32 metres.
        intensity: (N,) float32 as the file has it, or None.
        ring: (N,) int32 laser number, or None.
        offset_ns: (N,) int32, when each point was measured; or None.
        start_ns: where the file's times are those of a clock, the earliest, from which `offset_ns` counts;
            None where they count from an instant that the file does not name.
    """

    points: F32
    intensity: F32 | None = None
    ring: I32 | None = None
    offset_ns: I32 | None = None
    start_ns: int | None = None

    def __len__(self) -> int:
        return len(self.points)

    def keep(self, mask: np.ndarray) -> PointCloud:
        """The cloud with only the points under a mask or at some indices."""
        return replace(
            self,
            points=self.points[mask],
            intensity=None if self.intensity is None else self.intensity[mask],
            ring=None if self.ring is None else self.ring[mask],
            offset_ns=None if self.offset_ns is None else self.offset_ns[mask],
        )


def cloud_of(path: Path, columns: Columns) -> PointCloud:
    """The cloud in columns of one length, found by the names that are usual.

    Points without finite coordinates (how PCD marks a beam that met nothing) are left out. A column of
    rings or times whose values cannot be such is left out too.

    Raises:
        FormatError: x, y or z is missing.
    """
    by_name = {name.lower(): column for name, column in columns.items()}
    for axis in "xyz":
        if axis not in by_name:
            raise FormatError(path, "", f"without the field {axis!r}, but {', '.join(columns) or 'none'}")
    points = _points([by_name[axis] for axis in "xyz"])
    finite = np.isfinite(points)
    known = slice(None) if finite.all() else np.flatnonzero(finite.all(axis=1))
    chosen = {
        kind: by_name[name][known]
        for kind, names in (("intensity", INTENSITIES), ("ring", RINGS), ("time", TIMES))
        if (name := next((name for name in names if name in by_name), None))
    }
    offset_ns, start_ns = _times(chosen["time"]) if "time" in chosen else (None, None)
    return PointCloud(
        points=points[known],
        intensity=float32_of(chosen["intensity"], copy=True) if "intensity" in chosen else None,
        ring=_rings(chosen["ring"]) if "ring" in chosen else None,
        offset_ns=offset_ns,
        start_ns=start_ns,
    )


def _points(axes: list[Column]) -> F32:
    """(N, 3) of x, y and z; the array itself that they are the columns of."""
    whole = axes[0].base
    if whole is not None and whole.dtype == np.float32 and whole.shape == (len(axes[0]), 3):
        same = (axis.__array_interface__ == whole[:, k].__array_interface__ for k, axis in enumerate(axes))
        if all(same):
            return whole
    return np.column_stack([float32_of(axis) for axis in axes])


def float32_of(column: Column, copy: bool = False) -> F32:
    """A column as float32; what is too large for it becomes infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        return column.astype(np.float32, copy=copy)


def _rings(column: Column) -> I32 | None:
    if len(column) and not (column.min() >= 0 and column.max() < MOST_RINGS):
        return None
    if column.dtype.kind == "f" and (column != np.floor(column)).any():
        return None
    return column.astype(np.int32)


def _times(column: Column) -> tuple[I32 | None, int | None]:
    """Offsets from the earliest point where the values are those of a clock, else the values themselves.

    Makers write seconds (Velodyne, Hesai, RoboSense) and nanoseconds (Ouster, Livox); the unit follows from
    the type and the size of the numbers. None where no unit makes a sweep of at most a second of them.
    """
    short = column.dtype.kind in "iu" and column.dtype.itemsize < 8
    if column.dtype.itemsize < 8:
        column = column.astype(np.int64 if column.dtype.kind in "iu" else np.float64)
    if len(column) == 0 or not np.isfinite(column).all() or np.abs(float(column.min())) > FARTHEST:
        return None, None
    first = column.min()
    # Four bytes hold the nanoseconds of a sweep; a clock's would be larger, even in seconds.
    within_sweep = short and abs(int(first)) <= LONGEST_SWEEP_NS
    unit_ns = 1 if within_sweep else _unit_ns(column, float(first))
    with np.errstate(over="ignore"):
        since_first = (column - first).astype(np.float64) * unit_ns
    if not 0 <= since_first.max() <= LONGEST_SWEEP_NS:
        return None, None
    first_ns = int(first) * unit_ns if column.dtype.kind in "iu" else round(float(first) * unit_ns)
    offset_ns: I64 = np.round(since_first).astype(np.int64)
    if abs(first_ns) > LONGEST_SWEEP_NS:
        return offset_ns.astype(np.int32), first_ns
    return (offset_ns + first_ns).astype(np.int32), None


def _unit_ns(column: Column, first: float) -> int:
    for power, unit_ns in enumerate(UNITS_NS):
        if CLOCK_FROM * 1000**power <= first < CLOCK_FROM * 1000 ** (power + 1):
            return unit_ns
    if column.dtype.kind in "iu":
        return 1
    span = float(column.max()) - first
    return next((unit_ns for unit_ns in UNITS_NS if span * unit_ns <= LONGEST_SWEEP_NS), 1)
