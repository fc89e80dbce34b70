"""The page of `crosslabel calibrate`: what was found, what speaks for it, and pictures before and after."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scripts.report import Pair, Paragraph, Part, Picture, Report, Section, Table, Verdict

if TYPE_CHECKING:
    from calib.se3 import SE3
    from calib.types import F64, U8
    from fusion.calibrate import Calibrated
    from fusion.log import DriveLog, ImageRef

PICTURES = 3
NAMES = ("pitch, deg", "yaw, deg", "roll, deg", "right, cm", "down, cm", "forward, cm")
IN_DEG_AND_CM = np.array([180 / np.pi] * 3 + [100.0] * 3)


def page(log: DriveLog, found: list[Calibrated]) -> Report:
    """The whole report."""
    sections = [Section(outcome.camera, _parts(log, outcome)) for outcome in found]
    return Report(f"Calibration of {log.name}", _summary(found), sections)


def _summary(found: list[Calibrated]) -> Verdict:
    good = [outcome.camera for outcome in found if outcome.accepted]
    if len(good) == len(found):
        return Verdict("good", f"Accepted: {', '.join(good)}.")
    kept = ", ".join(outcome.camera for outcome in found if not outcome.accepted)
    return Verdict("warning", f"Accepted: {', '.join(good) or 'none'}. Left as it was: {kept}.")


def _parts(log: DriveLog, outcome: Calibrated) -> list[Part]:
    if outcome.accepted:
        parts: list[Part] = [Verdict("good", f"Accepted: {outcome.reason}.")]
    else:
        parts = [Verdict("warning", f"Left as it was: {outcome.reason}.")]
    if outcome.ego_from_found_cam is None:
        return parts
    parts.append(_corrections(outcome))
    if outcome.uncertainty is not None:
        parts.append(_in_pixels(log, outcome, outcome.uncertainty.covariance))
    parts += [Paragraph(f"Known worst: {text}.") for text in outcome.weak]
    rows = [(name, value) for name, value in outcome.evidence.items()]
    parts.append(Table(("evidence", "value"), rows))
    return parts + _pictures(log, outcome, outcome.ego_from_found_cam)


def _corrections(outcome: Calibrated) -> Table:
    rows = [
        (name, float(value), float(error) if np.isfinite(error) else "not known")
        for name, value, error in zip(
            NAMES, outcome.correction * IN_DEG_AND_CM, outcome.sigma * IN_DEG_AND_CM, strict=True
        )
    ]
    caption = "The correction in the camera's axes (x right, y down, z forward) and its standard deviation."
    return Table(("about or along", "correction", "±"), rows, caption)


def _in_pixels(log: DriveLog, outcome: Calibrated, covariance: F64) -> Paragraph:
    from calib.refine.result import pixel_spread

    model = log.rig.cameras[outcome.camera].model
    near, far = (pixel_spread(covariance, model, distance_m) for distance_m in (10.0, 30.0))
    return Paragraph(f"That is {near:.1f} px for what is 10 m away and {far:.1f} px at 30 m (one sigma).")


def _pictures(log: DriveLog, outcome: Calibrated, ego_from_found_cam: SE3) -> list[Part]:
    from fusion.beam import image_of_frame

    there = []
    for number, frame_ns in enumerate(log.timestamps_ns.tolist()):
        image = image_of_frame(log, outcome.camera, frame_ns)
        if image is None or log.sweep_at(frame_ns) is None or not log.trajectory.covers(image.timestamp_ns):
            continue
        there.append((number, image))
    picked = np.unique(np.linspace(0, len(there) - 1, min(PICTURES, len(there))).round().astype(int))
    return [_pair(log, outcome, ego_from_found_cam, *there[k]) for k in picked]


def _pair(log: DriveLog, outcome: Calibrated, ego_from_found_cam: SE3, number: int, image: ImageRef) -> Pair:
    from fusion.residual_pictures import residual_overlay
    from fusion.views import view_between

    ref, picture = log.sweep_at(int(log.timestamps_ns[number])), image.read()
    assert ref is not None  # frames without one are left out
    view = view_between(log, ref.read(), replace(image, load=lambda: picture))
    edges_ego = view.points_ego.T[view.weights.sum(axis=0) > 0]
    pictures = []
    for ego_from_cam, when in ((outcome.ego_from_given_cam, "before"), (ego_from_found_cam, "after")):
        projection = view.model.project(ego_from_cam.inverse() @ edges_ego)
        uv_px = projection.uv_px[projection.visible]
        off_px = to_nearest_edge_px(picture, uv_px)
        caption = f"Frame {number}, {when}: median {np.median(off_px):.1f} px to the nearest edge."
        pictures.append(Picture(residual_overlay(picture, uv_px, off_px), caption))
    return Pair(*pictures)


def to_nearest_edge_px(image: U8, uv_px: F64) -> F64:
    """(N,) distance of each pixel to the nearest edge of the image (Canny)."""
    import cv2

    edges = cv2.Canny(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), 60, 160)
    distance_px = cv2.distanceTransform(255 - edges, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    columns, rows = np.round(uv_px).astype(int).T
    columns = np.clip(columns, 0, image.shape[1] - 1)
    return np.asarray(distance_px[np.clip(rows, 0, image.shape[0] - 1), columns], dtype=np.float64)
