"""Any log as KITTI sees it: one camera, one LiDAR, and both at one instant.

KITTI's calibration is one rigid transform, so points and image of a frame have to belong to the same
instant. A frame is therefore taken at the instant of its image; points and boxes go there with the car.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calib.cameras import Pinhole
from calib.rig import Camera
from calib.se3 import SE3
from calib.types import F64
from formats.errors import FormatError
from formats.kitti.metadata import LABEL_CAMERA, frame_numbers, label_frame_of
from fusion.align import ego_at_shot_from_ego_at_frame
from fusion.beam import image_of_frame
from fusion.boxes import EDGES, Box3D
from fusion.log import DriveLog, ImageRef

NEAR_M = 0.1


@dataclass(frozen=True, slots=True)
class View:
    """The camera of a log that KITTI's labels are for.

    Attributes:
        camera: of the log's rig.
        model: the same without distortion.
        cam_from_rect0: shift from the frame of the labels.
        rect0_from_ego: into the frame of the labels.
    """

    camera: Camera
    model: Pinhole
    cam_from_rect0: SE3
    rect0_from_ego: SE3

    @property
    def undistorted(self) -> bool:
        """Whether the log's own pixels are those of the model."""
        return self.camera.model == self.model


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a log.

    Attributes:
        number: KITTI's.
        timestamp_ns: the log's.
        shot_ns: the instant it is written for.
        image: of the view's camera, if there is one.
        ego_at_shot_from_ego: moves what stands still to that instant.
    """

    number: int
    timestamp_ns: int
    shot_ns: int
    image: ImageRef | None
    ego_at_shot_from_ego: SE3


def view_of(log: DriveLog, path: Path) -> View:
    """The label camera of a KITTI log; of another log the camera that looks most straight ahead.

    Raises:
        FormatError: the log has no camera.
    """
    if not log.rig.cameras:
        raise FormatError(path, "", f"the log {log.name} has no camera, and KITTI labels what one sees")
    rect0_from_ego = label_frame_of(log)
    camera = log.rig.cameras.get(LABEL_CAMERA) if rect0_from_ego is not None else None
    if rect0_from_ego is None or camera is None:
        camera = max(log.rig.cameras.values(), key=lambda each: float(each.ego_from_sensor.rotation[0, 2]))
        rect0_from_ego = camera.ego_from_sensor.inverse()
    ego_from_cam = camera.ego_from_sensor
    rect0_from_cam = rect0_from_ego @ ego_from_cam
    return View(camera, camera.model.plain, rect0_from_cam.inverse(), rect0_from_ego)


def frames_of(log: DriveLog, view: View) -> list[Frame]:
    """All frames of a log, each with the image of what the LiDAR measured in it, no image twice."""
    images = {t: image_of_frame(log, view.camera.name, t) for t in log.timestamps_ns.tolist()}
    owners: dict[int, int] = {}
    for t, image in images.items():
        if image is not None:
            taken_ns = image.timestamp_ns
            owners[taken_ns] = min(t, owners.get(taken_ns, t), key=lambda near: abs(near - taken_ns))
    frames = []
    for t, number in frame_numbers(log).items():
        image = images[t]
        if image is not None and owners[image.timestamp_ns] != t:
            image = None
        shot_ns = image.timestamp_ns if image and log.trajectory.covers(image.timestamp_ns) else t
        ego_at_shot_from_ego = ego_at_shot_from_ego_at_frame(log, shot_ns, t)
        frames.append(Frame(number, t, shot_ns, image, ego_at_shot_from_ego))
    return frames


def rectangle_px(box: Box3D, view: View, frame: Frame) -> tuple[float, float, float, float] | None:
    """Left, top, right, bottom of a box in the image, cut at its border; None where nothing is in it."""
    cam_from_ego = view.cam_from_rect0 @ view.rect0_from_ego
    cam_from_ego_at_frame = cam_from_ego @ frame.ego_at_shot_from_ego
    corners_cam = _in_front(cam_from_ego_at_frame @ box.corners())
    if len(corners_cam) == 0:
        return None
    uv_px = (corners_cam @ view.model.matrix.T)[:, :2] / corners_cam[:, 2:]
    left, top = np.maximum(uv_px.min(axis=0), 0.0)
    right, bottom = np.minimum(uv_px.max(axis=0), (view.model.width_px - 1, view.model.height_px - 1))
    return (float(left), float(top), float(right), float(bottom)) if left < right and top < bottom else None


def _in_front(corners_cam: F64) -> F64:
    """Corners in front of the camera, and where edges cross the plane just before it."""
    depths_m = corners_cam[:, 2]
    points = [corners_cam[depths_m >= NEAR_M]]
    for a, b in EDGES:
        if (depths_m[a] < NEAR_M) != (depths_m[b] < NEAR_M):
            fraction = (NEAR_M - depths_m[a]) / (depths_m[b] - depths_m[a])
            points.append((corners_cam[a] + fraction * (corners_cam[b] - corners_cam[a]))[None])
    return np.concatenate(points)
