"""Angles taken for what they are not: degrees in a function of radians, and radians in one of degrees."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from calib.se3 import SE3
from calib.types import F64, I64

# Turns about fixed axes, the first letter first; "xyz" is roll, pitch, yaw as URDF and ROS have it.
ORDERS = ("xyz", "zyx", "yxz", "zxy", "xzy", "yzx")
TURNS = np.arange(-29, 30)
LIMITS_DEG = (180.5, 90.5, 180.5)
MOST_ROLL_RAD, MOST_PITCH_RAD = np.radians(4.0), np.radians(20.0)


def radians_taken_for_degrees(given: SE3, name: str) -> Iterator[tuple[str, str, str, SE3]]:
    """A rotation whose angles were divided by 57.3: all of them are below 3.2 degrees."""
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_matrix(given.rotation)
    if turn.magnitude() > np.radians(2 * 3.15):
        return
    for order in ORDERS:
        angles_rad = np.degrees(_euler(given.rotation, order))
        yield (
            "angles_in_radians",
            f"the angles of {name} are in radians and were read as degrees (turns about {' '.join(order)})",
            "read the angles as radians",
            SE3(Rotation.from_euler(order, angles_rad).as_matrix(), given.translation),
        )


@dataclass(frozen=True, eq=False, slots=True)
class MeantDegrees:
    """Rotations that would turn into the given one if their degrees were taken for radians.

    Attributes:
        rotations: (K, 3, 3).
        orders: (K,) index into ORDERS.
        angles_deg: (K, 3) that were meant, in that order.
    """

    rotations: F64
    orders: I64
    angles_deg: F64


def degrees_taken_for_radians(rotation: F64, up: F64, of_camera: bool) -> MeantDegrees:
    """Undoes Euler angles in degrees that were used as radians, as far as that leaves a level camera.

    Sine and cosine leave of an angle only what is beyond whole turns, so every number of turns is tried that
    leaves at most half a turn; of about a million rotations those remain in which the image's down points
    down.

    Args:
        rotation: (3, 3) as given.
        up: (3,) where the car's up points in the frame that is not the camera's.
        of_camera: whether the rotation takes camera axes to the other frame, not the other way.
    """
    from scipy.spatial.transform import Rotation

    parts = []
    for number, order in enumerate(ORDERS):
        first = _euler(rotation, order)
        second = np.array([first[0] + np.pi, np.pi - first[1], first[2] + np.pi])
        for angles in (first, second):
            meant = [_meant_deg(a, limit) for a, limit in zip(angles, LIMITS_DEG, strict=True)]
            kept = np.nonzero(_level(_up_in_camera(meant, order, up, of_camera)))
            angles_deg = np.column_stack([m[k] for m, k in zip(meant, kept, strict=True)])
            rotations = Rotation.from_euler(order, np.radians(angles_deg)).as_matrix()
            parts.append((rotations.reshape(-1, 3, 3), np.full(len(angles_deg), number), angles_deg))
    return MeantDegrees(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _euler(rotation: F64, order: str) -> F64:
    """Angles of a rotation; in gimbal lock, which is no fault here, the third one is zero."""
    from scipy.spatial.transform import Rotation

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Gimbal lock")
        return np.asarray(Rotation.from_matrix(rotation).as_euler(cast(Any, order)), dtype=np.float64)


def _meant_deg(angle: float, limit_deg: float) -> F64:
    """Numbers that leave the same angle when whole turns are taken off, and can be degrees."""
    numbers = angle + 2 * np.pi * TURNS
    return np.asarray(numbers[np.abs(numbers) <= limit_deg])


def _up_in_camera(meant_deg: list[F64], order: str, up: F64, of_camera: bool) -> F64:
    """(A, B, C, 3) where up points in the camera for every choice of the three angles.

    The first letter turns first: the rotation is third @ second @ first.
    """
    from scipy.spatial.transform import Rotation

    first, second, third = (
        Rotation.from_euler(letter, np.radians(angles)[:, None]).as_matrix()
        for letter, angles in zip(order, meant_deg, strict=True)
    )
    if of_camera:
        turned = np.einsum("i,cij,bjk,akl->abcl", up, third, second, first, optimize=True)
        return np.asarray(turned, dtype=np.float64)
    turned = np.einsum("cij,bjk,akl,l->abci", third, second, first, up, optimize=True)
    return np.asarray(turned, dtype=np.float64)


def _level(up_in_camera: F64) -> np.ndarray:
    right, down, forward = np.moveaxis(up_in_camera, -1, 0)
    level = (np.abs(right) < np.sin(MOST_ROLL_RAD)) & (np.abs(forward) < np.sin(MOST_PITCH_RAD))
    return np.asarray(level & (down < 0))
