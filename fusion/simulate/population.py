"""Filling a street with traffic, parked cars and people, such that nothing runs into anything."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from calib.se3 import SE3
from calib.types import F64, I64
from fusion.simulate.actors import LEAD_NS, Actor, Body, Path, driving, standing
from fusion.simulate.cast import bus_body, car_body, cyclist_body, truck_body, vehicle_body
from fusion.simulate.config import SimulationConfig
from fusion.simulate.crowd import crowd
from fusion.simulate.footprints import Occupancy
from fusion.simulate.street import LANE_M, PARKING_M, STOP_LINE_M, Street
from fusion.simulate.traffic import Driver, Lights, drive_lane, routes
from fusion.simulate.trips import Outing

BAY_M = 6.0
EGO_LENGTH_M, EGO_WIDTH_M, EGO_CENTER_M = 4.6, 1.9, 1.35  # the centre lies ahead of the rear axle
EGO_NOSE_M = EGO_CENTER_M + EGO_LENGTH_M / 2


@dataclass(frozen=True, eq=False, slots=True)
class EgoWay:
    """How the car drives: its rear axle on a path.

    Attributes:
        path: in the world.
        at_m: (K,) length on the path at the instants of the clock.
    """

    path: Path
    at_m: F64


@dataclass(frozen=True, slots=True)
class _Plan:
    """One road user before the simulation of its lane."""

    route: str
    body: Body
    from_line_m: float
    speed_mps: float


def drive_all(
    street: Street, lights: Lights, config: SimulationConfig, rng: np.random.Generator, times_ns: I64
) -> tuple[EgoWay, list[Actor]]:
    """The car's way, and everything on wheels that moves; some of it may still collide."""
    outing = Outing.of(config)
    ways, start_ns = routes(street, outing.shift_m), int(times_ns[0]) + LEAD_NS
    speed = outing.speed_mps
    lead_s = LEAD_NS / 1e9
    forward, line = ways["forward"]
    ego_start = forward.length_at(outing.start_m, -LANE_M + outing.shift_m) - speed * lead_s
    ego = Driver(forward, ego_start, speed, EGO_LENGTH_M, EGO_NOSE_M, line - EGO_NOSE_M, True)
    actors: list[Actor] = []
    own_way: EgoWay | None = None
    for lane in _lanes(config, rng, speed, ego_start - line):
        drivers = [_driver(plan, ways) for plan in lane]
        with_ego = lane[0].route.startswith("forward")
        if with_ego:
            place = sum(driver.start_m > ego_start for driver in drivers)
            drivers.insert(place, ego)
        found = drive_lane(drivers, lights, times_ns, start_ns)
        if with_ego:
            own_way = EgoWay(forward, found.pop(place))
            drivers.pop(place)
        for plan, driver, at_m in zip(lane, drivers, found, strict=True):
            if at_m[0] < 0 or at_m[-1] > driver.path.length_m:
                continue
            actors.append(driving("", plan.body, driver.path, at_m, times_ns))
    assert own_way is not None
    return own_way, actors


def _driver(plan: _Plan, ways: dict[str, tuple[Path, float]]) -> Driver:
    path, line = ways[plan.route]
    length = float(plan.body.size_lwh_m[0])
    nose = plan.body.pivot_m + length / 2
    on_main = not plan.route.startswith(("leftward", "rightward"))
    return Driver(path, line + plan.from_line_m, plan.speed_mps, length, nose, line - nose, on_main)


