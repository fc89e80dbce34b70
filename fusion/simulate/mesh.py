"""Triangles with a material, and the shapes that everything is built from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from calib.se3 import SE3
from calib.types import F32, F64, I32, U8, Bools
from fusion.simulate.materials import Material

Color = tuple[float, float, float]


@dataclass(frozen=True, eq=False, slots=True)
class Mesh:
    """Triangles.

    Attributes:
        vertices: (V, 3) float64 metres.
        triangles: (T, 3) int32, counter-clockwise seen from outside.
        uv: (V, 2) float32 place on the surface, for textures.
        normals: (T, 3, 3) float32, one unit normal a corner, for shading only.
        material: (T,) uint8.
        color: (T, 3) float32 sRGB in 0..1.
    """

    vertices: F64
    triangles: I32
    uv: F32
    normals: F32
    material: U8
    color: F32

    def __len__(self) -> int:
        return len(self.triangles)

    def moved(self, dst_from_mesh: SE3) -> Mesh:
        """The mesh in another frame."""
        normals = (self.normals @ dst_from_mesh.rotation.T).astype(np.float32)
        return replace(self, vertices=dst_from_mesh @ self.vertices, normals=normals)

    def shifted(self, x: float, y: float, z: float) -> Mesh:
        """The mesh moved without turning."""
        return replace(self, vertices=self.vertices + np.array([x, y, z]))

    def repainted(self, material: Material, color: ArrayLike) -> Mesh:
        """The mesh with another colour where it is of this material."""
        hit = (self.material == material)[:, None]
        return replace(self, color=np.where(hit, np.asarray(color, np.float32), self.color))

    def bounds(self) -> tuple[F64, F64]:
        """(3,) lowest and (3,) highest coordinates."""
        return self.vertices.min(axis=0), self.vertices.max(axis=0)


def merge(meshes: Sequence[Mesh]) -> Mesh:
    """All triangles in one mesh."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.triangles + start for mesh, start in zip(meshes, starts, strict=False)]).astype(
            np.int32
        ),
        np.concatenate([mesh.uv for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([mesh.material for mesh in meshes]),
        np.concatenate([mesh.color for mesh in meshes]),
    )


def flat(
    vertices: ArrayLike,
    triangles: ArrayLike,
    material: ArrayLike,
    color: ArrayLike,
    uv: ArrayLike | None = None,
) -> Mesh:
    """A mesh with a normal a face; material and colour are one for all or one a triangle."""
    places, corners = np.asarray(vertices, np.float64), np.asarray(triangles, np.int32).reshape(-1, 3)
    a, b, c = (places[corners[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    count = len(corners)
    return Mesh(
        places,
        corners,
        np.zeros((len(places), 2), np.float32) if uv is None else np.asarray(uv, np.float32),
        np.repeat(normals[:, None, :], 3, axis=1).astype(np.float32),
        np.broadcast_to(np.asarray(material, np.uint8), (count,)).copy(),
        np.broadcast_to(np.asarray(color, np.float32), (count, 3)).copy(),
    )


def quads(corners: ArrayLike, material: ArrayLike, color: ArrayLike, uv: ArrayLike | None = None) -> Mesh:
    """(N, 4, 3) corners, counter-clockwise; material and colour are one for all or one a quad."""
    places = np.asarray(corners, np.float64).reshape(-1, 4, 3)
    count = len(places)
    first = 4 * np.arange(count)[:, None]
    halves = np.array([[0, 1, 2], [0, 2, 3]])
    triangles = (first[:, None] + halves).reshape(-1, 3)
    materials = np.repeat(np.broadcast_to(np.asarray(material, np.uint8), (count,)), 2)
    colors = np.repeat(np.broadcast_to(np.asarray(color, np.float32), (count, 3)), 2, axis=0)
    flat_uv = None if uv is None else np.asarray(uv, np.float32).reshape(-1, 2)
    return flat(places.reshape(-1, 3), triangles, materials, colors, flat_uv)


def smooth(mesh: Mesh, crease_rad: float = 0.7) -> Mesh:
    """The mesh shaded round where faces meet at less than `crease_rad`."""
    corners = mesh.triangles.ravel()
    keys = np.round(mesh.vertices[corners] * 1e4).astype(np.int64)
    _, group = np.unique(keys, axis=0, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    sizes = np.bincount(group.ravel())
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    a, b, c = (mesh.vertices[mesh.triangles[:, k]] for k in range(3))
    weighted = np.repeat(np.cross(b - a, c - a), 3, axis=0)
    unit = mesh.normals.reshape(-1, 3).astype(np.float64)
    total = np.zeros_like(unit)
    for k in range(int(sizes.max(initial=0))):
        present = sizes[group.ravel()] > k
        mate = order[np.minimum(starts[group.ravel()] + k, len(order) - 1)]
        near = present & (np.einsum("ij,ij->i", unit, unit[mate]) > np.cos(crease_rad))
        total[near] += weighted[mate[near]]
    total /= np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
    return replace(mesh, normals=total.reshape(-1, 3, 3).astype(np.float32))


def loft(
    sections: ArrayLike, material: ArrayLike, color: ArrayLike, closed: bool = True, caps: bool = True
) -> Mesh:
    """A skin over (N, M, 3) sections; material and colour are one for all or one a cell (N-1, M or M-1).

    Sections follow each other along an axis and run clockwise seen along it, so that faces look outwards.
    """
    rings = np.asarray(sections, np.float64)
    count, around, _ = rings.shape
    nexts = np.roll(rings, -1, axis=1)
    cells = around if closed else around - 1
    faces = np.stack([rings[:-1, :cells], nexts[:-1, :cells], nexts[1:, :cells], rings[1:, :cells]], axis=2)
    materials = np.broadcast_to(np.asarray(material, np.uint8), (count - 1, cells)).ravel()
    colors = np.broadcast_to(np.asarray(color, np.float32), (count - 1, cells, 3)).reshape(-1, 3)
    parts = [quads(faces.reshape(-1, 4, 3), materials, colors)]
    if caps:
        first, last = cells // 2, len(materials) - cells + cells // 2
        parts.append(_cap(rings[0], materials[first], colors[first], True))
        parts.append(_cap(rings[-1], materials[last], colors[last], False))
    return merge(parts)


def _cap(ring: F64, material: ArrayLike, color: ArrayLike, first: bool) -> Mesh:
    count = len(ring)
    center = ring.mean(axis=0, keepdims=True)
    i = np.arange(count)
    j = (i + 1) % count
    hub = np.full(count, count)
    triangles = np.stack([j, i, hub], axis=1) if first else np.stack([i, j, hub], axis=1)
    return flat(np.concatenate([ring, center]), triangles, material, color)


def box(low: ArrayLike, high: ArrayLike, material: Material, color: Color) -> Mesh:
    """An upright box between two corners."""
    lowest, highest = np.asarray(low, np.float64), np.asarray(high, np.float64)
    at_high, triangles, normals, corners, axes = _box_pattern()
    vertices = np.where(at_high, highest, lowest)
    uv = (corners * (highest - lowest)[axes]).astype(np.float32)
    return replace(_plain(vertices, triangles, normals, material, color), uv=uv)


@lru_cache(maxsize=1)
def _box_pattern() -> tuple[Bools, I32, F32, F64, I32]:
    """For 24 vertices: which coordinates are high ones, triangles, normals, corners and axes of the uv."""
    p = np.array([[x, y, z] for z in (0, 1) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))])
    faces = p[[[0, 3, 2, 1], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]]]
    unit = quads(faces, Material.PLASTIC, (0.5, 0.5, 0.5))
    corners = np.tile(np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]), (6, 1))
    axes = np.repeat([(1, 0), (0, 1), (0, 2), (1, 2), (0, 2), (1, 2)], 4, axis=0).astype(np.int32)
    return faces.reshape(-1, 3) > 0, unit.triangles, unit.normals, corners, axes


