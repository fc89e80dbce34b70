"""Houses with windows that are set back, doors, shop fronts, cornices and roofs."""

from __future__ import annotations

import numpy as np

from calib.se3 import SE3
from calib.types import F64
from fusion.simulate.materials import Material
from fusion.simulate.mesh import Color, Mesh, box, merge, quads

RECESS_M = 0.18
FLOOR_M = 3.1
GROUND_FLOOR_M = 3.7

WALLS: tuple[tuple[Material, Color], ...] = (
    (Material.BRICK, (0.50, 0.27, 0.20)),
    (Material.BRICK, (0.60, 0.40, 0.27)),
    (Material.BRICK, (0.42, 0.25, 0.22)),
    (Material.PLASTER, (0.83, 0.77, 0.65)),
    (Material.PLASTER, (0.74, 0.76, 0.74)),
    (Material.PLASTER, (0.80, 0.64, 0.47)),
    (Material.PLASTER, (0.62, 0.68, 0.72)),
    (Material.PLASTER, (0.86, 0.83, 0.78)),
)
STONE: Color = (0.72, 0.69, 0.63)


def house(rng: np.random.Generator, width_m: float, depth_m: float, floors: int, shop: bool) -> Mesh:
    """A house whose front lies on y = 0 from x = 0 to the width, and which stands on y < 0."""
    material, color = WALLS[rng.integers(len(WALLS))]
    tint = np.clip(np.array(color) * rng.uniform(0.88, 1.1), 0, 1)
    height = GROUND_FLOOR_M + (floors - 1) * FLOOR_M + 0.5
    parts = []
    for at, turn, length in (
        ((width_m, 0.0), np.pi, width_m),
        ((0.0, 0.0), -np.pi / 2, depth_m),
        ((0.0, -depth_m), 0.0, width_m),
        ((width_m, -depth_m), np.pi / 2, depth_m),
    ):
        wall = _wall(rng, length, height, floors, material, tint, shop and turn == np.pi)
        house_from_wall = SE3.from_yaw(turn, np.array([*at, 0.0]))
        parts.append(wall.moved(house_from_wall))
    parts.append(_cornices(width_m, depth_m, height))
    parts.append(_roof(rng, width_m, depth_m, height))
    if shop:
        parts.append(_awning(rng, width_m))
    elif rng.random() < 0.6:
        parts += _balconies(rng, width_m, floors)
    return merge(parts)


def _wall(
    rng: np.random.Generator,
    length_m: float,
    height_m: float,
    floors: int,
    material: Material,
    color: F64,
    shop: bool,
) -> Mesh:
    """A wall along +x that looks to -y, with a grid of windows."""
    bays = max(1, int(length_m / 2.7))
    pitch, window = length_m / bays, 1.25
    lefts = (np.arange(bays) + 0.5) * pitch - window / 2
    u = np.concatenate([[0.0], np.stack([lefts, lefts + window], axis=1).ravel(), [length_m]])
    sills = GROUND_FLOOR_M + np.arange(floors - 1) * FLOOR_M + 0.85
    v = np.concatenate([[-0.3, 0.95, 2.75], np.stack([sills, sills + 1.7], axis=1).ravel(), [height_m]])
    if shop:
        v[1:3] = 0.45, 2.85
    i, j = (
        index.ravel() for index in np.meshgrid(np.arange(len(u) - 1), np.arange(len(v) - 1), indexing="ij")
    )
    opening = (i % 2 == 1) & (j % 2 == 1)
    x0, x1, z0, z1 = u[i], u[i + 1], v[j], v[j + 1]
    y = np.where(opening, RECESS_M, 0.0)
    cells = _quad((x0, y, z0), (x1, y, z0), (x1, y, z1), (x0, y, z1))
    metres = np.stack([cells[..., 0], cells[..., 2]], axis=-1)
    unit = np.broadcast_to(np.array([[0, 0], [1, 0], [1, 1], [0, 1]]), metres.shape)
    tones = np.repeat(rng.uniform(0.25, 1.0, (len(i), 1)), 3, axis=1)
    faces = quads(
        cells,
        np.where(opening, Material.WINDOW, material),
        np.where(opening[:, None], tones, color),
        np.where(opening[:, None, None], unit, metres),
    )
    return merge([faces, _reveals(x0[opening], x1[opening], z0[opening], z1[opening])])


def _reveals(x0: F64, x1: F64, z0: F64, z1: F64) -> Mesh:
    """The four sides of each window's niche, and a sill that juts out."""
    o, r, out = np.zeros_like(x0), np.full_like(x0, RECESS_M), np.full_like(x0, -0.07)
    below = z0 - 0.09
    sides = [
        _quad((x0, o, z0), (x0, r, z0), (x0, r, z1), (x0, o, z1)),
        _quad((x1, r, z0), (x1, o, z0), (x1, o, z1), (x1, r, z1)),
        _quad((x0, o, z1), (x0, r, z1), (x1, r, z1), (x1, o, z1)),
        _quad((x0 - 0.06, out, z0), (x1 + 0.06, out, z0), (x1 + 0.06, r, z0), (x0 - 0.06, r, z0)),
        _quad((x0 - 0.06, out, below), (x1 + 0.06, out, below), (x1 + 0.06, out, z0), (x0 - 0.06, out, z0)),
    ]
    return quads(np.concatenate(sides), Material.CONCRETE, STONE)


