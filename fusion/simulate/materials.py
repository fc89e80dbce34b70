"""What surfaces are made of, and how much of a laser pulse each sends back."""

from enum import IntEnum

import numpy as np

from calib.types import F32


class Material(IntEnum):
    """Surfaces that look or scan differently."""

    GROUND = 0
    BRICK = 1
    PLASTER = 2
    WINDOW = 3
    ROOF = 4
    PAINT = 5
    GLASS = 6
    RUBBER = 7
    METAL = 8
    FOLIAGE = 9
    BARK = 10
    CLOTH = 11
    SKIN = 12
    SIGN = 13
    LAMP = 14
    PLASTIC = 15
    HEDGE = 16
    CONCRETE = 17


# Diffuse reflectance at 905 nm, and the chance that a pulse comes back at all.
_AT_905_NM: dict[Material, tuple[float, float]] = {
    Material.GROUND: (0.16, 0.995),
    Material.BRICK: (0.40, 1.0),
    Material.PLASTER: (0.60, 1.0),
    Material.WINDOW: (0.12, 0.25),
    Material.ROOF: (0.30, 1.0),
    Material.PAINT: (0.45, 0.97),
    Material.GLASS: (0.10, 0.30),
    Material.RUBBER: (0.06, 0.97),
    Material.METAL: (0.50, 0.97),
    Material.FOLIAGE: (0.45, 0.98),
    Material.BARK: (0.30, 1.0),
    Material.CLOTH: (0.35, 1.0),
    Material.SKIN: (0.45, 1.0),
    Material.SIGN: (3.00, 1.0),
    Material.LAMP: (1.20, 0.9),
    Material.PLASTIC: (0.25, 1.0),
    Material.HEDGE: (0.45, 0.98),
    Material.CONCRETE: (0.38, 1.0),
}

REFLECTANCE: F32 = np.array([_AT_905_NM[m][0] for m in Material], dtype=np.float32)
RETURN_CHANCE: F32 = np.array([_AT_905_NM[m][1] for m in Material], dtype=np.float32)
