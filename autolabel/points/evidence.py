"""What the scans say of one object along a path that is about right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from autolabel.points.config import PointsConfig
from autolabel.points.follow import SEED_WEIGHT, as_measured, is_found
from autolabel.points.index import PointBank, PointIndex
from autolabel.points.seeds import Seeds
from autolabel.points.shapes import Shapes
from autolabel.reconstruct.evidence import PointReport
from autolabel.smoother import Measurements, Motion
from autolabel.world import Sightings
from calib.types import F64, I64
from fusion.categories import Kind

HEIGHT_SIGMA_M, FIRM_M = 0.08, 0.05
NONE = np.zeros((0, 4))

Rivals = Callable[[int], tuple[F64, F64]]
"""(N, 4) poses and (N, 3) half sizes of the other objects in a frame, by its number."""


def alone(frame: int) -> tuple[F64, F64]:
    """No other objects."""
    return NONE, NONE[:, :3]


@dataclass(eq=False, slots=True)
class ObjectPoints:
    """The points of one object; what `autolabel.reconstruct` asks.

    Attributes:
        bank: the scans.
        kind: of the object.
        config: settings.
        rivals: where the other objects are: what lies in their boxes is theirs.
    """

    bank: PointBank
    kind: Kind
    config: PointsConfig = field(default_factory=PointsConfig)
    rivals: Rivals = alone

    def measure(self, path: Sightings, motion: Motion) -> PointReport:
        """Aligns the object's points in every frame to what all frames show of it along a path.

        Args:
            path: its boxes at N frames.
            motion: the same path with times, velocities and covariances, in N rows.
        """
        frames = np.searchsorted(self.bank.scans.frames_ns, path.times_ns)
        poses = np.column_stack([path.local_from_box.translations, path.local_from_box.yaws_rad])
        size = np.median(path.sizes_lwh_m, axis=0)[None]
        seeds = Seeds((self.kind,), frames[:1], poses[:1], size)
        shapes = self._aggregated(seeds, frames, poses, motion)
        rows: list[int] = []
        count = len(frames)
        support, crossed = np.full(count, -1, dtype=np.int64), np.full(count, np.nan)
        aligned, covariances = poses.copy(), np.zeros((count, 3, 3))
        for row, frame in enumerate(frames.tolist()):
            index = self.bank.at(frame)
            if index is None:
                continue
            pose, hessian, fits = self._aligned(index, poses[row], motion.velocities[row], frame, shapes)
            support[row], crossed[row] = round(float(fits[2])), _crossed(index, poses[row], shapes.halves[0])
            if is_found(fits[None], self.config)[0]:
                rows.append(row)
                weights = np.full(1, 1 / HEIGHT_SIGMA_M**2)
                _, noise = as_measured(
                    pose[None], hessian[None], weights, seeds, np.zeros(1, int), self.config
                )
                aligned[row], covariances[row] = pose, noise[0]
        chosen = np.array(rows, dtype=np.int64)
        seen = _measurements(motion, aligned, covariances, chosen)
        return PointReport(chosen, seen, support, crossed)

    def _aggregated(self, seeds: Seeds, frames: I64, poses: F64, motion: Motion) -> Shapes:
        surfaces = seeds.surfaces(self.config)
        shapes, most = Shapes.of_boxes(seeds.sizes_lwh_m, surfaces), np.array([surfaces[0].most_points])
        sure = motion.sigmas_m < FIRM_M
        for row, frame in enumerate(frames.tolist()):
            index = self.bank.at(frame)
            if index is not None:
                weight = SEED_WEIGHT if sure[row] else 1.0
                velocity = motion.velocities[row : row + 1, :2]
                shapes.add(index, poses[row : row + 1], velocity, np.zeros(1, int), most, weight)
        shapes.finish(np.zeros(1, int))
        return shapes

    def _aligned(
        self, index: PointIndex, pose: F64, velocity: F64, frame: int, shapes: Shapes
    ) -> tuple[F64, F64, F64]:
        """Pose, information and fits."""
        from autolabel.points import _gather_kernels, _kernels

        surface = self.config.of(self.kind)
        others, halves = self.rivals(frame)
        everyone, sizes = np.vstack([pose[None], others]), np.vstack([shapes.halves, halves])
        move = index.moves(everyone[:1], velocity[None], shapes.halves)
        near = np.empty((surface.most_points, 3))
        who = np.arange(1, len(everyone))
        kept, total = _gather_kernels.gather(
            index.points,
            index.grid,
            everyone[0],
            move[0],
            sizes[0],
            surface.margin_m,
            0.3,
            who,
            0.0,
            everyone,
            sizes,
            near,
        )
        out, hessian, shape = everyone[0].copy(), np.zeros((4, 4)), _kernels.pick(shapes.arrays, 0)
        if kept < 2:
            return out, hessian, np.zeros(5)
        yaw_weight = 1.0 if surface.turns else 1e6
        height_weight = surface.together / HEIGHT_SIGMA_M**2
        origin = index.grid[-1]
        fit = _kernels.align(near, kept, out, sizes[0], origin, shape, 12, height_weight, yaw_weight, hessian)
        inside, fit_inside = _kernels.judge(near, kept, out, sizes[0], shape)
        fits = np.array([fit, inside, fit_inside, total, kept], dtype=np.float64)
        return out, hessian, fits


def _crossed(index: PointIndex, pose: F64, half: F64) -> float:
    from autolabel.points import _ray_kernels

    nobody = np.zeros(0, dtype=np.int64)
    origin, order, starts = index.rays
    ended, through, _ = _ray_kernels.count_rays(
        index.points, origin, order, starts, pose, half, nobody, NONE, NONE[:, :3]
    )
    return through / (ended + through) if ended + through else np.nan


def _measurements(motion: Motion, poses: F64, covariances: F64, rows: I64) -> Measurements:
    return Measurements(
        motion.times_s[rows],
        poses[rows, :3],
        poses[rows, 3],
        np.asarray(np.linalg.inv(covariances[rows]), dtype=np.float64),
        np.full(len(rows), HEIGHT_SIGMA_M),
        np.zeros(len(rows), dtype=bool),
    )
