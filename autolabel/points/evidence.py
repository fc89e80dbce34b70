"""What the scans say of one object along a path that is about right."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from autolabel.points.config import PointsConfig
from autolabel.points.follow import NO_YAW, SEED_WEIGHT, as_measured, is_found
from autolabel.points.index import PointBank
from autolabel.points.seeds import Seeds
from autolabel.points.shapes import BOX_MARGIN_M, Shapes
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

    def measure(
        self, path: Sightings, motion: Motion, wanted: Bools, *, rays: bool = True, support: bool = True
    ) -> PointReport:
        """Aligns the object's points in every wanted frame to what all of these show of it along a path.

        Args:
            path: its boxes at N frames.
            motion: the same path with times, velocities and covariances, in N rows.
            wanted: (N,) the frames to look at.
            rays: whether rays through the boxes are counted.
            support: whether points are counted also where nothing is aligned.
        """
        bank, count = self.bank, len(path)
        all_frames = np.searchsorted(bank.scans.frames_ns, path.times_ns)
        shown = [row for row in np.flatnonzero(wanted).tolist() if bank.shown(int(all_frames[row]))]
        rows, chosen = np.array(shown, dtype=np.int64), _chosen(len(shown), motion)
        if not (rays or support):
            rows, chosen = rows[chosen], chosen[chosen]
        frames, velocities, times_s = all_frames[rows], motion.velocities[rows], motion.times_s[rows]
        poses = np.column_stack([path.local_from_box.translations, path.local_from_box.yaws_rad])[rows]
        seeds = Seeds((self.kind,), frames[:1], poses[:1], np.median(path.sizes_lwh_m, axis=0)[None])
        shapes = Shapes.unfinished(seeds.sizes_lwh_m, seeds.surfaces(self.config))
        moves = bank.beam.moves(frames, poses, velocities, shapes.halves, times_s)
        weights = np.where(motion.sigmas_m[rows] < FIRM_M, SEED_WEIGHT, 1.0)
        looks = self._looked(frames, poses, moves, np.where(chosen, weights, 0.0), shapes, rays, support)
        hessians, fits = self._aligned(poses, looks, shapes, chosen)
        found = np.flatnonzero(is_found(fits, self.config) & chosen)
        one = np.zeros(len(found), dtype=np.int64)
        up = np.full(len(found), 1 / HEIGHT_SIGMA_M**2)
        _, noise = as_measured(poses[found], hessians[found], up, seeds, one, self.config)
        points, share = np.full(count, -1, dtype=np.int64), np.full(count, np.nan)
        looked = chosen | support
        points[rows[looked]] = np.rint(fits[looked, 2])
        reached = looks.crossed.sum(axis=1)
        share[rows[reached > 0]] = (looks.crossed[:, 1] / np.maximum(reached, 1))[reached > 0]
        return PointReport(rows[found], _measurements(times_s[found], poses[found], noise), points, share)

    def _looked(
        self, frames: I64, poses: F64, moves: F64, weights: F64, shapes: Shapes, rays: bool, support: bool
    ) -> _Looks:
        """What each of R frames shows at its pose; what has a weight is added to the surface."""
        from autolabel.points import _own_kernels

        surface, count = self.config.of(self.kind), len(frames)
        near, counts = np.empty((count, surface.most_points, 3)), np.zeros((count, 2), dtype=np.int64)
        looks = _Looks(near, counts, np.zeros((count, 2)), np.zeros((count, 4)))
        half, grid = shapes.halves[0], (shapes.dims[0], shapes.lows[0], float(shapes.cells_m[0]))
        for row, frame in enumerate(frames.tolist()):
            index = self.bank.at(frame)
            assert index is not None
            looks.origins[row] = index.fan[2]
            _own_kernels.look(
                index.points,
                index.fan,
                row,
                poses,
                moves,
                half,
                (surface.margin_m, BOX_MARGIN_M),
                weights,
                (support, rays),
                near,
                counts,
                looks.crossed,
                grid,
                shapes.sums,
            )
        shapes.finish(np.zeros(1, dtype=np.int64))
        return looks

    def _aligned(self, poses: F64, looks: _Looks, shapes: Shapes, chosen: Bools) -> tuple[F64, F64]:
        """Moves those of (R, 4) poses that are chosen; (R, 4, 4) information and (R, 5) fits."""
        from autolabel.points import _own_kernels

        surface, count = self.config.of(self.kind), len(poses)
        weights = (surface.together / HEIGHT_SIGMA_M**2, 1.0 if surface.turns else NO_YAW)
        hessians, fits = np.zeros((count, 4, 4)), np.zeros((count, 5))
        _own_kernels.align_rows(
            looks.near,
            looks.counts,
            poses,
            shapes.halves[0],
            looks.origins,
            np.where(chosen, ROUNDS, 0),
            shapes.arrays,
            weights,
            hessians,
            fits,
        )
        return hessians, fits


@dataclass(frozen=True, eq=False, slots=True)
class _Looks:
    """What R frames show of one object; see `_own_kernels.look`.

    Attributes:
        near: (R, most, 3) points near it.
        counts: (R, 2) how many, before and after thinning.
        crossed: (R, 2) rays that end in its box, and that go through it.
        origins: (R, 4) where the LiDAR was.
    """

    near: F64
    counts: I64
    crossed: F64
    origins: F64


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
