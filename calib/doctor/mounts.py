"""What may have gone wrong with a mount, and the mount that each mistake would have been made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from calib.doctor.turns import OPTICAL_WORDS, VEHICLE_WORDS, axes_in_words, right_angle_turns, turn_about
from calib.quaternion import quaternions_from_matrices
from calib.se3 import SE3

LONGEST_SHIFT_M = 20.0


@dataclass(frozen=True, eq=False, slots=True)
class MountMistake:
    """A mistake that may have been made, undone.

    Attributes:
        code: of the kind of mistake.
        words: what is wrong, to be read behind the name of the sensor.
        mend: what to do about it.
        parent_from_sensor: the mount without the mistake.
    """

    code: str
    words: str
    mend: str
    parent_from_sensor: SE3


def mount_mistakes(
    parent_from_sensor: SE3, parent: str, sensor: str, optical: bool
) -> Iterator[MountMistake]:
    """Every mistake that could have led to a mount from a right one.

    Args:
        parent_from_sensor: the mount as given.
        parent: what the mount is relative to, as "ego" or the LiDAR's name.
        sensor: "cam" or "lidar".
        optical: whether the sensor's axes are a camera's (x right, y down, z forward).
    """
    yield from _wrong_way_round(parent_from_sensor, parent, sensor)
    yield from _turned(parent_from_sensor, sensor, optical)
    yield from _turned_parent(parent_from_sensor, parent)
    for backwards in (False, True):
        given = parent_from_sensor.inverse() if backwards else parent_from_sensor
        name = f"{sensor}_from_{parent}" if backwards else f"{parent}_from_{sensor}"
        for code, words, mend, mended in (*_quaternions(given, name), *_translations(given, name)):
            yield MountMistake(code, words, mend, mended.inverse() if backwards else mended)


def _wrong_way_round(parent_from_sensor: SE3, parent: str, sensor: str) -> Iterator[MountMistake]:
    rotation, shift = parent_from_sensor.rotation, parent_from_sensor.translation
    forth, back = f"{parent}_from_{sensor}", f"{sensor}_from_{parent}"
    yield MountMistake(
        "inverse",
        f"this is {back}, where {forth} is wanted: the inverse was given",
        f"invert the matrix before it becomes {forth}",
        parent_from_sensor.inverse(),
    )
    transposed = (SE3(rotation.T, shift), SE3(rotation.T, rotation.T @ rotation.T @ shift))
    for mount, name in zip(transposed, (forth, back), strict=True):
        yield MountMistake(
            "rotation_transposed",
            f"the rotation of {name} is transposed, its translation is not",
            "transpose the rotation and keep the translation",
            mount,
        )
    for mount, name, wrong in (
        (SE3(rotation, -rotation @ shift), forth, back),
        (SE3(rotation, -rotation.T @ shift), back, forth),
    ):
        yield MountMistake(
            "translation_of_inverse",
            f"the rotation of {name} came with the translation of {wrong}",
            f"take the translation as well from {name} (t = -R^T t of the inverse)",
            mount,
        )


def _turned(parent_from_sensor: SE3, sensor: str, optical: bool) -> Iterator[MountMistake]:
    for given_from_right in right_angle_turns():
        rotation = given_from_right.rotation
        mended = SE3(parent_from_sensor.rotation @ rotation, parent_from_sensor.translation)
        code, words, mend = (_turned_camera if optical else _turned_lidar)(rotation)
        yield MountMistake(code, words, mend, mended)


def _turned_camera(rotation: np.ndarray) -> tuple[str, str, str]:
    about_view = turn_about(rotation, 2)
    if about_view is not None:
        code = "image_upside_down" if about_view == 180 else "image_turned"
        way = "upside down" if about_view == 180 else "on its side"
        return (
            code,
            f"its image is {way}: the mount is off by {about_view} degrees about the view",
            (f"turn the mount by {about_view} degrees about the camera's z axis, or turn the images"),
        )
    axes = axes_in_words(rotation, OPTICAL_WORDS)
    return (
        "camera_axes",
        (f"its mount is of a frame with {axes}, and a camera has x right, y down, z forward"),
        f"multiply the mount from the right by the turn from optical axes to ({axes})",
    )


def _turned_lidar(rotation: np.ndarray) -> tuple[str, str, str]:
    about_up = turn_about(rotation, 2)
    if about_up is not None:
        return (
            "lidar_turned",
            f"the LiDAR is turned by {about_up} degrees in its mount",
            (f"turn its mount by {about_up} degrees about the LiDAR's z axis"),
        )
    if rotation[2, 2] < -0.5:
        return (
            "lidar_upside_down",
            "the LiDAR's points stand on their head",
            (
                "turn its mount by half a turn about the LiDAR's x or y axis: "
                + axes_in_words(rotation, VEHICLE_WORDS)
            ),
        )
    axes = axes_in_words(rotation, VEHICLE_WORDS)
    return (
        "lidar_axes",
        f"its mount is of a frame with {axes} when seen from the LiDAR's own axes",
        (f"multiply the mount from the right by the turn to ({axes})"),
    )


def _turned_parent(given_from_sensor: SE3, parent: str) -> Iterator[MountMistake]:
    for right_from_given in right_angle_turns():
        if turn_about(right_from_given.rotation, 2) is None:
            continue
        axes = axes_in_words(right_from_given.rotation.T, VEHICLE_WORDS)
        yield MountMistake(
            "parent_axes",
            f"its mount is relative to a frame with {axes}, where {parent} has x forward, y left, z up",
            f"turn the mount from the left into the axes of {parent}",
            right_from_given @ given_from_sensor,
        )


Mended = tuple[str, str, str, SE3]


def _quaternions(given: SE3, name: str) -> Iterator[Mended]:
    w, x, y, z = quaternions_from_matrices(given.rotation[None])[0]
    for order, read, quaternion in (
        ("x y z w", "w x y z", (z, w, x, y)),
        ("w x y z", "x y z w", (x, y, z, w)),
    ):
        words = f"the quaternion of {name} is in the order {order} and was read as {read}"
        mended = SE3.from_quaternion_wxyz(quaternion, given.translation)
        yield "quaternion_order", words, f"read the quaternion as {order}", mended


def _translations(given: SE3, name: str) -> Iterator[Mended]:
    shift = given.translation
    for factor, unit in ((1e-3, "mm"), (1e-2, "cm"), (1e3, "km (or divided by 1000 although in m)")):
        words = f"the translation of {name} is in {unit}, where metres are wanted"
        if np.linalg.norm(shift) * factor < LONGEST_SHIFT_M:
            mended = SE3(given.rotation, shift * factor)
            yield "translation_unit", words, f"multiply the translation by {factor:g}", mended
    for signs, axes in (((-1, -1, -1), "all axes"), ((-1, 1, 1), "x"), ((1, -1, 1), "y"), ((1, 1, -1), "z")):
        words = f"the translation of {name} has the wrong sign in {axes}"
        mended = SE3(given.rotation, shift * np.array(signs, dtype=np.float64))
        yield "translation_sign", words, f"change the sign of the translation in {axes}", mended
