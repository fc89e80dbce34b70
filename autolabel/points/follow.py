"""Objects followed by their points, frame by frame, away from the box that is given of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from autolabel.points.config import PointsConfig
from autolabel.points.filter import States
from autolabel.points.index import PointBank, PointIndex
from autolabel.points.neighbours import rivals_of
from autolabel.points.seeds import Seeds
from autolabel.points.shapes import Shapes
from calib.types import F64, I64, Bools

STEEPNESS, RISING_M, GROUND_M, GROUND_PER_M = 0.03, 0.01, 0.05, 0.006
LEAST_HEIGHT_M = 0.04
GATE = 25.0
NO_YAW = 1e6
X_Y_YAW = np.array([0, 1, 3])
SURE_M = 0.25
SEED_WEIGHT = 5.0
ABSENT_S, ALIKE, ALIKE_WALKING = 0.25, 0.55, 0.45
TOO_FEW, MORE, TOO_MANY, SPARE = 0.25, 1.6, 2.5, 8.0


@dataclass(eq=False, slots=True)
class Sights:
    """What was seen of K objects in F frames.

    Attributes:
        times_s: (K, F) when the beam met each.
        poses: (K, F, 4) x, y, z, yaw: aligned where found, else where it should be.
        information: (K, F, 3, 3) of (x, y, yaw); zero where it was not found.
        fits: (K, F, 5) sum of fits, points in the box, fits of these, points nearby, those looked at.
        found: (K, F).
    """

    times_s: F64
    poses: F64
    information: F64
    fits: F64
    found: Bools

    @property
    def inside(self) -> F64:
        """(K, F) points in the box, those counted that were thinned out."""
        looked = np.maximum(self.fits[..., 4], 1)
        return np.asarray(self.fits[..., 1] * np.maximum(self.fits[..., 3] / looked, 1.0))

    @classmethod
    def empty(cls, objects: int, frames: int) -> Sights:
        """Nothing seen yet."""
        return cls(
            np.full((objects, frames), np.nan),
            np.full((objects, frames, 4), np.nan),
            np.zeros((objects, frames, 3, 3)),
            np.zeros((objects, frames, 5)),
            np.zeros((objects, frames), dtype=bool),
        )


@dataclass(eq=False, slots=True)
class Follower:
    """Follows objects through frames in one direction of time.

    Attributes:
        bank: what the LiDAR saw.
        seeds: where each object starts.
        config: settings.
        velocities: (K, 2) at the seeds, m/s in the local world.
        velocity_sigmas: (K,) how sure these are.
    """

    bank: PointBank
    seeds: Seeds
    config: PointsConfig
    velocities: F64
    velocity_sigmas: F64
    shapes: Shapes = field(init=False)
    states: States = field(init=False)
    heights_m: F64 = field(init=False)
    height_vars: F64 = field(init=False)
    times_s: F64 = field(init=False)
    seen_s: F64 = field(init=False)
    clearance_m: F64 = field(init=False)
    densities: F64 = field(init=False)
    together: F64 = field(init=False)

    def __post_init__(self) -> None:
        surfaces, count = self.seeds.surfaces(self.config), len(self.seeds)
        self.shapes = Shapes.of_boxes(self.seeds.sizes_lwh_m, surfaces)
        self.states = States.of(surfaces)
        self.together = np.array([s.together for s in surfaces])
        self.heights_m, self.clearance_m = np.zeros(count), np.full(count, np.nan)
        self.height_vars, self.densities = np.zeros(count), np.zeros(count)
        self.times_s, self.seen_s = np.full(count, np.nan), np.full(count, np.nan)

    def run(self, frames: Iterable[int], sights: Sights) -> None:
        """Follows through frames in the order given, and writes down what is seen."""
        for frame in frames:
            index = self.bank.at(frame)
            if index is not None:
                self._step(frame, index, sights)
            self._start(frame, np.flatnonzero(self.seeds.frames == frame), index, sights)

    def _start(self, frame: int, which: I64, index: PointIndex | None, sights: Sights) -> None:
        if len(which) == 0:
            return
        poses = self.seeds.poses
        self.states.start(
            which, poses[which][:, [0, 1, 3]], self.velocities[which], self.velocity_sigmas[which]
        )
        self.heights_m[which], self.height_vars[which] = poses[which, 2], 1e-4
        self.times_s[which] = self.seen_s[which] = self._times(frame, poses[which, :3])
        if index is not None:
            scan = index.scan
            self.clearance_m[which] = poses[which, 2] - scan.ground_at(poses[which, :3])
            self._learn(which, poses, index, SEED_WEIGHT)
            away_m = np.maximum(np.linalg.norm(poses[which, :2] - scan.origin[:2], axis=1), 2.0)
            self.densities[which] = np.maximum(self.shapes.counts[which], SPARE) * away_m**2
        sights.poses[which, frame] = poses[which]
        sights.times_s[which, frame] = self.times_s[which]

    def _step(self, frame: int, index: PointIndex, sights: Sights) -> None:
        near = np.abs(self._frame_s(frame) - self.seen_s)
        on = np.flatnonzero(np.isfinite(self.times_s) & (near < self.config.lost_s))
        if len(on) == 0:
            return
        self._predict(on, index)
        poses, spreads = np.full((len(self.seeds), 4), 1e9), np.zeros((len(self.seeds), 2))
        poses[on], spreads[on] = self._poses(on), self.states.spreads(on)
        spreads = np.where(spreads > SURE_M, spreads, 0.0)
        weights = 1 / np.maximum(self.height_vars, 1e-4)
        aligned, hessians, fits = align_frame(
            index,
            poses,
            self.states.means[:, 3:5],
            self.times_s,
            spreads,
            weights,
            on,
            self.shapes,
            self.seeds,
            self.config,
        )
        seen, noise = as_measured(aligned[on], hessians[on], weights[on], self.seeds, on, self.config)
        known = is_found(fits[on], self.config) & (self.states.off(on, seen, noise) < GATE)
        like_it, alike = self._resembles(on, fits[on], aligned[on], index, near[on])
        known &= like_it
        self.states.update(on[known], seen[known], noise[known])
        found = on[known]
        self.heights_m[found] = aligned[found, 2]
        told = hessians[found, 2, 2] / self.together[found]
        self.height_vars[found] = 1 / (1 / self.height_vars[found] + told) + LEAST_HEIGHT_M**2
        self.seen_s[found] = self.times_s[found]
        sights.times_s[on, frame], sights.poses[on, frame] = self.times_s[on], poses[on]
        sights.poses[found, frame] = aligned[found]
        sights.information[found, frame] = np.linalg.inv(noise[known])
        sights.fits[on, frame], sights.found[found, frame] = fits[on], True
        self._learn(on[known & alike], self._all_poses(), index)

    def _resembles(
        self, on: I64, fits: F64, poses: F64, index: PointIndex, unseen_s: F64
    ) -> tuple[Bools, Bools]:
        """Whether what was found may be the object, and whether its surface may be learned from it.

        It has about as many points as its distance lets expect; after an absence it has to look like it.
        """
        away_m = np.maximum(np.linalg.norm(poses[:, :2] - index.scan.origin[:2], axis=1), 2.0)
        inside = fits[:, 1] * np.maximum(fits[:, 3] / np.maximum(fits[:, 4], 1), 1.0)
        expected = self.densities[on] / away_m**2
        share = fits[:, 2] / np.maximum(fits[:, 1], 1)
        # What walks changes its shape.
        least = np.where(self.shapes.boxy[on], ALIKE, ALIKE_WALKING)
        absent = unseen_s > ABSENT_S
        new = expected == 0
        like_it = (inside <= TOO_MANY * expected + SPARE) & (
            ~absent | ((share >= least) & (inside >= TOO_FEW * expected))
        )
        like_it |= new
        alike = like_it & (share >= least) & ((inside <= MORE * expected + SPARE) | new)
        gain = np.where(new, 1.0, 0.2)
        self.densities[on[alike]] += (gain * (inside * away_m**2 - self.densities[on]))[alike]
        return like_it, alike

    def _predict(self, on: I64, index: PointIndex) -> None:
        scan, means = index.scan, self.states.means
        frame_s = self._frame_s(scan.frame)
        ahead = means[on, :2] + (frame_s - self.times_s[on])[:, None] * means[on, 3:5]
        times_s = self._times(scan.frame, np.column_stack([ahead, self.heights_m[on]]))
        before_s = self.times_s[on]
        self.states.predict(on, times_s - before_s)
        self.times_s[on] = times_s
        ground = scan.ground_at(np.column_stack([means[on, :2], self.heights_m[on]]))
        heights = ground + self.clearance_m[on]
        away_m = np.linalg.norm(means[on, :2] - scan.origin[:2], axis=1)
        rise_m = STEEPNESS * np.hypot(means[on, 3], means[on, 4]) * np.abs(times_s - before_s)
        variances = self.height_vars[on] + rise_m**2 + RISING_M**2
        gains = variances / (variances + (GROUND_M + GROUND_PER_M * away_m) ** 2)
        gains = np.where(np.isfinite(heights), gains, 0.0)
        self.heights_m[on] += gains * np.where(gains > 0, heights - self.heights_m[on], 0.0)
        self.height_vars[on] = variances * (1 - gains)

    def _times(self, frame: int, places: F64) -> F64:
        scans = self.bank.scans
        return scans.world.seen_s(np.full(len(places), scans.frames_ns[frame]), places)

    def _frame_s(self, frame: int) -> float:
        scans = self.bank.scans
        return float(scans.world.seconds(scans.frames_ns[frame : frame + 1])[0])

    def _poses(self, which: I64) -> F64:
        return np.column_stack(
            [self.states.means[which, :2], self.heights_m[which], self.states.means[which, 2]]
        )

    def _all_poses(self) -> F64:
        return self._poses(np.arange(len(self.seeds)))

    def _learn(self, which: I64, poses: F64, index: PointIndex, weight: float = 1.0) -> None:
        most = np.array([s.most_points for s in self.seeds.surfaces(self.config)])
        self.shapes.add(index, poses, self.states.means[:, 3:5], which, most, weight, self.times_s)
        self.shapes.finish(which)


def is_found(fits: F64, config: PointsConfig) -> Bools:
    """(N,) whether (N, 4) fits say that an object is there."""
    share = fits[:, 2] / np.maximum(fits[:, 1], 1)
    return np.asarray((fits[:, 2] >= config.least_fit) & (share >= config.least_share))


def align_frame(
    index: PointIndex,
    poses: F64,
    velocities: F64,
    times_s: F64,
    spreads: F64,
    height_weights: F64,
    on: I64,
    shapes: Shapes,
    seeds: Seeds,
    config: PointsConfig,
) -> tuple[F64, F64, F64]:
    """Aligns some objects of one frame, all at once; poses, information in box axes, and fits of all."""
    from autolabel.points import _kernels

    count = len(seeds)
    active = np.zeros(count, dtype=bool)
    active[on] = True
    settings = np.array(
        [
            [weight * s.together, 1.0 if s.turns else NO_YAW, s.margin_m, s.most_points]
            for s, weight in zip(seeds.surfaces(config), height_weights, strict=True)
        ]
    )
    aligned, hessians, fits = np.empty((count, 4)), np.empty((count, 4, 4)), np.zeros((count, 5))
    rivals = rivals_of(poses, shapes.halves, on)
    _kernels.align_all(
        index.points,
        index.fan,
        poses,
        index.moves(poses, velocities, shapes.halves, times_s),
        shapes.halves,
        spreads,
        active,
        rivals,
        shapes.arrays,
        settings,
        aligned,
        hessians,
        fits,
    )
    return aligned, hessians, fits


def as_measured(
    aligned: F64, hessians: F64, height_weights: F64, seeds: Seeds, which: I64, config: PointsConfig
) -> tuple[F64, F64]:
    """(N, 3) x, y, yaw and (N, 3, 3) their covariances in the local world.

    Points of one surface err together, so that no alignment is surer than the settings say.
    """
    surfaces = seeds.surfaces(config)
    hessians = hessians / np.array([s.together for s in surfaces])[which, None, None]
    flat = hessians[:, X_Y_YAW[:, None], X_Y_YAW]
    up = hessians[:, 2, 2] + height_weights
    cross = hessians[:, 2, X_Y_YAW]
    flat = flat - cross[:, :, None] * cross[:, None, :] / up[:, None, None]
    flat = flat + np.diag([1e-2, 1e-2, 1e-1])
    turned = np.zeros((len(aligned), 3, 3))
    c, s = np.cos(aligned[:, 3]), np.sin(aligned[:, 3])
    turned[:, 0, 0], turned[:, 0, 1], turned[:, 1, 0], turned[:, 1, 1] = c, -s, s, c
    turned[:, 2, 2] = 1
    least = np.array([[s.sigma_m, s.sigma_m, s.sigma_rad if s.turns else 1.0] for s in surfaces]) ** 2
    covariances = np.linalg.inv(flat) + least.reshape(-1, 3)[which, :, None] * np.eye(3)
    covariances = turned @ covariances @ turned.transpose(0, 2, 1)
    return aligned[:, [0, 1, 3]], np.ascontiguousarray(0.5 * (covariances + covariances.transpose(0, 2, 1)))