def tube(
    start: ArrayLike,
    end: ArrayLike,
    radii: tuple[float, float],
    material: Material,
    color: Color,
    sides: int = 8,
    flatten: float = 1.0,
) -> Mesh:
    """A round rod from one point to another, its radius changing evenly."""
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    x, y, z = (b - a) / np.sqrt((b - a) @ (b - a))
    u = np.array([z, 0.0, -x]) if abs(y) < 0.9 else np.array([0.0, -z, y])
    u /= np.sqrt(u @ u)
    v = np.array([y * u[2] - z * u[1], z * u[0] - x * u[2], x * u[1] - y * u[0]])
    triangles, wall, cosines, sines = _tube_pattern(sides)
    circle = (flatten * cosines) * u + sines * v
    vertices = np.empty((2 * sides + 2, 3))
    vertices[:sides], vertices[sides:-2] = a + radii[0] * circle, b + radii[1] * circle
    vertices[-2], vertices[-1] = a, b
    spokes = cosines * u + flatten * sines * v
    spokes /= np.sqrt(np.einsum("ij,ij->i", spokes, spokes))[:, None]
    normals = np.empty((4 * sides, 3, 3), np.float32)
    normals[: 2 * sides] = spokes[wall]
    normals[2 * sides : 3 * sides] = -x, -y, -z
    normals[3 * sides :] = x, y, z
    return _plain(vertices, triangles, normals, material, color)


