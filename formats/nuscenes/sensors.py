"""Sensors: their channels in nuScenes, and their calibration as rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from calib.cameras import CameraModel, Fisheye, Pinhole
from calib.errors import CalibrationError
from calib.rig import Camera, Lidar, Rig
from calib.se3 import SE3, SE3Batch
from formats.nuscenes.tables import Row

MAIN_LIDAR = "LIDAR_TOP"
# Where the six cameras of nuScenes look, counter-clockwise from straight ahead.
CHANNEL_YAWS_DEG = {
    "CAM_FRONT": 0.0,
    "CAM_FRONT_LEFT": 55.0,
    "CAM_FRONT_RIGHT": -55.0,
    "CAM_BACK": 180.0,
    "CAM_BACK_LEFT": 110.0,
    "CAM_BACK_RIGHT": -110.0,
}
FARTHEST_DEG = 40.0
MODELS: dict[str, type[Pinhole] | type[Fisheye]] = {"pinhole": Pinhole, "fisheye": Fisheye}


def channels_of(rig: Rig) -> dict[tuple[str, str], str]:
    """The channel of every sensor, by (modality, name).

    The main LiDAR is LIDAR_TOP. Each camera gets the one of the six channels that it looks along,
    the best fit first; one that looks elsewhere, or the same way as another, gets CAM_<NAME>.
    """
    main = rig.main_lidar
    lidars = {main.name: MAIN_LIDAR} if main else {}
    cameras = _surround(rig)
    taken = {MAIN_LIDAR, *cameras.values()}
    channels = {}
    for name in rig.lidars:
        channels["lidar", name] = lidars.get(name) or free_channel("LIDAR", name, taken)
        taken.add(channels["lidar", name])
    for name in rig.cameras:
        channels["camera", name] = cameras.get(name) or free_channel("CAM", name, taken)
        taken.add(channels["camera", name])
    return channels


def _surround(rig: Rig) -> dict[str, str]:
    """Cameras that keep or get one of the six channels."""
    chosen = {name: name for name in rig.cameras if name in CHANNEL_YAWS_DEG}
    fits = []
    for order, (name, camera) in enumerate(rig.cameras.items()):
        axis = camera.ego_from_sensor.rotation[:, 2]
        for channel, yaw_deg in CHANNEL_YAWS_DEG.items():
            yaw_rad = np.radians(yaw_deg)
            cosine = axis[0] * np.cos(yaw_rad) + axis[1] * np.sin(yaw_rad)
            angle_deg = float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
            fits.append((round(angle_deg, 6), order, name, channel))
    for angle_deg, _, name, channel in sorted(fits):
        if angle_deg <= FARTHEST_DEG and name not in chosen and channel not in chosen.values():
            chosen[name] = channel
    return chosen


def free_channel(prefix: str, name: str, taken: set[str]) -> str:
    """The channel of a sensor that has none of nuScenes': its name with a prefix, numbered if need be."""
    plain = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    stem = plain if plain.startswith(f"{prefix}_") else f"{prefix}_{plain}".rstrip("_")
    channel, number = stem, 2
    while channel in taken or (channel in CHANNEL_YAWS_DEG and channel != name):
        channel, number = f"{stem}_{number}", number + 1
    return channel


