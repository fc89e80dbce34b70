"""The car that carries the sensors: where it is, and what it carries."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from calib.cameras import CameraModel, Fisheye, Pinhole
from calib.rig import Camera, Lidar, Rig
from calib.se3 import SE3, SE3Batch
from calib.types import F64, I64
from fusion.simulate.actors import KNOT_NS, Path
from fusion.simulate.config import SimulationConfig
from fusion.simulate.street import terrain
from fusion.trajectory import Trajectory

LIDAR = "lidar_top"
LIDAR_PLACE_M = (0.94, 0.0, 1.84)
START_RAD = np.pi  # a revolution begins behind the car and turns clockwise
BEAM_SECTORS = 360
# Name, place on the car, direction, opening across, distortion.
CAMERAS: tuple[tuple[str, tuple[float, float, float], float, float, tuple[float, ...]], ...] = (
    ("cam_front", (1.70, 0.02, 1.51), 0.0, 70.0, (-0.06, 0.02, 0.0004, -0.0003, -0.002)),
    ("cam_front_left", (1.52, 0.49, 1.50), 55.0, 70.0, ()),
    ("cam_front_right", (1.55, -0.49, 1.49), -55.0, 70.0, (-0.09, 0.035, -0.0005, 0.0006, -0.005)),
    ("cam_back", (0.03, 0.0, 1.57), 180.0, 100.0, ()),
    ("cam_back_left", (1.03, 0.48, 1.56), 110.0, 70.0, (-0.05, 0.01, 0.0, 0.0002, 0.0)),
    ("cam_back_right", (1.01, -0.48, 1.56), -110.0, 70.0, ()),
)


def trajectory_along(path: Path, at_m: F64, times_ns: I64, rng: np.random.Generator) -> Trajectory:
    """Poses of the car whose rear axle follows a path, nodding when it brakes and leaning in bends."""
    xy, yaws = path.place(at_m)
    dt = KNOT_NS / 1e9
    speed = np.gradient(at_m, dt)
    acceleration = gaussian_filter1d(np.gradient(speed, dt), 20)
    ahead = np.stack([np.cos(yaws), np.sin(yaws)], axis=1)
    slope = (terrain(xy + 2.7 * ahead) - terrain(xy)) / 2.7
    moves = np.clip(speed / 5, 0, 1)
    phase, seconds = rng.uniform(0, 6, 3), (times_ns - times_ns[0]) / 1e9
    pitch = -np.arctan(slope) - 0.006 * acceleration + 0.002 * moves * np.sin(7.9 * seconds + phase[0])
    roll = 0.006 * gaussian_filter1d(speed**2 * path.curvature(at_m), 20)
    roll = roll + 0.002 * moves * np.sin(6.1 * seconds + phase[1])
    z = terrain(xy) + 0.006 * moves * np.sin(8.7 * seconds + phase[2])
    return Trajectory(times_ns, SE3Batch(_rotations(yaws, pitch, roll), np.column_stack([xy, z])))


def _rotations(yaw: F64, pitch: F64, roll: F64) -> F64:
    """(N, 3, 3) about z, then y (nose down is positive), then x."""
    from scipy.spatial.transform import Rotation

    angles = np.column_stack([yaw, pitch, roll])
    return np.asarray(Rotation.from_euler("ZYX", angles).as_matrix(), dtype=np.float64)


def beam_passes_ns(config: SimulationConfig, azimuths_rad: F64) -> I64:
    """(N,) when in a revolution the beam looks in these directions of the ego frame."""
    turns = (START_RAD - azimuths_rad) % (2 * np.pi) / (2 * np.pi)
    return np.round(turns * config.period_ns).astype(np.int64)


def rig(config: SimulationConfig) -> Rig:
    """One spinning LiDAR on the roof, its x axis to the right, and cameras all around."""
    from scipy.spatial.transform import Rotation

    turned = Rotation.from_euler("ZYX", (-90.0, 0.6, -0.4), degrees=True).as_matrix()
    sectors_rad = (np.arange(BEAM_SECTORS) + 0.5) * 2 * np.pi / BEAM_SECTORS
    beam_offset_ns = tuple(beam_passes_ns(config, sectors_rad).tolist())
    lidar = Lidar(LIDAR, SE3(turned, np.array(LIDAR_PLACE_M)), beam_offset_ns)
    cameras = [camera(config, index) for index in range(config.cameras)]
    return Rig.of((lidar,), tuple(cameras))


def camera(config: SimulationConfig, index: int) -> Camera:
    """One of the six cameras."""
    from scipy.spatial.transform import Rotation

    name, place, yaw_deg, opening_deg, distortion = CAMERAS[index]
    forward_from_cam = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])
    tilt = ((index * 37) % 7 - 3) * 0.15  # no camera is mounted dead straight
    turned = Rotation.from_euler(
        "ZYX", (yaw_deg + tilt, 1.2 + 0.3 * tilt, 0.4 * tilt), degrees=True
    ).as_matrix()
    model = _model(config, opening_deg, distortion, fisheye=config.fisheye and index == 0)
    ego_from_cam = SE3(turned @ forward_from_cam, np.array(place))
    return Camera(name, ego_from_cam, model, round(config.readout_ms * 1e6), readout=config.readout)


def _model(
    config: SimulationConfig, opening_deg: float, distortion: tuple[float, ...], fisheye: bool
) -> CameraModel:
    width, height = config.image_size_px
    cx, cy = 0.5 * (width - 1) + 0.004 * width, 0.5 * (height - 1) - 0.006 * height
    if fisheye:
        f = width / np.radians(170.0)
        return Fisheye(f, f, cx, cy, width, height, (0.012, -0.004, 0.001, -0.0002))
    f = 0.5 * width / np.tan(np.radians(opening_deg) / 2)
    return Pinhole(f, 1.001 * f, cx, cy, width, height, distortion)
