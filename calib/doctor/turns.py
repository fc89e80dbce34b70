"""Axes taken for other axes: the 24 ways to turn a frame by right angles, each in words."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from calib.se3 import SE3
from calib.types import F64

OPTICAL_WORDS = (("right", "left"), ("down", "up"), ("forward", "backward"))
VEHICLE_WORDS = (("forward", "backward"), ("left", "right"), ("up", "down"))


@lru_cache(maxsize=1)
def right_angle_turns() -> tuple[SE3, ...]:
    """The 23 turns by right angles that are not the identity."""
    turns = []
    for order in ((0, 1, 2), (1, 2, 0), (2, 0, 1), (0, 2, 1), (2, 1, 0), (1, 0, 2)):
        for bits in range(8):
            signs = [1.0 - 2.0 * (bits >> k & 1) for k in range(3)]
            rotation = np.eye(3)[list(order)] * np.array(signs)[:, None]
            if np.linalg.det(rotation) > 0 and not np.array_equal(rotation, np.eye(3)):
                turns.append(SE3(rotation, np.zeros(3)))
    return tuple(turns)


def axes_in_words(rotation: F64, words: tuple[tuple[str, str], ...]) -> str:
    """Where the axes of a turned frame point: row i of the turn says where axis i goes in the right frame."""
    names = []
    for axis, row in zip("xyz", rotation, strict=True):
        k = int(np.argmax(np.abs(row)))
        names.append(f"{axis} {words[k][0 if row[k] > 0 else 1]}")
    return ", ".join(names)


def turn_about(rotation: F64, axis: int) -> int | None:
    """By how many degrees a turn turns about one axis alone: 90, 180 or 270; None if about another."""
    if rotation[axis, axis] < 0.5:
        return None
    a, b = (axis + 1) % 3, (axis + 2) % 3
    return int(np.rint(np.degrees(np.arctan2(rotation[b, a], rotation[a, a])))) % 360
