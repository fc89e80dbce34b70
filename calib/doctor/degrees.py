"""Finds the angles that were meant where degrees were used as radians: thousands of mounts, tried quickly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calib.doctor.angles import ORDERS, degrees_taken_for_radians
from calib.doctor.candidates import Candidate, distinct, possible
from calib.doctor.score import Geometry
from calib.doctor.shot import Shot
from calib.se3 import SE3, SE3Batch
from calib.types import F64

FEW_POINTS, MOST_POINTS = 500, 2500
PROMISING = 300
FEWEST_SEEN = 25
# Yaw and pitch: a search of half a degree, then what is two degrees beside it.
SEARCH_RAD = np.radians([(0, 0), (0.6, 0), (-0.6, 0), (0, 0.6), (0, -0.6)])
BESIDE_RAD = np.radians([(2, 0), (-2, 0), (0, 2), (0, -2), (2, 2), (-2, -2), (2, -2), (-2, 2)])
FINALISTS = 12
UPRIGHT_EDGE = 0.7


def degrees_candidates(shots: Sequence[Shot], given: Geometry) -> list[Candidate]:
    """The most promising mounts among all that degrees taken for radians could have been made of."""
    found: list[tuple[float, Candidate]] = []
    for name, ego_from_parent in (("ego", SE3.identity()), ("lidar", given.ego_from_lidar)):
        for backwards in (False, True):
            found += _tried(shots, given, name, ego_from_parent, backwards)
    found.sort(key=lambda pair: -pair[0])
    return distinct(given, [candidate for _, candidate in found])[:FINALISTS]


def _tried(
    shots: Sequence[Shot], given: Geometry, parent: str, ego_from_parent: SE3, backwards: bool
) -> list[tuple[float, Candidate]]:
    parent_from_cam = ego_from_parent.inverse() @ given.ego_from_cam
    rotation = (parent_from_cam.inverse() if backwards else parent_from_cam).rotation
    up_parent = ego_from_parent.rotation.T @ np.array([0.0, 0.0, 1.0])
    meant = degrees_taken_for_radians(rotation, up_parent, of_camera=not backwards)
    if len(meant.rotations) == 0:
        return []
    shift = (parent_from_cam.inverse() if backwards else parent_from_cam).translation
    shifts = np.tile(shift, (len(meant.rotations), 1))
    meant_mounts = SE3Batch(meant.rotations, shifts)
    parents_from_cams = meant_mounts.inverse() if backwards else meant_mounts
    first = _sharpness(shots[:1], given, ego_from_parent, parents_from_cams, FEW_POINTS)
    promising = np.argsort(-first)[:PROMISING]
    parents_from_cams = parents_from_cams.take(promising)
    sharpness = _sharpness(shots, given, ego_from_parent, parents_from_cams, MOST_POINTS)
    name = f"cam_from_{parent}" if backwards else f"{parent}_from_cam"
    found = []
    for k in np.argsort(-sharpness)[:FINALISTS].tolist():
        geometry = Geometry(ego_from_parent @ parents_from_cams[k], given.model, given.ego_from_lidar)
        meant_as = promising[k]
        order, angles = " ".join(ORDERS[meant.orders[meant_as]]), meant.angles_deg[meant_as].round(1).tolist()
        meaning = f"for example {angles} about {order}"
        words = f"the angles of {name} are in degrees and were used as radians ({meaning})"
        candidate = Candidate("angles_in_degrees", words, "turn the angles into radians first", geometry)
        if possible(geometry):
            found.append((float(sharpness[k]), candidate))
    return found


def _sharpness(
    shots: Sequence[Shot], given: Geometry, ego_from_parent: SE3, parents_from_cams: SE3Batch, points: int
) -> F64:
    """(K,) how sharply edges meet under each mount, about as `score` has it, without distortion."""
    from calib.doctor import _kernels

    same = np.zeros(len(parents_from_cams), dtype=np.intp)
    egos_from_parents = SE3Batch.stack([ego_from_parent]).take(same)
    cams_from_ego = (egos_from_parents @ parents_from_cams).inverse()
    total, seen = np.zeros(len(parents_from_cams)), np.zeros(len(parents_from_cams))
    rotations, translations = cams_from_ego.rotations, cams_from_ego.translations
    for shot in shots:
        step = max(1, len(shot.points_lidar) // points)
        ego_at_shot_from_lidar = shot.ego_at_shot_from_ego @ given.ego_from_lidar
        points_ego = np.ascontiguousarray((ego_at_shot_from_lidar @ shot.points_lidar[::step]).T)
        upright = np.abs(ego_at_shot_from_lidar.rotate(shot.across_lidar[::step])[:, 2]) < UPRIGHT_EDGE
        camera = _camera_of_field(given, shot)
        shifts = np.ascontiguousarray((np.concatenate([SEARCH_RAD, BESIDE_RAD]) * camera[:2]).T)
        out, count = np.empty(len(rotations)), np.empty(len(rotations), dtype=np.int64)
        into = (rotations, translations, shifts[0], shifts[1], len(SEARCH_RAD), out, count)
        _kernels.coarse(points_ego, upright, camera, shot.field, shot.neutral, *into)
        total += out
        seen += count
    return np.where(
        seen >= FEWEST_SEEN * len(shots) * points / MOST_POINTS,
        total / len(shots) - 0.5 / np.sqrt(np.maximum(seen, 1)),
        -1.0,
    )


def _camera_of_field(given: Geometry, shot: Shot) -> F64:
    matrix, (height, width) = given.model.plain.matrix, shot.field.shape[1:]
    across, down = width / shot.size_px[0], height / shot.size_px[1]
    middle = ((matrix[0, 2] + 0.5) * across - 0.5, (matrix[1, 2] + 0.5) * down - 0.5)
    return np.array([matrix[0, 0] * across, matrix[1, 1] * down, *middle])
