"""Casting rays into a world whose objects move while the rays are cast."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import Any, ClassVar

import numpy as np

from calib.se3 import SE3, SE3Batch
from calib.types import F32, F64, I32, I64, U8, Bools
from fusion.simulate.actors import Actor
from fusion.simulate.mesh import Mesh
from fusion.trajectory import Trajectory

NONE = -1
KNOT_NS = 500_000
FARTHEST_MOVER_M = 150.0

# Every scene of Open3D takes a thread-specific key of the process, and there are 1,024 in all: with
# none left it ends the process. A drive has about 250 solids, so the oldest scenes are given up.
MOST_CASTERS = 512


class Solid:
    """A mesh that rays can hit, in its own frame; many threads may cast at once."""

    _with_caster: ClassVar[deque[weakref.ref[Solid]]] = deque()

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self._lock = Lock()
        self._ready: Any = None

    @property
    def _caster(self) -> Any:
        with self._lock:
            if self._ready is None:
                self._ready = self._committed()
                self._with_caster.append(weakref.ref(self))
            caster = self._ready
        while len(self._with_caster) > MOST_CASTERS:
            oldest = self._with_caster.popleft()()
            if oldest is not None:
                oldest._give_up()
        return caster

    def _give_up(self) -> None:
        with self._lock:
            self._ready = None

    def _committed(self) -> Any:
        """A scene of Open3D, which builds its tree on the first cast: not something to do in two threads."""
        import open3d as o3d

        caster = o3d.t.geometry.RaycastingScene()
        vertices = o3d.core.Tensor.from_numpy(self.mesh.vertices.astype(np.float32))
        triangles = o3d.core.Tensor.from_numpy(self.mesh.triangles.astype(np.uint32))
        caster.add_triangles(vertices, triangles)
        caster.test_occlusions(_tensor(np.zeros((1, 6))))
        return caster

    def cast(self, rays: F64) -> tuple[F32, I32, F32]:
        """Range (infinite where nothing is hit), triangle and (N, 2) place in it of each ray's first hit."""
        from fusion.simulate import _kernels

        answer = self._caster.cast_rays(_tensor(rays))
        range_m = answer["t_hit"].numpy().copy()
        triangle = answer["primitive_ids"].numpy().astype(np.int32)
        _kernels.onto_planes(rays, self.mesh.vertices, self.mesh.triangles, triangle, range_m)
        return range_m, triangle, answer["primitive_uvs"].numpy()

    def blocks(self, rays: F64) -> Bools:
        """Whether each ray hits anything."""
        hit: Bools = self._caster.test_occlusions(_tensor(rays)).numpy()
        return hit


