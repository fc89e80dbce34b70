"""Where a camera is while it takes one image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calib.errors import CalibrationError
from calib.rig import Camera
from calib.se3 import SE3, SE3Batch
from calib.types import F64, I64

KNOT_NS = 200_000


def shot_span_ns(camera: Camera) -> tuple[int, int]:
    """The instants at which the first and the last border of an image are exposed, from its timestamp."""
    size_px = np.array([camera.model.width_px, camera.model.height_px])
    borders_ns = camera.row_offset_ns(np.array([[-0.5, -0.5], size_px - 0.5]))
    return int(np.floor(borders_ns.min())), int(np.ceil(borders_ns.max()))


@dataclass(frozen=True, eq=False, slots=True)
class CameraMotion:
    """Poses of a camera about the timestamp of an image, in even steps; between them a point moves evenly.

    With steps of 0.2 ms that is 2e-8 of the distance off at 2 rad/s. The motion goes on beyond
    its ends as in its last step.

    Attributes:
        first_ns: instant of the first pose, counted from the timestamp of the image.
        step_ns: from one pose to the next.
        cams_from_points: two poses at least; the frame of the points stands still in the world.

    Raises:
        CalibrationError: fewer than two poses, or a step that does not go forward.
    """

    first_ns: float
    step_ns: float
    cams_from_points: SE3Batch

    def __post_init__(self) -> None:
        if len(self.cams_from_points) < 2 or not self.step_ns > 0:
            raise CalibrationError("a camera's motion needs two poses or more, one after the other")

    @classmethod
    def at_rest(cls, cam_from_points: SE3) -> CameraMotion:
        """A camera that stands still."""
        return cls(0.0, float(KNOT_NS), SE3Batch.stack([cam_from_points] * 2))

    @classmethod
    def constant_twist(
        cls,
        camera: Camera,
        ego_at_shot_from_points: SE3,
        velocity_mps: ArrayLike,
        turn_radps: ArrayLike,
    ) -> CameraMotion:
        """The motion of a camera on a car that drives and turns evenly while the image is read out.

        The lever arm from the car's origin to the camera is counted in. This is what the Waymo Open
        Dataset's camera projection assumes.

        Args:
            camera: where it sits on the car, and how long it reads out.
            ego_at_shot_from_points: pose of the car at the timestamp of the image.
            velocity_mps: (3,) of the car's origin, in the car's axes.
            turn_radps: (3,) axis times rate of turn, in the car's axes.
        """
        times_ns = knots_ns(*shot_span_ns(camera))
        ego_at_shot_from_egos = _screw(velocity_mps, turn_radps, times_ns / 1e9)
        cam_from_ego = camera.ego_from_sensor.inverse()
        egos_from_points = ego_at_shot_from_egos.inverse() @ ego_at_shot_from_points
        cams_from_points = cam_from_ego @ egos_from_points
        return cls(float(times_ns[0]), float(times_ns[1] - times_ns[0]), cams_from_points)

    def of_points_in(self, points_from_sensor: SE3) -> CameraMotion:
        """The same motion through the frame of a sensor, or of anything else that is fixed to the points."""
        cams_from_sensor = self.cams_from_points @ points_from_sensor
        return CameraMotion(self.first_ns, self.step_ns, cams_from_sensor)

    def cam_from_points(self, offset_ns: float = 0.0) -> SE3:
        """The pose in the step nearest to an instant counted from the timestamp of the image."""
        nearest = round((offset_ns - self.first_ns) / self.step_ns)
        return self.cams_from_points[int(np.clip(nearest, 0, len(self.cams_from_points) - 1))]


def knots_ns(first_ns: int, last_ns: int) -> I64:
    """(K,) instants in even steps of about 0.2 ms that reach from the first to the last."""
    steps = max(1, -(-(last_ns - first_ns) // KNOT_NS))
    step_ns = max(1, -(-(last_ns - first_ns) // steps))
    return first_ns + step_ns * np.arange(steps + 1, dtype=np.int64)


def _screw(velocity_mps: ArrayLike, turn_radps: ArrayLike, seconds: F64) -> SE3Batch:
    """Returns start_from_now of a body that moves evenly (exponential map of SE(3))."""
    from scipy.spatial.transform import Rotation

    turn, velocity = np.asarray(turn_radps, dtype=np.float64), np.asarray(velocity_mps, dtype=np.float64)
    angles = np.linalg.norm(turn) * seconds
    across = np.cross(turn, velocity)
    # The first two terms of the series stand in where the angle is too small to divide by.
    small = np.abs(angles) < 1e-6
    safe = np.where(small, 1.0, angles)
    once = np.where(small, 0.5, (1 - np.cos(safe)) / safe**2) * seconds**2
    twice = np.where(small, 1 / 6, (safe - np.sin(safe)) / safe**3) * seconds**3
    ways = seconds[:, None] * velocity + once[:, None] * across + twice[:, None] * np.cross(turn, across)
    return SE3Batch(Rotation.from_rotvec(seconds[:, None] * turn).as_matrix(), ways)
