"""A cloud as the sweep of a LiDAR at an instant."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from calib.types import handed_over
from formats.pointcloud.read import read_points
from fusion.sweep import Sweep

FARTHEST_NS = 1_000_000_000


def read_sweep(
    path: Path,
    lidar: str,
    timestamp_ns: int,
    *,
    timed: bool = True,
    deskewed: bool = False,
    stamps: Literal["start", "end"] = "start",
) -> Sweep:
    """The points of a file as a sweep.

    Args:
        path: of the file.
        lidar: name of the sensor.
        timestamp_ns: the instant of the sweep.
        timed: whether the times of points are wanted. Those of a clock within a second of the timestamp are
            counted from it; those of another clock from their earliest, which is then the sweep's instant.
        deskewed: whether the points are where they were at the sweep's instant.
        stamps: what of the revolution the timestamp is.

    Raises:
        FormatError: missing or malformed.
    """
    cloud = read_points(path)
    offset_ns = cloud.offset_ns if timed else None
    if offset_ns is not None and cloud.start_ns is not None:
        late_ns = cloud.start_ns - timestamp_ns
        if abs(late_ns) <= FARTHEST_NS:
            offset_ns = offset_ns + late_ns
    # The cloud was made here, and nobody else has it.
    return Sweep(
        lidar,
        timestamp_ns,
        handed_over(cloud.points),
        None if cloud.intensity is None else handed_over(cloud.intensity),
        None if cloud.ring is None else handed_over(cloud.ring),
        None if offset_ns is None else handed_over(offset_ns),
        stamps,
        deskewed=deskewed,
    )
