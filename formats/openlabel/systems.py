"""Coordinate systems and sensors: written from a log, and ways between them found in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, cast

import numpy as np

from calib.cameras import CameraModel, Fisheye, Pinhole
from calib.errors import CrosslabelError
from calib.rig import Rig
from calib.se3 import SE3
from formats.fields import Field
from formats.turns import NUMBERS, matrix_of_turns
from fusion.log import DriveLog

LOCAL, SCENE, SENSOR = "local_cs", "scene_cs", "sensor_cs"
EGO_NAMES = ("ego", "vehicle-iso8855", "vehicle", "base_link")
FARTHEST_M = 1e9
FEWEST_BROWN = 5


def system_names(log: DriveLog, cameras: set[str]) -> dict[str, str]:
    """What the systems are called: a camera as it is called, everything else so that no two are one.

    Keys are `ego`, `world`, and `lidar <name>`.
    """
    taken = {*log.rig.cameras, *cameras}
    names: dict[str, str] = {}
    for key, wanted in [("ego", "ego"), ("world", "world"), *((f"lidar {n}", n) for n in log.rig.lidars)]:
        while wanted in taken:
            wanted += "_"
        taken.add(wanted)
        names[key] = wanted
    return names


def systems_and_streams(
    rig: Rig, names: Mapping[str, str], cameras: set[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The coordinate systems and the streams of a rig, and of cameras that labels name beside."""
    ego, world = names["ego"], names["world"]
    mounts = {names[f"lidar {lidar.name}"]: lidar.ego_from_sensor for lidar in rig.lidars.values()}
    streams = {name: _stream("lidar") for name in mounts}
    mounts |= {camera.name: camera.ego_from_sensor for camera in rig.cameras.values()}
    streams |= {
        camera.name: _stream("camera") | {"stream_properties": _intrinsics(camera.model)}
        for camera in rig.cameras.values()
    }
    strangers = sorted(cameras - rig.cameras.keys())
    streams |= {name: _stream("camera") for name in strangers}
    systems: dict[str, Any] = {
        world: {"type": SCENE, "parent": "", "children": [ego]},
        ego: {"type": LOCAL, "parent": world, "children": [*mounts, *strangers]},
    }
    for name, ego_from_sensor in mounts.items():
        systems[name] = {"type": SENSOR, "parent": ego, "children": []}
        systems[name]["pose_wrt_parent"] = transform_data(ego_from_sensor)
    systems |= {name: {"type": SENSOR, "parent": ego, "children": []} for name in strangers}
    return systems, streams


def transform_data(dst_from_src: SE3) -> dict[str, list[float]]:
    """A transform as a quaternion, scalar last, and a translation."""
    w, x, y, z = dst_from_src.quaternion_wxyz.tolist()
    return {"quaternion": [x, y, z, w], "translation": dst_from_src.translation.tolist()}


def _stream(kind: str) -> dict[str, Any]:
    """VCD asks for the two that may be empty."""
    return {"type": kind, "description": "", "uri": ""}


def _intrinsics(model: CameraModel) -> dict[str, Any]:
    """As the standard names them; of a pinhole also as the library VCD does, which asks for nothing else."""
    size = {"width_px": model.width_px, "height_px": model.height_px}
    if isinstance(model, Pinhole):
        matrix = np.column_stack([model.matrix, np.zeros(3)]).ravel().tolist()
        lens = [*model.distortion] + [0.0] * (FEWEST_BROWN - len(model.distortion))
        said = {**size, "camera_matrix": matrix, "distortion_coeffs": lens}
        return {"intrinsics_pinhole": said | {"camera_matrix_3x4": matrix, "distortion_coeffs_1xN": lens}}
    if isinstance(model, Fisheye):
        middle = {"center_x_px": model.cx_px, "center_y_px": model.cy_px}
        focal = {"focal_length_x": model.fx_px, "focal_length_y": model.fy_px}
        return {
            "intrinsics_fisheye": {
                **size,
                **middle,
                **focal,
                "lens_coeffs": [*(model.distortion or (0.0,) * 4)],
            }
        }
    numbers = {f.name: getattr(model, f.name) for f in fields(cast(Any, model))}
    return {"intrinsics_custom": {"model": type(model).__name__, **numbers}}


