"""Crosslabel's own file of a rig, `rig.json`: everything a `Rig` holds, to the last bit.

    {"crosslabel_rig": 1,
     "first_pixel_centre_px": [0, 0],
     "lidars": [{"name": "top", "ego_from_sensor": {"quaternion_wxyz": [...], "translation_m": [...]}}],
     "cameras": [{"name": "front", "ego_from_sensor": {...}, "model": {"model": "pinhole", "fx_px": ...}}]}

The ego frame is x forward, y left, z up; `points_ego = ego_from_sensor @ points_sensor`. Cameras may carry a
`provenance`. A written file also holds the rotation matrix where the quaternion alone would lose its last
bits; what a person writes needs none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from calib.cameras import MODELS, CameraModel
from calib.errors import CalibrationError
from calib.rig import Camera, Lidar, Rig
from calib.se3 import SE3
from formats.errors import FormatError
from formats.fields import Field, read_json_fields
from formats.files import write_text
from formats.rigs.kind import RigKind, head_of
from formats.rigs.plain import from_plain, to_plain

FILE_NAME = "rig.json"
VERSION_KEY, VERSION = "crosslabel_rig", 1
PIXEL_KEY = "first_pixel_centre_px"
MOST_SENSORS = 1000
TOP_KEYS = (VERSION_KEY, PIXEL_KEY, "lidars", "cameras")
AGREEMENT = 1e-9
# A list without brackets, braces or texts in it; a line break cannot stand inside a text of JSON.
BROKEN_LIST = re.compile(r"\[\n([^\[\]{}\"]*)\n\s*\]")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a camera's place comes from.

    Attributes:
        made_by: program, data set or person.
        made_at: when, as a text.
        sigma_rad: standard deviations of the turns about the camera's x, y and z axes; empty if not known.
        sigma_m: of the shifts along them.
        note: anything else.
    """

    made_by: str
    made_at: str = ""
    sigma_rad: tuple[float, ...] = ()
    sigma_m: tuple[float, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class RigFile:
    """What a file holds.

    Attributes:
        rig: the sensors.
        provenance: by name of a camera, of those that have one.
    """

    rig: Rig
    provenance: Mapping[str, Provenance] = field(default_factory=dict)


def read_rig(path: Path) -> RigFile:
    """A rig with what is said of where it comes from; `path` may be the folder that holds rig.json.

    Raises:
        FormatError: missing, malformed, of a later version, or with a sensor that cannot be.
    """
    return rig_in(read_json_fields(path / FILE_NAME if path.is_dir() else path))


def rig_in(root: Field) -> RigFile:
    """The same of JSON that stands anywhere.

    Raises:
        FormatError: malformed, of a later version, or with a sensor that cannot be.
    """
    if VERSION_KEY not in root:
        raise root.error(f"not a rig of Crosslabel: without the key {VERSION_KEY!r}")
    if root[VERSION_KEY].whole() != VERSION:
        raise root[VERSION_KEY].error(f"version {root[VERSION_KEY].whole()}, this program reads {VERSION}")
    for key, part in root.items():
        if key not in TOP_KEYS:
            raise part.error(f"there is no such field; known are {', '.join(TOP_KEYS)}")
    if PIXEL_KEY in root and root[PIXEL_KEY].numbers(2) != [0, 0]:
        raise root[PIXEL_KEY].error("the centre of the first pixel is (0, 0) in this version")
    lidars = [_lidar(entry) for entry in _entries(root, "lidars")]
    cameras = [_camera(entry) for entry in _entries(root, "cameras")]
    provenance = {
        camera.name: _provenance(entry["provenance"])
        for camera, entry in zip(cameras, _entries(root, "cameras"), strict=True)
        if "provenance" in entry
    }
    try:
        return RigFile(Rig.of(tuple(lidars), tuple(cameras)), provenance)
    except CalibrationError as error:
        raise root.error(str(error)) from None


def write_rig(path: Path, rig: Rig, provenance: Mapping[str, Provenance] | None = None) -> None:
    """Writes a rig whole or not at all; `path` may be a folder, in which rig.json is made.

    Raises:
        FormatError: it cannot be written, or a camera has a model that no table knows.
    """
    file = path / FILE_NAME if path.is_dir() else path
    write_text(file, json_text(file, rig_table(file, rig, provenance)))


def rig_table(file: Path, rig: Rig, provenance: Mapping[str, Provenance] | None = None) -> dict[str, Any]:
    """A rig as keys and values of JSON, for a file that errors are laid to.

    Raises:
        FormatError: a camera has a model that no table knows.
    """
    said = provenance or {}
    for name in said:
        if name not in rig.cameras:
            raise FormatError(file, "", f"provenance of a camera {name!r} that the rig has not")
    cameras = []
    for camera in rig.cameras.values():
        entry = _sensor(camera) | {"model": _model_table(file, camera)}
        cameras.append(entry | ({"provenance": to_plain(said[camera.name])} if camera.name in said else {}))
    lidars = [_sensor(lidar) for lidar in rig.lidars.values()]
    return {VERSION_KEY: VERSION, PIXEL_KEY: [0, 0], "lidars": lidars, "cameras": cameras}


def json_text(path: Path, content: dict[str, Any]) -> str:
    """JSON with a line a key; lists of numbers stay on one line.

    Raises:
        FormatError: a number is not finite; names the file that was to be written.
    """
    try:
        text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False)
    except ValueError as error:
        raise FormatError(path, "", f"cannot be written as JSON: {error}") from None
    return BROKEN_LIST.sub(lambda match: f"[{' '.join(match[1].split())}]", text) + "\n"


