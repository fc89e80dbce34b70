"""A camera's place from boards that it and the LiDAR see, all poses at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calib.board.image import BoardInImage
from calib.board.rectangle import outside, outward
from calib.board.scan import BoardInScan
from calib.clicks.bearings import left_jacobian
from calib.se3 import SE3
from calib.types import F64

GATE = 4.0  # sigmas beyond which a point or an end is left out
WIDENINGS_M = (1.0, 0.5, 0.2, 0.1, 0.05)  # but in the first rounds only beyond these
ROUNDS = 15
BLOOM_M = 0.01  # how much larger or smaller than it is a board may look to a LiDAR
LEAST_RANGE_M, LEAST_END_M = 0.002, 0.003


@dataclass(frozen=True, eq=False, slots=True)
class Noise:
    """How exact a LiDAR is, as its own points on the boards say.

    Attributes:
        point_m: scatter of single points within one ring.
        ring_m: scatter of whole rings: each laser has a range error of its own.
        end_m: scatter of the ends of rings beyond that of the half step.
    """

    point_m: float
    ring_m: float
    end_m: float


@dataclass(frozen=True, eq=False, slots=True)
class Pull:
    """What one board says of the camera's place, around the result.

    Attributes:
        information: (6, 6) inverse covariance of the camera's place from this board alone.
        gradient: (6,) how it pulls at the result; all boards together pull nowhere.
    """

    information: F64
    gradient: F64

    @property
    def squared(self) -> float:
        """Squared distance of this board's own result in sigmas; six degrees of freedom."""
        return float(self.gradient @ np.linalg.lstsq(self.information, self.gradient, rcond=None)[0])


@dataclass(frozen=True, eq=False, slots=True)
class Solution:
    """The least squares over all boards.

    Attributes:
        cam_from_ego: the result.
        covariance: (6, 6) of a small correction after it, in camera axes, as the noise has it.
        bloom_m: how much the boards look larger to the LiDAR than they are, on each side.
        cams_from_boards: the pose of each board, from image and scan together.
        pulls: what each board says.
    """

    cam_from_ego: SE3
    covariance: F64
    bloom_m: float
    cams_from_boards: tuple[SE3, ...]
    pulls: tuple[Pull, ...]


@dataclass(frozen=True, eq=False, slots=True)
class _Normal:
    """Normal equations of one board: the camera (6) and the bloom (1), the board's pose eliminated.

    Attributes:
        matrix: (7, 7).
        gradient: (7,).
        back: (6, 8) the board's own step from that of the seven and a one.
    """

    matrix: F64
    gradient: F64
    back: F64


@dataclass(frozen=True, eq=False, slots=True)
class _Rows:
    """Residuals of one board in sigmas, and how they change with a step of the camera and with the bloom."""

    residual: F64
    by_step: F64
    by_bloom: F64


def noise_of(scans: Sequence[BoardInScan]) -> Noise:
    """How exact the LiDAR is, from its planes and outlines alone."""
    within, between = [], []
    for scan in scans:
        off = (scan.ego_from_board.inverse() @ scan.points_ego)[:, 2]
        for ring in np.unique(scan.ring):
            of_ring = off[scan.ring == ring]
            if len(of_ring) >= 5:
                along = np.linspace(-1, 1, len(of_ring))
                within.append(np.var(of_ring - np.polyval(np.polyfit(along, of_ring, 1), along), ddof=2))
                between.append(np.mean(of_ring) ** 2 - within[-1] / len(of_ring))
    point_m = max(float(np.sqrt(np.mean(within))) if within else 0.02, LEAST_RANGE_M)
    ring_m = float(np.sqrt(max(np.mean(between), 0.0))) if between else 0.01
    return Noise(point_m, ring_m, max(LEAST_END_M, point_m / 4))


