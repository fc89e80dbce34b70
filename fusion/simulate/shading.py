"""Light: what the rays of a camera see under a sun, a sky and some haze."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from calib.types import F32, F64
from fusion.simulate import street
from fusion.simulate.materials import Material
from fusion.simulate.scene import Surface

SUN_WORLD: F64 = np.array([0.30, -0.62, 0.74]) / np.linalg.norm([0.30, -0.62, 0.74])
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
_GLOSS: F64 = np.array([GLOSS.get(material, (0.0, 1.0)) for material in Material])
_LATTICE: F32 = np.random.default_rng(20240101).random((256, 256)).astype(np.float32)


def _exposed(light: F64) -> F64:
    """From light to sRGB in 0..1 through a filmic curve (Narkowicz, 2015)."""
    x = light * 0.85
    toned = x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14)
    return np.asarray(np.clip(toned, 0, 1) ** (1 / 2.2))


_TO_LIGHT: F64 = np.linspace(0, 1, 1025) ** 2.2
_TO_SRGB: F64 = _exposed(16.0 * np.linspace(0, 1, 4097) ** 2)  # over the root of the light up to 16


class Plan(NamedTuple):
    """What the markings of a street lie at, as its textures need it."""

    crossing_m: float
    kerb_m: float = street.KERB_M
    lane_edge_m: float = street.LANE_EDGE_M
    front_m: float = street.FRONT_M
    cross_half_m: float = street.CROSS_HALF_M
    stop_line_m: float = street.STOP_LINE_M
    zebra_m: tuple[float, float] = street.ZEBRA_M
    cross_zebra_m: tuple[float, float] = street.CROSS_ZEBRA_M


def seen(
    rays: F64,
    range_m: F32,
    surface: Surface,
    sunlit: F32,
    openness: F32,
    crossing_m: float,
    pixel_rad: float,
) -> F32:
    """(N, 3) sRGB in 0..1 that rays see: the surface that each meets, or the sky.

    Args:
        rays: (N, 6) origins and directions.
        range_m: (N,) distances, infinite for the sky.
        surface: what was hit.
        sunlit: (N,) share of the sun that arrives there.
        openness: (N,) share of the sky that arrives there.
        crossing_m: where the street's markings have their origin.
        pixel_rad: angle that a pixel sees.
    """
    from fusion.simulate import _shading_kernels

    look = (surface.material, surface.color, surface.uv, surface.normal_world, sunlit, openness)
    tables = (_LATTICE, _TO_LIGHT, _TO_SRGB, Plan(crossing_m), _GLOSS)
    rgb = np.empty((len(rays), 3), np.float32)
    _shading_kernels.shade(rays, range_m, *look, *tables, SUN_WORLD, pixel_rad, rgb)
    return rgb
