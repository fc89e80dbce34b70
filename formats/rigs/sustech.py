"""SUSTechPOINTS (Li et al., 2020): `calib/camera/<name>.json`, each with `extrinsic` and `intrinsic`.

`extrinsic` is cam_from_lidar, 16 numbers row by row; `intrinsic` the 3x3 matrix. Images are undistorted,
pixel centres whole numbers. Nothing says how the LiDAR is turned on the car, so the ego frame is laid by the
cameras: at the LiDAR's place, z along what is up in it, x where the front camera looks; `crosslabel.json`
beside, which our writer leaves, tells it in place of them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calib.rig import Camera, Lidar, Rig
from calib.se3 import SE3
from calib.types import F64
from formats.errors import FormatError
from formats.fields import read_json_fields
from formats.images import image_size_px
from formats.rigs.kind import RigKind, head_of, pinhole_of

LIDAR = "lidar"
FRONT = "front"
CALIBRATION = Path("calib") / "camera"
IMAGES = Path("camera")
BESIDE, EGO_FROM_LIDAR = "crosslabel.json", "ego_from_lidar"
IMAGE_ENDINGS = (".jpg", ".jpeg", ".png")
UPRIGHT_WITHIN_RAD = np.radians(20.0)


def read_sustech_rig(
    path: Path, *, ego_from_lidar: SE3 | None = None, size_px: tuple[int, int] | None = None
) -> Rig:
    """The LiDAR and the cameras of a scene.

    Args:
        path: of the scene's folder.
        ego_from_lidar: how the LiDAR sits on the car, in place of what the cameras tell.
        size_px: of the images; else that of each camera's first one.

    Raises:
        FormatError: a file is missing or malformed, or a camera has no image that tells its size.
    """
    files = sorted((path / CALIBRATION).glob("*.json"))
    if not files:
        raise FormatError(path / CALIBRATION, "", "holds no calibration of a camera")
    fields = {file.stem: read_json_fields(file) for file in files}
    cam_from_lidar = {name: field["extrinsic"].rigid() for name, field in fields.items()}
    if ego_from_lidar is None:
        ego_from_lidar = _written_beside(path) or laid_by_cameras(cam_from_lidar)
    cameras = []
    for name, field in fields.items():
        model = pinhole_of(field, field["intrinsic"].matrix(3, 3), size_px or _size_px(path, name), ())
        lidar_from_cam = cam_from_lidar[name].inverse()
        cameras.append(Camera(name, ego_from_lidar @ lidar_from_cam, model))
    return Rig.of((Lidar(LIDAR, ego_from_lidar),), tuple(cameras))


def _written_beside(path: Path) -> SE3 | None:
    """Returns ego_from_lidar, where a scene that was written by us tells it."""
    kept = read_json_fields(path / BESIDE).get(EGO_FROM_LIDAR) if (path / BESIDE).is_file() else None
    return kept.rigid() if kept else None


def laid_by_cameras(cam_from_lidar: dict[str, SE3]) -> SE3:
    """Returns ego_from_lidar: x along the front camera's view, z up, both at the LiDAR's place.

    The front camera is the one of that name, else the first with it in its name, else the first. Up is the
    axis of the LiDAR nearest to what the cameras have above them, on the whole: LiDARs are mounted level
    more often than cameras are. Where none is near, it is what is above the cameras.
    """
    named = [name for name in sorted(cam_from_lidar) if FRONT in name.lower()]
    front = FRONT if FRONT in cam_from_lidar else next(iter(named or sorted(cam_from_lidar)))
    up = _up(np.array([-transform.rotation[1] for transform in cam_from_lidar.values()]))
    ahead = cam_from_lidar[front].rotation[2]
    ahead = ahead - (ahead @ up) * up
    ahead /= np.linalg.norm(ahead)
    return SE3(np.array([ahead, np.cross(up, ahead), up]), np.zeros(3))


def _up(above_cameras: F64) -> F64:
    mean: F64 = above_cameras.mean(axis=0)
    mean /= np.linalg.norm(mean)
    axis = int(np.argmax(np.abs(mean)))
    if np.arccos(min(abs(mean[axis]), 1.0)) > UPRIGHT_WITHIN_RAD:
        return mean
    upright: F64 = np.zeros(3)
    upright[axis] = np.sign(mean[axis])
    return upright


def _size_px(path: Path, camera: str) -> tuple[int, int]:
    folder = path / IMAGES / camera
    images = sorted(file for file in folder.glob("*") if file.suffix.lower() in IMAGE_ENDINGS)
    if not images:
        raise FormatError(folder, "", "no image tells the size that the camera's model is for")
    return image_size_px(images[0])


def recognises(path: Path) -> bool:
    """Whether it is the folder of a scene; never raises."""
    try:
        file = next((path / CALIBRATION).glob("*.json"), None)
    except OSError:
        return False
    return file is not None and '"extrinsic"' in head_of(file) and '"intrinsic"' in head_of(file)


SUSTECH_RIG = RigKind(
    "sustechpoints",
    "SUSTechPOINTS calibration",
    recognises,
    read_sustech_rig,
    "the LiDAR's place, x along the front camera's view, z up",
)