def calibration_of(sensor: Lidar | Camera) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of nuScenes for a sensor in its place, and those that nuScenes has no place for.

    Raises:
        CalibrationError: a camera model of an unknown kind.
    """
    fields: dict[str, Any] = {
        "translation": sensor.ego_from_sensor.translation.tolist(),
        "rotation": sensor.ego_from_sensor.quaternion_wxyz.tolist(),
        "camera_intrinsic": [],
    }
    if isinstance(sensor, Lidar):
        return fields, {"beam_offset_ns": list(sensor.beam_offset_ns)} if sensor.beam_offset_ns else {}
    model = sensor.model
    if not isinstance(model, Pinhole | Fisheye):
        raise CalibrationError(
            f"camera {sensor.name}: nuScenes has no place for a {type(model).__name__}; "
            "its images can be written undistorted, as those of a pinhole"
        )
    fields["camera_intrinsic"] = model.matrix.tolist()
    if model.distortion:
        fields["camera_distortion"] = list(model.distortion)
    kind = next(name for name, family in MODELS.items() if type(model) is family)
    size_px = [model.width_px, model.height_px]
    shutter = {"readout_ns": sensor.readout_ns, "exposure_ns": sensor.exposure_ns, "readout": sensor.readout}
    widest = {"max_angle_rad": model.max_angle_rad} if isinstance(model, Fisheye) else {}
    return fields, {"model": kind, "size_px": size_px, **widest, **shutter}


def poses_of(rows: Sequence[Row]) -> SE3Batch:
    """The poses in rows of calibrated_sensor, ego_pose or sample_annotation, all at once.

    Raises:
        FormatError: no numbers, or no rotation; names the row.
    """
    quaternions = [row.numbers("rotation", 4) for row in rows]
    places = [row.numbers("translation", 3) for row in rows]
    try:
        return SE3Batch.from_quaternions_wxyz(quaternions, places)
    except CalibrationError as error:
        if len(rows) == 1:
            raise rows[0].error(str(error)) from None
        for row in rows:
            poses_of([row])
        raise


def place_of(row: Row) -> SE3:
    """Returns ego_from_sensor of a row of calibrated_sensor.

    Raises:
        FormatError: no numbers, or no rotation.
    """
    return poses_of([row])[0]


def camera_of(row: Row, name: str, size_px: tuple[int, int]) -> Camera:
    """A camera from a row of calibrated_sensor.

    Args:
        row: the row; its `camera_distortion`, if any, is in OpenCV's order.
        name: name of the sensor.
        size_px: width and height of its images.

    Raises:
        FormatError: an intrinsic matrix or a distortion that cannot be.
    """
    place = place_of(row)
    times_ns = (_whole_ns(row, "readout_ns"), _whole_ns(row, "exposure_ns"))
    try:
        return Camera(name, place, _model_of(row, size_px), *times_ns, row.extra.get("readout", "down"))
    except CalibrationError as error:
        raise row.error(str(error)) from None


def _model_of(row: Row, size_px: tuple[int, int]) -> CameraModel:
    family = MODELS.get(row.extra.get("model", "pinhole"))
    if family is None:
        raise row.error(f"there is no camera model {row.extra['model']!r}")
    matrix = row.fields.get("camera_intrinsic")
    try:
        (fx_px, skew, cx_px), (low, fy_px, cy_px), last = np.array(matrix, dtype=np.float64)
        distortion = tuple(np.array(row.fields.get("camera_distortion") or (), dtype=np.float64))
    except (TypeError, ValueError):
        raise row.error("camera_intrinsic must be 3 x 3 numbers") from None
    if abs(skew) > 1e-9 or abs(low) > 1e-9 or tuple(last) != (0, 0, 1):
        raise row.error("camera_intrinsic has a skew or a last row other than 0 0 1")
    numbers = (float(fx_px), float(fy_px), float(cx_px), float(cy_px), *size_px, distortion)
    try:
        if family is Fisheye:
            return Fisheye(*numbers, row.extra.get("max_angle_rad", np.pi))
        return family(*numbers)
    except CalibrationError as error:
        raise row.error(str(error)) from None


def lidar_of(row: Row, name: str) -> Lidar:
    """The LiDAR in a row of calibrated_sensor.

    Raises:
        FormatError: a field is not what it should be.
    """
    offsets_ns = row.extra.get("beam_offset_ns", [])
    if not isinstance(offsets_ns, list) or not all(type(value) is int for value in offsets_ns):
        raise row.error("beam_offset_ns must be a list of whole numbers")
    return Lidar(name, place_of(row), tuple(offsets_ns))


def _whole_ns(row: Row, name: str) -> int:
    value = row.extra.get(name, 0)
    if type(value) is not int:
        raise row.error(f"{name} must be a whole number")
    return value
