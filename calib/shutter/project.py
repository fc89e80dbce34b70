"""Points into an image of a rolling shutter: each is seen when its own row is exposed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calib.cameras import CameraModel, Projection
from calib.project import VisiblePoints
from calib.rig import Camera
from calib.shutter.motion import CameraMotion, shot_span_ns
from calib.types import F64, I64, Floats, kernel_view

WIDEST_RAD = 3.1


@dataclass(frozen=True, eq=False, slots=True)
class Exposure(Projection):
    """Where points fall in an image whose rows are exposed one after the other.

    Attributes:
        row_ns: (N,) int64, when the row that each point falls on is exposed, from the image's timestamp.
    """

    row_ns: I64


@dataclass(frozen=True, eq=False, slots=True)
class ExposedPoints(VisiblePoints):
    """The points of a cloud that one camera's field of view holds, each when its row is exposed.

    Attributes:
        row_ns: (M,) int64, when the row that each point falls on is exposed, from the image's timestamp.
    """

    row_ns: I64


def project_through_shutter(
    points: Floats, camera: Camera, motion: CameraMotion, velocity_mps: ArrayLike = (0.0, 0.0, 0.0)
) -> ExposedPoints:
    """The points of a cloud that a camera sees while it is read out, if nothing hides them.

    Args:
        points: (N, 3) at the timestamp of the image, in a frame that stands still in the world.
        camera: how it sees and is read out.
        motion: of the camera through the frame of the points.
        velocity_mps: (3,) or (N, 3) own velocity of the points, in their frame's axes.
    """
    from calib.shutter import _kernels

    cloud = kernel_view(points, 3, np.float32 if points.dtype == np.float32 else np.float64)
    velocities = kernel_view(np.asarray(velocity_mps, dtype=np.float64), 3, np.float64)
    index, near = np.empty(len(cloud), dtype=np.int32), np.empty((len(cloud), 3))
    count = _kernels.gather(cloud, *_reach(camera, motion, velocities), index, near)
    moving = velocities if len(velocities) == 1 else velocities[index[:count]]
    seen = expose(near[:count], camera, motion, moving)
    count = _kernels.only_visible(index, seen.uv_px, seen.depth_m, seen.row_ns, seen.visible)
    return ExposedPoints(index[:count], seen.uv_px[:count], seen.depth_m[:count], seen.row_ns[:count])


def expose(
    points: Floats, camera: Camera, motion: CameraMotion, velocity_mps: ArrayLike = (0.0, 0.0, 0.0)
) -> Exposure:
    """Where all of (N, 3) points fall in an image, each at the instant its row is exposed.

    That instant t solves `row_offset(project(point, t)) = t`. From the middle of the readout the secant
    method takes two or three projections to come within 100 ns, and a last step along the line between the
    last two. Where that is doubtful, for the image moves at more than half the pace of the readout or the
    point is not in front of the lens, the point is looked for at 33 instants and closed in on to 1 ns.
    Arguments as of `project_through_shutter`.

    A point that falls on no row is not visible and given as the nearer of the first and the last border
    sees it. Where a point passes so near that its image overtakes the readout, several rows may show it: one
    of them is given, or, where their number is even, perhaps none.
    """
    from calib.shutter import _kernels

    cloud = kernel_view(points, 3, np.float64)
    velocities = kernel_view(np.asarray(velocity_mps, dtype=np.float64), 3, np.float64)
    count = len(cloud)
    uv_px, depth_m, row_ns = np.empty((count, 2)), np.empty(count), np.empty(count, dtype=np.int64)
    visible = np.empty(count, dtype=np.bool_)
    _kernels.expose(
        cloud,
        velocities,
        (float(motion.first_ns), float(motion.step_ns), _steps(motion)),
        _lens(camera),
        _reach(camera, motion, velocities),
        (uv_px, depth_m, row_ns, visible),
    )
    return Exposure(uv_px, depth_m, visible, row_ns)


def _steps(motion: CameraMotion) -> F64:
    """(K, 2, 3, 4) for each step the pose at its begin and what is added to it until its end."""
    poses = motion.cams_from_points
    ways = np.concatenate([poses.rotations, poses.translations[:, :, None]], axis=2)
    return np.stack([ways[:-1], np.diff(ways, axis=0)], axis=1)


def _lens(camera: Camera) -> tuple[F64, float, float, F64]:
    """Parameters, first and last instant, and the instant of a pixel as a line in its coordinates."""
    first_ns, last_ns = shot_span_ns(camera)
    zero_ns, right_ns, down_ns = camera.row_offset_ns(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    offsets_ns = np.array([zero_ns, right_ns - zero_ns, down_ns - zero_ns])
    return camera.model.row, float(first_ns), float(last_ns), offsets_ns


def _reach(camera: Camera, motion: CameraMotion, velocities: F64) -> tuple[F64, float, float]:
    """A cone that holds the points that may come into sight while the image is read out.

    Its axis is that of the camera in a pose (3, 4), its tip lies some metres behind; last is the cosine of
    the angle between them. What moves by d past a cone of half angle W was in it or is in the one whose tip
    lies d / sin(W) behind, also where W is more than a right angle.
    """
    cam_from_points = motion.cam_from_points()
    matrix = np.column_stack([cam_from_points.rotation, cam_from_points.translation])
    steps = motion.cams_from_points @ cam_from_points.inverse()
    turned_rad = float(np.arccos(np.clip((np.trace(steps.rotations, axis1=1, axis2=2) - 1) / 2, -1, 1)).max())
    seconds = max(abs(end) for end in shot_span_ns(camera)) / 1e9
    fastest_mps = float(np.linalg.norm(velocities, axis=1).max(initial=0.0))
    shift_m = float(np.linalg.norm(steps.translations, axis=1).max()) + fastest_mps * seconds
    widest_rad = _widest_rad(camera.model) + turned_rad + 1e-3
    if widest_rad > WIDEST_RAD:
        return matrix, 0.0, -2.0
    return matrix, (1.01 * shift_m + 1e-3) / float(np.sin(widest_rad)), float(np.cos(widest_rad))


def _widest_rad(model: CameraModel) -> float:
    """Angle from the axis beyond which nothing is visible."""
    sides = np.abs(model.sight).max(axis=1)
    if not np.isfinite(sides).all():
        return model.limit_rad
    return min(model.limit_rad, float(np.arctan(np.hypot(*sides))))
