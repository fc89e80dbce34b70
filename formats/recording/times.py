"""When each point of a cloud was measured: names, units and clocks of the drivers that people use.

t            uint32, ns from the start                          Ouster
time         float32, s, below zero where the stamp is the end  Velodyne
timestamp    float64, s of a clock                              Hesai, RoboSense
time_stamp   s of a clock or ns from the start                  Autoware
offset_time  uint32, ns from the start                          Livox
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from calib.types import F64, I32

Column = np.ndarray[Any, np.dtype[Any]]
Unit = Literal["s", "ms", "us", "ns"]

UNITS_NS: dict[Unit, int] = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
NAMES = ("t", "time", "timestamp", "time_stamp", "offset_time", "time_offset", "offset_ns", "t_offset")
SHORTEST_SWEEP_NS, LONGEST_SWEEP_NS = 5_000_000, 1_000_000_000
# A clock that counts from 1970 stands beyond this many seconds.
CLOCK_FROM_S, CLOCK_TO_S = 1e8, 1e11


@dataclass(frozen=True, slots=True)
class TimeRule:
    """How a field tells when points were measured.

    Attributes:
        field: its name.
        unit: of its values.
        clock: whether they are those of a clock, not counted from an instant of the sweep.
    """

    field: str
    unit: Unit
    clock: bool


def guessed_rule(columns: dict[str, Column]) -> TimeRule | None:
    """The rule that fits the first field of a usual name whose values can be times; None without one."""
    by_name = {name.lower(): name for name in columns}
    for usual in NAMES:
        if usual in by_name:
            unit = guessed_unit(columns[by_name[usual]])
            if unit is not None:
                return TimeRule(by_name[usual], *unit)
    return None


def guessed_unit(column: Column) -> tuple[Unit, bool] | None:
    """The unit of times and whether they are a clock's, by type and range; None where no unit fits."""
    values = column[np.isfinite(column)] if column.dtype.kind == "f" else column
    if len(values) == 0 or column.dtype.kind not in "fiu":
        return None
    first, span = float(values.min()), float(values.max()) - float(values.min())
    for unit, unit_ns in UNITS_NS.items():
        seconds = first * unit_ns / 1e9
        if CLOCK_FROM_S <= seconds < CLOCK_TO_S and column.dtype.itemsize == 8:
            return (unit, True) if span * unit_ns <= LONGEST_SWEEP_NS else None
    # Whole numbers are rarely seconds, and fractions rarely nanoseconds: the usual unit is tried first.
    units: tuple[Unit, ...] = ("s", "ms", "us", "ns") if column.dtype.kind == "f" else ("ns", "us", "ms")
    reach = max(abs(first), abs(first + span))
    for unit in units:
        if span * UNITS_NS[unit] >= SHORTEST_SWEEP_NS and reach * UNITS_NS[unit] <= LONGEST_SWEEP_NS:
            return unit, False
    return (units[0], False) if reach * UNITS_NS[units[0]] <= LONGEST_SWEEP_NS else None


def offsets_ns(
    column: Column, rule: TimeRule, timestamp_ns: int, stamps: Literal["start", "end"]
) -> I32 | None:
    """(N,) int32 from the stamp of the sweep to each point; None where the values cannot be times.

    A clock that is not that of the stamp counts from its first point, or to its last one where the stamp is
    the end. Times from the start beside a stamp of the end are moved to before it.
    """
    if len(column) == 0 or column.dtype.kind not in "fiu":
        return np.zeros(0, dtype=np.int32) if len(column) == 0 else None
    unit_ns = UNITS_NS[rule.unit]
    low, high = column.min(), column.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        return None
    span_ns = (int(high) - int(low)) * unit_ns if column.dtype.kind in "iu" else float(high - low) * unit_ns
    if span_ns > LONGEST_SWEEP_NS:
        return None
    zero_ns = _zero_ns(column, low, high, rule, timestamp_ns, stamps)
    if zero_ns is None:
        return None
    if column.dtype.kind in "iu" and unit_ns == 1 and not rule.clock:
        whole = column.view(np.int32) if column.dtype == np.uint32 else column.astype(np.int32)
        return whole if zero_ns == 0 else whole + np.int32(zero_ns)
    if rule.clock:
        since: F64 = (column - low).astype(np.float64)
        since *= unit_ns
    else:
        since = np.multiply(column, unit_ns, dtype=np.float64)
    since += zero_ns
    return np.rint(since, out=since).astype(np.int32)


def _zero_ns(
    column: Column, low: Any, high: Any, rule: TimeRule, timestamp_ns: int, stamps: str
) -> float | None:
    """What is added to a time, for a clock to the time since the first point, to count from the stamp."""
    unit_ns, whole = UNITS_NS[rule.unit], column.dtype.kind in "iu"
    span_ns = float(int(high) - int(low) if whole else high - low) * unit_ns
    if rule.clock:
        first_ns = int(low) * unit_ns if whole else round(float(low) * unit_ns)
        late_ns = first_ns - timestamp_ns
        if abs(late_ns) <= LONGEST_SWEEP_NS:
            return float(late_ns)
        return -span_ns if stamps == "end" else 0.0
    if max(abs(float(low)), abs(float(high))) * unit_ns > LONGEST_SWEEP_NS:
        return None
    return -float(high) * unit_ns if stamps == "end" and float(low) >= 0 < float(high) else 0.0


def guessed_stamps(column: Column, rule: TimeRule, timestamp_ns: int) -> Literal["start", "end"]:
    """Whether the stamp of a sweep is its start or its end, as the times of its points tell."""
    if len(column) == 0:
        return "start"
    unit_ns = UNITS_NS[rule.unit]
    low, high = float(column.min()), float(column.max())
    if rule.clock:
        low, high = low - timestamp_ns / unit_ns, high - timestamp_ns / unit_ns
    far = max(abs(low), abs(high)) * unit_ns > LONGEST_SWEEP_NS
    return "end" if not far and abs(high) < abs(low) else "start"
