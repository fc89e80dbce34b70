"""Points into an image of a rolling shutter: each is seen when its own row is exposed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calib.cameras import CameraModel, Projection
from calib.project import VisiblePoints
from calib.rig import Camera
from calib.shutter.motion import CameraMotion, shot_span_ns
from calib.types import F64, I32, I64, Bools, Floats, kernel_view

TOLERANCE_NS = 1.0
ROUNDS = 40
SAMPLES = 33
WIDEST_RAD = 1.45


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
    velocities = kernel_view(np.asarray(velocity_mps, dtype=np.float64), 3, np.float64)
    near = _in_reach(points, camera, motion, velocities)
    moving = velocities if len(velocities) == 1 else velocities[near]
    exposure = expose(points[near], camera, motion, moving)
    seen = exposure.visible
    return ExposedPoints(near[seen], exposure.uv_px[seen], exposure.depth_m[seen], exposure.row_ns[seen])


def expose(
    points: Floats, camera: Camera, motion: CameraMotion, velocity_mps: ArrayLike = (0.0, 0.0, 0.0)
) -> Exposure:
    """Where all of (N, 3) points fall in an image, each at the instant its row is exposed.

    That instant t solves `row_offset(project(point, t)) = t`. It is looked for between the exposure of the
    first border and of the last one, where the point has to be yet to be read at first and to have been
    read at last, by regula falsi with Illinois' step (Dowell and Jarratt, 1971), to 1 ns: four or five
    projections of a point. A point that is not in front of the lens all that time is looked for at 33
    instants first. Arguments as of `project_through_shutter`.

    A point that falls on no row is not visible and given as the nearer of the first and the last border
    sees it. Where a point passes so near that its image overtakes the readout, several rows may show it:
    one of them is given if their number is odd, and none if it is even.
    """
    cloud = kernel_view(points, 3, np.float64)
    velocities = kernel_view(np.asarray(velocity_mps, dtype=np.float64), 3, np.float64)
    search = _Search(cloud, velocities, camera, motion)
    search.run()
    return Exposure(search.uv_px, search.depth_m, search.visible, np.round(search.times_ns).astype(np.int64))


class _Search:
    """The instants at which points are seen, and what is seen then."""

    def __init__(self, points: F64, velocities: F64, camera: Camera, motion: CameraMotion) -> None:
        self.points, self.velocities, self.camera, self.motion = points, velocities, camera, motion
        count = len(points)
        self.uv_px, self.depth_m, self.times_ns = np.empty((count, 2)), np.empty(count), np.empty(count)
        self.visible: Bools = np.empty(count, dtype=np.bool_)

    def look(self, rows: I64 | slice, times_ns: F64) -> F64:
        """Sees some points at some instants; returns how much later their rows are exposed."""
        from calib.shutter import _kernels

        points_cam = np.empty((len(times_ns), 3))
        poses = self.motion.cams_from_points
        own = self.velocities if len(self.velocities) == 1 else self.velocities[rows]
        moving = (kernel_view(self.points[rows], 3, np.float64), kernel_view(own, 3, np.float64))
        knots = (self.motion.first_ns, self.motion.step_ns, poses.rotations, poses.translations)
        _kernels.place_at(*moving, times_ns, *knots, points_cam)
        seen = self.camera.model.project(points_cam)
        late_ns = self.camera.row_offset_ns(seen.uv_px) - times_ns
        self.uv_px[rows], self.depth_m[rows], self.times_ns[rows] = seen.uv_px, seen.depth_m, times_ns
        self.visible[rows] = seen.visible & (np.abs(late_ns) <= TOLERANCE_NS)
        return np.asarray(late_ns, dtype=np.float64)

    def run(self) -> None:
        """Closes in on the instants from both ends."""
        ends_ns = [np.full(len(self.points), float(end)) for end in shot_span_ns(self.camera)]
        late_at_last = self.look(slice(None), ends_ns[1])
        rows = np.flatnonzero(~(late_at_last > 0))  # the others fall beyond the last border
        late_at_first, late_at_last = self.look(rows, ends_ns[0][rows]), late_at_last[rows]
        between = (late_at_first >= 0) & (late_at_last <= 0)
        a, late_a = ends_ns[0][rows[between]], late_at_first[between]
        b, late_b = ends_ns[1][rows[between]], late_at_last[between]
        self._close_in(rows[between], a, late_a, b, late_b)
        self._sample(rows[np.isnan(late_at_first) | np.isnan(late_at_last)])

    def _sample(self, rows: I64) -> None:
        """Looks at many instants for points that are not in front of the lens all the time."""
        if len(rows) == 0:
            return
        instants_ns = np.linspace(*shot_span_ns(self.camera), SAMPLES)
        late_ns = np.stack([self.look(rows, np.full(len(rows), t)) for t in instants_ns])
        crossed = late_ns[:-1] * late_ns[1:] <= 0
        some, step = crossed.any(axis=0), crossed.argmax(axis=0)
        k, n = step[some], np.flatnonzero(some)
        ends = (instants_ns[k], late_ns[k, n], instants_ns[k + 1], late_ns[k + 1, n])
        self._close_in(rows[some], *ends)

    def _close_in(self, rows: I64, a: F64, late_a: F64, b: F64, late_b: F64) -> None:
        """Regula falsi between pairs of instants on either side."""
        for _ in range(ROUNDS):
            if len(rows) == 0:
                break
            gap = late_b - late_a
            t = np.where(gap != 0, b - late_b * (b - a) / np.where(gap != 0, gap, 1.0), b)
            late = self.look(rows, t)
            same = (late > 0) == (late_b > 0)
            a, late_a = np.where(same, a, b), np.where(same, 0.5 * late_a, late_b)
            b, late_b = t, late
            left = np.abs(late) > TOLERANCE_NS
            rows, a, late_a, b, late_b = rows[left], a[left], late_a[left], b[left], late_b[left]


def _in_reach(points: Floats, camera: Camera, motion: CameraMotion, velocities: F64) -> I32:
    """Indices of the points that may come into sight while the image is read out."""
    from calib.shutter import _kernels

    cloud = kernel_view(points, 3, np.float32 if points.dtype == np.float32 else np.float64)
    cam_from_points = motion.cam_from_points()
    steps = motion.cams_from_points @ cam_from_points.inverse()
    turned_rad = float(np.arccos(np.clip((np.trace(steps.rotations, axis1=1, axis2=2) - 1) / 2, -1, 1)).max())
    seconds = max(abs(end) for end in shot_span_ns(camera)) / 1e9
    fastest_mps = float(np.linalg.norm(velocities, axis=1).max(initial=0.0))
    shift_m = float(np.linalg.norm(steps.translations, axis=1).max()) + fastest_mps * seconds
    widest_rad = _widest_rad(camera.model) + turned_rad + 1e-3
    if not widest_rad < WIDEST_RAD:
        return np.arange(len(cloud), dtype=np.int32)
    kept = np.empty(len(cloud), dtype=np.int32)
    back_m = (1.01 * shift_m + 1e-3) / np.sin(widest_rad)
    cone = (cam_from_points.rotation, cam_from_points.translation, back_m, np.tan(widest_rad))
    return kept[: _kernels.in_cone(cloud, *cone, kept)]


def _widest_rad(model: CameraModel) -> float:
    """Angle from the axis to the border of the image where that is furthest; NaN where no ray leads there."""
    along = np.linspace(0, 1, 33)
    sides = [np.column_stack([along, np.full(33, side)]) for side in (0.0, 1.0)]
    square = np.concatenate([*sides, *(side[:, ::-1] for side in sides)])
    rays = model.ray(square * (model.width_px, model.height_px) - 0.5)
    return float(np.arccos(np.clip(rays[:, 2], -1, 1)).max())
