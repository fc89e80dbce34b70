"""Times of points, by the names and units of the drivers that people use."""

import numpy as np
import pytest

from formats.recording.times import TimeRule, guessed_rule, guessed_stamps, offsets_ns

STAMP_NS = 1_700_000_000_123_456_789
TRUTH_NS = np.linspace(0, 99_000_000, 200).astype(np.int64)
SECONDS = STAMP_NS / 1e9

CASES = {
    "Ouster": ("t", TRUTH_NS.astype("<u4"), TimeRule("t", "ns", False), "start", 0),
    "Velodyne, stamped at the start": (
        "time",
        (TRUTH_NS / 1e9).astype("f4"),
        TimeRule("time", "s", False),
        "start",
        10,
    ),
    "Velodyne, stamped at the end": (
        "time",
        ((TRUTH_NS - TRUTH_NS[-1]) / 1e9).astype("f4"),
        TimeRule("time", "s", False),
        "end",
        10,
    ),
    "Hesai": ("timestamp", SECONDS + TRUTH_NS / 1e9, TimeRule("timestamp", "s", True), "start", 300),
    "RoboSense, stamped at the end": (
        "timestamp",
        SECONDS + (TRUTH_NS - TRUTH_NS[-1]) / 1e9,
        TimeRule("timestamp", "s", True),
        "end",
        300,
    ),
    "Autoware": ("time_stamp", TRUTH_NS.astype("u4"), TimeRule("time_stamp", "ns", False), "start", 0),
    "Livox": ("offset_time", TRUTH_NS.astype("u4"), TimeRule("offset_time", "ns", False), "start", 0),
    "a clock in whole ns": (
        "timestamp",
        (STAMP_NS + TRUTH_NS).astype("u8"),
        TimeRule("timestamp", "ns", True),
        "start",
        0,
    ),
    "big-endian us": ("t", (TRUTH_NS // 1000).astype(">u4"), TimeRule("t", "us", False), "start", 1000),
}


@pytest.mark.parametrize("case", CASES)
def test_the_rule_is_guessed_and_tells_the_truth(case: str) -> None:
    name, column, rule, stamps, within_ns = CASES[case]
    assert guessed_rule({"x": column, name: column}) == rule
    assert guessed_stamps(column, rule, STAMP_NS) == stamps
    offsets = offsets_ns(column, rule, STAMP_NS, stamps)  # type: ignore[arg-type]
    truth = TRUTH_NS if stamps == "start" else TRUTH_NS - TRUTH_NS[-1]
    assert offsets is not None and offsets.dtype == np.int32
    assert np.abs(offsets - truth).max() <= within_ns


def test_times_from_the_start_beside_a_stamp_of_the_end_move_before_it() -> None:
    offsets = offsets_ns(TRUTH_NS.astype("u4"), TimeRule("t", "ns", False), STAMP_NS, "end")
    assert offsets is not None and (offsets[0], offsets[-1]) == (-99_000_000, 0)


def test_another_clock_counts_from_its_own_first_or_last_point() -> None:
    column, rule = 5000.0 + TRUTH_NS / 1e9 + 1e9, TimeRule("timestamp", "s", True)
    for stamps, ends in (("start", (0, 99_000_000)), ("end", (-99_000_000, 0))):
        offsets = offsets_ns(column, rule, STAMP_NS, stamps)  # type: ignore[arg-type]
        assert offsets is not None and np.abs(np.array(ends) - offsets[[0, -1]]).max() < 300


@pytest.mark.parametrize(
    "column",
    [
        np.full(9, np.nan),
        np.array([0, 1 << 63], dtype="u8"),
        np.array([0, 4_000_000_000], dtype="u4"),
        np.array([1e30, -1e30]),
        np.array([True, False]),
    ],
)
def test_what_cannot_be_times_is_none(column: np.ndarray) -> None:
    assert guessed_rule({"t": column}) is None
    for rule in (TimeRule("t", "s", False), TimeRule("t", "s", True), TimeRule("t", "ns", False)):
        assert offsets_ns(column, rule, STAMP_NS, "start") is None or column.dtype.kind == "f"
