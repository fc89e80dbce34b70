"""How fast objects are at the one frame in which they are known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from autolabel.points.config import PointsConfig
from autolabel.points.index import PointBank
from autolabel.points.seeds import Seeds
from autolabel.points.shapes import Shapes
from calib.types import F64, I64, Bools

AROUND, FAR_AROUND, FEW, LEAST = 3, 9, 12, 3
GAIN, BLIND_GAIN = 0.3, 4.0
STEP_MPS, WALK_STEP_MPS = 0.75, 0.4
MARGIN_M = 0.25


@dataclass(frozen=True, eq=False, slots=True)
class Starts:
    """Velocities at the seeds.

    Attributes:
        velocities: (K, 2) m/s in the local world.
        sigmas: (K,).
    """

    velocities: F64
    sigmas: F64

    @property
    def moving(self) -> Bools:
        """(K,) which do not stand."""
        return np.asarray((self.velocities != 0).any(axis=1))


def find_starts(bank: PointBank, seeds: Seeds, config: PointsConfig) -> Starts:
    """Looks for the velocity of each object that best explains the frames next to its seed.

    An object that rest explains about as well stands still. Of what is hardly seen, more frames are asked.
    """
    first, velocities = _hypotheses(seeds, config)
    scores, counts = np.zeros(len(velocities)), np.zeros(len(seeds))
    for frame in np.unique(seeds.frames).tolist():
        mine = np.flatnonzero(seeds.frames == frame)
        _score(bank, seeds, config, mine, first, velocities, scores, counts)
    chosen = np.zeros((len(seeds), 2))
    for k in range(len(seeds)):
        own = scores[first[k] : first[k + 1]]
        best = int(np.argmax(own))
        gain = GAIN if counts[k] >= LEAST else BLIND_GAIN
        if own[best] > config.static_gain * own[0] + gain:
            chosen[k] = velocities[first[k] + best]
    c, s = np.cos(seeds.poses[:, 3]), np.sin(seeds.poses[:, 3])
    in_world = np.column_stack([c * chosen[:, 0] - s * chosen[:, 1], s * chosen[:, 0] + c * chosen[:, 1]])
    sigmas = np.where(np.abs(chosen).sum(axis=1) > 0, 1.0, 0.7)
    return Starts(in_world, sigmas)


def _hypotheses(seeds: Seeds, config: PointsConfig) -> tuple[I64, F64]:
    """The velocities, in its box's axes, that each object may have, rest first; and where its own begin."""
    velocities = []
    for surface in seeds.surfaces(config):
        fastest = surface.fastest_mps
        if surface.slip_mps > 0:
            along = np.arange(-8.0 if fastest > 8 else -fastest, fastest, STEP_MPS)
            mine = np.column_stack([along, np.zeros(len(along))])
        else:
            grid = np.arange(-fastest, fastest + 0.1, WALK_STEP_MPS)
            mine = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
            mine = mine[np.hypot(*mine.T) <= fastest]
        velocities.append(np.vstack([np.zeros((1, 2)), mine]))
    first = np.cumsum([0, *(len(mine) for mine in velocities)])
    return first.astype(np.int64), np.ascontiguousarray(np.vstack(velocities))


def _score(
    bank: PointBank,
    seeds: Seeds,
    config: PointsConfig,
    mine: I64,
    first: I64,
    velocities: F64,
    scores: F64,
    counts: F64,
) -> None:
    """Adds what the frames around their common seed frame say of some objects."""
    from autolabel.points import _start_kernels

    frame, still = int(seeds.frames[mine[0]]), np.zeros((len(seeds), 2))
    index, scans = bank.at(frame), bank.scans
    surfaces = seeds.surfaces(config)
    shapes = Shapes.of_boxes(seeds.sizes_lwh_m, surfaces)
    most = np.array([s.most_points for s in surfaces])
    if index is not None:
        shapes.add(index, seeds.poses, still, mine, most)
        shapes.finish(mine)
    counts[mine] = shapes.counts[mine]
    expected = np.maximum(0.7 * shapes.counts, 3.0)
    own, few = np.isin(np.arange(len(seeds)), mine), shapes.counts < FEW
    for other, far in _around(bank, frame):
        asked = own & (few | (far <= AROUND))
        index = bank.at(other)
        if index is None or not asked.any():
            continue
        span_s = scans.world.seconds(scans.frames_ns[other]) - scans.world.seconds(scans.frames_ns[frame])
        _start_kernels.score_velocities(
            index.points,
            index.fan,
            seeds.poses,
            index.moves(seeds.poses, still, shapes.halves),
            shapes.halves,
            velocities,
            float(span_s),
            first,
            asked,
            expected,
            shapes.arrays,
            MARGIN_M,
            scores,
        )


def _around(bank: PointBank, frame: int) -> Iterator[tuple[int, int]]:
    """The nearest frames with scans, some before and some after, and how many of them are nearer."""
    for way in (range(frame + 1, len(bank)), range(frame - 1, -1, -1)):
        seen = (f for f in way[: 2 * FAR_AROUND] if bank.at(f) is not None)
        yield from ((f, far) for far, f in enumerate(islice(seen, FAR_AROUND), start=1))
