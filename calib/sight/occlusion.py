"""Which points of a cloud a camera sees, and which something nearer hides from it.

A LiDAR on the roof looks over what hides the street from a camera: two to ten points of a hundred that fall
into an image were measured on something that the camera does not see.
"""

from __future__ import annotations

from dataclasses import fields, replace
from functools import lru_cache
from typing import TypeVar

import numpy as np

from calib.project import VisiblePoints
from calib.se3 import SE3
from calib.sight.beams import BeamSpacing, measure_spacing
from calib.types import F32, Bools, Floats, frozen, kernel_view

CELLS_PER_BEAM = 2.0
ELEVATION_STEPS = 2048
ABSOLUTE_M, RELATIVE = 0.3, 0.02
# The tolerance also grows by what one ring adds to the range on a road this far below the camera.
ROAD_BELOW_M = 1.0

Seen = TypeVar("Seen", bound=VisiblePoints)


def visible_points(
    points: Floats, seen: VisiblePoints, cam_from_points: SE3, spacing: BeamSpacing | None = None
) -> Bools:
    """Which of the points that fall into an image the camera sees.

    Around the place of the camera lies a grid of directions, two cells to a beam: columns of azimuth and rows
    of elevation, as close together as the rings of the LiDAR are there. Each point covers its surroundings
    half-way to the next beams, and gaps of a beam between neighbours are closed, so that surfaces are whole.
    A point is hidden if it lies behind what covers its cell by more than 0.3 m, 2 % of the range, and what
    one ring adds to the range on a road one metre below the camera. Neither the lens nor the field of view
    matters: only where the camera is.

    Args:
        points: (N, 3) of one LiDAR, in a frame whose z axis is the one that the LiDAR spins about.
        seen: what `project_cloud` says of them.
        cam_from_points: the camera's frame from that of the points.
        spacing: of the beams as seen from the camera's place. Where not given it is measured on the points,
            which takes many times as long as all the rest: measure it once.

    Returns:
        (M,) mask over `seen`.
    """
    from calib.sight import _kernels

    visible = np.ones(len(seen.index), dtype=np.bool_)
    if len(seen.index) == 0:
        return visible
    points_from_cam = cam_from_points.inverse()
    place = points_from_cam.translation
    spacing = spacing or measure_spacing(points, place)
    heading_rad = np.arctan2(points_from_cam.rotation[1, 2], points_from_cam.rotation[0, 2])
    _kernels.visible_points(
        kernel_view(points, 3, np.float32 if points.dtype == np.float32 else np.float64),
        np.ascontiguousarray(seen.index, dtype=np.int32),
        place,
        np.float32(np.cos(heading_rad)),
        np.float32(np.sin(heading_rad)),
        _ring_table(spacing),
        np.float32(1 / spacing.step_rad),
        np.float32(CELLS_PER_BEAM),
        np.float32(ABSOLUTE_M),
        np.float32(1 + RELATIVE),
        visible,
    )
    return visible


def only_visible(
    points: Floats, seen: Seen, cam_from_points: SE3, spacing: BeamSpacing | None = None
) -> Seen:
    """What is left of `seen` when the hidden points are gone; arguments as of `visible_points`."""
    mask = visible_points(points, seen, cam_from_points, spacing)
    return replace(seen, **{field.name: getattr(seen, field.name)[mask] for field in fields(seen)})


@lru_cache(maxsize=32)
def _ring_table(spacing: BeamSpacing) -> F32:
    """(steps, 3) for small steps of elevation from nadir to zenith: the ring, as a real number, that a step
    begins at; the rings up to the next step; and the growth of the tolerance, metres a metre squared.
    """
    edges_rad = np.linspace(-np.pi / 2, np.pi / 2, ELEVATION_STEPS + 1)
    spacings_rad = spacing.at((edges_rad[1:] + edges_rad[:-1]) / 2)
    rings = np.diff(edges_rad) / spacings_rad
    return frozen(np.column_stack([np.cumsum(rings) - rings, rings, spacings_rad / ROAD_BELOW_M]), np.float32)
