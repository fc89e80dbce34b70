"""How the edges of projected rectangles move with the camera, with time and with the boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from calib.cameras import CameraModel
from calib.types import F64, I64, Bools
from fusion.boxes import Boxes
from fusion.log import DriveLog
from fusion.rectangles import Shown

STEP_NS = 10_000_000
STEP_SHARE = 1e-4  # of the distance of a place, by which it is moved


@dataclass(frozen=True, eq=False, slots=True)
class Derivatives:
    """By how many pixels left, top, right and bottom of N projected rectangles move.

    Each edge is taken to be where one place of the outline is seen, as by a global shutter.

    Attributes:
        within: (N, 4) how far the edges of the outline lie from those of the box; in pixels.
        turn: (N, 4, 3) a radian that the camera turns about its axes, as `cam_from_given_cam`.
        place: (N, 4, 3) a metre of the shift of that transform.
        time: (N, 4) a second that is added to the timestamp of the image.
        shift: (N, 4, 3) a metre that the box is shifted along its own axes.
        seen: (N, 4) whether that place, and the corner of the box beyond it, lie on the image.
    """

    within: F64
    turn: F64
    place: F64
    time: F64
    shift: F64
    seen: Bools

    @classmethod
    def of(cls, log: DriveLog, camera: str, shown: Sequence[Shown], outlines: F64) -> Derivatives:
        """Of all that some images of one camera show, one image after the other.

        Args:
            log: with the camera and the trajectory.
            camera: its name.
            shown: one an image, N objects in all.
            outlines: (N, S, 3) places that the outline of each may touch, in a box of size one.
        """
        sensor = log.rig.cameras[camera]
        cam_from_ego = sensor.ego_from_sensor.inverse()
        boxes = Boxes.concatenate(one.boxes for one in shown)
        places_ego = _placed(boxes, outlines)
        places_cam = cam_from_ego @ places_ego
        count = outlines.shape[1]
        pixels = sensor.model.project(places_cam.reshape(-1, 3))
        uv_px = pixels.uv_px.reshape(-1, count, 2)
        touching = _touching(uv_px)
        rows = np.arange(len(boxes))[:, None]
        points_cam = places_cam[rows, touching]
        by_point = _by_point(sensor.model, points_cam)
        flow_mps = cam_from_ego.rotate(_flow_mps(log, shown, places_ego[rows, touching]))
        cams_from_box = cam_from_ego.rotation @ boxes.dst_from_box.rotations
        corners = sensor.model.project((cam_from_ego @ boxes.corners()).reshape(-1, 3))
        corners_px = corners.uv_px.reshape(-1, 8, 2)
        whole = corners.visible.reshape(-1, 8)[rows, _touching(corners_px)]
        return cls(
            within=_bounds(uv_px) - _bounds(corners_px),
            turn=np.cross(points_cam, by_point),
            place=by_point,
            time=np.einsum("nei,nei->ne", by_point, flow_mps),
            shift=by_point @ cams_from_box,
            seen=pixels.visible.reshape(-1, count)[rows, touching] & whole,
        )

    @classmethod
    def joined(cls, parts: Sequence[Derivatives]) -> Derivatives:
        """Of several cameras, one after the other."""
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def take(self, rows: I64) -> Derivatives:
        """Those at these rows."""
        return Derivatives(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def nothing(cls) -> Derivatives:
        """Of no rectangle."""
        by_three, one = np.empty((0, 4, 3)), np.empty((0, 4))
        return cls(one, by_three, by_three, one, by_three, np.empty((0, 4), np.bool_))

    def __len__(self) -> int:
        return len(self.time)


def _placed(boxes: Boxes, places: F64) -> F64:
    """(N, S, 3) places given in boxes of size one, in the frame of the boxes."""
    turned = (places * boxes.sizes_lwh_m[:, None]) @ boxes.dst_from_box.rotations.transpose(0, 2, 1)
    return np.asarray(turned + boxes.dst_from_box.translations[:, None], dtype=np.float64)


def _bounds(uv_px: F64) -> F64:
    """(N, 4) left, top, right, bottom of (N, S) pixels."""
    return np.hstack([uv_px.min(axis=1), uv_px.max(axis=1)])


def _touching(uv_px: F64) -> np.ndarray:
    """(N, 4) which of (N, 8) corners touches the left, top, right and bottom of their rectangle."""
    low = np.argmin(np.nan_to_num(uv_px, nan=np.inf), axis=1)
    high = np.argmax(np.nan_to_num(uv_px, nan=-np.inf), axis=1)
    return np.hstack([low, high])


def _by_point(model: CameraModel, points_cam: F64) -> F64:
    """(N, 4, 3) derivatives of u, v, u, v by (N, 4, 3) places, pixels a metre; zero where unseen."""
    step_m = STEP_SHARE * np.linalg.norm(points_cam, axis=2, keepdims=True)
    found = np.empty(points_cam.shape)
    for axis in range(3):
        ends = [
            model.project((points_cam + way * step_m * np.eye(3)[axis]).reshape(-1, 3)).uv_px
            for way in (1, -1)
        ]
        slope = (ends[0] - ends[1]).reshape(-1, 4, 2) / (2 * step_m)
        found[..., axis] = np.stack([slope[:, edge, edge % 2] for edge in range(4)], axis=1)
    return np.nan_to_num(found)


def _flow_mps(log: DriveLog, shown: Sequence[Shown], places_ego: F64) -> F64:
    """(N, 8, 3) velocities of corners relative to the car, in ego, the car's own motion with it."""
    counts = [len(one.track_ids) for one in shown]
    instants_ns = np.array([one.image.timestamp_ns for one in shown], dtype=np.int64)
    drive = log.trajectory
    early_ns = np.maximum(instants_ns - STEP_NS, drive.start_ns)
    late_ns = np.minimum(instants_ns + STEP_NS, drive.end_ns)
    world_from_ego = drive.at_many(instants_ns)
    ends = []
    for ends_ns in (late_ns, early_ns):
        ego_at_end_from_ego = drive.at_many(ends_ns).inverse() @ world_from_ego
        turns = np.repeat(ego_at_end_from_ego.rotations, counts, axis=0)
        shifts = np.repeat(ego_at_end_from_ego.translations, counts, axis=0)
        ends.append(np.einsum("nij,nkj->nki", turns, places_ego) + shifts[:, None])
    span_s = np.repeat(np.maximum(late_ns - early_ns, 1), counts) / 1e9
    velocities_mps = np.concatenate([one.velocities_mps for one in shown])
    return np.asarray((ends[0] - ends[1]) / span_s[:, None, None] + velocities_mps[:, None])
