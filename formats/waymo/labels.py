"""Boxes of Waymo Open v2: in the frame of the car at the start of the sweep, and in images."""

from __future__ import annotations

from pathlib import Path

from calib.errors import CrosslabelError
from formats.errors import FormatError
from formats.waymo.component import CAMERA, FRAME, Component
from formats.waymo.folder import component_file, root_of
from formats.waymo.read import read_shots
from formats.waymo.rig import CAMERAS, HALF_PX, sensor_name
from fusion.boxes import Box3D
from fusion.labels import Annotation, ImageBox, Json, LabelSet, Source, Track
from fusion.log import DriveLog

TYPES = ("UNKNOWN", "VEHICLE", "PEDESTRIAN", "SIGN", "CYCLIST")
OBJECT, CAMERA_OBJECT = "key.laser_object_id", "key.camera_object_id"
PLACE = tuple(f"box.{name}" for name in ("center.x", "center.y", "center.z"))
SIZE = tuple(f"box.{name}" for name in ("size.x", "size.y", "size.z"))
# Fields that become attributes: triples and single numbers.
TRIPLES = ("speed", "acceleration")
COUNTS = (
    "num_lidar_points_in_box",
    "num_top_lidar_points_in_box",
    "difficulty_level.detection",
    "difficulty_level.tracking",
)
FARTHEST_M = 1e6


def read_labels(path: Path, log: DriveLog) -> LabelSet:
    """The boxes of a segment; none where it comes without, as those of the test split do.

    A rectangle in an image belongs to the track that the data set associates with it, else to a track of its
    own. Velocities, counts of points and levels of difficulty are attributes.

    Raises:
        FormatError: a component is malformed, or a box in it is at no frame of the log.
    """
    root = root_of(path, log.name)
    tracks = _tracks(root, log)
    for track in _image_tracks(root, log.name, tracks):
        tracks[track.id] = track
    return LabelSet(tracks)


def _tracks(root: Path, log: DriveLog) -> dict[str, Track]:
    file = component_file(root, "lidar_box", log.name)
    if not file.is_file():
        return {}
    table = Component(file, "LiDARBoxComponent")
    frames_ns = frozenset(log.timestamps_ns.tolist())
    numbers = table.numbers(*map(table.column, (*PLACE, *SIZE, "box.heading"))).tolist()
    types, ids = table.whole(table.column("type")).tolist(), table.texts(OBJECT)
    attributes = _attributes(table)
    annotations: dict[str, dict[int, Annotation]] = {}
    categories: dict[str, str] = {}
    for row, timestamp_ns in enumerate(table.frames_ns().tolist()):
        if timestamp_ns not in frames_ns:
            raise FormatError(file, f"row {row}", f"{timestamp_ns} is no frame of the log {log.name}")
        track = annotations.setdefault(ids[row], {})
        if timestamp_ns in track:
            raise FormatError(file, f"row {row}", f"a second box of {ids[row][:80]!r} in one frame")
        box = _box(file, row, numbers[row])
        category = _type(file, row, types[row])
        if categories.setdefault(ids[row], category) != category:
            attributes[row]["type"] = category
        track[timestamp_ns] = Annotation(timestamp_ns, box, Source.IMPORTED, attributes=attributes[row])
    return {id: Track.of(id, categories[id], found.values()) for id, found in annotations.items()}


def _box(file: Path, row: int, numbers: list[float]) -> Box3D:
    place, size, yaw_rad = numbers[:3], numbers[3:6], numbers[6]
    if max(map(abs, numbers)) > FARTHEST_M:
        raise FormatError(file, f"row {row}", "a box this far away, or this large, cannot be")
    try:
        return Box3D.upright(place, size, yaw_rad)
    except CrosslabelError as error:
        raise FormatError(file, f"row {row}", str(error)) from None


def _attributes(table: Component) -> list[dict[str, Json]]:
    rows: list[dict[str, Json]] = [{} for _ in table.whole(FRAME)]
    for name in TRIPLES:
        columns = [table.column(f"{name}.{axis}") for axis in "xyz"]
        if table.names.issuperset(columns):
            for said, triple in zip(rows, table.numbers(*columns, gaps=True).tolist(), strict=True):
                if all(number == number for number in triple):
                    said[name] = triple
    for name in COUNTS:
        if table.column(name) in table.names:
            for said, number in zip(rows, table.numbers(table.column(name), gaps=True)[:, 0], strict=True):
                if number == number:
                    said[name] = int(number)
    return rows


def _image_tracks(root: Path, log_id: str, tracks: dict[str, Track]) -> list[Track]:
    """The tracks that rectangles in images belong to, with these put in."""
    file = component_file(root, "camera_box", log_id)
    if not file.is_file():
        return []
    table = Component(file, "CameraBoxComponent")
    columns = [table.column(f"box.{part}.{axis}") for part in ("center", "size") for axis in "xy"]
    numbers = table.numbers(*columns).tolist()
    types, ids = table.whole(table.column("type")).tolist(), table.texts(CAMERA_OBJECT)
    owners, instants_ns = _owners(root, log_id), _instants_ns(root, log_id)
    keys = zip(table.whole(CAMERA).tolist(), table.frames_ns().tolist(), strict=True)
    boxes: dict[str, dict[tuple[str, int], ImageBox]] = {}
    categories: dict[str, str] = {}
    for row, (number, frame_ns) in enumerate(keys):
        camera, id = sensor_name(CAMERAS, number, file), ids[row]
        owner = owners.get((number, frame_ns, id), id)
        u_px, v_px, width_px, height_px = numbers[row]
        left_px, top_px = u_px - width_px / 2 - HALF_PX, v_px - height_px / 2 - HALF_PX
        said: dict[str, Json] = {} if owner == id else {"camera_object_id": id}
        categories.setdefault(owner, _type(file, row, types[row]))
        boxes.setdefault(owner, {})[camera, instants_ns.get((number, frame_ns), frame_ns)] = ImageBox(
            left_px, top_px, left_px + width_px, top_px + height_px, Source.IMPORTED, attributes=said
        )
    return [
        Track(
            id,
            tracks[id].category if id in tracks else categories[id],
            tracks[id].annotations if id in tracks else {},
            found,
        )
        for id, found in boxes.items()
    ]


def _owners(root: Path, log_id: str) -> dict[tuple[int, int, str], str]:
    """The tracks that the data set associates with rectangles, by camera, frame and id of these."""
    file = component_file(root, "camera_to_lidar_box_association", log_id)
    if not file.is_file():
        return {}
    table = Component(file, "CameraToLiDARBoxAssociationComponent")
    cameras, frames_ns = table.whole(CAMERA).tolist(), table.frames_ns().tolist()
    keys = zip(cameras, frames_ns, table.texts(CAMERA_OBJECT), strict=True)
    return dict(zip(keys, table.texts(OBJECT), strict=True))


def _instants_ns(root: Path, log_id: str) -> dict[tuple[int, int], int]:
    """The instants of images by camera and frame."""
    shots = read_shots(root, log_id)
    if shots is None:
        return {}
    keys = zip(shots.cameras.tolist(), shots.frames_ns.tolist(), strict=True)
    return dict(zip(keys, shots.middles_ns.tolist(), strict=True))


def _type(file: Path, row: int, number: int) -> str:
    if not 0 <= number < len(TYPES):
        raise FormatError(file, f"row {row}", f"there is no type {number}")
    return TYPES[number]
