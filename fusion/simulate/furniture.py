"""What stands along a street: trees, hedges, lamps, signs, bins, walls. z up, origin on the ground."""

from __future__ import annotations

import numpy as np

from fusion.simulate.materials import Material
from fusion.simulate.mesh import Color, Mesh, ball, box, merge, quads, tube

STEEL: Color = (0.36, 0.38, 0.40)
DARK: Color = (0.09, 0.10, 0.11)


def tree(rng: np.random.Generator, height_m: float = 7.5, leaves: int = 800) -> Mesh:
    """A broad-leaved tree: a trunk, a few boughs, and clumps of leaves that let light and laser through."""
    fork, trunk = 0.33 * height_m, 0.022 * height_m
    bark: Color = (0.27, 0.21, 0.16)
    parts = [tube((0, 0, -0.1), (0, 0, fork), (trunk, 0.7 * trunk), Material.BARK, bark, 9)]
    clumps = []
    for k in range(7):
        turn, reach = 2.4 * k + rng.uniform(-0.4, 0.4), rng.uniform(0.12, 0.2) * height_m
        tip = np.array([reach * np.cos(turn), reach * np.sin(turn), rng.uniform(0.55, 0.82) * height_m])
        parts.append(tube((0, 0, 0.96 * fork), tip, (0.55 * trunk, 0.15 * trunk), Material.BARK, bark, 6))
        clumps.append((tip, rng.uniform(0.13, 0.18) * height_m))
    clumps.append((np.array([0, 0, 0.84 * height_m]), 0.16 * height_m))
    return merge([*parts, _leaves(rng, clumps, leaves)])


def _leaves(rng: np.random.Generator, clumps: list[tuple[np.ndarray, float]], count: int) -> Mesh:
    which = rng.integers(0, len(clumps), count)
    centers, radii = np.array([c for c, _ in clumps])[which], np.array([r for _, r in clumps])[which]
    outward = rng.normal(size=(count, 3))
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    middles = centers + outward * (radii * rng.uniform(0.35, 1.0, count) ** 0.4)[:, None] * (1, 1, 0.85)
    lean = outward + 0.9 * rng.normal(size=(count, 3))
    u = np.cross(lean, rng.normal(size=(count, 3)))
    u *= (rng.uniform(0.16, 0.34, count) / np.linalg.norm(u, axis=1))[:, None]
    v = np.cross(lean, u)
    v *= (rng.uniform(0.14, 0.28, count) / np.linalg.norm(v, axis=1))[:, None]
    corners = np.stack(
        [middles - u - 0.4 * v, middles + 0.3 * u - v, middles + u + 0.5 * v, middles - 0.2 * u + v], 1
    )
    tone = (0.75 + 0.25 * outward[:, 2:] + rng.uniform(-0.15, 0.2, (count, 1))).clip(0.4, 1.2)
    mesh = quads(corners, Material.FOLIAGE, tone * np.array([0.27, 0.40, 0.14]))
    shade = np.repeat(np.repeat(outward, 2, axis=0)[:, None, :], 3, axis=1)
    return Mesh(mesh.vertices, mesh.triangles, mesh.uv, shade.astype(np.float32), mesh.material, mesh.color)


def hedge(rng: np.random.Generator, length_m: float, height_m: float = 1.2) -> Mesh:
    """A trimmed hedge along x."""
    core = box((0, -0.3, 0), (length_m, 0.3, height_m - 0.05), Material.HEDGE, (0.17, 0.27, 0.10))
    count = int(38 * length_m)
    side = rng.integers(0, 3, count)
    out = np.where(rng.random(count) < 0.5, -0.32, 0.32)
    y = np.where(side < 2, out, rng.uniform(-0.3, 0.3, count))
    z = np.where(side < 2, rng.uniform(0.05, height_m, count), height_m)
    middles = np.stack([rng.uniform(0, length_m, count), y, z], axis=1)
    u, v = rng.normal(size=(2, count, 3)) * 0.075
    tone = rng.uniform(0.7, 1.25, (count, 1))
    corners = np.stack([middles - u, middles - v, middles + u, middles + v], axis=1)
    return merge([core, quads(corners, Material.FOLIAGE, tone * np.array([0.22, 0.34, 0.12]))])


def lamp_post() -> Mesh:
    """A street lamp that reaches over the carriageway along y."""
    return merge(
        [
            tube((0, 0, 0), (0, 0, 1.0), (0.11, 0.09), Material.METAL, STEEL, 10),
            tube((0, 0, 1.0), (0, 0, 6.8), (0.07, 0.05), Material.METAL, STEEL, 10),
            tube((0, 0, 6.75), (0, 1.7, 7.15), (0.045, 0.04), Material.METAL, STEEL, 8),
            box((-0.13, 1.45, 7.08), (0.13, 2.25, 7.2), Material.METAL, STEEL),
            box((-0.1, 1.55, 7.06), (0.1, 2.2, 7.085), Material.LAMP, (0.9, 0.9, 0.85)),
        ]
    )


def traffic_light(red: bool) -> Mesh:
    """Signals on a post, seen by traffic that drives along -x."""
    parts = [tube((0, 0, 0), (0, 0, 3.4), (0.075, 0.06), Material.METAL, STEEL, 10)]
    parts.append(box((0.05, -0.17, 2.3), (0.28, 0.17, 3.3), Material.PLASTIC, DARK))
    dim: tuple[Color, ...] = ((0.25, 0.03, 0.03), (0.25, 0.17, 0.02), (0.03, 0.2, 0.06))
    lit: tuple[Color, ...] = ((1.0, 0.10, 0.08), dim[1], (0.1, 1.0, 0.35))
    for k, z in enumerate((3.12, 2.8, 2.48)):
        on = (k == 0) == red and k != 1
        parts.append(
            tube((0.2, 0, z), (0.3, 0, z), (0.11, 0.11), Material.LAMP, lit[k] if on else dim[k], 12)
        )
    return merge(parts)


