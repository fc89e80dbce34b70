"""Boxes to rectangles in one image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from calib.cameras import CameraModel, Projection
from calib.project import VisiblePoints, project_cloud
from calib.se3 import SE3
from calib.types import F64, I32, I64, Bools, Floats, frozen
from fusion.align import lens_of_shot
from fusion.boxes import EDGES, UNIT_CORNERS, Boxes
from fusion.log import DriveLog, ImageRef

EDGE_SAMPLES = 9
GRID = 5
CELLS_ACROSS = 96
BEHIND_M = 0.5
ROUNDING_M = 1e-3


@dataclass(frozen=True, eq=False, slots=True)
class Rectangles:
    """How N objects show in one image.

    Attributes:
        ltrb_px: (N, 4) left, top, right, bottom of what lies in the image; NaN where nothing does.
        truncation: (N,) share of the object that lies outside of the image, 0 to 1.
        visibility: (N,) share of what lies in the image that nothing nearer hides, 0 to 1.
    """

    ltrb_px: F64
    truncation: F64
    visibility: F64


@dataclass(frozen=True, eq=False, slots=True)
class Cloud:
    """What a LiDAR saw around the instant of an image.

    Attributes:
        points: (M, 3) in any frame.
        owners: (M,) int32 which of the boxes each point lies on, -1 for none.
        ego_from_points: to the frame of the boxes.
    """

    points: Floats
    owners: I32
    ego_from_points: SE3


def rectangles_in(
    log: DriveLog,
    image: ImageRef,
    boxes: Boxes,
    velocities_mps: F64,
    cloud: Cloud,
    solid: F64,
) -> Rectangles:
    """The rectangles of boxes in one image, at the image's own instant and through its own lens.

    A rectangle holds the box's edges as the lens bends them. What is hidden is judged at places spread
    through the box: behind a point of something else, half a metre nearer than the whole box, in their cell
    of the image, or behind the solid part of another box on their line of sight.

    Args:
        log: with the camera.
        image: whose lens and instant count.
        boxes: N boxes in the ego frame at the instant of the image.
        velocities_mps: (N, 3) over the ground, in the axes of that frame; matters to rolling shutters.
        cloud: what a LiDAR saw then.
        solid: (N,) share of the height of each box, from its bottom, that hides what is behind; a car whose
            points show its shape is solid up to its bonnet, for one can look over that.
    """
    camera = log.rig.cameras[image.camera]
    cam_from_ego = camera.ego_from_sensor.inverse()
    lens = lens_of_shot(log, image) if camera.readout_ns else None

    def project(samples_ego: F64, mps: F64) -> Projection:
        """(N, S, 3) samples of boxes, each with its velocity, to N * S pixels."""
        samples_cam = cam_from_ego @ samples_ego.reshape(-1, 3)
        if lens is None:
            return camera.model.project(samples_cam)
        moving = np.repeat(mps @ cam_from_ego.rotation.T, samples_ego.shape[1], axis=0)
        return lens.project(samples_cam, moving)

    count, size_px = len(boxes), (camera.model.width_px, camera.model.height_px)
    truncation, visibility = np.ones(count), np.zeros(count)
    if count == 0:
        return Rectangles(np.empty((0, 4)), truncation, visibility)
    near = _in_sight(boxes, camera.model, cam_from_ego) if lens is None else np.arange(count)
    ltrb_px = np.full((count, 4), np.nan)
    edges = project(_along_edges(boxes.take(near)), velocities_mps[near])
    ltrb_px[near] = _bounds(edges, len(near), *size_px)
    rows = np.flatnonzero(np.isfinite(ltrb_px[:, 0]))
    shown = boxes.take(rows)
    samples = _spread(shown)
    spread = project(samples, velocities_mps[rows])
    inside = spread.visible.reshape(samples.shape[:2])
    points = project_cloud(cloud.points, [camera.model], [cam_from_ego @ cloud.ego_from_points])[0]
    owners = _renumbered(rows, count)[cloud.owners[points.index]]
    hidden = _behind_points(spread, inside, points, owners, *size_px)
    _hide_behind_boxes(samples, camera.ego_from_sensor.translation, shown, ltrb_px[rows], solid[rows], hidden)
    seen = inside.sum(axis=1)
    truncation[rows] = 1 - seen / samples.shape[1]
    visibility[rows] = (inside & ~hidden).sum(axis=1) / np.maximum(seen, 1)
    return Rectangles(ltrb_px, truncation, visibility)


def _in_sight(boxes: Boxes, model: CameraModel, cam_from_ego: SE3) -> I64:
    """Which boxes a camera may show anything of: the balls around them reach into its field of view."""
    centers_cam = cam_from_ego @ boxes.dst_from_box.translations
    away_m = np.linalg.norm(centers_cam, axis=1)
    radii_m = np.linalg.norm(boxes.sizes_lwh_m, axis=1) / 2 + ROUNDING_M
    off_axis_rad = np.arctan2(np.hypot(centers_cam[:, 0], centers_cam[:, 1]), centers_cam[:, 2])
    half_rad = np.arcsin(np.minimum(radii_m / np.maximum(away_m, ROUNDING_M), 1.0))
    inside = (away_m <= radii_m) | (off_axis_rad - half_rad <= model.limit_rad)
    for axis, (low, high) in enumerate(model.sight.tolist()):
        for sign, slope in ((-1.0, low), (1.0, high)):
            if np.isfinite(slope):
                beyond_m = sign * (centers_cam[:, axis] - slope * centers_cam[:, 2]) / np.hypot(1.0, slope)
                inside &= beyond_m <= radii_m
    return np.flatnonzero(inside)


def _along_edges(boxes: Boxes) -> F64:
    """(N, 12 * EDGE_SAMPLES, 3) places along the edges of each box."""
    return _placed(boxes, _unit_edges())


def _spread(boxes: Boxes) -> F64:
    """(N, GRID^3, 3) places spread evenly through each box."""
    return _placed(boxes, _unit_grid())


@lru_cache(maxsize=1)
def _unit_edges() -> F64:
    steps = np.linspace(0, 1, EDGE_SAMPLES)[None, :, None]
    begins, ends = UNIT_CORNERS[[a for a, _ in EDGES]][:, None], UNIT_CORNERS[[b for _, b in EDGES]][:, None]
    return frozen((begins + steps * (ends - begins)).reshape(-1, 3), np.float64)


@lru_cache(maxsize=1)
def _unit_grid() -> F64:
    steps = (np.arange(GRID) + 0.5) / GRID - 0.5
    return frozen(np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3), np.float64)


def _placed(boxes: Boxes, unit: F64) -> F64:
    local = unit[None] * boxes.sizes_lwh_m[:, None, :]
    turned = local @ boxes.dst_from_box.rotations.transpose(0, 2, 1)
    return np.asarray(turned + boxes.dst_from_box.translations[:, None, :], dtype=np.float64)


def _bounds(edges: Projection, count: int, width_px: int, height_px: int) -> F64:
    """(N, 4) bounds of what the camera sees of the edges; where an edge leaves, up to the border."""
    from fusion.rectangles import _kernels

    ltrb_px = np.empty((count, 4))
    seen = edges.visible.reshape(count, len(EDGES), EDGE_SAMPLES)
    uv_px = edges.uv_px.reshape(count, len(EDGES), EDGE_SAMPLES, 2)
    _kernels.bound_edges(
        np.ascontiguousarray(uv_px), np.ascontiguousarray(seen), width_px, height_px, ltrb_px
    )
    return ltrb_px


def _renumbered(rows: I64, count: int) -> I32:
    """(count + 1,) the place of each of `count` numbers among the rows, -1 for those that are not there."""
    places = np.full(count + 1, -1, dtype=np.int32)
    places[rows] = np.arange(len(rows), dtype=np.int32)
    return places


def _behind_points(
    spread: Projection, inside: Bools, points: VisiblePoints, owners: I32, width_px: int, height_px: int
) -> Bools:
    """(N, S) which samples lie behind another's point, nearer than the whole box, in their cell."""
    from fusion.rectangles import _kernels

    cell_px = width_px / CELLS_ACROSS
    cells = (int(height_px / cell_px) + 2, CELLS_ACROSS + 2)
    begins_m = np.where(inside, spread.depth_m.reshape(inside.shape), np.inf).min(axis=1)
    hidden = np.zeros(inside.shape, dtype=np.bool_)
    _kernels.hide_behind_points(
        points.uv_px,
        points.depth_m,
        owners,
        cell_px,
        np.empty((*cells, 2)),
        np.empty(cells, dtype=np.int32),
        spread.uv_px.reshape(*inside.shape, 2),
        inside,
        begins_m - BEHIND_M,
        hidden,
    )
    return hidden


def _hide_behind_boxes(samples: F64, eye: F64, boxes: Boxes, ltrb_px: F64, solid: F64, hidden: Bools) -> None:
    """Marks which samples (N, S, 3) the solid part of another box hides from an eye (3,)."""
    from fusion.rectangles import _kernels

    rotations, halves = np.array(boxes.dst_from_box.rotations), boxes.sizes_lwh_m / 2
    centers = boxes.dst_from_box.translations - rotations[:, :, 2] * (halves[:, 2] * (1 - solid))[:, None]
    halves[:, 2] *= solid
    _kernels.hide_behind_boxes(samples, np.array(eye), rotations, centers, halves, ltrb_px, hidden)
