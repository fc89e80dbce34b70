"""Pictures of one place of a log: from above, from the side, and in the camera that shows it best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.se3 import SE3
from calib.types import F32, F64, U8
from fusion.align import cam_at_shot_from_ego, ego_at_shot_from_ego_at_frame, lens_of_shot
from fusion.beam import image_of_frame
from fusion.boxes import Box3D
from fusion.labels import LabelSet
from fusion.log import DriveLog, ImageRef
from fusion.pictures import BACKGROUND, Drawn, outline, overlay

SIZE_PX, MARGIN_M = 420, 2.5
CHOSEN, OTHERS, DOT = (255, 214, 64), (108, 150, 190), (205, 212, 220)
CROP_MARGIN, LEAST_CROP_PX = 0.6, 120
FAINT = 0.45


@dataclass(frozen=True, slots=True)
class Spot:
    """What a picture is about.

    Attributes:
        timestamp_ns: the frame.
        box: in the ego frame of it; where there is no object, any box about the place.
        track_id: whose box it is, if anybody's.
    """

    timestamp_ns: int
    box: Box3D
    track_id: str | None


def close_up(points_ego: F32, labels: LabelSet, spot: Spot, side: bool = False) -> U8:
    """The points about a box in its own axes, from above (its front to the right) or from its left side."""
    import cv2

    box_at_spot_from_ego = spot.box.ego_from_box.inverse()
    axes = [0, 2] if side else [0, 1]
    half = spot.box.size_lwh_m / 2
    reach = float(half.max()) + MARGIN_M
    height = round(SIZE_PX * (min(half[2] + 1.2, reach) / reach if side else 1.0))
    scale = SIZE_PX / (2 * reach)
    canvas = np.full((height, SIZE_PX, 3), BACKGROUND, dtype=np.uint8)

    def pixels(places: F64) -> F64:
        return np.stack(
            [SIZE_PX / 2 + places[..., axes[0]] * scale, height / 2 - places[..., axes[1]] * scale], -1
        )

    about = points_ego[np.linalg.norm(points_ego[:, :2] - spot.box.center[:2], axis=1) < 1.5 * reach]
    places = box_at_spot_from_ego @ about.astype(np.float64)
    hidden = [1] if side else [2]
    places = places[np.abs(places[:, hidden[0]]) < half[hidden[0]] + (0.4 if side else 1.0)]
    columns, rows = np.round(pixels(places)).astype(int).T
    on = (columns >= 1) & (columns < SIZE_PX - 1) & (rows >= 1) & (rows < height - 1)
    for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
        canvas[rows[on] + down - 1, columns[on] + right - 1] = DOT
    there = [(a.box, OTHERS) for track, a in labels.at(spot.timestamp_ns) if track.id != spot.track_id]
    for box, colour in [*there, (spot.box, CHOSEN)]:
        box_at_spot_from_box = box_at_spot_from_ego @ box.ego_from_box
        for line, closed in _outline(box, box_at_spot_from_box, side):
            fixed = np.round(pixels(line) * 16).astype(np.int32)[:, None, :]
            cv2.polylines(canvas, [fixed], closed, colour, 2 if colour is CHOSEN else 1, cv2.LINE_AA, shift=4)
    return canvas


def _outline(box: Box3D, box_at_spot_from_box: SE3, side: bool) -> list[tuple[F64, bool]]:
    half = box.size_lwh_m / 2
    x, y, z = half
    if side:
        return [(box_at_spot_from_box @ np.array([[x, 0, z], [x, 0, -z], [-x, 0, -z], [-x, 0, z]]), True)]
    base = box_at_spot_from_box @ np.array([[x, y, 0], [x, -y, 0], [-x, -y, 0], [-x, y, 0]])
    nose = box_at_spot_from_box @ np.array([[0.0, 0, 0], [x + 0.15 * x, 0, 0]])
    return [(base, True), (nose, False)]


def in_image(log: DriveLog, labels: LabelSet, spot: Spot) -> tuple[str, U8] | None:
    """Name and picture of the camera that shows a box best, cut out around it; None where none does."""
    best: tuple[float, ImageRef, F64] | None = None
    for camera in log.rig.cameras:
        image = image_of_frame(log, camera, spot.timestamp_ns)
        if image is None or not log.trajectory.covers(image.timestamp_ns):
            continue
        seen = log.rig.cameras[camera].model.project(
            cam_at_shot_from_ego(log, image, spot.timestamp_ns) @ spot.box.corners()
        )
        if seen.visible.sum() >= 4:
            uv_px = seen.uv_px[seen.visible]
            area = float(np.prod(np.ptp(uv_px, axis=0))) * seen.visible.mean()
            if best is None or area > best[0]:
                best = (area, image, uv_px)
    return None if best is None else (best[1].camera, _cut_out(log, labels, spot, best[1], best[2]))


def _cut_out(log: DriveLog, labels: LabelSet, spot: Spot, image: ImageRef, uv_px: F64) -> U8:
    """The boxes of a frame as they stood, on an image, by the car's motion in between."""
    import cv2

    ego_at_shot_from_ego = ego_at_shot_from_ego_at_frame(log, image.timestamp_ns, spot.timestamp_ns)

    def drawn(box: Box3D, category: str) -> Drawn:
        ego_at_shot_from_box = ego_at_shot_from_ego @ box.ego_from_box
        return Drawn(Box3D(ego_at_shot_from_box, *(float(v) for v in box.size_lwh_m)), category)

    camera = log.rig.cameras[image.camera]
    lens = lens_of_shot(log, image) if camera.readout_ns else camera.model
    cam_from_ego_at_shot = camera.ego_from_sensor.inverse()
    pixels = image.read()
    there = labels.at(spot.timestamp_ns)
    others = [drawn(a.box, track.category) for track, a in there if track.id != spot.track_id]
    boxed = overlay(pixels, lens, cam_from_ego_at_shot, others)
    picture = np.asarray(cv2.addWeighted(boxed, FAINT, pixels, 1 - FAINT, 0), np.uint8)
    height, width = picture.shape[:2]
    middle = (uv_px.min(axis=0) + uv_px.max(axis=0)) / 2
    half = max(float(np.ptp(uv_px, axis=0).max()) * (0.5 + CROP_MARGIN), LEAST_CROP_PX / 2)
    thick = 2 if half > SIZE_PX / 3 else 1
    for edge in outline(lens, cam_from_ego_at_shot, drawn(spot.box, ""), pixels.shape[1]).values():
        fixed = np.round(edge * 16).astype(np.int32)[:, None, :]
        cv2.polylines(picture, [fixed], False, CHOSEN, thick, cv2.LINE_AA, shift=4)
    left, top = np.clip(np.floor(middle - half), 0, [width - 2, height - 2]).astype(int)
    right, bottom = np.clip(np.ceil(middle + half), [left + 2, top + 2], [width, height]).astype(int)
    crop = picture[top:bottom, left:right]
    scale = SIZE_PX / max(crop.shape[:2])
    size = (max(round(crop.shape[1] * scale), 1), max(round(crop.shape[0] * scale), 1))
    return np.asarray(
        cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC), np.uint8
    )
