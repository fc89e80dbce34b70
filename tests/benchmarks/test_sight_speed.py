"""Occlusion and colour: ours, Katz' hidden point removal as Open3D has it, and OpenCV's remap.

The frame is a revolution of a LiDAR in a street, seen by the front camera of `scenes.Scene`.
"""

import cv2
import numpy as np
import pytest

from calib import project_cloud
from calib.sight import View, colour_points, measure_spacing, visible_points
from tests.benchmarks.scenes import HEIGHT_PX, WIDTH_PX, Scene

KATZ_DIAMETERS = 3_000
MOST_REMAPPED = 32_000  # of one side: OpenCV counts in 16 bits


class Shot:
    """What the front camera is asked."""

    def __init__(self):
        scene = Scene()
        self.points, self.model = scene.points_lidar, scene.models[0]
        self.cam_from_lidar = scene.cams_from_ego[0] @ scene.ego_from_lidar
        self.seen = project_cloud(self.points, [self.model], [self.cam_from_lidar])[0]
        self.spacing = measure_spacing(self.points, self.cam_from_lidar.inverse().translation)
        rng = np.random.default_rng(0)
        self.image = rng.integers(0, 256, (HEIGHT_PX, WIDTH_PX, 3), dtype=np.uint8)


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
    view = View(shot.image, shot.model, shot.seen)
    _, camera = measure(lambda: colour_points(len(shot.points), [view]), rounds=200)
    assert (camera >= 0).sum() == len(shot.seen.index)


def test_colour_remap(measure, shot):
    """What is mapped by OpenCV has still to be brought to its points and compared between cameras."""

    def remapped():
        column, row = np.ascontiguousarray(shot.seen.uv_px.T, dtype=np.float32)[:, :, None]
        starts = range(0, len(column), MOST_REMAPPED)
        parts = [(column[a : a + MOST_REMAPPED], row[a : a + MOST_REMAPPED]) for a in starts]
        return np.concatenate([cv2.remap(shot.image, *part, cv2.INTER_LINEAR) for part in parts])

    assert measure(remapped, rounds=100).shape[0] == len(shot.seen.index)
