"""Boxes to rectangles in one image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from calib.cameras import CameraModel
from calib.se3 import SE3
from calib.types import F64, I32, Bools, Floats, frozen, kernel_view
from fusion.align import lens_of_shot
from fusion.boxes import EDGES, UNIT_CORNERS, Boxes
from fusion.log import DriveLog, ImageRef

EDGE_SAMPLES = 9
ON_EDGES = len(EDGES) * EDGE_SAMPLES
GRID = 5
CELLS_ACROSS = 96
BEHIND_M = 0.5


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
        points: (M, 3) in any frame; what stands column by column in memory need not be copied.
        owners: (M,) int32 number of the box that each point lies on, -1 for none.
        ego_from_points: to the frame of the boxes.
        numbers: (N,) int32 of the boxes among the owners; their places unless given.
    """

    points: Floats
    owners: I32
    ego_from_points: SE3
    numbers: I32 | None = None


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
    from fusion.rectangles import _kernels

    camera = log.rig.cameras[image.camera]
    model, cam_from_ego = camera.model, camera.ego_from_sensor.inverse()
    boxes_cam = boxes.moved(cam_from_ego)
    poses, unit = boxes_cam.dst_from_box, _unit_samples()
    samples, ltrb_px = np.empty((len(boxes), *unit.shape)), np.empty((len(boxes), 4))
    _kernels.place(unit, poses.rotations, poses.translations, boxes.sizes_lwh_m, samples)
    if camera.readout_ns == 0:
        seen = model.project(samples)
    else:
        moving = np.repeat(cam_from_ego.rotate(velocities_mps), len(unit), axis=0)
        seen = lens_of_shot(log, image).project(samples.reshape(-1, 3), moving)
    uv_px, visible = seen.uv_px.reshape(-1, len(unit), 2), seen.visible.reshape(-1, len(unit))
    _kernels.bound_edges(uv_px, visible, EDGE_SAMPLES, model.width_px, model.height_px, ltrb_px)
    inside = visible[:, ON_EDGES:] & np.isfinite(ltrb_px[:, :1])
    hidden = np.zeros(inside.shape, dtype=np.bool_)
    if inside.any():
        depth_m = seen.depth_m.reshape(-1, len(unit))
        _hide_behind_points(model, cam_from_ego, cloud, uv_px, depth_m, inside, hidden)
        _kernels.hide_behind_boxes(
            samples, poses.rotations, poses.translations, boxes.sizes_lwh_m, solid, ltrb_px, hidden
        )
    count = inside.sum(axis=1)
    visibility = (inside & ~hidden).sum(axis=1) / np.maximum(count, 1)
    return Rectangles(ltrb_px, 1 - count / GRID**3, visibility)


@lru_cache(maxsize=1)
def _unit_samples() -> F64:
    """(ON_EDGES + GRID^3, 3) places in a cube with sides of 1: along its edges, then spread through it."""
    along = np.linspace(0, 1, EDGE_SAMPLES)[None, :, None]
    begins, ends = UNIT_CORNERS[[a for a, _ in EDGES]][:, None], UNIT_CORNERS[[b for _, b in EDGES]][:, None]
    edges = (begins + along * (ends - begins)).reshape(-1, 3)
    steps = (np.arange(GRID) + 0.5) / GRID - 0.5
    spread = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    return frozen(np.concatenate([edges, spread]), np.float64)


def _hide_behind_points(
    model: CameraModel,
    cam_from_ego: SE3,
    cloud: Cloud,
    uv_px: F64,
    depth_m: F64,
    inside: Bools,
    hidden: Bools,
) -> None:
    """Marks which places in boxes lie behind another's point, nearer than the whole box, in their cell."""
    from calib._kernels import gate_of
    from fusion.rectangles import _kernels

    cell_px, numbers = model.width_px / CELLS_ACROSS, cloud.numbers
    cam_from_points = cam_from_ego @ cloud.ego_from_points
    rotation, translation = cam_from_points.rotation, cam_from_points.translation
    kept = np.float32 if cloud.points.dtype == np.float32 else np.float64
    _kernels.hide_behind_points(
        tuple(kernel_view(cloud.points[:, axis], 1, kept)[:, 0] for axis in range(3)),
        kernel_view(cloud.owners, 1, np.int32)[:, 0],
        (gate_of(model.sight, model.limit_rad, rotation, translation), rotation, translation, model.row),
        1 / cell_px,
        (int(model.height_px / cell_px) + 2, CELLS_ACROSS + 2),
        uv_px,
        depth_m,
        inside,
        BEHIND_M,
        np.arange(len(inside), dtype=np.int32) if numbers is None else numbers,
        hidden,
    )
