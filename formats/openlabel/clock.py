"""The instants of a file's frames."""

from __future__ import annotations

import numpy as np

from calib.types import I64
from formats.fields import Field
from formats.openlabel.words import EXTRA
from fusion.log import DriveLog

UNITS_NS = (1, 1_000, 1_000_000, 1_000_000_000)
MOST_FRAMES = 10_000_000
LATEST = 1 << 63


def instants_ns(root: Field, frames: dict[int, Field], log: DriveLog) -> dict[int, int]:
    """The instant of each frame by its number.

    In files of ours timestamps are ns. In those of others their unit is the one in which all are instants
    of frames of the log, give or take what rounding to whole units leaves; where there is none, frame n is
    the log's frame n.

    Raises:
        FormatError: there is no such frame, or two frames are of one instant.
    """
    ours = EXTRA in root["metadata"]
    said = {number: _timestamp(frame) for number, frame in frames.items()}
    found = _whole(said) if ours else _matched(said, log.timestamps_ns)
    if found is None:
        beyond = next((number for number in frames if number >= len(log)), None)
        if beyond is not None:
            raise frames[beyond].error(f"there is no such frame; the log has {len(log)}")
        found = {number: int(log.timestamps_ns[number]) for number in frames}
    if len(set(found.values())) < len(found):
        raise root["frames"].error("two frames are of one instant")
    return found


def _timestamp(frame: Field) -> Field | None:
    properties = frame.get("frame_properties")
    return properties.get("timestamp") if properties else None


def _whole(said: dict[int, Field | None]) -> dict[int, int] | None:
    found = {number: stamp.whole() for number, stamp in said.items() if stamp is not None}
    for number, value in found.items():
        stamp = said[number]
        if stamp is not None and not -LATEST <= value < LATEST:
            raise stamp.error("no instant in ns")
    return found if len(found) == len(said) else None


def _matched(said: dict[int, Field | None], frames_ns: I64) -> dict[int, int] | None:
    """Instants of the log's frames that timestamps mean; None where they mean none."""
    values = [_number(stamp) for stamp in said.values()]
    if not values or len(frames_ns) == 0 or not np.isfinite(values).all():
        return None
    for unit_ns in UNITS_NS:
        times_ns = np.array(values) * unit_ns
        after = np.clip(np.searchsorted(frames_ns, times_ns), 1, max(len(frames_ns) - 1, 1))
        after = np.minimum(after, len(frames_ns) - 1)
        before = np.maximum(after - 1, 0)
        nearer = np.abs(times_ns - frames_ns[before]) <= np.abs(times_ns - frames_ns[after])
        nearest_ns = frames_ns[np.where(nearer, before, after)]
        if (np.abs(times_ns - nearest_ns) <= max(unit_ns, 1_000) // 2 + 1_000).all():
            return dict(zip(said, nearest_ns.tolist(), strict=True))
    return None


def _number(stamp: Field | None) -> float:
    """A timestamp, which may be written as text; NaN where it is no number."""
    if stamp is None:
        return np.nan
    if isinstance(stamp.value, str):
        try:
            value = float(stamp.value)
        except ValueError:
            return np.nan
    else:
        value = stamp.number()
    return value if abs(value) < LATEST else np.nan
