"""Labels to lines of KITTI, as its one camera sees the objects."""

from __future__ import annotations

import numpy as np

from calib.se3 import SE3
from formats.kitti.metadata import DONT_CARE_ATTRIBUTE
from formats.kitti.rows import DONT_CARE, NOWHERE, Row
from formats.kitti.view import Frame, View, rectangle_px
from fusion.boxes import Box3D
from fusion.categories import Kind, kind_of
from fusion.labels import Annotation, LabelSet, Track

TYPES = ("Car", "Van", "Truck", "Pedestrian", "Person_sitting", "Cyclist", "Tram", "Misc")
TYPE_OF_KIND = {
    Kind.CAR: "Car",
    Kind.TRUCK: "Truck",
    Kind.BUS: "Truck",
    Kind.PEDESTRIAN: "Pedestrian",
    Kind.BICYCLE: "Cyclist",
    Kind.MOTORCYCLE: "Cyclist",
}
UNSCORED = 1.0


def is_scored(labels: LabelSet) -> bool:
    """Whether any annotation has a score; then every line needs one."""
    return any(a.score is not None for track in labels.tracks.values() for a in track.annotations.values())


def row_of(view: View, frame: Frame, track: Track, number: int, scored: bool) -> Row | None:
    """The line of a track in a frame; None where the camera sees nothing of it.

    Args:
        view: of the log.
        frame: one of the view.
        track: whose box, and whose rectangle in the image where it has one.
        number: of the track.
        scored: whether the line has a score.
    """
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


def dont_care_rows(labels: LabelSet) -> dict[int, list[Row]]:
    """Regions that nobody labelled, as the readers keep them, by number of the frame."""
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
