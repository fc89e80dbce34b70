"""Point clouds of sensor_msgs/PointCloud2 and foxglove.PointCloud as sweeps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from calib.errors import CalibrationError
from calib.se3 import SE3
from calib.types import I32, handed_over
from formats.errors import FormatError
from formats.pointcloud.cloud import INTENSITIES, MOST_RINGS, RINGS, float32_of
from formats.recording.channels import Coding
from formats.recording.chunks import reading
from formats.recording.decode import decoded
from formats.recording.layout import layout_of
from formats.recording.places import Place
from formats.recording.times import Column, TimeRule, offsets_ns
from fusion.sweep import Sweep

REFLECTIONS = (*INTENSITIES, "signal", "intensity_raw")
IDENTITY_WXYZ = (1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class CloudRule:
    """How the clouds of one topic become sweeps.

    Attributes:
        lidar: name of the sensor.
        coding: of the messages.
        stamps: what of the revolution the stamp is.
        times: where the times of points are; None for points without.
        deskewed: whether the points are already where they were at the stamp.
    """

    lidar: str
    coding: Coding
    stamps: Literal["start", "end"] = "start"
    times: TimeRule | None = None
    deskewed: bool = False


def read_cloud(place: Place, rule: CloudRule, timestamp_ns: int, where: str) -> Sweep:
    """The sweep in one message. Points that are not finite, or at the sensor's origin, are none.

    Raises:
        FormatError: the message is damaged; names the file and the message.
    """
    with reading(place.path, where):
        message = decoded(rule.coding, place.read(), place.path, where)
        return sweep_of(message, rule, timestamp_ns, place.path, where)


def sweep_of(message: Any, rule: CloudRule, timestamp_ns: int, path: Path, where: str) -> Sweep:
    """The same of a message that is decoded."""
    layout = layout_of(message, path, where)
    x, y, z = (layout.named(axis) for axis in "xyz")
    if x is None or y is None or z is None:
        held = ", ".join(layout.fields)[:100] or "no fields"
        raise FormatError(path, where, f"without x, y and z, but {held}")
    intensity, ring = layout.named(*REFLECTIONS), layout.named(*RINGS)
    time = rule.times.field if rule.times is not None and rule.times.field in layout.fields else None
    points, columns = layout.taken((x, y, z), [name for name in (intensity, ring, time) if name])
    offset_ns = None
    if rule.times is not None and time is not None:
        offset_ns = offsets_ns(columns[time], rule.times, timestamp_ns, rule.stamps)
    frame_from_cloud = _pose(message, path, where)
    rings = _rings(columns[ring]) if ring else None
    return Sweep(
        lidar=rule.lidar,
        timestamp_ns=timestamp_ns,
        points=handed_over(points) if frame_from_cloud is None else frame_from_cloud.cloud(points),
        intensity=handed_over(float32_of(columns[intensity])) if intensity else None,
        ring=None if rings is None else handed_over(rings),
        offset_ns=None if offset_ns is None else handed_over(offset_ns),
        stamps=rule.stamps,
        deskewed=rule.deskewed,
    )


def _rings(column: Column) -> I32 | None:
    """Numbers of lasers; None where the values cannot be such."""
    if column.size and not (column.min() >= 0 and column.max() < MOST_RINGS):
        return None
    if column.dtype.kind == "f" and (column != np.floor(column)).any():
        return None
    return column.astype(np.int32, copy=False)


def _pose(message: Any, path: Path, where: str) -> SE3 | None:
    """Returns frame_from_cloud of Foxglove's clouds; None where it moves nothing."""
    if not hasattr(message, "pose") or not message.HasField("pose"):
        return None
    turn, place = message.pose.orientation, message.pose.position
    wxyz = (turn.w, turn.x, turn.y, turn.z)
    wxyz = wxyz if any(wxyz) else IDENTITY_WXYZ
    if not any((place.x, place.y, place.z)) and wxyz == IDENTITY_WXYZ:
        return None
    try:
        return SE3.from_quaternion_wxyz(wxyz, (place.x, place.y, place.z))
    except CalibrationError as error:
        raise FormatError(path, where, f"pose: {error}") from None
