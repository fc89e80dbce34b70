"""The sensors of a segment.

A camera's frame is x forward, y left, z up in Waymo's terms, and pixel 0 begins at the left edge of the
first pixel.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calib.cameras import Pinhole
from calib.errors import CalibrationError
from calib.rig import Camera, Lidar, ReadoutDirection, Rig
from formats.errors import FormatError
from formats.rigs.kind import LOOKING_AHEAD
from formats.waymo.component import CAMERA, LASER, Component
from formats.waymo.folder import component_file

LIDARS = {1: "LIDAR_TOP", 2: "LIDAR_FRONT", 3: "LIDAR_SIDE_LEFT", 4: "LIDAR_SIDE_RIGHT", 5: "LIDAR_REAR"}
CAMERAS = {
    1: "CAM_FRONT",
    2: "CAM_FRONT_LEFT",
    3: "CAM_FRONT_RIGHT",
    4: "CAM_SIDE_LEFT",
    5: "CAM_SIDE_RIGHT",
    6: "CAM_REAR_LEFT",
    7: "CAM_REAR",
    8: "CAM_REAR_RIGHT",
}
READOUTS: dict[int, ReadoutDirection] = {1: "down", 2: "right", 3: "up", 4: "left"}
INTRINSICS = ("f_u", "f_v", "c_u", "c_v", "k1", "k2", "p1", "p2", "k3")
HALF_PX = 0.5
MOST_IMAGE_PX = 1 << 16


def read_rig(root: Path, log_id: str, shutters_ns: dict[int, tuple[int, int]]) -> Rig:
    """The sensors that have a calibration, TOP first.

    Args:
        root: folder of the components.
        log_id: name of the segment.
        shutters_ns: by number of a camera, how long the readout of an image takes, and one exposure.

    Raises:
        FormatError: a calibration is malformed.
    """
    lidars, cameras = _lidars(root, log_id), _cameras(root, log_id, shutters_ns)
    try:
        return Rig.of(tuple(lidars), tuple(cameras))
    except CalibrationError as error:
        raise FormatError(root, log_id, str(error)) from None


def _lidars(root: Path, log_id: str) -> list[Lidar]:
    file = component_file(root, "lidar_calibration", log_id)
    if not file.is_file():
        return []
    table = Component(file, "LiDARCalibrationComponent")
    places = table.transforms(table.column("extrinsic.transform"))
    numbers = table.whole(LASER).tolist()
    pairs = sorted(zip(numbers, places, strict=True), key=lambda pair: pair[0])
    return [Lidar(sensor_name(LIDARS, number, file), place) for number, place in pairs]


def _cameras(root: Path, log_id: str, shutters_ns: dict[int, tuple[int, int]]) -> list[Camera]:
    file = component_file(root, "camera_calibration", log_id)
    if not file.is_file():
        return []
    table = Component(file, "CameraCalibrationComponent")
    places = table.transforms(table.column("extrinsic.transform"))
    lenses = table.numbers(*(table.column(f"intrinsic.{name}") for name in INTRINSICS))
    sizes_px = table.numbers(table.column("width"), table.column("height"))
    readouts = table.whole(table.column("rolling_shutter_direction")).tolist()
    cameras = []
    for row, number in enumerate(table.whole(CAMERA).tolist()):
        f_u, f_v, c_u, c_v, k1, k2, p1, p2, k3 = lenses[row].tolist()
        width_px, height_px = sizes_px[row].tolist()
        if not (0 < width_px <= MOST_IMAGE_PX and 0 < height_px <= MOST_IMAGE_PX):
            raise FormatError(file, f"row {row}", f"an image cannot be {width_px:g} x {height_px:g} pixels")
        size_px = (int(width_px), int(height_px))
        distortion = (k1, k2, p1, p2, k3) if any((k1, k2, p1, p2, k3)) else ()
        rolling = readouts[row] in READOUTS
        readout_ns, exposure_ns = shutters_ns.get(number, (0, 0))
        try:
            model = Pinhole(f_u, f_v, c_u - HALF_PX, c_v - HALF_PX, *size_px, distortion)
            camera = Camera(
                sensor_name(CAMERAS, number, file),
                places[row] @ LOOKING_AHEAD,
                model,
                readout_ns if rolling else 0,
                exposure_ns,
                READOUTS.get(readouts[row], "down"),
            )
        except CalibrationError as error:
            raise FormatError(file, f"row {row}", str(error)) from None
        cameras.append((number, camera))
    return [camera for _, camera in sorted(cameras, key=lambda pair: pair[0])]


def inclinations_rad(table: Component, row: int, beams: int) -> np.ndarray:
    """(H,) elevations of the beams of a LiDAR, from the top row of its range image down.

    Raises:
        FormatError: their number is not that of the rows.
    """
    listed = table.lists(table.column("beam_inclination.values"))[row]
    if listed is None or not len(listed):
        names = (table.column("beam_inclination.min"), table.column("beam_inclination.max"))
        lowest, highest = table.numbers(*names)[row].tolist()
        listed = lowest + (np.arange(beams) + 0.5) / beams * (highest - lowest)
    if len(listed) != beams:
        where = f"row {row}"
        raise FormatError(table.path, where, f"{len(listed)} inclinations of beams for {beams} rows")
    return np.asarray(listed[::-1], dtype=np.float64)


def sensor_name(names: dict[int, str], number: int, file: Path) -> str:
    """The name of a sensor by its number.

    Raises:
        FormatError: there is no such sensor.
    """
    if number not in names:
        raise FormatError(file, "", f"there is no sensor {number}")
    return names[number]
