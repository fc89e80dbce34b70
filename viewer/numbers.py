"""The place, size and heading of a box as numbers that a person types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from calib.errors import CrosslabelError
from calib.se3 import SE3
from fusion.boxes import Box3D
from viewer.scene.handles import LEAST_M, turned

PLACE, SIZE, YAW = ("x", "y", "z"), ("length", "width", "height"), "yaw"
NAMES = (*PLACE, *SIZE, YAW)
FARTHEST_M, LARGEST_M = 10_000.0, 100.0


class NumberError(CrosslabelError):
    """A number that no box can have.

    Attributes:
        name: which one.
    """

    def __init__(self, name: str, message: str) -> None:
        """Of one number of a box."""
        super().__init__(f"{name}: {message}")
        self.name = name


def numbers_of(box: Box3D) -> dict[str, str]:
    """What stands in the fields: centre in ego and size in metres, yaw in degrees."""
    values = [*box.center, *box.size_lwh_m]
    return {name: f"{value:.3f}" for name, value in zip(NAMES, values, strict=False)} | {
        YAW: f"{np.degrees(box.yaw_rad):.2f}"
    }


def with_numbers(box: Box3D, typed: Mapping[str, str]) -> Box3D:
    """The box with some numbers as typed; all others stay to the last digit.

    Raises:
        NumberError: one of them is no number, or none that a box can have.
    """
    for name, text in typed.items():
        value = _number(name, text)
        if name in PLACE:
            box = _placed(box, PLACE.index(name), value)
        elif name == YAW:
            box = turned(box, np.radians(value) - box.yaw_rad)
        else:
            sizes = box.size_lwh_m
            sizes[SIZE.index(name)] = value
            box = Box3D(box.ego_from_box, *(float(size) for size in sizes))
    return box


def _number(name: str, text: str) -> float:
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        raise NumberError(name, f"{text.strip() or 'nothing'} is no number") from None
    if name in SIZE:
        fits, wanted = LEAST_M <= value <= LARGEST_M, f"from {LEAST_M} to {LARGEST_M:g} m"
    elif name in PLACE:
        fits, wanted = abs(value) <= FARTHEST_M, f"at most {FARTHEST_M:g} m away"
    else:
        fits, wanted = abs(value) <= 360, "from -360 to 360 degrees"
    if not fits:
        raise NumberError(name, f"must be {wanted}")
    return value


def _placed(box: Box3D, axis: int, value_m: float) -> Box3D:
    center = np.array(box.center)
    center[axis] = value_m
    return replace(box, ego_from_box=SE3(box.ego_from_box.rotation, center))
