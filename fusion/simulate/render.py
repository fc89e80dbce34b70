"""The cameras: what the world looks like through a lens, each line of an image at its own instant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calib.cameras import CameraModel, Pinhole
from calib.rig import Camera
from calib.se3 import SE3Batch
from calib.types import F32, F64, I32, I64, U8, Bools
from fusion.simulate import shading
from fusion.simulate.materials import Material
from fusion.simulate.scene import Hits, Scene, Surface
from fusion.trajectory import Trajectory

EDGE_SAMPLES: F64 = np.array([(-0.25, -0.375), (0.375, -0.125), (-0.375, 0.125), (0.125, 0.375)])


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


@dataclass(frozen=True, eq=False, slots=True)
class Shot:
    """When and from where the lines of an image are exposed: rows, columns, or the whole at once.

    Attributes:
        middle_ns: the timestamp of the image.
        times_ns: (L,) the instant of each line.
        world_from_cams: L poses.
        lines: (H * W,) which line each pixel lies on.
    """

    middle_ns: int
    times_ns: I64
    world_from_cams: SE3Batch
    lines: I64

    @classmethod
    def of(cls, camera: Camera, trajectory: Trajectory, middle_ns: int) -> Shot:
        """The shot of a camera on a car."""
        v, u = np.divmod(np.arange(camera.model.height_px * camera.model.width_px), camera.model.width_px)
        sideways = camera.readout in ("right", "left")
        lines = np.zeros_like(u) if camera.readout_ns == 0 else u if sideways else v
        steps = np.arange(lines.max() + 1, dtype=np.float64)
        offsets_ns = camera.row_offset_ns(np.column_stack([steps, steps]))
        times_ns = middle_ns + np.round(offsets_ns).astype(np.int64)
        world_from_cams = trajectory.at_many(times_ns) @ camera.ego_from_sensor
        return cls(middle_ns, times_ns, world_from_cams, lines)

    def instants_ns(self, lines: I64) -> I64:
        """(N,) instants of some lines, or (1,) where all are one."""
        return self.times_ns if len(self.times_ns) == 1 else self.times_ns[lines]


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
    shot: Shot,
) -> Picture:
    """Renders one image, with four rays a pixel where the picture has edges."""
    from fusion.simulate import _picture_kernels

    directions, valid = rays
    middle = directions[len(directions) // 2 :][:2].astype(np.float64)
    pixel_rad = float(np.arccos(np.clip(middle[0] @ middle[-1], -1, 1)))
    rgb, hits = _look(scene, crossing_m, directions, shot, shot.lines, pixel_rad)
    room, marked = np.empty(len(directions), np.int64), np.zeros(len(directions), np.bool_)
    seen = (rgb, hits.actor, hits.range_m, valid, model.width_px)
    edge = room[: _picture_kernels.edges(*seen, marked, room)]
    if len(edge):
        beside = np.empty((len(edge) * len(EDGE_SAMPLES), 3), np.float32)
        _picture_kernels.rays_beside(directions, model.width_px, edge, EDGE_SAMPLES, pixel_rad, beside)
        lines = np.repeat(shot.lines[edge], len(EDGE_SAMPLES))
        samples, _ = _look(scene, crossing_m, beside, shot, lines, pixel_rad / 2)
        rgb[edge] = samples.reshape(len(edge), -1, 3).mean(axis=1)
    rgb[~valid], hits.actor[~valid] = 0.0, -1
    size = (model.height_px, model.width_px)
    shown = np.round(255 * rgb).astype(np.uint8).reshape(*size, 3)
    return Picture(shown, hits.actor.reshape(size), hits.range_m.reshape(size))


def _look(
    scene: Scene, crossing_m: float, directions_cam: F32, shot: Shot, lines: I64, pixel_rad: float
) -> tuple[F32, Hits]:
    """(N, 3) sRGB that each ray of a camera sees, and what it met."""
    from fusion.simulate import _kernels

    rays = np.empty((len(directions_cam), 6))
    world_from_cams = shot.world_from_cams
    _kernels.camera_rays(directions_cam, lines, world_from_cams.rotations, world_from_cams.translations, rays)
    instants_ns = shot.instants_ns(lines)
    hits = scene.cast(rays, instants_ns)
    surface = scene.surface(hits, instants_ns)
    sunlit = _sunlit(scene, rays, hits.range_m, surface, instants_ns)
    openness = _openness(scene, rays, hits, surface, shot.middle_ns)
    return shading.seen(rays, hits.range_m, surface, sunlit, openness, crossing_m, pixel_rad), hits


def _sunlit(scene: Scene, rays: F64, range_m: F32, surface: Surface, instants_ns: I64) -> F32:
    """Share of the sun that reaches each place: none in the shadow, a quarter through leaves."""
    from fusion.simulate import _picture_kernels

    leaves = surface.material == Material.FOLIAGE
    share, rows, shadows = np.empty(len(rays), np.float32), np.empty(len(rays), np.int64), np.empty_like(rays)
    met = (rays, range_m, surface.normal_world, leaves)
    count = _picture_kernels.sun_rays(*met, shading.SUN_WORLD, share, rows, shadows)
    rows = rows[:count]
    own_ns = instants_ns if len(instants_ns) == 1 else instants_ns[rows]
    dark = rows[scene.blocked(shadows[:count], own_ns)]
    share[dark] = np.where(leaves[dark], 0.25, 0.0)
    return share


def _openness(scene: Scene, rays: F64, hits: Hits, surface: Surface, time_ns: int) -> F32:
    """Share of the sky that reaches each place: little on the ground close to a vehicle or a person."""
    from fusion.simulate import _picture_kernels

    share = np.empty(len(rays), np.float32)
    ground = (surface.material == Material.GROUND) & (hits.solid >= 0)
    world_from_boxes = scene.poses(time_ns)
    halves = np.array([actor.body.size_lwh_m[:2] for actor in scene.actors]).reshape(-1, 2) / 2 * (0.92, 0.9)
    depths = np.where(halves.max(axis=1, initial=0.0) > 0.6, 0.72, 0.4)
    axes = world_from_boxes.rotations[:, :2, 0].copy()
    centers = world_from_boxes.translations[:, :2].copy()
    _picture_kernels.openness(rays, hits.range_m, ground, centers, axes, halves, depths, share)
    return share
