"""What the doctor looks at: one image and the depth edges of the scan that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from calib.refine.edges import Edges
from calib.refine.field import image_edges
from calib.se3 import SE3
from calib.types import F32, F64, U8, frozen

LONGEST_SIDE_PX = 1000
MOST_EDGES = 6000


@dataclass(frozen=True, eq=False, slots=True)
class Shot:
    """One image of a camera with the edges all around of a scan.

    Attributes:
        points_lidar: (N, 3) float32 edges of the scan, whichever camera may see them.
        across_lidar: (N, 3) float32 unit directions in which the scan was looked through.
        weight: (N,) float32.
        ego_at_shot_from_ego: the car's motion from the instant of the scan to that of the image.
        field: (2, h, w) uint8 of `image_edges`, of the image made smaller.
        neutral: (2,) mean of the field.
        noise: standard deviation of the field.
        size_px: width and height of the image as it is on disk.
        name: what to call it.
    """

    points_lidar: F32
    across_lidar: F32
    weight: F32
    ego_at_shot_from_ego: SE3
    field: U8
    neutral: F64
    noise: float
    size_px: tuple[int, int]
    name: str = ""


def shot_of(edges: Edges, ego_at_shot_from_ego: SE3, image: U8, name: str = "") -> Shot:
    """Puts edges and an image together; of very many edges every n-th is kept."""
    field = image_edges(smaller(image))
    nothing = frozen(np.empty((0, 3)), np.float32)
    shot = Shot(
        nothing,
        nothing,
        frozen(np.empty(0), np.float32),
        ego_at_shot_from_ego,
        frozen(field, np.uint8),
        frozen(field.mean(axis=(1, 2)), np.float64),
        float(field.std()),
        (image.shape[1], image.shape[0]),
        name,
    )
    return with_edges(shot, edges, ego_at_shot_from_ego)


def with_edges(shot: Shot, edges: Edges, ego_at_shot_from_ego: SE3) -> Shot:
    """The same image with the edges of another scan."""
    step = max(1, -(-len(edges) // MOST_EDGES))
    return replace(
        shot,
        points_lidar=frozen(edges.points[::step], np.float32),
        across_lidar=frozen(edges.across[::step], np.float32),
        weight=frozen(edges.weight[::step], np.float32),
        ego_at_shot_from_ego=ego_at_shot_from_ego,
    )


def smaller(image: U8) -> U8:
    """The image with its longer side at most 1000 pixels: finer detail only narrows the basin."""
    import cv2

    factor = -(-max(image.shape[:2]) // LONGEST_SIDE_PX)
    if factor == 1:
        return image
    size = (image.shape[1] // factor, image.shape[0] // factor)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
