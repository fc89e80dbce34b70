"""One cloud into a rig of six cameras: ours, nuscenes-devkit's way and Argoverse 2's way, side by side.

The other two are written down here from the formulas that their devkits publish, step by step and with
their types. All sides get the same points and poses in memory; nobody reads a file.
"""

import numpy as np
import pytest

from calib import SE3, Pinhole, SE3Batch, project_cloud

WIDTH_PX, HEIGHT_PX = 1600, 900
OPTICAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
DISTORTION = (-0.3, 0.1, 0.001, -0.001, -0.02)


class Scene:
    """A revolution of a 64-beam LiDAR in a street, and six cameras that fire while the car drives."""

    def __init__(self, distortion=()):
        # As a nuScenes file holds them: x, y, z, intensity, ring, beam after beam at each azimuth.
        azimuth, elevation = np.meshgrid(
            np.linspace(-np.pi, np.pi, 1875, endpoint=False),
            np.radians(np.linspace(-30.67, 10.67, 64)),
            indexing="ij",
        )
        floor_m = np.where(elevation < 0, -1.84 / np.sin(np.minimum(elevation, -1e-3)), np.inf)
        walls_m = 14 + 8 * np.sin(3 * azimuth) + 5 * np.sign(np.sin(11 * azimuth))
        range_m = np.minimum(floor_m, walls_m / np.cos(elevation))
        range_m += np.random.default_rng(0).normal(0, 0.02, range_m.shape)
        ray = [
            np.cos(elevation) * np.cos(azimuth),
            np.cos(elevation) * np.sin(azimuth),
            np.sin(elevation),
        ]
        points = (range_m * np.array(ray)).reshape(3, -1).T
        self.file = np.column_stack([points, np.zeros((len(points), 2))]).astype(np.float32)
        self.points_lidar = np.ascontiguousarray(self.file[:, :3])
        self.ego_from_lidar = SE3.from_yaw(-np.pi / 2, (0.94, 0.0, 1.84))
        self.points_ego = self.ego_from_lidar @ self.points_lidar
        self.world_from_ego_at_sweep = SE3.from_yaw(0.3, (600.0, 1600.0, 0.0))
        self.world_from_egos_at_shots = SE3Batch.stack(
            SE3.from_yaw(0.3 + 0.002 * k, (600.0 + 0.1 * k, 1600.0 + 0.05 * k, 0.0)) for k in range(6)
        )
        places = [
            (0, 1266.0, (1.7, 0.0, 1.5)),
            (55, 1272.0, (1.5, 0.5, 1.5)),
            (-55, 1260.0, (1.5, -0.5, 1.5)),
            (110, 1256.0, (1.0, 0.5, 1.5)),
            (-110, 1259.0, (1.0, -0.5, 1.5)),
            (180, 809.0, (0.0, 0.0, 1.5)),
        ]
        self.egos_from_cam = [
            SE3(SE3.from_yaw(np.radians(yaw)).rotation @ OPTICAL, at) for yaw, _, at in places
        ]
        self.models = [
            Pinhole(f_px, f_px, 800.0, 450.0, WIDTH_PX, HEIGHT_PX, distortion) for _, f_px, _ in places
        ]
        self.cams_from_ego = SE3Batch.stack(self.egos_from_cam).inverse()

    def cameras(self):
        return zip(self.world_from_egos_at_shots, self.egos_from_cam, self.models, strict=True)


def ours(scene):
    world_from_lidar = scene.world_from_ego_at_sweep @ scene.ego_from_lidar
    egos_at_shots_from_lidar = scene.world_from_egos_at_shots.inverse() @ world_from_lidar
    cams_from_lidar = scene.cams_from_ego @ egos_at_shots_from_lidar
    return project_cloud(scene.points_lidar, scene.models, list(cams_from_lidar))


def rotate(points, rotation):
    points[:3, :] = np.dot(rotation, points[:3, :])


def translate(points, offset):
    for k in range(3):
        points[k, :] = points[k, :] + offset[k]


def view_points(points, view):
    padded = np.eye(4)
    padded[:3, :3] = view
    count = points.shape[1]
    points = np.concatenate((points, np.ones((1, count))))
    points = np.dot(padded, points)
    points = points[:3, :]
    return points / points[2:3, :].repeat(3, 0).reshape(3, count)


def nuscenes_camera(points, scene, world_from_ego_at_shot, ego_from_cam, model):
    """`NuScenesExplorer.map_pointcloud_to_image`, from the sensor frame over the global one to pixels."""
    rotate(points, scene.ego_from_lidar.rotation)
    translate(points, scene.ego_from_lidar.translation)
    rotate(points, scene.world_from_ego_at_sweep.rotation)
    translate(points, scene.world_from_ego_at_sweep.translation)
    translate(points, -world_from_ego_at_shot.translation)
    rotate(points, world_from_ego_at_shot.rotation.T)
    translate(points, -ego_from_cam.translation)
    rotate(points, ego_from_cam.rotation.T)
    depths = points[2, :]
    pixels = view_points(points[:3, :], model.matrix)
    mask = np.ones(depths.shape[0], dtype=bool)
    mask = np.logical_and(mask, depths > 1.0)
    mask = np.logical_and(mask, pixels[0, :] > 1)
    mask = np.logical_and(mask, pixels[0, :] < WIDTH_PX - 1)
    mask = np.logical_and(mask, pixels[1, :] > 1)
    mask = np.logical_and(mask, pixels[1, :] < HEIGHT_PX - 1)
    return np.flatnonzero(mask), pixels[:, mask], depths[mask]


def nuscenes_clouds(scene, order):
    """A (4, N) float32 cloud for each camera, which the way overwrites.

    `LidarPointCloud.from_file` gives a transposed view of the file's rows: "as loaded". "row by row" is what
    a user gets who copies it so that each coordinate lies together, which numpy likes better.
    """
    clouds = [scene.file.copy()[:, :4].T for _ in range(6)]
    return [cloud.copy(order="C") for cloud in clouds] if order == "row by row" else clouds


def nuscenes(scene, clouds):
    return [
        nuscenes_camera(cloud, scene, *camera) for cloud, camera in zip(clouds, scene.cameras(), strict=True)
    ]


def argoverse_camera(scene, world_from_ego_at_shot, ego_from_cam, model):
    """`PinholeCamera.project_ego_to_img_motion_compensated`."""
    ego_at_shot_from_ego_at_sweep = world_from_ego_at_shot.inverse() @ scene.world_from_ego_at_sweep
    points = scene.points_ego @ ego_at_shot_from_ego_at_sweep.rotation.T
    points = points + ego_at_shot_from_ego_at_sweep.translation
    homogeneous = np.ones((points.shape[0], 4))
    homogeneous[:, :3] = points
    points_cam = ego_from_cam.inverse().matrix @ homogeneous.T
    uv = model.matrix @ points_cam[:3, :]
    uv = uv.T
    points_cam = points_cam.T
    uv = uv[:, :2] / uv[:, 2].reshape(-1, 1)
    is_valid_x = np.logical_and(uv[:, 0] >= 0, uv[:, 0] < WIDTH_PX - 1)
    is_valid_y = np.logical_and(uv[:, 1] >= 0, uv[:, 1] < HEIGHT_PX - 1)
    is_valid_z = points_cam[:, 2] > 0
    return uv, points_cam, np.logical_and.reduce([is_valid_x, is_valid_y, is_valid_z])


def argoverse(scene):
    return [argoverse_camera(scene, *camera) for camera in scene.cameras()]


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