def _lanes(
    config: SimulationConfig, rng: np.random.Generator, speed: float, ego_from_line_m: float
) -> list[list[_Plan]]:
    """Who is on which lane, the first in front; places count from the stop line."""

    def body() -> Body:
        return vehicle_body(rng)

    red = config.style == "stop"
    share = max(1, config.vehicles // 5)
    ahead = ego_from_line_m
    forward = [_Plan("forward", car_body(rng), ahead + 46.0, speed * 1.05)]
    forward.append(_Plan("forward right", car_body(rng), ahead + 20.0, speed))
    forward += [_Plan("forward", body(), ahead - 17.0 - 21.0 * k, speed) for k in range(max(1, share - 1))]
    oncoming = [_Plan("oncoming", car_body(rng), -6.0 if red else 22.0, speed)]
    oncoming.append(_Plan("oncoming", truck_body(rng), -24.0 if red else 0.0, speed))
    oncoming.append(_Plan("oncoming right", car_body(rng), -38.0 if red else -24.0, speed))
    oncoming.append(_Plan("oncoming", bus_body(rng), -54.0 if red else -50.0, speed))
    gaps = -72.0 - np.cumsum(rng.uniform(14, 26, share))
    oncoming += [_Plan("oncoming", body(), float(gap), speed) for gap in gaps]
    wait = 0.0 if red else -6.0
    leftward = [_Plan("leftward right" if red else "leftward", car_body(rng), wait + 2.0, 8.0)]
    leftward += [_Plan("leftward", body(), wait - 16.0 * (k + 1), 8.0) for k in range(share)]
    rightward = [_Plan("rightward", car_body(rng), wait + 8.0, 8.0)]
    rightward.append(_Plan("rightward left" if red else "rightward", car_body(rng), wait - 10.0, 8.0))
    rightward += [_Plan("rightward", body(), wait - 28.0 - 15.0 * k, 8.0) for k in range(share - 1)]
    lanes = [forward, oncoming, leftward, rightward]
    for route, offsets in (
        ("cycle forward", (18.0, 31.0, -9.0, 55.0)),
        ("cycle oncoming", (6.0, -14.0, -45.0, 30.0)),
    ):
        places = sorted((offset + float(rng.uniform(-3, 3)) for offset in offsets), reverse=True)
        base = ahead if route == "cycle forward" else (-20.0 if red else 0.0)
        places = places[: (config.cyclists + 1) // 2]
        speeds = [float(v) for v in rng.uniform(4.2, 6.0, len(places))]
        lanes.append(
            [_Plan(route, cyclist_body(rng), base + at, v) for at, v in zip(places, speeds, strict=True)]
        )
    return [lane for lane in lanes if lane]


def populate(
    street: Street, lights: Lights, config: SimulationConfig, rng: np.random.Generator, taken: Occupancy,
    moving: list[Actor], times_ns: I64, parked: list[Actor] | None = None,
) -> list[Actor]:  # fmt: skip
    """All that is labelled: the moving ones that collide with nothing, parked cars, people.

    Where some are `parked` already, they keep their places, and few others come.
    """
    limits = {"cyclist": config.cyclists, "vehicle": config.vehicles}
    stayed = [actor for actor in parked or () if taken.add(actor, 0.0)]
    accepted: list[Actor] = []
    for actor in moving:
        sort = "cyclist" if actor.body.category == "cyclist" else "vehicle"
        if limits[sort] > 0 and taken.add(actor, 0.2):
            limits[sort] -= 1
            accepted.append(actor)
    coming = config if parked is None else replace(config, parked=config.moved_parked)
    accepted += stayed + _parked(street, coming, rng, taken, times_ns)
    way_m = config.seconds * config.ego_speed_mps
    near_s = np.array([-25.0, max(way_m, street.crossing_m) + 45.0])
    near_s = np.clip(near_s, street.start_m + 42, street.end_m - 42)
    accepted += crowd(rng, street, lights, taken, times_ns, near_s, config.pedestrians)
    return _named(accepted)


def _parked(
    street: Street, config: SimulationConfig, rng: np.random.Generator, taken: Occupancy, times_ns: I64
) -> list[Actor]:
    cars = []
    reach = config.label_range_m + 20
    first = max(street.start_m + 6, -reach)
    last = min(street.end_m - 6, config.seconds * config.ego_speed_mps + reach)
    for side in (-1, 1):
        for s in np.arange(first, last, BAY_M):
            if abs(s - street.crossing_m) < STOP_LINE_M + 5 or rng.random() > config.parked:
                continue
            body = truck_body(rng) if rng.random() < 0.02 else car_body(rng)
            turn = (0.0 if side < 0 else np.pi) + float(rng.normal(0, 0.025))
            lateral = side * (PARKING_M + float(rng.normal(0, 0.08)))
            spot = street.stand(float(s + rng.normal(0, 0.25)), lateral, turn)
            actor = standing("", body, spot, times_ns)
            if taken.add(actor, 0.25):
                cars.append(actor)
    return cars


def _named(actors: list[Actor]) -> list[Actor]:
    """Gives everyone an id of its category and a number."""
    counts: dict[str, int] = {}
    named = []
    for actor in actors:
        category = actor.body.category
        counts[category] = counts.get(category, 0) + 1
        id = f"{category}-{counts[category]:03d}"
        named.append(Actor(id, actor.body, actor.trajectory, actor.travelled_m, actor.moving))
    return named


def ego_footprint_shift() -> SE3:
    """Returns ego_from_center: where the middle of the car is."""
    return SE3(np.eye(3), np.array([EGO_CENTER_M, 0.0, 0.0]))
