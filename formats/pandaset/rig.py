"""Where the cameras of a PandaSet car sit, and the car's way: both follow from the poses of all sensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from calib.cameras import Pinhole
from calib.errors import CalibrationError
from calib.rig import Camera
from calib.se3 import SE3, SE3Batch
from formats.errors import FormatError
from formats.files import read_json
from formats.images import image_size_px
from formats.pandaset.folder import EGO_FROM_POSED, Posed
from fusion.trajectory import Trajectory

USUAL_SIZE_PX = (1920, 1080)
MOST_STRETCH = 0.05


def lidar_trajectory(lidar: Posed) -> Trajectory:
    """The car's way at the instants of its sweeps."""
    posed_from_ego = EGO_FROM_POSED.inverse()
    world_from_posed = lidar.world_from_sensor
    world_from_ego = world_from_posed @ posed_from_ego
    return Trajectory(lidar.timestamps_ns, world_from_ego)


def place_camera(trajectory: Trajectory, camera: Posed) -> SE3 | None:
    """Returns ego_from_cam, the median over the images that the trajectory covers; None if it covers none.

    In the data every image has a pose in the world and no camera has a place on the car. The poses
    scatter by a few millimetres and hundredths of a degree around one place.
    """
    covered = np.array([trajectory.covers(int(t)) for t in camera.timestamps_ns])
    if not covered.any():
        return None
    ego_from_world = trajectory.at_many(camera.timestamps_ns[covered]).inverse()
    world_from_cam = camera.world_from_sensor.take(covered)
    ego_from_cam = ego_from_world @ world_from_cam
    median = np.zeros((3, 4))
    median[:, :3] = np.median(ego_from_cam.rotations, axis=0)
    median[:, 3] = np.median(ego_from_cam.translations, axis=0)
    return SE3.nearest(median, tolerance=MOST_STRETCH)


def extended(trajectory: Trajectory, cameras: Mapping[str, tuple[Posed, SE3]]) -> Trajectory:
    """The trajectory with a pose more where images lie before its first pose or after its last.

    The outermost image on either side gives the pose, through the place of its camera.
    """
    instants = [
        (int(t), world_from_cam @ ego_from_cam.inverse())
        for posed, ego_from_cam in cameras.values()
        for t, world_from_cam in zip(posed.timestamps_ns, posed.world_from_sensor, strict=True)
        if not trajectory.covers(int(t))
    ]
    before = [instant for instant in instants if instant[0] < trajectory.start_ns]
    after = [instant for instant in instants if instant[0] > trajectory.end_ns]
    known = list(zip(trajectory.timestamps_ns.tolist(), trajectory.world_from_ego, strict=True))
    ends = [min(before, key=_time)] if before else [], [max(after, key=_time)] if after else []
    rows = [*ends[0], *known, *ends[1]]
    return Trajectory(np.array([t for t, _ in rows]), SE3Batch.stack(pose for _, pose in rows))


def _time(instant: tuple[int, SE3]) -> int:
    return instant[0]


def read_camera(folder: Path, ego_from_cam: SE3) -> Camera:
    """A camera of a sequence: pinhole, without distortion.

    Raises:
        FormatError: its intrinsics are missing or cannot be.
    """
    path = folder / "intrinsics.json"
    numbers = read_json(path)
    try:
        fx_px, fy_px, cx_px, cy_px = (float(numbers[key]) for key in ("fx", "fy", "cx", "cy"))
        model = Pinhole(fx_px, fy_px, cx_px, cy_px, *_size_px(folder))
    except KeyError as error:
        raise FormatError(path, "", f"without {error}") from None
    except (CalibrationError, TypeError, ValueError) as error:
        raise FormatError(path, "", f"no intrinsics of a camera: {error}") from None
    return Camera(folder.name, ego_from_cam, model)


def _size_px(folder: Path) -> tuple[int, int]:
    first = min(folder.glob("*.jpg"), default=None)
    return USUAL_SIZE_PX if first is None else image_size_px(first)
