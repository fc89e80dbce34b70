"""Lorries and buses: x forward, on the ground, origin on the ground under the middle."""

from __future__ import annotations

import numpy as np

from fusion.simulate.materials import Material
from fusion.simulate.mesh import Color, Mesh, box, loft, merge, smooth
from fusion.simulate.vehicles import BLACK, DARK_GLASS, RED_LAMP, WHITE_LAMP, wheel


def truck(color: Color, cargo: Color, length_m: float = 8.2) -> Mesh:
    """A lorry with a box body."""
    rear, front = -length_m / 2, length_m / 2
    x = np.array([front - 2.05, front - 1.9, front - 0.5, front - 0.12, front])
    top, bottom = np.array([2.9, 2.95, 2.95, 2.4, 1.5]), np.full(5, 0.45)
    half = np.array([1.12, 1.16, 1.16, 1.14, 1.08])
    left = [(half, bottom), (half, 0.5 * bottom + 0.9), (0.97 * half, top - 0.1), (0.88 * half, top)]
    ring = [(x, y, z) for y, z in left] + [(x, -y, z) for y, z in reversed(left)]
    cab = loft(np.stack([np.stack(c, axis=-1) for c in ring], axis=1), Material.PAINT, color)
    parts = [smooth(cab, 0.5)]
    low, high = (front - 0.45, -0.98, 1.62), (front - 0.045, 0.98, 2.32)
    parts.append(box(low, high, Material.GLASS, DARK_GLASS))
    parts.append(box((front - 1.35, -1.165, 1.55), (front - 0.6, 1.165, 2.35), Material.GLASS, DARK_GLASS))
    parts.append(box((front - 0.3, -1.05, 0.5), (front + 0.03, 1.05, 0.85), Material.PLASTIC, BLACK))
    parts.append(box((rear, -1.25, 1.02), (front - 2.2, 1.25, 3.45), Material.PLASTER, cargo))
    parts.append(box((rear + 0.05, -0.45, 0.65), (front - 0.4, 0.45, 1.02), Material.PLASTIC, BLACK))
    parts.append(box((rear + 0.02, -1.2, 0.55), (rear + 0.14, 1.2, 0.68), Material.METAL, (0.5, 0.5, 0.5)))
    for side in (-1, 1):
        parts.append(
            box(
                (rear - 0.01, side * 1.0 - 0.12, 0.75),
                (rear + 0.1, side * 1.0 + 0.12, 0.9),
                Material.LAMP,
                RED_LAMP,
            )
        )
        parts.append(
            box(
                (front - 0.1, side * 0.85 - 0.15, 0.9),
                (front + 0.02, side * 0.85 + 0.15, 1.08),
                Material.LAMP,
                WHITE_LAMP,
            )
        )
        parts.append(
            box(
                (front - 0.3, side * 1.3 - 0.08, 1.75),
                (front - 0.2, side * 1.3 + 0.08, 2.3),
                Material.PLASTIC,
                BLACK,
            )
        )
        for at in (front - 1.3, rear + 1.9):
            parts += wheel(at, side * 1.17, 0.48, side, 0.34)
    return merge(parts)


def bus(color: Color, length_m: float = 11.6) -> Mesh:
    """A city bus."""
    u = np.array([0, 0.008, 0.03, 0.25, 0.5, 0.75, 0.965, 0.99, 1.0])
    x, full = (u - 0.5) * length_m, np.ones_like(u)
    half = 1.25 * np.interp(u, [0, 0.008, 0.03, 0.965, 0.99, 1], [0.93, 0.97, 1, 1, 0.97, 0.9])
    top = np.interp(u, [0, 0.03, 0.965, 1], [2.9, 3.05, 3.05, 2.85])
    left = [(0.97 * half, 0.32 * full), (half, 0.5 * full), (half, 1.15 * full), (half, 2.45 * full)]
    left += [(0.985 * half, top - 0.18), (0.86 * half, top)]
    ring = [(x, y, z) for y, z in left] + [(x, -y, z) for y, z in reversed(left)]
    sections = np.stack([np.stack(c, axis=-1) for c in ring], axis=1)
    parts = [smooth(loft(sections, Material.PAINT, color), 0.5)]
    for k in range(7):
        low, high = _window_rear(length_m, k), _window_rear(length_m, k) + 1.32
        parts.append(box((low, -1.256, 1.2), (high, 1.256, 2.4), Material.GLASS, DARK_GLASS))
    front = length_m / 2
    parts.append(box((front - 0.4, -1.08, 1.05), (front + 0.008, 1.08, 2.45), Material.GLASS, DARK_GLASS))
    parts.append(box((front - 0.2, -0.8, 2.52), (front - 0.005, 0.8, 2.78), Material.LAMP, (0.9, 0.6, 0.12)))
    parts.append(box((-front - 0.01, -0.9, 1.5), (-front + 0.3, 0.9, 2.5), Material.GLASS, DARK_GLASS))
    parts.append(box((-front + 1.0, -1.0, 3.0), (front - 3.0, 1.0, 3.25), Material.PLASTIC, (0.8, 0.8, 0.8)))
    for side in (-1, 1):
        for at, z, lamp in ((-front, 0.95, RED_LAMP), (front, 0.62, WHITE_LAMP)):
            parts.append(
                box(
                    (at - 0.012, side * 0.98 - 0.12, z),
                    (at + 0.012, side * 0.98 + 0.12, z + 0.2),
                    Material.LAMP,
                    lamp,
                )
            )
        for axle in (0.26, 0.78):
            parts += wheel((axle - 0.5) * length_m, side * 1.245, 0.48, side, 0.3)
    return merge(parts)


def _window_rear(length_m: float, window: int) -> float:
    """Where a side window of a bus begins."""
    return -length_m / 2 + 0.5 + window * (length_m - 1.0) / 7
