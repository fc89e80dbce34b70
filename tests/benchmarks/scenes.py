"""What the benchmarks run on: a revolution of a LiDAR with six cameras, a street full of boxes."""

import numpy as np

from calib import (
    SE3,
    Camera,
    Cylindrical,
    DoubleSphere,
    Equirectangular,
    ExtendedUnified,
    Fisheye,
    FTheta,
    Pinhole,
    SE3Batch,
    Unified,
    project_cloud,
)
from calib.shutter import CameraMotion
from fusion import Boxes

WIDTH_PX, HEIGHT_PX = 1600, 900
OPTICAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
DISTORTION = (-0.3, 0.1, 0.001, -0.001, -0.02)

LENS = (300.0, 300.0, 640.0, 480.0, 1280, 960)
BACKWARD = (0.0, 1 / 300, 1e-7, -1e-11, 2e-13)
FAMILIES = {
    "pinhole": Pinhole(*LENS),
    "pinhole, 5 coefficients": Pinhole(*LENS, DISTORTION),
    "pinhole, 12 coefficients": Pinhole(*LENS, (*DISTORTION, 0.1, 0.01, 0.0, 1e-3, 0.0, -1e-3, 0.0)),
    "fisheye (Kannala-Brandt)": Fisheye(*LENS, (0.063, -0.011, 0.0024, -0.00042)),
    "f-theta, angle to pixels": FTheta(*LENS[2:], (0.0, 300.0, -3.0, 1.5, -4.0, 0.2)),
    "f-theta, pixels to angle": FTheta(*LENS[2:], px_to_angle=BACKWARD, reference="px_to_angle"),
    "unified": Unified(*LENS, 1.2),
    "unified, 4 coefficients": Unified(*LENS, 1.2, DISTORTION[:4]),
    "extended unified": ExtendedUnified(*LENS, 0.6, 1.1),
    "double sphere": DoubleSphere(*LENS, -0.17, 0.59),
    "cylindrical": Cylindrical(*LENS),
    "equirectangular": Equirectangular(1280, 640),
}


def all_around():
    """20,000 points in all directions."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(20_000, 3)) * rng.uniform(1, 80, (20_000, 1))


class Scene:
    """A revolution of a 64-beam LiDAR in a street, and six cameras that fire while the car drives."""

    def __init__(self, distortion=(), shuffle=False):
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
        if shuffle:
            points = np.random.default_rng(1).permutation(points)
        self.file = np.column_stack([points, np.zeros((len(points), 2))]).astype(np.float32)
        self.points_lidar = np.ascontiguousarray(self.file[:, :3])
        self.copies = [np.empty_like(self.points_lidar) for _ in range(6)]
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

    def shutter(self, model, speed_mps=14.0):
        """The front camera with another lens, read out in 30 ms, and how it moves through the cloud."""
        camera = Camera("front", self.egos_from_cam[0], model, readout_ns=30_000_000)
        motion = CameraMotion.constant_twist(camera, SE3.identity(), (speed_mps, 0, 0), (0, 0, 0.3))
        return self.points_lidar, camera, motion.of_points_in(self.ego_from_lidar)

    def cameras(self):
        return zip(self.world_from_egos_at_shots, self.egos_from_cam, self.models, strict=True)


class Painted:
    """An image of noise, and what the front camera sees of the cloud of a scene."""

    def __init__(self, scene):
        self.points, self.model = scene.points_lidar, scene.models[0]
        self.cam_from_lidar = scene.cams_from_ego[0] @ scene.ego_from_lidar
        self.seen = project_cloud(self.points, [self.model], [self.cam_from_lidar])[0]
        rng = np.random.default_rng(0)
        self.image = rng.integers(0, 256, (HEIGHT_PX, WIDTH_PX, 3), dtype=np.uint8)


def upright_boxes(rng, count, reach_m=45.0):
    yaws = rng.uniform(-np.pi, np.pi, count)
    quaternions = np.column_stack([np.cos(yaws / 2), 0 * yaws, 0 * yaws, np.sin(yaws / 2)])
    centers = np.column_stack([rng.uniform(-reach_m, reach_m, (count, 2)), rng.uniform(0.5, 1.2, count)])
    sizes = np.array([4.6, 1.9, 1.7]) * rng.uniform(0.8, 1.3, (count, 3))
    return Boxes(SE3Batch.from_quaternions_wxyz(quaternions, centers), sizes)


def street():
    """120,000 points, most of them near the car, and 50 boxes, as a busy nuScenes frame has them."""
    rng = np.random.default_rng(0)
    radius, azimuth = 45 * rng.random(120_000) ** 1.5, rng.uniform(-np.pi, np.pi, 120_000)
    height = rng.exponential(0.7, 120_000)
    points = np.column_stack([radius * np.cos(azimuth), radius * np.sin(azimuth), height])
    return points.astype(np.float32), upright_boxes(rng, 50)


def crowd():
    """Two sets of 100 boxes in a square of 40 m."""
    rng = np.random.default_rng(1)
    return upright_boxes(rng, 100, reach_m=20.0), upright_boxes(rng, 100, reach_m=20.0)
