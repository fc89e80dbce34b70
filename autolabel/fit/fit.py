"""From a guess and the points around it to a box."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from autolabel.fit.axis import turned_along
from autolabel.fit.ground import AROUND_M, Plane, ground_below
from autolabel.fit.guess import Guess
from autolabel.fit.height import stands_between, top_of
from autolabel.fit.usual import Usual
from calib.types import F64, Floats
from fusion.boxes import Box3D

LOWEST_M, LEAST_SIZE_M = 0.12, 0.15
FEWEST, MOST_POINTS = 3, 300
FIRST_ROUNDS, ROUNDS = 8, 60
BESIDE_M = 0.1
# How the points of a thing lie in its box; see the kernel. Cars show flat sides, people do not.
FLAT = np.array([0.1, 0.053, 4.0, 0.26, 0.85, 0.08, 60.0, 0.1, 0.08, 0.2, 2.0])
ROUND = np.array([0.02, 0.035, 4.0, 0.2, 0.02, 0.08, 100.0, 0.0, 0.05, 0.08, 0.12])


@dataclass(frozen=True, eq=False, slots=True)
class Cloud:
    """The points of one frame that somebody may point at.

    Attributes:
        points: (N, 3) in the ego frame, those on the ground as well.
        lidar: (3,) where they were seen from.
    """

    points: Floats
    lidar: F64


def fit_new(cloud: Cloud, tail: Floats, front: Floats, usual: Usual | None) -> Box3D | None:
    """A box around the thing that an arrow was drawn through; nothing where nothing stands there.

    Args:
        cloud: the points.
        tail: (2,) or (3,) where the arrow begins, behind the thing.
        front: where it ends, at its front.
        usual: about how large it is; None where nobody knows.
    """
    return _fitted(cloud, Guess.drawn(tail, front, usual))


def fit_again(box: Box3D, cloud: Cloud, usual: Usual | None) -> Box3D | None:
    """A box of about the right place fitted to the points in and close around it; nothing without points.

    Args:
        box: as it is.
        cloud: the points.
        usual: how large such things are, or, with a small spread, how large this one is.
    """
    return _fitted(cloud, Guess.near(box, usual))


@cache
def ready() -> None:
    """Compiles and loads what fitting takes, so that the first fit does not wait for it."""
    places = np.array([[x, y, z] for x in range(4) for y in range(4) for z in (0, 1)], dtype=np.float64)
    fit_new(Cloud(places, np.array([9.0, 9.0, 2.0])), np.zeros(2), np.full(2, 3.0), None)


def _fitted(cloud: Cloud, guess: Guess) -> Box3D | None:
    """The box that guess and points agree on."""
    reach_m = float(np.hypot(*(guess.usual.size_lwh_m[:2] / 2 + AROUND_M)))
    points = _seen_from(guess, cloud.points, reach_m)
    ground = ground_below(points, guess.usual.size_lwh_m[:2] / 2)
    if ground is None:
        return None
    above_m = points[:, 2] - ground.at(points)
    mine = _standing(points, above_m, guess)
    if len(mine) < FEWEST:
        return None
    turn = turned_along(guess, points[mine], above_m[mine])
    lidar = _seen_from(guess, cloud.lidar[None], np.inf)[0, :2]
    faces, turn_rad = _rectangle(points[mine, :2], lidar, guess, turn)
    inside = mine[_inside(points[mine, :2], faces, turn_rad)]
    if len(inside) < FEWEST:
        return None
    return _stood(guess, ground, above_m[inside], lidar, faces, turn_rad)


def _seen_from(guess: Guess, points: Floats, reach_m: float) -> F64:
    """The points around a guess: x along its length, y across, z as it was."""
    low, high = guess.center - reach_m, guess.center + reach_m
    abreast = np.flatnonzero((points[:, 0] > low[0]) & (points[:, 0] < high[0]))
    away = np.asarray(points[abreast], dtype=np.float64)
    away = away[(away[:, 1] > low[1]) & (away[:, 1] < high[1])]
    c, s = np.cos(guess.yaw_rad), np.sin(guess.yaw_rad)
    x, y = (away[:, :2] - guess.center).T
    return np.column_stack([c * x + s * y, c * y - s * x, away[:, 2]])


def _standing(points: F64, above_m: F64, guess: Guess) -> np.ndarray:
    """Indices of what stands on the ground where the thing may be."""
    size, spread = guess.usual.size_lwh_m, guess.usual.spread_m
    reach_m = size[:2] / 2 + 2 * guess.place_m + spread[:2] + BESIDE_M
    highest_m = size[2] + max(0.5, 3 * spread[2])
    there = (np.abs(points[:, :2]) < reach_m).all(axis=1) & (above_m > LOWEST_M) & (above_m < highest_m)
    return np.flatnonzero(there)


def _rectangle(places: F64, lidar: F64, guess: Guess, turn: tuple[float, float]) -> tuple[F64, float]:
    """Low and high along and across the guess turned by an angle, and that angle.

    Args:
        places: (N, 2) of the thing, as seen from the guess.
        lidar: (2,) where they were seen from.
        guess: where it is thought to be.
        turn: by how much it is turned, and the standard deviation of that.
    """
    from autolabel.fit import _kernels

    few = np.ascontiguousarray(places[:: max(1, len(places) // MOST_POINTS)])
    size, spread = guess.usual.size_lwh_m[:2], guess.usual.spread_m[:2]
    wanted = np.array([*size, turn[0]])
    doubt = np.array([guess.place_m, guess.place_m, turn[1], *spread])
    model = FLAT if guess.usual.flat else ROUND
    best, faces, turn_rad = np.inf, np.zeros(4), 0.0
    for side in (-1, 0, 1):
        tried, start_rad = np.array([-size[0], size[0], -size[1], size[1]]) / 2, turn[0] + side * turn[1]
        cost, turned_rad = _kernels.search(few, lidar, tried, start_rad, wanted, doubt, model, FIRST_ROUNDS)
        if cost < best:
            best, faces, turn_rad = cost, tried, turned_rad
    _, turn_rad = _kernels.search(few, lidar, faces, turn_rad, wanted, doubt, model, ROUNDS)
    return faces, turn_rad


def _inside(places: F64, faces: F64, turn_rad: float) -> np.ndarray:
    """(N,) which places lie in a turned rectangle, or close beside it."""
    c, s = np.cos(turn_rad), np.sin(turn_rad)
    u, v = c * places[:, 0] + s * places[:, 1], c * places[:, 1] - s * places[:, 0]
    along = (u > faces[0] - BESIDE_M) & (u < faces[1] + BESIDE_M)
    return np.asarray(along & (v > faces[2] - BESIDE_M) & (v < faces[3] + BESIDE_M))


def _stood(guess: Guess, ground: Plane, above_m: F64, lidar: F64, faces: F64, turn_rad: float) -> Box3D:
    """The rectangle as a box of its height, on its ground, back in the ego frame."""
    away_m = float(np.hypot(*lidar))
    bottom_m, top_m = stands_between(top_of(above_m, guess.usual, away_m), guess.usual, away_m)
    along, across = (faces[0] + faces[1]) / 2, (faces[2] + faces[3]) / 2
    c, s = np.cos(turn_rad), np.sin(turn_rad)
    place = np.array([[c * along - s * across, s * along + c * across]])
    c, s = np.cos(guess.yaw_rad), np.sin(guess.yaw_rad)
    x, y = guess.center + np.array([[c, -s], [s, c]]) @ place[0]
    z = float(ground.at(place)[0]) + (bottom_m + top_m) / 2
    size = faces[1] - faces[0], faces[3] - faces[2], max(top_m - bottom_m, LEAST_SIZE_M)
    return Box3D.upright([x, y, z], size, guess.yaw_rad + turn_rad)
