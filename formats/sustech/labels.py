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
from formats.extras import read_attributes
from formats.fields import Field, read_json_fields
from formats.provenance import with_provenance
from formats.sustech.beside import read_beside
from formats.sustech.scene import LABELS, frame_times_ns, label_folder
from formats.turns import matrix_of_turns
from fusion.boxes import Box3D
from fusion.labels import Annotation, LabelSet, Source
from fusion.log import DriveLog

EXTRA = "crosslabel"
USED = frozenset({"psr", "obj_id", "obj_type", EXTRA})
AXES = "XYZ"
UNKNOWN = "Unknown"
ADRIFT = 1e6


def read_labels(path: Path, log: DriveLog) -> LabelSet:
    """The labels of a scene, or labels alone; every other field of an object survives in its attributes.

    An object without an id is a track of its own in each frame. The type that a track's first box has is
    its category; where a later box has another, that box says so in its attribute `obj_type`.

    Raises:
        FormatError: a file is malformed, or an id stands twice in one frame.
    """
    folder = label_folder(path, log.name)
    lidar = log.rig.main_lidar
    ego_from_lidar = SE3.identity() if lidar is None else lidar.ego_from_sensor
    extras = read_beside(folder)
    categories = {id: track.category for id, track in extras.tracks.items()}
    settled: set[str] = set()
    annotations: dict[str, dict[int, Annotation]] = {}
    for name, timestamp_ns in frame_times_ns(folder).items():
        file = folder / LABELS / f"{name}.json"
        for place, entry in enumerate(_objects(file) if file.is_file() else []):
            track_id = _id(entry) or ("" if EXTRA in entry else f"{name}/{place}")
            if track_id not in settled and (track_id not in categories or not _has_own_type(entry)):
                settled.add(track_id)
                categories[track_id] = _type(entry)
            track = annotations.setdefault(track_id, {})
            if timestamp_ns in track:
                raise entry.error(f"{track_id!r} stands twice in this frame")
            track[timestamp_ns] = _annotation(entry, timestamp_ns, ego_from_lidar, categories[track_id])
    return extras.with_annotations(annotations, categories)


def _has_own_type(entry: Field) -> bool:
    """Whether the type is that of the box alone, as an attribute that was written says."""
    extra = entry.get(EXTRA)
    return extra is not None and read_attributes(extra).get("obj_type") == _type(entry)


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
    name = found.text() if found else ""
    return name if name or EXTRA in entry else UNKNOWN


def _annotation(entry: Field, timestamp_ns: int, ego_from_lidar: SE3, category: str) -> Annotation:
    attributes = {key: field.value for key, field in entry.items() if key not in USED}
    if _type(entry) != category:
        attributes["obj_type"] = _type(entry)
    box = _box(entry["psr"], ego_from_lidar)
    extra = entry.get(EXTRA)
    if extra is None:
        return Annotation(timestamp_ns, box, Source.IMPORTED, attributes=attributes)
    attributes |= read_attributes(extra)
    return with_provenance(Annotation(timestamp_ns, box, attributes=attributes), extra)


def _box(psr: Field, ego_from_lidar: SE3) -> Box3D:
    position, scale, turns_rad = (
        [psr[part][axis].number() for axis in "xyz"] for part in ("position", "scale", "rotation")
    )
    if max(map(abs, [*position, *turns_rad])) > ADRIFT:
        raise psr.error("a box this far away, or turned so far, cannot be")
    lidar_from_box = SE3(matrix_of_turns(turns_rad, AXES), np.array(position))
    try:
        return Box3D(ego_from_lidar @ lidar_from_box, *scale)
    except CrosslabelError as error:
        raise FormatError(psr.path, psr.where, str(error)) from None