def _sensor(sensor: Lidar | Camera) -> dict[str, Any]:
    """The name first, then the place, then all that is plain."""
    plain = to_plain(sensor, ("name", "ego_from_sensor", "model"))
    return {"name": sensor.name, "ego_from_sensor": _place(sensor.ego_from_sensor), **plain}


def _place(ego_from_sensor: SE3) -> dict[str, Any]:
    quaternion = ego_from_sensor.quaternion_wxyz
    place = {"quaternion_wxyz": quaternion.tolist(), "translation_m": ego_from_sensor.translation.tolist()}
    again = SE3.from_quaternion_wxyz(quaternion, ego_from_sensor.translation)
    if again.rotation.tobytes() != ego_from_sensor.rotation.tobytes():
        place["rotation"] = ego_from_sensor.rotation.tolist()
    return place


def _model_table(path: Path, camera: Camera) -> dict[str, Any]:
    for name, family in MODELS.items():
        if type(camera.model) is family:
            return {"model": name, **to_plain(camera.model)}
    kind = type(camera.model).__name__
    raise FormatError(path, camera.name, f"{kind} is no camera model that can be written")


def _entries(root: Field, key: str) -> list[Field]:
    entries = root[key].entries() if key in root else []
    if len(entries) > MOST_SENSORS:
        raise root[key].error(f"more than {MOST_SENSORS} sensors")
    return entries


def _lidar(entry: Field) -> Lidar:
    given = {"name": entry["name"].text(), "ego_from_sensor": _read_place(entry["ego_from_sensor"])}
    return _made(entry, Lidar, _without(entry, "name", "ego_from_sensor"), given)


def _camera(entry: Field) -> Camera:
    given = {
        "name": entry["name"].text(),
        "ego_from_sensor": _read_place(entry["ego_from_sensor"]),
        "model": _read_model(entry["model"]),
    }
    rest = _without(entry, "name", "ego_from_sensor", "model", "provenance")
    return _made(entry, Camera, rest, given)


def _provenance(entry: Field) -> Provenance:
    made = _made(entry, Provenance, entry, {})
    for name in ("sigma_rad", "sigma_m"):
        sigma = getattr(made, name)
        if len(sigma) not in (0, 3) or any(part < 0 for part in sigma):
            raise entry[name].error("needs three standard deviations, none of them negative")
    return made


def _read_model(entry: Field) -> CameraModel:
    name = entry["model"].text()
    family: type[CameraModel] | None = MODELS.get(name)
    if family is None:
        known = ", ".join(MODELS)
        raise entry["model"].error(f"there is no camera model {name[:40]!r}; known are {known}")
    if "width_px" in entry and "height_px" in entry:
        entry.size_px(entry["width_px"], entry["height_px"])
    return _made(entry, family, _without(entry, "model"), {})


def _made(entry: Field, kind: type[Made], rest: Field, given: dict[str, Any]) -> Made:
    try:
        return kind(**from_plain(rest, kind, given))
    except CalibrationError as error:
        raise entry.error(str(error)) from None


def _without(entry: Field, *names: str) -> Field:
    return Field(
        entry.path, entry.where, {key: part.value for key, part in entry.items() if key not in names}
    )


def _read_place(entry: Field) -> SE3:
    """From the quaternion, or from the matrix beside it if both say the same."""
    for key, part in entry.items():
        if key not in ("quaternion_wxyz", "translation_m", "rotation"):
            raise part.error("there is no such field; known are quaternion_wxyz, translation_m, rotation")
    quaternion, translation_m = entry["quaternion_wxyz"].numbers(4), entry["translation_m"].numbers(3)
    if not 0.99 < np.linalg.norm(quaternion) < 1.01:
        raise entry["quaternion_wxyz"].error(f"must have length 1, not {np.linalg.norm(quaternion):.4g}")
    try:
        ego_from_sensor = SE3.from_quaternion_wxyz(quaternion, translation_m)
        if "rotation" not in entry:
            return ego_from_sensor
        exact = SE3(entry["rotation"].matrix(3, 3), np.array(translation_m))
    except CalibrationError as error:
        raise entry.error(str(error)) from None
    if not exact.is_close(ego_from_sensor, AGREEMENT):
        raise entry["rotation"].error("says something else than quaternion_wxyz; leave it out after a change")
    return exact


def recognises(path: Path) -> bool:
    """Whether it is our file, or a folder with one; never raises."""
    file = path / FILE_NAME if path.is_dir() else path
    return file.suffix == ".json" and f'"{VERSION_KEY}"' in head_of(file)


RIG_JSON = RigKind(
    name="crosslabel",
    title="Crosslabel rig",
    recognises=recognises,
    read=lambda path: read_rig(path).rig,
    ego="x forward, y left, z up, as the file's writer chose it",
)
