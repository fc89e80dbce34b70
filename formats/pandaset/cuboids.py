"""PandaSet's cuboids as tracks.

An object that both LiDARs see has two cuboids, each on the points of its own LiDAR, which meets a moving
object some milliseconds earlier or later. They name each other in `cuboids.sibling_id`, at times only
one the other, or misspelt. The cuboid of the forward LiDAR (sensor 1) is left out where its sibling
stands in the same frame; where it stands alone it counts, as part of the sibling's track.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from calib.errors import CrosslabelError
from calib.se3 import SE3
from formats.errors import FormatError
from formats.pandaset.folder import EGO_FROM_POSED, frame_file, read_posed, sequence_folder
from formats.pickles import read_frame
from fusion.boxes import Box3D
from fusion.labels import Annotation, Json, LabelSet, Source, Track
from fusion.log import DriveLog

Row = Mapping[str, Json]
SPINNING, FORWARD = 0, 1
PLACE = ("position.x", "position.y", "position.z")
SIZE_LWH = ("dimensions.y", "dimensions.x", "dimensions.z")
USED = frozenset({"uuid", "label", "yaw", *PLACE, *SIZE_LWH})
NOTHING = "-"


def read_labels(path: Path, log: DriveLog) -> LabelSet:
    """The cuboids of a sequence, in the ego frames that PandaSet's own poses give.

    Raises:
        FormatError: a table or a cuboid in it is malformed.
    """
    folder = sequence_folder(path, log.name)
    lidar = read_posed(folder / "lidar")
    files = [
        folder / "annotations" / "cuboids" / frame_file(frame, ".pkl.gz")
        for frame in range(len(lidar.timestamps_ns))
    ]
    frames = [_read_rows(file) if file.is_file() else {} for file in files]
    spinning_of = _siblings(row for rows in frames for row in rows.values())
    categories: dict[str, str] = {}
    annotations: dict[str, list[Annotation]] = {}
    for frame, (file, rows) in enumerate(zip(files, frames, strict=True)):
        world_from_ego = lidar.world_from_sensor[frame] @ EGO_FROM_POSED.inverse()
        for uuid, row in rows.items():
            track_id = spinning_of.get(uuid, uuid)
            if track_id != uuid and track_id in rows:
                continue
            box = _box(file, row, world_from_ego.inverse())
            annotation = Annotation(
                int(lidar.timestamps_ns[frame]), box, Source.IMPORTED, attributes=_attributes(row)
            )
            categories.setdefault(track_id, str(row["label"]))
            annotations.setdefault(track_id, []).append(annotation)
    return LabelSet.of(Track.of(id, categories[id], each) for id, each in annotations.items())


def _read_rows(path: Path) -> dict[str, Row]:
    table = {name: column.tolist() for name, column in read_frame(path).items()}
    for name in sorted(USED):
        if name not in table:
            raise FormatError(path, "", f"without the column {name!r}")
    rows: dict[str, Row] = {}
    for values in zip(*table.values(), strict=True):
        row = dict(zip(table, values, strict=True))
        uuid = row["uuid"]
        if not isinstance(uuid, str) or uuid in rows or not isinstance(row["label"], str):
            raise FormatError(path, f"row {len(rows)}", "a cuboid needs a label and a uuid of its own")
        rows[uuid] = row
    return rows


def _siblings(rows: Iterable[Row]) -> dict[str, str]:
    """For each cuboid of the forward LiDAR the one of the spinning LiDAR, by the word of either."""
    sensors: dict[str, Json] = {}
    pairs: list[tuple[str, str]] = []
    for row in rows:
        uuid, other = str(row["uuid"]), str(row.get("cuboids.sibling_id"))
        sensors[uuid] = row.get("cuboids.sensor_id")
        pairs += [(uuid, other), (other, uuid)]
    return {
        uuid: other
        for uuid, other in pairs
        if sensors.get(uuid) == FORWARD and sensors.get(other) == SPINNING
    }


def _box(path: Path, row: Row, ego_from_world: SE3) -> Box3D:
    """Yaw 0 points along +y of the world, so the length lies a quarter turn further on."""
    try:
        numbers = np.array([row[name] for name in (*PLACE, *SIZE_LWH, "yaw")], dtype=np.float64)
        if not np.isfinite(numbers).all():
            raise ValueError("a number that is not finite")
        length_m, width_m, height_m, yaw_rad = numbers[3:].tolist()
        world_from_box = SE3.from_yaw(yaw_rad + np.pi / 2, numbers[:3])
        return Box3D(ego_from_world @ world_from_box, length_m, width_m, height_m)
    except (CrosslabelError, TypeError, ValueError) as error:
        raise FormatError(path, f"cuboid {row['uuid']}", str(error)) from None


def _attributes(row: Row) -> dict[str, Json]:
    """Every other column under its own name, without the group in front; what is empty is left out."""
    return {
        name.rpartition(".")[2]: value
        for name, value in row.items()
        if name not in USED and value not in (None, NOTHING) and value == value  # NaN means empty
    }
