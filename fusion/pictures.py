"""Pictures of labels: on a camera's image, and from above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calib.cameras import CameraModel
from calib.se3 import SE3
from calib.shutter import ShotLens
from calib.types import F64, U8, Floats
from fusion.boxes import EDGES, UNIT_CORNERS, Box3D
from fusion.categories import Kind, kind_of

EDGE_SAMPLES = 17
SMALLEST_NAMED_PX = 28
FRONT_EDGES = (0, 1, 2, 3)
BACKGROUND = (18, 20, 24)

COLOURS: dict[Kind, tuple[int, int, int]] = {
    Kind.CAR: (77, 184, 255),
    Kind.TRUCK: (255, 166, 77),
    Kind.BUS: (255, 221, 87),
    Kind.TRAILER: (214, 138, 89),
    Kind.CONSTRUCTION: (255, 196, 0),
    Kind.MOTORCYCLE: (200, 120, 255),
    Kind.BICYCLE: (160, 255, 120),
    Kind.PEDESTRIAN: (255, 105, 140),
    Kind.ANIMAL: (255, 170, 200),
    Kind.CONE: (255, 140, 60),
    Kind.BARRIER: (170, 170, 190),
    Kind.OTHER: (190, 190, 190),
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A box to draw, and what to write beside it.

    Attributes:
        box: where it is at the timestamp of the image.
        category: class name.
        text: to write beside it.
        velocity_mps: over the ground, in the axes of the box's ego frame; matters to rolling shutters.
    """

    box: Box3D
    category: str
    text: str = ""
    velocity_mps: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def colour(self) -> tuple[int, int, int]:
        """RGB by kind of thing."""
        return COLOURS[kind_of(self.category)]


