"""Cars and vans: x forward, on the ground, origin on the ground under the middle."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from calib.types import F64
from fusion.simulate.materials import Material
from fusion.simulate.mesh import Color, Mesh, box, loft, merge, smooth, tube

BLACK: Color = (0.035, 0.035, 0.04)
DARK_GLASS: Color = (0.05, 0.07, 0.09)
WHITE_LAMP: Color = (0.93, 0.93, 0.88)
RED_LAMP: Color = (0.62, 0.03, 0.03)
RIM: Color = (0.62, 0.63, 0.65)


@dataclass(frozen=True, slots=True)
class CarShape:
    """Proportions of a car; x in shares of the length from the rear, z in metres.

    Attributes:
        length_m: bumper to bumper.
        width_m: over the doors.
        height_m: to the roof.
        bonnet_m: height of the bonnet at the front edge.
        belt_m: height of the lower edge of the windows.
        tail_m: height of the tail at the rear edge.
        cabin: where rear window begins and ends, where the windscreen begins and ends.
        wheel_m: radius of the wheels.
        axles: places of the rear and the front axle.
    """

    length_m: float
    width_m: float
    height_m: float
    bonnet_m: float
    belt_m: float
    tail_m: float
    cabin: tuple[float, float, float, float]
    wheel_m: float = 0.32
    axles: tuple[float, float] = (0.2, 0.81)


CARS: dict[str, CarShape] = {
    "saloon": CarShape(4.65, 1.80, 1.45, 0.70, 0.93, 0.96, (0.10, 0.26, 0.56, 0.74)),
    "hatchback": CarShape(4.05, 1.74, 1.48, 0.72, 0.94, 0.98, (0.005, 0.10, 0.55, 0.75), axles=(0.18, 0.80)),
    "estate": CarShape(4.75, 1.82, 1.50, 0.71, 0.94, 0.98, (0.005, 0.08, 0.56, 0.74)),
    "suv": CarShape(4.60, 1.88, 1.70, 0.90, 1.08, 1.12, (0.005, 0.08, 0.58, 0.75), 0.37),
    "minivan": CarShape(4.50, 1.84, 1.74, 0.86, 1.02, 1.05, (0.0, 0.04, 0.66, 0.90), 0.33),
    "van": CarShape(5.40, 1.98, 2.25, 1.02, 1.22, 1.25, (0.0, 0.015, 0.74, 0.90), 0.34, (0.19, 0.82)),
}


def car(shape: CarShape, color: Color, scale: float = 1.0) -> Mesh:
    """A car of these proportions."""
    painted = _unpainted(shape).repainted(Material.PAINT, color)
    return replace(painted, vertices=painted.vertices * scale)


@lru_cache(maxsize=16)
def _unpainted(shape: CarShape) -> Mesh:
    grey: Color = (0.5, 0.5, 0.5)
    body, cabin = _car_body(shape, grey), _cabin(shape, grey)
    return merge([smooth(body), smooth(cabin, 0.5), *_wheels(shape), *_car_details(shape, grey)])


def _belt(shape: CarShape, u: F64) -> F64:
    """Height of the upper edge of the body along the car."""
    rear, _, _, cowl = shape.cabin
    knots = [0.0, max(rear, 0.01), 0.5 * (rear + cowl), cowl, 0.5 * (1 + cowl), 0.97, 1.0]
    bonnet = shape.bonnet_m
    bulge = 0.6 * shape.belt_m + 0.4 * bonnet
    heights = [
        shape.tail_m - 0.04,
        shape.tail_m,
        shape.belt_m,
        shape.belt_m - 0.01,
        bulge,
        bonnet,
        bonnet - 0.07,
    ]
    return np.interp(u, knots, heights)


def _plan(u: F64) -> F64:
    """Share of the full width along the car: rounded at both ends."""
    front = 1 - 0.24 * np.clip((u - 0.84) / 0.16, 0, 1) ** 2.2
    rear = 1 - 0.14 * np.clip((0.12 - u) / 0.12, 0, 1) ** 2
    return np.asarray(front * rear)


def _car_body(shape: CarShape, color: Color) -> Mesh:
    u = np.array([0, 0.012, 0.05, 0.12, 0.2, 0.3, 0.42, 0.54, 0.66, 0.75, 0.82, 0.88, 0.93, 0.97, 0.99, 1.0])
    x, belt, half = (u - 0.5) * shape.length_m, _belt(shape, u), shape.width_m / 2 * _plan(u)
    pinch = np.interp(u, [0, 0.012, 0.05, 0.95, 0.99, 1], [0.94, 0.985, 1, 1, 0.98, 0.93])
    floor = np.interp(u, [0, 0.1, 0.2, 0.8, 0.92, 1], [0.36, 0.27, 0.2, 0.2, 0.24, 0.3])
    sill, shoulder = floor + 0.12, 0.45 * floor + 0.55 * belt
    left = [
        (0.86, floor),
        (0.97, sill),
        (1.00, shoulder),
        (0.985, 0.3 * shoulder + 0.7 * belt),
        (0.945, belt - 0.03),
        (0.86, belt),
        (0.45, belt + 0.018),
    ]
    ring = [(x, half * pinch * share, z) for share, z in left]
    ring += [(x, np.zeros_like(x), belt + 0.028)] + [(x, -y, z) for x, y, z in reversed(ring)]
    sections = np.stack([np.stack(column, axis=-1) for column in ring], axis=1)
    cells = sections.shape[1]
    colors = np.broadcast_to(np.asarray(color), (len(u) - 1, cells, 3)).copy()
    materials = np.full((len(u) - 1, cells), Material.PAINT, np.uint8)
    for dark in (0, cells - 2, cells - 1):  # sills and underside
        colors[:, dark], materials[:, dark] = BLACK, Material.PLASTIC
    return loft(sections, materials, colors)


def _cabin(shape: CarShape, color: Color) -> Mesh:
    tail, rear, front, cowl = shape.cabin
    pillars = np.array([rear + 0.30 * (front - rear), rear + 0.62 * (front - rear)])
    half_pillar = 0.045 / shape.length_m
    u = np.sort([tail, *(tail + (rear - tail) * np.array([0.5, 1.0])), *(pillars - half_pillar)])
    u = np.sort([*u, *(pillars + half_pillar), front, *(front + (cowl - front) * np.array([0.25, 0.6, 1.0]))])
    base = _belt(shape, u) - 0.02
    low = [float(_belt(shape, np.array([at]))[0]) - 0.015 for at in (tail, cowl)]
    height = shape.height_m
    roof = np.interp(
        u,
        [tail, rear, 0.6 * rear + 0.4 * front, front, front + 0.25 * (cowl - front), cowl],
        [
            low[0],
            height - 0.05,
            height - 0.02,
            height - 0.035,
            height - 0.10 * (height - low[1]) - 0.07,
            low[1],
        ],
    )
    rise = np.clip((roof - base) / (height - base.min()), 0, 1)
    foot = shape.width_m / 2 * 0.925 * _plan(u)
    top = foot * (1 - 0.17 * rise)
    left = [(foot, base), (foot - 0.01, base + 0.04 * rise)]
    left += [(foot + 0.86 * (top - foot), base + 0.86 * (roof - base)), (top, roof - 0.02 * rise)]
    left += [(top - 0.09, roof), (0.5 * top, roof + 0.015 * rise)]
    x = (u - 0.5) * shape.length_m
    ring = [(x, y, z) for y, z in left]
    ring += [(x, 0 * x, roof + 0.02 * rise)] + [(x, -y, z) for x, y, z in reversed(ring)]
    sections = np.stack([np.stack(column, axis=-1) for column in ring], axis=1)
    cells, middle = sections.shape[1], (u[1:] + u[:-1]) / 2
    glass = np.zeros((len(middle), cells), bool)
    side = np.ones_like(middle, bool)
    for pillar in pillars:
        side &= np.abs(middle - pillar) > half_pillar
    if shape is CARS["van"]:
        side &= middle > pillars[1]
    glass[:, 1] = glass[:, -3] = side & (middle > tail + 0.3 * (rear - tail))
    ends = (middle < rear) | (middle > front)
    glass[:, 4:-5] |= ends[:, None]
    materials = np.where(glass, Material.GLASS, Material.PAINT)
    return loft(sections, materials, np.where(glass[..., None], DARK_GLASS, color))


def _wheels(shape: CarShape) -> list[Mesh]:
    parts = []
    for axle in shape.axles:
        x = (axle - 0.5) * shape.length_m
        half = shape.width_m / 2 * float(_plan(np.array([axle]))[0])
        for side in (-1, 1):
            parts += wheel(x, side * (half - 0.01), shape.wheel_m, side)
            arch = (
                (x, side * (half - 0.3), shape.wheel_m + 0.02),
                (x, side * (half + 0.003), shape.wheel_m + 0.02),
            )
            parts.append(tube(*arch, (shape.wheel_m + 0.065,) * 2, Material.PLASTIC, BLACK, 20))
    return parts


def wheel(x: float, y_outer: float, radius: float, side: int, width: float = 0.21) -> list[Mesh]:
    """A tyre with its rim, the outer face at `y_outer` on the side +1 (left) or -1."""
    hub, inner = (x, y_outer + side * 0.012, radius), (x, y_outer - side * width, radius)
    rim, cap = (x, y_outer + side * 0.018, radius), (x, y_outer + side * 0.024, radius)
    middle = (x, y_outer - side * width / 2, radius)
    return [
        tube(inner, hub, (radius, radius), Material.RUBBER, BLACK, 20),
        tube(middle, rim, (0.64 * radius,) * 2, Material.METAL, RIM, 14),
        tube(middle, cap, (0.24 * radius,) * 2, Material.METAL, (0.2, 0.2, 0.21), 8),
    ]


def _car_details(shape: CarShape, color: Color) -> list[Mesh]:
    front, rear, half = shape.length_m / 2, -shape.length_m / 2, shape.width_m / 2
    nose, tail = shape.bonnet_m - 0.14, shape.tail_m - 0.2
    parts = [
        box((front - 0.2, -0.42, nose - 0.16), (front + 0.012, 0.42, nose - 0.02), Material.PLASTIC, BLACK),
        box((front - 0.2, -0.55, 0.33), (front + 0.01, 0.55, 0.43), Material.PLASTIC, BLACK),
        box((front - 0.2, -0.26, 0.44), (front + 0.02, 0.26, 0.54), Material.SIGN, (0.9, 0.9, 0.88)),
        box(
            (rear - 0.02, -0.26, tail - 0.2), (rear + 0.2, 0.26, tail - 0.09), Material.SIGN, (0.9, 0.88, 0.6)
        ),
        box((rear - 0.012, -0.68, 0.36), (rear + 0.2, 0.68, 0.46), Material.PLASTIC, BLACK),
    ]
    cowl = (shape.cabin[3] - 0.55) * shape.length_m
    for side in (-1, 1):
        a, b = sorted((side * 0.40 * half * 2 * 0.55, side * 0.40 * half * 2 * 0.93))
        parts.append(
            box((front - 0.35, a, nose - 0.1), (front + 0.004, b, nose + 0.04), Material.LAMP, WHITE_LAMP)
        )
        a, b = sorted((side * 0.62 * half, side * 0.92 * half))
        parts.append(
            box((rear - 0.01, a, tail - 0.02), (rear + 0.25, b, tail + 0.12), Material.LAMP, RED_LAMP)
        )
        a, b = sorted((side * 0.9 * half, side * (half + 0.1)))
        z = shape.belt_m + 0.02
        parts.append(box((cowl - 0.07, a, z), (cowl + 0.07, b, z + 0.14), Material.PAINT, color))
    return parts
