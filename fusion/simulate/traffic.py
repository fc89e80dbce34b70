"""Vehicles and cyclists that follow their lanes, each other and the lights."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calib.types import F64, I64
from fusion.simulate.actors import KNOT_NS, Path
from fusion.simulate.config import SimulationConfig
from fusion.simulate.street import CROSS_LANE_M, CYCLE_LANE_M, DEPTH_M, LANE_M, STOP_LINE_M, Street

ACCELERATION_MPS2 = 1.5
BRAKING_MPS2 = 2.2
LATERAL_MPS2 = 2.0
HEADWAY_S = 1.3
STANDSTILL_GAP_M = 2.2


@dataclass(frozen=True, eq=False, slots=True)
class Lights:
    """When the main street may go; the crossing street goes when it may not.

    Attributes:
        main_green_s: the main street is red before this instant and green from it on.
    """

    main_green_s: float

    @classmethod
    def of(cls, config: SimulationConfig) -> Lights:
        """Red at first where the car is to stop."""
        return cls(0.5 * config.seconds if config.style == "stop" else -1e9)


@dataclass(frozen=True, eq=False, slots=True)
class Driver:
    """One road user in a lane.

    Attributes:
        path: of its rear axle.
        start_m: where on the path it begins.
        speed_mps: it wants to drive at.
        length_m: bumper to bumper.
        nose_m: from the rear axle to the front bumper.
        stop_m: where on the path the rear axle is when it waits at the line.
        on_main: which light it heeds.
    """

    path: Path
    start_m: float
    speed_mps: float
    length_m: float
    nose_m: float
    stop_m: float
    on_main: bool


def drive_lane(drivers: list[Driver], lights: Lights, times_ns: I64, start_ns: int) -> list[F64]:
    """Way on its path of each of a lane's drivers, the first one in front, at each instant.

    The intelligent driver model (Treiber, Hennecke and Helbing, 2000), with bends taken slowly.
    """
    count, dt = len(drivers), KNOT_NS / 1e9
    at = [driver.start_m for driver in drivers]
    limits = [_speed_limits(driver) for driver in drivers]
    speed = _start_speeds(drivers, at, [_between(limits[i], at[i]) for i in range(count)], lights)
    history = np.empty((len(times_ns), count))
    for k, time_ns in enumerate(times_ns):
        history[k] = at
        now_s = (int(time_ns) - start_ns) / 1e9
        for i, driver in enumerate(drivers):
            wanted = _between(limits[i], at[i])
            gap, closing = math.inf, 0.0
            if i > 0 and (drivers[i - 1].path is driver.path or at[i - 1] < driver.stop_m + 14.0):
                ahead = drivers[i - 1]
                gap = at[i - 1] + ahead.nose_m - ahead.length_m - (at[i] + driver.nose_m)
                closing = speed[i] - speed[i - 1]
            red = (now_s < lights.main_green_s) == driver.on_main
            to_line = driver.stop_m - at[i]
            if red and -0.5 <= to_line < gap:
                gap, closing = to_line + STANDSTILL_GAP_M - 0.3, speed[i]
            speed[i] = max(0.0, speed[i] + dt * _idm(speed[i], wanted, gap, closing))
        at = [at[i] + dt * speed[i] for i in range(count)]
    return [history[:, i].copy() for i in range(count)]


def _idm(speed: float, wanted: float, gap: float, closing: float) -> float:
    free = 1 - (speed / max(wanted, 0.1)) ** 4
    desired = STANDSTILL_GAP_M + max(
        0.0, speed * HEADWAY_S + speed * closing / (2 * math.sqrt(ACCELERATION_MPS2 * BRAKING_MPS2))
    )
    near = (desired / max(gap, 0.1)) ** 2
    return min(max(ACCELERATION_MPS2 * (max(free, -3.0) - near), -7.0), ACCELERATION_MPS2)


def _start_speeds(drivers: list[Driver], at: list[float], limits: list[float], lights: Lights) -> list[float]:
    """Speeds from which everybody can still stop in comfort."""
    speed = limits.copy()
    for i, driver in enumerate(drivers):
        red_at_start = (lights.main_green_s > 0) == driver.on_main
        room = driver.stop_m - at[i] if red_at_start and at[i] <= driver.stop_m else math.inf
        speed[i] = min(speed[i], math.sqrt(2 * 1.4 * max(room, 0.0)))
        if i > 0:
            gap = at[i - 1] + drivers[i - 1].nose_m - drivers[i - 1].length_m - (at[i] + driver.nose_m)
            room = max(gap - STANDSTILL_GAP_M, 0.0)
            follow = math.sqrt(speed[i - 1] ** 2 + 2.8 * room)
            speed[i] = min(speed[i], speed[i - 1] + room / HEADWAY_S, follow)
    return speed


def _speed_limits(driver: Driver) -> list[float]:
    """Speed at every metre of the path such that bends are slow and reached with gentle braking."""
    grid = np.arange(0.0, driver.path.length_m + 1.0, 1.0)
    bend = np.abs(driver.path.curvature(np.clip(grid, 0, driver.path.length_m)))
    limit = np.minimum(driver.speed_mps, np.sqrt(LATERAL_MPS2 / np.maximum(bend, 1e-6))).tolist()
    for k in range(len(grid) - 2, -1, -1):
        limit[k] = min(limit[k], math.sqrt(limit[k + 1] ** 2 + 2 * 1.6))
    return [float(value) for value in limit]


def _between(values: list[float], at: float) -> float:
    """Interpolates values at 0, 1, 2, ...; the first and last hold beyond."""
    at = min(max(at, 0.0), len(values) - 1.0)
    k = min(int(at), len(values) - 2)
    return values[k] + (at - k) * (values[k + 1] - values[k])


def routes(street: Street, shift_m: float = 0.0) -> dict[str, tuple[Path, float]]:
    """All ways through the street: paths, and the length at which each passes its stop line.

    Those who go straight on in the car's lane keep to the left by `shift_m`.
    """
    own = -LANE_M + shift_m
    c, far = street.crossing_m, DEPTH_M - 3.0
    start, end = street.start_m + 4.0, street.end_m - 4.0
    ahead, back, left, right = c - STOP_LINE_M, c + STOP_LINE_M, 12.6, -12.6
    plans = {
        "forward": ([(start, own), (end, own)], 1.0, (ahead, own)),
        "forward right": (
            [(start, -LANE_M), (c - CROSS_LANE_M, -LANE_M), (c - CROSS_LANE_M, -far)],
            7.0,
            (ahead, -LANE_M),
        ),
        "oncoming": ([(end, LANE_M), (start, LANE_M)], 1.0, (back, LANE_M)),
        "oncoming right": (
            [(end, LANE_M), (c + CROSS_LANE_M, LANE_M), (c + CROSS_LANE_M, far)],
            7.0,
            (back, LANE_M),
        ),
        "oncoming left": (
            [(end, LANE_M), (c - CROSS_LANE_M, LANE_M), (c - CROSS_LANE_M, -far)],
            8.5,
            (back, LANE_M),
        ),
        "leftward": ([(c + CROSS_LANE_M, -far), (c + CROSS_LANE_M, far)], 1.0, (c + CROSS_LANE_M, right)),
        "leftward right": (
            [(c + CROSS_LANE_M, -far), (c + CROSS_LANE_M, -LANE_M), (end, -LANE_M)],
            7.0,
            (c + CROSS_LANE_M, right),
        ),
        "rightward": ([(c - CROSS_LANE_M, far), (c - CROSS_LANE_M, -far)], 1.0, (c - CROSS_LANE_M, left)),
        "rightward left": (
            [(c - CROSS_LANE_M, far), (c - CROSS_LANE_M, -LANE_M), (end, -LANE_M)],
            8.5,
            (c - CROSS_LANE_M, left),
        ),
        "cycle forward": ([(start, -CYCLE_LANE_M), (end, -CYCLE_LANE_M)], 1.0, (ahead, -CYCLE_LANE_M)),
        "cycle oncoming": ([(end, CYCLE_LANE_M), (start, CYCLE_LANE_M)], 1.0, (back, CYCLE_LANE_M)),
    }
    found = {}
    for name, (corners, radius_m, line) in plans.items():
        path = Path.through(street, rounded(corners, radius_m))
        found[name] = (path, path.length_at(*line))
    return found


def rounded(corners: ArrayLike, radius_m: float, step_m: float = 1.0) -> F64:
    """(K, 2) places along straight lines whose corners are arcs of a circle."""
    points = np.asarray(corners, np.float64)
    pieces, begin = [], points[0]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        into, out = corner - before, after - corner
        into, out = into / np.linalg.norm(into), out / np.linalg.norm(out)
        turn = float(np.arctan2(into[0] * out[1] - into[1] * out[0], into @ out))
        cut = radius_m * np.tan(abs(turn) / 2)
        side = np.sign(turn) * np.array([-into[1], into[0]])
        center = corner - cut * into + radius_m * side
        angles = np.linspace(0, turn, max(4, int(abs(turn) * radius_m / step_m)))
        spoke = -radius_m * side
        arc = center + np.stack(
            [
                np.cos(angles) * spoke[0] - np.sin(angles) * spoke[1],
                np.sin(angles) * spoke[0] + np.cos(angles) * spoke[1],
            ],
            1,
        )
        pieces += [_straight(begin, arc[0], step_m), arc[:-1]]
        begin = arc[-1]
    return np.concatenate([*pieces, _straight(begin, points[-1], step_m), points[-1:]])


def _straight(a: F64, b: F64, step_m: float) -> F64:
    count = max(2, int(np.linalg.norm(b - a) / step_m))
    return np.linspace(a, b, count, endpoint=False)