def _tensor(rays: F64) -> Any:
    import open3d as o3d

    return o3d.core.Tensor.from_numpy(rays.astype(np.float32))


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

    def cast(self, rays: F64, times_ns: I64) -> Hits:
        """First hits of rays of the world, directions of unit length.

        Args:
            rays: (N, 6) origins and directions.
            times_ns: (N,) the instant of each, or (1,) of all.
        """
        from fusion.simulate import _kernels

        range_m, triangle, weights = self.ground.cast(rays)
        actor, solid = np.empty(len(rays), np.int32), np.empty(len(rays), np.int32)
        _kernels.owners(range_m, triangle, self.ground_actor, actor, solid)
        hits = Hits(range_m, actor, solid, triangle, weights.copy())
        into = (hits.range_m, hits.triangle, hits.weights, hits.actor, hits.solid)
        for index, number, rows, local in self._near(rays, times_ns, range_m):
            _kernels.keep_nearer(rows, *self._solids[number].cast(local), index, number, *into)
        return hits

    def blocked(self, rays: F64, times_ns: I64) -> Bools:
        """Whether anything stands in the way of each ray, at (N,) instants or at (1,) of all."""
        blocked = self.ground.blocks(rays)
        ends_m = np.where(blocked, -np.inf, np.inf).astype(np.float32)
        for _, number, rows, local in self._near(rays, times_ns, ends_m):
            hidden = rows[self._solids[number].blocks(local)]
            blocked[hidden], ends_m[hidden] = True, -np.inf
        return blocked

    def surface(self, hits: Hits, times_ns: I64) -> Surface:
        """Material, colour, texture place and normal of hits; rays that met nothing stay zero."""
        from fusion.simulate import _kernels

        count = len(hits.range_m)
        vectors, places = np.zeros((2, count, 3), np.float32), np.zeros((count, 2), np.float32)
        surface = Surface(np.zeros(count, np.uint8), vectors[0], places, vectors[1])
        for number in np.flatnonzero(np.bincount(hits.solid + 1)[1:]).tolist():
            mesh = self._solids[number].mesh
            look = (mesh.triangles, mesh.uv, mesh.normals, mesh.material, mesh.color)
            into = (surface.material, surface.color, surface.uv, surface.normal_world)
            _kernels.surfaces(number, hits.solid, hits.triangle, hits.weights, *look, *into)
        self._turn_normals(hits, times_ns, surface.normal_world)
        return surface

    def _turn_normals(self, hits: Hits, times_ns: I64, normals: F32) -> None:
        from fusion.simulate import _kernels

        rows = np.full(len(self.actors), NONE)
        _kernels.first_rows(hits.actor, rows)
        rotations = np.tile(np.eye(3), (len(self.actors), 1, 1))
        for index in self._first_solid:
            if rows[index] != NONE:
                time_ns = int(times_ns[min(int(rows[index]), len(times_ns) - 1)])
                rotations[index] = self.actors[index].world_from_box(time_ns).rotation
        _kernels.turn(hits.actor, rotations, normals)

    def _near(self, rays: F64, times_ns: I64, ends_m: F32) -> Iterator[tuple[int, int, I64, F64]]:
        """For each mover that rays may touch before they end: index, solid, the rays, these in its frame."""
        from fusion.simulate import _kernels

        if len(rays) == 0:
            return
        first_ns, last_ns = int(times_ns.min()), int(times_ns.max())
        ends = [self.poses(time_ns) for time_ns in (first_ns, (first_ns + last_ns) // 2, last_ns)]
        room, bounds = np.empty(len(rays), np.int64), np.empty((-(-len(rays) // _kernels.BUNDLE), 8))
        _kernels.bundles(rays, bounds)
        for index, first_solid in self._first_solid.items():
            actor, center = self.actors[index], ends[1].translations[index]
            if np.linalg.norm(center - rays[0, :3]) > FARTHEST_MOVER_M:
                continue
            way = max(float(np.linalg.norm(end.translations[index] - center)) for end in ends)
            radius = actor.body.radius_m + 1.5 * way + 0.01
            rows = room[: _kernels.rays_near(rays, bounds, ends_m, center, radius, room)].copy()
            if len(rows) == 0:
                continue
            if first_ns == last_ns:
                box_from_world = ends[0][index].inverse()
                local = np.empty((len(rows), 6))
                _kernels.rays_into(rays, rows, box_from_world.rotation, box_from_world.translation, local)
                yield index, first_solid + int(actor.phases(times_ns[:1])[0]), rows, local
                continue
            local = _into_box(actor.trajectory, times_ns[rows], rays[rows])
            phases = actor.phases(times_ns[rows])
            for phase in np.unique(phases):
                part = phases == phase
                yield index, first_solid + int(phase), rows[part], local[part]


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


def _into_box(trajectory: Trajectory, times_ns: I64, rays: F64) -> F64:
    """Rays of the world in the frame of a moving box, each at its own instant."""
    rotations, places = poses_between(trajectory, times_ns)
    box_axes = rotations.transpose(0, 2, 1)
    origins = np.einsum("nij,nj->ni", box_axes, rays[:, :3] - places)
    return np.concatenate([origins, np.einsum("nij,nj->ni", box_axes, rays[:, 3:])], axis=1)
