"""The cameras: what the world looks like through a lens at one instant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.cameras import CameraModel, Pinhole
from calib.se3 import SE3
from calib.types import F32, F64, I32, U8, Bools
from fusion.simulate import shading
from fusion.simulate.materials import Material
from fusion.simulate.scene import Hits, Scene

EDGE_SAMPLES = ((-0.25, -0.375), (0.375, -0.125), (-0.375, 0.125), (0.125, 0.375))


@dataclass(frozen=True, eq=False, slots=True)
class Picture:
    """An image with its truth.

    Attributes:
        rgb: (H, W, 3) uint8.
        actor: (H, W) which actor each pixel's centre shows, -1 for everything else.
        range_m: (H, W) float32 distance from the camera; infinite for the sky.
    """

    rgb: U8
    actor: I32
    range_m: F32


def pixel_rays(model: CameraModel) -> tuple[F32, Bools]:
    """(H * W, 3) directions through all pixel centres, and where there are any."""
    u, v = np.meshgrid(np.arange(model.width_px), np.arange(model.height_px))
    pixels: F64 = np.column_stack([u.ravel(), v.ravel()]).astype(np.float64)
    rays = _refined_rays(model, pixels) if isinstance(model, Pinhole) and model.distortion else None
    if rays is None:
        rays = model.ray(pixels)
    valid: Bools = np.asarray(np.isfinite(rays).all(axis=1))
    return np.where(valid[:, None], rays, (0.0, 0.0, 1.0)).astype(np.float32), valid


def _refined_rays(model: Pinhole, pixels: F64) -> F64 | None:
    """What `model.ray` says, ten times faster: exact on a coarse grid, refined between by projecting.

    None where the model does not hold everywhere or the refinement does not settle.
    """
    from scipy.ndimage import map_coordinates

    columns = np.linspace(0, model.width_px - 1, model.width_px // 16 + 2)
    rows = np.linspace(0, model.height_px - 1, model.height_px // 16 + 2)
    coarse = model.ray(np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2))
    plane = (coarse[:, :2] / coarse[:, 2:]).reshape(len(rows), len(columns), 2)
    if not np.isfinite(plane).all():
        return None
    where = np.stack([pixels[:, 1] / rows[1], pixels[:, 0] / columns[1]])
    x, y = (map_coordinates(plane[..., k], where, order=1, mode="nearest") for k in (0, 1))
    for _ in range(20):
        uv_px = model.project(np.column_stack([x, y, np.ones_like(x)])).uv_px
        off_px = pixels - uv_px
        if np.abs(off_px).max() < 1e-8:
            rays = np.column_stack([x, y, np.ones_like(x)])
            return np.asarray(rays / np.linalg.norm(rays, axis=1, keepdims=True), dtype=np.float64)
        x, y = x + off_px[:, 0] / model.fx_px, y + off_px[:, 1] / model.fy_px
    return None


def render(
    scene: Scene,
    crossing_m: float,
    model: CameraModel,
    rays: tuple[F32, Bools],
    world_from_cam: SE3,
    time_ns: int,
) -> Picture:
    """Renders one image, with four rays a pixel where the picture has edges."""
    height, width = model.height_px, model.width_px
    directions, valid = rays
    pixel_rad = float(
        np.arccos(np.clip(directions[len(directions) // 2] @ directions[len(directions) // 2 + 1], -1, 1))
    )
    light, hits = _look(scene, crossing_m, directions, world_from_cam, time_ns, pixel_rad)
    rgb = shading.exposed(light).reshape(height, width, 3)
    actor, range_m = hits.actor.reshape(height, width), hits.range_m.reshape(height, width)
    edge = np.flatnonzero(_edges(rgb, actor, range_m).ravel() & valid)
    if len(edge):
        rgb.reshape(-1, 3)[edge] = _supersampled(
            scene, crossing_m, directions, width, edge, world_from_cam, time_ns, pixel_rad
        )
    rgb[~valid.reshape(height, width)] = 0.0
    actor[~valid.reshape(height, width)] = -1
    return Picture(np.round(255 * rgb).astype(np.uint8), actor, range_m)


def _supersampled(
    scene: Scene,
    crossing_m: float,
    directions: F32,
    width: int,
    edge: np.ndarray,
    world_from_cam: SE3,
    time_ns: int,
    pixel_rad: float,
) -> F32:
    """(E, 3) mean colours of some pixels, from rays beside their centres."""
    last = len(directions) - 1
    right = directions[np.minimum(edge + 1, last)] - directions[edge]
    down = directions[np.minimum(edge + width, last)] - directions[edge]
    for step in (right, down):  # at the border of the image the neighbour is on another row
        far = np.linalg.norm(step, axis=1) > 3 * pixel_rad
        step[far] = 0.0
    beside = np.concatenate(
        [directions[edge] + np.float32(du) * right + np.float32(dv) * down for du, dv in EDGE_SAMPLES]
    )
    beside /= np.sqrt(np.einsum("ij,ij->i", beside, beside))[:, None]
    light, _ = _look(scene, crossing_m, beside, world_from_cam, time_ns, pixel_rad / 2)
    return np.asarray(shading.exposed(light).reshape(len(EDGE_SAMPLES), -1, 3).mean(axis=0), dtype=np.float32)


def _look(
    scene: Scene, crossing_m: float, directions_cam: F32, world_from_cam: SE3, time_ns: int, pixel_rad: float
) -> tuple[F32, Hits]:
    """Light along each ray of a camera, and what it met."""
    directions = world_from_cam.rotate(directions_cam)
    origins = np.broadcast_to(world_from_cam.translation, directions.shape)
    times_ns = np.full(len(directions), time_ns, np.int64)
    hits = scene.cast(origins, directions, times_ns)
    met = np.flatnonzero(hits.solid >= 0)
    light = np.empty((len(directions), 3), np.float32)
    missed = np.flatnonzero(hits.solid < 0)
    light[missed] = shading.sky(directions[missed].astype(np.float32))
    seen = Hits(hits.range_m[met], hits.actor[met], hits.solid[met], hits.triangle[met], hits.weights[met])
    surface = scene.surface(seen, times_ns[met])
    toward = directions[met].astype(np.float32)
    places = origins[met] + seen.range_m[:, None] * directions[met]
    sunlit = _sunlit(
        scene, places, toward, surface.normal_world, surface.material == Material.FOLIAGE, time_ns
    )
    openness = _openness(scene, places, surface.material == Material.GROUND, time_ns)
    light[met] = shading.shade(surface, toward, seen.range_m, sunlit, openness, crossing_m, pixel_rad)
    return light, hits


def _sunlit(scene: Scene, places: F64, directions: F32, normals: F32, leaves: Bools, time_ns: int) -> F32:
    """Share of the sun that reaches each place: none in the shadow."""
    facing = np.where(np.einsum("ij,ij->i", normals, directions)[:, None] > 0, -normals, normals)
    lit = leaves | ~shading.away_from_sun(facing)
    rows = np.flatnonzero(lit)
    origins = places[rows] + 0.02 * facing[rows] - 0.01 * directions[rows]
    toward_sun = np.broadcast_to(shading.SUN_WORLD, origins.shape)
    share = lit.astype(np.float32)
    blocked = scene.blocked(origins, toward_sun, time_ns)
    share[rows[blocked]] = np.where(leaves[rows[blocked]], 0.25, 0.0)
    return share


def _openness(scene: Scene, places: F64, ground: Bools, time_ns: int) -> F32:
    """Share of the sky that reaches each place: little on the ground close to a vehicle or a person."""
    from fusion.simulate import _kernels

    open_share = np.ones(len(places), np.float32)
    world_from_boxes = scene.poses(time_ns)
    halves = np.array([actor.body.size_lwh_m[:2] for actor in scene.actors]).reshape(-1, 2) / 2 * (0.92, 0.9)
    depths = np.where(halves.max(axis=1, initial=0.0) > 0.6, 0.72, 0.4)
    axes = np.ascontiguousarray(world_from_boxes.rotations[:, :2, 0])
    centers = np.ascontiguousarray(world_from_boxes.translations[:, :2])
    _kernels.openness(places, np.flatnonzero(ground), centers, axes, halves, depths, open_share)
    return open_share


def _edges(rgb: F32, actor: I32, range_m: F32) -> Bools:
    """Pixels beside which the picture changes at once."""
    edge = np.zeros(actor.shape, bool)
    grey = rgb.mean(axis=2)
    inverse = np.where(np.isfinite(range_m), 1 / np.maximum(range_m, 0.1), 0)
    for axis in (0, 1):
        jump = np.diff(actor, axis=axis) != 0
        jump |= np.abs(np.diff(grey, axis=axis)) > 0.11
        jump |= np.abs(np.diff(inverse, axis=axis)) > 0.004 + 0.05 * np.minimum(*_pairs(inverse, axis))
        before = (slice(None, -1), slice(None))[:: 1 if axis == 0 else -1]
        after = (slice(1, None), slice(None))[:: 1 if axis == 0 else -1]
        edge[before] |= jump
        edge[after] |= jump
    return edge


def _pairs(values: F32, axis: int) -> tuple[F32, F32]:
    if axis == 0:
        return values[:-1], values[1:]
    return values[:, :-1], values[:, 1:]
