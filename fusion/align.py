"""Labels and clouds at a camera's own instant.

The car moves between the instant of a sweep and the exposure of an image, so what stands still in the
world moves in the ego frame: every function here goes through the trajectory. Where the rows of an image
are exposed one after the other, each point is seen at the instant of its own row.
"""

from __future__ import annotations

import numpy as np

from calib.project import VisiblePoints, project_cloud
from calib.se3 import SE3
from calib.shutter import CameraMotion, ShotLens, project_through_shutter, shot_span_ns
from calib.shutter.motion import knots_ns
from calib.types import F32, F64
from fusion.boxes import Box3D
from fusion.course import Course
from fusion.labels import Track
from fusion.log import DriveLog, ImageRef, SweepRef
from fusion.sweep import Sweep, deskew


def read_deskewed(log: DriveLog, ref: SweepRef) -> Sweep:
    """Reads a sweep and moves its points to the sweep's own instant where that is still to be done."""
    ego_from_lidar = log.rig.lidars[ref.lidar].ego_from_sensor
    return deskew(ref.read(), ego_from_lidar, log.trajectory)


def points_in_ego(log: DriveLog, sweep: Sweep) -> F32:
    """(N, 3) float32 points of a sweep in the ego frame of the sweep's instant."""
    ego_from_lidar = log.rig.lidars[sweep.lidar].ego_from_sensor
    return ego_from_lidar.cloud(sweep.points)


def ego_at_shot_from_ego_at_frame(log: DriveLog, shot_ns: int, frame_ns: int) -> SE3:
    """Takes what stands still from the car's frame at one instant to its frame at another.

    Raises:
        TimeRangeError: an instant is outside of the trajectory.
    """
    if shot_ns == frame_ns:
        return SE3.identity()
    world_from_ego_at_shot, world_from_ego_at_frame = log.trajectory.at_many([shot_ns, frame_ns])
    return world_from_ego_at_shot.inverse() @ world_from_ego_at_frame


def cam_at_shot_from_ego(log: DriveLog, image: ImageRef, frame_ns: int) -> SE3:
    """From the ego frame of a log's frame to the camera at the instant it took the image."""
    ego_from_cam = log.rig.cameras[image.camera].ego_from_sensor
    return ego_from_cam.inverse() @ ego_at_shot_from_ego_at_frame(log, image.timestamp_ns, frame_ns)


def box_at(log: DriveLog, track: Track, timestamp_ns: int) -> Box3D | None:
    """The box of a track at any instant, in the ego frame of that instant; None where it is not known.

    See `fusion.course.Course`, which tells many instants at once.
    """
    known, boxes, _ = Course.of(log, track).at([timestamp_ns])
    if not known[0]:
        return None
    ego_from_world = log.trajectory.at(timestamp_ns).inverse()
    world_from_box = boxes.dst_from_box[0]
    return Box3D(ego_from_world @ world_from_box, *(float(v) for v in boxes.sizes_lwh_m[0]))


def motion_in_shot(log: DriveLog, image: ImageRef, frame_ns: int) -> CameraMotion:
    """How the camera moves through the ego frame of a log's frame while it reads an image out.

    At the ends of the trajectory the camera goes on as in its last step.

    Raises:
        TimeRangeError: the instant of the image or of the frame is outside of the trajectory.
    """
    camera, drive = log.rig.cameras[image.camera], log.trajectory
    world_from_ego_at_frame = drive.at(frame_ns)
    drive.at(image.timestamp_ns)
    offsets_ns = knots_ns(*shot_span_ns(camera))
    instants_ns = image.timestamp_ns + offsets_ns
    covered = (instants_ns >= drive.start_ns) & (instants_ns <= drive.end_ns)
    if covered.sum() < 2:
        return CameraMotion.at_rest(cam_at_shot_from_ego(log, image, frame_ns))
    world_from_cams = drive.at_many(instants_ns[covered]) @ camera.ego_from_sensor
    cams_from_ego = world_from_cams.inverse() @ world_from_ego_at_frame
    step_ns = float(offsets_ns[1] - offsets_ns[0])
    return CameraMotion(float(offsets_ns[covered][0]), step_ns, cams_from_ego)


def cloud_in_image(log: DriveLog, sweep: Sweep, image: ImageRef) -> VisiblePoints:
    """The points of a sweep in an image, taken to the instant of the image, or of their own rows.

    A raw sweep is deskewed first. Through a rolling shutter the answer is `ExposedPoints`.

    Raises:
        TimeRangeError: an instant is outside of the trajectory.
    """
    camera, ego_from_lidar = log.rig.cameras[image.camera], log.rig.lidars[sweep.lidar].ego_from_sensor
    still = deskew(sweep, ego_from_lidar, log.trajectory)
    if camera.readout_ns == 0:
        cam_from_ego = cam_at_shot_from_ego(log, image, sweep.timestamp_ns)
        return project_cloud(still.points, [camera.model], [cam_from_ego @ ego_from_lidar])[0]
    motion = motion_in_shot(log, image, sweep.timestamp_ns).of_points_in(ego_from_lidar)
    return project_through_shutter(still.points, camera, motion)


def lens_of_shot(log: DriveLog, image: ImageRef) -> ShotLens:
    """How the camera saw in one shot: projects what is given in its frame at the timestamp of the image.

    Raises:
        TimeRangeError: the image was taken outside of the trajectory.
    """
    camera = log.rig.cameras[image.camera]
    motion = motion_in_shot(log, image, image.timestamp_ns).of_points_in(camera.ego_from_sensor)
    return ShotLens(camera, motion)


def velocity_at(log: DriveLog, track: Track, timestamp_ns: int) -> F64:
    """(3,) velocity of a track over the ground at an instant, in the axes of ego; zero if not known."""
    known, _, velocities_mps = Course.of(log, track).at([timestamp_ns])
    if not known[0]:
        return np.zeros(3)
    return log.trajectory.at(timestamp_ns).inverse().rotate(velocities_mps[0])