def overlay(image: U8, lens: CameraModel | ShotLens, cam_from_ego: SE3, things: Sequence[Drawn]) -> U8:
    """Draws boxes on an image, the far ones first; edges bend as the lens bends them.

    Args:
        image: (H, W, 3) uint8 RGB; stays as it is.
        lens: the camera's model, or how it saw in this shot where its rows are exposed one after the other.
        cam_from_ego: from the frame of the boxes to the camera at its own instant.
        things: boxes in the ego frame.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    import cv2

    ranges_m = np.array([np.linalg.norm(cam_from_ego @ thing.box.center) for thing in things])
    outlines = [outline(lens, cam_from_ego, thing, image.shape[1]) for thing in things]
    far_first = [index for index in np.argsort(ranges_m)[::-1] if outlines[index]]
    tinted = image.copy()
    for index in far_first:
        if all(edge in outlines[index] for edge in FRONT_EDGES):
            front = np.concatenate([outlines[index][edge] for edge in FRONT_EDGES])
            cv2.fillPoly(tinted, [_fixed_point(front)], things[index].colour, cv2.LINE_AA, shift=4)
    canvas: U8 = np.asarray(cv2.addWeighted(tinted, 0.25, image, 0.75, 0), dtype=np.uint8)
    for index in far_first:
        _draw_outline(canvas, list(outlines[index].values()), things[index], float(ranges_m[index]))
    return canvas


def _draw_outline(canvas: U8, edges: list[F64], thing: Drawn, range_m: float) -> None:
    import cv2

    width = 1 if range_m > 45 or canvas.shape[1] < 700 else 2
    lines = [_fixed_point(edge) for edge in edges]
    cv2.polylines(canvas, lines, False, thing.colour, width, cv2.LINE_AA, shift=4)
    corner = np.concatenate(edges)
    if thing.text and np.ptp(corner[:, 1]) >= SMALLEST_NAMED_PX:
        _write(canvas, thing.text, (corner[:, 0].min(), corner[:, 1].min() - 4), thing.colour)


def outline(lens: CameraModel | ShotLens, cam_from_ego: SE3, thing: Drawn, width_px: int) -> dict[int, F64]:
    """Pixels along each edge that the camera sees at least a part of, by number of the edge.

    One sample beyond each end of what is seen is kept, so that lines reach the border of the image.
    """
    corners, cam_from_box = UNIT_CORNERS * thing.box.size_lwh_m, cam_from_ego @ thing.box.ego_from_box
    steps = np.linspace(0, 1, EDGE_SAMPLES)[None, :, None]
    begins, ends = corners[[a for a, _ in EDGES]][:, None], corners[[b for _, b in EDGES]][:, None]
    samples = cam_from_box @ (begins + steps * (ends - begins))
    flat = samples.reshape(-1, 3)
    if isinstance(lens, ShotLens):
        projection = lens.project(flat, cam_from_ego.rotate(np.array(thing.velocity_mps)))
    else:
        projection = lens.project(flat)
    uv_px = projection.uv_px.reshape(len(EDGES), EDGE_SAMPLES, 2)
    visible = projection.visible.reshape(len(EDGES), EDGE_SAMPLES)
    drawable = (np.abs(uv_px) < 30_000).all(axis=2)
    kept = visible.copy()
    kept[:, 1:] |= visible[:, :-1]
    kept[:, :-1] |= visible[:, 1:]
    kept &= drawable
    # Across the seam of a panorama an edge would go the wrong way round.
    kept &= ~(np.abs(np.diff(uv_px[..., 0], axis=1)) > width_px / 2).any(axis=1, keepdims=True)
    return {edge: uv_px[edge][kept[edge]] for edge in np.flatnonzero(kept.sum(axis=1) > 1).tolist()}


def _fixed_point(uv_px: F64) -> np.ndarray:
    return np.round(uv_px * 16).astype(np.int32)[:, None, :]


def _write(canvas: U8, text: str, at_px: tuple[float, float], colour: tuple[int, int, int]) -> None:
    import cv2

    size = 0.45 if canvas.shape[1] >= 700 else 0.35
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    left = int(np.clip(at_px[0], 2, max(canvas.shape[1] - width - 2, 2)))
    bottom = int(np.clip(at_px[1], height + 3, canvas.shape[0] - 3))
    cv2.rectangle(canvas, (left - 2, bottom - height - 2), (left + width + 2, bottom + 3), BACKGROUND, -1)
    cv2.putText(canvas, text, (left, bottom), cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)


def dots(image: U8, uv_px: F64, depth_m: F64, radius_px: int = 1) -> U8:
    """Draws projected points on an image, near ones warm and far ones cold (log scale, 3 m to 80 m)."""
    import cv2

    canvas = image.copy()
    scale = np.clip(np.log(np.maximum(depth_m, 1e-3) / 3) / np.log(80 / 3), 0, 1)
    shades = cv2.applyColorMap((255 * (1 - scale)).astype(np.uint8)[:, None], cv2.COLORMAP_TURBO)[:, 0, ::-1]
    places = np.round(uv_px).astype(int)
    order = np.argsort(depth_m)[::-1]
    for right in range(-radius_px, radius_px + 1):
        for down in range(-radius_px, radius_px + 1):
            if right * right + down * down > radius_px * radius_px:
                continue
            columns, rows = (places[order] + (right, down)).T
            on = (columns >= 0) & (columns < canvas.shape[1]) & (rows >= 0) & (rows < canvas.shape[0])
            canvas[rows[on], columns[on]] = shades[order][on]
    return canvas


def bird_eye(
    points_ego: Floats,
    things: Sequence[Drawn],
    range_m: float = 50.0,
    size_px: int = 900,
    paths_ego: Sequence[tuple[F64, tuple[int, int, int]]] = (),
    colours: U8 | None = None,
) -> U8:
    """The surroundings of the car from above, driving direction up.

    Args:
        points_ego: (N, 3), coloured by height unless colours are given.
        things: boxes in the ego frame.
        range_m: from the car to the border.
        size_px: width and height of the picture.
        paths_ego: ways of objects, (M, 3) each with an RGB colour.
        colours: (N, 3) uint8 RGB of the points.

    Returns:
        (size, size, 3) uint8 RGB.
    """
    import cv2

    canvas = np.full((size_px, size_px, 3), BACKGROUND, dtype=np.uint8)
    scale = size_px / (2 * range_m)

    def pixels(places: Floats) -> F64:
        return np.column_stack([size_px / 2 - places[:, 1] * scale, size_px / 2 - places[:, 0] * scale])

    for ring_m in range(10, int(range_m) + 1, 10):
        cv2.circle(canvas, (size_px // 2,) * 2, round(ring_m * scale), (40, 44, 52), 1, cv2.LINE_AA)
    _scatter(canvas, pixels(points_ego), points_ego[:, 2], colours)
    for path, colour in paths_ego:
        if len(path) > 1:
            cv2.polylines(canvas, [_fixed_point(pixels(path))], False, colour, 1, cv2.LINE_AA, shift=4)
    for thing in things:
        base = thing.box.corners()[[2, 3, 7, 6]]
        nose = thing.box.ego_from_box @ (np.array([[0.0, 0, 0], [0.7, 0, 0]]) * thing.box.length_m)
        cv2.polylines(canvas, [_fixed_point(pixels(base))], True, thing.colour, 2, cv2.LINE_AA, shift=4)
        cv2.polylines(canvas, [_fixed_point(pixels(nose))], False, thing.colour, 2, cv2.LINE_AA, shift=4)
    car = pixels(np.array([[3.8, 0, 0], [-0.9, 0.9, 0], [0, 0, 0], [-0.9, -0.9, 0]]))
    cv2.fillPoly(canvas, [_fixed_point(car)], (240, 240, 240), cv2.LINE_AA, shift=4)
    return canvas


def _scatter(canvas: U8, places_px: F64, heights_m: Floats, colours: U8 | None) -> None:
    """Dots from the lowest point to the highest, in their own colours or in those of their heights."""
    columns, rows = np.round(places_px).astype(int).T
    on = (columns >= 0) & (columns < canvas.shape[1]) & (rows >= 0) & (rows < canvas.shape[0])
    order = np.flatnonzero(on)[np.argsort(heights_m[on], kind="stable")]
    if len(order):
        shades = _height_colours(heights_m[order]) if colours is None else colours[order]
        canvas[rows[order], columns[order]] = shades


def _height_colours(heights_m: Floats) -> U8:
    import cv2

    low, high = np.percentile(heights_m, (5, 97))
    shade = np.clip((heights_m - low) / max(high - low, 1e-3), 0, 1)
    bgr = cv2.applyColorMap((70 + 160 * shade).astype(np.uint8)[:, None], cv2.COLORMAP_VIRIDIS)
    return np.asarray(bgr[:, 0, ::-1], dtype=np.uint8)
