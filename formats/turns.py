"""Turns about three axes, as formats without quaternions say how a box stands."""

from __future__ import annotations

from collections.abc import Sequence
from math import atan2, cos, hypot, sin

import numpy as np

from calib.types import F64

NUMBERS = {"X": 0, "Y": 1, "Z": 2}


def matrix_of_turns(angles_rad: Sequence[float], axes: str) -> F64:
    """(3, 3) rotation of turns about axes such as ZYX, the first written on the left of the product."""
    rotation = np.eye(3)
    for angle_rad, axis in zip(angles_rad, axes, strict=True):
        rotation = rotation @ _about(NUMBERS[axis], angle_rad)
    return rotation


def turns_of_matrix(rotation: F64, axes: str) -> tuple[float, float, float]:
    """The angles of turns about three axes that make a (3, 3) rotation; the middle one within pi / 2.

    The last angle is what the first two leave, so that the product is exact near the gimbal lock too.
    """
    i, j, k = (NUMBERS[axis] for axis in axes)
    sign = 1 if (j - i) % 3 == 1 else -1
    r = rotation.tolist()
    middle = atan2(sign * r[i][k], hypot(r[i][i], r[i][j]))
    first = atan2(-sign * r[j][k], r[k][k])
    rest = (_about(i, first) @ _about(j, middle)).T @ rotation
    return first, middle, atan2(sign * rest[j, i], rest[i, i])


def _about(axis: int, angle_rad: float) -> F64:
    c, s = cos(angle_rad), sin(angle_rad)
    rotation = np.eye(3)
    a, b = (axis + 1) % 3, (axis + 2) % 3
    rotation[a, a] = rotation[b, b] = c
    rotation[b, a], rotation[a, b] = s, -s
    return rotation
