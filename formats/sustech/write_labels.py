"""Labels written as SUSTechPOINTS has them: a file a frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from calib.se3 import SE3
from formats.errors import FormatError
from formats.files import write_json
from formats.provenance import provenance, require_near, spread
from formats.sustech.beside import folder_of_log, write_beside
from formats.sustech.labels import ADRIFT, AXES, EXTRA, USED
from formats.sustech.scene import FRAME_NS, LABELS
from formats.turns import turns_of_matrix
from fusion.boxes import Box3D
from fusion.labels import Annotation, LabelSet, Track
from fusion.log import DriveLog

SECOND_NS = 1_000_000_000
MOST_NUMBERED, LATEST_NS = 1_000_000, 10**10 * SECOND_NS


def write_labels(path: Path, log: DriveLog, labels: LabelSet) -> None:
    """Writes `<log>/label/<frame>.json` into a folder, and `<log>/crosslabel.json` with all else.

    Raises:
        FormatError: it cannot be written, an instant has no name (before 0, or after the year 2286), or a
            box is further away than the reader believes.
    """
    write_scene_labels(folder_of_log(path, log.name), mount_of_main_lidar(log), labels)


def mount_of_main_lidar(log: DriveLog) -> SE3:
    """Returns ego_from_lidar; without a LiDAR points and boxes are in the car's own frame."""
    lidar = log.rig.main_lidar
    return SE3.identity() if lidar is None else lidar.ego_from_sensor


def write_scene_labels(folder: Path, ego_from_lidar: SE3, labels: LabelSet) -> None:
    """Writes the labels of one scene into its folder.

    Raises:
        FormatError: as `write_labels`.
    """
    require_near(folder, labels, ADRIFT / 2)
    lidar_from_ego = ego_from_lidar.inverse()
    for timestamp_ns in labels.timestamps_ns():
        here = labels.at(timestamp_ns)
        objects = [_object(track, annotation, lidar_from_ego) for track, annotation in here]
        write_json(folder / LABELS / f"{frame_name(folder, timestamp_ns)}.json", objects)
    write_beside(folder, ego_from_lidar, labels)


def frame_name(folder: Path, timestamp_ns: int) -> str:
    """The name of a frame: tenths of a second as their number, else seconds with a decimal point.

    Raises:
        FormatError: there is none.
    """
    number, rest = divmod(timestamp_ns, FRAME_NS)
    if rest == 0 and 0 <= number < MOST_NUMBERED:
        return f"{number:06d}"
    if not 0 <= timestamp_ns < LATEST_NS:
        raise FormatError(folder, "", f"an instant of {timestamp_ns} ns cannot be the name of a frame")
    return f"{timestamp_ns // SECOND_NS}.{timestamp_ns % SECOND_NS:09d}"


def _object(track: Track, annotation: Annotation, lidar_from_ego: SE3) -> dict[str, Any]:
    """An object; a type of its own, as a box from SUSTechPOINTS may have, goes before its track's."""
    free, taken = spread(annotation.attributes, USED)
    own_type = annotation.attributes.get("obj_type")
    return {
        "psr": _psr(annotation.box, lidar_from_ego),
        "obj_type": own_type if own_type and isinstance(own_type, str) else track.category,
        "obj_id": track.id,
        **free,
        EXTRA: provenance(annotation) | ({"attributes": taken} if taken else {}),
    }


def _psr(box: Box3D, lidar_from_ego: SE3) -> dict[str, dict[str, float]]:
    lidar_from_box = lidar_from_ego @ box.ego_from_box
    parts = {
        "position": lidar_from_box.translation,
        "scale": box.size_lwh_m,
        "rotation": turns_of_matrix(lidar_from_box.rotation, AXES),
    }
    return {name: dict(zip("xyz", np.asarray(part).tolist(), strict=True)) for name, part in parts.items()}