class Ways:
    """The ways between the coordinate systems of a file.

    Attributes:
        ego: name of the car's system.
    """

    def __init__(self, root: Field, log: DriveLog) -> None:
        self._log = log
        self._streams = root.get("streams")
        self._fixed: dict[str, dict[str, SE3]] = {}
        self._known: tuple[str, dict[str, SE3]] = ("", {})
        listed = root.get("coordinate_systems")
        systems = dict(listed.items()) if listed else {}
        local = [name for name, system in systems.items() if _type_of(system) == LOCAL]
        self.ego = next(iter(local or [name for name in EGO_NAMES if name in systems]), EGO_NAMES[0])
        for name, system in systems.items():
            parent, place = system.get("parent"), system.get("pose_wrt_parent")
            if parent is not None and parent.value != "" and place is not None:
                parent_from_system = read_transform(place)
                _join(self._fixed, parent.text(), name, parent_from_system)

    def ego_from(self, system: Field | None, frame: Field) -> SE3 | None:
        """Returns ego_from_system in a frame; None where it is the car's own, or none is named.

        Raises:
            FormatError: the file tells no way, and no LiDAR of the log has that name.
        """
        if system is None or system.text() in ("", self.ego):
            return None
        if self._known[0] != frame.where:
            self._known = (frame.where, {})
        known, name = self._known[1], system.text()
        if name not in known:
            ego_from_system = _walk(self._ways_in(frame), self.ego, name) or self._mount(name)
            if ego_from_system is None:
                raise system.error(f"no way from the system {name!r} to that of the car, {self.ego!r}")
            known[name] = ego_from_system
        return known[name]

    def _ways_in(self, frame: Field) -> dict[str, dict[str, SE3]]:
        ways = {key: dict(there) for key, there in self._fixed.items()}
        properties = frame.get("frame_properties")
        moving = properties.get("transforms") if properties else None
        for transform in moving.values() if moving else ():
            dst_from_src = read_transform(transform["transform_src_to_dst"])
            _join(ways, transform["dst"].text(), transform["src"].text(), dst_from_src)
        return ways

    def _mount(self, name: str) -> SE3 | None:
        """Of the log's LiDAR of this name, or of its only one where the file's stream is a LiDAR."""
        lidars = self._log.rig.lidars
        if name in lidars:
            return lidars[name].ego_from_sensor
        stream = self._streams.get(name) if self._streams else None
        is_lidar = stream is not None and _type_of(stream) == "lidar"
        return next(iter(lidars.values())).ego_from_sensor if is_lidar and len(lidars) == 1 else None


def _type_of(entry: Field) -> str:
    found = entry.get("type")
    return found.text() if found else ""


def _join(ways: dict[str, dict[str, SE3]], dst: str, src: str, dst_from_src: SE3) -> None:
    ways.setdefault(src, {})[dst] = dst_from_src
    ways.setdefault(dst, {})[src] = dst_from_src.inverse()


def _walk(ways: dict[str, dict[str, SE3]], end: str, begin: str) -> SE3 | None:
    """Returns end_from_begin by the fewest steps; None where there is no way."""
    reached = {begin: SE3.identity()}
    todo = [begin]
    for here in todo:
        if here == end:
            return reached[here]
        for there, there_from_here in ways.get(here, {}).items():
            if there not in reached:
                reached[there] = there_from_here @ reached[here]
                todo.append(there)
    return None


def read_transform(data: Field) -> SE3:
    """A rigid transform: a matrix, or a translation with a quaternion (x, y, z, w) or Euler angles.

    Raises:
        FormatError: none of these, or one that cannot be.
    """
    if "matrix4x4" in data:
        return data["matrix4x4"].rigid()
    translation = np.array(data["translation"].numbers(3))
    if np.abs(translation).max() > FARTHEST_M:
        raise data.error("further away than can be")
    if "quaternion" in data:
        x, y, z, w = data["quaternion"].numbers(4)
        return turned(data, (w, x, y, z), translation)
    angles_rad = data["euler_angles"].numbers(3)
    sequence = data.get("sequence")
    order = sequence.text().upper() if sequence else "ZYX"
    if len(order) != 3 or set(order) - NUMBERS.keys():
        raise data.error(f"a sequence of axes is one such as ZYX, not {order[:20]!r}")
    return SE3(matrix_of_turns(angles_rad, order), translation)


def turned(place: Field, quaternion_wxyz: tuple[float, ...], translation: np.ndarray) -> SE3:
    """The transform of a quaternion and a translation.

    Raises:
        FormatError: the quaternion is none; names the place.
    """
    if max(map(abs, quaternion_wxyz)) > FARTHEST_M:
        raise place.error("no quaternion of length 1")
    try:
        return SE3.from_quaternion_wxyz(quaternion_wxyz, translation)
    except CrosslabelError as error:
        raise place.error(str(error)) from None
