"""Light: what a surface looks like under a sun, a sky and some haze."""

from __future__ import annotations

import numpy as np

from calib.types import F32, F64, U8, Bools
from fusion.simulate import textures
from fusion.simulate.materials import Material
from fusion.simulate.scene import Surface

SUN_WORLD: F64 = np.array([0.30, -0.62, 0.74]) / np.linalg.norm([0.30, -0.62, 0.74])
SUN_LIGHT = np.array([2.9, 2.6, 2.15], np.float32)
SKY_LIGHT = np.array([0.52, 0.62, 0.80], np.float32)
BOUNCE_LIGHT = np.array([0.30, 0.27, 0.23], np.float32)
ZENITH = np.array([0.16, 0.33, 0.68], np.float32)
HORIZON = np.array([0.72, 0.80, 0.90], np.float32)
HAZE_M = 520.0
# Share of the mirror image at right angles, and how sharp the sun's highlight is.
GLOSS: dict[Material, tuple[float, float]] = {
    Material.PAINT: (0.05, 220.0),
    Material.GLASS: (0.10, 900.0),
    Material.WINDOW: (0.09, 900.0),
    Material.METAL: (0.12, 60.0),
    Material.PLASTIC: (0.02, 40.0),
    Material.SIGN: (0.03, 60.0),
    Material.LAMP: (0.06, 200.0),
}


def linear(srgb: F32) -> F32:
    """From sRGB values to light."""
    return np.asarray(np.clip(srgb, 0, 1) ** 2.2, dtype=np.float32)


def sky(directions: F32) -> F32:
    """(N, 3) light from the sky, with a few clouds and a bright place about the sun."""
    up = np.clip(directions[:, 2], 0, 1)
    fade = np.power(up, 0.55)[:, None]
    light = HORIZON * (1 - fade) + ZENITH * fade
    flat = np.asarray(directions[:, :2] / (up[:, None] + 0.12), dtype=np.float32)
    x, y = flat[:, 0], flat[:, 1]
    puff = np.float32(0.6) * textures.noise(x * np.float32(1.3), y * np.float32(1.3))
    puff = puff + np.float32(0.4) * textures.noise(x * np.float32(3.7), y * np.float32(3.7))
    cloud = (np.clip((puff - 0.52) * 3.2, 0, 1) * np.clip(up * 6, 0, 1))[:, None]
    toward = np.clip(directions @ SUN_WORLD.astype(np.float32), 0, 1)[:, None]
    light = light * (1 - 0.75 * cloud) + 0.75 * cloud * np.array([0.97, 0.96, 0.95], np.float32)
    return np.asarray(light + 0.5 * toward**60 + 6.0 * toward**3000, dtype=np.float32)


def surroundings(directions: F32) -> F32:
    """(N, 3) light that a shiny thing mirrors: sky above, houses about, street below."""
    up = directions[:, 2:]
    open_sky = np.clip((up - 0.22) / 0.16, 0, 1)
    street = np.clip((-up - 0.01) / 0.06, 0, 1)
    houses = np.array([0.20, 0.18, 0.165], np.float32)
    low = houses * (1 - street) + np.array([0.17, 0.17, 0.17], np.float32) * street
    return np.asarray(sky(directions) * open_sky + low * (1 - open_sky), dtype=np.float32)


def albedo(surface: Surface, crossing_m: float, footprint_m: F32) -> tuple[F32, F32]:
    """(N, 3) sRGB of the bare surface, and (N,) how glossy it is from 0 to 1."""
    color, shine = surface.color.copy(), np.ones(len(surface.color), np.float32)

    def of(material: Material) -> np.ndarray:
        return np.flatnonzero(surface.material == material)

    rows = of(Material.GROUND)
    color[rows] = textures.ground(surface.uv[rows], crossing_m, footprint_m[rows])
    rows = of(Material.BRICK)
    color[rows] = textures.bricks(surface.uv[rows], color[rows], footprint_m[rows])
    rows = of(Material.PLASTER)
    color[rows] = textures.plaster(surface.uv[rows], color[rows])
    rows = of(Material.ROOF)
    color[rows] = textures.tiles(surface.uv[rows], color[rows], footprint_m[rows])
    rows = of(Material.WINDOW)
    color[rows], shine[rows] = textures.window(surface.uv[rows], color[rows, 0], footprint_m[rows])
    return color, shine


def shade(
    surface: Surface,
    directions: F32,
    range_m: F32,
    sunlit: F32,
    openness: F32,
    crossing_m: float,
    pixel_rad: float,
) -> F32:
    """(N, 3) light that comes back along each ray from a surface.

    Args:
        surface: what was hit.
        directions: (N, 3) of the rays.
        range_m: (N,) distances.
        sunlit: (N,) share of the sun that arrives.
        openness: (N,) share of the sky that arrives.
        crossing_m: where the street's markings have their origin.
        pixel_rad: angle that a pixel sees.
    """
    normals = _facing(surface.normal_world, directions)
    slant = np.maximum(-np.einsum("ij,ij->i", normals, directions), 0.05)
    bare, shine = albedo(surface, crossing_m, range_m * np.float32(pixel_rad) / slant)
    sun = SUN_WORLD.astype(np.float32)
    cosine = normals @ sun
    leaf = surface.material == Material.FOLIAGE
    direct = np.where(leaf, 0.25 + 0.6 * np.abs(cosine), np.maximum(cosine, 0))
    up = 0.5 + 0.5 * normals[:, 2:]
    ambient = (SKY_LIGHT * up + BOUNCE_LIGHT * (1 - up)) * openness[:, None]
    light = linear(bare) * (SUN_LIGHT * (direct * sunlit)[:, None] + ambient)
    light = _glossy(light, surface.material, normals, directions, slant, shine, sunlit)
    lamps = surface.material == Material.LAMP
    light[lamps] += 0.6 * linear(surface.color[lamps])
    haze = (1 - np.exp(-range_m / HAZE_M))[:, None]
    return np.asarray(light * (1 - haze) + HORIZON * 0.9 * haze, dtype=np.float32)


def _glossy(
    light: F32, material: U8, normals: F32, directions: F32, slant: F32, shine: F32, sunlit: F32
) -> F32:
    for kind, (share, sharp) in GLOSS.items():
        rows = np.flatnonzero(material == kind)
        if len(rows) == 0:
            continue
        mirrored = directions[rows] + 2 * slant[rows, None] * normals[rows]
        fresnel = ((share + (1 - share) * (1 - slant[rows]) ** 5) * shine[rows])[:, None]
        spot = np.clip(mirrored @ SUN_WORLD.astype(np.float32), 0, 1) ** np.float32(sharp) * sunlit[rows]
        light[rows] = light[rows] * (1 - fresnel) + surroundings(mirrored) * fresnel
        light[rows] += (0.06 * sharp**0.75 * spot)[:, None] * fresnel * SUN_LIGHT
    return light


def _facing(normals: F32, directions: F32) -> F32:
    """Normals of unit length, turned towards the viewer."""
    unit = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    away = np.einsum("ij,ij->i", unit, directions) > 0
    return np.asarray(np.where(away[:, None], -unit, unit), dtype=np.float32)


def exposed(light: F32) -> F32:
    """From light to sRGB in 0..1 through a filmic curve (Narkowicz, 2015)."""
    x = light * 0.85
    toned = x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14)
    return np.asarray(np.clip(toned, 0, 1) ** (1 / 2.2), dtype=np.float32)


def away_from_sun(normals: F32) -> Bools:
    """Which surfaces the sun cannot reach because they look the other way."""
    return np.asarray(normals @ SUN_WORLD.astype(np.float32) <= 0)
