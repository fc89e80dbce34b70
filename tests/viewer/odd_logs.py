"""Logs as nobody wants them: what is missing, empty, broken, far away or far too much."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np

from calib.cameras import Pinhole
from calib.rig import Camera, Lidar, Rig
from calib.se3 import SE3, SE3Batch
from calib.types import F32, U8
from formats.errors import FormatError
from fusion.log import DriveLog, ImageRef, SweepRef
from fusion.sweep import Sweep
from fusion.trajectory import Trajectory

FRAMES, STEP_NS = 3, 100_000_000
SIZE_PX = (160, 90)
PLACE = SE3(np.eye(3), np.array([1.0, 0.0, 1.8]))
AHEAD = SE3(np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]), np.array([1.5, 0.0, 1.6]))


def street(count: int = 6000, seed: int = 0) -> F32:
    """(N, 3) in the LiDAR frame: level ground, and something of the size of a car ahead."""
    rng = np.random.default_rng(seed)
    ground = np.column_stack([rng.uniform(-40, 40, (count, 2)), rng.normal(-1.8, 0.02, count)])
    sides = rng.uniform([8, -1, -1.8], [12, 1, -0.3], (count // 10, 3))
    sides[::2, 0], sides[1::2, 1] = 8, -1
    return np.concatenate([ground, sides]).astype(np.float32)


def picture(camera: str) -> U8:
    width, height = SIZE_PX
    return np.full((height, width, 3), 90, np.uint8)


def log_of(
    points: Callable[[], F32] = street,
    cameras: int = 2,
    frames: int = FRAMES,
    image: Callable[[str], U8] = picture,
    lidar: bool = True,
) -> DriveLog:
    """A log whose sweeps and images are what these functions give."""
    times_ns = 1_700_000_000_000_000_000 + STEP_NS * np.arange(frames, dtype=np.int64)
    model = Pinhole(*SIZE_PX, 100.0, 100.0, 80.0, 45.0)
    names = [f"cam_{k}" for k in range(cameras)]
    rig = Rig.of(
        (Lidar("lidar_top", PLACE),) if lidar else (), tuple(Camera(name, AHEAD, model) for name in names)
    )
    world_from_ego = SE3Batch(
        np.tile(np.eye(3), (frames, 1, 1)), np.column_stack([np.arange(frames), np.zeros((frames, 2))])
    )
    return DriveLog(
        name="odd",
        rig=rig,
        trajectory=Trajectory(times_ns, world_from_ego),
        timestamps_ns=times_ns,
        sweeps={
            "lidar_top": tuple(
                SweepRef("lidar_top", t, partial(_sweep, t, points)) for t in times_ns.tolist()
            )
        }
        if lidar
        else {},
        images={n: tuple(ImageRef(n, t, partial(image, n)) for t in times_ns.tolist()) for n in names},
    )


def without_images() -> DriveLog:
    return replace(log_of(), images={})


def broken_images() -> DriveLog:
    return log_of(image=_broken)


def no_sweeps() -> DriveLog:
    return replace(log_of(), sweeps={})


def holes() -> F32:
    points = street().copy()
    points[::3] = np.nan
    points[1::50, 2] = np.inf
    return points


def no_ground() -> F32:
    return np.random.default_rng(1).uniform([20, -5, 3], [30, 5, 9], (400, 3)).astype(np.float32)


def _sweep(time_ns: int, points: Callable[[], F32]) -> Sweep:
    return Sweep("lidar_top", time_ns, points())


def _broken(name: str) -> U8:
    raise FormatError(f"{name}/000000.jpg", "", "is cut short")


def broken() -> F32:
    raise FormatError("lidar/000000.pcd", "line 12", "wanted 4 numbers, found 3")


def unforeseen() -> F32:
    raise ValueError("cannot reshape array of size 17\ninto shape (4,)")


def nothing() -> F32:
    return np.zeros((0, 3), np.float32)


def far_away() -> F32:
    return (street() + np.array([3000.0, 2000.0, 50.0])).astype(np.float32)


@lru_cache(maxsize=1)
def too_many() -> F32:
    return street(5_000_000)


# What is odd, and what the window says of it; None where there is nothing to say.
ODD: dict[str, tuple[Callable[[], DriveLog], str | None]] = {
    "nothing odd": (log_of, None),
    "missing images": (without_images, None),
    "broken images": (broken_images, "is cut short"),
    "empty sweeps": (partial(log_of, nothing), "the sweep has no points"),
    "broken sweeps": (partial(log_of, broken), "line 12"),
    "a mistake in a reader": (partial(log_of, unforeseen), "ValueError: cannot reshape"),
    "no sweeps": (no_sweeps, "no sweep in this frame"),
    "no sensors at all": (partial(log_of, cameras=0, lidar=False), "no LiDAR"),
    "LiDAR only": (partial(log_of, cameras=0), None),
    "one camera only": (partial(log_of, cameras=1, lidar=False), "no LiDAR"),
    "points that are no numbers": (partial(log_of, holes), "are no numbers"),
    "points far away": (partial(log_of, far_away), "m from the car"),
    "five million points": (partial(log_of, too_many), "every 6th of them"),
    "one frame": (partial(log_of, frames=1), None),
    "no ground": (partial(log_of, no_ground), "no ground found"),
}
