"""Frames of simulated drives that are kept on disk, because rendering them takes longer than using them."""

from functools import partial
from pathlib import Path

import numpy as np

from calib import SE3Batch
from fusion import DriveLog, ImageRef, Sweep, SweepRef, Trajectory
from fusion.simulate import SimulationConfig
from fusion.simulate.drive import Drive
from fusion.simulate.ego import LIDAR, rig

FRAMES = range(5, 136, 10)
STYLES = ("straight", "curve", "stop")


def config_of(seed: int) -> SimulationConfig:
    return SimulationConfig(
        name=f"sim{seed}",
        seed=seed,
        seconds=14.0,
        style=STYLES[seed % 3],
        azimuth_steps=1800,
        vehicles=18,
        ego_speed_mps=7.0 + seed % 4,
    )


def render_missing(folder: Path, seed: int, cameras: tuple[str, ...]) -> None:
    """Every tenth frame of a drive of 14 s."""
    names = [f"{seed}_{k}_{sensor}.npz" for k in FRAMES for sensor in ("lidar", *cameras)]
    if all((folder / name).exists() for name in [*names, f"{seed}_traj.npz"]):
        return
    drive = Drive(config_of(seed))
    poses = drive.trajectory.world_from_ego
    save(
        folder / f"{seed}_traj.npz", t=drive.trajectory.timestamps_ns, R=poses.rotations, p=poses.translations
    )
    for k in FRAMES:
        sweep = drive.scan(k).sweep
        columns = {"points": sweep.points, "ring": sweep.ring, "offset_ns": sweep.offset_ns}
        save(folder / f"{seed}_{k}_lidar.npz", t=sweep.timestamp_ns, **columns)
        for camera in cameras:
            rgb, time_ns = drive.picture(camera, k).rgb, drive.exposure_ns(camera, k)
            save(folder / f"{seed}_{k}_{camera}.npz", t=time_ns, rgb=rgb)


def save(path: Path, **columns: object) -> None:
    if not path.exists():
        partly = path.with_suffix(".part.npz")
        np.savez_compressed(partly, **columns)
        partly.rename(path)


def read_sweep(path: Path) -> Sweep:
    with np.load(path) as kept:
        columns = {name: kept[name] for name in ("ring", "offset_ns")}
        return Sweep(LIDAR, int(kept["t"]), kept["points"], deskewed=False, **columns)


def read_image(path: Path) -> np.ndarray:
    with np.load(path) as kept:
        return kept["rgb"]


def instant_of(path: Path) -> int:
    with np.load(path) as kept:
        return int(kept["t"])


def rendered_log(folder: Path, seed: int, cameras: tuple[str, ...]) -> DriveLog:
    render_missing(folder, seed, cameras)
    with np.load(folder / f"{seed}_traj.npz") as kept:
        trajectory = Trajectory(kept["t"], SE3Batch(kept["R"], kept["p"]))
    scans = [folder / f"{seed}_{k}_lidar.npz" for k in FRAMES]
    sweeps = [SweepRef(LIDAR, instant_of(path), partial(read_sweep, path)) for path in scans]
    images = {
        camera: [
            ImageRef(camera, instant_of(path), partial(read_image, path))
            for path in (folder / f"{seed}_{k}_{camera}.npz" for k in FRAMES)
        ]
        for camera in cameras
    }
    times_ns = np.array([sweep.timestamp_ns for sweep in sweeps])
    return DriveLog(f"sim{seed}", rig(config_of(seed)), trajectory, times_ns, {LIDAR: sweeps}, images)
