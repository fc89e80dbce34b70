"""How well a camera, a LiDAR and their data fit, as one number that can be compared between candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calib.cameras import CameraModel
from calib.doctor.shot import Shot
from calib.se3 import SE3
from calib.types import F64, Floats

STEPS_RAD = np.radians(np.arange(-2.0, 2.01, 0.4))
INNER_RAD, OUTER_RAD = np.radians(0.9), np.radians(1.5)
FEWEST_POINTS = 40
NEAREST_M = 0.5
PROBE_RAD = 1e-3
CHANCE = 2.0
NO_MIRROR = (1.0, 1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Geometry:
    """Everything that decides where a point of a scan falls in an image.

    Attributes:
        ego_from_cam: the camera's mount.
        model: how it sees.
        ego_from_lidar: the LiDAR's mount.
        mirror: (3,) signs that the points are multiplied by first, for left-handed clouds.
        flipped: whether the image is mirrored left to right.
    """

    ego_from_cam: SE3
    model: CameraModel
    ego_from_lidar: SE3
    mirror: tuple[float, float, float] = NO_MIRROR
    flipped: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """How well edges of scans meet edges of images.

    Attributes:
        rise: how much better they meet near this geometry than two degrees beside it, less what chance and
            the unevenness there would give; 0.03 to 0.13 where all is right, below 0.02 where something is
            wrong.
        seen: how many edges of all scans fall into the images.
        best_shift_rad: yaw and pitch at which they meet best, within a degree.
    """

    rise: float
    seen: int
    best_shift_rad: tuple[float, float] = (0.0, 0.0)


NOTHING_SEEN = Score(-1.0, 0)


def score(shots: Sequence[Shot], geometry: Geometry, every: int = 1) -> Score:
    """Scores one geometry on the shots of one camera; `every` n-th edge is looked at."""
    maps, seen, effective = [], 0, 0.0
    for shot in shots:
        landed = _landed(shot, geometry, every)
        if landed is None:
            continue
        uv_px, weights = landed
        seen += len(uv_px)
        effective += 1 / float((weights.sum(axis=1) ** 2).sum())
        maps.append(_map(shot, geometry, uv_px, weights))
    if not maps:
        return NOTHING_SEEN
    mean = np.mean(maps, axis=0)
    best = int(np.argmax(mean[: INNER.sum()]))
    noise = CHANCE * np.mean([shot.noise for shot in shots]) / 255 / np.sqrt(effective)
    beside = mean[INNER.sum() :]
    rise = float(mean[best] - beside.mean() - beside.std() - noise)
    yaw, pitch = SHIFTS_RAD[best]
    return Score(rise, seen, (float(yaw), float(pitch)))


def _shifts() -> tuple[F64, np.ndarray]:
    """(S, 2) shifts to try, those within the search first, and which of them are."""
    grid = np.stack(np.meshgrid(STEPS_RAD, STEPS_RAD), axis=-1).reshape(-1, 2)
    reach = np.abs(grid).max(axis=1)
    inner, outer = grid[reach < INNER_RAD], grid[reach > OUTER_RAD]
    return np.concatenate([inner, outer]), np.arange(len(inner) + len(outer)) < len(inner)


SHIFTS_RAD, INNER = _shifts()


def _landed(shot: Shot, geometry: Geometry, every: int) -> tuple[F64, F64] | None:
    """Pixels of the full image where edges fall, and their weights by direction; None if too few."""
    cam_at_shot_from_ego = geometry.ego_from_cam.inverse() @ shot.ego_at_shot_from_ego
    cam_from_lidar = cam_at_shot_from_ego @ geometry.ego_from_lidar
    signs = np.array(geometry.mirror)
    points_cam = cam_from_lidar @ (shot.points_lidar[::every] * signs)
    projection = geometry.model.project(points_cam)
    seen = projection.visible & (np.linalg.norm(points_cam, axis=1) > NEAREST_M)
    if seen.sum() < max(FEWEST_POINTS // every, 10):
        return None
    points_cam, uv_px = points_cam[seen], projection.uv_px[seen]
    across_cam = cam_from_lidar.rotate(shot.across_lidar[::every][seen] * signs)
    probe = points_cam + across_cam * (np.linalg.norm(points_cam, axis=1, keepdims=True) * PROBE_RAD)
    turned_px = geometry.model.project(probe).uv_px - uv_px
    with np.errstate(invalid="ignore"):
        shares = (turned_px / np.maximum(np.linalg.norm(turned_px, axis=1, keepdims=True), 1e-12)) ** 2
    weights = np.nan_to_num(shares) * shot.weight[::every][seen, None]
    return uv_px, weights / max(float(weights.sum()), 1e-12)


def _map(shot: Shot, geometry: Geometry, uv_px: Floats, weights: F64) -> F64:
    """(S,) agreement at each shift, 0 to 1."""
    from calib.doctor import _kernels

    height, width = shot.field.shape[1:]
    # A model made for another size is scored as it is given: in pixels of the image there is.
    ratio = np.array([width / shot.size_px[0], height / shot.size_px[1]])
    small_px = (uv_px + 0.5) * ratio - 0.5
    if geometry.flipped:
        small_px[:, 0] = width - 1 - small_px[:, 0]
    focal_px = np.diag(geometry.model.plain.matrix)[:2] * ratio
    u, v = np.ascontiguousarray(small_px[:, 0]), np.ascontiguousarray(small_px[:, 1])
    across, down = SHIFTS_RAD[:, 0] * focal_px[0], SHIFTS_RAD[:, 1] * focal_px[1]
    out = np.empty(len(SHIFTS_RAD))
    _kernels.shifted(u, v, weights, shot.field, shot.neutral, across, down, out)
    return out / 255