def sign(kind: str) -> Mesh:
    """A traffic sign seen by traffic that drives along -x: "no_entry", "priority", "limit" or "parking"."""
    parts = [tube((0, 0, 0), (0, 0, 2.75), (0.035, 0.035), Material.METAL, STEEL, 8)]
    if kind == "parking":
        parts.append(box((0.03, -0.3, 2.1), (0.05, 0.3, 2.7), Material.SIGN, (0.05, 0.22, 0.6)))
        parts.append(box((0.05, -0.09, 2.2), (0.056, -0.02, 2.62), Material.SIGN, (0.95, 0.95, 0.95)))
        parts.append(box((0.05, -0.02, 2.4), (0.056, 0.14, 2.62), Material.SIGN, (0.95, 0.95, 0.95)))
        return merge(parts)
    sides = 4 if kind == "priority" else 24
    rim: Color = (0.95, 0.95, 0.95) if kind == "priority" else (0.75, 0.04, 0.05)
    face: Color = {"priority": (0.95, 0.72, 0.05), "no_entry": (0.75, 0.04, 0.05)}.get(
        kind, (0.95, 0.95, 0.95)
    )
    parts.append(tube((0.03, 0, 2.42), (0.05, 0, 2.42), (0.33, 0.33), Material.SIGN, rim, sides))
    parts.append(tube((0.04, 0, 2.42), (0.055, 0, 2.42), (0.25, 0.25), Material.SIGN, face, sides))
    if kind == "no_entry":
        parts.append(box((0.05, -0.2, 2.37), (0.06, 0.2, 2.47), Material.SIGN, (0.95, 0.95, 0.95)))
    if kind == "limit":
        digits = [((0.05, y, 2.31), (0.06, y + 0.1, 2.53)) for y in (-0.13, 0.03)]
        parts += [box(low, high, Material.SIGN, (0.08, 0.08, 0.08)) for low, high in digits]
    return merge(parts)


def wheelie_bin(color: Color) -> Mesh:
    """A rubbish bin on wheels."""
    return merge(
        [
            box((-0.29, -0.27, 0.05), (0.27, 0.27, 0.95), Material.PLASTIC, color),
            box((-0.34, -0.3, 0.95), (0.31, 0.3, 1.03), Material.PLASTIC, (0.07, 0.08, 0.08)),
            tube((-0.27, -0.3, 0.1), (-0.27, 0.3, 0.1), (0.1, 0.1), Material.RUBBER, DARK, 10),
        ]
    )


def bench() -> Mesh:
    """A bench along x that looks to +y."""
    wood: Color = (0.45, 0.30, 0.18)
    parts = [box((-0.9, y, 0.43), (0.9, y + 0.12, 0.47), Material.PLASTIC, wood) for y in (-0.2, -0.05, 0.1)]
    parts += [box((-0.9, -0.27, z), (0.9, -0.23, z + 0.12), Material.PLASTIC, wood) for z in (0.6, 0.78)]
    parts += [box((x, -0.25, 0), (x + 0.06, 0.2, 0.44), Material.METAL, DARK) for x in (-0.75, 0.7)]
    return merge(parts)


def bollard() -> Mesh:
    """A post that keeps cars off the pavement."""
    return merge(
        [
            tube((0, 0, 0), (0, 0, 0.9), (0.07, 0.06), Material.METAL, (0.15, 0.16, 0.17), 10),
            tube((0, 0, 0.7), (0, 0, 0.8), (0.072, 0.072), Material.SIGN, (0.9, 0.9, 0.9), 10),
        ]
    )


def shelter() -> Mesh:
    """A bus shelter along x, open to +y."""
    glass: Color = (0.45, 0.52, 0.54)
    parts = [box((-2.1, -0.75, 2.35), (2.1, 0.75, 2.47), Material.METAL, DARK)]
    parts += [
        box((x, -0.66, 0), (x + 0.08, -0.58, 2.35), Material.METAL, DARK) for x in (-2.0, -0.7, 0.62, 1.92)
    ]
    parts += [
        box((x, -0.63, 0.3), (x + 1.2, -0.61, 2.2), Material.WINDOW, glass) for x in (-1.91, -0.61, 0.71)
    ]
    parts.append(box((1.93, -0.5, 0.4), (2.0, 0.55, 2.1), Material.PLASTIC, (0.75, 0.35, 0.2)))
    parts.append(box((-1.6, -0.5, 0.42), (1.2, -0.2, 0.47), Material.PLASTIC, (0.45, 0.30, 0.18)))
    return merge(parts)


def garden_wall(length_m: float, brick: Color) -> Mesh:
    """A low wall along x with a coping and piers."""
    parts = [box((0, -0.12, 0), (length_m, 0.12, 0.85), Material.BRICK, brick)]
    parts.append(box((0, -0.16, 0.85), (length_m, 0.16, 0.92), Material.CONCRETE, (0.62, 0.60, 0.57)))
    for x in np.linspace(0.2, length_m - 0.2, max(2, round(length_m / 3.5))):
        parts.append(box((x - 0.2, -0.2, 0), (x + 0.2, 0.2, 1.15), Material.BRICK, brick))
        parts.append(ball((x, 0, 1.22), (0.14, 0.14, 0.12), Material.CONCRETE, (0.62, 0.60, 0.57), 8))
    return merge(parts)
