"""One image with the edges of the scan that belongs to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calib.cameras import CameraModel
from calib.refine.edges import Edges
from calib.refine.field import image_edges
from calib.se3 import SE3
from calib.types import F32, F64, U8, Floats, frozen

MARGIN_PX = 30.0
PROBE_RAD = 1e-3


@dataclass(frozen=True, eq=False, slots=True)
class View:
    """An image and the depth edges of a scan, at the image's own instant.

    Attributes:
        points_ego: (3, N) float32, coordinate by coordinate, edges in the ego frame of that instant.
        weights: (2, N) float32: how much each matters to edges met going right, and going down; sum 1.
        field: (2, H, W) uint8 of `image_edges`.
        neutral: (2,) what counts for a point that leaves the image.
        model: of the camera.
        name: what to call it in words.
        sharp: whether its edges come from known rings.
    """

    points_ego: F32
    weights: F32
    field: U8
    neutral: F64
    model: CameraModel
    name: str = ""
    sharp: bool = True

    def __len__(self) -> int:
        return int(self.points_ego.shape[1])


def view_of(
    edges: Edges, ego_from_lidar: SE3, image: U8, model: CameraModel, ego_from_cam: SE3, name: str = ""
) -> View:
    """The edges that a camera sees, or nearly sees, and the edges of its image.

    Args:
        edges: of the scan that belongs to the image.
        ego_from_lidar: takes them to the ego frame of the image's instant.
        image: (H, W, 3) uint8 RGB.
        model: of the camera.
        ego_from_cam: the mount as far as it is known; it decides which edges are kept, not where they fall.
        name: what to call the view in words.
    """
    points_ego, across_ego = ego_from_lidar @ edges.points, ego_from_lidar.rotate(edges.across)
    cam_from_ego = ego_from_cam.inverse()
    points_cam, across_cam = cam_from_ego @ points_ego, cam_from_ego.rotate(across_ego)
    uv_px, depth_m = model.project(points_cam).uv_px, points_cam[:, 2]
    with np.errstate(invalid="ignore"):
        size_px = np.array([model.width_px, model.height_px])
        near = ((uv_px > -MARGIN_PX) & (uv_px < size_px + MARGIN_PX)).all(axis=1) & (depth_m > 0.5)
    probe = points_cam[near] + across_cam[near] * depth_m[near, None] * PROBE_RAD
    turned_px = model.project(probe).uv_px - uv_px[near]
    length_px = np.maximum(np.linalg.norm(turned_px, axis=1, keepdims=True), 1e-12)
    shares = (turned_px / length_px) ** 2
    weights = shares.T * edges.weight[near]
    weights[:, ~np.isfinite(weights).all(axis=0)] = 0.0
    weights[weights < 0.05 * weights.sum(axis=0)] = 0.0
    field = image_edges(image)
    return View(
        frozen(points_ego[near].T, np.float32),
        frozen(weights / max(float(weights.sum()), 1e-12), np.float32),
        frozen(field, np.uint8),
        frozen(field.mean(axis=(1, 2)), np.float64),
        model,
        name,
        edges.sharp,
    )


def alignments(views: Sequence[View], ego_from_given_cam: SE3, corrections: Floats) -> F64:
    """How well the edges of each view agree under each of many corrections of one mount.

    Args:
        views: of one camera.
        ego_from_given_cam: the mount that is corrected.
        corrections: (C, 6) rotation vector in rad and translation in m of `cam_from_given_cam`.

    Returns:
        (C, V) mean nearness of edges, 0 to 1.
    """
    from calib.refine import _kernels

    rotations, translations = cams_from_ego(ego_from_given_cam, np.asarray(corrections, dtype=np.float64))
    scores = np.zeros((len(views), len(rotations)))
    for view, out in zip(views, scores, strict=True):
        seen = (view.points_ego, view.weights, view.neutral, view.field, view.model.row)
        _kernels.alignments(*seen, rotations, translations, out)
    return scores.T


def cams_from_ego(ego_from_given_cam: SE3, corrections: F64) -> tuple[F64, F64]:
    """(C, 3, 3) and (C, 3) of cam_from_ego = cam_from_given_cam @ given_cam_from_ego."""
    from scipy.spatial.transform import Rotation

    given_cam_from_ego = ego_from_given_cam.inverse()
    turns = Rotation.from_rotvec(corrections[:, :3]).as_matrix()
    rotations = turns @ given_cam_from_ego.rotation
    translations = turns @ given_cam_from_ego.translation + corrections[:, 3:]
    return np.asarray(rotations), np.asarray(translations)


def alignment(views: Sequence[View], ego_from_cam: SE3) -> float:
    """Mean nearness of edges over all views, 0 to 1, under one mount."""
    return float(alignments(views, ego_from_cam, np.zeros((1, 6))).mean())


def perturbation_share(
    views: Sequence[View], ego_from_cam: SE3, turn_rad: float = np.radians(0.5), shift_m: float = 0.1
) -> float:
    """Share of the 728 neighbours of a mount on a lattice that agree worse than it does.

    At a good mount it is near 1 (Levinson and Thrun, RSS 2013).
    """
    scores = alignments(views, ego_from_cam, lattice(turn_rad, shift_m)).mean(axis=1)
    return float(np.mean(scores < alignment(views, ego_from_cam)))


def lattice(turn_rad: float, shift_m: float) -> F64:
    """(728, 6) corrections with each of six numbers at minus one step, none, or one step; not all none."""
    steps = np.stack(np.meshgrid(*[(-1.0, 0.0, 1.0)] * 6, indexing="ij"), axis=-1).reshape(-1, 6)
    scale = np.array([turn_rad] * 3 + [shift_m] * 3)
    return np.asarray(steps[np.abs(steps).any(axis=1)] * scale, dtype=np.float64)
