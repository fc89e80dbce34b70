"""Compiled loops of nuScenes beside what numpy says."""

from itertools import product

import numpy as np
import pytest

from formats.nuscenes import _kernels
from formats.nuscenes.points import point_rows
from fusion import Sweep


@pytest.mark.parametrize(
    ("shines", "ringed", "count"), [*product((True, False), (True, False), (0, 1, 1000))]
)
def test_rows_of_points(shines: bool, ringed: bool, count: int) -> None:
    rng = np.random.default_rng(count)
    points = rng.normal(0, 50, (count, 3)).astype(np.float32)
    points[: count // 3] = np.nan
    intensity = rng.random(count).astype(np.float32) if shines else None
    ring = rng.integers(0, 2**31 - 1, count) if ringed else None
    sweep = Sweep("top", 0, points, intensity, ring)
    twin = np.zeros((count, 5), dtype="<f4")
    twin[:, :3] = points
    if intensity is not None:
        twin[:, 3] = intensity.astype(np.float64) * 254.7
    if ring is not None:
        twin[:, 4] = ring
    assert point_rows(sweep, 254.7).tobytes() == twin.tobytes()


def test_the_nearest_of_each_cell() -> None:
    rng = np.random.default_rng(3)
    rows, columns = rng.integers(0, 20, 5000), rng.integers(0, 30, 5000)
    depth_m = rng.uniform(1, 80, 5000)
    found, twin = np.full((22, 33), 40.0), np.full((22, 33), 40.0)
    _kernels.nearest(rows, columns, depth_m, found)
    np.minimum.at(twin, (rows, columns), depth_m)
    assert np.array_equal(found, twin) and (found < 40).sum() > 100 and (found == 40).any()
