"""One cloud into a rig of six cameras: ours, nuscenes-devkit's way and Argoverse 2's way, side by side."""

import numpy as np
import pytest

from calib import project_cloud
from calib.shutter import project_through_shutter
from tests.benchmarks.scenes import DISTORTION, FAMILIES, HEIGHT_PX, WIDTH_PX, Scene, all_around
from tests.benchmarks.ways import argoverse, copy_six_times, nuscenes, nuscenes_clouds, ours


@pytest.fixture(scope="module")
def scene():
    return Scene()


def test_ours(benchmark, scene):
    seen = benchmark.pedantic(ours, (scene,), rounds=200, iterations=1, warmup_rounds=5)
    assert sum(len(part.index) for part in seen) > 0.5 * len(scene.points_lidar)


def test_ours_with_five_distortion_coefficients(benchmark):
    distorted = Scene(DISTORTION)
    seen = benchmark.pedantic(ours, (distorted,), rounds=200, iterations=1, warmup_rounds=5)
    assert sum(len(part.index) for part in seen) > 0.5 * len(distorted.points_lidar)


def test_copying_the_points_six_times(benchmark, scene):
    benchmark.pedantic(copy_six_times, (scene,), rounds=200, iterations=1, warmup_rounds=5)
    for copy in scene.copies:
        np.testing.assert_array_equal(copy, scene.points_lidar)


@pytest.mark.parametrize("model", FAMILIES.values(), ids=FAMILIES.keys())
def test_one_camera_of_every_family(benchmark, model):
    seen = benchmark.pedantic(model.project, (all_around(),), rounds=60, iterations=1, warmup_rounds=3)
    assert seen.visible.mean() > 0.05


@pytest.mark.parametrize("model", FAMILIES.values(), ids=FAMILIES.keys())
def test_one_camera_of_every_family_through_a_rolling_shutter(benchmark, scene, model):
    cloud, camera, motion = scene.shutter(model)
    seen = benchmark.pedantic(
        project_through_shutter, (cloud, camera, motion), rounds=30, iterations=1, warmup_rounds=3
    )
    at_once = project_cloud(cloud, [model], [motion.cam_from_points()])[0]
    assert 0.9 < len(seen.index) / len(at_once.index) < 1.1


@pytest.mark.parametrize("order", ["as loaded", "row by row"])
def test_nuscenes_way(benchmark, scene, order):
    def setup():
        return (scene, nuscenes_clouds(scene, order)), {}

    theirs = benchmark.pedantic(nuscenes, setup=setup, rounds=15, iterations=1, warmup_rounds=1)
    for part, (index, pixels, depths) in zip(ours(scene), theirs, strict=True):
        # They keep float32 in the global frame, a pixel from the border and a metre from the lens.
        inner = np.isin(part.index, index)
        u, v = part.uv_px.T
        far = (part.depth_m > 1.01) & (u > 1.5) & (u < WIDTH_PX - 2.5) & (v > 1.5) & (v < HEIGHT_PX - 2.5)
        assert inner[far].all() and np.isin(index, part.index).all()
        np.testing.assert_allclose(depths, part.depth_m[inner], rtol=0, atol=1e-3)
        np.testing.assert_allclose(pixels[:2].T, part.uv_px[inner], rtol=0, atol=0.5)


def test_argoverse_way(benchmark, scene):
    theirs = benchmark.pedantic(argoverse, (scene,), rounds=15, iterations=1, warmup_rounds=1)
    for part, (uv, points_cam, valid) in zip(ours(scene), theirs, strict=True):
        np.testing.assert_allclose(part.uv_px, uv[part.index], rtol=0, atol=1e-6)
        np.testing.assert_allclose(part.depth_m, points_cam[part.index, 2], rtol=0, atol=1e-9)
        assert np.isin(np.flatnonzero(valid), part.index).all()
        u, v = part.uv_px.T
        inner = (u >= 0) & (u < WIDTH_PX - 1) & (v >= 0) & (v < HEIGHT_PX - 1)
        np.testing.assert_array_equal(part.index[inner], np.flatnonzero(valid))