def solve(
    images: Sequence[BoardInImage], scans: Sequence[BoardInScan], noise: Noise, cam_from_ego: SE3
) -> Solution:
    """Gauss-Newton over the camera's place, the pose of each board, and how large boards look.

    The corners in an image count through the pose they give and its covariance; the points of a scan lie on
    the plane, the ends of its rings on the outline. What is beyond a gate, which closes step by step, is out.
    """
    cams_from_boards = [image.cam_from_board for image in images]
    bloom_m = 0.0
    for number in range(ROUNDS):
        reach_m = WIDENINGS_M[number] if number < len(WIDENINGS_M) else 0.0
        normals = [
            _normal(image, _rows(scan, noise, cam_from_ego, cam_from_board, bloom_m, reach_m), cam_from_board)
            for image, scan, cam_from_board in zip(images, scans, cams_from_boards, strict=True)
        ]
        matrix = np.sum([normal.matrix for normal in normals], axis=0)
        gradient = np.sum([normal.gradient for normal in normals], axis=0)
        matrix[6, 6] += BLOOM_M**-2
        gradient[6] += bloom_m * BLOOM_M**-2
        step = -np.linalg.solve(matrix, gradient)
        if number > len(WIDENINGS_M) and float(step @ matrix @ step) < 1e-6:
            break
        cam_from_ego = SE3.from_vector(step[:6]) @ cam_from_ego
        bloom_m += float(step[6])
        steps = [SE3.from_vector(normal.back @ np.append(step, 1.0)) for normal in normals]
        cams_from_boards = [moved @ given for moved, given in zip(steps, cams_from_boards, strict=True)]
    pulls = tuple(Pull(normal.matrix[:6, :6], normal.gradient[:6]) for normal in normals)
    return Solution(cam_from_ego, np.linalg.inv(matrix)[:6, :6], bloom_m, tuple(cams_from_boards), pulls)


def _normal(image: BoardInImage, rows: _Rows, cam_from_board: SE3) -> _Normal:
    """A step of the board moves the residuals as the opposite step of the camera does."""
    known = np.linalg.inv(image.covariance)
    jacobian = np.column_stack([rows.by_step, rows.by_bloom])
    matrix, gradient = jacobian.T @ jacobian, jacobian.T @ rows.residual
    own = matrix[:6, :6] + known
    step = (cam_from_board @ image.cam_from_board.inverse()).vector
    own_gradient = known @ step - gradient[:6]
    back = np.linalg.solve(own, np.column_stack([matrix[:6], -own_gradient]))
    return _Normal(matrix - matrix[:, :6] @ back[:, :7], gradient - matrix[:, :6] @ back[:, 7], back)


def _rows(
    scan: BoardInScan, noise: Noise, cam_from_ego: SE3, cam_from_board: SE3, bloom_m: float, reach_m: float
) -> _Rows:
    """Points against the plane, then ends of rings against the outline."""
    board_from_cam = cam_from_board.inverse()
    off, by_step = _plane_rows(scan, noise, cam_from_ego, board_from_cam, reach_m)
    end_off, end_by_step, sigma = _end_rows(scan, noise, cam_from_ego, board_from_cam)
    end_off = end_off - bloom_m / sigma
    near = np.abs(end_off) < np.maximum(GATE, reach_m / sigma)
    return _Rows(
        np.concatenate([off, end_off[near]]),
        np.vstack([by_step, end_by_step[near]]),
        np.concatenate([np.zeros(len(off)), -1 / sigma[near]]),
    )


def _plane_rows(
    scan: BoardInScan, noise: Noise, cam_from_ego: SE3, board_from_cam: SE3, reach_m: float
) -> tuple[F64, F64]:
    """Points against the plane; those of one ring share an error, which whitening takes out of their mean."""
    points_cam = cam_from_ego @ scan.points_ego
    off = (board_from_cam @ points_cam)[:, 2]
    near = np.abs(off) < max(GATE * np.hypot(noise.point_m, noise.ring_m), reach_m)
    by_step = board_from_cam.rotation[2] @ left_jacobian(points_cam[near])
    rows = np.column_stack([off[near], by_step])
    _, ring, counts = np.unique(scan.ring[near], return_inverse=True, return_counts=True)
    means = np.column_stack([np.bincount(ring, column) for column in rows.T]) / counts[:, None]
    kept_share = noise.point_m / np.sqrt(noise.point_m**2 + counts * noise.ring_m**2)
    rows = (rows - ((1 - kept_share)[:, None] * means)[ring]) / noise.point_m
    return rows[:, 0], rows[:, 1:]


def _end_rows(
    scan: BoardInScan, noise: Noise, cam_from_ego: SE3, board_from_cam: SE3
) -> tuple[F64, F64, F64]:
    """Ends against the outline, each as exact as the half step it was moved by, uniformly, and the noise."""
    points_cam = cam_from_ego @ scan.ends.points
    places = (board_from_cam @ points_cam)[:, :2]
    size = (scan.board.width_m, scan.board.height_m)
    normals_cam = outward(places, *size) @ board_from_cam.rotation[:2]
    half_steps_cam = cam_from_ego.rotate(scan.ends.half_steps)
    uniform_m = np.sum(normals_cam * half_steps_cam, axis=1) / np.sqrt(3)
    sigma = np.hypot(uniform_m, noise.end_m)
    by_step = np.einsum("ni,nij->nj", normals_cam, left_jacobian(points_cam)) / sigma[:, None]
    return outside(places, *size) / sigma, by_step, sigma
