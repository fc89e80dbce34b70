"""Frames from which on everything steps aside together: the car's pose leaps, or a sweep's time is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from calib.types import F64, I64
from fusion.checks.facts.motion import Motion

FEWEST, MOST_OF_THEM = 4, 0.6
LEAST_M, ALIKE_M, ALIKE_SHARE = 0.12, 0.08, 0.4


@dataclass(frozen=True, slots=True)
class Leap:
    """What the objects of one frame do together.

    Attributes:
        step_m: (3,) by how much they step, in the world.
        together: how many objects do.
        objects: of how many.
    """

    step_m: tuple[float, float, float]
    together: int
    objects: int


def leaps_of(motion: Motion, by_frame: Mapping[int, I64], yaws_rad: F64) -> dict[int, Leap]:
    """By the first frame after it: where most objects step by the same way in the world."""
    cos, sin = np.cos(yaws_rad), np.sin(yaws_rad)
    along, across, up = motion.step_m.T
    steps = np.column_stack([cos * along - sin * across, sin * along + cos * across, up])
    found: dict[int, Leap] = {}
    for frame, rows in by_frame.items():
        told = steps[rows][np.isfinite(steps[rows]).all(axis=1)]
        if len(told) < FEWEST:
            continue
        middle = np.median(told, axis=0)
        size_m = float(np.linalg.norm(middle))
        alike = np.linalg.norm(told - middle, axis=1) < max(ALIKE_M, ALIKE_SHARE * size_m)
        if size_m >= LEAST_M and alike.sum() >= max(FEWEST, MOST_OF_THEM * len(told)):
            x, y, z = (float(v) for v in middle)
            found[frame] = Leap((x, y, z), int(alike.sum()), len(told))
    return found
