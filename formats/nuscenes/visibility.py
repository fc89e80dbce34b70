"""How much of an object the cameras see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calib.project import VisiblePoints, project_cloud
from calib.types import F32, F64, I64
from fusion.align import cam_at_shot_from_ego
from fusion.boxes import Boxes
from fusion.log import DriveLog, ImageRef

GRID = 4
CELLS_ACROSS = 64
BEHIND_M = 0.5
# What nuScenes calls the four levels starts at these shares.
LEVELS = (0.4, 0.6, 0.8)


def visibility_tokens(
    log: DriveLog, frame_ns: int, boxes: Boxes, images: Sequence[ImageRef], points_ego: F32
) -> list[str]:
    """Levels "1" to "4" of boxes in the ego frame of a frame; "" where there is no image to judge by.

    An approximation of what nuScenes' annotators judged by eye: the share of 64 points spread through
    the box that lie in at least one image and behind nothing, where a LiDAR point hides what lies in
    its cell of the image (1/64 of the width) if it is half a metre nearer than the box begins.
    """
    if not images or not len(boxes):
        return [""] * len(boxes)
    shares = _seen_shares(log, frame_ns, boxes, images, points_ego)
    return [str(1 + level) for level in np.searchsorted(LEVELS, shares, side="right")]


def _seen_shares(
    log: DriveLog, frame_ns: int, boxes: Boxes, images: Sequence[ImageRef], points_ego: F32
) -> F64:
    from formats.nuscenes import _kernels

    models = [log.rig.cameras[image.camera].model for image in images]
    cams_from_ego = [cam_at_shot_from_ego(log, image, frame_ns) for image in images]
    spread = _spread_points(boxes)
    of_boxes = project_cloud(spread, models, cams_from_ego)
    of_cloud = project_cloud(points_ego, models, cams_from_ego)
    seen = np.zeros(len(spread), dtype=np.bool_)
    for model, in_image, cloud in zip(models, of_boxes, of_cloud, strict=True):
        cell_px = model.width_px / CELLS_ACROSS
        shape = (int(model.height_px / cell_px) + 2, CELLS_ACROSS + 2)
        nearest_m = np.full(shape, np.inf)
        _kernels.nearest(*_cells(cloud, cell_px), cloud.depth_m, nearest_m)
        box_of = in_image.index // GRID**3
        begins_m = np.full(len(boxes), np.inf)
        np.minimum.at(begins_m, box_of, in_image.depth_m)
        hidden = nearest_m[_cells(in_image, cell_px)] < begins_m[box_of] - BEHIND_M
        seen[in_image.index[~hidden]] = True
    return np.asarray(seen.reshape(len(boxes), -1).mean(axis=1), dtype=np.float64)


def _spread_points(boxes: Boxes) -> F64:
    """(B * 64, 3) points spread evenly through each box."""
    steps = (np.arange(GRID) + 0.5) / GRID - 0.5
    unit = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    local = unit[None] * boxes.sizes_lwh_m[:, None, :]
    turned = np.einsum("nij,nkj->nki", boxes.dst_from_box.rotations, local)
    return np.asarray(turned + boxes.dst_from_box.translations[:, None, :], dtype=np.float64).reshape(-1, 3)


def _cells(points: VisiblePoints, cell_px: float) -> tuple[I64, I64]:
    cells = ((points.uv_px + 0.5) / cell_px).astype(np.int64)
    return cells[:, 1], cells[:, 0]
