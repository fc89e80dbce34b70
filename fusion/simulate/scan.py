"""The LiDAR: a revolution of pulses, each from where the car is at its own instant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.se3 import SE3
from calib.types import F32, F64, I32, I64
from fusion.simulate.config import SimulationConfig
from fusion.simulate.ego import START_RAD
from fusion.simulate.materials import REFLECTANCE, RETURN_CHANCE
from fusion.simulate.scene import Hits, Scene, poses_between
from fusion.sweep import Sweep
from fusion.trajectory import Trajectory

MIN_RANGE_M = 1.2
RING_STEP_NS = 700  # lasers of one firing fire one after the other
WEAKEST = 0.10 / 110.0**2  # a white wall is seen further away than a black car


@dataclass(frozen=True, eq=False, slots=True)
class Scan:
    """One revolution with the truth of each return.

    Attributes:
        sweep: what the sensor gives.
        actor: (N,) which actor each point lies on, -1 for everything else.
        true_range_m: (N,) before noise.
    """

    sweep: Sweep
    actor: I32
    true_range_m: F32


def beam_elevations(rings: int) -> F64:
    """Elevation of each ring from the lowest up, rad: dense about the horizon."""
    spread = np.linspace(-1, 1, rings)
    shaped = 0.42 * spread + 0.58 * np.sign(spread) * np.abs(spread) ** 2.6
    return np.radians(np.where(shaped < 0, -2.0 + 23.0 * shaped, -2.0 + 16.0 * shaped))


def pulses(config: SimulationConfig, mount_yaw_rad: float) -> tuple[F64, I32, I32]:
    """Directions in the sensor frame, rings and times of all pulses of a revolution, in order of time."""
    step, ring = np.divmod(np.arange(config.azimuth_steps * config.rings), config.rings)
    offset_ns = step * config.period_ns // config.azimuth_steps + ring * RING_STEP_NS
    azimuth = START_RAD - mount_yaw_rad - 2 * np.pi * offset_ns / config.period_ns
    elevation = beam_elevations(config.rings)[ring]
    level = np.cos(elevation)
    directions = np.stack([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)], axis=1)
    return directions, ring.astype(np.int32), offset_ns.astype(np.int32)


def scan(
    config: SimulationConfig,
    scene: Scene,
    trajectory: Trajectory,
    lidar: str,
    ego_from_lidar: SE3,
    start_ns: int,
    frame: int,
) -> Scan:
    """Casts one revolution that begins at `start_ns`."""
    directions, ring, offset_ns = pulses(config, ego_from_lidar.yaw_rad)
    times_ns = start_ns + offset_ns.astype(np.int64)
    rotations, places = poses_between(trajectory, times_ns)
    origins = rotations @ ego_from_lidar.translation + places
    turned = np.einsum("nij,nj->ni", rotations, ego_from_lidar.rotate(directions))
    hits = scene.cast(np.concatenate([origins, turned], axis=1), times_ns)
    rng = np.random.default_rng(
        (config.seed, 1, frame) if config.trip == 0 else (config.seed, 1, frame, config.trip)
    )
    keep, intensity = _returns(config, scene, hits, turned, times_ns, rng)
    noise = rng.normal(0.0, 1.0, len(directions)) * config.range_noise_m
    measured = (hits.range_m + noise)[keep, None] * directions[keep]
    sweep = Sweep(
        lidar,
        start_ns,
        measured.astype(np.float32),
        intensity[keep],
        ring[keep],
        offset_ns[keep],
        "start",
        deskewed=False,
    )
    return Scan(sweep, hits.actor[keep], hits.range_m[keep])


def _returns(
    config: SimulationConfig,
    scene: Scene,
    hits: Hits,
    directions: F64,
    times_ns: I64,
    rng: np.random.Generator,
) -> tuple[I64, F32]:
    """Which pulses come back, and how strongly all would, 0 to 255."""
    surface = scene.surface(hits, times_ns)
    slant = np.abs(np.einsum("ij,ij->i", surface.normal_world, directions))
    strength = REFLECTANCE[surface.material] * (0.25 + 0.75 * slant)
    tone = 0.6 + 0.8 * surface.color.mean(axis=1)
    strength = np.minimum(strength * tone, 2.0)
    speckle = rng.normal(1.0, 0.06, len(strength))
    intensity = np.clip(np.round(120.0 * strength * speckle), 1, 255).astype(np.float32)
    seen = (hits.range_m > MIN_RANGE_M) & (hits.range_m < config.max_range_m)
    chance = rng.random(len(strength))
    if config.dropout:
        power = strength / np.maximum(hits.range_m, 1.0) ** 2
        seen &= chance < 0.992 * RETURN_CHANCE[surface.material] * np.clip(power / (1.6 * WEAKEST), 0, 1)
    return np.flatnonzero(seen), intensity
