"""Labels written as KITTI tracking has them: those of one log alone, as a tracker hands in its results."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from calib.se3 import SE3
from formats.files import inside, write_text
from formats.kitti.labels import DONT_CARE_ATTRIBUTE
from formats.kitti.rows import DONT_CARE, NOWHERE, Row, row_text
from formats.kitti.view import Frame, View, frames_of, rectangle_px, view_of
from fusion.boxes import Box3D
from fusion.categories import Kind, kind_of
from fusion.labels import Annotation, LabelSet, Track
from fusion.log import DriveLog

TYPES = ("Car", "Van", "Truck", "Pedestrian", "Person_sitting", "Cyclist", "Tram", "Misc")
TYPE_OF_KIND = {
    Kind.CAR: "Car",
    Kind.TRUCK: "Truck",
    Kind.BUS: "Truck",
    Kind.PEDESTRIAN: "Pedestrian",
    Kind.BICYCLE: "Cyclist",
    Kind.MOTORCYCLE: "Cyclist",
}
WHOLE_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
UNSCORED = 1.0


def write_labels(path: Path, log: DriveLog, labels: LabelSet) -> None:
    """Writes `SSSS.txt` into a folder: KITTI's result format, with scores where an annotation has one.

    Raises:
        FormatError: it cannot be written, or the log has no camera.
    """
    view = view_of(log, path)
    write_text(inside(path, f"{log.name}.txt", path), label_text(view, frames_of(log, view), labels))


def label_text(view: View, frames: list[Frame], labels: LabelSet) -> str:
    """All lines of a log's labels, frame by frame."""
    numbers = track_numbers(labels)
    scored = any(a.score is not None for track in labels.tracks.values() for a in track.annotations.values())
    dont_care = _dont_care(labels)
    lines = []
    for frame in frames:
        lines += [row_text(row) for row in dont_care.get(frame.number, [])]
        for track in labels.tracks.values():
            row = _row(view, frame, track, numbers[track.id], scored)
            lines += [] if row is None else [row_text(row)]
    return "".join(lines)


def track_numbers(labels: LabelSet) -> dict[str, int]:
    """A number for each track: its id where that is one, else the next that is free."""
    numbers = {id: int(id) for id in labels.tracks if WHOLE_NUMBER.fullmatch(id)}
    used = set(numbers.values())
    free = (number for number in range(len(labels.tracks) + len(used)) if number not in used)
    return {id: numbers[id] if id in numbers else next(free) for id in labels.tracks}


def _row(view: View, frame: Frame, track: Track, number: int, scored: bool) -> Row | None:
    annotation = track.annotations.get(frame.timestamp_ns)
    taken_ns = frame.timestamp_ns if frame.image is None else frame.image.timestamp_ns
    drawn = track.image_boxes.get((view.camera.name, taken_ns)) if view.undistorted else None
    rectangle = None
    if drawn is not None:
        rectangle = (drawn.left_px, drawn.top_px, drawn.right_px, drawn.bottom_px)
    elif annotation is not None:
        rectangle = rectangle_px(annotation.box, view, frame)
    if rectangle is None:
        return None
    score = None if annotation is None else annotation.score
    score = (UNSCORED if score is None else score) if scored else None
    category = _type_of(track.category)
    if annotation is None:
        return Row(frame.number, number, category, rectangle, score=score)
    rect0_from_ego = view.rect0_from_ego @ frame.ego_at_shot_from_ego
    bottom, turn_rad = _stand(annotation.box, rect0_from_ego)
    return Row(
        frame=frame.number,
        track_id=number,
        category=category,
        rectangle_px=rectangle,
        size_hwl_m=(annotation.box.height_m, annotation.box.width_m, annotation.box.length_m),
        bottom=bottom,
        turn_rad=turn_rad,
        truncated=_known(annotation, "truncated"),
        occluded=_known(annotation, "occluded"),
        alpha_rad=_wrapped(turn_rad - np.arctan2(bottom[0], bottom[2])),
        score=score,
    )


def _stand(box: Box3D, rect0_from_ego: SE3) -> tuple[tuple[float, float, float], float]:
    """Centre of the lower face and turn about the camera's y axis; tilt is dropped."""
    rect0_from_box = rect0_from_ego @ box.ego_from_box
    x, y, z = rect0_from_box.translation.tolist()
    forward = rect0_from_box.rotation[:, 0]
    return (x, y + box.height_m / 2, z), float(np.arctan2(-forward[2], forward[0]))


def _type_of(category: str) -> str:
    if category in TYPES:
        return category
    return "Van" if category.lower().endswith("van") else TYPE_OF_KIND.get(kind_of(category), "Misc")


def _known(annotation: Annotation, name: str) -> float:
    value = annotation.attributes.get(name)
    return float(value) if isinstance(value, int | float) and 0 <= value <= 3 else -1.0


def _wrapped(angle_rad: float) -> float:
    return float((angle_rad + np.pi) % (2 * np.pi) - np.pi)


def _dont_care(labels: LabelSet) -> dict[int, list[Row]]:
    """Regions that nobody labelled, as the reader keeps them."""
    rows: dict[int, list[Row]] = {}
    kept = labels.attributes.get(DONT_CARE_ATTRIBUTE)
    for entry in kept if isinstance(kept, list) else []:
        numbers = [n for n in entry if isinstance(n, int | float)] if isinstance(entry, list) else []
        if len(numbers) == 5:
            frame, left, top, right, bottom = numbers
            rectangle = (float(left), float(top), float(right), float(bottom))
            rows.setdefault(int(frame), []).append(
                Row(int(frame), -1, DONT_CARE, rectangle, NOWHERE, (-10.0, -1.0, -1.0), -1.0)
            )
    return rows
