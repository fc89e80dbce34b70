"""Casting rays into a world whose objects move while the rays are cast."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from calib.se3 import SE3, SE3Batch
from calib.types import F32, F64, I32, I64, U8, Bools
from fusion.simulate.actors import Actor
from fusion.simulate.mesh import Mesh
from fusion.trajectory import Trajectory

NONE = -1
KNOT_NS = 500_000
FARTHEST_MOVER_M = 150.0


class Solid:
    """A mesh that rays can hit, in its own frame."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh

    @cached_property
    def _caster(self) -> Any:
        import open3d as o3d

        caster = o3d.t.geometry.RaycastingScene()
        vertices = o3d.core.Tensor.from_numpy(self.mesh.vertices.astype(np.float32))
        triangles = o3d.core.Tensor.from_numpy(self.mesh.triangles.astype(np.uint32))
        caster.add_triangles(vertices, triangles)
        return caster

    def cast(self, origins: F64, directions: F64) -> tuple[F32, I32, F32]:
        """Range (infinite where nothing is hit), triangle and (N, 2) place in it of each ray's first hit."""
        from fusion.simulate import _kernels

        answer = self._caster.cast_rays(_rays(origins, directions))
        range_m = answer["t_hit"].numpy().copy()
        triangle = answer["primitive_ids"].numpy().astype(np.int32)
        _kernels.onto_planes(
            np.ascontiguousarray(origins),
            np.ascontiguousarray(directions),
            self.mesh.vertices,
            self.mesh.triangles,
            triangle,
            range_m,
        )
        return range_m, triangle, answer["primitive_uvs"].numpy()

    def blocks(self, origins: F64, directions: F64) -> Bools:
        """Whether each ray hits anything."""
        hit: Bools = self._caster.test_occlusions(_rays(origins, directions)).numpy()
        return hit


def _rays(origins: F64, directions: F64) -> Any:
    import open3d as o3d

    rays = np.empty((len(directions), 6), np.float32)
    rays[:, :3], rays[:, 3:] = origins, directions
    return o3d.core.Tensor.from_numpy(rays)


@dataclass(frozen=True, eq=False, slots=True)
class Hits:
    """The first thing that each ray meets.

    Attributes:
        range_m: (N,) float32 distance; infinite where there is nothing.
        actor: (N,) index of the actor, or -1.
        solid: (N,) index of the solid in the scene, or -1.
        triangle: (N,) of the solid.
        weights: (N, 2) barycentric weights of the triangle's second and third corner.
    """

    range_m: F32
    actor: I32
    solid: I32
    triangle: I32
    weights: F32


@dataclass(frozen=True, eq=False, slots=True)
class Surface:
    """What a set of hits looks like.

    Attributes:
        material: (N,).
        color: (N, 3) sRGB.
        uv: (N, 2) place on the surface.
        normal_world: (N, 3) unit, smooth where the thing is round.
    """

    material: U8
    color: F32
    uv: F32
    normal_world: F32


