"""A small world of upright plates before a wall, drawn exactly and scanned exactly: truth for refinement."""

import cv2
import numpy as np

from calib import SE3, Pinhole
from calib.refine import Edges, View, view_of

FORWARD_FROM_CAM = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])
MODEL = Pinhole(400.0, 400.0, 319.5, 179.5, 640, 360)
EGO_FROM_CAM = SE3(FORWARD_FROM_CAM, np.array([1.2, 0.1, 1.4]))
FINE = 8


def plates_of(rng, count=14):
    """(count, 5): ahead, left, height of the middle, and half sizes, in ego."""
    ahead = rng.uniform(5, 35, count)
    return np.column_stack(
        [
            ahead,
            rng.uniform(-0.7, 0.7, count) * ahead,
            1.4 + rng.uniform(-0.3, 0.3, count) * ahead,
            rng.uniform(0.3, 1.2, count),
            rng.uniform(0.3, 1.2, count),
        ]
    )


def corners(plate):
    ahead, left, height, wide, high = plate
    signs = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    return np.column_stack([np.full(4, ahead), left + signs[:, 0] * wide, height + signs[:, 1] * high])


def drawn(plates, ego_from_cam, model, rng):
    """(H, W, 3) picture: far plates first, each in a grey of its own, drawn eight times as fine."""
    size = (model.height_px * FINE, model.width_px * FINE)
    fine = np.full(size, 100, np.uint8)
    for plate in plates[np.argsort(-plates[:, 0])]:
        uv_px = model.project(ego_from_cam.inverse() @ corners(plate)).uv_px
        if np.isfinite(uv_px).all():
            inner = np.round((uv_px + 0.5) * FINE - 0.5).astype(np.int32)
            cv2.fillPoly(fine, [inner], int(rng.choice([20, 50, 170, 230])))
    grey = cv2.resize(fine, (model.width_px, model.height_px), interpolation=cv2.INTER_AREA)
    return np.repeat(grey[:, :, None], 3, axis=2)


def outlined(plates, count=20):
    """The outlines of plates as edges of a scan, without those that a nearer plate hides."""
    points, across = [], []
    for plate in plates:
        begin, along = corners(plate), np.linspace(0, 1, count)[:, None]
        for a, b in ((0, 1), (1, 2), (2, 3), (3, 0)):
            points.append(begin[a] + along * (begin[b] - begin[a]))
            across.append(np.tile([0.0, 0, 1] if a in (0, 2) else [0.0, 1, 0], (count, 1)))
    points, across = np.concatenate(points), np.concatenate(across)
    seen = ~hidden(points, plates)
    ones = np.ones(int(seen.sum()))
    return Edges(points[seen], across[seen], ones, np.arange(len(ones)))


def hidden(points, plates):
    place = EGO_FROM_CAM.translation
    covered = np.zeros(len(points), bool)
    for ahead, left, height, wide, high in plates:
        share = (ahead - place[0]) / (points[:, 0] - place[0])
        hits = place + share[:, None] * (points - place)
        inside = (np.abs(hits[:, 1] - left) < wide) & (np.abs(hits[:, 2] - height) < high)
        covered |= inside & (ahead < points[:, 0] - 1e-6)
    return covered


def scene(seed, model=MODEL, ego_from_cam=EGO_FROM_CAM) -> View:
    rng = np.random.default_rng(seed)
    plates = plates_of(rng)
    image = drawn(plates, ego_from_cam, model, rng)
    return view_of(outlined(plates), SE3.identity(), image, model, ego_from_cam, f"scene {seed}")


def disturbed(ego_from_cam, seed, turn_deg=1.0, shift_m=0.1):
    rng = np.random.default_rng(seed)
    turn_rad = np.radians(rng.uniform(-turn_deg, turn_deg, 3))
    cam_from_given_cam = SE3.from_rotation_vector(turn_rad, rng.uniform(-shift_m, shift_m, 3))
    return ego_from_cam @ cam_from_given_cam


def error_of(ego_from_cam, ego_from_found_cam):
    """Angle in degrees and distance in cm."""
    found_cam_from_cam = ego_from_found_cam.inverse() @ ego_from_cam
    turn_rad = np.linalg.norm(found_cam_from_cam.rotation_vector_rad)
    return np.degrees(turn_rad), 100 * np.linalg.norm(found_cam_from_cam.translation)
