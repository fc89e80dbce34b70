"""Both sides of docs/recordings.md's speeds give the same arrays."""

import numpy as np

from fusion import Sweep
from tests.benchmarks import cloud_speed


def test_ours_and_numpy_say_the_same() -> None:
    sweep = cloud_speed.ours(cloud_speed.message())
    assert isinstance(sweep, Sweep)
    columns = (sweep.points, sweep.intensity, sweep.ring, sweep.offset_ns)
    theirs = cloud_speed.stacked(cloud_speed.cloud().tobytes())
    for own, other in zip(columns, theirs, strict=True):
        assert own is not None and own.dtype == other.dtype
        np.testing.assert_array_equal(own, other)
