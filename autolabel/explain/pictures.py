"""Pictures of one track's story."""

from __future__ import annotations

import numpy as np

from autolabel.explain.story import Story
from calib.types import F64, U8
from fusion.boxes import Boxes

SIZE_PX = 720
MARGIN_M = 3.0
PAPER, POINT, DETECTED = (252, 252, 250), (176, 182, 190), (255, 160, 60)
GIVEN, FIRST, LAST = (20, 140, 60), (40, 90, 220), (200, 40, 120)


def way_from_above(story: Story) -> U8:
    """The way in the world: points of its best scan, detections, given boxes, and ours from blue to pink."""
    import cv2

    boxes = Boxes(story.sightings.local_from_box, story.sightings.sizes_lwh_m)
    corners = boxes.corners()[:, [2, 3, 7, 6], :2]
    low, high = corners.min(axis=(0, 1)) - MARGIN_M, corners.max(axis=(0, 1)) + MARGIN_M
    scale = SIZE_PX / float((high - low).max())
    width, height = np.ceil((high - low) * scale).astype(int)
    canvas = np.full((int(height), int(width), 3), PAPER, dtype=np.uint8)

    def pixels(places: F64) -> np.ndarray:
        across, up = (places[..., 0] - low[0]) * scale, (places[..., 1] - low[1]) * scale
        return np.stack([across, height - 1 - up], axis=-1)

    _dots(canvas, pixels(story.nearby[:, :2].astype(np.float64)), np.array(POINT))
    if len(story.detections):
        outlines = story.detections.corners()[:, [2, 3, 7, 6], :2]
        cv2.polylines(canvas, _fixed(pixels(outlines)), True, DETECTED, 1, cv2.LINE_AA, shift=4)
    step = max(1, len(corners) // 40)
    for row in range(0, len(corners), step):
        colour = _between(row / max(len(corners) - 1, 1))
        cv2.polylines(canvas, _fixed(pixels(corners[row : row + 1])), True, colour, 1, cv2.LINE_AA, shift=4)
    given = [
        row for row, a in enumerate(story.annotations) if a.timestamp_ns in story.traced.track.annotations
    ]
    cv2.polylines(canvas, _fixed(pixels(corners[given])), True, GIVEN, 2, cv2.LINE_AA, shift=4)
    middles = boxes.dst_from_box.translations[None, :, :2]
    cv2.polylines(canvas, _fixed(pixels(middles)), False, (60, 60, 70), 1, cv2.LINE_AA, shift=4)
    return canvas


def own_points(story: Story, side: bool) -> U8:
    """The points of all frames in the object's own frame, early ones blue, late ones pink, and its box."""
    import cv2

    half = story.sightings.sizes_lwh_m[-1] / 2
    axis = 2 if side else 1
    reach = np.array([half[0], half[axis]]) + 1.0
    scale = SIZE_PX / (2 * reach[0])
    height = int(np.ceil(2 * reach[1] * scale))
    canvas = np.full((height, SIZE_PX, 3), PAPER, dtype=np.uint8)

    def pixels(places: F64) -> np.ndarray:
        across, up = (places[..., 0] + reach[0]) * scale, (places[..., 1] + reach[1]) * scale
        return np.stack([across, height - 1 - up], axis=-1)

    share = story.point_frames / max(len(story.annotations) - 1, 1)
    colours = (1 - share[:, None]) * np.array(FIRST) + share[:, None] * np.array(LAST)
    _dots(canvas, pixels(story.points_box[:, [0, axis]].astype(np.float64)), colours)
    x, y = half[0], half[axis]
    outline = np.array([[[x, y], [x, -y], [-x, -y], [-x, y]]])
    cv2.polylines(canvas, _fixed(pixels(outline)), True, (20, 20, 24), 2, cv2.LINE_AA, shift=4)
    nose = np.array([[[x, 0.0], [x + 0.5, 0.0]]])
    cv2.polylines(canvas, _fixed(pixels(nose)), False, (20, 20, 24), 2, cv2.LINE_AA, shift=4)
    return canvas


def _between(share: float) -> tuple[int, int, int]:
    mixed = (1 - share) * np.array(FIRST) + share * np.array(LAST)
    return int(mixed[0]), int(mixed[1]), int(mixed[2])


def _fixed(places_px: np.ndarray) -> list[np.ndarray]:
    return [np.round(line * 16).astype(np.int32)[:, None] for line in places_px]


def _dots(canvas: U8, places_px: np.ndarray, colours: np.ndarray) -> None:
    columns, rows = np.round(places_px).astype(int).T
    on = (columns >= 0) & (columns < canvas.shape[1]) & (rows >= 0) & (rows < canvas.shape[0])
    canvas[rows[on], columns[on]] = colours if colours.ndim == 1 else colours[on]
