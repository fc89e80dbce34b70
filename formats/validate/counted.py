"""How many points nuScenes' rows say are in a box, and how many are."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calib.errors import CrosslabelError
from calib.se3 import SE3
from formats.errors import FormatError
from formats.files import inside, read_bytes
from formats.nuscenes.index import Index, index_of
from formats.nuscenes.points import COLUMNS, POINT_BYTES
from formats.nuscenes.tables import Row
from formats.validate.fault import Faults
from formats.validate.nuscenes_rules import COUNTED
from fusion.boxes import Box3D, Boxes
from fusion.overlap import count_points_in_boxes

CHANNEL, FILE = "LIDAR_TOP", "sample_annotation.json"


def check_counts(path: Path, scene_name: str, faults: Faults, every: int) -> None:
    """Counts the points in the boxes of every n-th key frame again; what cannot be read is told elsewhere."""
    try:
        index = index_of(path)
        scene = index.scenes[scene_name]
        poses = {row.text("token"): row for row in index.rows_of("ego_pose", scene)}
        boxes: dict[str, list[Row]] = {}
        for row in index.rows_of("sample_annotation", scene):
            boxes.setdefault(row.text("sample_token"), []).append(row)
        keys = [row for row in index.rows_of("sample_data", scene) if _is_key(index, row)]
    except (FormatError, KeyError):
        return
    for reading in keys[::every]:
        try:
            _recount(index, reading, poses, boxes.get(reading.text("sample_token"), []), faults)
        except (CrosslabelError, KeyError):
            continue


def _is_key(index: Index, row: Row) -> bool:
    sensor = index.refer(row, "calibrated_sensor_token", "calibrated_sensor")
    channel = index.refer(sensor, "sensor_token", "sensor").text("channel")
    return channel == CHANNEL and row.fields.get("is_key_frame") is True


def _recount(index: Index, reading: Row, poses: dict[str, Row], rows: list[Row], faults: Faults) -> None:
    file = inside(index.root, reading.text("filename"), reading.path)
    if not rows or file.suffix != ".bin":
        return
    content = read_bytes(file)
    if len(content) % POINT_BYTES:
        return
    points = np.frombuffer(content, dtype="<f4").reshape(-1, COLUMNS)[:, :3]
    ego_from_lidar = _transform(index.refer(reading, "calibrated_sensor_token", "calibrated_sensor"))
    world_from_ego = _transform(poses[reading.text("ego_pose_token")])
    lidar_from_world = (world_from_ego @ ego_from_lidar).inverse()
    boxes = []
    for row in rows:
        width_m, length_m, height_m = row.numbers("size", 3)
        boxes.append(Box3D(lidar_from_world @ _transform(row), length_m, width_m, height_m))
    counts = count_points_in_boxes(points, Boxes.stack(boxes)).tolist()
    for row, count in zip(rows, counts, strict=True):
        told = row.whole("num_lidar_pts")
        if told != count:
            words = f"says {told} points of {CHANNEL}, there are {count}"
            faults.add(COUNTED, FILE, f"token {row.text('token')!r}", words)


def _transform(row: Row) -> SE3:
    return SE3.from_quaternion_wxyz(row.numbers("rotation", 4), row.numbers("translation", 3))
