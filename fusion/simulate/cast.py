"""Who appears in a drive: the bodies of vehicles, riders and people."""

from __future__ import annotations

import numpy as np

from fusion.simulate.actors import Body
from fusion.simulate.heavy import bus, truck
from fusion.simulate.mesh import Color
from fusion.simulate.people import PEDAL_M, PHASES, STRIDE_M, Looks, cyclist, person
from fusion.simulate.vehicles import CARS, car

PAINTS: tuple[Color, ...] = (
    (0.86, 0.87, 0.87),
    (0.62, 0.64, 0.66),
    (0.33, 0.35, 0.37),
    (0.05, 0.05, 0.06),
    (0.08, 0.16, 0.38),
    (0.55, 0.05, 0.06),
    (0.10, 0.24, 0.18),
    (0.70, 0.66, 0.55),
    (0.14, 0.38, 0.55),
    (0.82, 0.82, 0.80),
    (0.24, 0.25, 0.27),
)
CLOTHES: tuple[Color, ...] = (
    (0.10, 0.12, 0.20),
    (0.55, 0.12, 0.12),
    (0.16, 0.32, 0.24),
    (0.70, 0.62, 0.42),
    (0.12, 0.12, 0.13),
    (0.80, 0.78, 0.74),
    (0.20, 0.35, 0.60),
    (0.85, 0.55, 0.10),
    (0.45, 0.45, 0.47),
    (0.50, 0.30, 0.45),
)
TROUSERS: tuple[Color, ...] = ((0.10, 0.13, 0.22), (0.07, 0.07, 0.08), (0.30, 0.28, 0.25), (0.20, 0.25, 0.36))
SKINS: tuple[Color, ...] = ((0.85, 0.66, 0.55), (0.72, 0.51, 0.38), (0.45, 0.30, 0.22), (0.90, 0.73, 0.62))
HAIR: tuple[Color, ...] = ((0.12, 0.08, 0.06), (0.30, 0.20, 0.12), (0.60, 0.48, 0.28), (0.55, 0.55, 0.55))


def car_body(rng: np.random.Generator, kind: str | None = None) -> Body:
    """A car or van of some make, size and colour."""
    names = list(CARS)
    chosen = kind or names[rng.choice(len(names), p=[0.22, 0.27, 0.16, 0.2, 0.08, 0.07])]
    shape, scale = CARS[chosen], float(rng.uniform(0.95, 1.05))
    mesh = car(shape, PAINTS[rng.integers(len(PAINTS))], scale)
    return Body.of("car", [mesh], rear_axle_m=(shape.axles[0] - 0.5) * shape.length_m * scale)


def truck_body(rng: np.random.Generator) -> Body:
    """A lorry."""
    length_m = float(rng.uniform(7.4, 9.2))
    mesh = truck(
        PAINTS[rng.integers(len(PAINTS))], ((0.85, 0.85, 0.83), (0.2, 0.35, 0.5))[rng.integers(2)], length_m
    )
    return Body.of("truck", [mesh], rear_axle_m=-length_m / 2 + 1.9)


def bus_body(rng: np.random.Generator) -> Body:
    """A city bus."""
    length_m = float(rng.uniform(10.8, 12.0))
    color = ((0.75, 0.13, 0.10), (0.85, 0.65, 0.12), (0.15, 0.35, 0.30))[rng.integers(3)]
    return Body.of("bus", [bus(color, length_m)], rear_axle_m=-0.24 * length_m)


def vehicle_body(rng: np.random.Generator) -> Body:
    """What drives past next."""
    draw = rng.random()
    if draw < 0.08:
        return bus_body(rng)
    return truck_body(rng) if draw < 0.2 else car_body(rng)


def looks(rng: np.random.Generator) -> Looks:
    """One person."""
    child = rng.random() < 0.1
    return Looks(
        height_m=float(rng.uniform(1.15, 1.4) if child else rng.normal(1.71, 0.085)),
        girth=float(rng.uniform(0.9, 1.2)),
        jacket=CLOTHES[rng.integers(len(CLOTHES))],
        trousers=TROUSERS[rng.integers(len(TROUSERS))],
        skin=SKINS[rng.integers(len(SKINS))],
        hair=HAIR[rng.integers(len(HAIR))],
        skirt=bool(rng.random() < 0.2),
        bag=bool(rng.random() < 0.25),
    )


def pedestrian_body(rng: np.random.Generator, walking: bool) -> Body:
    """Somebody on foot."""
    who = looks(rng)
    phases = [k / PHASES for k in range(PHASES)] if walking else [None]
    cycle_m = STRIDE_M * who.height_m / 1.75 if walking else 0.0
    return Body.of("pedestrian", [person(who, phase) for phase in phases], cycle_m)


def cyclist_body(rng: np.random.Generator) -> Body:
    """A rider on a bicycle."""
    who, frame = looks(rng), PAINTS[rng.integers(len(PAINTS))]
    meshes = [cyclist(who, k / PHASES, frame) for k in range(PHASES)]
    return Body.of("cyclist", meshes, PEDAL_M, rear_axle_m=-0.52)
