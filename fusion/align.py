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
from fusion.beam import seen_ns
from fusion.boxes import Box3D
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
    return (ego_from_lidar @ sweep.points).astype(np.float32)


def ego_at_shot_from_ego_at_frame(log: DriveLog, shot_ns: int, frame_ns: int) -> SE3:
    """Takes what stands still from the car's frame at one instant to its frame at another.

    Raises:
        TimeRangeError: an instant is outside of the trajectory.
    """
    if shot_ns == frame_ns:
        return SE3.identity()
    world_from_ego_at_shot, world_from_ego_at_frame = log.trajectory.at(shot_ns), log.trajectory.at(frame_ns)
    return world_from_ego_at_shot.inverse() @ world_from_ego_at_frame


def cam_at_shot_from_ego(log: DriveLog, image: ImageRef, frame_ns: int) -> SE3:
    """From the ego frame of a log's frame to the camera at the instant it took the image."""
    ego_from_cam = log.rig.cameras[image.camera].ego_from_sensor
    return ego_from_cam.inverse() @ ego_at_shot_from_ego_at_frame(log, image.timestamp_ns, frame_ns)


VELOCITY_STEP_NS = 10_000_000
LONGEST_GAP_NS = 600_000_000
LONGEST_OVERHANG_NS = 200_000_000


def box_at(log: DriveLog, track: Track, timestamp_ns: int) -> Box3D | None:
    """The box of a track at any instant, in the ego frame of that instant.

    Each annotation says where the object was when the beam passed it (see `fusion.beam`). Between two of
    those instants at most 0.6 s apart it moves evenly in the world; up to 0.2 s before the first and after
    the last it goes on as it did. None elsewhere.
    """
    times_ns = seen_ns(log, track)
    if len(times_ns) == 0:
        return None
    frames_ns = [*track.annotations]
    late = min(max(int(np.searchsorted(times_ns, timestamp_ns)), 1), len(times_ns) - 1)
    early = max(late - 1, 0)
    overhang_ns = max(int(times_ns[0]) - timestamp_ns, timestamp_ns - int(times_ns[-1]), 0)
    gap_ns = int(times_ns[late] - times_ns[early])
    if overhang_ns > LONGEST_OVERHANG_NS or (overhang_ns == 0 and gap_ns > LONGEST_GAP_NS):
        return None
    fraction = 0.0 if gap_ns <= 0 else (timestamp_ns - int(times_ns[early])) / gap_ns
    if overhang_ns and gap_ns > LONGEST_GAP_NS:
        fraction = float(np.round(np.clip(fraction, 0, 1)))
    return _moved_evenly(log, track, frames_ns[early], frames_ns[late], fraction, timestamp_ns)


def _moved_evenly(
    log: DriveLog, track: Track, early_ns: int, late_ns: int, fraction: float, timestamp_ns: int
) -> Box3D:
    """The box at a fraction of the way from one annotation to another, in the ego frame of an instant."""
    early, late = track.annotations[early_ns].box, track.annotations[late_ns].box
    world_from_box_at_early = log.trajectory.at(early_ns) @ early.ego_from_box
    world_from_box_at_late = log.trajectory.at(late_ns) @ late.ego_from_box
    way_m = world_from_box_at_late.translation - world_from_box_at_early.translation
    turn_rad = world_from_box_at_late.yaw_rad - world_from_box_at_early.yaw_rad
    turn_rad = (turn_rad + np.pi) % (2 * np.pi) - np.pi
    near_ns, rest = (early_ns, fraction) if fraction < 0.5 else (late_ns, fraction - 1)
    nearer = track.annotations[near_ns].box
    world_from_box_at_nearer = log.trajectory.at(near_ns) @ nearer.ego_from_box
    rotation = SE3.from_yaw(turn_rad * rest).rotation @ world_from_box_at_nearer.rotation
    world_from_box = SE3(rotation, world_from_box_at_nearer.translation + rest * way_m)
    ego_from_world = log.trajectory.at(timestamp_ns).inverse()
    return Box3D(ego_from_world @ world_from_box, *(float(v) for v in nearer.size_lwh_m))


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
    before_ns, after_ns = timestamp_ns - VELOCITY_STEP_NS, timestamp_ns + VELOCITY_STEP_NS
    places = [
        log.trajectory.at(t) @ box.center
        for t in (before_ns, after_ns)
        if log.trajectory.covers(t) and (box := box_at(log, track, t)) is not None
    ]
    if len(places) < 2:
        return np.zeros(3)
    velocity_world_mps = (places[1] - places[0]) / (2e-9 * VELOCITY_STEP_NS)
    return log.trajectory.at(timestamp_ns).inverse().rotate(velocity_world_mps)