@dataclass(eq=False)
class Scene:
    """The world.

    Attributes:
        ground: everything that stands still, in the world frame.
        ground_actor: (T,) which actor each of its triangles belongs to, or -1.
        actors: all that is labelled; those that move have solids of their own.
        poses: world_from_box of all actors at an instant.
    """

    ground: Solid
    ground_actor: I32
    actors: tuple[Actor, ...]
    poses: Callable[[int], SE3Batch] = field(init=False)
    _still: list[SE3] = field(init=False)
    _solids: list[Solid] = field(init=False)
    _first_solid: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        shared: dict[int, int] = {}
        self._solids, self._first_solid = [self.ground], {}
        for index, actor in enumerate(self.actors):
            if not actor.moving:
                continue
            if id(actor.body) not in shared:
                shared[id(actor.body)] = len(self._solids)
                self._solids += [Solid(mesh) for mesh in actor.body.meshes]
            self._first_solid[index] = shared[id(actor.body)]
        self._still = [actor.world_from_box(actor.trajectory.start_ns) for actor in self.actors]
        self.poses = lru_cache(maxsize=16)(self._poses_at)

    def _poses_at(self, time_ns: int) -> SE3Batch:
        return SE3Batch.stack(
            actor.world_from_box(time_ns) if actor.moving else still
            for actor, still in zip(self.actors, self._still, strict=True)
        )

    def cast(self, origins: F64, directions: F64, times_ns: I64) -> Hits:
        """First hits of (N, 3) rays of the world, each at its own instant; directions are unit vectors."""
        range_m, triangle, weights = self.ground.cast(origins, directions)
        found = np.isfinite(range_m)
        actor = np.full(len(range_m), NONE, np.int32)
        actor[found] = self.ground_actor[triangle[found]]
        hits = Hits(
            range_m, actor, np.where(found, 0, NONE).astype(np.int32), triangle.copy(), weights.copy()
        )
        for index, solid, rays, local_origins, local_directions in self._near(origins, directions, times_ns):
            new_range, new_triangle, new_weights = self._solids[solid].cast(local_origins, local_directions)
            nearer = new_range < hits.range_m[rays]
            rays = rays[nearer]
            hits.range_m[rays], hits.triangle[rays] = new_range[nearer], new_triangle[nearer]
            hits.weights[rays], hits.actor[rays], hits.solid[rays] = new_weights[nearer], index, solid
        return hits

    def blocked(self, origins: F64, directions: F64, time_ns: int) -> Bools:
        """Whether anything stands in the way of each ray, all at one instant."""
        blocked = self.ground.blocks(origins, directions)
        times_ns = np.full(len(origins), time_ns, np.int64)
        for _, solid, rays, local_origins, local_directions in self._near(origins, directions, times_ns):
            blocked[rays] |= self._solids[solid].blocks(local_origins, local_directions)
        return blocked

    def surface(self, hits: Hits, times_ns: I64) -> Surface:
        """Material, colour, texture place and normal of hits; rays that met nothing stay zero."""
        from fusion.simulate import _kernels

        count = len(hits.range_m)
        vectors, places = np.zeros((2, count, 3), np.float32), np.zeros((count, 2), np.float32)
        surface = Surface(np.zeros(count, np.uint8), vectors[0], places, vectors[1])
        met = np.flatnonzero(hits.solid >= 0)
        order = met[np.argsort(hits.solid[met], kind="stable")]
        starts = np.flatnonzero(np.diff(hits.solid[order], prepend=-2))
        for rows in np.split(order, starts[1:]) if len(order) else ():
            mesh = self._solids[int(hits.solid[rows[0]])].mesh
            look = (mesh.triangles, mesh.uv, mesh.normals, mesh.material, mesh.color)
            into = (surface.material, surface.color, surface.uv, surface.normal_world)
            _kernels.surfaces(rows, hits.triangle, hits.weights, *look, *into)
        self._turn_normals(hits, times_ns, surface.normal_world)
        return surface

    def _turn_normals(self, hits: Hits, times_ns: I64, normals: F32) -> None:
        for index in self._first_solid:
            rows = np.flatnonzero(hits.actor == index)
            if len(rows):
                world_from_box = self.actors[index].world_from_box(int(times_ns[rows[0]]))
                normals[rows] = world_from_box.rotate(normals[rows])

    def _near(self, origins: F64, directions: F64, times_ns: I64) -> Iterator[tuple[int, int, I64, F64, F64]]:
        """For each mover that some rays may touch: its index, solid, the rays, and these in its own frame."""
        from fusion.simulate import _kernels

        first_ns, last_ns = int(times_ns.min()), int(times_ns.max())
        ends = [self.poses(time_ns) for time_ns in (first_ns, (first_ns + last_ns) // 2, last_ns)]
        room = np.empty(len(directions), np.int64)
        for index, first_solid in self._first_solid.items():
            actor, center = self.actors[index], ends[1].translations[index]
            if np.linalg.norm(center - origins[0]) > FARTHEST_MOVER_M:
                continue
            way = max(float(np.linalg.norm(end.translations[index] - center)) for end in ends)
            radius = actor.body.radius_m + 1.5 * way + 0.01
            rays = room[: _kernels.rays_near(origins, directions, center, radius, room)].copy()
            if len(rays) == 0:
                continue
            if first_ns == last_ns:
                box_from_world = ends[0][index].inverse()
                local = box_from_world @ origins[rays], box_from_world.rotate(directions[rays])
            else:
                local = _into_box(actor.trajectory, times_ns[rays], origins[rays], directions[rays])
            phases = actor.phases(times_ns[rays])
            for phase in np.unique(phases):
                part = phases == phase
                yield index, first_solid + int(phase), rays[part], local[0][part], local[1][part]


def poses_between(trajectory: Trajectory, times_ns: I64) -> tuple[F64, F64]:
    """Rotations (N, 3, 3) and translations (N, 3) at many instants that lie close together.

    Matrices are interpolated between knots half a millisecond apart (off by less than 1e-7 at 1 rad/s).
    """
    first = int(times_ns.min())
    count = (int(times_ns.max()) - first) // KNOT_NS + 2
    knots_ns = np.minimum(first + KNOT_NS * np.arange(count), trajectory.end_ns)
    knots = trajectory.at_many(knots_ns)
    before = (times_ns - first) // KNOT_NS
    share = ((times_ns - first) % KNOT_NS) / KNOT_NS
    rotations, places = knots.rotations, knots.translations
    turns, steps = np.diff(rotations, axis=0)[before], np.diff(places, axis=0)[before]
    return rotations[before] + share[:, None, None] * turns, places[before] + share[:, None] * steps


def _into_box(trajectory: Trajectory, times_ns: I64, origins: F64, directions: F64) -> tuple[F64, F64]:
    """Rays of the world in the frame of a moving box, each at its own instant."""
    rotations, places = poses_between(trajectory, times_ns)
    return (
        np.einsum("nji,nj->ni", rotations, origins - places),
        np.einsum("nji,nj->ni", rotations, directions),
    )
