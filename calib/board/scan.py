"""A board in a scan: its plane, its points and where the rings leave it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calib.board.description import Board
from calib.board.rectangle import laid_over, outside
from calib.board.rings import Ends, RingPoints, ends_of_rings
from calib.se3 import SE3
from calib.types import F64, Bools, Floats

PLANE_M, TRIES = 0.04, 150
FEWEST_POINTS, FEWEST_RINGS = 30, 3
WORST_OUTLINE_M = 0.05
NEAR_M = 0.06  # beyond the outline, what still counts as the board
SHORTEST = 6.0  # pieces of lines shorter than this share of the board are a pole or an arm
LEAST_FILLED = 0.65
MOST_BEYOND = 0.15  # of the points on the plane that may lie beyond the outline: a pole, a hand


@dataclass(frozen=True, eq=False, slots=True)
class BoardInScan:
    """Where one scan shows a board.

    Attributes:
        board: what was looked for.
        points_ego: (M, 3) on the board.
        ring: (M,) which laser saw each.
        ends: where the rings leave the board, in the ego frame.
        ego_from_board: pose of the board; a half turn in its plane cannot be told, nor a quarter of a square.
        thickness_m: root mean square distance of the points from the plane.
        outline_m: median distance of the ends from the outline.
    """

    board: Board
    points_ego: F64
    ring: np.ndarray
    ends: Ends
    ego_from_board: SE3
    thickness_m: float
    outline_m: float


def find_in_scan(
    points_ego: Floats,
    board: Board,
    *,
    lidar_ego: ArrayLike = (0.0, 0.0, 0.0),
    ring: np.ndarray | None = None,
    expected_ego: ArrayLike | None = None,
    within_m: float = 0.5,
) -> BoardInScan | None:
    """Finds a board of known size in a scan or a part of one; None where nothing has its shape.

    The rings are cut where the range jumps; pieces short enough for the board that lie together are tried,
    each with a plane (RANSAC) and a rectangle of the board's size on it.

    Args:
        points_ego: (N, 3).
        board: what to look for.
        lidar_ego: where the LiDAR is; its axis is taken as the ego's z axis, about.
        ring: (N,) which laser saw each point; told from the elevation where it is not given.
        expected_ego: where the middle of the board is, about; looks only there.
        within_m: how far off that may be.
    """
    origin = np.asarray(lidar_ego, dtype=np.float64)
    points = np.asarray(points_ego, dtype=np.float64)
    kept = np.isfinite(points).all(axis=1) & (np.linalg.norm(points - origin, axis=1) > 0.3)
    if expected_ego is not None:
        reach_m = np.hypot(board.width_m, board.height_m) / 2 + within_m
        kept &= np.linalg.norm(points - np.asarray(expected_ego), axis=1) < reach_m
    if kept.sum() < FEWEST_POINTS:
        return None
    lines = RingPoints.of(points[kept], origin, None if ring is None else np.asarray(ring)[kept])
    found = (_fitted(lines, group, board, origin) for group in _groups(lines, board))
    return min((one for one in found if one is not None), key=lambda one: one.outline_m, default=None)


def _groups(lines: RingPoints, board: Board) -> Iterator[Bools]:
    """Masks of pieces of rings that lie together and are no longer than the board."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    piece = np.cumsum(lines.breaks()) - 1
    begins = np.flatnonzero(lines.breaks())
    lasts = np.append(begins[1:], len(piece)) - 1
    chords = np.linalg.norm(lines.points[lasts] - lines.points[begins], axis=1)
    shortest_m = min(board.width_m, board.height_m) / SHORTEST
    fits = (chords < np.hypot(board.width_m, board.height_m) + 0.1) & (chords > shortest_m)
    chosen = np.flatnonzero(fits[piece])
    if len(chosen) < FEWEST_POINTS:
        return
    reach_m = min(board.width_m, board.height_m) / 3
    pairs = cKDTree(lines.points[chosen]).query_pairs(reach_m, output_type="ndarray")
    a, b = piece[chosen[pairs[:, 0]]], piece[chosen[pairs[:, 1]]]
    links = coo_array((np.ones(len(a)), (a, b)), shape=(len(begins), len(begins)))
    _, label = connected_components(links, directed=False)
    of_point = np.where(fits[piece], label[piece], -1)
    for number in np.unique(of_point[chosen]):
        group = of_point == number
        if group.sum() >= FEWEST_POINTS and len(np.unique(lines.ring[group])) >= FEWEST_RINGS:
            yield group


