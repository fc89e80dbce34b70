"""KITTI (Geiger et al., 2013): calib.txt of the benchmarks, and the three files of a day of raw data.

Ours and KITTI's pixel centres are whole numbers. The ego frame is the Velodyne's: x forward, y left, z up.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calib.rig import Camera, Lidar, Rig
from calib.se3 import SE3
from calib.types import F64
from formats.errors import FormatError
from formats.fields import Field
from formats.files import read_text
from formats.images import image_size_px
from formats.kitti.calibration import Calibration, camera_of, read_calibration
from formats.rigs.kind import RigKind, head_of, pinhole_of

LIDAR = "velodyne"
USUAL_SIZE_PX = (1242, 375)
CAMERA_FILE, LIDAR_FILE = "calib_cam_to_cam.txt", "calib_velo_to_cam.txt"
NUMBERS = ("00", "01", "02", "03")


def read_kitti_benchmark(path: Path, *, size_px: tuple[int, int] | None = None) -> Rig:
    """The rectified cameras of a calib.txt of the object, tracking or odometry benchmark.

    Args:
        path: of the file.
        size_px: of the images, which the file does not tell; else that of the first image beside the file,
            else KITTI's usual 1242 x 375.

    Raises:
        FormatError: missing, malformed, or not of rigid transforms.
    """
    calibration = read_calibration(path)
    size_px = size_px or _size_beside(path) or USUAL_SIZE_PX
    cameras = [camera_of(path, calibration, name, size_px) for name in sorted(calibration.projections)]
    return Rig.of((Lidar(LIDAR, SE3.identity()),), tuple(cameras))


def read_kitti_raw(path: Path, *, rectified: bool = True) -> Rig:
    """The four cameras of a day's folder with calib_cam_to_cam.txt and calib_velo_to_cam.txt.

    Args:
        path: of the folder.
        rectified: for the images of the `_sync` drives; else for those of `_extract`, with lens distortion.

    Raises:
        FormatError: a file is missing or malformed.
    """
    cameras, lidar = _tables(path / CAMERA_FILE), _tables(path / LIDAR_FILE)
    cam0_from_velo = _rigid(lidar["R"], lidar["T"])
    numbers = [number for number in NUMBERS if f"P_rect_{number}" in cameras]
    make = _rectified if rectified else _raw
    made = [make(cameras, number, cam0_from_velo) for number in numbers]
    return Rig.of((Lidar(LIDAR, SE3.identity()),), tuple(made))


def read_rigid(path: Path) -> SE3:
    """The transform of calib_imu_to_velo.txt or calib_velo_to_cam.txt, from the first frame of its name.

    Raises:
        FormatError: missing or malformed.
    """
    tables = _tables(path)
    return _rigid(tables["R"], tables["T"])


def _rectified(tables: Field, number: str, cam0_from_velo: SE3) -> Camera:
    """Labels, images and P are those of the cameras after they were turned parallel to camera 0."""
    rect0_from_cam0 = _rigid(tables["R_rect_00"], None)
    projection = tables[f"P_rect_{number}"].matrix(3, 4)
    name = f"image_{number}"
    calibration = Calibration({name: projection}, rect0_from_cam0 @ cam0_from_velo, None)
    return camera_of(tables.path, calibration, name, _size_px(tables[f"S_rect_{number}"]))


def _raw(tables: Field, number: str, cam0_from_velo: SE3) -> Camera:
    place = tables[f"K_{number}"]
    cam_from_cam0 = _rigid(tables[f"R_{number}"], tables[f"T_{number}"])
    distortion = tables[f"D_{number}"].numbers(5)
    model = pinhole_of(place, place.matrix(3, 3), _size_px(tables[f"S_{number}"]), distortion)
    cam_from_velo = cam_from_cam0 @ cam0_from_velo
    return Camera(f"image_{number}", cam_from_velo.inverse(), model)


def _rigid(turn: Field, offset: Field | None) -> SE3:
    offset_m: F64 = np.zeros(3) if offset is None else np.array(offset.numbers(3))
    stacked = np.column_stack([turn.matrix(3, 3), offset_m])
    return Field(turn.path, turn.where, stacked.tolist()).rigid()


def _size_px(field: Field) -> tuple[int, int]:
    width, height = field.numbers(2)
    return field.size_px(int(width), int(height))


def _tables(path: Path) -> Field:
    """Lines of `key: numbers`; what is no number (the date) is left out."""
    tables: dict[str, list[float]] = {}
    for line in read_text(path).splitlines():
        key, colon, rest = line.partition(":")
        try:
            numbers = [float(word) for word in rest.split()]
        except ValueError:
            continue
        if colon and numbers:
            tables[key.strip()] = numbers
    if not tables:
        raise FormatError(path, "", "holds no lines of numbers under a key")
    return Field(path, "", tables)


def _size_beside(path: Path) -> tuple[int, int] | None:
    """Of an image of the same sequence or frame in the tree that KITTI's benchmarks have."""
    training = path.parent.parent
    for candidates in (
        training.glob(f"image_02/{path.stem}/*.[pj][np]g"),
        training.glob(f"image_2/{path.stem}.[pj][np]g"),
    ):
        for image in candidates:
            return image_size_px(image)
    return None


def recognises_benchmark(path: Path) -> bool:
    """Whether it looks like a calib.txt; never raises."""
    head = head_of(path) if path.suffix == ".txt" else ""
    return "P2:" in head and ("Tr_velo" in head)


def recognises_raw(path: Path) -> bool:
    """Whether it is a folder of a day of raw data; never raises."""
    return (path / CAMERA_FILE).is_file() and (path / LIDAR_FILE).is_file()


KITTI_BENCHMARK = RigKind(
    "kitti", "KITTI calib.txt", recognises_benchmark, read_kitti_benchmark, "the Velodyne's frame"
)
KITTI_RAW = RigKind(
    "kitti_raw", "KITTI raw calibration", recognises_raw, read_kitti_raw, "the Velodyne's frame"
)
