"""Labels of SUSTechPOINTS: boxes in the frame of the LiDAR, a file a frame.

`psr` is position (the centre), scale (length, width, height) and rotation: Euler angles of the matrix
`Rx @ Ry @ Rz`, as the program's own tools multiply them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calib.errors import CrosslabelError
from calib.se3 import SE3
from formats.errors import FormatError
from formats.rigs.fields import Field, read_json_fields
from formats.sustech.scene import LABELS, frame_times_ns, scene_folder
from fusion.boxes import Box3D
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.log import DriveLog

USED = frozenset({"psr", "obj_id", "obj_type"})
UNKNOWN = "Unknown"
ADRIFT = 1e6


def read_labels(path: Path, log: DriveLog) -> LabelSet:
    """The labels of a scene; every other field of an object survives in its attributes.

    An object without an id is a track of its own in each frame. The type that a track's first box has is
    its category; where a later box has another, that box says so in its attribute `obj_type`.

    Raises:
        FormatError: a file is malformed, or an id stands twice in one frame.
    """
    folder = scene_folder(path, log.name)
    lidar = log.rig.main_lidar
    ego_from_lidar = SE3.identity() if lidar is None else lidar.ego_from_sensor
    categories: dict[str, str] = {}
    annotations: dict[str, dict[int, Annotation]] = {}
    for name, timestamp_ns in frame_times_ns(folder).items():
        file = folder / LABELS / f"{name}.json"
        for place, entry in enumerate(_objects(file) if file.is_file() else []):
            track_id = _id(entry) or f"{name}/{place}"
            category = categories.setdefault(track_id, _type(entry))
            track = annotations.setdefault(track_id, {})
            if timestamp_ns in track:
                raise entry["obj_id"].error(f"{track_id!r} stands twice in this frame")
            track[timestamp_ns] = _annotation(entry, timestamp_ns, ego_from_lidar, category)
    return LabelSet.of(Track.of(id, categories[id], each.values()) for id, each in annotations.items())


def _objects(path: Path) -> list[Field]:
    """A list of objects, or (in later versions) a table with the list under `objs`."""
    root = read_json_fields(path)
    return (root["objs"] if isinstance(root.value, dict) else root).entries()


def _id(entry: Field) -> str:
    found = entry.get("obj_id")
    if found is None:
        return ""
    if type(found.value) not in (str, int):
        raise found.error("an id is a text or a whole number")
    return str(found.value)


def _type(entry: Field) -> str:
    found = entry.get("obj_type")
    return found.text() or UNKNOWN if found else UNKNOWN


def _annotation(entry: Field, timestamp_ns: int, ego_from_lidar: SE3, category: str) -> Annotation:
    attributes = {key: field.value for key, field in entry.items() if key not in USED}
    if _type(entry) != category:
        attributes["obj_type"] = _type(entry)
    box = _box(entry["psr"], ego_from_lidar)
    return Annotation(timestamp_ns, box, Source.IMPORTED, attributes=attributes)


def _box(psr: Field, ego_from_lidar: SE3) -> Box3D:
    position, scale, turns_rad = (
        [psr[part][axis].number() for axis in "xyz"] for part in ("position", "scale", "rotation")
    )
    if max(map(abs, [*position, *turns_rad])) > ADRIFT:
        raise psr.error("a box this far away, or turned so far, cannot be")
    about_x, about_y, about_z = (
        SE3.from_rotation_vector([angle if k == axis else 0.0 for k in range(3)])
        for axis, angle in enumerate(turns_rad)
    )
    turn = about_x @ about_y @ about_z
    lidar_from_box = SE3(turn.rotation, np.array(position))
    try:
        return Box3D(ego_from_lidar @ lidar_from_box, *scale)
    except CrosslabelError as error:
        raise FormatError(psr.path, psr.where, str(error)) from None
