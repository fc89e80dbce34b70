"""Where people walk and stand."""

from __future__ import annotations

import numpy as np

from calib.types import F64, I64
from fusion.simulate.actors import Actor, Path, standing, upright
from fusion.simulate.cast import pedestrian_body
from fusion.simulate.footprints import Occupancy
from fusion.simulate.street import KERB_M, WALK_M, ZEBRA_M, Street, terrain
from fusion.simulate.traffic import Lights
from fusion.trajectory import Trajectory

WALKING_ROOM_M = (1.15, 0.8)  # no step is longer, nobody is wider
STANDING_ROOM_M = 0.45


def crowd(
    rng: np.random.Generator,
    street: Street,
    lights: Lights,
    taken: Occupancy,
    times_ns: I64,
    near_s: F64,
    count: int,
) -> list[Actor]:
    """People on the pavements between two places of the street, some of them crossing it."""
    people: list[Actor] = []
    for _ in range(3 * count):
        if len(people) >= count:
            break
        draw = rng.random()
        if draw < 0.2:
            actor = _stander(rng, street, taken, times_ns, near_s)
        elif draw < 0.4 and lights.main_green_s > 0:
            actor = _crosser(rng, street, taken, times_ns, lights)
        else:
            actor = _stroller(rng, street, taken, times_ns, near_s)
        if actor is not None:
            people.append(actor)
    return people


def _stander(
    rng: np.random.Generator, street: Street, taken: Occupancy, times_ns: I64, near_s: F64
) -> Actor | None:
    d = float(rng.choice([-1, 1]) * rng.uniform(KERB_M + 0.6, 10.9))
    spot = street.stand(float(rng.uniform(*near_s)), d, float(rng.uniform(-np.pi, np.pi)))
    if not taken.take_spot(spot.translation[:2], STANDING_ROOM_M):
        return None
    return standing("", pedestrian_body(rng, walking=False), spot, times_ns)


def _stroller(
    rng: np.random.Generator, street: Street, taken: Occupancy, times_ns: I64, near_s: F64
) -> Actor | None:
    forth = bool(rng.random() < 0.5)
    d = float(rng.choice([-1, 1]) * rng.uniform(WALK_M - 0.7, WALK_M + 1.0))
    s = np.arange(near_s[0] - 40, near_s[1] + 40, 1.0)
    wander = d + 0.2 * np.sin(s / rng.uniform(5, 9) + rng.uniform(0, 6))
    line = np.stack([s, wander], axis=1)
    start = float(rng.uniform(40, 40 + near_s[1] - near_s[0]))
    path = Path.through(street, line if forth else line[::-1])
    pace = float(np.clip(rng.normal(1.35, 0.2), 0.8, 1.9))
    return _walker(rng, street, taken, path, start, pace, times_ns)


def _crosser(
    rng: np.random.Generator, street: Street, taken: Occupancy, times_ns: I64, lights: Lights
) -> Actor | None:
    side = float(rng.choice([-1, 1]))
    s = street.crossing_m + float(rng.choice([-1, 1]) * rng.uniform(ZEBRA_M[0] + 0.4, ZEBRA_M[1] - 0.4))
    d = side * np.arange(-30.0, 30.0, 1.0)
    path = Path.through(street, np.stack([np.full_like(d, s), d], axis=1))
    at_kerb_s = float(rng.uniform(-2.0, max(0.5, lights.main_green_s - 13.0)))
    pace = float(rng.uniform(1.2, 1.6))
    return _walker(rng, street, taken, path, 30.0 - KERB_M - pace * (at_kerb_s + 0.3), pace, times_ns)


def _walker(
    rng: np.random.Generator,
    street: Street,
    taken: Occupancy,
    path: Path,
    start_m: float,
    pace_mps: float,
    times_ns: I64,
) -> Actor | None:
    at_m = np.clip(start_m + pace_mps * (times_ns - times_ns[0]) / 1e9, 0.0, path.length_m)
    xy, yaws = path.place(at_m)
    s = np.interp(at_m, path.at_m, path.sd[:, 0])
    d = np.interp(at_m, path.at_m, path.sd[:, 1])
    z = terrain(xy) + street.kerb_height(s, d)
    if not taken.take(Trajectory(times_ns, upright(xy, z, yaws)), *WALKING_ROOM_M, 0.1):
        return None
    body = pedestrian_body(rng, walking=True)
    up = z + body.size_lwh_m[2] / 2
    return Actor("", body, Trajectory(times_ns, upright(xy, up, yaws)), at_m, True)
