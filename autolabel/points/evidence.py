"""What the scans say of one object along a path that is about right."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from autolabel.points.config import PointsConfig
from autolabel.points.follow import NO_YAW, SEED_WEIGHT, as_measured, is_found
from autolabel.points.index import PointBank
from autolabel.points.seeds import Seeds
from autolabel.points.shapes import Shapes
from autolabel.reconstruct.evidence import PointReport
from autolabel.smoother import Measurements, Motion
from autolabel.world import Sightings
from calib.types import F64, I64, Bools
from fusion.categories import Kind

HEIGHT_SIGMA_M, FIRM_M = 0.08, 0.05
ROUNDS = 12
# What stands still shows in this many frames where it is, nearly as well as in all.
MOST_AT_REST = 40


@dataclass(eq=False, slots=True)
class ObjectPoints:
    """The points of one object; what `autolabel.reconstruct` asks.

    Attributes:
        bank: the scans.
        kind: of the object.
        config: settings.
    """

    bank: PointBank
    kind: Kind
    config: PointsConfig = field(default_factory=PointsConfig)

    def measure(self, path: Sightings, motion: Motion, wanted: Bools) -> PointReport:
        """Aligns the object's points in every wanted frame to what all of these show of it along a path.

        Args:
            path: its boxes at N frames.
            motion: the same path with times, velocities and covariances, in N rows.
            wanted: (N,) the frames to look at.
        """
        frames = np.searchsorted(self.bank.scans.frames_ns, path.times_ns)
        poses = np.column_stack([path.local_from_box.translations, path.local_from_box.yaws_rad])
        seeds = Seeds((self.kind,), frames[:1], poses[:1], np.median(path.sizes_lwh_m, axis=0)[None])
        rows = np.array(
            [row for row in np.flatnonzero(wanted) if self.bank.at(int(frames[row])) is not None],
            dtype=np.int64,
        )
        half = np.tile(seeds.sizes_lwh_m / 2, (len(rows), 1))
        moves = self.bank.beam.moves(
            frames[rows], poses[rows], motion.velocities[rows], half, motion.times_s[rows]
        )
        weights = np.where(motion.sigmas_m[rows] < FIRM_M, SEED_WEIGHT, 1.0)
        chosen = _chosen(len(rows), motion)
        shapes = self._aggregated(seeds, frames[rows], poses[rows], moves, np.where(chosen, weights, 0.0))
        aligned, hessians, fits, crossed = self._aligned(frames[rows], poses[rows], moves, shapes, chosen)
        found = np.flatnonzero(is_found(fits, self.config) & chosen)
        one = np.zeros(len(found), dtype=np.int64)
        up = np.full(len(found), 1 / HEIGHT_SIGMA_M**2)
        _, noise = as_measured(aligned[found], hessians[found], up, seeds, one, self.config)
        support, share = np.full(len(frames), -1, dtype=np.int64), np.full(len(frames), np.nan)
        support[rows] = np.rint(fits[:, 2])
        reached = crossed.sum(axis=1)
        share[rows[reached > 0]] = (crossed[:, 1] / np.maximum(reached, 1))[reached > 0]
        seen = _measurements(motion.times_s[rows[found]], aligned[found], noise)
        return PointReport(rows[found], seen, support, share)

    def _aggregated(self, seeds: Seeds, frames: I64, poses: F64, moves: F64, weights: F64) -> Shapes:
        """The surface that all frames show, each as it is at its pose."""
        surfaces = seeds.surfaces(self.config)
        shapes, most = Shapes.of_boxes(seeds.sizes_lwh_m, surfaces), np.array([surfaces[0].most_points])
        one = np.zeros(1, dtype=np.int64)
        for row, frame in enumerate(frames.tolist()):
            if weights[row] == 0:
                continue
            index = self.bank.at(frame)
            assert index is not None
            here = slice(row, row + 1)
            shapes.add_moved(index, poses[here], moves[here], one, most, float(weights[row]))
        shapes.finish(one)
        return shapes

    def _aligned(
        self, frames: I64, poses: F64, moves: F64, shapes: Shapes, chosen: Bools
    ) -> tuple[F64, F64, F64, F64]:
        """(R, 4) poses, (R, 4, 4) information, (R, 5) fits and (R, 2) rays, see the kernel.

        What is not among the (R,) chosen stays where it is.
        """
        from autolabel.points import _own_kernels

        surface, count, half = self.config.of(self.kind), len(frames), shapes.halves[0]
        weights = (surface.together / HEIGHT_SIGMA_M**2, 1.0 if surface.turns else NO_YAW)
        aligned, hessians = poses.copy(), np.zeros((count, 4, 4))
        fits, crossed = np.zeros((count, 5)), np.zeros((count, 2))
        near = np.empty((surface.most_points, 3))
        for row, frame in enumerate(frames.tolist()):
            index = self.bank.at(frame)
            assert index is not None
            _own_kernels.look(
                index.points,
                index.fan,
                moves[row],
                half,
                shapes.arrays,
                surface.margin_m,
                weights,
                ROUNDS if chosen[row] else 0,
                near,
                aligned[row],
                hessians[row],
                fits[row],
                crossed[row],
            )
        return aligned, hessians, fits, crossed


def _chosen(count: int, motion: Motion) -> Bools:
    """(R,) in which of so many frames points are aligned: all, or evenly some of what stands still."""
    chosen = np.ones(count, dtype=bool)
    if count > MOST_AT_REST and not motion.velocities.any():
        chosen[:] = False
        chosen[np.linspace(0, count - 1, MOST_AT_REST).round().astype(int)] = True
    return chosen


def _measurements(times_s: F64, poses: F64, covariances: F64) -> Measurements:
    return Measurements(
        times_s,
        poses[:, :3],
        poses[:, 3],
        np.asarray(np.linalg.inv(covariances), dtype=np.float64),
        np.full(len(poses), HEIGHT_SIGMA_M),
        np.zeros(len(poses), dtype=bool),
    )
