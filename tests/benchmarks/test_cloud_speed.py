"""Both sides of docs/recordings.md's speeds give the same arrays; its limits with --benchmark-enable."""

from pathlib import Path

import numpy as np
import pytest

from fusion import Sweep
from tests.benchmarks import cloud_speed
from tests.benchmarks.ratios import measure


def test_ours_and_numpy_say_the_same() -> None:
    sweep = cloud_speed.ours(cloud_speed.message())
    assert isinstance(sweep, Sweep)
    columns = (sweep.points, sweep.intensity, sweep.ring, sweep.offset_ns)
    theirs = cloud_speed.stacked(cloud_speed.cloud().tobytes())
    for own, other in zip(columns, theirs, strict=True):
        assert own is not None and own.dtype == other.dtype
        np.testing.assert_array_equal(own, other)


def test_the_limits(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    if not pytestconfig.getoption("benchmark_enable"):
        pytest.skip("measured with --benchmark-enable")
    for one in cloud_speed.comparisons(tmp_path):
        ours_ms, theirs_ms = measure(one)
        assert theirs_ms / ours_ms >= one.at_least, one.what
