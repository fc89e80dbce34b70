"""What stands along the street and is not labelled: houses, trees, posts, hedges, bins."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fusion.simulate import furniture
from fusion.simulate.buildings import house
from fusion.simulate.footprints import Occupancy
from fusion.simulate.mesh import Mesh, merge
from fusion.simulate.street import CROSS_FRONT_M, CROSS_HALF_M, DEPTH_M, FRONT_M, KERB_M, STOP_LINE_M, Street
from fusion.simulate.traffic import Lights

FACING_STREET = {-1: 0.0, 1: np.pi}  # turn that brings +y of a thing towards the carriageway


def furnish(street: Street, lights: Lights, rng: np.random.Generator, taken: Occupancy) -> Mesh:
    """The ground and all that stands on it, in the world frame."""
    things = [street.ground(), *_rows_of_houses(street, rng), *_houses_of_the_crossing(street, rng)]
    things += _corner(street, lights, taken)
    things += _trees(street, rng, taken)
    things += _posts(street, rng, taken)
    return merge(things)


def _rows_of_houses(street: Street, rng: np.random.Generator) -> list[Mesh]:
    """Houses along both sides, some behind a front garden with a wall or a hedge."""
    parts: list[Mesh] = []
    for side in (-1, 1):
        s = street.start_m + 2.0
        while s < street.end_m - 12:
            width = float(rng.uniform(9, 19))
            if s < street.crossing_m - CROSS_FRONT_M < s + width + 3:
                width = street.crossing_m - CROSS_FRONT_M - s
            if s < street.crossing_m < s + width + CROSS_FRONT_M or width < 6:
                s = max(s + 0.1, street.crossing_m + CROSS_FRONT_M)
                width = float(rng.uniform(12, 17))
            garden = rng.random() < 0.3 and abs(s + width / 2 - street.crossing_m) > 25
            setback = 4.0 if garden else 0.0
            building = house(
                rng, width, 11.0, int(rng.integers(2, 5)), bool(rng.random() < 0.4) and not garden
            )
            parts.append(_beside(street, building, s, width, side, FRONT_M + setback))
            if garden:
                low = (
                    furniture.hedge(rng, width - 2.5)
                    if rng.random() < 0.5
                    else furniture.garden_wall(width - 2.5, (0.5, 0.3, 0.24))
                )
                parts.append(_beside(street, low, s, width, side, FRONT_M + 0.4))
            s += width + (float(rng.uniform(2.5, 6)) if rng.random() < 0.3 else 0.0)
    return parts


def _beside(street: Street, thing: Mesh, s: float, width: float, side: int, front_m: float) -> Mesh:
    """Puts a thing that spans x from 0 to the width at the side of the street, +y towards the carriageway."""
    world_from_middle = street.stand(s + width / 2, side * front_m, FACING_STREET[side])
    return thing.shifted(-width / 2, 0, 0).moved(world_from_middle)


def _houses_of_the_crossing(street: Street, rng: np.random.Generator) -> list[Mesh]:
    parts = []
    for side in (-1, 1):
        for end in (-1, 1):
            d = FRONT_M + 12.0
            while d < DEPTH_M - 12:
                width = float(rng.uniform(10, 16))
                building = house(rng, width, 10.0, int(rng.integers(2, 5)), False)
                turn = np.pi / 2 if end > 0 else -np.pi / 2
                spot = street.stand(street.crossing_m + end * CROSS_FRONT_M, side * (d + width / 2), turn)
                parts.append(building.shifted(-width / 2, 0, 0).moved(spot))
                d += width + float(rng.uniform(0, 3))
    return parts


def _corner(street: Street, lights: Lights, taken: Occupancy) -> list[Mesh]:
    """Signals and bollards at the crossing."""
    red = lights.main_green_s > 0
    parts, c = [], street.crossing_m
    for toward in (-1, 1):  # traffic that drives along +s comes from -s
        along = c + toward * (STOP_LINE_M - 0.6)
        turn = np.pi if toward < 0 else 0.0
        spots = [(along, toward * (KERB_M + 0.5), turn, red)]
        spots.append(
            (c - toward * (CROSS_HALF_M + 0.9), toward * (KERB_M + 3.6), toward * np.pi / 2, not red)
        )
        for s, d, turned, shows_red in spots:
            if taken.take_spot(street.place(s, d), 0.15):
                parts.append(furniture.traffic_light(shows_red).moved(street.stand(s, d, turned)))
    for side in (-1, 1):
        for end in (-1, 1):
            for step in range(3):
                s, d = c + end * (CROSS_HALF_M + 0.7 + 1.5 * step), side * (KERB_M + 0.5)
                if taken.take_spot(street.place(s, d), 0.1):
                    parts.append(furniture.bollard().moved(street.stand(s, d)))
    return parts


def _trees(street: Street, rng: np.random.Generator, taken: Occupancy) -> list[Mesh]:
    kinds = [furniture.tree(rng, float(height)) for height in (6.2, 7.4, 8.4)]
    parts = []
    for side in (-1, 1):
        for s in np.arange(street.start_m + 5, street.end_m - 5, 13.0):
            s, d = s + float(rng.uniform(-2, 2)), side * (KERB_M + 0.75)
            if abs(s - street.crossing_m) < 16 or rng.random() < 0.25:
                continue
            if taken.take_spot(street.place(s, d), 0.35):
                spot = street.stand(s, d, float(rng.uniform(-np.pi, np.pi)))
                parts.append(kinds[rng.integers(len(kinds))].moved(spot))
    return parts


def _posts(street: Street, rng: np.random.Generator, taken: Occupancy) -> list[Mesh]:
    """Lamps at even steps, and signs, bins, benches and a bus shelter here and there."""
    bins = [furniture.wheelie_bin(c) for c in ((0.13, 0.25, 0.17), (0.16, 0.19, 0.32), (0.18, 0.18, 0.19))]
    signs = [furniture.sign(kind) for kind in ("limit", "parking", "priority", "no_entry")]
    parts: list[Mesh] = []

    def put(thing: Mesh, s: float, d: float, turn: float, radius_m: float) -> None:
        if abs(s - street.crossing_m) > 11.5 and taken.take_spot(street.place(s, d), radius_m):
            parts.append(thing.moved(street.stand(s, d, turn)))

    for side in (-1, 1):
        facing = FACING_STREET[side]
        toward = np.pi if side < 0 else 0.0  # signs look at the traffic of their own side
        for s in np.arange(street.start_m + 8 + 6 * side, street.end_m - 5, 27.0):
            put(furniture.lamp_post(), float(s), side * (KERB_M + 0.55), facing, 0.2)
        plans: list[tuple[Callable[[], Mesh], float, float, float, float, float]] = [
            (lambda: signs[rng.integers(len(signs))], 24.0, KERB_M + 0.45, toward, 0.3, 1.0),
            (lambda: bins[rng.integers(len(bins))], 7.0, FRONT_M - 0.5, facing, 0.4, 0.35),
            (furniture.bench, 31.0, FRONT_M - 0.6, facing, 0.95, 0.7),
        ]
        for make, step, d, turn, radius_m, chance in plans:
            for s in np.arange(street.start_m + 6, street.end_m - 5, step):
                if rng.random() < chance:
                    put(make(), float(s) + float(rng.uniform(-2, 2)), side * d, turn, radius_m)
        put(furniture.shelter(), street.crossing_m + side * 24.0, side * (KERB_M + 1.5), facing, 2.2)
    return parts