def _fitted(lines: RingPoints, group: Bools, board: Board, origin: F64) -> BoardInScan | None:
    """The board in a few points that may be its own; None where they have not its shape.

    The points that lie together give its pose; then all points on its plane and outline are taken.
    """
    plane = _plane(lines.points[group])
    if plane is None:
        return None
    middle, axes = plane
    flat = np.abs((lines.points - middle) @ axes[2]) < PLANE_M
    hits = lines.take(group & flat)
    for _ in range(2):
        ends = ends_of_rings(hits)
        if len(hits.points) < FEWEST_POINTS or len(ends.points) < 2 * FEWEST_RINGS:
            return None
        places, end_places = (hits.points - middle) @ axes[:2].T, (ends.points - middle) @ axes[:2].T
        values, outline_m = laid_over(places, end_places, board)
        ego_from_board = _pose(middle, axes, values, origin)
        board_from_ego = ego_from_board.inverse()
        near = outside((board_from_ego @ lines.points)[:, :2], board.width_m, board.height_m) < NEAR_M
        if (group & flat & ~near).sum() > MOST_BEYOND * (group & flat).sum():
            return None
        hits = lines.take(near & flat)
    if outline_m > WORST_OUTLINE_M or not _fills(board_from_ego @ hits.points, board):
        return None
    thickness_m = float(np.sqrt(np.mean((board_from_ego @ hits.points)[:, 2] ** 2)))
    return BoardInScan(board, hits.points, hits.ring, ends, ego_from_board, thickness_m, outline_m)


def _fills(points_board: F64, board: Board) -> bool:
    """Whether points reach over most of the board, each way."""
    extent = np.ptp(points_board[:, :2], axis=0)
    return bool((extent > LEAST_FILLED * np.array([board.width_m, board.height_m])).all())


def _plane(points: F64) -> tuple[F64, F64] | None:
    """Middle and axes (the third across) of the plane on which most points lie."""
    random = np.random.default_rng(0)
    triples = points[random.integers(len(points), size=(TRIES, 3))]
    normals = np.cross(triples[:, 1] - triples[:, 0], triples[:, 2] - triples[:, 0])
    lengths = np.linalg.norm(normals, axis=1)
    normals, triples = normals[lengths > 1e-6] / lengths[lengths > 1e-6, None], triples[lengths > 1e-6]
    if len(normals) == 0:
        return None
    off = np.abs(points @ normals.T - np.sum(normals * triples[:, 0], axis=1))
    near = off[:, int(np.argmax((off < PLANE_M / 2).sum(axis=0)))] < PLANE_M
    if near.sum() < FEWEST_POINTS:
        return None
    middle = points[near].mean(axis=0)
    return middle, np.linalg.svd(points[near] - middle, full_matrices=False)[2]


def _pose(middle: F64, axes: F64, values: F64, origin: F64) -> SE3:
    """Pose of a board that lies at some place and angle on a plane, its z axis away from the LiDAR."""
    along = np.cos(values[2]) * axes[0] + np.sin(values[2]) * axes[1]
    centre = middle + values[0] * axes[0] + values[1] * axes[1]
    away = axes[2] * np.sign(axes[2] @ (centre - origin))
    across = np.cross(away, along)
    return SE3(np.column_stack([along, across, away]), centre)
