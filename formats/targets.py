"""What a person gives a calibration: clicks in image and cloud, and the description of a board."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calib.board.description import Board, CharucoBoard, Checkerboard
from calib.clicks import Click
from calib.errors import CalibrationError
from calib.se3 import SE3
from formats.fields import Field, read_json_fields
from fusion.align import ego_at_shot_from_ego_at_frame
from fusion.beam import image_of_frame
from fusion.log import DriveLog


def read_clicks(path: Path, log: DriveLog) -> dict[str, list[Click]]:
    """Clicks by camera, each point moved to the instant at which its image, or the row of it, was exposed.

    The file is JSON: `{"points_in": "ego", "clicks": [{"camera": "cam_front", "frame": 0,
    "uv_px": [812.5, 403], "point_m": [21.3, -4.2, 1.1], "label": "corner of the sign"}, ...]}`. `points_in`
    is `ego` or the name of a LiDAR (the main one where it is missing): the points are in that frame, at the
    instant of the log's frame.

    Raises:
        FormatError: it is no such file, or names a camera, frame or LiDAR that the log has not.
    """
    root = read_json_fields(path)
    ego_from_points = _frame_of_points(root, log)
    clicks: dict[str, list[Click]] = {}
    for entry in root["clicks"].entries():
        camera = _one_of(entry["camera"], list(log.rig.cameras), "camera")
        frame = entry["frame"].whole() if "frame" in entry else 0
        if not 0 <= frame < len(log):
            raise entry.error(f"there is no frame {frame}; the log has 0 to {len(log) - 1}")
        frame_ns = int(log.timestamps_ns[frame])
        image = image_of_frame(log, camera, frame_ns)
        if image is None:
            raise entry.error(f"{camera} has no image in frame {frame}")
        u_px, v_px = entry["uv_px"].numbers(2)
        row_ns = log.rig.cameras[camera].row_offset_ns(np.array([u_px, v_px]))
        shown_ns = image.timestamp_ns + round(float(row_ns))
        shown_ns = min(max(shown_ns, log.trajectory.start_ns), log.trajectory.end_ns)
        ego_at_shot_from_ego = ego_at_shot_from_ego_at_frame(log, shown_ns, frame_ns)
        point = ego_at_shot_from_ego @ (ego_from_points @ np.array(entry["point_m"].numbers(3)))
        label = entry["label"].text() if "label" in entry else ""
        clicks.setdefault(camera, []).append(Click((u_px, v_px), (point[0], point[1], point[2]), label))
    return clicks


def read_board(path: Path) -> Board:
    """A calibration board: JSON with the fields of `calib.board.Checkerboard` or `CharucoBoard`.

    `{"kind": "checkerboard", "columns": 8, "rows": 6, "square_m": 0.095, "width_m": 0.85, "height_m": 0.61}`;
    squares are counted, not inner corners. A `charuco` adds `marker_m` and `dictionary`.

    Raises:
        FormatError: it is no such file.
    """
    root = read_json_fields(path)
    kind = _one_of(root["kind"], ["checkerboard", "charuco"], "kind of board")
    offset = root.get("offset_m")
    right_m, down_m = offset.numbers(2) if offset else (0.0, 0.0)
    columns, rows = root["columns"].whole(), root["rows"].whole()
    square_m, width_m, height_m = (root[key].number() for key in ("square_m", "width_m", "height_m"))
    sizes = (columns, rows, square_m, width_m, height_m, (right_m, down_m))
    try:
        if kind == "checkerboard":
            return Checkerboard(*sizes)
        return CharucoBoard(*sizes, marker_m=root["marker_m"].number(), dictionary=root["dictionary"].text())
    except CalibrationError as error:
        raise root.error(str(error)) from None


def _frame_of_points(root: Field, log: DriveLog) -> SE3:
    if "points_in" not in root:
        main = log.rig.main_lidar
        return SE3.identity() if main is None else main.ego_from_sensor
    name = _one_of(root["points_in"], ["ego", *log.rig.lidars], "frame")
    return SE3.identity() if name == "ego" else log.rig.lidars[name].ego_from_sensor


def _one_of(field: Field, known: list[str], what: str) -> str:
    name = field.text()
    if name not in known:
        raise field.error(f"there is no {what} {name!r}; there are {', '.join(known)}")
    return name