@lru_cache(maxsize=32)
def _tube_pattern(sides: int) -> tuple[I32, I32, F64, F64]:
    """Triangles, on which spokes the corners of the wall lie, and the spokes' cosines and sines."""
    i = np.arange(sides, dtype=np.int32)
    j = (i + 1) % sides
    wall = np.concatenate([np.stack([i, j, j + sides], 1), np.stack([i, j + sides, i + sides], 1)])
    hubs = np.full_like(i, 2 * sides), np.full_like(i, 2 * sides + 1)
    caps = [np.stack([j, i, hubs[0]], 1), np.stack([i + sides, j + sides, hubs[1]], 1)]
    angles = (2 * np.pi / sides * i)[:, None]
    return np.concatenate([wall, *caps]), wall % sides, np.cos(angles), np.sin(angles)


def ball(center: ArrayLike, radii: ArrayLike, material: Material, color: Color, sides: int = 10) -> Mesh:
    """An ellipsoid with axes along x, y, z."""
    places, triangles = _ball_pattern(sides)
    scale = np.asarray(radii, np.float64)
    normals = places / scale
    normals /= np.sqrt(np.einsum("ij,ij->i", normals, normals))[:, None]
    shaded = normals[triangles].astype(np.float32)
    return _plain(places * scale + np.asarray(center, np.float64), triangles, shaded, material, color)


@lru_cache(maxsize=32)
def _ball_pattern(sides: int) -> tuple[F64, I32]:
    angles = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    heights = np.linspace(-np.pi / 2, np.pi / 2, sides // 2 + 1)
    heights[[0, -1]] *= 0.98
    level, up = np.cos(heights)[:, None], np.sin(heights)[:, None] + 0 * angles
    rings = np.stack([level * np.cos(angles), level * np.sin(angles), up], axis=-1)
    unit = loft(rings, Material.PLASTIC, (0.5, 0.5, 0.5))
    return unit.vertices, unit.triangles


def ring(center: ArrayLike, radius: float, thickness: float, material: Material, color: Color) -> Mesh:
    """A ring about the y axis: a bicycle tyre."""
    angles, around = np.linspace(0, 2 * np.pi, 25), np.linspace(0, 2 * np.pi, 6, endpoint=False)
    reach = radius + thickness * np.cos(around)
    places = np.stack(
        [
            np.cos(angles)[:, None] * reach,
            0 * angles[:, None] + thickness * np.sin(around),
            np.sin(angles)[:, None] * reach,
        ],
        -1,
    )
    return smooth(loft(places + np.asarray(center), material, color, caps=False), 1.5)


def _plain(vertices: F64, triangles: I32, normals: F32, material: Material, color: Color) -> Mesh:
    count = len(triangles)
    materials, colors = np.empty(count, np.uint8), np.empty((count, 3), np.float32)
    materials[:], colors[:] = int(material), color
    return Mesh(
        vertices,
        triangles,
        np.zeros((len(vertices), 2), np.float32),
        normals,
        materials,
        colors,
    )
