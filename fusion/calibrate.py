"""Calibrating the cameras of a log: from ordinary driving, from clicks, or from a board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from calib.board import Board, BoardEstimate, BoardView, find_in_image, find_in_scan
from calib.board import calibrate as calibrate_on_boards
from calib.clicks import Click, solve_clicks, stacked
from calib.estimate import PoseEstimate, Uncertainty
from calib.refine import BoxPairs, Clicks, Refinement, RefineOptions, View, refine
from calib.rig import Camera
from calib.se3 import SE3
from calib.types import F64
from fusion.align import box_at, ego_at_shot_from_ego_at_frame, points_in_ego, read_deskewed
from fusion.beam import image_of_frame
from fusion.boxes import Box3D
from fusion.categories import Kind, kind_of
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.progress import Progress

Method = Literal["auto", "clicks", "board"]
WEAK_RAD, WEAK_M = np.radians(0.25), 0.05
FILLING = {Kind.CAR, Kind.TRUCK, Kind.BUS, Kind.TRAILER}  # the kinds that fill the boxes around them


@dataclass(frozen=True, eq=False, slots=True)
class Calibrated:
    """What a calibration of one camera came to.

    Attributes:
        camera: its name.
        method: how.
        accepted: whether the found mount is believed.
        reason: why, or why not.
        ego_from_given_cam: the mount before.
        ego_from_found_cam: what was found, believed or not; None where nothing was.
        uncertainty: of what was found; None where it is not known.
        weak: what is known badly, in words.
        evidence: numbers that speak for it and against it, by what they are.
    """

    camera: str
    method: Method
    accepted: bool
    reason: str
    ego_from_given_cam: SE3
    ego_from_found_cam: SE3 | None
    uncertainty: Uncertainty | None
    weak: tuple[str, ...]
    evidence: dict[str, float]

    @property
    def ego_from_cam(self) -> SE3:
        """The mount to use: the given one unless what was found is believed."""
        if self.accepted and self.ego_from_found_cam is not None:
            return self.ego_from_found_cam
        return self.ego_from_given_cam

    @property
    def correction(self) -> F64:
        """(6,) rotation vector (rad) and shift (m) of found_cam_from_given_cam, in camera axes."""
        if self.ego_from_found_cam is None:
            return np.full(6, np.nan)
        found_cam_from_given_cam = self.ego_from_found_cam.inverse() @ self.ego_from_given_cam
        return found_cam_from_given_cam.vector

    @property
    def sigma(self) -> F64:
        """(6,) standard deviations of the correction; NaN where they are not known."""
        return np.full(6, np.nan) if self.uncertainty is None else self.uncertainty.sigma


def from_driving(
    log: DriveLog,
    camera: str,
    views: Sequence[View],
    options: RefineOptions | None = None,
    seed: int = 0,
    clicks: Sequence[Click] = (),
    labels: LabelSet | None = None,
) -> Calibrated:
    """Calibrates a camera on the edges of what its frames happen to show (`calib.refine`).

    Args:
        log: with the camera.
        camera: its name.
        views: of it.
        options: how far it may be off and what is asked of the answer.
        seed: of all that is random.
        clicks: things that a person clicked; they count beside the edges.
        labels: whose vehicles count too where they have a box in an image of the camera beside one in space.
    """
    ego_from_given_cam = log.rig.cameras[camera].ego_from_sensor
    clicked = _clicked(clicks)
    boxes = None if labels is None else box_pairs(log, camera, labels)
    found = of_refinement(camera, refine(views, ego_from_given_cam, options, seed, clicked, boxes))
    beside: dict[str, float] = {} if clicked is None else {"clicks": len(clicked.uv_px)}
    if labels is not None:
        beside["boxes in images"] = 0 if boxes is None else len(boxes.bounds_px)
    return replace(found, evidence=found.evidence | beside)


def _clicked(clicks: Sequence[Click]) -> Clicks | None:
    if not clicks:
        return None
    points_ego, uv_px = stacked(clicks)
    return Clicks(uv_px, points_ego)


def box_pairs(log: DriveLog, camera: str, labels: LabelSet) -> BoxPairs | None:
    """Vehicles with a box in an image of a camera and one in space at that instant; None where none has both.

    Vehicles only, for they fill their boxes. Through a rolling shutter each is taken at the instant of the
    middle of its own box in the image.
    """
    sensor, corners_ego, bounds_px = log.rig.cameras[camera], [], []
    for track in labels.tracks.values():
        if kind_of(track.category) not in FILLING:
            continue
        for (name, image_ns), drawn in track.image_boxes.items():
            if name != camera:
                continue
            bounds = np.array([drawn.left_px, drawn.top_px, drawn.right_px, drawn.bottom_px])
            shown_ns = image_ns + round(float(sensor.row_offset_ns((bounds[:2] + bounds[2:]) / 2)))
            box = box_at(log, track, shown_ns) if log.trajectory.covers(shown_ns) else None
            if box is None or not _in_front(sensor, box):
                continue
            corners_ego.append(box.corners())
            bounds_px.append(bounds)
    return BoxPairs(np.array(corners_ego), np.array(bounds_px)) if bounds_px else None


def _in_front(sensor: Camera, box: Box3D) -> bool:
    """Whether every corner of a box has a pixel, be it outside of the image."""
    return bool(
        np.isfinite(sensor.model.project(sensor.ego_from_sensor.inverse() @ box.corners()).uv_px).all()
    )


def of_refinement(camera: str, found: Refinement) -> Calibrated:
    """A refinement in the words that all methods share."""
    evidence, known = found.evidence, bool(np.isfinite(found.covariance).all())
    numbers = {} if evidence is None else {
        "views": evidence.views,
        "edges": evidence.edges,
        "agreement before": evidence.score_given,
        "agreement after": evidence.score_found,
        "two halves differ by, deg": float(np.degrees(evidence.split_rad)),
        "two halves differ by, cm": 100 * evidence.split_m,
        "share of neighbours that agree worse": evidence.share,
        "margin over the best of them, standard errors": evidence.margin,
    }  # fmt: skip
    return Calibrated(
        camera,
        "auto",
        found.accepted,
        found.reason,
        found.ego_from_given_cam,
        found.ego_from_found_cam if evidence is not None else None,
        Uncertainty(found.covariance) if known else None,
        (found.weakest,) if known else (),
        numbers,
    )


def from_clicks(log: DriveLog, camera: str, clicks: Sequence[Click]) -> Calibrated:
    """Calibrates a camera on things that a person clicked in its images and in the clouds."""
    sensor = log.rig.cameras[camera]
    points_ego, uv_px = stacked(clicks)
    found = solve_clicks(points_ego, uv_px, sensor.model, sensor.ego_from_sensor)
    off_px = np.linalg.norm(found.residuals_px[found.inliers], axis=1)
    numbers: dict[str, float] = {"clicks": len(clicks), "clicks that agree": int(found.inliers.sum())}
    if len(off_px):
        numbers["their median distance, px"] = float(np.median(off_px))
    return _of_estimate(camera, "clicks", sensor.ego_from_sensor, found, numbers)


def from_board(
    log: DriveLog, camera: str, board: Board, progress: Progress | None = None
) -> tuple[Calibrated, BoardEstimate]:
    """Calibrates a camera on a board that stands before it, in as many poses as the log has frames."""
    views: list[BoardView] = []
    for number, frame_ns in enumerate(log.timestamps_ns.tolist()):
        view = board_view(log, camera, board, frame_ns)
        if view is not None:
            views.append(view)
        if progress is not None:
            progress("frames", number + 1, len(log))
    sensor = log.rig.cameras[camera]
    found = calibrate_on_boards(views, sensor.ego_from_sensor)
    numbers: dict[str, float] = {"frames": len(log), "boards seen by both": len(views)}
    return _of_estimate(camera, "board", sensor.ego_from_sensor, found, numbers, found.weak), found


def board_view(log: DriveLog, camera: str, board: Board, frame_ns: int) -> BoardView | None:
    """A board in one frame; None unless both the camera and the LiDAR show it.

    Where the image shows it and the mount is about right, the scan is searched there first.
    """
    sensor, ref = log.rig.cameras[camera], log.sweep_at(frame_ns)
    image = image_of_frame(log, camera, frame_ns)
    if image is None or ref is None:
        return None
    in_image = find_in_image(image.read(), board, sensor.model)
    if in_image is None:
        return None
    sweep = read_deskewed(log, ref)
    ego_at_shot_from_ego = ego_at_shot_from_ego_at_frame(log, image.timestamp_ns, frame_ns)
    points_ego = ego_at_shot_from_ego @ points_in_ego(log, sweep)
    lidar_ego = (ego_at_shot_from_ego @ log.rig.lidars[sweep.lidar].ego_from_sensor).translation
    expected_ego = (sensor.ego_from_sensor @ in_image.cam_from_board).translation
    for where in (expected_ego, None):
        in_scan = find_in_scan(points_ego, board, lidar_ego=lidar_ego, ring=sweep.ring, expected_ego=where)
        if in_scan is not None:
            return BoardView(in_image, in_scan, f"frame at {frame_ns}")
    return None


def _of_estimate(
    camera: str,
    method: Method,
    ego_from_given_cam: SE3,
    found: PoseEstimate | BoardEstimate,
    evidence: dict[str, float],
    weak: tuple[str, ...] | None = None,
) -> Calibrated:
    """An estimate from clicks or boards in the words that all methods share."""
    if weak is None:
        weak = found.uncertainty.weak_directions(WEAK_RAD, WEAK_M) if found.uncertainty else ()
    return Calibrated(
        camera,
        method,
        found.accepted,
        found.reason,
        ego_from_given_cam,
        found.ego_from_cam,
        found.uncertainty,
        weak,
        evidence,
    )
