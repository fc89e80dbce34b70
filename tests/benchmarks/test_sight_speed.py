"""Occlusion and colour: ours, Katz' hidden point removal as Open3D has it, and OpenCV's remap.

The frame is a revolution of a LiDAR in a street, seen by the front camera of `scenes.Scene`.
"""

import numpy as np
import pytest

from calib.sight import measure_spacing, visible_points
from tests.benchmarks.scenes import HEIGHT_PX, WIDTH_PX, Painted, Scene
from tests.benchmarks.ways import colours, remapped

KATZ_DIAMETERS = 3_000


class Shot(Painted):
    """What the front camera is asked."""

    def __init__(self):
        super().__init__(Scene())
        self.spacing = measure_spacing(self.points, self.cam_from_lidar.inverse().translation)


@pytest.fixture(scope="module")
def shot():
    return Shot()


@pytest.fixture
def measure(benchmark, shot):
    """Times a call and says how long it takes for a point in view."""

    def measured(call, rounds):
        answer = benchmark.pedantic(call, rounds=rounds, iterations=1, warmup_rounds=min(rounds - 1, 5))
        if benchmark.stats is not None:
            ns_a_point = benchmark.stats.stats.median * 1e9 / len(shot.seen.index)
            benchmark.extra_info["ns_a_point"] = ns_a_point
            print(f"{ns_a_point:.1f} ns for each of {len(shot.seen.index)} points in view")
        return answer

    return measured


def test_occlusion_ours(measure, shot):
    visible = measure(
        lambda: visible_points(shot.points, shot.seen, shot.cam_from_lidar, shot.spacing), rounds=200
    )
    assert 0.7 < visible.mean() <= 1


def test_occlusion_katz(measure, shot):
    import open3d as o3d

    points_cam = shot.cam_from_lidar @ shot.points[shot.seen.index].astype(np.float64)
    cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(points_cam))
    radius = KATZ_DIAMETERS * np.linalg.norm(np.ptp(points_cam, axis=0))
    _, kept = measure(lambda: cloud.hidden_point_removal(np.zeros(3), radius), rounds=10)
    assert 0.5 < len(kept) / len(points_cam) <= 1


def test_measuring_the_spacing_of_the_beams(measure, shot):
    spacing = measure(lambda: measure_spacing(shot.points), rounds=10)
    assert spacing.step_rad == pytest.approx(2 * np.pi / 1875, rel=0.05)


def test_colour_ours(measure, shot):
    _, camera = measure(lambda: colours(shot), rounds=200)
    assert (camera >= 0).sum() == len(shot.seen.index)


def test_colour_remap(measure, shot):
    taken = measure(lambda: remapped(shot), rounds=100)[:, 0]
    ours = colours(shot)[0][shot.seen.index]
    u, v = shot.seen.uv_px.T  # beyond the outermost centres it mixes black in
    inner = (u >= 0) & (v >= 0) & (u <= WIDTH_PX - 1) & (v <= HEIGHT_PX - 1)
    assert inner.mean() > 0.99
    assert np.abs(ours.astype(int) - taken)[inner].max() <= 9  # for it counts in 32nds of a pixel