def _quad(*corners: tuple[F64, F64, F64]) -> F64:
    return np.stack([np.stack(np.broadcast_arrays(*corner), axis=-1) for corner in corners], axis=1)


def _cornices(width_m: float, depth_m: float, height_m: float) -> Mesh:
    """Bands around the house above the ground floor and under the roof."""
    return merge(
        [
            box((-out, -depth_m - out, z), (width_m + out, out, z + thick), Material.CONCRETE, STONE)
            for z, thick, out in ((GROUND_FLOOR_M - 0.25, 0.18, 0.06), (height_m - 0.22, 0.24, 0.2))
        ]
    )


def _roof(rng: np.random.Generator, width_m: float, depth_m: float, height_m: float) -> Mesh:
    """A ridge along the street, with chimneys."""
    tile: Color = ((0.42, 0.20, 0.15), (0.24, 0.25, 0.28), (0.33, 0.24, 0.20))[rng.integers(3)]
    ridge, over, eave = height_m + rng.uniform(2.2, 3.4), 0.3, height_m
    a, b, middle = -0.02, width_m + 0.02, -depth_m / 2
    front, back = over, -depth_m - over
    slopes = [
        [(b, front, eave), (b, middle, ridge), (a, middle, ridge), (a, front, eave)],
        [(a, back, eave), (a, middle, ridge), (b, middle, ridge), (b, back, eave)],
    ]
    run = float(np.hypot(depth_m / 2 + over, ridge - eave))
    uv = [[(0, 0), (0, run), (width_m, run), (width_m, 0)]] * 2
    gables = [
        [(a, front, eave), (a, middle, ridge), (a, middle, ridge), (a, back, eave)],
        [(b, back, eave), (b, middle, ridge), (b, middle, ridge), (b, front, eave)],
    ]
    parts = [quads(slopes, Material.ROOF, tile, uv), quads(gables, Material.PLASTER, (0.7, 0.66, 0.6))]
    for x in (0.15, 0.85):
        low = (x * width_m - 0.4, middle - 0.3, ridge - 1.0)
        parts.append(
            box(low, (x * width_m + 0.4, middle + 0.3, ridge + 0.9), Material.BRICK, (0.45, 0.26, 0.2))
        )
    return merge(parts)


def _awning(rng: np.random.Generator, width_m: float) -> Mesh:
    """A shop's sign and a sloping awning."""
    hues: tuple[Color, ...] = ((0.60, 0.12, 0.12), (0.12, 0.30, 0.22), (0.14, 0.20, 0.42), (0.75, 0.52, 0.15))
    hue = hues[rng.integers(len(hues))]
    a, b = 0.6, width_m - 0.6
    top = [[(a, 0.05, 3.1), (a, 1.2, 2.65), (b, 1.2, 2.65), (b, 0.05, 3.1)]]
    under = [[(a, 0.05, 3.08), (b, 0.05, 3.08), (b, 1.2, 2.63), (a, 1.2, 2.63)]]
    flap = [[(b, 1.2, 2.4), (b, 1.2, 2.66), (a, 1.2, 2.66), (a, 1.2, 2.4)]]
    cloth = [quads(face, Material.CLOTH, hue) for face in (top, under, flap)]
    return merge([*cloth, box((a, 0.0, 3.02), (b, 0.08, 3.42), Material.PLASTIC, (0.12, 0.12, 0.13))])


def _balconies(rng: np.random.Generator, width_m: float, floors: int) -> list[Mesh]:
    """Slabs with railings over the pavement's edge, above head height."""
    bays = max(1, int(width_m / 2.7))
    pitch, chosen = width_m / bays, rng.integers(bays)
    parts = []
    for floor in range(1, floors):
        z, x = GROUND_FLOOR_M + (floor - 1) * FLOOR_M + 0.1, (chosen + 0.5) * pitch
        parts.append(box((x - 1.1, 0, z), (x + 1.1, 0.95, z + 0.14), Material.CONCRETE, STONE))
        bars = [((x - 1.1, 0.9, z + r), (x + 1.1, 0.94, z + r + 0.05)) for r in (0.5, 0.98)]
        bars += [
            ((x + k, 0.91, z + 0.14), (x + k + 0.03, 0.93, z + 1.0)) for k in np.linspace(-1.08, 1.04, 12)
        ]
        parts += [box(low, high, Material.METAL, (0.1, 0.1, 0.11)) for low, high in bars]
    return parts
