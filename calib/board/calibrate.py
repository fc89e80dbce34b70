"""From what one camera and one LiDAR saw of boards to the camera's place, and how far to trust it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calib.board.image import BoardInImage
from calib.board.rectangle import outside
from calib.board.scan import BoardInScan
from calib.board.solve import Noise, Solution, noise_of, solve
from calib.errors import CalibrationError
from calib.estimate import Uncertainty, Verdict
from calib.se3 import SE3
from calib.types import F64

LIMIT_RAD, LIMIT_M = np.radians(0.2), 0.015  # known worse than this is said to be weak
WORST_RAD, WORST_PLACE_M = np.radians(1.0), 0.1  # and worse than this is refused
WORST_M = 0.02
TRUST = 8.0
PARALLEL_RAD = np.radians(10)


@dataclass(frozen=True, eq=False, slots=True)
class BoardView:
    """One board seen by both sensors at one time, the board and the car standing still."""

    in_image: BoardInImage
    in_scan: BoardInScan
    name: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class BoardResidual:
    """How well one view agrees with the result.

    Attributes:
        name: of the view.
        corners_px: root mean square of the corners in the image against their own pose.
        plane_m: root mean square distance of the scan's points from the board as the image sees it.
        outline_m: median distance of the ends of rings from its outline.
        left_out_rad: by how much the camera turns if this view is left out; NaN where it is the only one.
        left_out_m: by how much the camera's place moves.
    """

    name: str
    corners_px: float
    plane_m: float
    outline_m: float
    left_out_rad: float
    left_out_m: float


@dataclass(frozen=True, eq=False, slots=True)
class BoardEstimate:
    """Where a camera sits, from boards.

    Attributes:
        ego_from_cam: the pose; None where the views allow none.
        uncertainty: of the pose; None where there is none.
        residuals: one a view.
        bloom_m: how much larger the boards look to the LiDAR than they are, on each side.
        weak: what the views tell badly, in words; empty if nothing.
        verdict: whether the pose may be used.
        reason: why, in a sentence.
    """

    ego_from_cam: SE3 | None
    uncertainty: Uncertainty | None
    residuals: tuple[BoardResidual, ...]
    bloom_m: float
    weak: tuple[str, ...]
    verdict: Verdict
    reason: str

    @property
    def accepted(self) -> bool:
        """Whether the pose may be used."""
        return self.verdict == "accepted"


def calibrate(views: Sequence[BoardView], ego_from_given_cam: SE3 | None = None) -> BoardEstimate:
    """Finds where a camera sits from boards that it and a LiDAR have seen.

    Without a given pose, which may be off by much, at least two views are needed to start from.

    Args:
        views: each with the board in the image and in the scan; three to ten, tilted differently, are good.
        ego_from_given_cam: a pose to start from; it does not bind the result.
    """
    if not views or (len(views) < 2 and ego_from_given_cam is None):
        return _nothing(f"{len(views)} views of a board; without a given pose at least two are needed")
    images, scans = [view.in_image for view in views], [view.in_scan for view in views]
    start = _aligned(views) if ego_from_given_cam is None else ego_from_given_cam.inverse()
    noise = noise_of(scans)
    try:
        solution = solve(images, scans, noise, start)
    except (np.linalg.LinAlgError, CalibrationError):
        return _nothing("the views do not tell where the camera is: too little of the boards is seen")
    uncertainty = Uncertainty(solution.covariance * _scale(solution))
    residuals = tuple(_residual(number, view, solution) for number, view in enumerate(views))
    weak = (*uncertainty.weak_directions(LIMIT_RAD, LIMIT_M), *_alike(views))
    refusal = _refusal(residuals, noise, uncertainty)
    return BoardEstimate(
        solution.cam_from_ego.inverse(),
        uncertainty,
        residuals,
        solution.bloom_m,
        weak,
        "refused" if refusal else "accepted",
        refusal or f"{len(views)} views agree",
    )


def _aligned(views: Sequence[BoardView]) -> SE3:
    """The pose that lays the middles and normals of the boards onto each other (Kabsch)."""
    arms = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.5]])
    points_cam = np.concatenate([view.in_image.cam_from_board @ arms for view in views])
    points_ego = np.concatenate([view.in_scan.ego_from_board @ arms for view in views])
    middle_cam, middle_ego = points_cam.mean(axis=0), points_ego.mean(axis=0)
    left, _, right = np.linalg.svd((points_cam - middle_cam).T @ (points_ego - middle_ego))
    rotation = left @ np.diag([1.0, 1.0, np.linalg.det(left @ right)]) @ right
    return SE3(rotation, middle_cam - rotation @ middle_ego)


def _scale(solution: Solution) -> float:
    """How much more the boards disagree than their noise explains, in squared sigmas."""
    freedom = 6 * len(solution.pulls) - 6
    return (TRUST + sum(pull.squared for pull in solution.pulls)) / (TRUST + freedom)


def _residual(number: int, view: BoardView, solution: Solution) -> BoardResidual:
    board_from_ego = view.in_image.cam_from_board.inverse() @ solution.cam_from_ego
    board = view.in_scan.board
    plane = (board_from_ego @ view.in_scan.points_ego)[:, 2]
    ends = outside((board_from_ego @ view.in_scan.ends.points)[:, :2], board.width_m, board.height_m)
    shift = _left_out(number, solution)
    return BoardResidual(
        view.name,
        view.in_image.residual_px,
        _root_mean_square(plane),
        float(np.median(np.abs(ends - solution.bloom_m))),
        float(np.linalg.norm(shift[:3])),
        float(np.linalg.norm(shift[3:])),
    )


def _left_out(number: int, solution: Solution) -> F64:
    """(6,) how the result would move without one view, to first order."""
    if len(solution.pulls) < 2:
        return np.full(6, np.nan)
    rest = np.sum([pull.information for k, pull in enumerate(solution.pulls) if k != number], axis=0)
    return np.asarray(np.linalg.solve(rest, solution.pulls[number].gradient))


def _alike(views: Sequence[BoardView]) -> tuple[str, ...]:
    """What boards that are all tilted alike leave open."""
    normals = np.array([view.in_image.cam_from_board.rotation[:, 2] for view in views])
    widest = float(np.arccos(np.clip(normals @ normals.T, -1, 1)).max())
    if widest > PARALLEL_RAD:
        return ()
    return ("the boards are all parallel: places along them rest on their outlines; tilt them differently",)


def _refusal(residuals: tuple[BoardResidual, ...], noise: Noise, uncertainty: Uncertainty) -> str:
    worst_m = 3 * np.hypot(noise.point_m, noise.ring_m) + WORST_M
    for residual in residuals:
        if residual.plane_m > worst_m:
            return (
                f"view {residual.name!r}: points {residual.plane_m * 100:.1f} cm off the plane of its board"
            )
        if residual.outline_m > worst_m:
            return f"view {residual.name!r}: ends of rings {residual.outline_m * 100:.1f} cm off its outline"
    weak = uncertainty.weak_directions(WORST_RAD, WORST_PLACE_M)
    return f"the views tell too little: {weak[0]}" if weak else ""


def _root_mean_square(values: F64) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _nothing(reason: str) -> BoardEstimate:
    return BoardEstimate(None, None, (), 0.0, (), "refused", reason)
