"""Boxes as labelCloud says them: a centroid with turns about x, then y, then z, or eight corners."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from calib.errors import CrosslabelError
from calib.se3 import SE3
from calib.types import F64
from formats.errors import FormatError
from formats.fields import Field
from formats.turns import matrix_of_turns, turns_of_matrix
from fusion.boxes import Box3D

RELATIVE, ABSOLUTE, VERTICES = "centroid_rel", "centroid_abs", "vertices"
KINDS = (RELATIVE, ABSOLUTE, VERTICES)
# About x first, then y, then z: from the right to the left of the product.
AXES = "ZYX"
SIZE = ("length", "width", "height")
# The lower face from its corner behind on the right, clockwise seen from above; then the upper face.
SIGNS: F64 = np.array(
    [[-1, -1, -1], [-1, 1, -1], [1, 1, -1], [1, -1, -1], [-1, -1, 1], [-1, 1, 1], [1, 1, 1], [1, -1, 1]],
    dtype=np.float64,
)
FARTHEST = 1e7


def box_content(box: Box3D, lidar_from_ego: SE3, kind: str) -> dict[str, Any]:
    """What labelCloud says of a box; digits as they are."""
    lidar_from_box = lidar_from_ego @ box.ego_from_box
    if kind == VERTICES:
        corners = lidar_from_box @ (SIGNS * box.size_lwh_m / 2)
        return {"vertices": corners.tolist()}
    turns_rad = np.array(turns_of_matrix(lidar_from_box.rotation, AXES)[::-1])
    turns = turns_rad if kind == RELATIVE else np.degrees(turns_rad) % 360
    return {
        "centroid": _named("xyz", lidar_from_box.translation.tolist()),
        "dimensions": _named(SIZE, box.size_lwh_m.tolist()),
        "rotations": _named("xyz", turns.tolist()),
    }


def _named(names: Iterable[str], values: list[float]) -> dict[str, float]:
    return dict(zip(names, values, strict=True))


def read_box(entry: Field, ego_from_lidar: SE3, degrees: bool) -> Box3D:
    """The box of an object.

    Raises:
        FormatError: it is none, or too far away to be.
    """
    try:
        if VERTICES in entry:
            return _from_corners(entry[VERTICES], ego_from_lidar)
        turns = [entry["rotations"][axis].number() for axis in "xyz"]
        center = [entry["centroid"][axis].number() for axis in "xyz"]
        if max(map(abs, [*turns, *center])) > FARTHEST:
            raise entry.error("a box this far away, or turned so far, cannot be")
        turns_rad = np.radians(turns).tolist() if degrees else turns
        lidar_from_box = SE3(matrix_of_turns(turns_rad[::-1], AXES), np.array(center))
        return Box3D(ego_from_lidar @ lidar_from_box, *(entry["dimensions"][key].number() for key in SIZE))
    except FormatError:
        raise
    except CrosslabelError as error:
        raise entry.error(str(error)) from None


def _from_corners(field: Field, ego_from_lidar: SE3) -> Box3D:
    corners = field.matrix(8, 3)
    if np.abs(corners).max() > FARTHEST:
        raise field.error("a box this far away cannot be")
    center = corners.mean(axis=0)
    axes = SIGNS.T @ (corners - center) / 4
    size_lwh_m = np.linalg.norm(axes, axis=1)
    if not size_lwh_m.all():
        raise field.error("corners in one plane make no box")
    matrix = np.column_stack([(axes / size_lwh_m[:, None]).T, center])
    lidar_from_box = SE3.nearest(matrix, tolerance=0.05)
    return Box3D(ego_from_lidar @ lidar_from_box, *size_lwh_m.tolist())


def in_degrees(entries: Iterable[Field]) -> bool:
    """Whether turns are in degrees, as any beyond a whole turn in radians means.

    Raises:
        FormatError: a turn is no number.
    """
    turns = (entry["rotations"] for entry in entries if "rotations" in entry)
    return any(abs(turn[axis].number()) > 2 * np.pi + 1e-6 for turn in turns for axis in "xyz")
