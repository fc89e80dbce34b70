"""Where the ground and the way of the car are, seen from its sensors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from calib.doctor.finding import Finding
from fusion.align import points_in_ego, read_deskewed
from fusion.log import DriveLog

RING_M = (2.5, 12.0)
GROUND_PERCENT = 10.0
FEWEST_POINTS = 300
DEEPEST_M, HIGHEST_M = -4.0, 1.0
MOVING_MPS = 2.0
STEP_NS = 200_000_000
MOST_SIDEWAYS_RAD = np.radians(25.0)


def check_surroundings(log: DriveLog) -> list[Finding]:
    """The height of the ground, the cameras above it, and whether the car drives forward."""
    return [*_ground(log), *_forward(log)]


def ground_m(log: DriveLog) -> float | None:
    """Height of the ground around the car in the ego frame, of the first sweep there is; None if not seen."""
    for frame_ns in log.timestamps_ns.tolist():
        ref = log.sweep_at(frame_ns)
        if ref is None or not log.trajectory.covers(frame_ns):
            continue
        points = points_in_ego(log, read_deskewed(log, ref))
        apart_m = np.hypot(points[:, 0], points[:, 1])
        near = points[(apart_m > RING_M[0]) & (apart_m < RING_M[1])]
        return float(np.percentile(near[:, 2], GROUND_PERCENT)) if len(near) > FEWEST_POINTS else None
    return None


def _ground(log: DriveLog) -> Iterator[Finding]:
    height_m = ground_m(log)
    if height_m is None:
        return
    if not DEEPEST_M < height_m < HIGHEST_M:
        message = f"the ground around the car lies at z = {height_m:+.1f} m of the ego frame"
        mend = "look at the LiDAR's mount, and whether ego's z points up"
        yield Finding("ground_height", "rig", "suspicious", message, mend, evidence={"ground_m": height_m})
        return
    for camera in log.rig.cameras.values():
        above_m = float(camera.ego_from_sensor.translation[2]) - height_m
        if above_m < 0:
            message = f"{camera.name}: it sits {-above_m:.1f} m below the ground"
            mend = "look at the translation of its mount"
            yield Finding(
                "camera_below_ground", camera.name, "suspicious", message, mend, evidence={"above_m": above_m}
            )


def _forward(log: DriveLog) -> Iterator[Finding]:
    start_ns, end_ns = log.trajectory.start_ns, log.trajectory.end_ns
    instants_ns = np.arange(start_ns, end_ns - STEP_NS, STEP_NS, dtype=np.int64)
    if len(instants_ns) < 3:
        return
    ego_from_world = log.trajectory.at_many(instants_ns).inverse()
    places = log.trajectory.at_many(instants_ns + STEP_NS).translations
    moved_m = ego_from_world @ places
    moving = np.linalg.norm(moved_m, axis=1) > MOVING_MPS * STEP_NS / 1e9
    if moving.sum() < 3:
        return
    mean = moved_m[moving].mean(axis=0)
    angle_rad = float(np.arctan2(np.linalg.norm(mean[1:]), mean[0]))
    # Whoever reverses drives backwards; nobody drives sideways.
    if min(angle_rad, np.pi - angle_rad) > MOST_SIDEWAYS_RAD:
        way = " and ".join(f"{name} {value:+.1f} m" for name, value in zip("xyz", mean * 5, strict=True))
        message = f"the car drives {np.degrees(angle_rad):.0f} degrees off its x axis ({way} a second)"
        mend = (
            "ego has x forward, y left, z up: turn the poses, or look for world_from_ego given as its inverse"
        )
        yield Finding(
            "ego_not_forward", "log", "suspicious", message, mend, evidence={"angle_rad": angle_rad}
        )
